"""The compact row of one patient: what the enabled rules need of the past, and what was said and done.

Two halves. `anchor` and `tail` come from readings alone: a complete view rebuilds them, and rebuilding gives the same.
The other half cannot be derived from readings: clicks, notices sent, advice given.

`anchor` is the history up to the newest reading that nothing can still take out of it. While a value waits for a
second reading (which may supersede it for every rule), readings from it on stay in `tail` and are folded again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from alerts import codec
from alerts.arrival import Arrival
from alerts.command import Command
from alerts.fact import Role
from alerts.history import History, MissingState
from alerts.plan import Plan
from alerts.priority import Priority
from alerts.zone import Zone
from vitals.frozen import quick


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """A rule resolved while its condition held: no new alert until it is over, rises, or `until`."""

    since: datetime
    priority: Priority
    until: datetime


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A ladder step that reached a role: others to the same role are held back for a few minutes."""

    to: Role
    by: str | None
    at: datetime
    priority: Priority


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What one patient's next step needs; see the module's text for the two halves."""

    plan_key: str
    anchor: History
    tail: tuple[Arrival, ...] = ()
    stale: bool = False  # the past changed: the next step wants a complete view
    # Missing rules moved on by the clock alone: (from, to); worth nothing once a reading has changed `from`.
    ahead: Mapping[str, tuple[MissingState, MissingState]] = field(default_factory=dict)

    invalidated: tuple[str, ...] = ()  # readings taken out by a person
    filled: tuple[str, ...] = ()  # of these, those that still fulfil their slot
    accepted: tuple[str, ...] = ()  # quarantined readings believed by a person
    unused: tuple[tuple[str, str], ...] = ()  # quarantined values, by reading and metric, settled as not to be used
    resets: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)  # rule that sums up -> alerts closed at
    quiet: Mapping[str, Quiet] = field(default_factory=dict)  # rule -> resolved while it held
    asked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # rule -> newest waiting readings asked about
    asked_again: Mapping[str, str] = field(default_factory=dict)  # rule -> newest reading after which was asked again
    reminded: Mapping[str, datetime] = field(default_factory=dict)  # rule -> newest reminder
    sent: tuple[Sent, ...] = ()  # the last few minutes
    zone: Zone = Zone.UNKNOWN
    resting: bool = False  # in a pause, or after the end


def needs_history(
    memory: Memory | None,
    arrivals: tuple[Arrival, ...],
    *,
    plan: Plan | None = None,
    command: Command | None = None,
) -> bool:
    """Whether the next call wants a complete view: first time, plan changed, late data, or a click on the past."""
    if memory is None or memory.stale or (plan is not None and plan.key != memory.plan_key):
        return True
    if command is not None and command.needs_history:
        return True
    last = memory.anchor.last
    return last is not None and any(each.key <= last for each in arrivals)


def dump(memory: Memory) -> str:
    """The memory as JSON text, the same for equal memories."""
    return json.dumps(codec.encode(memory), sort_keys=True, separators=(",", ":"))


def load(text: str) -> Memory:
    """The memory in a text made by `dump`."""
    return codec.decode(Memory, json.loads(text))
