"""A town with its past as a database to copy: made once, found again as long as nothing that shaped it has changed.

The first `Past.offline` patients have measured nothing for three days, because their gateways were away; the rules have
judged each of the first `Past.judged` for real, and what they then remembered is copied for the others, whose readings
are the same but for whose they are.
"""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection, Table, delete

from benchmarks.results import FOLDER, ROOT
from benchmarks.street import town
from benchmarks.street.postgres import Cluster
from benchmarks.street.town import NOW
from server.db import tables
from server.db.engine import Database
from server.db.migrate import upgrade_database
from server.vault import open_vault
from server.watch.evaluate import evaluate

AWAY = timedelta(hours=72)
_SHAPING = ("alerts", "server/db", "server/vault.py", "server/watch", "server/care", "vitals")
_COPIED = (tables.reading, tables.measurement, tables.memory, tables.due)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """How large the town is."""

    patients: int = 20_000
    offline: int = 500
    judged: int = 1_000  # of these, the offline ones first


TOWN = Past()
VILLAGE = Past(patients=2_000, offline=10, judged=110)
HAMLET = Past(patients=600, offline=10, judged=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A database to copy, and the folder with the key that opens its names."""

    name: str
    folder: Path


def stored(cluster: Cluster, past: Past) -> Stored:
    """The town, made now if it is not there."""
    name = f"town_{past.patients}_{_digest(past)}"
    folder = FOLDER / name
    if cluster.has(name) and (folder / "vault.key").exists():
        return Stored(name=name, folder=folder)
    folder.mkdir(parents=True, exist_ok=True)
    cluster.drop(name)
    cluster.drop("town_unfinished")
    cluster.tell("CREATE DATABASE town_unfinished")
    with closing(Database(cluster.address("town_unfinished"))) as database:
        upgrade_database(database)
        _build(database, folder, past)
    cluster.tell(f"ALTER DATABASE town_unfinished RENAME TO {name}")
    return Stored(name=name, folder=folder)


def _build(database: Database, folder: Path, past: Past) -> None:
    vault = open_vault(folder / "vault.key", create=True)
    with database.write() as connection:
        made = town.settle(connection, vault, past.patients, plans=True)
        until = [(number, NOW - AWAY if number < past.offline else NOW) for number in range(past.judged)]
        count = town.remember(connection, made, until)
        connection.execute(delete(tables.due))
        _number_on(connection, tables.reading, count)
    for number in range(past.judged):
        with database.write() as connection:
            evaluate(connection, town.patient_id(number), NOW)
    with database.write() as connection:
        _copy_others(connection, past, count)
    with database.glance() as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")  # as the database itself does within such a past


def _copy_others(connection: Connection, past: Past, count: int) -> None:
    """The past of each patient not judged, after one of those who were."""
    connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # the originals were checked
    times = -(-past.patients // max(past.judged - past.offline, 1))
    connection.exec_driver_sql(
        "CREATE TEMP TABLE likeness AS SELECT "
        f"'patient-' || lpad(({past.offline} + mod(n - {past.judged}, {past.judged - past.offline}))::text, 6, '0')"
        " AS model, 'patient-' || lpad(n::text, 6, '0') AS patient_id, 'gw-' || lpad(n::text, 6, '0') AS gateway_id,"
        f" (1 + (n - {past.judged}) / {past.judged - past.offline})::bigint * {count} AS further,"
        " '02:00:00:' || upper(regexp_replace(lpad(to_hex(n), 6, '0'), '(..)(..)(..)', '\\1:\\2:\\3')) AS device"
        f" FROM generate_series({past.judged}, {past.patients - 1}) AS n"
    )
    own = {
        "patient_id": "likeness.patient_id",
        "gateway_id": "likeness.gateway_id",
        "device": "likeness.device",
        "seq": "model.seq + likeness.further",
        "reading_seq": "model.reading_seq + likeness.further",
    }
    for table in _COPIED:
        names = [column.name for column in table.columns]
        chosen = ", ".join(own.get(name, f"model.{name}") for name in names)
        connection.exec_driver_sql(
            f"INSERT INTO {table.name} ({', '.join(names)}) SELECT {chosen}"
            f" FROM {table.name} AS model JOIN likeness ON likeness.model = model.patient_id"
        )
    _number_on(connection, tables.reading, count * (times + 2))


def _number_on(connection: Connection, table: Table, highest: int) -> None:
    connection.exec_driver_sql(f"SELECT setval('{table.name}_seq_seq', {highest + 1})")


def _digest(past: Past) -> str:
    total = hashlib.sha256(repr(past).encode())
    for own in (Path(town.__file__), Path(__file__)):
        total.update(own.read_bytes())
    for folder in _SHAPING:
        for path in sorted([ROOT / folder, *(ROOT / folder).rglob("*")]):
            if path.suffix in (".py", ".toml"):
                total.update(path.read_bytes())
    return total.hexdigest()[:12]


def _forget_older(cluster: Cluster, found: Stored, past: Past) -> None:
    """Drop towns of this size that something has changed since."""
    size = f"town_{past.patients}_"
    for (name,) in cluster.ask(f"SELECT datname FROM pg_database WHERE starts_with(datname, '{size}')"):
        if name != found.name:
            cluster.drop(name)
    for folder in FOLDER.glob(f"{size}*"):
        if folder != found.folder:
            shutil.rmtree(folder)


@contextmanager
def copied(cluster: Cluster, past: Past, name: str) -> Iterator[tuple[str, Path]]:
    """The address of a copy of the town, dropped at the end, and the folder with its key."""
    found = stored(cluster, past)
    _forget_older(cluster, found, past)
    with cluster.copy(name, found.name) as address:
        yield address, found.folder
