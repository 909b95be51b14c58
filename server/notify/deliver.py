"""Takes notices out of the outbox to a channel. What fails is tried again, later each time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Row, and_, func, insert, or_, select, update

from server.db import tables
from server.notify.channels import Channel, ChannelError, Notice
from server.parts import Parts
from vitals import failpoint

_AT_ONCE = 20
_LEASE = timedelta(seconds=30)  # whoever took a notice in hand and was killed held it up for so long
_DELAY_FIRST = timedelta(seconds=5)
_ATTEMPTS_MAX = 10  # some 85 minutes of trying; by then the ladder has long told somebody else

_TEXTS = {
    "patient": "You have a new message from your follow-up service.",
    "owner": "Something that you took on in Varde waits for you.",
}
_TEXT = "Something in Varde waits for you."

_log = structlog.get_logger("varde.notify")


def deliver(parts: Parts, channel: Channel) -> int:
    """Try every notice whose time has come, one transaction each; returns how many were tried."""
    taken = _take(parts)
    if taken:
        failpoint.reach("notify.taken")
    for row in taken:
        _attempt(parts, channel, row)
    return len(taken)


def _take(parts: Parts) -> Sequence[Row[Any]]:
    """Take some notices in hand: no other process tries them meanwhile, and a crash gives them back."""
    outbox, now = tables.outbox, parts.wall.now()
    ready = and_(outbox.c.state == "waiting", or_(outbox.c.send_at.is_(None), outbox.c.send_at <= now))
    with parts.database.read() as connection:
        if connection.execute(select(outbox.c.seq).where(ready).limit(1)).first() is None:
            return ()
    with parts.database.write() as connection:
        oldest = select(outbox).where(ready).order_by(outbox.c.seq).limit(_AT_ONCE)
        taken = connection.execute(oldest.with_for_update(skip_locked=True)).all()
        ours = outbox.c.seq.in_([row.seq for row in taken])
        connection.execute(update(outbox).where(ours).values(send_at=now + _LEASE))
    return taken


def _attempt(parts: Parts, channel: Channel, row: Row[Any]) -> None:
    reason = None
    try:
        channel.send(Notice(number=row.seq, to=row.to, text=_TEXTS.get(row.to, _TEXT)))
    except ChannelError as error:
        reason = str(error)
    except Exception as error:  # noqa: BLE001 - a fault in one delivery must not hold up the notices behind it
        _log.error("channel failed", channel=channel.name, number=row.seq, exc_info=error)
        reason = type(error).__name__  # its text may hold an address
    failpoint.reach("notify.sent")
    outcome = "sent" if reason is None else "failed"
    tried = {
        "municipality_id": row.municipality_id,
        "outbox_seq": row.seq,
        "channel": channel.name,
        "at": parts.clock.now(),
        "outcome": outcome,
        "reason": reason,
    }
    with parts.database.write() as connection:
        connection.execute(insert(tables.attempt).values(tried))
        changed = {"state": "sent"} if reason is None else _after_failure(connection, row.seq, parts.wall.now())
        connection.execute(update(tables.outbox).where(tables.outbox.c.seq == row.seq).values(**changed))
        failpoint.reach("notify.noted")
    failpoint.reach("notify.done")
    parts.metrics.notices.labels(channel.name, outcome).inc()


def _after_failure(connection: Connection, seq: int, real_now: datetime) -> dict[str, Any]:
    attempt = tables.attempt
    times = connection.execute(select(func.count()).where(attempt.c.outbox_seq == seq)).scalar_one()
    if times >= _ATTEMPTS_MAX:
        return {"state": "failed"}
    return {"send_at": real_now + _DELAY_FIRST * (1 << (times - 1))}
