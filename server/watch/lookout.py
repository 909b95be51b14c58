"""The loop that looks for silence. Every process has one, so that no part is watched by itself alone.

What it finds it tells operations at once, by a channel of its own: neither the outbox nor the notifier is on the way.
"""

import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy import Connection, and_, func, or_, select
from sqlalchemy.exc import DBAPIError

from server.db import tables
from server.notify.channels import Channel, Notice
from server.parts import Parts
from server.watch import beat
from server.watch.silence import CHANNEL_DEAD, Home, Part, Silent, State, ours, silences

EVERY_SECONDS = 2.0
OPERATIONS = "operations"

_log = structlog.get_logger("varde.silence")


def disk_in_use(folder: Path) -> float:
    """The part of the folder's disk that is in use, from 0 to 1."""
    usage = shutil.disk_usage(folder)
    return usage.used / (usage.used + usage.free)  # as `df` counts: what root alone may use is not free


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """The oldest notice whose time has come, and since when it is seen so; whoever takes it moves its `send_at`."""

    seq: int
    send_at: datetime | None
    since: datetime


class Lookout:
    """A role of every process: looks, tells what began and what is over, and keeps the findings for others to read."""

    name = "lookout"

    def __init__(self, parts: Parts, channel: Channel, disk: Callable[[Path], float] = disk_in_use) -> None:
        self._parts, self._channel, self._disk = parts, channel, disk
        self._began = parts.wall.now()
        self._failing_since: datetime | None = None
        self._waiting: _Waiting | None = None
        self._told: dict[tuple[Part, str | None], Silent] = {}

    def run(self, stop: threading.Event) -> None:
        """Look until `stop`."""
        while not stop.is_set():
            self.look()
            stop.wait(EVERY_SECONDS)

    def look(self) -> tuple[Silent, ...]:
        """Look once, tell what is new, and return what is silent."""
        state = self._state()
        found = silences(state, self._parts.wall.now(), self._parts.clock.now())
        before = self._parts.findings.silent
        self._parts.findings.put(found)
        self._count(found)
        self._tell(found)
        if [each.key for each in ours(before)] != [each.key for each in ours(found)]:
            self._parts.changed.hear()
        return found

    def _state(self) -> State:
        disk = self._disk(self._parts.settings.data)
        failing = self._failing()
        try:
            with self._parts.database.read() as connection:
                wall = self._parts.wall.now()
                state = State(
                    began=self._began,
                    beats=_beats(connection),
                    due_since=self._due_since(connection, wall),
                    failed_attempts=_failed_attempts(connection),
                    homes=(*_offline(connection, self._parts.clock.now()), *_silent_devices(connection)),
                    disk=disk,
                )
        except DBAPIError as error:
            state, failing = State(began=self._began, disk=disk), f"cannot be read: {type(error.orig).__name__}"
        if failing is None:
            self._failing_since = None
            return state
        self._failing_since = self._failing_since or self._parts.wall.now()
        return State(began=self._began, disk=disk, failing=failing, failing_since=self._failing_since)

    def _failing(self) -> str | None:
        """How the database fails whoever writes to it; None when it does not. Only a write tells."""
        try:
            with self._parts.database.write() as connection:
                beat.stamp(connection, self.name, self._parts.wall.now())
        except DBAPIError as error:
            return f"cannot be written: {type(error.orig).__name__}"
        return None

    def _due_since(self, connection: Connection, wall: datetime) -> datetime | None:
        outbox = tables.outbox.c
        ready = and_(outbox.state == "waiting", or_(outbox.send_at.is_(None), outbox.send_at <= wall))
        oldest = select(outbox.seq, outbox.send_at).where(ready).order_by(outbox.seq).limit(1)
        row, known = connection.execute(oldest).first(), self._waiting
        if row is None:
            self._waiting = None
        elif known is None or (known.seq, known.send_at) != (row.seq, row.send_at):
            self._waiting = _Waiting(seq=row.seq, send_at=row.send_at, since=wall)
        return None if self._waiting is None else self._waiting.since

    def _count(self, found: Sequence[Silent]) -> None:
        for part in Part:
            self._parts.metrics.silent.labels(part.value).set(sum(each.part is part for each in found))

    def _tell(self, found: Sequence[Silent]) -> None:
        """Say what began and what is over, each once. A channel that fails is not the end of the looking."""
        now = {each.key: each for each in found}
        for key, each in now.items():
            if key not in self._told:
                since = each.since.isoformat() if each.since else None
                _log.error("silent", part=each.part.value, why=each.why, since=since, subject=each.subject)
                if each.part.is_ours:
                    self._send(each)
        for key, each in self._told.items():
            if key not in now:
                _log.warning("heard again", part=each.part.value, subject=each.subject)
        self._told = now

    def _send(self, silent: Silent) -> None:
        text = f"Varde: {silent.part.value} is silent ({silent.why})."
        try:
            self._channel.send(Notice(number=0, to=OPERATIONS, text=text))
        except Exception as error:  # noqa: BLE001 - the log has it already, and the ping stays out
            _log.error("operations not told", channel=self._channel.name, error=type(error).__name__)


def _beats(connection: Connection) -> dict[str, datetime]:
    table = tables.role_beat.c
    return dict(connection.execute(select(table.role, table.at)).all())


def _failed_attempts(connection: Connection) -> int:
    """How many of the last few deliveries failed, when all of them did."""
    attempt = tables.attempt.c
    last = connection.execute(select(attempt.outcome).order_by(attempt.seq.desc()).limit(CHANNEL_DEAD)).scalars().all()
    return len(last) if all(each == "failed" for each in last) else 0


def _offline(connection: Connection, now: datetime) -> tuple[Home, ...]:
    """The gateways that are offline and have somebody's devices."""
    outage, held = tables.gateway_outage.c, tables.assignment.c
    used = select(held.gateway_id).where(held.starts_at <= now, or_(held.ends_at.is_(None), held.ends_at > now))
    running = select(outage.gateway_id, func.min(outage.starts_at)).where(
        outage.ends_at.is_(None), outage.gateway_id.in_(used)
    )
    rows = connection.execute(running.group_by(outage.gateway_id).order_by(outage.gateway_id))
    return tuple(Home(part=Part.GATEWAY, subject=gateway, heard=since) for gateway, since in rows)


def _silent_devices(connection: Connection) -> tuple[Home, ...]:
    """The devices whose silence somebody noted (`watch/devices.py`)."""
    table = tables.device_silence.c
    running = select(table.device_id, table.heard_at).where(table.ends_at.is_(None)).order_by(table.device_id)
    return tuple(Home(part=Part.DEVICE, subject=device, heard=at) for device, at in connection.execute(running))
