"""The MQTT topics of version 1, made and read in one place. No person's name or number is ever part of one."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from vitals.reading import GatewayId

_ROOT = "varde/v1"
_GATEWAY = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")  # no wildcard, no slash, no look-alike letters


class Lane(StrEnum):
    """What a topic carries."""

    READINGS = "readings"  # gateway to server
    FRAMES = "frames"  # gateway to server: bytes that no profile could read
    STATUS = "status"  # gateway to server, retained
    RECEIPTS = "receipts"  # server to gateway
    COMMANDS = "commands"  # server to gateway


_LANES = frozenset(Lane)


class TopicError(ValueError):
    """Not a topic of version 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic, taken apart."""

    gateway: GatewayId
    lane: Lane

    def __str__(self) -> str:
        return f"{_ROOT}/{self.gateway}/{self.lane}"


def gateway_id(text: str) -> GatewayId:
    """`text` as a gateway's id: 2 to 63 small letters, digits and hyphens; raises `TopicError`."""
    if not _GATEWAY.fullmatch(text):
        raise TopicError(f"gateway id {text[:80]!r} must be 2 to 63 of a-z, 0-9 and '-'")
    return GatewayId(text)


def topic(gateway: GatewayId, lane: Lane) -> str:
    """The topic of one gateway's lane."""
    return str(Topic(gateway=gateway, lane=lane))


def every_gateway(lane: Lane) -> str:
    """The subscription that hears this lane of every gateway."""
    return f"{_ROOT}/+/{lane}"


@lru_cache(maxsize=4096)  # every message of a gateway comes under one of three
def parse_topic(text: str) -> Topic:
    """The parts of a topic; raises `TopicError`."""
    parts = text.split("/")
    if len(parts) != 4 or "/".join(parts[:2]) != _ROOT:
        raise TopicError(f"topic {text[:120]!r} is not {_ROOT}/GATEWAY/LANE")
    if parts[3] not in _LANES:
        raise TopicError(f"topic {text[:120]!r}: unknown lane {parts[3]!r}")
    return Topic(gateway=gateway_id(parts[2]), lane=Lane(parts[3]))
