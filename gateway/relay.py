"""The gateway's loop: listen -> decode -> keep -> send, each station a call, all on one thread.

    radio.run(...)          brings notifications and waits, unconfirmed, while ...
      Relay.hear            ... this has them decoded (`interpret`, pure) and on the disk (`spool.keep`)
    uplink.run()            sends what the spool holds, at its own pace, until the server's receipt

Only the spool stands between the two halves: when the server is away the first goes on, and after a kill the second
starts where the file says.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any
from zoneinfo import ZoneInfo

from gateway import heartbeat
from gateway.device_lists import in_force
from gateway.flights import Patience
from gateway.health import Observed
from gateway.interpret import BatteryLevel, Circumstances, Context, NobodyMeasured, essence, interpret, with_context
from gateway.kinds import KINDS
from gateway.memories import Memories
from gateway.orders import Means, Orders
from gateway.profiles.glucose import announces_context
from gateway.prompt import Prompt
from gateway.radio import KnownDevice, Notification, Radio, RadioSilent, Recall, Session, SessionState
from gateway.records import sequence_of
from gateway.sessions import Sessions
from gateway.settings import Settings
from gateway.spool import Message, Spool, SpoolBroken, SpoolFull
from gateway.timekeeping import ClockShown
from gateway.uplink import Identity, Uplink
from vitals import failpoint
from vitals.clock import Clock
from vitals.reading import Reading, RefusedFrame
from vitals.topics import Lane
from vitals.wire import render_frame, render_reading

log = logging.getLogger(__name__)


_GIVEN_UP = "radio_given_up"


class RelayEnded(RuntimeError):  # noqa: N818
    """A part of the relay came to its end though nobody told it to; nobody would be listening or sending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """`given` is what readings carry; `real`, the machine's own, is what links and kills happen on.

    While `given` is not `sure`, no device's clock is measured by it.
    """

    given: Clock
    real: Clock
    sure: Callable[[], bool] = lambda: True


async def run(
    settings: Settings, radio: Radio, clocks: Clocks, stop: asyncio.Event, patience: Patience | None = None
) -> None:
    """Relay until `stop` is set; raises `SpoolBroken`, what ended the radio, or `RelayEnded` when that is unknown."""
    prompt = Prompt(settings.prompt) if settings.prompt else None
    try:
        while await _run_with_a_list(settings, radio, clocks, (stop, patience or Patience(), prompt)):
            log.info("relisted gateway=%s", settings.id)
    finally:
        if prompt is not None:
            prompt.end()


async def _run_with_a_list(
    settings: Settings, radio: Radio, clocks: Clocks, how: tuple[asyncio.Event, Patience, Prompt | None]
) -> bool:
    """Relay what the devices of the list in force say until `stop`; True when there is another list."""
    stop, patience, prompt = how
    spool = Spool.open(settings.spool)
    try:
        identity = Identity(gateway=settings.id, key=settings.key)
        observed = radio if isinstance(radio, Observed) else None
        enrolment = None if observed is None else observed.enrolment
        listed = in_force(spool, settings.devices)
        means = Means(devices=listed.devices, enrolment=enrolment, prompt=prompt)
        orders = Orders(identity, spool, clocks.given, means)
        uplink = Uplink(identity, spool, settings.mqtt, patience, orders.hear)
        relay = Relay(spool, listed.devices, clocks, uplink.wake)

        def status(receipts_refused: int) -> bytes:
            return heartbeat.render(
                replace(
                    relay.state(receipts_refused),
                    health=None if observed is None else observed.health,
                    pairing=None if enrolment is None else enrolment.device,
                    given_up=spool.counted(_GIVEN_UP),
                    commands=orders.outcomes,
                    commands_refused=orders.refused,
                    configuration=listed.order,
                )
            )

        log.info("start gateway=%s devices=%d spool=%d", settings.id, len(listed.devices), spool.depth)
        listening = radio.run(listed.devices, relay.hear, relay.report)
        await _first_of(listening, uplink.run(status), stop.wait(), relay.broken(), orders.relisted.wait())
        if not stop.is_set() and not orders.relisted.is_set():
            raise RelayEnded("the radio or the uplink ended without being told to")
        log.info("stop gateway=%s spool=%d", settings.id, spool.depth)
    except RadioSilent:
        spool.count(_GIVEN_UP)
        raise
    else:
        return orders.relisted.is_set() and not stop.is_set()
    finally:
        spool.close()


async def _first_of(*jobs: Coroutine[Any, Any, object]) -> None:
    """Run all until one ends, end the others, and raise what went wrong."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
            raise result


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What is to be kept: `record` by which it is known again, `of_memory` the frame of a meter's record."""

    said: Reading | RefusedFrame
    record: str
    of_memory: bytes | None


class Relay:
    """Stations 2 and 3: makes a message of every notification and keeps it, then calls `kept`."""

    def __init__(self, spool: Spool, devices: Sequence[KnownDevice], clocks: Clocks, kept: Callable[[], None]) -> None:
        self._spool = spool
        self._sessions = Sessions(spool)
        self._zones = {device.address: ZoneInfo(device.timezone) for device in devices}
        self._clocks = clocks
        self._kept = kept
        self._memories = Memories(spool)
        self._recorded = {device.address: KINDS[device.kind].recorded for device in devices}
        self._batteries: dict[str, int] = {}
        self._seen: dict[str, ClockShown] = {}
        known = self._sessions.contacts()
        self._heard = {address: known[address] for address in self._zones if address in known}
        self._waiting: dict[str, _Found] = {}  # records whose context is about to come, by device
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def report(self, session: Session) -> Recall | None:
        """Note a session's opening or end; raises `SpoolFull` or `SpoolBroken`, an opening also when nothing fits."""
        try:
            if session.state is SessionState.OPEN:
                return self._open(session)
            self._release(session.device)
            if session.state is SessionState.ENDED:
                self._memories.settle(session.device)
            self._sessions.end(session, self._clocks.real.now())
        except SpoolBroken as error:
            self._break(error)
            raise
        return None

    def _open(self, session: Session) -> Recall | None:
        self._spool.room()
        self._sessions.start_of(session, self._clocks.real.now())
        self._memories.begin(session.device)
        failpoint.reach("gateway.session")
        self._seen.pop(session.device, None)
        return self._memories.recall(session.device)

    def hear(self, notification: Notification) -> None:
        """Return when `notification` is safe on disk; raises `SpoolFull` or `SpoolBroken` when it is not."""
        try:
            self._hear(notification)
        except SpoolFull as error:
            log.error("not_kept device=%s reason=%r", notification.device, str(error))  # noqa: TRY400
            raise
        except SpoolBroken as error:
            self._break(error)
            raise

    def _hear(self, notification: Notification) -> None:
        failpoint.reach("gateway.heard")
        real_now = self._clocks.real.now()
        device = notification.device
        record = f"{notification.characteristic} {essence(notification).hex()}"
        said = interpret(
            notification,
            Circumstances(
                zone=self._zones[device],
                start=self._sessions.start_of(notification.session, real_now),
                battery=self._batteries.get(device),
                seen=self._seen.get(device),
                said=self._sessions.said(device, record),
            ),
        )
        self._heard[device] = notification.heard_at
        if isinstance(said, BatteryLevel):
            self._batteries[device] = said.percent
            return
        if isinstance(said, ClockShown):
            if self._clocks.sure():
                self._seen[device] = said
            return
        if isinstance(said, NobodyMeasured):
            log.debug("no_measurement device=%s reason=%s", device, said.reason)
            return
        if isinstance(said, Context):
            self._add(device, said)
            return
        self._release(device)
        is_record = notification.characteristic == self._recorded[device]
        found = _Found(said=said, record=record, of_memory=notification.payload if is_record else None)
        if is_record and isinstance(said, Reading) and announces_context(notification.payload):
            self._waiting[device] = found  # its meter has it still, and is asked again should we be killed now
        else:
            self._keep(device, found)

    def _add(self, device: str, context: Context) -> None:
        """Put what a person noted to the record that waits for it; to any other it would be an invention."""
        waiting = self._waiting.get(device)
        of = None if waiting is None or waiting.of_memory is None else sequence_of(waiting.of_memory)
        if waiting is None or of != context.sequence or not isinstance(waiting.said, Reading):
            log.warning("context_without_record device=%s sequence=%d", device, context.sequence)
            return
        self._waiting[device] = replace(waiting, said=with_context(waiting.said, context))
        self._release(device)

    def _release(self, device: str) -> None:
        """Keep the record that waits, whether or not its context has come."""
        waiting = self._waiting.pop(device, None)
        if waiting is not None:
            self._keep(device, waiting)

    def _keep(self, device: str, found: "_Found") -> None:
        message = replace(_message(found.said), record=found.record if isinstance(found.said, Reading) else "")
        failpoint.reach("gateway.decoded")
        new = self._spool.keep(message, self._clocks.real.now())
        failpoint.reach("gateway.kept")
        log.info("kept id=%s device=%s lane=%s new=%s", message.id, device, message.lane.value, new)
        if found.of_memory is not None:
            self._memories.note(device, found.of_memory)
        self._kept()

    async def broken(self) -> None:
        """Wait until the spool breaks; raises `SpoolBroken`."""
        await self._broken

    def status(self, receipts_refused: int) -> bytes:
        """The body of a heartbeat that knows of readings only."""
        return heartbeat.render(self.state(receipts_refused))

    def state(self, receipts_refused: int) -> heartbeat.Status:
        """What the heartbeat says of readings."""
        return heartbeat.Status(
            at=self._clocks.given.now(),
            spool=self._spool.depth,
            refused=self._spool.refused,
            receipts_refused=receipts_refused,
            heard=self._heard,
            version=version("varde"),
            time_sure=self._clocks.sure(),
        )

    def _break(self, error: SpoolBroken) -> None:
        if not self._broken.done():
            self._broken.set_exception(error)


def _message(said: Reading | RefusedFrame) -> Message:
    if isinstance(said, Reading):
        return Message(id=said.id, lane=Lane.READINGS, body=render_reading(said), device=said.device)
    log.warning("frame_refused id=%s device=%s reason=%r", said.id, said.device, said.reason)
    return Message(id=said.id, lane=Lane.FRAMES, body=render_frame(said), device=said.device)
