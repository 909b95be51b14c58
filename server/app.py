"""The only place where the server's parts are put together, and where its roles live and die.

Each role runs in a thread of its own until it is told to stop. One that fails is started again: what it was doing was
a transaction, and the database knows what is still to be done.
"""

import gc
import socket
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import structlog
from sqlalchemy import func, select

from server.db import tables
from server.db.bell import Bell
from server.db.engine import Database
from server.db.migrate import check, upgrade_database
from server.ingest.mqtt import Broker
from server.ingest.worker import Ingest
from server.metrics import MetricsPage
from server.notify.ways import operations_of, ways_of
from server.notify.worker import Notify
from server.parts import Parts
from server.settings import RoleName, Settings
from server.vault import Vault, open_vault
from server.watch.lookout import Lookout
from server.watch.worker import Watch
from vitals.clock import Clock

_RESTART_SECONDS = 1.0
_STOP_SECONDS = 10.0
# Python counts objects until it looks for rings among them: where little happens, half an hour, and some megabytes.
_TIDY_SECONDS = 60.0

_log = structlog.get_logger("varde.server")


class Role(Protocol):
    """A part of the server with a loop."""

    @property
    def name(self) -> str:
        """How logs call it."""
        ...

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, then return soon."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A server ready to run. `url` is None where no pages are served."""

    parts: Parts
    roles: Sequence[Role]
    url: str | None
    listener: socket.socket | None = None

    def run(self, stop: threading.Event) -> None:
        """Run every role until `stop` or until the disk under the database fails; then wait for them and close."""
        self.parts.database.when_broken(stop.set)
        threads = [threading.Thread(target=keep_running, args=(role, stop), name=role.name) for role in self.roles]
        for thread in threads:
            thread.start()
        while not stop.wait(_TIDY_SECONDS):
            gc.collect()  # some ten milliseconds; what was loaded at the start is not looked through
        if self.is_broken:
            _log.critical("the disk failed under the database; only a new process may go on")
        for thread in threads:
            thread.join(_STOP_SECONDS)
            if thread.is_alive():
                _log.error("role did not stop", role=thread.name)
        self.close()

    @property
    def is_broken(self) -> bool:
        """Whether it ended because the disk failed."""
        return self.parts.database.is_broken

    def close(self) -> None:
        """Give back port and database."""
        if self.listener is not None:
            self.listener.close()
        self.parts.database.close()


def build(settings: Settings, clock: Clock) -> App:
    """Open the database and put together the roles that the settings name.

    An embedded database is brought to today's tables first; any other must be there already (`varde migrate`).
    """
    settings.data.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database_address)
    try:
        return _put_together(settings, clock, database)
    except BaseException:
        database.close()
        raise


def _put_together(settings: Settings, clock: Clock, database: Database) -> App:
    database.settle()
    if database.is_embedded:
        upgrade_database(database)
    check(database)
    parts = Parts(settings=settings, clock=clock, database=database, vault=_vault(settings, database))
    wanted = {each for each in RoleName if settings.role in (RoleName.ALL, each)}
    roles: list[Role] = [] if database.is_embedded else [_bell(parts, wanted)]
    if RoleName.INGEST in wanted:
        roles.append(Ingest(parts, Broker(settings, clock)))
    if RoleName.WATCH in wanted:
        roles.append(Watch(parts))
    if RoleName.NOTIFY in wanted:
        roles.append(Notify(parts, ways_of(parts)))
    roles.append(Lookout(parts, operations_of(settings)))
    if settings.deadman_url is not None:
        from server.deadman import DeadMan

        roles.append(DeadMan(parts, settings.deadman_url.get_secret_value()))
    if RoleName.WEB not in wanted:
        if settings.metrics_port is not None:
            roles.append(MetricsPage(parts.metrics, settings.web_host, settings.metrics_port))
        return App(parts=parts, roles=roles, url=None)
    from server.web.serving import Web, build_pages, listen  # costs a second, for which no other role should wait

    listener = listen(settings)
    roles.append(Web(build_pages(parts), listener))
    host = f"[{settings.web_host}]" if ":" in settings.web_host else settings.web_host
    url = f"http://{host}:{listener.getsockname()[1]}"
    return App(parts=parts, roles=roles, url=url, listener=listener)


def _bell(parts: Parts, wanted: Collection[RoleName]) -> Bell:
    """What is rung here rings in the other processes too, and the other way round for those who wait for it."""
    nudges = {
        "watch": (parts.wake_watch, RoleName.WATCH),
        "notify": (parts.wake_notify, RoleName.NOTIFY),
        "changed": (parts.changed, RoleName.WEB),
    }
    bell = Bell(parts.database, {name: nudge.hear for name, (nudge, waits) in nudges.items() if waits in wanted})
    for name, (nudge, _) in nudges.items():
        nudge.tell(partial(bell.tell, name))
    return bell


def keep_running(role: Role, stop: threading.Event) -> None:
    """Run a role, again and again if it fails, until `stop`."""
    while not stop.is_set():
        try:
            role.run(stop)
        except Exception as error:  # noqa: BLE001 - a fault in one role must not end the others
            _log.error("role failed", role=role.name, exc_info=error)
            stop.wait(_RESTART_SECONDS)


def _vault(settings: Settings, database: Database) -> Vault:
    """The vault; a new key only where nothing was closed with another."""
    with database.read() as connection:
        closed = sum(
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (tables.person, tables.gateway)
        )
    return open_vault(settings.vault_path, create=closed == 0)
