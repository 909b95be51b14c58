"""A quiet ground for simulated streets."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from tests.simulation.street import Ground, ground


@pytest.fixture(scope="session")
def built() -> Iterator[Ground]:
    """Where streets are built, for all seeds of this process."""
    with ground() as made:
        yield made


@pytest.fixture(autouse=True)
def hushed() -> Iterator[None]:
    """Every fault is logged, as it should be, and there are thousands; nobody reads them here."""
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()
    logging.disable(logging.NOTSET)
