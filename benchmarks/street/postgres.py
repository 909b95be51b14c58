"""A PostgreSQL of the benchmarks' own, durable as it comes, kept between runs so that a town is built once."""

import fcntl
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from benchmarks.results import FOLDER
from server.db.engine import Database
from server.db.migrate import upgrade_database
from varde.demo.broker import free_port

_USER = "varde"
_OWNER = "postgres"  # who runs it when we are root, which PostgreSQL refuses to
_ELSEWHERE = Path("/var/tmp/varde-benchmarks")  # where that user may not enter the checkout
# Buffers as an installation of this size would have; everything that makes it durable stays as it comes.
_SETTINGS = {"shared_buffers": "512MB", "max_wal_size": "4GB", "max_connections": "200"}
_MIGRATED = "migrated"
_RUNNING: list["Cluster"] = []


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running PostgreSQL."""

    folder: Path
    port: int
    made: set[str] = field(default_factory=set)  # templates of this run

    @property
    def pid(self) -> int:
        """Its first process."""
        return int((self.folder / "data" / "postmaster.pid").read_text().splitlines()[0])

    def address(self, name: str = "postgres") -> str:
        """The address of one of its databases."""
        return f"postgresql://{_USER}@127.0.0.1:{self.port}/{name}"

    def has(self, name: str) -> bool:
        """Whether there is such a database."""
        return bool(self.ask(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"))

    def tell(self, statement: str) -> None:
        """One statement outside every transaction."""
        engine = create_engine(self.address().replace("://", "+psycopg://"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()

    @contextmanager
    def copy(self, name: str, template: str) -> Iterator[str]:
        """The address of a new database made after `template`, dropped at the end."""
        self.drop(name)
        self.tell(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        try:
            yield self.address(name)
        finally:
            self.drop(name)

    @contextmanager
    def migrated(self, name: str) -> Iterator[str]:
        """The address of a new database with today's tables, dropped at the end; migrated once and copied."""
        if _MIGRATED not in self.made:
            self.drop(_MIGRATED)
            self.tell(f"CREATE DATABASE {_MIGRATED}")
            database = Database(self.address(_MIGRATED))
            upgrade_database(database)
            database.close()
            self.made.add(_MIGRATED)
        with self.copy(name, _MIGRATED) as address:
            yield address

    def drop(self, name: str) -> None:
        """Without it, whoever is still connected."""
        self.tell(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def ask(self, statement: str) -> list[Any]:
        """The rows that a statement finds."""
        engine = create_engine(self.address().replace("://", "+psycopg://"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            rows = list(connection.exec_driver_sql(statement))
        engine.dispose()
        return [*rows]


@contextmanager
def running() -> Iterator[Cluster]:
    """The benchmarks' cluster, made when there is none; stopped at the end and kept. Inside another, that one."""
    if _RUNNING:
        yield _RUNNING[-1]
        return
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError(f"another benchmark is running in {folder.parent}") from None
        with _started(folder) as cluster:
            _RUNNING.append(cluster)
            try:
                yield cluster
            finally:
                _RUNNING.pop()


@contextmanager
def _started(folder: Path) -> Iterator[Cluster]:
    if os.geteuid() == 0:
        owner = pwd.getpwnam(_OWNER)
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    data = folder / "data"
    if not (data / "PG_VERSION").exists():
        shutil.rmtree(data, ignore_errors=True)
        _as_owner("initdb", "-D", str(data), "-U", _USER, "--auth=trust", "--encoding=UTF8", "--locale=C")
    elif (data / "postmaster.pid").exists():
        _as_owner("pg_ctl", "stop", "-D", str(data), "-m", "fast", "-w", check=False)  # of a run that was cut short
    port = free_port()
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    options += "".join(f" -c {name}={value}" for name, value in _SETTINGS.items())
    _as_owner("pg_ctl", "start", "-D", str(data), "-l", str(folder / "log"), "-o", options, "-w", "-t", "60")
    try:
        yield Cluster(folder, port)
    finally:
        _as_owner("pg_ctl", "stop", "-D", str(data), "-m", "fast", "-w", "-t", "60")


def programs() -> Path:
    """The folder with `initdb` and `pg_ctl`; Debian keeps them off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        raise FileNotFoundError("PostgreSQL is not installed; on Debian: apt install postgresql")
    return found[-1] if found else Path(str(on_path)).parent


def _folder() -> Path:
    """Under `build/` where the cluster's owner may enter it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    may = os.geteuid() != 0 or all(each.stat().st_mode & 0o001 for each in (FOLDER, *FOLDER.parents))
    return (FOLDER if may else _ELSEWHERE) / "cluster"


def _as_owner(program: str, *words: str, check: bool = True) -> None:
    command = [str(programs() / program), *words]
    if os.geteuid() == 0:
        command = ["runuser", "-u", _OWNER, "--", *command]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if check and done.returncode:
        raise RuntimeError(f"{program}: {(done.stderr or done.stdout).strip()[-800:]}")
