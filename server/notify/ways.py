"""The installation's ways out, made of its settings."""

from dataclasses import replace
from pathlib import Path

from server.notify.channels import Channel, Channels, LogChannel, Notice
from server.notify.smtp import MailChannel, MailServer
from server.notify.webhook import Hook, TextChannel
from server.settings import Settings


def ways_of(settings: Settings) -> Channels:
    """What the settings name. The log is a way for whoever chose it, and the last one for who has no other."""
    log = LogChannel()
    if settings.notices_to_log:
        return Channels(last=log, by_kind={"mail": log, "text": log, "log": log})
    found: dict[str, Channel] = {"log": log}
    if settings.smtp_host is not None:
        found["mail"] = MailChannel(_mail_server(settings, settings.smtp_host))
    if settings.webhook_url is not None and settings.webhook_key is not None:
        hook = Hook(
            url=settings.webhook_url.get_secret_value(),
            key=settings.webhook_key.get_secret_value(),
            authority=_text(settings.webhook_tls_ca),
        )
        found["text"] = TextChannel(hook)
    return Channels(last=log, by_kind=found)


def operations_of(settings: Settings) -> Channel:
    """How operations are told that a part is silent: by mail where the settings name a mailbox, else in the log."""
    if settings.operations_mail is None or settings.smtp_host is None:
        return LogChannel()
    return _To(MailChannel(_mail_server(settings, settings.smtp_host)), settings.operations_mail)


class _To:
    """A channel on which everything goes to one address."""

    name = "mail"

    def __init__(self, channel: Channel, address: str) -> None:
        self._channel, self._address = channel, address

    def send(self, notice: Notice) -> None:
        self._channel.send(replace(notice, address=self._address))


def _mail_server(settings: Settings, host: str) -> MailServer:
    password = settings.smtp_password
    return MailServer(
        host=host,
        port=settings.smtp_port,
        sender=settings.smtp_sender or "",
        tls=settings.smtp_tls,
        username=settings.smtp_username,
        password=None if password is None else password.get_secret_value(),
        authority=_text(settings.smtp_tls_ca),
    )


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
