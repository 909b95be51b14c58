"""One running demo for all journeys of a module: starting it costs more than most of them."""

from collections.abc import Iterator

import pytest

from tests import postgres
from tests.broker import free_port
from tests.journeys.running import Demo


@pytest.fixture(scope="module", params=["file", "cluster"])
def address(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Where a new database of the module's own is; None: wherever the embedded one is put."""
    if request.param == "file":
        yield None
        return
    cluster: postgres.Cluster = request.getfixturevalue("cluster")
    with cluster.empty() as shared:
        yield shared


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, address: str | None) -> Iterator[Demo]:
    """A demo at its usual speed, in a folder and on a port of its own."""
    running = Demo(data=tmp_path_factory.mktemp("d") / "demo", port=free_port(), database=address)
    try:
        yield running.start()
    finally:
        running.stop()
