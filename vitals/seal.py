"""The seal on every MQTT payload: who wrote it, under which topic, unchanged since.

A sealed payload is a line of hex (HMAC-SHA256 with the gateway's key over topic, newline and body) and then the body.
The topic is part of the seal, so a message recorded on one topic says nothing on another.
"""

import hmac
from functools import lru_cache

_SEAL_LENGTH = 64  # hex digits of SHA-256


class SealError(ValueError):
    """The payload is not sealed, or not by the owner of this topic."""


def seal(key: bytes, topic: str, body: bytes) -> bytes:
    """`body` with its seal in front, ready to publish on `topic`."""
    return _digest(key, topic, body) + b"\n" + body


def unseal(key: bytes, topic: str, payload: bytes) -> bytes:
    """The body of a sealed payload; raises `SealError` and never says how far the seal was right."""
    line, newline, body = payload.partition(b"\n")
    if not newline or len(line) != _SEAL_LENGTH:
        raise SealError("the message carries no seal")
    if not hmac.compare_digest(line, _digest(key, topic, body)):
        raise SealError("the seal was not made with this gateway's key for this topic")
    return body


def unchecked_body(payload: bytes) -> bytes:
    """What stands after the seal line, believed by nobody: for showing a refused message to a person."""
    line, newline, body = payload.partition(b"\n")
    return body if newline and len(line) == _SEAL_LENGTH else payload


def _digest(key: bytes, topic: str, body: bytes) -> bytes:
    made = _keyed(key).copy()
    made.update(topic.encode() + b"\n" + body)
    return made.hexdigest().encode()


@lru_cache(maxsize=4096)
def _keyed(key: bytes) -> hmac.HMAC:
    """Ready for a message. Faster than beginning with the key each time, and lets no other thread in between."""
    return hmac.new(key, digestmod="sha256")
