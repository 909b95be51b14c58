"""What every test gets: log calls that must format, deterministic properties, and a broker for the asking."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from structlog.dev import ConsoleRenderer, plain_traceback

from server.db import engine
from tests import compiled, postgres
from tests.broker import Mosquitto

# ci: the same examples on every machine, so that a red run can be repeated. deep: a long search, by hand.
settings.register_profile("ci", derandomize=True, deadline=None, database=None, print_blob=True)
settings.register_profile("deep", max_examples=5_000, deadline=None)
settings.load_profile(os.environ.get("VARDE_HYPOTHESIS", "ci"))

# What nobody has set up draws every logged traceback in colours and boxes, with all locals: a third of a second each.
ConsoleRenderer.get_active().exception_formatter = plain_traceback


HOUSE = ("vitals", "alerts", "gateway", "device_sims", "server", "varde")


class _Formatted(logging.Handler):
    """Formats every record where it was logged, so that a wrong call raises in the test that made it."""

    def emit(self, record: logging.LogRecord) -> None:
        record.getMessage()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        raise AssertionError(f"log call cannot be formatted: {record.msg!r} with {record.args!r}")


@pytest.fixture(autouse=True)
def log_calls_format() -> Iterator[None]:
    """Fail the test in which one of our log calls has arguments that do not fit its text, at any level."""
    handler = _Formatted(logging.DEBUG)
    loggers = [logging.getLogger(name) for name in HOUSE]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)


@pytest.fixture(scope="session", autouse=True)
def statements_are_compiled_once() -> Iterator[None]:
    """Let all databases that tests open in this process share what they have compiled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "create_engine", compiled.once(engine.create_engine))
        yield


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A real Mosquitto that anyone may use, gone at the end of the test."""
    with Mosquitto(tmp_path / "broker") as running:
        yield running


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres.Cluster]:
    """A running PostgreSQL; nobody takes its power away, so it does not wait for the disk."""
    with postgres.running(durable=False) as found:
        yield found
