"""What happens to a line between two parts of the street, and what must have come through once it is over.

Real are the spool, the uplink, Mosquitto, the server's roles and the databases. Whatever the line does, nothing is lost
and nothing stored twice, and the next reading comes through soon after it is well again.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

from structlog.testing import capture_logs

from server.app import keep_running
from server.ingest.mqtt import Broker
from server.ingest.worker import Ingest
from server.parts import Parts
from server.watch.worker import Watch
from tests.faults.home import Home, seen
from tests.faults.proxy import CALM, Line, Weather
from tests.server.world import START

NOW = START + timedelta(hours=1)
_SOON_S = 20.0  # after the line is well; a few are enough, but for a loaded machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A weather, and by what it is seen to have struck: cut or dialled anew so often, gone, or `lasts_s`.

    Without any of these everything comes through in spite of it.
    """

    weather: Weather = CALM
    cuts: int = 0
    dials: int = 0
    lasts_s: float = 0.0
    stranded: bool = False
    refused: bool = False
    readings: int = 12


FAULTS = {
    "nobody there": Fault(refused=True),
    "turned away": Fault(weather=Weather(turned_away=True), cuts=3),
    "reset in mid-packet": Fault(weather=Weather(cut_after=(1, 900), reset=True), cuts=4),
    "cut after some bytes": Fault(weather=Weather(cut_after=(200, 2500)), cuts=2),
    "half-open": Fault(stranded=True, dials=1),
    "blackhole": Fault(weather=Weather(held=True), dials=1),
    "one byte at a time": Fault(weather=Weather(piece=1)),
    "300 bytes a second": Fault(weather=Weather(bytes_per_s=300, piece=30), readings=2),
    "late by up to a second": Fault(weather=Weather(delay_s=(0.0, 1.0)), readings=4),
}


async def live_through(fault: Fault, line: Line, home: Home, is_gone: Callable[[], bool] = lambda: True) -> None:
    """Some readings before, some during and one after the fault."""
    home.measure(3)
    await home.drained()
    cuts, dials = line.cuts, len(line.dialled)
    _strike(fault, line)
    struck_at = monotonic()
    home.measure(fault.readings)
    if fault.refused or fault.cuts or fault.dials or fault.lasts_s:
        await seen(lambda: line.cuts >= cuts + fault.cuts and len(line.dialled) >= dials + fault.dials)
        await seen(lambda: monotonic() > struck_at + fault.lasts_s and (is_gone() or not fault.refused))
    else:
        await home.drained()
    if fault.lasts_s:
        assert home.spool.depth == fault.readings  # nothing is receipted that cannot be on its way to a disk
    line.weather = CALM
    line.listen()
    line.reset_stranded()
    home.measure(1)
    well_at = monotonic()
    await home.drained()
    assert monotonic() - well_at < _SOON_S


def _strike(fault: Fault, line: Line) -> None:
    if fault.refused or fault.weather.turned_away:
        line.refuse()
    if fault.stranded:
        line.strand()
    line.weather = fault.weather
    if not fault.refused:
        line.listen()


@contextmanager
def serving(*roles: Ingest | Watch) -> Iterator[None]:
    """The roles, each in its thread, started again when it fails."""
    stop = threading.Event()
    threads = [threading.Thread(target=keep_running, args=(role, stop)) for role in roles]
    for thread in threads:
        thread.start()
    try:
        with capture_logs():  # what is said of a lost line is long to print
            yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(15)
            assert not thread.is_alive()


def ingest(parts: Parts) -> Ingest:
    return Ingest(parts, Broker(parts.settings, parts.clock))
