"""When a connection began, for the identity of records that carry neither number nor time.

After a cut link a device sends again what was not confirmed. So a connection that follows a cut one within a minute
counts as its continuation and inherits its start; after an orderly end a new connection is a new beginning. A session
that never ended was cut, too: by whatever ended this process.
"""

from datetime import UTC, datetime, timedelta

from gateway.radio import Session, SessionState
from gateway.spool import Spool
from vitals.reading import ReadingId

# Real time, whatever speed the given clock runs at: the devices' retries do not run faster in a demonstration.
RESEND_WITHIN = timedelta(seconds=60)


class Sessions:
    """The last session of every device, in the spool's file so that it survives a kill."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def start_of(self, session: Session, real_now: datetime) -> datetime:
        """When `session`, or the cut one that it continues, began (given clock). The first call opens it.

        Raises `SpoolFull` or `SpoolBroken` when that could not be written down.
        """
        row = self._spool.database.execute(
            "SELECT id, start, seen, state FROM session WHERE device = ?", (session.device,)
        ).fetchone()
        start = session.opened_at
        if row is not None:
            known, stored, seen, state = row
            if known == session.id:
                return datetime.fromisoformat(stored)
            # A clock without battery may have been set back while the gateway restarted: hence abs.
            if state != SessionState.ENDED and abs(real_now - datetime.fromisoformat(seen)) <= RESEND_WITHIN:
                start = datetime.fromisoformat(stored)
        with self._spool.writing() as database:
            if row is not None and row[3] == SessionState.ENDED:  # everything it said was confirmed
                database.execute("DELETE FROM said WHERE device = ?", (session.device,))
            database.execute(
                "INSERT OR REPLACE INTO session (device, id, start, seen, state) VALUES (?, ?, ?, ?, ?)",
                (session.device, session.id, _text(start), _text(real_now), SessionState.OPEN.value),
            )
        return start

    def contacts(self) -> dict[str, datetime]:
        """When the last session of each device began (given clock): what is known of contact after a restart."""
        rows = self._spool.database.execute("SELECT device, start FROM session").fetchall()
        return {device: datetime.fromisoformat(start) for device, start in rows}

    def said(self, device: str, record: str) -> ReadingId | None:
        """The id under which `device`'s `record` was kept since its last orderly end."""
        row = self._spool.database.execute(
            "SELECT id FROM said WHERE device = ? AND record = ?", (device, record)
        ).fetchone()
        return None if row is None else ReadingId(row[0])

    def end(self, session: Session, real_now: datetime) -> None:
        """Write down that `session` ended, and how (`session.state`)."""
        with self._spool.writing() as database:
            database.execute(
                "UPDATE session SET state = ?, seen = ? WHERE device = ? AND id = ?",
                (session.state.value, _text(real_now), session.device, session.id),
            )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
