"""Alerts one by one, and each patient's as the one row that the database makes of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from alerts.raising import QUARANTINED
from server.web.views.board import ALONE, ALONE_WAITS, END, FASTEST, IDLE, TAKEN, WAITING, WAITS, Standing
from server.web.views.chosen import MISSING, SYMPTOMS, Chosen
from server.web.views.groups import rank, waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """An open alert as far as it sorts and filters."""

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


def kind_of(rule: str) -> str:
    """What an alert is about."""
    if rule == QUARANTINED:
        return "unlikely"
    if rule.startswith(MISSING):
        return "missing"
    return "symptom" if rule.startswith(SYMPTOMS) else "value"


def gathered(alerts: Iterable[Open], now: datetime, chosen: Chosen | None = None, reader: str = "") -> list[Standing]:
    """What `web.standing` asks the database for, worked out alert by alert."""
    by_patient = groupby(sorted(alerts, key=lambda each: each.patient_id), key=lambda each: each.patient_id)
    return [_of_one(patient, list(own), now, chosen or Chosen(), reader) for patient, own in by_patient]


def _of_one(patient: str, own: list[Open], now: datetime, chosen: Chosen, reader: str) -> Standing:
    def place(alert: Open) -> int:
        return (WAITING if waits(alert, now) else TAKEN) + rank(alert.priority)

    def met(alert: Open) -> str:
        return f"{alert.raised_at:%Y-%m-%d %H:%M:%S.%f}{END}"

    def is_meant(alert: Open) -> bool:
        return (
            chosen.priority in ("", alert.priority)
            and chosen.kind in ("", kind_of(alert.rule))
            and (not chosen.whose or alert.owner == reader)
        )

    def mark(alert: Open) -> str:
        if alert.rule == QUARANTINED:
            return ALONE_WAITS if waits(alert, now) else ALONE
        return WAITS if waits(alert, now) else IDLE

    return Standing(
        patient_id=patient,
        first=min(f"{place(each)}{met(each)}{each.id}" for each in own),
        fastest=min(place(each) * 10 + FASTEST - each.pace for each in own),
        met=",".join(sorted(f"{met(each)}{mark(each)}" for each in own)),
        is_meant=int(any(is_meant(each) for each in own)),
        condition=int(any(each.condition for each in own)),
    )
