"""The meter's memory, asked over bleak: what it reports, what it refuses, and that it keeps everything."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest
from bleak.exc import BleakError, BleakGATTProtocolError
from hypothesis import given
from hypothesis import strategies as st

from device_sims.encode import Glucose, GlucoseContext
from device_sims.peripherals import Glucometer, Moment
from device_sims.peripherals.glucometer import MEMORY
from device_sims.record_access import AccessError, read_request
from tests.device_sims.home import DEADLINE_S, eventually

ALL, COUNT_ALL, ABORT = "0101", "0401", "0300"
DONE, NOTHING = "06000101", "06000106"


def record(sequence):
    return bytes(Glucose(sequence=sequence, base_time=None))


class Asker:
    """What came on each characteristic of one connection."""

    def __init__(self, client):
        self.client = client
        self.heard = []
        self.answers = []

    async def listen(self, *uuids):
        for uuid in uuids:
            await self.client.start_notify(uuid, lambda _c, data: self.heard.append(bytes(data)))
        await self.client.start_notify("2A52", lambda _c, data: self.answers.append(bytes(data).hex()))

    async def ask(self, request):
        """The answer to a request to the memory."""
        known = len(self.answers)
        await self.client.write_gatt_char("2A52", bytes.fromhex(request), response=True)
        await eventually(lambda: len(self.answers) > known)
        return self.answers[-1]


@asynccontextmanager
async def asking(home, backend, *uuids):
    async with home.client(backend, await home.find(backend)) as client:
        asker = Asker(client)
        await asker.listen(*(uuids or ("2A18", "2A34")))
        yield asker


async def test_it_says_nothing_unasked_then_everything_and_deletes_nothing(home):
    meter = await home.add(Glucometer, bonded=True)
    stored = [meter.store(record(number)) for number in (1, 2, 5)]
    context = meter.store(bytes(GlucoseContext(sequence=2, meal=3)), "2A34")
    async with home.backend() as backend, asking(home, backend) as asker:
        await asyncio.sleep(0.05)
        assert asker.heard == []
        assert await asker.ask(ALL) == DONE
        assert asker.heard == [*(each.frame for each in stored), context.frame]
        assert await asker.ask(ALL) == DONE
        assert len(asker.heard) == 8
    assert len(meter.records) == 4
    assert all(each.handed_over.done() for each in meter.records)
    assert not meter.has_news


@pytest.mark.parametrize(
    ("request_", "numbers", "answer"),
    [
        ("0103010300", [3, 4], DONE),
        ("0103010500", [], NOTHING),
        ("0102010200", [1, 2], DONE),
        ("010401020003" + "00", [2, 3], DONE),
        ("0105", [1], DONE),
        ("0106", [4], DONE),
        (COUNT_ALL, [], "05000400"),
        ("0403010300", [], "05000200"),
        ("0201", [], "06000202"),  # delete all: not here
        ("0100", [], "06000103"),
        ("0109", [], "06000104"),
        ("010301", [], "06000105"),
        ("01030207e4", [], "06000109"),
        ("01040103000200", [], "06000105"),
        ("", [], "06000002"),
        (ABORT, [], "06000307"),  # nothing to abort
    ],
)
async def test_every_request_has_its_answer(home, request_, numbers, answer):
    meter = await home.add(Glucometer)
    for number in (1, 2, 3, 4):
        meter.store(record(number))
    async with home.backend() as backend, asking(home, backend) as asker:
        assert await asker.ask(request_) == answer
        assert asker.heard == [record(number) for number in numbers]
    assert len(meter.records) == 4


async def test_an_empty_memory_says_so(home):
    meter = await home.add(Glucometer)
    meter.store(record(1))
    async with home.backend() as backend, asking(home, backend) as asker:
        meter.records.clear()
        assert await asker.ask(ALL) == NOTHING


async def test_a_report_can_be_aborted_and_asked_for_again(home):
    meter = await home.add(Glucometer)
    meter.pace_s = 3600.0
    meter.store(record(1))
    async with home.backend() as backend, asking(home, backend) as asker:
        await asker.client.write_gatt_char("2A52", bytes.fromhex(ALL), response=True)
        with pytest.raises(BleakGATTProtocolError) as refused:
            await asker.client.write_gatt_char("2A52", bytes.fromhex(ALL), response=True)
        assert refused.value.code == 0xFE  # procedure already in progress
        assert await asker.ask(ABORT) == "06000301"
        assert meter.has_news
        meter.pace_s = 0.0
        assert await asker.ask(ALL) == DONE
        assert asker.heard == [record(1)]


async def test_who_does_not_listen_may_not_ask(home):
    meter = await home.add(Glucometer)
    meter.store(record(1))
    async with home.backend() as backend, home.client(backend, await home.find(backend)) as client:
        for listens in ("2A18", "2A34"):  # to the records, but not to the answer
            await client.start_notify(listens, lambda *_: None)
            with pytest.raises(BleakGATTProtocolError) as refused:
                await client.write_gatt_char("2A52", bytes.fromhex(ALL), response=True)
            assert refused.value.code == 0xFD
        with pytest.raises(BleakGATTProtocolError) as refused:
            await client.read_gatt_char("2A52")
        assert refused.value.code == 0x02


@pytest.mark.parametrize("moment", [Moment.ASKED, Moment.SAID, Moment.ANSWERED])
async def test_a_link_lost_on_the_way_leaves_everything_to_be_asked_for_again(home, moment):
    meter = await home.add(Glucometer)
    last = [meter.store(record(number)) for number in (1, 2)][-1]
    meter.lose_link_at(moment)
    async with home.backend() as backend:
        async with home.client(backend, await home.find(backend)) as client:
            asker = Asker(client)
            await asker.listen("2A18", "2A34")
            with suppress(BleakError):
                await client.write_gatt_char("2A52", bytes.fromhex(ALL), response=True)
            await eventually(lambda: not client.is_connected)
            assert (len(asker.heard), asker.answers) == ({"asked": 0, "said": 1, "answered": 2}[moment], [])
        assert not last.handed_over.done()
        async with asking(home, backend) as again:
            assert await again.ask(ALL) == DONE
            assert again.heard == [record(1), record(2)]
        await asyncio.wait_for(last.handed_over, DEADLINE_S)


async def test_the_oldest_record_makes_room(home):
    meter = await home.add(Glucometer)
    for number in range(MEMORY + 2):
        meter.store(record(number))
    assert len(meter.records) == MEMORY
    assert meter.records[0].frame == record(2)


@given(st.binary(max_size=12), st.lists(st.integers(0, 0xFFFF), unique=True).map(sorted))
def test_no_request_asks_for_what_is_not_there(frame, numbers):
    with suppress(AccessError):
        assert set(read_request(frame).chosen(numbers)) <= set(numbers)
