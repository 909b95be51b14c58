"""Questions that are asked all day: composed once for each kind of database, because that takes longer than the answer.

@asked_about
def _names(within: Within) -> Select[Any]:
    return select(table.c.id, table.c.name).where(within(table.c.id))

for row in _names(connection, ids): ...

Several of them are asked in one go, which is one journey to a database that is elsewhere:

names, homes = ask(connection, _names.about(ids), _homes.about(ids, now=now))
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, cast

import psycopg
from psycopg.adapt import Transformer
from psycopg.pq.abc import PGresult
from sqlalchemy import BindParameter, ColumnElement, Connection, Dialect, Executable
from sqlalchemy.engine import make_url
from sqlalchemy.types import TypeEngine

from server.db import journey
from server.db.lists import as_list, within

Within = Callable[[ColumnElement[str]], ColumnElement[bool]]
_IDS = "ids"
_EMBEDDED, _SHARED = "sqlite", "postgresql"
_SPOKEN: Dialect = cast("Any", make_url("postgresql+psycopg://").get_dialect())(paramstyle="numeric_dollar")
_Make = Callable[[Any], Any]


class Asked:
    """A question; what it is about is told when it is asked."""

    def __init__(self, compose: Callable[[str], Executable]) -> None:
        self.__wrapped__ = compose  # for a kind of database
        self.cache_clear()

    def cache_clear(self) -> None:
        """Compose it anew when it is asked next."""
        self._embedded: Executable | None = None
        self._spoken: _Spoken | None = None

    def about(self, ids: Iterable[str] | None = None, /, **more: object) -> "Question":
        """It, about these ids (when it is about ids), to be asked; `more` are its other parameters."""
        return Question(asked=self, ids=ids, more=more)

    def __call__(self, connection: Connection, ids: Iterable[str] | None = None, /, **more: object) -> list[Any]:
        """Ask it about these ids: the rows of the answer."""
        return ask(connection, self.about(ids, **more))[0]

    def embedded(self) -> Executable:
        """As it is asked of an embedded database."""
        if self._embedded is None:
            self._embedded = self.__wrapped__(_EMBEDDED)
        return self._embedded

    def spoken(self, given: Mapping[str, object]) -> "_Spoken":
        """In the words of a shared one."""
        if self._spoken is None:
            self._spoken = _Spoken(self.__wrapped__(_SHARED), given)
        return self._spoken


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question with what it is about."""

    asked: Asked
    ids: Iterable[str] | None
    more: Mapping[str, object]

    def given(self, dialect: str) -> dict[str, object]:
        """All of its parameters."""
        return {**self.more} if self.ids is None else {_IDS: as_list(dialect, self.ids), **self.more}


def asked_about(compose: Callable[[Within], Executable]) -> Asked:
    """Make a question about a list of ids of a function that composes it."""
    return Asked(lambda dialect: compose(lambda column: within(dialect, column, _IDS)))


def ask(connection: Connection, *questions: Question) -> list[list[Any]]:
    """Ask all of these, one after the other, and wait once: the rows that answer each."""
    if connection.dialect.name == _EMBEDDED:
        return [_ask_embedded(connection, each) for each in questions]
    spoken = [(each.asked, each.given(_SHARED)) for each in questions]
    words = [(asked.spoken(given), given) for asked, given in spoken]
    with journey.told_as_ours(connection):
        answers = journey.say(connection, *((each.sentence, each.params(given)) for each, given in words))
        reader = Transformer(journey.driver(connection))
        return [each.rows(reader, answer) for (each, _), answer in zip(words, answers, strict=True)]


def tell(connection: Connection, question: Question) -> None:
    """Say what nobody reads an answer to, like all else that is told: together with others where that is asked for."""
    if connection.dialect.name == _EMBEDDED:
        _ask_embedded(connection, question)
        return
    given = question.given(_SHARED)
    spoken = question.asked.spoken(given)
    with journey.told_as_ours(connection):
        journey.tell(connection, spoken.sentence, spoken.params(given))


def _ask_embedded(connection: Connection, question: Question) -> list[Any]:
    result = connection.execute(question.asked.embedded(), question.given(_EMBEDDED))
    return list(result.all()) if result.returns_rows else []


class _Spoken:
    """A statement past SQLAlchemy: its words, what makes its parameters, and what makes rows of its answer."""

    def __init__(self, statement: Executable, given: Mapping[str, object]) -> None:
        compiled: Any = statement.compile(dialect=_SPOKEN)  # type: ignore[attr-defined]
        state = compiled.construct_expanded_state(given)
        self.sentence = journey.sentence(state.statement)
        self._params = [_param(name, compiled.binds, state, given) for name in state.positiontup]
        columns: Any = getattr(statement, "selected_columns", ())
        makers = [_result(column.type) for column in columns]
        self._makers = [(place, make) for place, make in enumerate(makers) if make is not None]
        self._row = _row(tuple(columns.keys()) if makers else ())

    def params(self, given: Mapping[str, object]) -> list[bytes | None]:
        """Its parameters as the database takes them."""
        return [as_text(given[name] if bind is None else bind(given[name])) if name else always
                for name, bind, always in self._params]  # fmt: skip

    def rows(self, reader: Any, answer: PGresult) -> list[Any]:
        """What was answered, each column by its name; `reader` knows the driver's types."""
        reader.set_pgresult(answer)
        return list(reader.load_rows(0, answer.ntuples, self._made if self._makers else self._row._make))

    def _made(self, values: Any) -> Any:
        made = [*values]
        for place, make in self._makers:
            made[place] = make(made[place])
        return self._row._make(made)


@cache  # making a class takes longer than asking
def _row(names: tuple[str, ...]) -> Any:
    return namedtuple("Row", names, rename=True)


def _param(
    name: str, binds: Mapping[str, BindParameter[Any]], state: Any, given: Mapping[str, object]
) -> tuple[str, _Make | None, bytes | None]:
    """Under which name it is given, and what makes of it what the driver takes; or what it always is."""
    bind = _bind(binds[name].type) if name in binds else state.processors.get(name)
    if name in given:
        return name, bind, None
    value = state.parameters[name]
    return "", None, as_text(value if bind is None else bind(value))


def _bind(kind: TypeEngine[Any]) -> _Make | None:
    return kind.dialect_impl(_SPOKEN).bind_processor(_SPOKEN)


def _result(kind: TypeEngine[Any]) -> _Make | None:
    return kind.dialect_impl(_SPOKEN).result_processor(_SPOKEN, None)


def as_text(value: Any) -> bytes | None:
    """A parameter as PostgreSQL reads it. Raises TypeError for what there are no words for, and the driver's error for
    a text that it cannot keep.
    """
    if value is None:
        return None
    if isinstance(value, list | tuple):
        return b"{%s}" % b",".join(map(_element, value))
    for known, write in _KNOWN:
        if isinstance(value, known):
            return write(value)
    raise TypeError(f"no words for a parameter of {type(value).__name__}")


def _text(value: str) -> bytes:
    if "\0" in value:
        raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    return value.encode()


def _element(value: Any) -> bytes:
    text = as_text(value)
    return b"NULL" if text is None else b'"%s"' % text.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


_KNOWN: tuple[tuple[type, Callable[[Any], bytes]], ...] = (
    (str, _text),
    (bool, lambda value: b"t" if value else b"f"),
    (int, lambda value: b"%d" % value),
    (datetime, lambda value: value.isoformat().encode()),
)
