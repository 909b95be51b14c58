"""Random inputs into every form: never a fault of ours, nothing typed lost, nothing run, nobody else's touched.

The inputs are drawn from a seed, so that what was found once is found again.
"""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

import httpx2
import pytest

from server.db.engine import Database, file_address
from server.web.app import PAGES
from tests.server.web import dale as builder
from tests.server.web.dale import READERS, Dale
from tests.server.web.reading import Page, PageForm, forms_of

# As many as the time of every run allows; VARDE_FORM_INPUTS=200 takes ten minutes and is for whoever changes a form.
INPUTS = int(os.environ.get("VARDE_FORM_INPUTS", "6"))
_NEIGHBOURS = 3  # of these every form gets as well: filled in as it should be, for the other municipality's
_FRESH_EVERY = 7  # inputs after which the morning begins anew, so that not all of them meet what the first one did
_NO_PAGE = frozenset({"/notices/receipts"})  # where channels report; no person fills it in
_MARKUP = "\"'><script>varde()</script><img src=x onerror=varde()>{{ 7*7 }}"
_NEVER_BACK = frozenset({"passkey"})  # a secret of a device: typed again, never written into a page
_KEPT_MAX = 5000  # of one field, see server/web/forms/fields.py
_FITTING = ("Ringte, alt er vel.", "36,7", "96", "2026-11-23", "2026-11-23T07:30", "07:30", "gunnar@lia.example")
_NASTY = (
    *(
        "",
        " ",
        "\0",
        "a\0b",
        "\x01\x1b[31m\x7f\u202e\ufeff",
        "\ud800",
        "å\udfff",
        "🫀" * 40,
        "e\u0301" * 90,
        "\r\n.\r\n",
    ),
    *(
        "x" * 100_000,
        "9" * 5_000,
        "NaN",
        "-inf",
        "1e999",
        "-1",
        "0",
        "3,7",
        "99999999999999999999999",
        "0x1F",
        "٣",
        "²",
    ),
    *(
        _MARKUP,
        "<b>fet</b>",
        "'; drop table patient; --",
        "%s%(name)s{0}",
        "../../etc/passwd",
        "//evil.example",
        "javascript:1",
    ),
    *(
        "0000-00-00",
        "2026-02-30",
        "9999-12-31",
        "0001-01-01T00:00",
        "2026-11-23",
        "24:00",
        "07:30",
        "-2026-01-01",
        "23:59:60",
    ),
    *(
        "true",
        "null",
        "[]",
        "{}",
        "yes",
        "off",
        "gunnar@lia.example",
        "+47 999 00 101",
        "13897404089",
        "2026/417",
        "36,7",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A form, who saw it, and on which page."""

    who: str | None
    page: str
    form: PageForm


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One input: where it goes and what is in it. `typed`: what stood once and as text in each field."""

    address: str
    body: bytes
    kind: str
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def typed(self) -> dict[str, str]:
        names = [name for name, _ in self.fields]
        return {name: value for name, value in self.fields if names.count(name) == 1}


@pytest.fixture(scope="module")
def dale(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dale]:
    folder = tmp_path_factory.mktemp("dale")
    shutil.copy(migrated, folder / "varde.db")
    database = Database(file_address(folder / "varde.db"))
    yield builder.settle(database, folder)
    database.close()


@pytest.fixture(scope="module")
def found(dale: Dale) -> dict[str, Found]:
    """The first sight of every form, by the path of its route."""
    seen: dict[str, Found] = {}
    for who in READERS:
        client = dale.client(who)
        for path in dale.pages():
            many = who in ("anna", "kåre") and path.endswith(("{patient}", "/plan", "/visit", "/pauses"))
            for patient in ("gunnar", "solveig", "olga", "peder", "ella") if many else ("gunnar",):
                page = dale.address(path, patient)
                answer = client.get(page)
                if answer.status_code == 403:
                    break
                if answer.status_code == 200:
                    for route, form in forms_of(answer.text, dale.ways):
                        seen.setdefault(route, Found(who=who, page=page, form=form))
        client.close()
    return seen


@pytest.fixture(scope="module")
def morning(dale: Dale, found: dict[str, Found], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the database as it was before anything was sent."""
    path = tmp_path_factory.mktemp("morning") / "varde.db"
    _copy(_file(dale), path)
    return path


def _file(dale: Dale) -> Path:
    return Path(dale.lia.parts.settings.data) / "varde.db"


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


def _routes() -> list[str]:
    every = {route.path for router in PAGES for route in router.routes if "POST" in route.methods}  # type: ignore[attr-defined]
    return sorted(every - _NO_PAGE)


def test_every_form_is_tried(dale: Dale, found: dict[str, Found]) -> None:
    assert sorted(found) == _routes()  # a form that no page shows cannot be tried, and one that is new must be
    assert dale.ways.of("POST") == {*found, *_NO_PAGE}


@pytest.mark.parametrize("route", _routes())
def test_no_input_breaks_a_form(dale: Dale, found: dict[str, Found], morning: Path, route: str) -> None:
    _copy(morning, _file(dale))
    case, random = found[route], Random(f"varde {route}")
    ids = [dale.ids(of_other=False), dale.ids(of_other=True)]
    inputs = [_for_neighbour(random, case.form, ids[1]) for _ in range(_NEIGHBOURS)]
    inputs += [_draw(random, case.form, route, ids) for _ in range(INPUTS)]
    asyncio.run(_try_all(dale, case, morning, inputs))


async def _try_all(dale: Dale, case: Found, morning: Path, inputs: list[Sent]) -> None:
    over = httpx2.ASGITransport(app=dale.app)  # raises whatever the product raises
    async with httpx2.AsyncClient(
        transport=over, base_url="http://127.0.0.1", headers=dale.headers(case.who)
    ) as client:
        done: set[str] = set()
        theirs = dale.rows_of_other()
        for number, sent in enumerate(inputs):
            if number % _FRESH_EVERY == 0:
                _check_untouched(dale, theirs)
                _copy(morning, _file(dale))
            answer = await client.post(sent.address, content=sent.body, headers={"content-type": sent.kind})
            client.cookies.clear()
            _check(dale, case, sent, answer)
            where = answer.headers.get("location", "").partition("#")[0]
            if where.startswith("/") and where not in done and len(done) < 5:  # what is shown of what was kept
                done.add(where)
                _check_safe(where, await client.get(where))
        _check_untouched(dale, theirs)
        _check_safe(case.page, await client.get(case.page))


def _check(dale: Dale, case: Found, sent: Sent, answer: httpx2.Response) -> None:
    about = (sent.address[:200], answer.status_code, [(name, value[:60]) for name, value in sent.fields])
    assert answer.status_code in (200, 303) or 400 <= answer.status_code < 500, about
    _check_safe(about, answer)
    if answer.status_code == 303:
        assert answer.headers["location"][:1] == "/" != answer.headers["location"][1:2], about
    if answer.status_code != 422 or not case.form.written:
        return
    page = Page(answer.text)
    again = [form for form in page.forms if form.action == sent.address]
    for form in again[:1]:
        assert form.invalid & page.ids or page.warns, f"nothing says what is wrong: {about}"
        for name in (form.written.keys() & sent.typed.keys() & case.form.written.keys()) - _NEVER_BACK - form.picked:
            kept = form.written[name]
            assert _same(kept, sent.typed[name]), f"{name} was lost: {kept[:60]!r} {about}"


def _check_untouched(dale: Dale, theirs: dict[str, list[Any]]) -> None:
    now = dale.rows_of_other()
    changed = {
        name: [row for row in now[name] if row not in rows] for name, rows in theirs.items() if now[name] != rows
    }
    assert not changed, f"something of the other municipality is not as it was: {changed}"


def _check_safe(about: Any, answer: httpx2.Response) -> None:
    assert answer.status_code < 500, about
    for forbidden in ("<script>varde", "<img src=x", "<b>fet", "Traceback (most", "sqlalchemy", "File &#34;/"):
        assert forbidden not in answer.text, (forbidden, about)


def _same(kept: str, typed: str) -> bool:
    """Whether this is what was typed, as far as a field can hold it."""
    shown, sent = ("".join(each[:_KEPT_MAX].split()) for each in (kept, typed))
    return shown == sent or not all(each.isprintable() and each.isascii() for each in typed)


def _for_neighbour(random: Random, form: PageForm, theirs: list[str]) -> Sent:
    """The form without a fault, except that everything that it names is the other municipality's."""
    fields = list(form.fixed)
    fields += [(name, value or random.choice(_FITTING)) for name, value in form.written.items()]
    fields += [(name, random.choice(values)) for name, values in form.options.items() if values]
    told = [(name, ":".join(_twin(each, theirs) for each in value.split(":"))) for name, value in fields]
    body = urlencode([(_bytes(name), _bytes(value)) for name, value in told]).encode()
    address = "/".join(_twin(each, theirs) for each in form.action.split("/"))
    return Sent(address=address, body=body, kind="application/x-www-form-urlencoded", fields=tuple(told))


def _twin(name: str, theirs: list[str]) -> str:
    """What the other municipality's is called that is the same as this one's."""
    return name[::-1] if name[::-1] in theirs else name


def _draw(random: Random, form: PageForm, route: str, ids: list[list[str]]) -> Sent:
    """One input: the form as a person could fill it in, with something wrong in it."""
    fields = list(form.fixed)
    fields += [(name, value or random.choice(_NASTY)) for name, value in form.written.items()]
    fields += [(name, random.choice(values)) for name, values in form.options.items() if values]
    for _ in range(random.choice((0, 1, 1, 1, 2, 3, len(fields)))):
        _spoil(random, fields, ids)
    address = form.action
    if "{" in route and random.random() < 0.2:
        address = _elsewhere(random, form.action, route, ids)
    if random.random() < 0.06:
        kind = random.choice(
            ("application/json", "multipart/form-data; boundary=x", "text/plain", "application/x-www-form-urlencoded")
        )
        body = random.choice((b"", b"\xff\xfe\x00", b"--x\r\n\r\n", b'{"a": [', b"=&=&&%zz=%", b"a=1&" * 2000))
        return Sent(address=address, body=body, kind=kind)
    body = urlencode([(_bytes(name), _bytes(value)) for name, value in fields]).encode()
    return Sent(address=address, body=body, kind="application/x-www-form-urlencoded", fields=tuple(fields))


def _spoil(random: Random, fields: list[tuple[str, str]], ids: list[list[str]]) -> None:
    """Leave one field out, repeat it, or put into it what does not belong there."""
    if not fields:
        fields.append((random.choice(("patient", "id", "x" * 300)), random.choice(_NASTY)))
        return
    place = random.randrange(len(fields))
    name, value = fields[place]
    what = random.choice(("leave out", "repeat", "id", "nasty", "nasty", "nasty"))
    if what == "leave out":
        del fields[place]
    elif what == "repeat":
        fields.append((name, random.choice((value, random.choice(_NASTY)))))
    else:
        twin = twin if (twin := _twin(value, ids[1])) != value else random.choice(random.choice(ids))
        fields[place] = (name, twin if what == "id" else random.choice(_NASTY))


def _elsewhere(random: Random, address: str, route: str, ids: list[list[str]]) -> str:
    """The address with another id in one of its places."""
    parts = address.split("/")
    if random.random() < 0.5:  # the same thing of the other municipality
        return "/".join(_twin(each, ids[1]) for each in parts)
    places = [place for place, each in enumerate(route.split("/")) if each.startswith("{")]
    strange = (
        random.choice(random.choice(ids)) if random.random() < 0.8 else random.choice(_NASTY)[:500].replace("/", "")
    )
    parts[random.choice(places)] = quote(_bytes(strange or "-"), safe="")
    return "/".join(parts)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
