"""What a channel says became of a message: delivered, read, accepted, refused. Believed by the message's own secret.

A secret belongs to one message, is good for a day, and is spent with the last word. Whoever asks with another one is
told nothing, not even that it was wrong in which way.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, select, update

from server.db import tables
from server.notify.book import digest

GOOD_FOR = timedelta(days=1)


class Word(StrEnum):
    """What can be said of a message, in the order in which it happens."""

    DELIVERED = "delivered"  # the device has it
    READ = "read"
    ACCEPTED = "accepted"  # whoever got it said yes; who has the alert is still only said in Varde
    REFUSED = "refused"  # whoever got it said no, or it could not be delivered after all: the next role is told


_RANK = {"waiting": 0, "sent": 1, Word.DELIVERED: 2, Word.READ: 3, Word.ACCEPTED: 4, Word.REFUSED: 4}
_LAST = frozenset({Word.ACCEPTED, Word.REFUSED})


def hear(connection: Connection, secret: str, word: Word, now: datetime) -> bool:
    """Note it; False for a secret that is unknown, spent or too old. The same word again, or an earlier one, changes
    nothing."""
    table = tables.delivery
    found = connection.execute(select(table).where(table.c.receipt_digest == digest(secret))).first()
    if found is None or now - found.created_at > GOOD_FOR or found.state not in _RANK:
        return False
    if _RANK[word] <= _RANK[found.state]:
        return True
    changed: dict[str, Any] = {"state": word.value, "next_at": None, "receipt_at": now}
    if word in _LAST:
        changed |= {"receipt": None, "receipt_digest": None}
    connection.execute(update(table).where(table.c.id == found.id).values(**changed))
    if word is Word.REFUSED:
        outbox = tables.outbox
        again = update(outbox).where(outbox.c.seq == found.outbox_seq, outbox.c.taken_at.is_(None))
        connection.execute(again.values(state="waiting", send_at=None))
    return True
