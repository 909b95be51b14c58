"""What a reader chose to see of the worklist, and its address: words of ours only, never a name or a number. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Self
from urllib.parse import parse_qsl, urlencode

from alerts.raising import QUARANTINED
from server.web.views.board import Row, Standing, Urgency, place
from server.web.views.groups import PRIORITY_ORDER

ZONE_ORDER = ("red", "yellow", "blue", "unknown", "green")
KINDS = ("value", "symptom", "missing", "unlikely")
_SYMPTOMS = ("symptom_", "cat_")
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

    def keeps(self, row: Row, alerts: Sequence[Standing], reader: str) -> bool:
        """Whether a patient is shown: one of the alerts is as asked for. Of a patient who is, all alerts are shown."""
        if self.state and row.urgency.is_taken != (self.state == "taken"):
            return False
        return any(self._is_meant(each, reader) for each in alerts)

    def _is_meant(self, alert: Standing, reader: str) -> bool:
        return (
            self.priority in ("", alert.priority)
            and self.kind in ("", kind_of(alert.rule))
            and (not self.whose or alert.owner == reader)
        )


def kind_of(rule: str) -> str:
    """What an alert is about: a value, a symptom, a measurement that is missing, or a value that is hard to believe."""
    if rule == QUARANTINED:
        return "unlikely"
    if rule.startswith("missing_"):
        return "missing"
    return "symptom" if rule.startswith(_SYMPTOMS) else "value"


def from_query(text: str) -> tuple[Chosen, Urgency | None]:
    """What was chosen and the place to go on from, of the end of an address."""
    asked = dict(parse_qsl(text[:2000]))
    return Chosen.read(asked), place(asked.get("after"))


def page(rows: Sequence[Row], after: Urgency | None, size: int) -> tuple[int, Collection[Row]]:
    """How many stand before the page, and the patients on it: those after that place, also when it is empty now."""
    before = 0 if after is None else sum(row.urgency <= after for row in rows)
    return before, rows[before : before + size]
