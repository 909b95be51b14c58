"""A home, opened and closed around each test that asks for one."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.device_sims import home as homes


@pytest.fixture
def short_folder() -> Iterator[Path]:
    folder = homes.short_folder()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
async def home(short_folder: Path) -> AsyncIterator[homes.Home]:
    place = homes.Home(short_folder)
    await place.server.start()
    yield place
    await place.close()
