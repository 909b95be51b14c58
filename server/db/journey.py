"""What is said to PostgreSQL in one go: all of it is sent, and then all of the answers are read (libpq's pipeline).

Past SQLAlchemy's execution and the driver's cursors, whose work on one statement takes ten times what ours does
(decision 0026). A transaction's BEGIN goes with the first thing that is said. What is told while nobody waits for its
answer goes with the next question, or with the COMMIT. Nobody but this folder knows: transactions begin and end at
`Database`, and plain statements find everything said that was told before them.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from itertools import count
from time import monotonic
from typing import Any

import psycopg
from psycopg import generators
from psycopg.abc import PQGen
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

_TRAVELLER = "varde_traveller"
_OURS = b"varde_"
_WHICH_ARE_KNOWN = b"SELECT name FROM pg_prepared_statements WHERE name LIKE 'varde\\_%'"
# A plan lasts as long again as the connection had lived when it was made: what grows steadily at most doubles in it.
_PLANS_LAST_SECONDS, _PLANS_LAST_SECONDS_MAX = 1.0, 60.0
_SHORT_BYTES = 4096  # of parameters: some hundred ids
_numbers = count()

Params = Sequence[bytes | None]  # as text, in their order


@dataclass(frozen=True, slots=True)
class Sentence:
    """A statement in the database's own words, `$1` and so on in it, and the name that a connection keeps it under."""

    text: bytes
    name: bytes


@cache
def sentence(text: str) -> Sentence:
    """The one of this text."""
    return Sentence(text.encode(), _OURS + b"%d" % next(_numbers))


_COMMIT = sentence("COMMIT")
_PLANNED_ONCE = sentence("SET LOCAL plan_cache_mode = force_generic_plan")
_AS_EVER = sentence("SET LOCAL plan_cache_mode = auto")
_PLAN_ANEW = sentence("DISCARD PLANS")


def say(connection: Connection, *said: tuple[Sentence, Params]) -> list[PGresult]:
    """Say these, after all that was told before, and wait: their answers. Raises what any other statement raises."""
    return _traveller(connection).go(connection, said)


def tell(connection: Connection, told: Sentence, params: Params) -> None:
    """Say it at once; within `held` with the next question, or with the COMMIT."""
    traveller = _traveller(connection)
    if traveller.holding:
        traveller.told.append((told, params))
    else:
        traveller.go(connection, [(told, params)])


@contextmanager
def held(connection: Connection) -> Iterator[None]:
    """What is told inside waits for what is asked or committed later: whatever fails of it is raised only then."""
    traveller = _traveller(connection)
    traveller.holding += 1
    try:
        yield
    finally:
        traveller.holding -= 1


def is_held(connection: Connection) -> bool:
    """Whether what is told now waits."""
    return _traveller(connection).holding > 0


def send_off(connection: Connection) -> None:
    """Have everything said that was told, and what comes next be planned as ever."""
    traveller: _Traveller | None = connection.info.get(_TRAVELLER)
    if traveller is not None and (traveller.told or traveller.plans_once):
        traveller.go(connection, [(_AS_EVER, ())])
        traveller.plans_once = False


def driver(connection: Connection) -> psycopg.Connection[Any]:
    """The driver's own."""
    found = connection.connection.driver_connection
    assert isinstance(found, psycopg.Connection)
    return found


@contextmanager
def told_as_ours(connection: Connection) -> Iterator[None]:
    """The driver's errors as everybody else tells them, and without people's values."""
    try:
        yield
    except psycopg.Error as error:
        is_gone = driver(connection).closed
        if is_gone:
            connection.invalidate(error)
        raise DBAPIError.instance(
            None, None, error, psycopg.Error, hide_parameters=True, dialect=connection.dialect,
            connection_invalidated=is_gone,
        ) from None  # fmt: skip


def look_after(engine: Engine) -> None:
    """Let what was told go before every plain statement and with the COMMIT, and nowhere after a ROLLBACK."""
    event.listen(engine, "before_cursor_execute", lambda connection, *_: send_off(connection))
    event.listen(engine, "commit", _commit)
    event.listen(engine, "rollback", _on_rollback)
    event.listen(engine, "reset", _on_reset)


class _Traveller:
    """Goes to the database and back, for one of the driver's connections."""

    __slots__ = ("_is_sure", "_known", "_plan_anew_at", "_since", "holding", "plans_once", "told")

    def __init__(self) -> None:
        self._known: set[bytes] = set()  # the sentences that the connection keeps
        self._is_sure = True
        self._since = monotonic()
        self._plan_anew_at = self._since + _PLANS_LAST_SECONDS
        self.plans_once = False  # for the rest of this transaction
        self.told: list[tuple[Sentence, Params]] = []
        self.holding = 0

    def go(
        self, connection: Connection, said: Sequence[tuple[Sentence, Params]], *, commit: bool = False
    ) -> list[PGresult]:
        """Say all that was told, and these, in one transaction; the answers to these."""
        told, self.told = self.told, []
        raw = driver(connection)
        with told_as_ours(connection):
            if not self._is_sure:
                self._ask_what_is_known(raw)
            answers = self._send(raw, [*told, *said], commit)
        return answers[len(told) :]

    def forget(self) -> None:
        """After a ROLLBACK: what was told is not said, and the driver may have had the connection forget sentences."""
        self.told.clear()
        self.plans_once = False
        self._is_sure = False

    def _ask_what_is_known(self, raw: psycopg.Connection[Any]) -> None:
        (found,) = _exchange(raw, [partial(raw.pgconn.send_query_params, _WHICH_ARE_KNOWN, None)])
        self._known = {found.get_value(row, 0) or b"" for row in range(found.ntuples)}
        self._is_sure = True

    def _send(
        self, raw: psycopg.Connection[Any], said: Sequence[tuple[Sentence, Params]], commit: bool
    ) -> list[PGresult]:
        to, words = raw.pgconn, list[Callable[[], None]]()
        before = [(each, ()) for each in self._before(raw, _size(said))]
        after = [(_COMMIT, ())] if commit else []
        places, new = list[int](), set[bytes]()
        for each, params in (*before, *said, *after):
            if each.name not in self._known and each.name not in new:
                new.add(each.name)
                words.append(partial(to.send_prepare, each.name, each.text))
            places.append(len(words))
            words.append(partial(to.send_query_prepared, each.name, params))
        try:
            results = _exchange(raw, words)
        except psycopg.Error as error:
            if isinstance(error, psycopg.errors.FeatureNotSupported):
                raw.close()  # a column got another type: the sentences kept here would fail for ever
            self._is_sure = False  # what came after the one that failed was not heard
            raise
        self._known |= new
        return [results[place] for place in places[len(before) : len(before) + len(said)]]

    def _before(self, raw: psycopg.Connection[Any], size: int) -> Iterator[Sentence]:
        """What is to be said before anything else: that a transaction begins, and how this is planned.

        What finds a few rows takes less than planning: one plan for whatever parameters, until the transaction ends or
        asks for more. Tables grow, and what is best for an empty one is the worst soon after: no plan lasts for ever.
        """
        if raw.autocommit:
            return
        if raw.pgconn.transaction_status == TransactionStatus.IDLE:
            self.plans_once = False
            yield sentence(_begin(raw))
        once = size <= _SHORT_BYTES and not raw.read_only  # pages ask for much in few words
        if once and (now := monotonic()) >= self._plan_anew_at:
            self._plan_anew_at = now + min(now - self._since, _PLANS_LAST_SECONDS_MAX)
            yield _PLAN_ANEW
        if once != self.plans_once:
            self.plans_once = once
            yield _PLANNED_ONCE if once else _AS_EVER


def _exchange(raw: psycopg.Connection[Any], words: Sequence[Callable[[], None]]) -> list[PGresult]:
    """Say the words in one go; each one's result. Raises the driver's error of the first that failed."""
    to = raw.pgconn
    try:
        to.enter_pipeline_mode()
        for word in (*words, to.pipeline_sync):
            word()
        results = raw.wait(_results(to, len(words)))
        to.exit_pipeline_mode()
    except BaseException:
        raw.close()  # nobody knows which answers are still on their way
        raise
    for result in results:
        if result.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(result, encoding="utf-8")
    return results


def _results(to: PGconn, many: int) -> PQGen[list[PGresult]]:
    """Send all that was put into words, and read so many results and the end of the pipeline."""
    yield from generators.send(to)
    results = list[PGresult]()
    for _ in range(many):
        results += yield from generators.fetch_many(to)
    yield from generators.fetch_many(to)
    return results


def _size(said: Sequence[tuple[Sentence, Params]]) -> int:
    """Of all parameters."""
    return sum(len(param) for _, params in said for param in params if param)


def _begin(raw: psycopg.Connection[Any]) -> str:
    """As the driver would begin by itself."""
    level = "" if raw.isolation_level is None else f" ISOLATION LEVEL {raw.isolation_level.name.replace('_', ' ')}"
    return f"BEGIN{level}{' READ ONLY' if raw.read_only else ''}"


def _traveller(connection: Connection) -> _Traveller:
    info = connection.info
    if _TRAVELLER not in info:
        info[_TRAVELLER] = _Traveller()
    found: _Traveller = info[_TRAVELLER]
    return found


def _commit(connection: Connection) -> None:
    """Before the driver's COMMIT, which then finds nothing to do."""
    traveller: _Traveller | None = connection.info.get(_TRAVELLER)
    if traveller is not None:
        if traveller.told:
            traveller.go(connection, (), commit=not driver(connection).autocommit)
        traveller.plans_once = False


def _on_reset(raw: Any, record: ConnectionPoolEntry | None, _state: object) -> None:
    """A connection comes back; one without a record was taken out of the pool for good."""
    traveller: _Traveller | None = None if record is None else record.info.get(_TRAVELLER)
    if traveller is not None and (traveller.told or raw.pgconn.transaction_status != TransactionStatus.IDLE):
        traveller.forget()


def _on_rollback(connection: Connection) -> None:
    if connection.invalidated:
        return  # the driver's connection is gone, and its traveller with it
    traveller: _Traveller | None = connection.info.get(_TRAVELLER)
    if traveller is not None:
        traveller.forget()
