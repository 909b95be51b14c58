"""One running demo for all journeys of a module: starting it costs more than most of them."""

from collections.abc import Iterator

import pytest

from tests.broker import free_port
from tests.journeys.running import Demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo at its usual speed, in a folder and on a port of its own."""
    running = Demo(data=tmp_path_factory.mktemp("d") / "demo", port=free_port())
    try:
        yield running.start()
    finally:
        running.stop()
