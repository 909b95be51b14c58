"""The order of the worklist: each patient's open alerts as one row in; who comes first, and how much waits, out. Pure.

Only what sorts and filters is looked at here, so that thousands of alerts cost little: one page of them is filled in
later. A patient's alerts stand together and are sorted by what waits: priority, then how fast it gets worse, then how
long it has waited. What somebody has taken or put off stands below all that waits.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from alerts.grouping import GROUP_SPAN
from server.web.views.groups import PRIORITY_ORDER

FASTEST = 2  # of `pace`
_HIGH = PRIORITY_ORDER.index("high")
WAITING, TAKEN = 11, 21  # of a place, with the rank added: two digits also for a priority that we do not know
_DIGITS = 2
END = "!"  # of a moment, whose second may have parts: it sorts before the point and the digits of those
IDLE, WAITS, ALONE, ALONE_WAITS = "0", "1", "2", "3"  # marks; alone: a question about a value
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Standing(NamedTuple):
    """A patient's open alerts as far as they sort and filter, put together by the database (`web.standing`).

    An alert's place is WAITING or TAKEN with its rank added. `first`: of the least place the oldest alert, as a
    text: the place, the moment it was raised at, END, its id. `fastest`: of the least place the fastest pace: ten times
    the place and FASTEST less the pace. `met`: when each was raised, END, its mark; commas between.
    """

    patient_id: str
    first: str
    fastest: int
    met: str
    is_meant: int  # 1: one of the alerts is as asked for
    condition: int  # 1: one of them is not over


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


class Row(NamedTuple):
    """One patient of the list; `key` sorts as the urgency does."""

    key: tuple[int, str]
    patient: str
    waiting: int  # groups of alerts that wait
    is_meant: bool
    condition: bool

    @property
    def urgency(self) -> Urgency:
        """Where the patient stands."""
        fastest, first = self.key
        place, calm = divmod(fastest, 10)
        is_taken = place >= TAKEN - 1
        moment, _, alert = first[_DIGITS:].partition(END)
        since = (datetime.fromisoformat(moment).replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
        return Urgency(is_taken, place - (TAKEN if is_taken else WAITING), calm, since, alert)

    @property
    def is_taken(self) -> bool:
        """Whether nothing of the patient waits."""
        return self.key[0] >= 10 * (TAKEN - 1)

    @property
    def is_urgent(self) -> bool:
        """Whether somebody must come at once."""
        return self.key[0] < 10 * (WAITING + _HIGH + 1)


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
        return sum(row.is_urgent for row in self.rows)


def board(standing: Iterable[Standing]) -> Board:
    """The list of these patients."""
    rows = [
        Row((fastest, first), patient, _groups(met), is_meant > 0, condition > 0)
        for patient, first, fastest, met, is_meant, condition in standing
    ]
    return Board(rows=tuple(sorted(rows)))


@lru_cache(maxsize=8192)  # patients: most of them have met what they had met a moment ago
def _groups(met: str) -> int:
    """How many groups wait, as `groups.grouped` groups alerts: within half an hour of the first; a question alone."""
    found, ends, is_counted = 0, _EPOCH.replace(tzinfo=None), False
    for each in sorted(met.split(",")):
        if each[-1] in (ALONE, ALONE_WAITS):
            found += each[-1] == ALONE_WAITS
            continue
        raised_at = datetime.fromisoformat(each[:-2])
        if raised_at > ends:
            ends, is_counted = raised_at + GROUP_SPAN, False
        if not is_counted and each[-1] == WAITS:
            found, is_counted = found + 1, True
    return found
