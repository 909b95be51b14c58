"""Episodes' results in a file of JSON lines, and the page that is written from them."""

import hashlib
import json
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from tests.chaos.parts import ROOT
from vitals.failpoint import POINTS

Row = Mapping[str, Any]

_PRODUCT = ("vitals", "alerts", "gateway", "server")
_HEAD = """# Chaos: everything killed, and what was left of it

Written by `make chaos`; do not edit. One seed is one episode: {homes} gateways with {devices} devices each hand over
{readings} readings to real processes (gateways, Mosquitto, server, database) while these are killed with SIGKILL, by
chance and at named failpoints, several at a time, the next before the last has recovered. Then everything comes to
rest, and an oracle is asked that shares nothing with the street:

- **lost**, **twice**: readings that a device handed over (its ledger, on the disk before the device forgets the
  record) against the rows of the database.
- **missed**, **ghost**: alerts against those that a slow reader of the ledger expects under a plan of simple limits.
- Besides: the facts of every patient equal the pure replay of the recorded inputs, byte for byte; the memory of the
  rules equals what all readings come to; every transition of every alert is legal; every notice is in the outbox once
  and was told; spools and databases pass their own checks (`integrity_check`, `pg_amcheck`); no thread of any process
  ended with an error that nobody caught. `wrong` counts all of it.

*Longest silence* is the longest time in which nothing new was stored, the first start of everything included.
A line is a seed: `make chaos SEEDS=1 FIRST=7` repeats the seventh as far as real processes repeat anything.
"""
_TAIL = """
## What this does not show

- **Power loss.** A killed process leaves its writes with the operating system. Whether they reach the disk when the
  machine loses its power is not shown here: the disk of a virtual machine cannot show it. The settings that a disk
  needs for it (`synchronous=FULL`, `synchronous_commit=on`, fsync of the ledger) are on in these runs.
- **The radio.** Readings come in at the door just behind it (`tests/chaos/door.py`), since no virtual air carries so
  many. That a device's indication is confirmed after the COMMIT and not before is shown with real GATT in
  `tests/chaos/test_kills.py`, with 2,000 readings.
- **Cut and slow lines, full and failing disks, clocks**: `tests/faults/`; every interleaving of the loops in virtual
  time: [DETERMINISM](DETERMINISM.md).
- **The pages.** On PostgreSQL the roles that receive, watch and tell run as processes of their own and are killed one
  at a time; the one that shows is not started there. On SQLite one process does everything.

## Failpoints

A process ends itself by SIGKILL exactly there. They are armed by the environment variable `VARDE_FAILPOINT`
alone, never by a setting or over the network, and an armed process says so (`vitals/failpoint.py`).

| point | what a kill there meets | kills |
|---|---|---|
"""


def product() -> str:
    """Changes whenever what is killed has changed; empty where git does not know it."""
    trees = _git(*(f"HEAD:{name}" for name in _PRODUCT))
    return hashlib.sha256(trees.encode()).hexdigest()[:12] if trees else ""


def commit() -> str:
    """The commit that is checked out."""
    return _git("--short", "HEAD") or "a tree without git"


def _git(*words: str) -> str:
    done = subprocess.run(["git", "-C", str(ROOT), "rev-parse", *words], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def read(path: Path) -> list[Row]:
    """The newest result of every seed, by seed."""
    rows: dict[int, Row] = {}
    if path.exists():
        for line in path.read_text().splitlines():
            row = json.loads(line)
            rows[row["seed"]] = row
    return [rows[seed] for seed in sorted(rows)]


def add(path: Path, row: Row) -> None:
    """Append a result."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(row, default=str) + "\n")


def page(rows: Sequence[Row]) -> str:
    """The page: a line for each seed, and the sum."""
    size = rows[-1]["size"]
    head = _HEAD.format(homes=size["homes"], devices=size["devices"], readings=f"{size['readings']:,}")
    points = sum((Counter(row["points"]) for row in rows), Counter[str]())
    fired = "".join(f"| `{name}` | {words} | {points[name]} |\n" for name, words in POINTS.items())
    return "\n".join([head, *_table(rows), *_recovery(rows), *_machine(rows), *_wrong(rows), _TAIL]) + fired


def _table(rows: Sequence[Row]) -> Iterator[str]:
    names = ("lost", "duplicate", "missed", "ghost")
    yield (
        "| seed | database | readings | said to gateways | kills: gateway | server | broker (wiped) | PostgreSQL "
        "| at failpoints | alerts | facts | lost | twice | missed | ghost | wrong | longest silence | took |"
    )
    yield "|---|---|" + "--:|" * 16
    for row in rows:
        yield _line(row, str(row["seed"]), row["database"], f"{row['silence_s']:.1f} s", f"{row['seconds']:.0f} s")
    verdicts = [row["verdict"] for row in rows]
    total: dict[str, Any] = {
        "sent": sum(row["sent"] for row in rows),
        "kills": sum((Counter(row["kills"]) for row in rows), Counter[str]()),
        "ways": sum((Counter(row["ways"]) for row in rows), Counter[str]()),
        "points": sum((Counter(row["points"]) for row in rows), Counter[str]()),
        "verdict": {
            **{name: sum(each[name] for each in verdicts) for name in (*names, "handed_over", "alerts", "facts")},
            "wrong": [each for verdict in verdicts for each in verdict["wrong"]],
        },
    }
    longest = max(row["silence_s"] for row in rows)
    hours = sum(row["seconds"] for row in rows) / 60
    yield _line(total, "**sum**", f"{len(rows)} seeds", f"{longest:.1f} s", f"{hours:.0f} min")


def _line(row: Row, *ends: str) -> str:
    seed, database, silence, took = ends
    kills, ways, verdict = Counter[str](row["kills"]), Counter[str](row["ways"]), row["verdict"]
    cells = [
        seed,
        database,
        f"{verdict['handed_over']:,}",
        f"{row['sent']:,}",
        kills["gateway"],
        kills["server"],
        f"{kills['broker']} ({ways['wiped']})",
        kills["database"],
        sum(row["points"].values()),
        f"{verdict['alerts']:,}",
        f"{verdict['facts']:,}",
        *(verdict[name] for name in ("lost", "duplicate", "missed", "ghost")),
        len(verdict["wrong"]),
        silence,
        took,
    ]
    return "| " + " | ".join(str(each) for each in cells) + " |"


def _recovery(rows: Sequence[Row]) -> Iterator[str]:
    yield ""
    yield "## How soon it is back"
    yield ""
    yield (
        "From a kill to the first effect after the next start: of a gateway, the next record that it confirms; of the "
        "others, the next reading in the database. Others lie dead at the same time, lines are made again with "
        "back-off, and a start itself takes what the machine has left, so these are the times of a street on fire."
    )
    yield ""
    yield "| killed | times | median | 9 of 10 within | longest |"
    yield "|---|--:|--:|--:|--:|"
    for kind in ("gateway", "server", "broker", "database"):
        every = sorted(each for row in rows for each in row["back_s"].get(kind, ()))
        if every:
            most = every[min(len(every) - 1, int(len(every) * 0.9))]
            name = "PostgreSQL" if kind == "database" else kind
            yield f"| {name} | {len(every)} | {median(every):.1f} s | {most:.1f} s | {every[-1]:.1f} s |"
    ways = sum((Counter(row["ways"]) for row in rows), Counter[str]())
    twice = sum(row["verdict"]["told_twice"] for row in rows)
    notices = sum(row["verdict"]["notices"] for row in rows)
    yield ""
    yield (
        f"PostgreSQL: SIGKILL of its first process {ways['postmaster']} times, of one that serves a connection "
        f"{ways['backend']}, `pg_ctl stop -m immediate` {ways['immediate']}. Servers that came up without a database "
        f"and were started again: {sum(row['restarts'] for row in rows)}. Notices: {notices}; of these told a second "
        f"time, because the notifier was killed between telling and noting it: {twice}."
    )


def _machine(rows: Sequence[Row]) -> Iterator[str]:
    cores = sorted({row["cores"] for row in rows})
    commits = sorted({row["commit"] for row in rows})
    yield ""
    yield f"Run on {'/'.join(str(each) for each in cores)} cores that had other work too, at {', '.join(commits)}."


def _wrong(rows: Sequence[Row]) -> Iterator[str]:
    found = [(row["seed"], each) for row in rows for each in row["verdict"]["wrong"]]
    if found:
        yield ""
        yield "## Wrong"
        yield ""
        for seed, words in found:
            yield f"- seed {seed}: {' '.join(words.split())[:300]}"
