"""Brings a database to today's tables: all steps in one transaction, so that a kill leaves it as it was."""

from pathlib import Path
from typing import Protocol

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from server.db.engine import Database

_STEPS = Path(__file__).parent / "migrations"


class HasAddress(Protocol):
    """Settings, as far as a migration needs them."""

    @property
    def database_address(self) -> str: ...


class WrongTablesError(Exception):
    """The database is older or newer than this program."""


def upgrade(settings: HasAddress) -> None:
    """Bring the database named in the settings to today's tables; harmless when it is there already."""
    database = Database(settings.database_address)
    try:
        upgrade_database(database)
    finally:
        database.close()


def upgrade_database(database: Database) -> None:
    """Bring this database to today's tables."""
    config = _config()
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check(database: Database) -> None:
    """Raise `WrongTablesError` unless the tables are those of this program."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    with database.read() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found != newest:
        raise WrongTablesError(f"the database is at step {found or 'none'}, this program needs {newest}: varde migrate")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_STEPS))
    return config
