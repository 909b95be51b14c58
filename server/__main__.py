"""The server's commands: serve, migrate, token, enrol-gateway. Reads settings, prints, and holds no logic."""

import argparse
import gc
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import OperationalError

from server import logs
from server.access import Role
from server.care import people
from server.care.credentials import NewToken, create_token
from server.care.kits import NewGateway, enrol_gateway
from server.db.engine import Database
from server.db.migrate import WrongTablesError, check, upgrade
from server.settings import RoleName, Settings, SettingsError, settings_from
from server.vault import VaultError, open_vault
from vitals.clock import SystemClock, clock_from
from vitals.topics import TopicError

if TYPE_CHECKING:
    from server.app import App

# How long a thread that comes back from the database waits for one that computes. Python's own 5 ms, ten times in a
# batch, took longer than the batch.
_TURN_SECONDS = 0.001
# How many new objects before Python looks for rings among them; a batch of a thousand readings makes as many, and none.
_NEW_OBJECTS = 20_000


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it did what was asked, 2 with a sentence on standard error when it could not.

    1 of `serve`: it ended by itself and is to be started again.
    """
    given = _parser().parse_args(argv)
    try:
        settings = settings_from({name: getattr(given, name, None) for name in Settings.model_fields})
        command: Any = given.command
        return int(command(settings, given))
    except (SettingsError, WrongTablesError, VaultError, TopicError, people.NotFoundError, OSError) as error:
        print(f"varde: {error}", file=sys.stderr)
        return 2
    except OperationalError as error:  # its own text may hold an address with a password
        print(f"varde: the database does not answer ({type(error.orig).__name__})", file=sys.stderr)
        return 2


def serve(settings: Settings, _given: argparse.Namespace) -> int:
    """Run until SIGINT or SIGTERM: 0; 1 when the disk under the embedded database failed, to be started again."""
    logs.set_up(settings.log_level)
    sys.setswitchinterval(_TURN_SECONDS)
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    app = _built(settings)
    gc.set_threshold(_NEW_OBJECTS)
    print(f"serving: {app.url or settings.role}", flush=True)
    app.run(stop)
    return 1 if app.is_broken else 0


def _built(settings: Settings) -> "App":
    """What serves. All that is loaded for it stays: to look through it again and again frees nothing."""
    gc.disable()  # took an eighth of the start
    try:
        from server.app import build  # the web framework is not needed for the other commands

        app = build(settings, clock_from(settings.clock))
        gc.freeze()
    finally:
        gc.enable()
    return app


def migrate(settings: Settings, _given: argparse.Namespace) -> int:
    """Bring the database to today's tables."""
    settings.data.mkdir(parents=True, exist_ok=True)
    upgrade(settings)
    print("migrate: the database has today's tables")
    return 0


def token(settings: Settings, given: argparse.Namespace) -> int:
    """Create a token and print its secret, once."""
    with _opened(settings) as database, database.write() as connection:
        team = people.find_team(connection, given.team)
        new = NewToken(municipality=team.municipality, team=team.id, role=Role(given.for_role), label=given.label)
        secret = create_token(connection, new, SystemClock().now())
    print(secret)
    return 0


def enrol(settings: Settings, given: argparse.Namespace) -> int:
    """Let a gateway in and print its key, once."""
    vault = open_vault(settings.vault_path, create=False)
    with _opened(settings) as database, database.write() as connection:
        municipality = people.find_municipality(connection, given.municipality)
        new = NewGateway(id=given.gateway, municipality=municipality)
        key = enrol_gateway(connection, vault, new, clock_from(settings.clock).now())
    print(key.hex())
    return 0


@contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    database = Database(settings.database_address)
    try:
        check(database)
        yield database
    finally:
        database.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="varde", description="The server: receives, remembers, watches, tells, shows."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--data", type=Path, help="folder of database and keys (VARDE_DATA)")
    shared.add_argument("--database", metavar="URL", help="address of the database; default: a file in --data")

    words = "receive, remember, watch, tell, show"
    serving = commands.add_parser("serve", prog="varde server", parents=[shared], help=words)
    serving.set_defaults(command=serve)
    serving.add_argument("--role", choices=[each.value for each in RoleName])
    serving.add_argument("--clock", type=Path, help="file of a shared fast clock")
    serving.add_argument("--login", choices=["none", "demo"])
    serving.add_argument("--host", dest="web_host")
    serving.add_argument("--port", dest="web_port", type=int)
    serving.add_argument("--mqtt-host")
    serving.add_argument("--mqtt-port", type=int)
    serving.add_argument("--log-level", choices=["debug", "info", "warning", "error"])

    migrating = commands.add_parser("migrate", parents=[shared], help="bring the database to today's tables")
    migrating.set_defaults(command=migrate)

    tokens = commands.add_parser("token", help="tokens of the API").add_subparsers(required=True, metavar="WHAT")
    creating = tokens.add_parser("create", parents=[shared], help="create a token; its secret is shown once")
    creating.set_defaults(command=token)
    people_roles = [each.value for each in Role if each is not Role.SYSTEM]
    creating.add_argument("--role", dest="for_role", required=True, choices=people_roles)
    creating.add_argument("--team", required=True, help="name or id of the team")
    creating.add_argument("--label", default="made on the command line", help="what it is for")

    enrolling = commands.add_parser("enrol-gateway", parents=[shared], help="let a gateway in; prints its key once")
    enrolling.set_defaults(command=enrol)
    enrolling.add_argument("gateway", help="its id: small letters, digits, hyphens")
    enrolling.add_argument("--municipality", help="its four-digit number; not needed where there is only one")
    return parser


if __name__ == "__main__":
    sys.exit(main())
