"""What a reader chose to see of the worklist, and its address: words of ours only, never a name or a number. Pure."""

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Self
from urllib.parse import parse_qsl, urlencode

from server.web.views.board import Row, Urgency, place
from server.web.views.groups import PRIORITY_ORDER

ZONE_ORDER = ("red", "yellow", "blue", "unknown", "green")
KINDS = ("value", "symptom", "missing", "unlikely")
# How rules about these are called; any other but a question about a value is about a value.
MISSING = "missing_"
SYMPTOMS = ("symptom_", "cat_")
CHOICES: Mapping[str, tuple[str, ...]] = {
    "whose": ("mine",),
    "state": ("waiting", "taken"),
    "priority": PRIORITY_ORDER,
    "kind": KINDS,
    "zone": ZONE_ORDER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """One word for each thing that can be chosen; empty: everything."""

    whose: str = ""
    state: str = ""
    priority: str = ""
    kind: str = ""
    zone: str = ""

    @classmethod
    def read(cls, asked: Mapping[str, str]) -> Self:
        """What an address asks for; what we do not know is left out."""
        return cls(**{name: asked[name] for name, words in CHOICES.items() if asked.get(name) in words})

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return not any(getattr(self, each.name) for each in fields(self))

    @property
    def is_of_alerts(self) -> bool:
        """Whether an alert must be as asked for."""
        return any((self.whose, self.priority, self.kind))

    @property
    def is_sifted(self) -> bool:
        """Whether more is left out than other people's patients."""
        return any((self.state, self.priority, self.kind, self.zone))

    def of_whom(self, whose: str) -> Self:
        """The same of these patients."""
        return replace(self, whose=whose)

    def of_zone(self, zone: str) -> Self:
        """The same of this zone; of all zones when it is this one already."""
        return replace(self, zone="" if self.zone == zone else zone)

    def only_whose(self) -> Self:
        """Everything of the same patients."""
        return type(self)(whose=self.whose)

    def query(self, after: Urgency | None = None) -> str:
        """The end of an address that shows this from that place on; empty for the whole list's beginning."""
        said = {each.name: getattr(self, each.name) for each in fields(self)} | {"after": str(after or "")}
        text = urlencode({name: word for name, word in said.items() if word})
        return f"?{text}" if text else ""

    def keeps(self, row: Row) -> bool:
        """Whether a patient is shown: one of the alerts is as asked for. Of a patient who is, all alerts are shown."""
        return row.is_meant and (not self.state or row.is_taken == (self.state == "taken"))


def from_query(text: str) -> tuple[Chosen, Urgency | None]:
    """What was chosen and the place to go on from, of the end of an address."""
    asked = dict(parse_qsl(text[:2000]))
    return Chosen.read(asked), place(asked.get("after"))


def page(rows: Sequence[Row], after: Urgency | None, size: int) -> tuple[int, Collection[Row]]:
    """How many stand before the page, and the patients on it: those after that place, also when it is empty now."""
    before = 0 if after is None else bisect_right(rows, after, key=attrgetter("urgency"))
    return before, rows[before : before + size]
