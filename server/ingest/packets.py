"""Messages of QoS 1 as they stand in the bytes of a connection. Pure.

Source: MQTT 3.1.1, 2.2 (kind of packet, length of the rest) and 3.3 (PUBLISH).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

_PUBLISH, _MARKS = 0x32, 0x09  # a message of QoS 1; it may be marked as sent again or as retained
_LEAST = 7  # bytes: kind, length, a topic of one letter, a number
NOT_TEXT = "(not text)"  # a topic that nobody has


class Message(NamedTuple):
    """An application message of QoS 1, as the broker sent it."""

    topic: str
    number: int  # what to acknowledge it by
    payload: bytes


def messages(data: bytes, start: int) -> tuple[Sequence[Message], int]:
    """The messages that stand whole in `data` from `start` on, up to the first packet that is anything else or not yet
    whole, and where that is.
    """
    found: list[Message] = []
    place = start
    while (after := _end(data, place)) is not None and after <= len(data):
        topic = place + (4 if data[place + 1] & 0x80 else 3)  # behind the high byte of its length
        number = topic + 1 + (data[topic - 1] << 8 | data[topic])
        if number + 2 > after:
            break  # no such packet; who reads it alone says so
        name = _text(data[topic + 1 : number])
        found.append(Message(name, data[number] << 8 | data[number + 1], data[number + 2 : after]))
        place = after
    return found, place


def _end(data: bytes, start: int) -> int | None:
    """Where the message ends that begins at `start`; None: none does, or one of more than 16 kB."""
    if len(data) - start < _LEAST or data[start] & ~_MARKS != _PUBLISH:
        return None
    length = data[start + 1]
    if length < 0x80:
        return start + 2 + length
    more = data[start + 2]
    return start + 3 + (length & 0x7F | more << 7) if more < 0x80 else None


@lru_cache(maxsize=4096)  # as many as there are gateways, more or less
def _text(topic: bytes) -> str:
    """A topic as text; one that is no text is refused later, as any other that is not ours."""
    try:
        return topic.decode()
    except UnicodeDecodeError:
        return NOT_TEXT
