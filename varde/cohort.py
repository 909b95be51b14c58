"""A cohort's patients gone through in this process, in several of this machine, or by a Dask cluster's workers.

All of them run one function, `server.reports.backtest.share`, on shares of the patients. What is found is put together
in the order of ids, so that the report and its digest are the same wherever it was found. Whoever works on a share
opens the database at its address: an embedded one can be reached from this machine alone.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context

from server.access import system
from server.db.engine import Database
from server.reports import backtest
from server.reports.backtest import Candidate, Course, Share, share
from varde.progress import counted

_SHARE_MAX = 5  # patients; few, so that nobody waits long for the last share


class SpreadError(Exception):
    """The patients could not be shared out as asked; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """In how many processes, or on which cluster."""

    processes: int = 1
    dask: str | None = None


def gone_through(database: Database, tried: Candidate, patients: Sequence[str], where: Where) -> Course:
    """Every one of these patients; raises `SpreadError`, `NotFoundError` and `CandidateError`."""
    if where.processes < 1:
        raise SpreadError("--processes: at least 1")
    if where.dask is None and where.processes == 1:
        return backtest.gone_through(database, system(), tried, counted(patients, "patients"))
    shares = shared_out(database.address, tried, patients)
    course = Course()
    for done in _on_cluster(where.dask, shares) if where.dask else _in_processes(where.processes, shares):
        course.add(done)
    return course


def shared_out(address: str, tried: Candidate, patients: Sequence[str]) -> tuple[Share, ...]:
    """The patients in shares of a few."""
    parts = (tuple(patients[start : start + _SHARE_MAX]) for start in range(0, len(patients), _SHARE_MAX))
    return tuple(Share(address=address, tried=tried, patients=part) for part in parts)


def _in_processes(count: int, shares: Sequence[Share]) -> Iterator[Course]:
    # Started afresh rather than forked: a connection to a database must not be in two processes.
    with ProcessPoolExecutor(max_workers=count, mp_context=get_context("spawn")) as pool:
        try:
            yield from counted_as_done(pool.map(share, shares), len(shares))
        except BrokenProcessPool:
            raise SpreadError("a process ended before its share was done") from None


def _on_cluster(address: str, shares: Sequence[Share]) -> Iterator[Course]:
    try:
        from varde.cohort_dask import on_cluster  # an extra: most installations have no cluster
    except ModuleNotFoundError as error:
        raise SpreadError(f"--dask: {error.name} is not installed (pip install 'varde[cohort]')") from None
    yield from counted_as_done(on_cluster(address, share, shares), len(shares))


def counted_as_done(done: Iterator[Course], count: int) -> Iterator[Course]:
    """Each of them, saying how far it is."""
    for _, each in zip(counted(range(count), "shares"), done, strict=True):
        yield each
