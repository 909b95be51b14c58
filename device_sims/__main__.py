"""`varde simulate`: the air of a town, and one frame sent by one of its devices."""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from device_sims import control
from vitals.clock import Clock, clock_from

if TYPE_CHECKING:
    from device_sims.town import TownHome

_LOG = logging.getLogger("device_sims")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", stream=sys.stderr)
    try:
        return int(arguments.act(arguments))
    except control.ControlError as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="varde simulate", description="Virtual devices on a virtual radio.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    air = commands.add_parser("air", help="run the air of every home of a town until interrupted")
    air.add_argument("--town", type=Path, required=True, help="the town file (TOML)")
    air.add_argument("--data", type=Path, required=True, help="folder for sockets; its clock.json is the time")
    air.add_argument("--interval-ms", type=int, default=100, help="between advertisements (default: 100)")
    air.set_defaults(act=_air)
    send = commands.add_parser("send", help="let a device of the running demo say these bytes")
    send.add_argument("address", metavar="ADDRESS", help="the device's Bluetooth address")
    send.add_argument("frame", metavar="HEX", type=_frame, help='the bytes, for example 0053004800; "" for none')
    send.add_argument(
        "--characteristic", metavar="UUID", help="for example 2A5E (oximeter) or 2A35 (cuff); default: the device's own"
    )
    send.add_argument("--cut", action="store_true", help="lose the link before the confirmation; it is sent again")
    send.add_argument("--wait", type=float, default=60.0, help="seconds to wait for the gateway (default: 60)")
    send.add_argument("--data", type=Path, help="the demo's data folder (default: $VARDE_DATA, or the one that runs)")
    send.set_defaults(act=_send)
    return parser


def _frame(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text[:60]!r} is not hexadecimal: {error}") from None


def _send(arguments: argparse.Namespace) -> int:
    order = control.Send(
        address=arguments.address,
        frame=arguments.frame,
        characteristic=arguments.characteristic,
        cut=arguments.cut,
        wait_s=arguments.wait,
    )
    print(control.send(arguments.data or control.default_data(), order))
    return 0


def _air(arguments: argparse.Namespace) -> int:
    from device_sims.homes import HomeError
    from device_sims.town import TownError, read_town

    try:
        homes = read_town(arguments.town)
        asyncio.run(_run(homes, arguments.data.absolute(), arguments.interval_ms))
    except (TownError, HomeError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


async def _run(homes: Sequence["TownHome"], data: Path, interval_ms: int) -> None:
    from device_sims.control_server import ControlServer
    from device_sims.homes import House, Time, live
    from device_sims.quiet import hush

    hush()
    stored = data / "clock.json"
    clock = clock_from(stored if stored.exists() else None)
    folder = data / "air"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    began, since = _began(folder / "began.json", clock)
    time = Time(clock=clock, began=began)
    houses = [House(home, data, number, time, interval_ms) for number, home in enumerate(homes, 1)]
    server = ControlServer(houses, data)
    ended = _interrupts()
    try:
        for house in houses:
            await house.open()
        await server.start()
        lives = [
            asyncio.create_task(live(house, person, since), name=person.key)
            for house in houses
            for person in house.home.persons
        ]
        with _pointed_at(data):
            _LOG.info("the air of %d homes is open in %s", len(houses), data)
            await asyncio.wait([ended, *lives], return_when=asyncio.FIRST_COMPLETED)
        for life in lives:
            if life.done():
                life.result()  # a life that ended is a defect: let it be seen
            life.cancel()
    finally:
        await server.stop()
        for house in houses:
            await house.close()


def _began(path: Path, clock: Clock) -> tuple[datetime, datetime]:
    """When the lives in this folder began, and since when they go on: nobody measures while the air is off."""
    now = clock.now()
    if path.exists():
        return datetime.fromisoformat(json.loads(path.read_text())["began"]), now
    path.write_text(json.dumps({"began": now.isoformat()}))
    return now, now


def _interrupts() -> "asyncio.Task[None]":
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)

    async def wait() -> None:
        await ended.wait()

    return loop.create_task(wait())


@contextlib.contextmanager
def _pointed_at(data: Path) -> Iterator[None]:
    """While the air runs, `varde simulate send` finds it without being told where."""
    pointer = control.pointer()
    try:
        pointer.parent.mkdir(parents=True, exist_ok=True)
        pointer.write_text(f"{data}\n")
    except OSError as error:  # a home that cannot be written to: --data is needed then
        _LOG.info("the pointer %s was not written: %s", pointer, error.strerror)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if pointer.read_text().strip() == str(data):
                os.unlink(pointer)  # noqa: PTH108


if __name__ == "__main__":
    sys.exit(main())
