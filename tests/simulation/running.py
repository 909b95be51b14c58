"""Many seeds on several cores: each worker has a ground of its own."""

import gc
import logging
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.util import Finalize

import structlog

from tests.simulation.street import Ground, Outcome, ground

_held: list[Ground] = []  # a worker's own


def outcomes(seeds: range, jobs: int) -> Iterator[Outcome]:
    """What each of the seeds came to, in their order. Raises `BrokenProcessPool` when a worker ends."""
    with ProcessPoolExecutor(jobs, get_context("spawn"), _begin) as pool:
        yield from pool.map(_run, seeds, chunksize=10)


def hush() -> None:
    """Every fault is logged, as it should be, and there are thousands; nobody reads them here."""
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _begin() -> None:
    hush()
    keeper = ground()
    _held.append(keeper.__enter__())
    Finalize(None, keeper.__exit__, args=(None, None, None), exitpriority=1)  # workers end without unwinding
    gc.freeze()


def _run(seed: int) -> Outcome:
    return _held[0].run(seed)
