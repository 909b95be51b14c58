"""Mail and webhook against real servers: what goes over the line, and what a failure is called."""

import hashlib
import hmac
import json
import socket

import pytest

from server.notify.channels import ChannelDownError, ChannelError, Notice, Receipt
from server.notify.smtp import MailChannel, MailServer, Tls
from server.notify.webhook import Hook, TextChannel
from server.settings import SettingsError, settings_from
from tests.server.notify.receivers import mail_server, webhook
from tests.server.world import START

NOTICE = Notice(
    id="m-1",
    number=7,
    to="primary",
    text="Nytt rødt varsel, sak 7",
    address="anna@example.invalid",
    link="https://varde.example/cases/7",
    at=START,
    receipt=Receipt(url="https://varde.example/notices/receipts", secret="once"),
)


def nobody() -> int:
    """A port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def mail(port: int) -> MailChannel:
    return MailChannel(MailServer(host="127.0.0.1", port=port, sender="varde@example.invalid", tls=Tls.NONE))


def test_a_mail_says_how_urgent_and_where_and_nothing_else() -> None:
    with mail_server() as box:
        mail(box.port).send(NOTICE)
    ((to, message),) = box.mails
    assert to == "anna@example.invalid"
    assert message["Subject"] == "Nytt rødt varsel, sak 7"
    assert message.get_content().splitlines() == [NOTICE.text, "", NOTICE.link]
    assert message["Message-ID"] == "<m-1@example.invalid>"
    assert "once" not in message.as_string()  # a mailbox has no receipts


def test_a_mail_that_is_not_taken_says_why_without_the_address() -> None:
    with mail_server() as box:
        box.refuses.add("anna@example.invalid")
        with pytest.raises(ChannelError, match=r"^mail server refuses the recipient$"):
            mail(box.port).send(NOTICE)
        box.refuses.clear()
        box.is_full = True
        with pytest.raises(ChannelError, match=r"^mail server answers 452$"):
            mail(box.port).send(NOTICE)
    assert box.mails == []
    with pytest.raises(ChannelDownError, match=r"^mail server: ConnectionRefusedError$"):
        mail(nobody()).send(NOTICE)


def test_a_line_that_must_be_protected_and_is_not_carries_nothing() -> None:
    with mail_server() as box:
        channel = MailChannel(MailServer(host="127.0.0.1", port=box.port, sender="varde@example.invalid"))
        with pytest.raises(ChannelDownError):
            channel.send(NOTICE)
    assert box.mails == []


def test_a_webhook_is_signed_and_names_the_message() -> None:
    with webhook() as taken:
        TextChannel(Hook(url=f"http://127.0.0.1:{taken.port}/sms", key="shared")).send(NOTICE)
    ((headers, body),) = taken.requests
    assert json.loads(body) == {
        "id": "m-1",
        "to": "anna@example.invalid",
        "text": "Nytt rødt varsel, sak 7",
        "link": "https://varde.example/cases/7",
        "receipt": {"url": "https://varde.example/notices/receipts", "secret": "once"},
    }
    at, _, signed = headers["varde-signature"].removeprefix("t=").partition(",v1=")
    assert at == str(int(START.timestamp()))
    assert signed == hmac.new(b"shared", at.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["varde-message"] == "m-1"


def test_a_webhook_is_never_led_elsewhere() -> None:
    with webhook() as elsewhere, webhook() as taken:
        taken.answers, taken.leads_to = 307, f"http://127.0.0.1:{elsewhere.port}/"
        with pytest.raises(ChannelError, match=r"^webhook answers 307$"):
            TextChannel(Hook(url=f"http://127.0.0.1:{taken.port}/", key="k")).send(NOTICE)
        taken.answers, taken.leads_to = 500, None
        with pytest.raises(ChannelError, match=r"^webhook answers 500$"):
            TextChannel(Hook(url=f"http://127.0.0.1:{taken.port}/", key="k")).send(NOTICE)
    assert elsewhere.requests == []
    with pytest.raises(ChannelDownError, match=r"^webhook: URLError$"):
        TextChannel(Hook(url=f"http://127.0.0.1:{nobody()}/", key="k")).send(NOTICE)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"webhook_url": "http://sms.example/send", "webhook_key": "k"}, "https"),
        ({"webhook_url": "https://sms.example/send"}, "signed"),
        ({"smtp_host": "mail.example"}, "smtp_sender"),
        ({"smtp_host": "mail.example", "smtp_sender": "v@e.example", "smtp_tls": "none"}, "this machine"),
        ({"public_url": "varde.example"}, "public_url"),
        ({"notice_language": "sv"}, "notice_language"),
        ({"operations_mail": "vakt@e.example"}, "smtp_host"),
        ({"push_contact": "drift@kommune.example"}, "mailto"),
        ({"push_services": "127.0.0.1"}, "tests and the demo"),
        ({"push_services": "localhost, fcm.googleapis.com"}, "tests and the demo"),
        ({"push_services": "com"}, "names of hosts"),
        ({"push_services": ""}, "names of hosts"),
        ({"webhook_url": "https://e.example", "webhook_key": "k", "webhook_confirms_s": "9"}, "public_url"),
    ],
)
def test_settings_that_would_tell_strangers_are_refused(given: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        settings_from(given)
