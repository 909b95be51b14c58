"""Looks on after every turn of the server: what must never be wrong, not even for a moment."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

# Minutes after the alert became urgent, and how often the last step repeats: written down once more, not imported.
_STEPS: Mapping[str, tuple[tuple[int, ...], int | None]] = {
    "high": ((0, 5, 10, 15, 30, 45), 15),
    "critical": ((0, 0, 5, 15), 15),
    "kept": ((60, 120), None),
}
# What can be said of an alert without its ladder beginning anew.
_GOES_ON = ("notice", "evidence", "incident", "advice", "zone", "snoozed")
_SLATE = "SELECT patient_id, evaluate_at, failures, trouble FROM due"
_ASKED = "SELECT patient_id, count(*) FROM evaluation GROUP BY patient_id"
_WAITING = """SELECT patient_id, min(received_at) FROM reading
    WHERE patient_id IS NOT NULL AND evaluation_seq IS NULL AND NOT quiet GROUP BY patient_id"""
_LET_WAIT = """SELECT DISTINCT patient_id FROM reading WHERE quiet AND evaluation_seq IS NULL
    AND patient_id NOT IN (SELECT patient_id FROM due)"""
_OPEN = """SELECT alert.id, alert.state, alert.body, memory.updated_at FROM alert
    JOIN memory ON memory.patient_id = alert.patient_id WHERE alert.state IN ('active', 'acknowledged')"""
_NOTICE = "SELECT min(coalesce(send_at, created_at)) FROM outbox WHERE state = 'waiting'"
_BEGAN = f"SELECT at FROM fact WHERE alert_id = ? AND kind NOT IN {_GOES_ON}"


class Watcher:
    """Remembers the slate as it last was; `wrong` is what was seen, in words."""

    def __init__(self, path: Path) -> None:
        self._raw = sqlite3.connect(path, isolation_level=None)  # only what is committed is seen from here
        self._slate: dict[str, tuple[str, int]] = {}  # patient -> due at, evaluations by then
        self.waits = False  # a reading for the rules, or a notice for a channel
        self.wrong: list[str] = []

    def close(self) -> None:
        self._raw.close()

    def look(self) -> Mapping[str, datetime]:
        """After a turn of the server; when which of its loops has something to do."""
        raw = self._raw
        raw.execute("BEGIN")
        slate = {row[0]: row[1:] for row in raw.execute(_SLATE)}
        asked = dict(raw.execute(_ASKED).fetchall())
        waiting = raw.execute(_WAITING).fetchall()
        forgotten = raw.execute(_LET_WAIT).fetchall()
        ladders = [row for row in raw.execute(_OPEN) if json.loads(row[2]).get("ladder")]
        began = {row[0]: {_time(at) for (at,) in raw.execute(_BEGAN, (row[0],))} for row in ladders}
        notice = raw.execute(_NOTICE).fetchone()[0]
        raw.execute("COMMIT")
        self.waits = bool(waiting) or notice is not None
        self._nobody_is_forgotten(slate, asked, waiting)
        self.wrong += [f"a quiet reading of {patient} waits for nothing" for (patient,) in forgotten]
        for name, state, body, evaluated in ladders:
            self._ladder_is_on_time(name, (state, json.loads(body)), _time(evaluated), began[name])
        due = min((row[0] for row in slate.values()), default=None)
        return {loop: _time(at) for loop, at in (("watch", due), ("notify", notice)) if at is not None}

    def missing(self, gateway: str, ids: Sequence[str]) -> set[str]:
        """Which of these readings are not committed."""
        marks = ",".join("?" * len(ids))
        found = self._raw.execute(f"SELECT id FROM reading WHERE gateway_id = ? AND id IN ({marks})", (gateway, *ids))
        return set(ids) - {row[0] for row in found}

    def _nobody_is_forgotten(self, slate: Any, asked: Mapping[str, int], waiting: Any) -> None:
        for patient, (due, failures, trouble) in slate.items():
            if trouble not in (None, "OperationalError"):
                self.wrong.append(f"{patient} could not be judged: {trouble}")
            before, times = self._slate.get(patient, (due, -1))
            if times == asked.get(patient, 0) and due > before and not failures:
                self.wrong.append(f"{patient} was due at {before}, is now at {due}, and nobody judged")
            self._slate[patient] = (due, asked.get(patient, 0))
        for patient in set(self._slate) - set(slate):
            if self._slate.pop(patient)[1] == asked.get(patient, 0):
                self.wrong.append(f"{patient} fell off the slate, and nobody judged")
        for patient, since in waiting:
            due, failures, _ = slate.get(patient, ("9999", 0, None))
            if due > since and not failures:
                self.wrong.append(f"a reading of {patient} waits since {since} and is asked about at {due}")

    def _ladder_is_on_time(self, name: str, told: Any, evaluated: datetime, began: set[datetime]) -> None:
        state, body = told
        ladder = body["ladder"]
        if ladder["name"] not in _STEPS or (ladder["name"] == "kept") != (state == "acknowledged"):
            return
        started = datetime.fromisoformat(ladder["started_at"])
        if started not in began:
            self.wrong.append(f"the ladder of {name} counts from {started}, when nothing began")
        snoozed = body.get("snoozed_until")
        if (snoozed and datetime.fromisoformat(snoozed) > evaluated) or body.get("dispatch") == "accepted":
            return
        done, expected = ladder.get("done", 0), _steps(ladder["name"], evaluated - started)
        if done != expected:
            self.wrong.append(
                f"the ladder of {name} began {started} and made {done} of {expected} steps by {evaluated}"
            )


def _steps(name: str, passed: timedelta) -> int:
    minutes, again = _STEPS[name]
    steps = sum(timedelta(minutes=each) <= passed for each in minutes)
    more = passed - timedelta(minutes=minutes[-1])
    return steps + (more // timedelta(minutes=again) if again and more > timedelta(0) else 0)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")
