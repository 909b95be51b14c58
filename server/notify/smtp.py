"""Mail, through the installation's own mail server."""

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from enum import StrEnum
from typing import Any

from server.notify.channels import ChannelDownError, ChannelError, Notice

_TIMEOUT_SECONDS = 10.0


class Tls(StrEnum):
    """How the line to the mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"  # from the first byte
    NONE = "none"  # on this machine alone


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail is handed over, and as whom."""

    host: str
    port: int
    sender: str
    tls: Tls = Tls.STARTTLS
    username: str | None = None
    password: str | None = None
    authority: str | None = None  # a file of certificates to trust beside the system's


class MailChannel:
    """One connection a message: notices are rare, and a kept line would be found dead just when it is needed."""

    name = "mail"

    def __init__(self, server: MailServer) -> None:
        self._server = server

    def send(self, notice: Notice) -> None:
        message = _message(notice, self._server.sender)
        try:
            with self._connected() as line:
                line.send_message(message, self._server.sender, [notice.address])
        except smtplib.SMTPRecipientsRefused:
            raise ChannelError("mail server refuses the recipient") from None
        except smtplib.SMTPResponseException as error:  # its words may hold the address
            raise ChannelError(f"mail server answers {error.smtp_code}") from None
        except (smtplib.SMTPException, OSError) as error:
            raise ChannelDownError(f"mail server: {type(error).__name__}") from None

    def _connected(self) -> smtplib.SMTP:
        server = self._server
        where: dict[str, Any] = {"host": server.host, "port": server.port, "timeout": _TIMEOUT_SECONDS}
        if server.tls is Tls.TLS:
            line: smtplib.SMTP = smtplib.SMTP_SSL(**where, context=self._trust())
        else:
            line = smtplib.SMTP(**where)
        try:
            if server.tls is Tls.STARTTLS:
                line.starttls(context=self._trust())
            if server.username is not None:
                line.login(server.username, server.password or "")
        except BaseException:
            line.close()
            raise
        return line

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._server.authority)


def _message(notice: Notice, sender: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = notice.address
    message["Subject"] = notice.text
    message["Message-ID"] = f"<{notice.id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # no "out of office" in answer
    if notice.at is not None:
        message["Date"] = format_datetime(notice.at)
    message.set_content(notice.text if notice.link is None else f"{notice.text}\n\n{notice.link}\n")
    return message
