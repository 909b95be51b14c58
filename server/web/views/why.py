"""Why an alert is there, as a template can show it. Pages must survive a mapping that they do not know."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from server.web.views import banded
from server.web.views.banded import Banded
from server.web.views.counted import Counted, number
from server.web.views.counted import read as read_counted
from server.web.words import terms
from vitals.reading import Extreme


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The reasons of one alert; times are aware.

    `notice` names the templates that say it: to the nurse (`notices/`), what would have been quiet (`quiet/`), and to
    the patient (`plain/`).
    """

    notice: str
    rule: str | None
    rulebook: str | None
    rulebook_version: str | None
    metric: str | None
    value: Decimal | Extreme | None
    limit: Decimal | None
    side: str | None
    set_by: str | None  # plan | rulebook
    plan_version: int | None
    device: str | None
    reading_id: str | None
    taken_at: datetime | None
    received_at: datetime | None
    evaluated_at: datetime | None
    quiet_at: Decimal | None
    slot_start: datetime | None
    overdue_since: datetime | None
    last_good_at: datetime | None
    row: int | None
    cause: str | None
    is_poor: bool
    newest: Decimal | Extreme | None  # beyond the limit too, measured after what raised the alert
    newest_at: datetime | None
    counted: Counted | None  # of a rule that counts several readings
    banded: Banded

    @property
    def is_answer(self) -> bool:
        """Whether the value answers a question rather than counts something."""
        return self.metric in terms.ANSWERS

    @property
    def is_extreme(self) -> bool:
        """Whether the device could put no number to it."""
        return isinstance(self.value, Extreme)


def read(why: Mapping[str, Any], cause: str | None = None) -> Why:
    """The reasons in a mapping written by the rules; what is missing there is None here."""
    newest = why["newest"] if isinstance(why.get("newest"), Mapping) else {}
    value, taken_at = _value(why.get("value")), moment(why.get("taken_at"))
    counted = read_counted(why)
    limit = number(why.get("limit"))
    if counted is None:
        limit = banded.standing(_text(why.get("metric")), limit, _text(why.get("side")))
    if counted is not None and counted.kind in ("trend", "compound"):
        limit = None  # of what moved, not of the value: shown by its own sentence only
    return Why(
        notice=_notice(why, counted, complete=None not in (value, limit, taken_at)),
        rule=_text(why.get("rule")),
        rulebook=_text(why.get("rulebook")),
        rulebook_version=_text(why.get("rulebook_version")),
        metric=_text(why.get("metric")),
        value=value,
        limit=limit,
        side=_text(why.get("side")),
        set_by=_text(why.get("limit_set_by")),
        plan_version=why["plan_version"] if isinstance(why.get("plan_version"), int) else None,
        device=_text(why.get("device")),
        reading_id=_text(why.get("reading_id")),
        taken_at=taken_at,
        received_at=moment(why.get("received_at")),
        evaluated_at=moment(why.get("evaluated_at")),
        quiet_at=None if counted is not None and counted.kind == "compound" else number(why.get("quiet_at")),
        slot_start=moment(why.get("slot_start")),
        overdue_since=moment(why.get("overdue_since")),
        last_good_at=moment(why.get("last_good_at")),
        row=why["missed_in_a_row"] if isinstance(why.get("missed_in_a_row"), int) else None,
        cause=cause or _text(why.get("cause")),
        is_poor=why.get("quality") == "poor",
        newest=_value(newest.get("value")),
        newest_at=moment(newest.get("taken_at")),
        counted=counted,
        banded=banded.read(why),
    )


def moment(text: object) -> datetime | None:
    """An ISO time with its zone, or None."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found and found.tzinfo else None


def _notice(why: Mapping[str, Any], counted: Counted | None, *, complete: bool) -> str:
    if counted is not None:
        whole = why.get("value") is not None and moment(why.get("taken_at")) is not None
        return counted.kind if whole else "other"
    if "slot_start" in why:
        return "missing"
    if why.get("rule") == "quarantined":
        return "quarantined"
    return "threshold" if complete else "other"


def _text(value: object) -> str | None:
    return None if value is None or value == "" else str(value)


def _value(value: object) -> Decimal | Extreme | None:
    return Extreme(value) if isinstance(value, str) and value in set(Extreme) else number(value)
