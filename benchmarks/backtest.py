"""A back-test of a cohort: the product's own function in one process, on all cores, by two workers of a Dask cluster.

A year of the covid19 rulebook's measurements for as many patients as fit; the plan in force beside a candidate. The
rulebook ends by itself after two weeks, so the plans of this cohort say when they end instead.
"""

import os
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from distributed import LocalCluster
from sqlalchemy import update

from alerts.plan import to_mapping
from benchmarks.results import Book, newest
from benchmarks.street import postgres, town
from benchmarks.street.processes import BenchmarkError
from server.db import tables
from server.db.engine import Database
from server.reports.backtest import Candidate, told
from server.vault import open_vault
from varde.cohort import Where, gone_through

COHORT_DAYS = 10_000 * 365
_AT_ONCE = 100  # patients whose year is in memory at once
_LIMITS = {"spo2_low": {"bands": [{"limit": Decimal(90), "priority": "medium"}]}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Days of each patient, patients of a round, rounds; and how many minutes the large run on all cores may take."""

    days: int = 365
    patients: int = 40
    rounds: int = 5
    minutes: float = 8.0  # of the ten that are allowed: the machine may slow down meanwhile


QUICK = Size(days=3, patients=24, rounds=1, minutes=0.0)


def run(book: Book, size: Size) -> None:
    """Rounds of all three ways, and then as much as fits the minutes, on all cores."""
    book.note("size", {"days": size.days, "patients": size.patients, "rounds": size.rounds, "minutes": size.minutes})
    with (
        tempfile.TemporaryDirectory(prefix="varde-backtest-") as name,
        postgres.running() as cluster,
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as dask,
        cluster.migrated("cohort") as address,
    ):
        _fill(address, Path(name), size.patients, size.days)
        cores = os.cpu_count() or 1
        ways: list[tuple[str, Where]] = [
            ("one process", Where()),
            (f"all cores ({cores} processes)", Where(processes=cores)),
            ("Dask, two workers", Where(dask=str(dask.scheduler_address))),
        ]
        digests: set[str] = set()
        for number in range(1, size.rounds + 1):
            start = (number - 1) % len(ways)
            for what, where in ways[start:] + ways[:start]:
                digests.add(_timed(book, what, partial(_gone, address, size.patients, where), size, number))
        if len(digests) != 1:
            raise BenchmarkError(f"the digests differ: {sorted(digests)}")
        book.note("digest", digests.pop())
    if size.minutes:
        _large(book, size)


def _timed(book: Book, what: str, go: Callable[[], dict[str, Any]], size: Size, number: int) -> str:
    began = perf_counter()
    report = go()
    seconds = perf_counter() - began
    if len(report["patients"]) != size.patients:
        raise BenchmarkError(f"{what}: {len(report['patients'])} of {size.patients} patients judged")
    book.add(what, size.patients * size.days / seconds, "patient-days/s", number)
    return str(report["digest"])


def _large(book: Book, size: Size) -> None:
    """As many patients as the rate just measured lets expect to fit; what it took is measured, not reckoned."""
    cores = os.cpu_count() or 1
    rate = _last(book, f"all cores ({cores} processes)")
    patients = max(1, min(10_000, int(rate * size.minutes * 60 / size.days)))
    with (
        tempfile.TemporaryDirectory(prefix="varde-backtest-") as name,
        postgres.running() as cluster,
        cluster.migrated("cohort") as address,
    ):
        _fill(address, Path(name), patients, size.days)
        began = perf_counter()
        report = _gone(address, patients, Where(processes=cores))
        seconds = perf_counter() - began
    if len(report["patients"]) != patients:
        raise BenchmarkError(f"{len(report['patients'])} of {patients} patients judged")
    book.add("large run: patients", patients, "")
    book.add("large run: minutes", seconds / 60, "min")
    book.add("large run: share of 10,000 patients x 1 year", patients * size.days / COHORT_DAYS, "")
    book.add("large run", patients * size.days / seconds, "patient-days/s")


def _last(book: Book, what: str) -> float:
    found = newest(book.path)[book.part].figure(what)
    assert found is not None
    return found.median


def _gone(address: str, patients: int, where: Where) -> dict[str, Any]:
    tried = Candidate(limits=_LIMITS, limits_file="benchmark")
    with closing(Database(address)) as database:
        ids = tuple(town.patient_id(number) for number in range(patients))
        return told(gone_through(database, tried, ids, where), tried)


def _fill(address: str, folder: Path, patients: int, days: int) -> None:
    """The cohort with its readings; every tenth patient ends badly."""
    plan = town.plan()
    end: datetime = plan.starts_at + timedelta(days=days)
    body = to_mapping(replace(plan, ends_at=end + timedelta(days=1)))
    vault = open_vault(folder / "vault.key", create=True)
    with closing(Database(address)) as database, database.write() as connection:
        made = town.settle(connection, vault, patients, plans=True)
        connection.execute(update(tables.plan_version).values(body=body))
        stored, ill = 0, range(0, patients, 10)
        for start in range(0, patients, _AT_ONCE):
            part = [(number, end) for number in range(start, min(start + _AT_ONCE, patients))]
            stored += town.remember(connection, made, part, ill, stored)
