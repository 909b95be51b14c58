"""`varde demo`: start everything, say when it is ready, keep it running, end it all."""

import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from types import FrameType

from rich.console import Console

from device_sims import control
from server.db.engine import DatabaseAddressError, check_answers, file_address
from server.vault import VaultError
from varde.demo import broker, enrol, kits, ready, serving
from varde.demo.children import Child, KeepsDyingError, end_all
from varde.demo.folder import ZONE, Folder, FolderBusyError, stamp_time, start_clock
from varde.demo.handover import Handover, write_handover
from varde.demo.keys import Keys, keys_for
from varde.demo.town import TOWN_FILE, Town, read_town
from vitals.clock import ScaledClock, SystemClock

_READY_WITHIN_S = 150.0  # twenty seconds on two idle cores; a loaded machine may need several times that
_BROKER_WITHIN_S = 20.0
_AIR_WITHIN_S = 60.0
_LOOK_S = 0.2
_STAMP_S = 1.0
_SOCKET_PATH_MAX = 100  # of the 104 to 108 bytes that systems allow

# Gateways say goodbye while their adapters, the server and the broker are still there.
_AFTER_GATEWAYS = 1
_LAST = 2

EXIT_FAILED = 1
EXIT_REFUSED = 2
EXIT_INTERRUPTED = 130


class RefusedError(RuntimeError):
    """The demo cannot start like this; says what to change. Nothing was started."""


class NotReadyError(RuntimeError):
    """Everything runs, but it did not become ready in time; says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asked for."""

    port: int
    data: Path
    speed: float
    exit_after: float | None = None
    database: str | None = None  # its address; None: a file in `data`


@dataclass(slots=True, kw_only=True)
class House:
    """One started demo: its folder, people, secrets, time and processes."""

    options: Options
    folder: Folder
    town: Town
    keys: Keys
    clock: ScaledClock
    console: Console
    children: list[Child] = field(default_factory=list)
    stamped_at: float = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.options.port}"

    @property
    def database(self) -> str:
        """The address of the server's database."""
        return self.options.database or file_address(self.folder.database)

    def watch(self) -> None:
        """Stamp the time, restart what ended and say so; raises `KeepsDyingError`."""
        if monotonic() - self.stamped_at >= _STAMP_S:
            self.stamped_at = monotonic()
            stamp_time(self.folder, self.clock)
        for child in self.children:
            news = child.watch()
            if news:
                self.console.print(news, markup=False)


def run(options: Options) -> int:
    """Run the demo until it is interrupted or its time is over; returns the exit code."""
    console = Console(highlight=False, soft_wrap=True)
    folder = Folder(options.data)
    was_ready = False
    try:
        with _interruptible(), _prepared(options, folder), _running(options, folder, console) as house:
            _wait_ready(house)
            was_ready = True
            sys.stdout.write(f"ready: {house.url}\n")
            sys.stdout.flush()
            _keep_running(house)
            return 0
    except KeyboardInterrupt:
        return 0 if was_ready else EXIT_INTERRUPTED
    except (RefusedError, FolderBusyError) as refusal:
        console.print(f"refused: {refusal}", markup=False)
        return EXIT_REFUSED
    except VaultError as failure:
        # The people in it do not exist, so nothing is lost; still nobody's folder is emptied unasked.
        console.print(f"failed: {failure}; remove {options.data} and start again, or name another --data", markup=False)
        return EXIT_FAILED
    except (KeepsDyingError, NotReadyError) as failure:
        console.print(f"failed: {failure}", markup=False)
        return EXIT_FAILED


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and a closed terminal all end the demo in the same way."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in numbers:  # once is enough: what follows is the ending, which must not be interrupted
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _prepared(options: Options, folder: Folder) -> Iterator[None]:
    """Hold the folder after checking what would otherwise fail half way; raises `RefusedError` or `FolderBusyError`."""
    _refuse_database(options.database)
    longest = max(len(os.fsencode(kits.air_socket(folder, home))) for home in read_town().homes)
    if longest > _SOCKET_PATH_MAX:
        raise RefusedError(f"{folder.root} is too long a path for the sockets in it; choose a shorter one with --data")
    try:
        folder.make()
    except OSError as error:
        raise RefusedError(f"{folder.root} cannot be used: {error.strerror}; choose another with --data") from None
    with folder.locked():
        _refuse_busy_port(options.port)
        yield


def _refuse_database(address: str | None) -> None:
    if address is None:
        return
    try:
        check_answers(address)
    except DatabaseAddressError as error:
        raise RefusedError(f"{error}; name another with --database") from None


def _refuse_busy_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise RefusedError(f"port {port} cannot be used: {error.strerror}; choose another with --port") from None


@contextmanager
def _running(options: Options, folder: Folder, console: Console) -> Iterator[House]:
    """Everything started; at the end everything ended and the time stamped."""
    town = read_town()
    keys = keys_for(folder, [*(home.gateway for home in town.homes), town.script_gateway])
    clock = start_clock(folder, SystemClock().now(), options.speed)
    console.print(f"demo: {town.municipality}, {len(town.residents)} people who do not exist; data in {folder.root}")
    house = House(options=options, folder=folder, town=town, keys=keys, clock=clock, console=console)
    try:
        enrolled = enrol.enrol_once(folder, house.database, town, keys, clock)
        console.print(
            f"time: {clock.now().astimezone(ZONE):%a %d %b %H:%M} in Oslo, running {options.speed:g} times as fast"
        )
        port = _start_broker(house)
        server = _start_others(house, port)
        script = keys.gateways[town.script_gateway]
        handover = Handover(
            url=house.url,
            broker_port=port,
            town=town,
            enrolled=enrolled,
            keys=script,
            metrics=serving.metrics(server, house.url),
        )
        write_handover(folder, handover)
        yield house
    finally:
        if house.children:
            console.print("ending: gateways, air, server, broker")
        end_all(house.children)
        stamp_time(folder, clock, clean=True)


def _start_broker(house: House) -> int:
    """Start the broker on a free port and return the port; raises `NotReadyError`."""
    accounts = [
        *(
            broker.gateway_account(home.gateway, house.keys.gateways[home.gateway].password)
            for home in house.town.homes
        ),
        broker.script_account(house.town.script_gateway, house.keys.gateways[house.town.script_gateway].password),
        broker.server_account(house.keys.server_password),
    ]
    port = broker.free_port()
    program = broker.mosquitto_path()
    if program:
        command = broker.mosquitto_command(program, house.folder.broker, port, accounts)
        house.console.print(f"broker: Mosquitto on port {port}")
    else:
        command = broker.amqtt_command(house.folder.broker, port, accounts)
        house.console.print(broker.FALLBACK_NOTICE)
    child = Child(name="broker", command=command, log=house.folder.log / "broker.log", ends=_LAST)
    house.children.append(child)
    child.start()
    if not broker.wait_until_open(port, _BROKER_WITHIN_S):
        raise NotReadyError(f"the broker does not listen on port {port}. The end of its log:\n{child.tail()}")
    return port


def _start_others(house: House, broker_port: int) -> Sequence[Child]:
    """Start server, air and gateways; returns the server's processes."""
    varde = [sys.executable, "-m", "varde"]
    server = serving.children(
        serving.Serving(
            address=house.database,
            log=house.folder.log,
            environment=_server_environment(house, broker_port),
            ends=_AFTER_GATEWAYS,
        )
    )
    air = Child(
        name="air",
        command=[*varde, "simulate", "air", "--town", str(TOWN_FILE), "--data", str(house.folder.root)],
        log=house.folder.log / "air.log",
        ends=_AFTER_GATEWAYS,
    )
    gateways = [_gateway_child(house, each.gateway, broker_port) for each in house.town.homes]
    house.children += [air, *server]
    for child in (*server, air):
        child.start()
    _wait_air(house)
    house.children += gateways
    for child in gateways:
        child.start()
    processes = "server" if len(server) == 1 else f"server in {len(server)} processes"
    house.console.print(f"started: {processes}, air and {len(gateways)} gateways; logs in {house.folder.log}")
    return server


def _wait_air(house: House) -> None:
    """Let the virtual adapters be there before the gateways look for theirs; raises `NotReadyError`."""
    deadline = monotonic() + _AIR_WITHIN_S
    while not control.is_running(house.folder.root):
        house.watch()
        if monotonic() > deadline:
            raise NotReadyError(f"the virtual radio does not answer; its log is {house.folder.log / 'air.log'}")
        sleep(_LOOK_S)


def _gateway_child(house: House, gateway: str, broker_port: int) -> Child:
    home = next(each for each in house.town.homes if each.gateway == gateway)
    settings = kits.write_settings(
        house.folder,
        home,
        house.keys.gateways[home.gateway],
        broker=kits.BrokerPlace(port=broker_port),
        timezone=house.town.timezone,
    )
    command = [sys.executable, "-m", "varde", "gateway", "--settings", str(settings)]
    return Child(name=gateway, command=command, log=house.folder.log / f"{gateway}.log")


def _server_environment(house: House, broker_port: int) -> dict[str, str]:
    return {
        "VARDE_DATA": str(house.folder.root),
        "VARDE_CLOCK": str(house.folder.clock),
        "VARDE_LOGIN": "demo",
        "VARDE_PUBLIC_URL": house.url,
        "VARDE_NOTICES_TO_LOG": "true",
        "VARDE_PUSH_CONTACT": "https://varde.example",  # whoever switches a browser on sees a notice there
        "VARDE_WEB_PORT": str(house.options.port),
        "VARDE_MQTT_HOST": "127.0.0.1",
        "VARDE_MQTT_PORT": str(broker_port),
        **broker.environment_of(broker.server_account(house.keys.server_password)),
    }


def _wait_ready(house: House) -> None:
    """Return once pages answer, every gateway is connected and the air runs; raises `NotReadyError`."""
    deadline = monotonic() + _READY_WITHIN_S
    gateways = [home.gateway for home in house.town.homes]
    said: set[str] = set()
    while True:
        house.watch()
        steps = ready.look(house.url, house.folder, house.database, gateways, house.clock.epoch)
        for step in steps:
            if step.done and step.name not in said:
                said.add(step.name)
                house.console.print(f"  {step.name}: {step.words}", markup=False)
        if all(step.done for step in steps):
            return
        if monotonic() > deadline:
            missing = "; ".join(f"{step.name}: {step.words}" for step in steps if not step.done)
            raise NotReadyError(f"not ready after {_READY_WITHIN_S:g} s ({missing}); logs in {house.folder.log}")
        sleep(_LOOK_S)


def _keep_running(house: House) -> None:
    """Watch the processes until `exit_after` is over or an interrupt comes."""
    started = monotonic()
    while house.options.exit_after is None or monotonic() - started < house.options.exit_after:
        house.watch()
        sleep(_LOOK_S)
