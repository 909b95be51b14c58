"""The guards hold on this tree; and each of them fails on a copy of it in which its rule is broken."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture import clocks, commits, documents, floors, loading, purity, routes, sizes, traces, words
from tests.architecture.tree import ROOT, files

GUARDS = (floors, purity, clocks, sizes, words, commits, loading, traces, routes, documents)
Guard = Callable[[Path], list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A rule broken on purpose: `text` is appended to the file at `path` (made when missing, removed when None)."""

    guard: Guard
    path: str
    text: str | None
    says: str

    def __str__(self) -> str:
        return f"{self.guard.__module__.rsplit('.', 1)[-1]}: {self.says}"

    def commit(self, root: Path) -> None:
        file = root / self.path
        if self.text is None:
            shutil.rmtree(file) if file.is_dir() else file.unlink()
            return
        whole = (file.read_text() if file.exists() else "") + self.text
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)  # it is a link to the pristine copy's
        file.write_text(whole)


LONG = "def tall() -> None:\n" + "    pass\n" * 60
WIDE = "def wide(a: int, b: int, c: int, d: int, *, e: int, f: int) -> None: ...\n"

BREACHES = (
    # floors
    Breach(guard=floors.guard, path="vitals/units.py", text="import alerts\n", says="vitals must not import alerts"),
    Breach(
        guard=floors.guard,
        path="alerts/late.py",
        text="from gateway import spool\n",
        says="alerts must not import gateway",
    ),
    Breach(
        guard=floors.guard,
        path="gateway/late.py",
        text="from alerts import step\n",
        says="gateway must not import alerts",
    ),
    Breach(
        guard=floors.guard, path="server/late.py", text="import gateway.spool\n", says="server must not import gateway"
    ),
    Breach(
        guard=floors.guard,
        path="server/late.py",
        text="import device_sims\n",
        says="server must not import device_sims",
    ),
    Breach(
        guard=floors.guard,
        path="device_sims/late.py",
        text="import server\n",
        says="device_sims must not import server",
    ),
    Breach(
        guard=floors.guard,
        path="server/web/views/late.py",
        text="from server.web.gathering.asking import Asking\n",
        says="server.web.views must not import server.web.gathering",
    ),
    Breach(
        guard=floors.guard,
        path="server/web/views/late.py",
        text="from server.db.tables import alert\n",
        says="it knows no table",
    ),
    Breach(
        guard=floors.guard,
        path="server/web/forms/late.py",
        text="import sqlalchemy\n",
        says="it knows no table",
    ),
    Breach(guard=floors.guard, path="alerts/late.py", text="import varde\n", says="alerts must not import varde"),
    Breach(guard=floors.guard, path="varde/late.py", text="import tests.broker\n", says="varde must not import tests"),
    Breach(
        guard=floors.guard,
        path="gateway/late.py",
        text="def sly() -> None:\n    from importlib import import_module\n    import_module('server.app')\n",
        says="gateway must not import server",
    ),
    Breach(
        guard=floors.guard,
        path="device_sims/late.py",
        text="from gateway.profiles import decode\n",
        says="device_sims may use gateway.radio only",
    ),
    # doors
    Breach(guard=floors.guard, path="gateway/late.py", text="import bleak\n", says="bleak enters by"),
    Breach(guard=floors.guard, path="server/ingest/late.py", text="import paho.mqtt.client\n", says="paho enters by"),
    Breach(guard=floors.guard, path="gateway/late.py", text="import bumble\n", says="bumble enters by"),
    Breach(guard=floors.guard, path="server/app.py", text="import apscheduler\n", says="apscheduler enters by"),
    Breach(guard=floors.guard, path="varde/late.py", text="import sqlalchemy\n", says="sqlalchemy enters by"),
    Breach(
        guard=floors.guard, path="server/watch/late.py", text="from fastapi import Depends\n", says="fastapi enters by"
    ),
    Breach(guard=floors.guard, path="server/watch/late.py", text="import jinja2\n", says="jinja2 enters by"),
    Breach(
        guard=floors.guard, path="alerts/late.py", text="import numpy\n", says="alerts uses the standard library only"
    ),
    Breach(guard=floors.guard, path="server/late.py", text="import requests\n", says="requests has no door"),
    # purity
    Breach(guard=purity.guard, path="alerts/late.py", text="def f(x):\n    return x.now()\n", says="calls now()"),
    Breach(guard=purity.guard, path="vitals/units.py", text="import uuid\nuuid.uuid4()\n", says="calls uuid4()"),
    Breach(guard=purity.guard, path="alerts/late.py", text="open('x')\n", says="calls open()"),
    Breach(guard=purity.guard, path="alerts/late.py", text="print(1)\n", says="calls print()"),
    Breach(guard=purity.guard, path="alerts/late.py", text="from time import monotonic\n", says="imports time"),
    Breach(guard=purity.guard, path="vitals/wire.py", text="import os\n", says="imports os"),
    Breach(guard=purity.guard, path="alerts/late.py", text="import logging\n", says="imports logging"),
    Breach(guard=purity.guard, path="alerts/late.py", text="async def f(): ...\n", says="is asynchronous"),
    # clocks
    Breach(
        guard=clocks.guard,
        path="gateway/late.py",
        text="import datetime as dt\nwhen = dt.datetime.now(dt.UTC)\n",
        says="datetime.datetime.now reads the wall clock",
    ),
    Breach(
        guard=clocks.guard,
        path="server/late.py",
        text="from datetime import datetime\nx = field(default_factory=datetime.utcnow)\n",
        says="datetime.datetime.utcnow reads the wall clock",
    ),
    Breach(guard=clocks.guard, path="varde/late.py", text="from time import time\ntime()\n", says="time.time reads"),
    Breach(
        guard=clocks.guard, path="server/db/late.py", text="D = 'CURRENT_TIMESTAMP'\n", says="lets the database read"
    ),
    # sizes
    Breach(guard=sizes.guard, path="alerts/late.py", text="x = 1\n" * 401, says="401 lines, at most 400"),
    Breach(guard=sizes.guard, path="tests/late.py", text="x = 1\n" * 601, says="601 lines, at most 600"),
    Breach(guard=sizes.guard, path="server/late.py", text=LONG, says="tall has 61 lines"),
    Breach(guard=sizes.guard, path="gateway/late.py", text=WIDE, says="wide has 6 parameters"),
    # words
    Breach(guard=words.guard, path="server/care/utils.py", text="", says="not 'utils'"),
    Breach(guard=words.guard, path="server/common/late.py", text="", says="not 'common'"),
    Breach(guard=words.guard, path="alerts/late.py", text="def raise_alarm(): ...\n", says="says alert, not alarm"),
    Breach(guard=words.guard, path="alerts/late.py", text="class HasHysteresis: ...\n", says="says deadband"),
    Breach(guard=words.guard, path="server/late.py", text="def f(threshold): ...\n", says="says limit"),
    Breach(guard=words.guard, path="server/late.py", text="severity = 1\n", says="says priority, not severity"),
    Breach(guard=words.guard, path="server/watch/late.py", text="# PostgreSQL\n", says="only server/db/ knows"),
    # commits
    Breach(
        guard=commits.guard, path="server/care/late.py", text="def f(s): s.commit()\n", says="commits in the middle"
    ),
    # loading
    Breach(guard=loading.guard, path="gateway/spool.py", text="\nimport sqlalchemy\n", says="loads sqlalchemy"),
    Breach(guard=loading.guard, path="gateway/spool.py", text="\nimport alerts\n", says="loads alerts"),
    # traces
    Breach(guard=traces.guard, path="uv.lock", text="", says="uv.lock: names registries"),
    Breach(
        guard=traces.guard, path="docs/late.md", text="see https://py" + "pi.org/x\n", says="names a package registry"
    ),
    Breach(
        guard=traces.guard, path="tools/late", text="cd /ho" + "me/anna/varde\n", says="a path of somebody's machine"
    ),
    Breach(
        guard=traces.guard, path="web/package-lock.json", text='{"resolved": "x"}\n', says='has "resolved" addresses'
    ),
    Breach(guard=traces.guard, path="requirements/demo.txt", text="a @ https://x.y/a.whl\n", says="names no address"),
    Breach(guard=traces.guard, path="requirements/demo.txt", text="--index-url x\n", says="chooses an index"),
    # routes
    Breach(
        guard=routes.guard,
        path="server/web/routes/late.py",
        text="@router.post('/alerts/{id}')\ndef click(): ...\n",
        says="route click declares no action",
    ),
    Breach(guard=routes.guard, path="server/app.py", text="app.add_api_route('/x', f)\n", says="hides a route"),
    # documents
    Breach(guard=documents.guard, path="extras/late.txt", text="x", says="folder extras/ has no row"),
    Breach(
        guard=documents.guard, path="docs/ARCHITECTURE.md", text="\n| `shed/` | |\n", says="names shed/, which is not"
    ),
    Breach(guard=documents.guard, path="gateway/profiles", text=None, says="names `gateway/profiles"),
    Breach(guard=documents.guard, path="docs/late.md", text="[x](nowhere.md)", says="links to nowhere.md"),
    Breach(
        guard=documents.guard, path="README.md", text="\n`make magic`\n", says="`make magic` is not in the Makefile"
    ),
)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what git holds of this tree."""
    copy = tmp_path_factory.mktemp("tree") / "varde"
    for path in files(ROOT):
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, copy / path)
    return copy


@pytest.fixture(scope="module")
def known(pristine: Path) -> dict[Guard, list[str]]:
    """What each guard says of the copy before anything is broken in it."""
    return {each.guard: each.guard(pristine) for each in GUARDS}


@pytest.fixture
def broken(pristine: Path, breach: Breach, tmp_path: Path) -> Iterator[Path]:
    """A copy of the copy in which one rule is broken."""
    copy = tmp_path / "varde"
    shutil.copytree(pristine, copy, copy_function=os.link)
    breach.commit(copy)
    yield copy
    shutil.rmtree(copy)


@pytest.mark.parametrize(
    "guard", [each.guard for each in GUARDS], ids=[each.__name__.rsplit(".", 1)[-1] for each in GUARDS]
)
def test_the_tree_keeps_its_rules(guard: Guard) -> None:
    assert guard(ROOT) == []


@pytest.mark.parametrize("breach", BREACHES, ids=str)
def test_a_breach_is_found(breach: Breach, known: dict[Guard, list[str]], broken: Path) -> None:
    found = [problem for problem in breach.guard(broken) if problem not in known[breach.guard]]
    assert any(breach.says in problem for problem in found), found


def test_every_guard_is_tried() -> None:
    assert {breach.guard for breach in BREACHES} == {each.guard for each in GUARDS}


def test_no_exception_outlives_its_file() -> None:
    named = {*purity.EDGES, *(path for path, _ in purity.ALLOWED), *commits.LOOPS, clocks.HOME, *words.DIALECT_ROOMS}
    named |= {path.partition(":")[0] for path in sizes.EXCEPTIONS}
    named |= {door for doors in floors.DOORS.values() for door in doors}
    assert sorted(path for path in named if not (ROOT / path).exists()) == []
