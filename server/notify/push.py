"""Web push: to every browser in which a person asked for it, through the push service of the browser's maker.

A push service sees when somebody is told and how urgently; the body is for the browser alone. Only services that the
installation knows are written to, whatever address a browser gives.
"""

import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from types import MappingProxyType
from urllib.parse import urlsplit

from server.care.browsers import Told
from server.notify.channels import ChannelError, Notice
from server.notify.push_seal import Sender, encrypt, keys_of
from server.settings import is_loopback
from vitals.clock import Clock

_TIMEOUT_SECONDS = 4.0
_ALL_SECONDS = 8.0  # for all browsers of one person, as long as any other channel takes
_LONGEST_WAIT = timedelta(hours=1)  # a service that asks for more is asked again sooner
_WHEN_DOWN = timedelta(seconds=10)  # a service at which nobody answered is left alone
_GONE = (404, 410)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How long a push service keeps a message for a browser that is off, and whether it wakes a sleeping telephone."""

    keep: timedelta
    urgency: str  # RFC 8030 5.3


# What nobody answered is told anew by the ladder, so nothing is kept longer than until its next step.
_MANNERS: Mapping[str | None, Manner] = MappingProxyType(
    {
        "critical": Manner(keep=timedelta(minutes=5), urgency="high"),
        "high": Manner(keep=timedelta(minutes=15), urgency="high"),
        "medium": Manner(keep=timedelta(hours=4), urgency="normal"),
    }
)
_MILD = Manner(keep=timedelta(hours=4), urgency="low")


class PushChannel:
    """One POST a browser; taken when one of the person's browsers' services took it."""

    name = "push"

    def __init__(self, sender: Sender, services: Collection[str], forget: Callable[[str], None], wall: Clock) -> None:
        self._sender, self._services, self._forget, self._wall = sender, services, forget, wall
        self._closed: dict[str, datetime] = {}  # by service: before when it does not want to be asked
        self._opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler(),
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(context=ssl.create_default_context()),
            urllib.request.HTTPErrorProcessor(),
            urllib.request.HTTPDefaultErrorHandler(),  # nor is anybody led on from a known service to another address
        ):
            self._opener.add_handler(handler)

    def send(self, notice: Notice) -> None:
        """Tell every browser of the person; raises `ChannelError` when no service took it, with the last reason."""
        began, taken, reason = time.monotonic(), False, "no browser"
        for each in notice.browsers:
            left = _ALL_SECONDS - (time.monotonic() - began)
            if left <= 0:
                reason = "push service: too slow"
                break
            try:
                self._tell(each, notice, min(left, _TIMEOUT_SECONDS))
                taken = True
            except ChannelError as error:
                reason = str(error)
        if not taken:
            raise ChannelError(reason)

    def _tell(self, browser: Told, notice: Notice, timeout: float) -> None:
        where = browser.subscription.endpoint
        service, now = urlsplit(where).netloc, self._wall.now()
        if not is_known(where, self._services):
            raise ChannelError("push service is not known here")
        if now < self._closed.get(service, now):
            raise ChannelError("push service asked to wait")
        try:
            keys = keys_of(browser.subscription.p256dh, browser.subscription.auth)
        except ValueError:
            raise ChannelError("the browser's keys are none") from None
        body = encrypt(json.dumps(said(notice, browser.language), ensure_ascii=False).encode(), keys)
        request = urllib.request.Request(where, data=body, method="POST")  # noqa: S310 - `is_known` allows no other scheme
        for name, value in self._headers(where, notice, now).items():
            request.add_header(name, value)
        try:
            with self._opener.open(request, timeout=timeout) as answer:
                answer.read(1)
        except urllib.error.HTTPError as error:
            with error:
                self._refused(browser, service, error, now)
        except (OSError, HTTPException) as error:  # its words may hold the address
            self._closed[service] = now + _WHEN_DOWN
            raise ChannelError(f"push service: {type(error).__name__}") from None

    def _headers(self, where: str, notice: Notice, now: datetime) -> dict[str, str]:
        manner = _MANNERS.get(notice.priority, _MILD)
        return {
            "Authorization": self._sender.authorization(where, now),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(int(manner.keep.total_seconds())),
            "Urgency": manner.urgency,
            "Topic": notice.topic,
        }

    def _refused(self, browser: Told, service: str, error: urllib.error.HTTPError, now: datetime) -> None:
        """Do what the answer asks for, and raise what it is called."""
        if error.code in _GONE:
            self._forget(browser.id)
            raise ChannelError("the browser no longer takes notices") from None
        wait = _asked_wait(error.headers.get("Retry-After"), now)
        if wait is not None:
            self._closed[service] = now + min(wait, _LONGEST_WAIT)
        raise ChannelError(f"push service answers {error.code}") from None


def said(notice: Notice, language: str) -> dict[str, object]:
    """What the browser's worker is given: the words, what they replace, what a click opens, a secret to say it came."""
    body: dict[str, object] = {
        "text": notice.texts.get(language, notice.text),
        "language": language,
        "topic": notice.topic,
        "open": notice.page,
    }
    if notice.receipt is not None:
        body["receipt"] = notice.receipt.secret
    return body


def is_known(endpoint: str, services: Collection[str]) -> bool:
    """Whether this is the address of a push service that the installation knows: https, and no port of its own.

    Only a service on this machine, for tests, may be spoken to in the open and on any port.
    """
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError:
        return False
    host = (parts.hostname or "").lower()
    if parts.username is not None or not any(host == each or host.endswith(f".{each}") for each in services):
        return False
    return is_loopback(host) or (parts.scheme == "https" and port in (None, 443))


def _asked_wait(value: str | None, now: datetime) -> timedelta | None:
    """How long the service wants to be left alone: seconds or a date (RFC 9110 10.2.3); None where it does not say."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return timedelta(seconds=min(int(value.strip()[:9]), 10**8))
    try:
        return max(parsedate_to_datetime(value) - now, timedelta(0))
    except (TypeError, ValueError):
        return None
