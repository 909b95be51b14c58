"""The adapter's loop on a stack by hand: silences, steps, counts, and the end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.adapter import Adapter, Home
from gateway.broadcasts import Broadcasts
from gateway.health import Health
from gateway.link import Bond, NotAuthenticated, Sighting, Stack
from gateway.radio import KnownDevice, RadioSilent, unreported
from gateway.talk import Listener, Talk
from gateway.visits import Visits
from gateway.waits import Waits
from gateway.watchdog import Watchdog
from tests.gateway.hand_link import HandDevice, HandStack
from tests.gateway.waiting import until
from vitals.clock import ManualClock

CUFF = KnownDevice(address="C0:FF:EE:00:00:08", kind="cuff")
QUICK = Waits(quiet=0.02, drain=0.2, session=1.0, silence=0.03, given_up=0.5, again=0.01, again_max=0.02)


def make(stack: HandStack, waits: Waits = QUICK, fail: bool = False) -> tuple[Adapter, Health]:
    health, clock = Health(), ManualClock(datetime(2026, 11, 22, tzinfo=UTC))
    listener = Listener(hear=lambda _: None, report=unreported, clock=clock, health=health)
    home = Home(
        visits={CUFF.address: Visits(CUFF, waits)},
        broadcasts=Broadcasts((), clock, listener.hear, unreported),
        talk=Talk(listener, waits),
        waits=waits,
        watchdog=Watchdog(waits.given_up),
        health=health,
    )

    @asynccontextmanager
    async def opened() -> AsyncIterator[Stack]:
        if fail and stack.scans:
            raise OSError("no such adapter")
        yield stack

    return Adapter("hci0", opened, home), health


@asynccontextmanager
async def running(adapter: Adapter) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(adapter.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=5)


async def test_a_silent_house_is_scanned_anew_and_reset_in_turn_and_never_given_up() -> None:
    stack = HandStack()
    adapter, health = make(stack, replace(QUICK, given_up=0.1))
    async with running(adapter) as task:
        await until(lambda: stack.resets >= 3)
        assert not task.done()
    counts = health.adapter("hci0")
    assert counts.resets == stack.resets
    assert counts.rescans in (counts.resets, counts.resets + 1)


async def test_a_house_that_fell_silent_ends_the_run_after_the_other_steps() -> None:
    stack = HandStack()
    adapter, health = make(stack)
    async with running(adapter) as task:
        await until(lambda: stack.scans)
        stack.note(Sighting(address="11:22:33:44:55:66", handle=None))
        await asyncio.wait([task], timeout=10)
        with pytest.raises(RadioSilent, match=r"adapter hci0: nobody heard for 0\.5 s"):
            task.result()
    assert stack.resets >= 2
    assert len(health.adapter("hci0").strangers) == 1


async def test_an_adapter_that_does_not_come_back_ends_the_run_too() -> None:
    stack = HandStack()
    adapter, health = make(stack, replace(QUICK, given_up=0.2), fail=True)
    async with running(adapter) as task:
        await until(lambda: stack.scans)
        stack.note(Sighting(address="11:22:33:44:55:66", handle=None))
        await asyncio.wait([task], timeout=10)
        with pytest.raises(RadioSilent, match="no such adapter"):
            task.result()
    assert health.adapter("hci0").failures >= 1


@pytest.mark.parametrize(("bonded", "bond"), [(True, Bond.LOST), (False, Bond.REFUSED)])
async def test_whose_fault_a_missing_bond_is_depends_on_who_has_the_keys(bonded: bool, bond: Bond) -> None:
    stack = HandStack(HandDevice(refuses=NotAuthenticated("no")), bonded=bonded)
    adapter, health = make(stack, replace(QUICK, silence=5.0))
    async with running(adapter):
        await until(lambda: stack.scans)
        stack.note(Sighting(address=CUFF.address, handle=None))
        await until(lambda: health.device(CUFF.address).failures)
    assert health.device(CUFF.address).bonds == {"hci0": bond}


async def test_a_stack_that_cannot_even_say_who_is_bonded_does_not_end_it() -> None:
    class Hung(HandStack):
        async def bonded(self, _address: str) -> bool | None:
            raise TimeoutError

    stack = Hung(HandDevice(refuses=NotAuthenticated("no")))
    adapter, health = make(stack, replace(QUICK, silence=5.0))
    async with running(adapter):
        await until(lambda: stack.scans)
        stack.note(Sighting(address=CUFF.address, handle=None))
        await until(lambda: health.device(CUFF.address).bonds)
    assert health.device(CUFF.address).bonds == {"hci0": Bond.REFUSED}


async def test_a_worn_belt_is_visited_once_a_rest() -> None:
    visits = Visits(KnownDevice(address=CUFF.address, kind="pulse_belt"), QUICK)
    with visits.visit() as heard:
        heard()
    await asyncio.sleep(0.1)  # longer than any wait but the rest
    assert not visits.may_begin()
