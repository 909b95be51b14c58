"""What is done with a device, and in which order; the device is a hand-made one, the loop is the real one."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.health import Health
from gateway.kinds import KINDS
from gateway.link import LinkFailed
from gateway.radio import KnownDevice, Notification, Recall, Session, SessionState
from gateway.talk import Listener, Talk
from gateway.visits import Visits
from gateway.waits import Waits
from tests.gateway.hand_link import HandDevice, HandLink, HandStack
from vitals.clock import ManualClock

NOW = datetime(2026, 7, 1, 6, 0, tzinfo=UTC)
WAITS = Waits(quiet=0.05, drain=1.0, records=60.0, answer=0.3, farewell=0.2, connect=1.0, session=2.0)
ADDRESS = "C0:FF:EE:00:00:07"
SHOWN = bytes.fromhex("ea07070108000003" + "0000")  # 2026-07-01 08:00:00, which is right in Oslo


def record(sequence: int, day: int = 1) -> bytes:
    """A 2A18 record: base time in July 2026, 5.5 mmol/L."""
    return bytes([0x06]) + sequence.to_bytes(2, "little") + bytes.fromhex(f"ea0707{day:02x}080000") + b"\x37\xc0\x11"


class Home:
    """Somebody who listens; `recall` is what is remembered of the device."""

    def __init__(self, kind: str, model: str | None = None) -> None:
        self.known = KnownDevice(address=ADDRESS, kind=kind, model=model)
        self.heard: list[Notification] = []
        self.sessions: list[Session] = []
        self.recall: Recall | None = None
        self.health = Health()
        self.pairs = False
        self.sure = True

    async def visit(self, device: HandDevice, waits: Waits = WAITS) -> SessionState:
        listener = Listener(
            hear=self.heard.append,
            report=self._report,
            clock=ManualClock(NOW),
            health=self.health,
            pairs=lambda _: self.pairs,
            sure=lambda: self.sure,
        )
        return await Talk(listener, waits).with_device(
            Visits(self.known, waits), HandStack(device), object(), lambda: None
        )

    def _report(self, session: Session) -> Recall | None:
        self.sessions.append(session)
        return self.recall

    def frames(self, characteristic: str) -> list[bytes]:
        return [each.payload for each in self.heard if each.characteristic == characteristic]


def meter(*records: bytes, answer: bytes = bytes.fromhex("06000101"), refuses: bytes = b"") -> HandDevice:
    """A glucose meter; `refuses` is an operator and filter that it does not know."""

    async def asked(link: HandLink, uuid: str, request: bytes) -> None:
        await asyncio.sleep(0)
        if refuses and request[1:].startswith(refuses):
            link.heard["2A52"](bytes.fromhex("06000103"))
            return
        least = int.from_bytes(request[3:5], "little") if request[1] == 3 else 0
        wanted = [each for each in records if int.from_bytes(each[1:3], "little") >= least]
        for each in wanted:
            link.heard["2A18"](each)
        link.heard["2A52"](answer if wanted else bytes.fromhex("06000106"))

    return HandDevice(speaks=("2A18", "2A34", "2A52"), on_write=asked)


@pytest.mark.parametrize(
    ("kind", "speaks"),
    [(name, kind.measurements) for name, kind in KINDS.items() if kind.measurements and kind.records is None],
)
async def test_every_kind_is_subscribed_in_its_order_and_left_in_order(kind: str, speaks: tuple[str, ...]) -> None:
    home, device = Home(kind), HandDevice(speaks=speaks, values={"2A19": b"\x50"})
    assert await home.visit(device) is SessionState.ENDED
    assert device.done == ["connect", *(f"subscribe {each}" for each in speaks), "read 2A19", "disconnect"]
    assert home.frames("2A19") == [b"\x50"]


async def test_a_device_without_what_it_was_enrolled_for_is_left_at_once() -> None:
    device = HandDevice(speaks=("2A35",))
    with pytest.raises(LinkFailed, match="has none of 2A1C"):
        await Home("thermometer").visit(device)
    assert device.done == ["connect", "disconnect"]


async def test_a_meter_is_asked_for_everything_only_when_all_is_subscribed() -> None:
    home, device = Home("glucometer"), meter(record(1), record(2))
    assert await home.visit(device) is SessionState.ENDED
    assert device.done[:5] == ["connect", "subscribe 2A18", "subscribe 2A34", "subscribe 2A52", "write 2A52 0101"]
    assert home.frames("2A18") == [record(1), record(2)]


async def test_a_known_meter_is_asked_from_the_newest_known_record() -> None:
    home, device = Home("glucometer"), meter(record(1), record(2), record(3))
    home.recall = Recall(sequence=2, frame=record(2))
    assert await home.visit(device) is SessionState.ENDED
    assert [each for each in device.done if each.startswith("write")] == ["write 2A52 0103010200"]
    assert home.frames("2A18") == [record(2), record(3)]


@pytest.mark.parametrize(
    ("memory", "reason"),
    [
        ((record(1, day=9),), "a lower count"),
        ((record(499, day=8), record(500, day=9)), "the count has come past the old one again"),
        ((), "empty"),
    ],
)
async def test_a_meter_whose_memory_was_reset_is_asked_for_everything(memory: tuple[bytes, ...], reason: str) -> None:
    home, device = Home("glucometer"), meter(*memory)
    home.recall = Recall(sequence=500, frame=record(500))
    assert await home.visit(device) is SessionState.ENDED, reason
    assert [each for each in device.done if each.startswith("write")] == ["write 2A52 010301f401", "write 2A52 0101"]
    assert set(home.frames("2A18")) == set(memory)


async def test_a_meter_that_knows_no_filter_is_asked_for_everything() -> None:
    home, device = Home("glucometer"), meter(record(7), record(8), refuses=b"\x03")
    home.recall = Recall(sequence=7, frame=record(7))
    assert await home.visit(device) is SessionState.ENDED
    assert home.frames("2A18") == [record(7), record(8)]


async def test_a_refusal_is_said_and_counted_and_is_no_orderly_end(caplog: pytest.LogCaptureFixture) -> None:
    home, device = Home("glucometer"), meter(refuses=b"\x01")
    assert await home.visit(device) is SessionState.CUT
    assert home.health.device(ADDRESS).records_refused == 1
    assert "request 0101 answered with code 3" in caplog.text


@pytest.mark.parametrize("how", ["silent", "gone", "nonsense"])
async def test_a_meter_that_gives_no_answer_is_left_after_its_time_and_not_taken_for_read(how: str) -> None:
    async def asked(link: HandLink, _uuid: str, _request: bytes) -> None:
        link.heard["2A18"](record(1))
        if how == "gone":
            link.lose()
        if how == "nonsense":
            link.heard["2A52"](b"\x05\x00\x01\x00")

    home = Home("glucometer")
    device = HandDevice(speaks=("2A18", "2A34", "2A52"), on_write=asked)
    waits = replace(WAITS, answer=60.0) if how == "gone" else WAITS
    async with asyncio.timeout(10):
        assert await home.visit(device, waits) is SessionState.CUT
    assert home.frames("2A18") == [record(1)]


async def test_a_meter_that_goes_on_for_ever_is_left_after_its_time() -> None:
    async def asked(link: HandLink, _uuid: str, _request: bytes) -> None:
        for number in range(1000):
            await asyncio.sleep(0.01)
            link.heard["2A18"](record(number))

    home, device = Home("glucometer"), HandDevice(speaks=("2A18", "2A34", "2A52"), on_write=asked)
    async with asyncio.timeout(5):
        assert await home.visit(device, replace(WAITS, records=0.3, drain=0.2)) is SessionState.CUT
    assert home.frames("2A18")[:2] == [record(0), record(1)]


async def test_a_slow_meter_that_goes_on_is_waited_for() -> None:
    async def asked(link: HandLink, _uuid: str, _request: bytes) -> None:
        for number in range(6):
            await asyncio.sleep(0.1)
            link.heard["2A18"](record(number))
        link.heard["2A52"](bytes.fromhex("06000101"))

    home, device = Home("glucometer"), HandDevice(speaks=("2A18", "2A34", "2A52"), on_write=asked)
    assert await home.visit(device) is SessionState.ENDED
    assert len(home.frames("2A18")) == 6


async def test_nothing_in_a_meter_is_ever_deleted() -> None:
    home, device = Home("glucometer"), meter(record(1))
    for recall in (None, Recall(sequence=1, frame=record(1)), Recall(sequence=9, frame=record(9))):
        home.recall = recall
        await home.visit(device)
    requests = [each.split()[2] for each in device.done if each.startswith("write")]
    assert len(requests) == 4
    assert {each[:2] for each in requests} == {"01"}


@pytest.mark.parametrize(
    ("model", "shown", "writes"),
    [
        ("A&D UA-651BLE", SHOWN, True),
        ("Omron HEM-7361T", SHOWN, False),
        ("Omron HEM-7361T", SHOWN[:5] + b"\x0b" + SHOWN[6:], True),  # 11 minutes ahead
        ("Omron HEM-7361T", b"\x00\x00" + SHOWN[2:], True),  # year 0: it was never set
        ("Something new", b"\xb2\x07" + SHOWN[2:], False),
        (None, SHOWN, False),
    ],
)
async def test_a_clock_is_read_before_the_records_and_set_after_them_where_the_model_wants_it(
    model: str | None, shown: bytes, writes: bool
) -> None:
    async def notify(link: HandLink, uuid: str) -> None:
        if uuid == "2A2B":
            link.heard[uuid](shown)

    home = Home("cuff", model)
    device = HandDevice(speaks=("2A35",), values={"2A2B": shown, "2A19": b"\x50"}, on_subscribe=notify)
    assert await home.visit(device) is SessionState.ENDED
    written = [f"write 2A2B {SHOWN[:8].hex()}0001"] if writes else []
    asks = ["subscribe 2A2B"] if model and model.startswith("Omron") else []
    assert device.done == ["connect", "read 2A2B", "subscribe 2A35", *asks, *written, "read 2A19", "disconnect"]
    assert home.frames("2A2B") == [shown]
    assert home.health.device(ADDRESS).clock_sets == writes


@pytest.mark.parametrize(("notifies", "writes"), [(True, False), (False, True)])
async def test_a_cuff_that_does_not_ask_for_the_time_is_left_alone_if_it_could_have(
    notifies: bool, writes: bool
) -> None:
    wrong = SHOWN[:5] + b"\x0b" + SHOWN[6:]
    mute = () if notifies else ("2A2B",)
    device = HandDevice(speaks=("2A35",), values={"2A2B": wrong}, mute=mute)
    assert await Home("cuff", "Omron HEM-7361T").visit(device) is SessionState.ENDED
    assert any(each.startswith("write") for each in device.done) is writes


async def test_no_clock_is_set_by_one_that_may_be_wrong() -> None:
    home, device = Home("cuff", "Beurer BM85"), HandDevice(speaks=("2A35",), values={"2A2B": SHOWN})
    home.sure = False
    assert await home.visit(device) is SessionState.ENDED
    assert not any(each.startswith("write") for each in device.done)


async def test_a_clock_that_cannot_be_set_costs_nothing() -> None:
    device = HandDevice(speaks=("2A35",), values={"2A2B": SHOWN}, unwritable=("2A2B",))
    assert await Home("cuff", "Beurer BM 77").visit(device) is SessionState.ENDED


async def test_a_device_is_bonded_when_a_person_wants_it() -> None:
    home, device = Home("cuff"), HandDevice(speaks=("2A35",))
    home.pairs = True
    await home.visit(device)
    assert device.done[0] == "connect and pair"
