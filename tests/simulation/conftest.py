"""A quiet ground for simulated streets."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from tests.simulation.running import hush
from tests.simulation.street import Ground, ground


@pytest.fixture(scope="session")
def built() -> Iterator[Ground]:
    """Where streets are built, for all seeds of this process."""
    with ground() as made:
        yield made


@pytest.fixture(autouse=True)
def hushed() -> Iterator[None]:
    """No log of thousands of faults."""
    hush()
    yield
    structlog.reset_defaults()
    logging.disable(logging.NOTSET)
