"""Which part of the installation is silent, since when, and why we think so. Pure.

A part is never asked about itself: each says that it lives by a beat in the database, and somebody else looks.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

ROLES = ("ingest", "watch", "notify", "web")
BROKER = "broker"  # beats beside the roles while ingest is connected
ROLE_SILENT = timedelta(seconds=20)  # of real time; ten beats: a busy moment is not a death
RULES_STILL = timedelta(seconds=8)  # sooner for whoever looks at a page: four beats
OUTBOX_STUCK = timedelta(seconds=30)  # that a notice waits which nobody takes
CHANNEL_DEAD = 3  # attempts in a row that failed: some fifteen seconds
DISK_FULL = 0.95  # of the data folder's disk


class Part(StrEnum):
    """What can fall silent."""

    DATABASE = "database"
    DISK = "disk"
    WATCH = "watch"
    INGEST = "ingest"
    NOTIFY = "notify"
    WEB = "web"
    BROKER = "broker"
    OUTBOX = "outbox"
    CHANNEL = "channel"
    LOOKOUT = "lookout"  # that which looks for silence
    GATEWAY = "gateway"
    DEVICE = "device"

    @property
    def is_ours(self) -> bool:
        """Whether it is a part of the server; otherwise a thing in somebody's home."""
        return self not in (Part.GATEWAY, Part.DEVICE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """A part that is silent. `subject` is the id of a gateway or device; `why` is fit for a log."""

    part: Part
    why: str
    since: datetime | None = None  # None: nobody knows
    subject: str | None = None

    @property
    def key(self) -> tuple[Part, str | None]:
        """What is told once however long it lasts."""
        return self.part, self.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A gateway or device of somebody who is followed up, on the installation's clock.

    `expected` is within how long it should have been heard again; None: it is known to be silent since `heard`.
    """

    part: Part
    subject: str
    heard: datetime
    expected: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What could be found out at one look; times are real, but those of `homes`.

    `began`: when the looking began, so that a part that never beat has its time too. `failing`: how the database
    fails a reader or writer; then nothing else is known. `due_since`: since when the same notice, whose time has come,
    is not taken. `failed_attempts`: how many deliveries in a row have failed. `disk`: the part of the disk in use.
    """

    began: datetime
    beats: Mapping[str, datetime] = field(default_factory=dict)
    failing: str | None = None
    failing_since: datetime | None = None
    due_since: datetime | None = None
    failed_attempts: int = 0
    disk: float = 0.0
    homes: tuple[Home, ...] = ()


def silences(state: State, wall: datetime, now: datetime) -> tuple[Silent, ...]:
    """Everything that is silent at `wall` (real time) and `now` (the installation's clock), the gravest first."""
    return tuple(_silences(state, wall, now))


def _silences(state: State, wall: datetime, now: datetime) -> Iterator[Silent]:
    if state.disk >= DISK_FULL:
        yield Silent(part=Part.DISK, why=f"{state.disk:.0%} of the disk is in use")
    if state.failing is not None:  # a beat that cannot be written proves nothing of who should have written it
        yield Silent(part=Part.DATABASE, why=state.failing, since=state.failing_since)
        return
    dead = [part for part in map(Part, ROLES) if _is_old(state, part, wall)]
    for part in dead:
        yield Silent(part=part, why="no sign of life", since=state.beats.get(part, state.began))
    if Part.INGEST not in dead and _is_old(state, Part.BROKER, wall):
        yield Silent(part=Part.BROKER, why="not connected", since=state.beats.get(BROKER, state.began))
    if state.due_since is not None and wall - state.due_since >= OUTBOX_STUCK:
        yield Silent(part=Part.OUTBOX, why="a notice waits and nobody takes it", since=state.due_since)
    if state.failed_attempts >= CHANNEL_DEAD:
        yield Silent(part=Part.CHANNEL, why=f"the last {state.failed_attempts} deliveries failed")
    for home in state.homes:
        if is_silent(home, now):
            yield Silent(part=home.part, why="not heard", since=home.heard, subject=home.subject)


def is_silent(home: Home, now: datetime) -> bool:
    """Whether it should have been heard again by now."""
    return home.expected is None or now - home.heard > home.expected


def _is_old(state: State, part: Part, wall: datetime) -> bool:
    """Whether the part has had its time since it last beat, or since we began to look."""
    return wall - max(state.beats.get(part, state.began), state.began) > ROLE_SILENT


def rules_stand_still(beat: datetime | None, wall: datetime) -> timedelta | None:
    """For how long the rules have not run, once a reader must know; None while all is well or they never began."""
    return wall - beat if beat is not None and wall - beat > RULES_STILL else None


def ours(found: Iterable[Silent]) -> tuple[Silent, ...]:
    """Those that are parts of the server."""
    return tuple(each for each in found if each.part.is_ours)
