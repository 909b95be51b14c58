"""What people ask of gateways, on its way: published after its COMMIT, again and again until the gateway answers.

A gateway that is away hears nothing, and the broker keeps nothing for it: its session is clean. So what has no outcome
is sent again as long as it is worth obeying; the gateway obeys each id once. Its status says what became of it.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import structlog
from sqlalchemy import Connection, or_, select, update

from server.db import tables
from server.parts import Parts
from vitals.reading import GatewayId
from vitals.seal import seal
from vitals.topics import Lane, topic

EVERY_SECONDS = 1.0  # how soon a click is on its way
AGAIN_SECONDS = 10.0  # of real time, like every retry
UNANSWERED = "unanswered"  # its time is over and the gateway has said nothing; should it say something yet, it counts

_log = structlog.get_logger("varde.ingest")


def note(connection: Connection, gateway: GatewayId, outcomes: Mapping[str, str], now: datetime) -> None:
    """Write down what a gateway says of commands of its own that have no outcome yet."""
    if not outcomes:
        return
    table = tables.gateway_command.c
    mine = (table.gateway_id == gateway, or_(table.outcome.is_(None), table.outcome == UNANSWERED))
    asked = select(table.id).where(*mine, table.id.in_(list(outcomes))).order_by(table.id)
    for each in connection.execute(asked).scalars().all():
        outcome = "".join(letter if letter.isprintable() else "?" for letter in outcomes[each])
        known = {"outcome": outcome, "told_at": now, "body": None}  # the passkey in it is nobody's any more
        connection.execute(update(tables.gateway_command).where(table.id == each).values(known))


class Commands:
    """Sends what waits; one for each process that is connected to the broker. Two that send the same do no harm."""

    def __init__(self, parts: Parts, publish: Callable[[str, bytes], None]) -> None:
        self._parts, self._publish = parts, publish
        self._looked = float("-inf")
        self._sent: dict[str, float] = {}

    def send(self) -> int:
        """Publish what is new or unanswered, and close what nobody may obey any more; returns how many were sent."""
        moment = time.monotonic()
        if moment - self._looked < EVERY_SECONDS:
            return 0
        self._looked = moment
        table, gateway = tables.gateway_command, tables.gateway
        waiting = (
            select(table.c.id, table.c.gateway_id, table.c.body, table.c.expires_at, gateway.c.key)
            .join(gateway, gateway.c.id == table.c.gateway_id)
            .where(table.c.outcome.is_(None), gateway.c.active)
            .order_by(table.c.asked_at, table.c.id)
        )
        with self._parts.database.read() as connection:
            rows = connection.execute(waiting).all()
        now = self._parts.clock.now()
        self._expire([row.id for row in rows if row.expires_at <= now], now)
        alive = [row for row in rows if row.expires_at > now and row.body is not None]
        due = [row for row in alive if moment - self._sent.get(row.id, float("-inf")) >= AGAIN_SECONDS]
        self._sent = {row.id: self._sent.get(row.id, float("-inf")) for row in alive}
        for row in due:
            where = topic(GatewayId(row.gateway_id), Lane.COMMANDS)
            key = bytes.fromhex(self._parts.vault.open(row.key))
            self._publish(where, seal(key, where, self._parts.vault.open(row.body).encode()))
            if self._sent[row.id] == float("-inf"):
                _log.info("command sent", gateway=row.gateway_id, command=row.id)
            self._sent[row.id] = moment
        return len(due)

    def _expire(self, ids: Iterable[str], now: datetime) -> None:
        late = sorted(ids)
        if not late:
            return
        table = tables.gateway_command
        known = {"outcome": UNANSWERED, "told_at": now, "body": None}
        with self._parts.database.write() as connection:  # unless it answered meanwhile
            still = table.c.id.in_(late) & table.c.outcome.is_(None)
            connection.execute(update(table).where(still).values(known))
        self._parts.changed.ring()
