"""A PostgreSQL of the tests' own: an ordinary user's cluster in a folder of its own, on a socket and a free port."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from sqlalchemy import Connection, create_engine

from server.db.engine import Database
from server.db.migrate import upgrade_database

_USER = "varde"  # the cluster's superuser; a name inside it alone
_OWNER = "postgres"  # who runs it when the tests run as root, which PostgreSQL refuses to
_START_SECONDS = 60
_TEMPLATE = "migrated"
_SHAPE = """
    SELECT md5(string_agg(line, ',' ORDER BY line)) FROM (
        SELECT concat_ws(' ', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull,
                         pg_get_expr(adbin, adrelid)) AS line
        FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
        UNION ALL
        SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL
        SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL
        SELECT setconfig::text FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase
        WHERE datname = current_database()
    ) AS all_of_it
"""
_OTHERS_OUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_EMPTYING = """
    SELECT string_agg(statement, '; ') FROM (
        SELECT format('DELETE FROM %%I', tablename) AS statement FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
        UNION ALL
        SELECT format('ALTER SEQUENCE %%I RESTART', sequencename) FROM pg_sequences WHERE schemaname = 'public'
    ) AS all_of_it
"""


def programs() -> Path:
    """The folder with `initdb` and `pg_ctl`; Debian keeps them off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        raise FileNotFoundError("PostgreSQL is not installed; on Debian: apt install postgresql")
    return found[-1] if found else Path(str(on_path)).parent


class Cluster:
    """A running PostgreSQL."""

    def __init__(self, folder: Path, port: int, *, durable: bool) -> None:
        self.folder = folder
        self.port = port
        self._durable = durable
        self._as_migrated = ""  # the template's shape; empty: there is none yet
        self._free: list[str] = []
        self._names = (f"test_{number}" for number in count(1))

    def address(self, name: str = "postgres") -> str:
        """The address of one of its databases."""
        return f"postgresql://{_USER}@127.0.0.1:{self.port}/{name}"

    @contextmanager
    def empty(self) -> Iterator[str]:
        """The address of a new database without tables, dropped at the end."""
        name = next(self._names)
        self.tell(f"CREATE DATABASE {name}")
        yield self.address(name)
        self.tell(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def migrated(self) -> Iterator[str]:
        """The address of a database after all migrations, without a row, nobody else's until the end.

        Migrated once and copied; a copy is emptied and lent again, for a new one takes thirty times as long.
        """
        if not self._as_migrated:
            self.tell(f"CREATE DATABASE {_TEMPLATE}")
            database = Database(self.address(_TEMPLATE))
            upgrade_database(database)
            database.close()
            self._as_migrated = self._shape(_TEMPLATE)
        if not self._free:
            self._free.append(next(self._names))
            self.tell(f"CREATE DATABASE {self._free[-1]} TEMPLATE {_TEMPLATE}")
        name = self._free.pop()
        yield self.address(name)
        if self._shape(name) == self._as_migrated:
            self._empty(name)
            self._free.append(name)
        else:  # a test of the tables themselves
            self.tell(f"DROP DATABASE {name} WITH (FORCE)")

    def _shape(self, name: str) -> str:
        """What tables, columns, indexes, constraints, triggers and settings a database has, in a word."""
        with self.connected(name) as connection:
            return str(connection.exec_driver_sql(_SHAPE).scalar())

    def _empty(self, name: str) -> None:
        """Take every row out and let the numbers begin anew; whoever is still connected is not any more."""
        with self.connected(name) as connection:
            connection.exec_driver_sql(_OTHERS_OUT)
            connection.exec_driver_sql("SET session_replication_role = replica")  # past the tables that only grow
            connection.exec_driver_sql(str(connection.exec_driver_sql(_EMPTYING).scalar()))

    def tell(self, statement: str) -> None:
        """One statement to the cluster itself, outside every transaction."""
        with self.connected("postgres") as connection:
            connection.exec_driver_sql(statement)

    @contextmanager
    def connected(self, name: str) -> Iterator[Connection]:
        """A connection to one of its databases, outside every transaction."""
        engine = create_engine(self.address(name).replace("://", "+psycopg://"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            yield connection
        engine.dispose()

    def stop(self, how: str = "fast") -> None:
        """Stop it: smart, fast or immediate."""
        _as_owner("pg_ctl", "stop", "-D", str(self.folder / "data"), "-m", how, "-w", "-t", str(_START_SECONDS))

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
        options += "" if self._durable else " -c fsync=off -c full_page_writes=off"
        log = str(self.folder / "log")
        data, wait = str(self.folder / "data"), str(_START_SECONDS)
        _as_owner("pg_ctl", "start", "-D", data, "-l", log, "-o", options, "-w", "-t", wait)


@contextmanager
def running(*, durable: bool = True) -> Iterator[Cluster]:
    """A new cluster, removed at the end; `durable=False` where no test takes its power away."""
    with tempfile.TemporaryDirectory(prefix="varde-pg-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            owner = pwd.getpwnam(_OWNER)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        data = str(folder / "data")
        _as_owner("initdb", "-D", data, "-U", _USER, "--auth=trust", "--encoding=UTF8", "--locale=C", "-N")
        cluster = Cluster(folder, _free_port(), durable=durable)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop("immediate")


def _as_owner(program: str, *words: str) -> None:
    command = [str(programs() / program), *words]
    if os.geteuid() == 0:
        command = ["runuser", "-u", _OWNER, "--", *command]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise RuntimeError(f"{program}: {(done.stderr or done.stdout).strip()[-800:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
