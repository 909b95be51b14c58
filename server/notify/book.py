"""What the database knows of notices: which are due, who was told by what, and what is to be tried next.

The row of the outbox is a step of the ladder; a row of `delivery` is one recipient of it, with one message id; a row of
`attempt` is one try. Times of tries are real, also where the installation lives on a fast clock.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import structlog
from sqlalchemy import Connection, Row, and_, insert, or_, select, update
from sqlalchemy.exc import DBAPIError

from alerts.escalation import LEVELS
from alerts.fact import Role
from alerts.priority import Priority
from server.care import routing
from server.care.reaching import Kind, Reach, channels_of
from server.db import tables
from server.notify import course
from server.notify.channels import Channel, Channels, Notice, Receipt
from server.notify.recipients import Recipient, Step, is_closed, recipients
from server.notify.subjects import MESSAGES, is_over, step_of, subject_of, topic_of
from server.notify.texts import LANGUAGES, text, text_for_all
from server.parts import Parts
from server.vault import VaultError
from vitals import failpoint

RECEIPTS = "/notices/receipts"
_AT_ONCE = 20
_QUIET = timedelta(minutes=1)  # how soon it is asked again whether the service has opened
_REACHED = frozenset({"sent", "delivered", "read", "accepted"})

_log = structlog.get_logger("varde.notify")


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One message to one recipient, by one channel of theirs."""

    delivery: str
    notice: Notice
    channel: Channel
    tries: int  # before this one
    channels: int  # that the recipient has


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a try; `reason` is None when it was taken."""

    tried: Try
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A notice that this process has in hand, and what is to be tried now."""

    row: Row[Any]
    step: Step
    tries: tuple[Try, ...]


@dataclass(frozen=True, slots=True)
class Book:
    """The outbox and all that hangs on it."""

    parts: Parts
    channels: Channels

    def take(self, lease: timedelta) -> Sequence[Job]:
        """Take some notices in hand: no other process tries them meanwhile, and a crash gives them back."""
        outbox, wall = tables.outbox, self.parts.wall.now()
        ready = and_(outbox.c.state == "waiting", or_(outbox.c.send_at.is_(None), outbox.c.send_at <= wall))
        with self.parts.database.read() as connection:
            if connection.execute(select(outbox.c.seq).where(ready).limit(1)).first() is None:
                return ()
        with self.parts.database.write() as connection:
            oldest = select(outbox).where(ready).order_by(outbox.c.seq).limit(_AT_ONCE)
            taken = connection.execute(oldest.with_for_update(skip_locked=True)).all()
            ours = outbox.c.seq.in_([row.seq for row in taken])
            connection.execute(update(outbox).where(ours).values(send_at=wall + lease, taken_at=wall))
            return [job for row in taken if (job := self._job(connection, row, wall)) is not None]

    def give_back(self, jobs: Sequence[Job]) -> None:
        """These have not been tried, and may be taken at once."""
        table = tables.outbox
        ours = table.c.seq.in_([job.row.seq for job in jobs])
        with self.parts.database.write() as connection:
            connection.execute(update(table).where(ours).values(send_at=None, taken_at=None))

    def note(self, job: Job, outcomes: Sequence[Outcome]) -> None:
        """Write down what came of it, and what is to be done next."""
        now, wall = self.parts.clock.now(), self.parts.wall.now()
        with self.parts.database.write() as connection:
            for each in outcomes:
                row = self._attempt(job.row, each.tried.delivery, each.tried.channel.name)
                outcome = "sent" if each.reason is None else "failed"
                tried = row | {"at": now, "outcome": outcome, "reason": each.reason}
                connection.execute(insert(tables.attempt).values(tried))
                _change(connection, each.tried.delivery, self._after(each, wall))
            self._settle(connection, job, wall)
            failpoint.reach("notify.noted")

    def _job(self, connection: Connection, row: Row[Any], wall: datetime) -> Job | None:
        try:
            return self._prepared(connection, row, wall)
        except DBAPIError:
            raise
        except Exception as error:  # noqa: BLE001 - a fault in one notice must not hold up those behind it
            _log.error("notice cannot be told", number=row.seq, error=type(error).__name__)
            return None

    def _prepared(self, connection: Connection, row: Row[Any], wall: datetime) -> Job | None:
        """What is to be tried now of a notice; None when it rests."""
        step = step_of(connection, row, self.parts.clock.now())
        if step.to is not Role.PATIENT and self._is_quiet(connection, step):
            _settled(connection, row.seq, state="waiting", send_at=wall + _QUIET)
            return None
        known = _deliveries(connection, row.seq)
        if not known:
            self._add(connection, row, step, ())
        elif row.taken_at is not None:
            self._note_interrupted(connection, row, known)
        elif any(each.tries for each in known) and is_over(connection, row):
            _drop(connection, row.seq)
        else:
            self._note_silence(connection, row, known, wall)
        due = [each for each in _deliveries(connection, row.seq) if _is_due(each, wall)]
        return Job(row=row, step=step, tries=tuple(self._try(connection, row, step, each) for each in due))

    def _settle(self, connection: Connection, job: Job, wall: datetime) -> None:
        """Go up the ladder where nobody was reached; then the notice waits for its next try, or is done."""
        known = _deliveries(connection, job.row.seq)
        if _nobody_reached(known, lambda each: self._reaches(connection, _whom(each))):
            self._add(connection, job.row, job.step, known)
            known = _deliveries(connection, job.row.seq)
        waiting = [each for each in known if each.state == "waiting" or _is_unconfirmed(each)]
        if waiting:
            _settled(connection, job.row.seq, state="waiting", send_at=min(each.next_at or wall for each in waiting))
            return
        states = {each.state for each in known}
        state = "sent" if states & _REACHED else "unneeded" if "unneeded" in states else "failed"
        _settled(connection, job.row.seq, state=state, send_at=None)

    def _is_quiet(self, connection: Connection, step: Step) -> bool:
        """Whether it can wait until the service opens: below high, nobody is woken."""
        mild = step.priority in (Priority.LOW.word, Priority.MEDIUM.word)
        return mild and step.to is not Role.OWNER and is_closed(connection, step.patient, step.now)

    def _add(self, connection: Connection, row: Row[Any], step: Step, known: Sequence[Row[Any]]) -> None:
        """Whom to tell next, each with a message of their own; who answers for another team may know of the patient."""
        if step.to is Role.PATIENT:
            found: tuple[Recipient, ...] = () if known else (Recipient(role=Role.PATIENT),)
        else:
            told = [Recipient(role=Role(each.role), team=each.team_id, staff=each.staff_id) for each in known]
            found = recipients(connection, step, told, lambda each: bool(self._reaches(connection, each)))
        for each in found:
            if each.team is not None and each.team in routing.answering(connection, step.patient, step.priority):
                wanted = routing.Route(patient=step.patient, team=each.team, reason=routing.Reason.ESCALATED)
                routing.route(connection, wanted, step.now)
            connection.execute(insert(tables.delivery).values(self._delivery(row, each)))

    def _delivery(self, row: Row[Any], to: Recipient) -> dict[str, Any]:
        secret = secrets.token_urlsafe(24) if self.parts.settings.public_url else None
        # The same recipient of the same step is the same message, whoever wrote it down first.
        message = uuid5(NAMESPACE_URL, f"varde:{row.patient_id}:{row.seq}:{to.team}:{to.staff}")
        return {
            "id": str(message),
            "municipality_id": row.municipality_id,
            "patient_id": row.patient_id,
            "outbox_seq": row.seq,
            "team_id": to.team,
            "staff_id": to.staff,
            "role": to.role.value,
            "state": "waiting",
            "tries": 0,
            "created_at": self.parts.clock.now(),
            "receipt": None if secret is None else self.parts.vault.close(secret),
            "receipt_digest": None if secret is None else digest(secret),
        }

    def _note_interrupted(self, connection: Connection, row: Row[Any], known: Sequence[Row[Any]]) -> None:
        """Whoever had it in hand ended between sending and noting: these may have gone out."""
        for each in known:
            if not _is_due(each, row.taken_at):
                continue
            said = {"at": self.parts.clock.now(), "outcome": "unknown", "reason": "ended while sending"}
            connection.execute(insert(tables.attempt).values(self._attempt(row, each.id, "?") | said))
            ways = max(1, len(self._reaches(connection, _whom(each))))
            given_up = course.wait_after(each.tries + 1, ways) is None
            _change(connection, each.id, {"tries": each.tries + 1} | ({"state": "failed"} if given_up else {}))

    def _note_silence(self, connection: Connection, row: Row[Any], known: Sequence[Row[Any]], wall: datetime) -> None:
        """A channel took the message, and did not say in time that it was delivered: it is tried by the next one."""
        for each in known:
            if not _is_unconfirmed(each) or each.next_at > wall:
                continue
            ways = self._reaches(connection, _whom(each))
            channels = max(1, len(ways))
            used = ways[course.channel_of(each.tries - 1, channels)].kind.value if ways else "?"
            said = {"at": self.parts.clock.now(), "outcome": "silent", "reason": None}
            connection.execute(insert(tables.attempt).values(self._attempt(row, each.id, used) | said))
            tries = course.after_silence(each.tries, channels)
            state = "sent" if course.wait_after(tries, channels) is None else "waiting"
            _change(connection, each.id, {"tries": tries, "state": state, "next_at": None})

    def _attempt(self, row: Row[Any], delivery: str, channel: str) -> dict[str, Any]:
        whose = {"municipality_id": row.municipality_id, "outbox_seq": row.seq}
        return whose | {"delivery_id": delivery, "channel": channel}

    def _try(self, connection: Connection, row: Row[Any], step: Step, delivery: Row[Any]) -> Try:
        ways = self._reaches(connection, _whom(delivery))
        way = ways[course.channel_of(delivery.tries, len(ways))] if ways else None
        channel = self.channels.of(way.kind) if way else None
        return Try(
            delivery=delivery.id,
            notice=self._notice(connection, row, step, delivery, way),
            channel=channel or self.channels.last,
            tries=delivery.tries,
            channels=max(1, len(ways)),
        )

    def _notice(
        self, connection: Connection, row: Row[Any], step: Step, delivery: Row[Any], way: Reach | None
    ) -> Notice:
        settings = self.parts.settings
        base = settings.public_url
        subject = subject_of(connection, row, step, _whom(delivery))
        receipt = None
        if base is not None and delivery.receipt is not None:
            receipt = Receipt(url=base + RECEIPTS, secret=self.parts.vault.open(delivery.receipt))
        page = "/messages" if subject.to == MESSAGES else "/"
        more = page if subject.to == MESSAGES else f"/cases/{subject.case}"
        return Notice(
            id=delivery.id,
            number=row.seq,
            to=delivery.role,
            text=text(settings.notice_language, subject),
            texts={each: text_for_all(each, subject) for each in LANGUAGES},
            topic=topic_of(subject),
            priority=step.priority,
            address="" if way is None else way.address,
            browsers=() if way is None else way.browsers,
            link=None if base is None or step.to is Role.PATIENT else base + more,
            page=page,
            at=self.parts.wall.now(),
            receipt=receipt,
        )

    def _reaches(self, connection: Connection, to: Recipient) -> tuple[Reach, ...]:
        """The ways to this recipient that the installation has."""
        if to.team is None:
            return ()
        try:
            ways = channels_of(connection, self.parts.vault, to.team, to.staff)
        except VaultError:
            _log.error("an address cannot be opened", team=to.team)
            return ()
        usable = [each for each in ways if self.channels.of(each.kind) is not None]
        # A push that nobody confirms may lie on a telephone that is off, so it does not go before what wakes people.
        unsure = Kind.PUSH.value not in self.channels.confirms
        return tuple(sorted(usable, key=lambda each: unsure and each.kind is Kind.PUSH))

    def _after(self, outcome: Outcome, wall: datetime) -> Mapping[str, Any]:
        tries = outcome.tried.tries + 1
        if outcome.reason is None:
            can_confirm = outcome.tried.notice.receipt is not None
            within = self.channels.confirms.get(outcome.tried.channel.name) if can_confirm else None
            return {"state": "sent", "tries": tries, "next_at": None if within is None else wall + within}
        wait = course.wait_after(tries, outcome.tried.channels)
        if wait is None:
            return {"state": "failed", "tries": tries, "next_at": None}
        return {"tries": tries, "next_at": wall + wait}


def digest(secret: str) -> str:
    """What is stored to know a receipt's secret again."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _whom(delivery: Row[Any]) -> Recipient:
    return Recipient(role=Role(delivery.role), team=delivery.team_id, staff=delivery.staff_id)


def _deliveries(connection: Connection, outbox: int) -> Sequence[Row[Any]]:
    table = tables.delivery
    return connection.execute(
        select(table).where(table.c.outbox_seq == outbox).order_by(table.c.created_at, table.c.id)
    ).all()


def _is_due(delivery: Row[Any], wall: datetime) -> bool:
    return delivery.state == "waiting" and (delivery.next_at is None or delivery.next_at <= wall)


def _is_unconfirmed(delivery: Row[Any]) -> bool:
    """Whether its channel took it and has yet to say that it was delivered."""
    return delivery.state == "sent" and delivery.next_at is not None


def _nobody_reached(known: Sequence[Row[Any]], ways: Any) -> bool:
    """Whether everybody in the role that was told last has failed for long enough, or refused."""
    highest = max((_rank(each) for each in known), default=0)
    group = [each for each in known if _rank(each) == highest]
    return bool(group) and all(
        each.state in ("failed", "refused")
        or (each.state == "waiting" and course.goes_up(each.tries, max(1, len(ways(each)))))
        or (_is_unconfirmed(each) and course.goes_up(each.tries - 1, max(1, len(ways(each)))))
        for each in group
    )


def _rank(delivery: Row[Any]) -> int:
    """How far up the ladder its recipient was told."""
    return LEVELS.get(Role(delivery.role), 0)


def _drop(connection: Connection, outbox: int) -> None:
    table = tables.delivery
    waiting = and_(table.c.outbox_seq == outbox, table.c.state == "waiting")
    connection.execute(update(table).where(waiting).values(state="unneeded", next_at=None))
    unconfirmed = and_(table.c.outbox_seq == outbox, table.c.state == "sent")
    connection.execute(update(table).where(unconfirmed).values(next_at=None))


def _change(connection: Connection, delivery: str, values: Mapping[str, Any]) -> None:
    table = tables.delivery
    connection.execute(update(table).where(table.c.id == delivery).values(**values))


def _settled(connection: Connection, outbox: int, **values: Any) -> None:
    table = tables.outbox
    connection.execute(update(table).where(table.c.seq == outbox).values(**values, taken_at=None))
