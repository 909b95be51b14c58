"""`varde gateway --settings FILE`: the gateway of one home."""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from gateway.radio import RadioSilent
from gateway.relay import Clocks, RelayEnded, run
from gateway.settings import Settings, SettingsError, load
from gateway.spool import SpoolBroken
from gateway.supervisor import keep_telling
from gateway.time_sync import is_synchronised
from vitals.clock import SystemClock, clock_from

_STOP_S = 10  # a Bluetooth stack that hangs must not keep the supervisor from starting us again

log = logging.getLogger("gateway")


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT: 0 after a clean stop, 1 when disk or radio failed, 2 for wrong settings, 3 when
    no adapter hears anybody any more and only a new process can help."""
    parser = argparse.ArgumentParser(prog="varde gateway", description="Relay what the devices of one home say.")
    parser.add_argument("--settings", required=True, type=Path, metavar="FILE", help="TOML, see gateway/settings.py")
    parser.add_argument("--verbose", action="store_true", help="log every step")
    arguments = parser.parse_args(argv)
    _log_to_stderr(logging.DEBUG if arguments.verbose else logging.INFO)
    try:
        settings = load(arguments.settings)
        sure = is_synchronised if settings.clock is None else _always
        clocks = Clocks(given=clock_from(settings.clock), real=SystemClock(), sure=sure)
    except (SettingsError, OSError, ValueError) as error:
        print(f"varde gateway: {error}", file=sys.stderr)
        return 2
    try:
        asyncio.run(_until_told(settings, clocks))
    except SettingsError as error:  # what only shows when the radio is built: a backend that is not there
        print(f"varde gateway: {error}", file=sys.stderr)
        return 2
    except RadioSilent as error:
        log.critical("stopped reason=%r", str(error))
        return 3
    except (SpoolBroken, RelayEnded) as error:
        log.critical("stopped reason=%r", str(error))
        return 1
    finally:
        signal.alarm(0)
    return 0


def _always() -> bool:
    return True  # a demonstration's clock is what its files say


async def _until_told(settings: Settings, clocks: Clocks) -> None:
    from gateway.radio_bleak import BleakRadio  # bleak only when there is a radio to run

    stop = asyncio.Event()

    def told() -> None:
        stop.set()
        signal.alarm(_STOP_S)  # and if that does not do, the system's own default for this signal does

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told)
    telling = asyncio.create_task(keep_telling())
    try:
        await run(settings, BleakRadio(settings.adapters, clocks.given, sure=clocks.sure), clocks, stop)
    finally:
        telling.cancel()
        await asyncio.wait([telling])


def _log_to_stderr(level: int) -> None:
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s level=%(levelname)s from=%(name)s %(message)s"
    )
    log.setLevel(level)  # our own lines; of libraries only what goes wrong


if __name__ == "__main__":
    sys.exit(main())
