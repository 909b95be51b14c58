"""The installation's ways out, made of its settings."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from server.care import browsers
from server.notify.channels import Channel, Channels, LogChannel, Notice
from server.notify.push import PushChannel
from server.notify.push_seal import sender_of
from server.notify.smtp import MailChannel, MailServer
from server.notify.webhook import Hook, TextChannel
from server.parts import Parts
from server.settings import Settings


def ways_of(parts: Parts) -> Channels:
    """What the settings name. The log is a way for whoever chose it, and the last one for who has no other."""
    log, settings = LogChannel(), parts.settings
    pushed = _pushed(parts)
    if settings.notices_to_log:
        return Channels(last=log, by_kind={"mail": log, "text": log, "log": log} | pushed, confirms=_confirms(settings))
    found: dict[str, Channel] = {"log": log} | pushed
    if settings.smtp_host is not None:
        found["mail"] = MailChannel(_mail_server(settings, settings.smtp_host))
    if settings.webhook_url is not None and settings.webhook_key is not None:
        hook = Hook(
            url=settings.webhook_url.get_secret_value(),
            key=settings.webhook_key.get_secret_value(),
            authority=_text(settings.webhook_tls_ca),
        )
        found["text"] = TextChannel(hook)
    return Channels(last=log, by_kind=found, confirms=_confirms(settings))


def _pushed(parts: Parts) -> dict[str, Channel]:
    settings = parts.settings
    if settings.push_contact is None:
        return {}

    def forget(browser: str) -> None:
        with parts.database.write() as connection:
            browsers.forget(connection, browser)

    sender = sender_of(parts.vault, settings.push_contact)
    return {"push": PushChannel(sender, settings.known_push_services, forget, parts.wall)}


def _confirms(settings: Settings) -> dict[str, timedelta]:
    """Who says when a message was delivered; nobody can where they do not know the way to us."""
    promised = {"push": settings.push_confirms_s, "text": settings.webhook_confirms_s}
    return {} if settings.public_url is None else {name: timedelta(seconds=s) for name, s in promised.items() if s}


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
