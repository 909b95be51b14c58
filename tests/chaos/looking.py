"""Looks on while an episode lasts: what is stored, who is back after a kill, what still waits."""

import asyncio
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from sqlalchemy import func, or_, select
from sqlalchemy.exc import SQLAlchemyError

from server.db import tables
from server.db.engine import Database
from tests.chaos.homes import Home
from tests.chaos.parts import Kind
from tests.chaos.told import Told
from vitals.clock import SystemClock

_LOOK_S = 0.25


@dataclass(kw_only=True)
class Back:
    """Somebody who was killed and has not been heard of since."""

    kind: Kind
    killed_at: float
    home: Home | None = None
    waiting: int = 0
    started_at: float | None = None


class Looking:
    """Watches the database at `address` while an episode lasts."""

    def __init__(self, address: str, told: Told) -> None:
        self._database = Database(address)
        self._told = told
        self.killed: list[Back] = []

    def close(self) -> None:
        """Give the connections back."""
        self._database.close()

    async def run(self) -> None:
        """Note when something new was stored, and who is back, until cancelled."""
        newest, changed_at = 0, monotonic()
        while True:
            await asyncio.sleep(_LOOK_S)
            seq, now = await asyncio.to_thread(self._newest), monotonic()
            if seq is not None and seq > newest:
                self._told.silence_s = round(max(self._told.silence_s, now - changed_at), 2)
                newest, changed_at = seq, now
            self._note_back(now, stored_at=changed_at)

    def _newest(self) -> int | None:
        try:
            with self._database.read() as connection:
                return connection.execute(select(func.max(tables.reading.c.seq))).scalar()
        except SQLAlchemyError:
            return None

    def _note_back(self, now: float, stored_at: float) -> None:
        for back in list(self.killed):
            if back.started_at is None:
                continue
            heard = back.home.waiting < back.waiting if back.home else stored_at > back.started_at
            if heard:
                self._told.back_s.setdefault(back.kind, []).append(round(now - back.killed_at, 2))
            if heard or (back.home is not None and not back.home.waiting):
                self.killed.remove(back)

    def waits(self) -> str | None:
        """What the server has still to do, in words; None when there is nothing."""
        reading, due, outbox = tables.reading.c, tables.due.c, tables.outbox.c
        claimed, unseen = reading.patient_id.is_not(None), reading.evaluation_seq.is_(None)
        unjudged = select(func.count()).where(claimed, unseen, reading.quiet.is_(False))
        late = select(func.count()).where(due.evaluate_at <= SystemClock().now())
        untold = select(func.count()).where(or_(outbox.state == "waiting", outbox.state == "failed"))
        try:
            with self._database.read() as connection:
                for what, asked in (("readings to judge", unjudged), ("patients due", late), ("notices", untold)):
                    if count := connection.execute(asked).scalar_one():
                        return f"{count} {what}"
        except SQLAlchemyError as error:
            return type(error).__name__
        return None


def told_notices(logs: Iterable[Path]) -> Iterator[int]:
    """The numbers of the outbox's notices that the channel wrote."""
    for log in logs:
        for line in log.read_text(errors="replace").splitlines():
            if '"event": "notice"' in line:
                try:
                    said = json.loads(line)
                except ValueError:  # whoever wrote it was killed while writing
                    continue
                if said.get("logger") == "varde.notify" and said["number"]:
                    yield said["number"]
