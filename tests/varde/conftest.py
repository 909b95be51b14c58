"""Where commands find their data."""

import shutil
from pathlib import Path

import pytest

from server.db.engine import file_address


@pytest.fixture
def address(migrated: Path, tmp_path: Path) -> str:
    """The embedded file in a data folder; what a command does with another database is tried in tests/server."""
    shutil.copy(migrated, tmp_path / "varde.db")
    return file_address(tmp_path / "varde.db")
