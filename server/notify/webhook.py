"""Messages to telephones, by an HTTP request to whoever sends them: an SMS gateway, or a service that knows one.

The request is signed, so that the other side can tell it from anybody else's; it is never led on to another address.
"""

import hashlib
import hmac
import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException

from server.notify.channels import ChannelDownError, ChannelError, Notice

_TIMEOUT_SECONDS = 8.0
SIGNATURE = "Varde-Signature"
MESSAGE = "Varde-Message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """Where requests go and what they are signed with."""

    url: str
    key: str
    authority: str | None = None  # a file of certificates to trust beside the system's


class TextChannel:
    """One POST a message; any answer from 200 to 299 says that it was taken."""

    name = "text"

    def __init__(self, hook: Hook) -> None:
        self._hook = hook
        trust = ssl.create_default_context(cafile=hook.authority)
        self._opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler(),
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(context=trust),
            urllib.request.HTTPErrorProcessor(),
            urllib.request.HTTPDefaultErrorHandler(),  # what leads elsewhere is an error: a person chose the address
        ):
            self._opener.add_handler(handler)

    def send(self, notice: Notice) -> None:
        body = json.dumps(_body(notice), ensure_ascii=False, separators=(",", ":")).encode()
        at = str(int(notice.at.timestamp())) if notice.at else "0"
        request = urllib.request.Request(self._hook.url, data=body, method="POST")  # noqa: S310 - settings allow http and https alone
        request.add_header("Content-Type", "application/json; charset=utf-8")
        request.add_header(MESSAGE, notice.id)
        request.add_header(SIGNATURE, f"t={at},v1={signature(self._hook.key, at, body)}")
        try:
            with self._opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
                answer.read(1)
        except urllib.error.HTTPError as error:
            with error:
                raise ChannelError(f"webhook answers {error.code}") from None
        except (OSError, HTTPException) as error:  # its words may hold the address
            raise ChannelDownError(f"webhook: {type(error).__name__}") from None


def signature(key: str, at: str, body: bytes) -> str:
    """HMAC-SHA256, in hex, over the time (seconds of the epoch), a full stop and the body."""
    return hmac.new(key.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()


def _body(notice: Notice) -> dict[str, object]:
    body: dict[str, object] = {"id": notice.id, "to": notice.address, "text": notice.text}
    if notice.link is not None:
        body["link"] = notice.link
    if notice.receipt is not None:
        body["receipt"] = {"url": notice.receipt.url, "secret": notice.receipt.secret}
    return body
