"""The order of the worklist: every open alert as one compact row in; who comes first, and how much waits, out. Pure.

Only what sorts and filters is looked at here, so that thousands of alerts cost little: one page of them is filled in
later. A patient's alerts stand together and are sorted by what waits: priority, then how fast it gets worse, then how
long it has waited. What somebody has taken or put off stands below all that waits.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import NamedTuple

from alerts.grouping import GROUP_SPAN
from alerts.raising import QUARANTINED
from server.web.views.groups import PRIORITY_ORDER, is_waiting, rank

FASTEST = 2  # of `pace`
_HIGH = PRIORITY_ORDER.index("high")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LAST = (len(PRIORITY_ORDER), FASTEST, _EPOCH, "")


class Standing(NamedTuple):
    """An open alert as far as it sorts: the columns that are read of each."""

    patient_id: str
    raised_at: datetime
    id: str
    rule: str
    state: str
    priority: str
    pace: int
    snoozed_until: datetime | None
    owner: str | None
    condition: bool


class Urgency(NamedTuple):
    """Where a patient stands in the list; the least comes first. Nothing in it says who it is."""

    is_taken: bool
    rank: int  # of the priority, 0 is the most severe
    calm: int  # FASTEST less the pace
    since: int  # microseconds since 1970 at which the longest wait of that priority began
    alert: str  # the id of the alert that has waited so long

    @property
    def priority(self) -> str:
        """The word of the rank."""
        return PRIORITY_ORDER[self.rank] if 0 <= self.rank < len(PRIORITY_ORDER) else PRIORITY_ORDER[0]

    @property
    def is_urgent(self) -> bool:
        """Whether somebody must come at once."""
        return not self.is_taken and self.rank <= _HIGH

    @property
    def pace(self) -> int:
        """How fast it gets worse."""
        return FASTEST - self.calm

    @property
    def waited_since(self) -> datetime:
        """The moment of `since`."""
        return _EPOCH + self.since * _MICROSECOND

    def __str__(self) -> str:
        return ".".join((str(int(self.is_taken)), str(self.rank), str(self.calm), str(self.since), self.alert))


def place(text: str | None) -> Urgency | None:
    """A place in the list from an address; None for one that we did not write."""
    parts = (text or "").split(".")
    if len(parts) != len(Urgency._fields) or len(text or "") > 200:
        return None
    try:
        taken, rank, calm, since = (int(each) for each in parts[:4])
    except ValueError:
        return None
    return Urgency(bool(taken), rank, calm, since, parts[4])


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One patient of the list."""

    patient: str
    urgency: Urgency
    waiting: int  # groups of alerts that wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """All patients with open alerts, in order. `waiting`: what waits, counting as one what was met together."""

    rows: tuple[Row, ...]

    @property
    def waiting(self) -> int:
        """Groups of alerts that wait for somebody."""
        return sum(row.waiting for row in self.rows)

    @property
    def urgent(self) -> int:
        """Patients of whom something high or critical waits."""
        return sum(row.urgency.is_urgent for row in self.rows)


def board(alerts: Iterable[Standing], now: datetime) -> Board:
    """The list of these alerts, which come sorted by patient and then by when they were raised.

    They are taken apart by their places and not by their names, which takes half the time for thousands.
    """
    rows: list[_Own] = []
    own: _Own | None = None
    for patient, raised_at, alert, rule, state, priority, pace, snoozed_until, _, _ in alerts:
        if own is None or own.patient != patient:
            own = _Own(patient)
            rows.append(own)
        waits = is_waiting(state, priority, snoozed_until, now)
        own.count(raised_at, waits, alone=rule == QUARANTINED)
        own.weigh((rank(priority), FASTEST - pace, raised_at, alert), waits)
    return Board(rows=tuple(sorted((each.row() for each in rows), key=attrgetter("urgency"))))


class _Own:
    """One patient's alerts while they are looked at one after the other."""

    __slots__ = ("_began", "_calm", "_counted", "_first", "_groups", "_waiting", "patient")

    def __init__(self, patient: str) -> None:
        self.patient = patient
        self._waiting = False  # one of them waits; then only those that wait are weighed
        self._first: tuple[int, int, datetime, str] = _LAST
        self._calm = FASTEST
        self._groups = 0
        self._began = _EPOCH  # of the group that is being looked at
        self._counted = False

    def count(self, raised_at: datetime, waits: bool, *, alone: bool) -> None:
        """As `groups.grouped` groups them: within half an hour of the first; a question about a value alone."""
        if alone:
            self._groups += waits
            return
        if raised_at - self._began > GROUP_SPAN:
            self._began, self._counted = raised_at, False
        if waits and not self._counted:
            self._groups, self._counted = self._groups + 1, True

    def weigh(self, alert: tuple[int, int, datetime, str], waits: bool) -> None:
        """Keep the most severe, of equal ones the oldest, and how fast the fastest of them gets worse."""
        if waits and not self._waiting:
            self._waiting, self._first = True, _LAST
        if waits != self._waiting:
            return
        if alert[0] < self._first[0]:
            self._first, self._calm = alert, alert[1]
        elif alert[0] == self._first[0] and alert[1] < self._calm:
            self._calm = alert[1]

    def row(self) -> Row:
        """What became of it."""
        own, _, raised_at, alert = self._first
        urgency = Urgency(not self._waiting, own, self._calm, (raised_at - _EPOCH) // _MICROSECOND, alert)
        return Row(patient=self.patient, urgency=urgency, waiting=self._groups)
