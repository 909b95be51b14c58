"""One visit to one device: connect, take what it has, disconnect.

Health devices are silent until somebody has measured; then they advertise for some seconds, wait for a connection, hand
over their records the moment somebody subscribes, and delete a record when its indication is confirmed. So: a look at
the clock, for what follows is told in its time; subscribe; ask a memory that wants to be asked; stay until it is quiet;
then what can wait (the clock, the battery); disconnect in order.

How a session ended is part of what was heard. It ended in order only if this side disconnected, after the last thing
it heard was kept, and heard nothing more while doing so; whatever else happened is a cut link.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import uuid4
from zoneinfo import ZoneInfo

from gateway.device_clocks import ClockPolicy, clock_policy, current_time_frame, is_to_be_set
from gateway.ears import Ears
from gateway.health import Health
from gateway.kinds import BATTERY_LEVEL, BATTERY_SERVICE, CURRENT_TIME, KINDS, TIME_SERVICE
from gateway.link import Link, LinkFailed, Stack
from gateway.profiles import DecodeError, decode
from gateway.radio import Hear, KnownDevice, Notification, Recall, Report, Session, SessionState
from gateway.records import Access, RecordAccess
from gateway.visits import Visits
from gateway.waits import Waits, stop_if_told
from vitals.clock import Clock

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Who is told what the radio hears, and what it counts; `pairs` says whether a person wants this device bonded,
    `sure` whether `clock` is right: else no device's clock is set by it."""

    hear: Hear
    report: Report
    clock: Clock
    health: Health
    pairs: Callable[[str], bool] = lambda _address: False
    sure: Callable[[], bool] = lambda: True


class Talk:
    """One session after another, with whatever device, over whatever stack."""

    def __init__(self, listener: Listener, waits: Waits) -> None:
        self._to = listener
        self._waits = waits

    async def with_device(
        self, visits: Visits, stack: Stack, handle: object, heard: Callable[[], None]
    ) -> SessionState:
        """Visit the device behind `handle`; returns how it ended. Raises OSError, EOFError, `SpoolFull`."""
        known = visits.device
        ears = Ears(heard)
        services = (*KINDS[known.kind].services, BATTERY_SERVICE, TIME_SERVICE)
        link = stack.link(handle, services, ears.lose)
        state = SessionState.CUT
        try:
            await link.connect(pair=self._to.pairs(known.address))
            stop_if_told()
            session = Session(id=uuid4().hex, device=known.address, opened_at=self._to.clock.now())
            recall = self._to.report(session)
            try:
                visits.presence.back()
                self._to.health.device(known.address).sessions += 1
                state = await _Conversation(link, known, session, ears, (self._to, self._waits)).take(recall)
            finally:
                self._to.report(replace(session, state=state))
        finally:
            if state is SessionState.CUT:
                await self._leave(link, known)
        return state

    async def _leave(self, link: Link, known: KnownDevice) -> None:
        try:
            async with asyncio.timeout(self._waits.farewell):
                await link.disconnect()
        except (OSError, EOFError) as error:
            log.debug("not_disconnected device=%s reason=%r", known.address, str(error))


class _Conversation:
    """What is said between connecting and disconnecting."""

    def __init__(
        self, link: Link, known: KnownDevice, session: Session, ears: Ears, surroundings: tuple[Listener, Waits]
    ) -> None:
        self._link = link
        self._known = known
        self._kind = KINDS[known.kind]
        self._session = session
        self._ears = ears
        self._to, self._waits = surroundings

    async def take(self, recall: Recall | None) -> SessionState:
        ears, link = self._ears, self._link
        present = [uuid for uuid in self._kind.measurements if link.has(uuid)]
        if not present:
            raise LinkFailed(f"has none of {', '.join(self._kind.measurements)}")
        shown = await self._read(CURRENT_TIME)
        access = None
        if self._kind.records is not None and link.has(self._kind.records):
            access = RecordAccess(self._kind.records, recall, ears)
        for uuid in present:
            await link.subscribe(uuid, self._listener(uuid, access))
        asking = await self._clock_that_asks()
        done = access is None or await self._fetch(access)
        await ears.until_quiet(self._waits.quiet, self._waits.drain)
        if not ears.deaf:
            await self._set_clock(shown if asking is None else next(iter(asking), None))
            await self._read(BATTERY_LEVEL)
        heard = ears.count
        if not ears.deaf:
            ears.leaving = True
            await link.disconnect()
        # An indication that crossed with our disconnect may not have been confirmed, and will then be sent again.
        return SessionState.ENDED if done and not ears.deaf and ears.count == heard else SessionState.CUT

    def _listener(self, uuid: str, access: RecordAccess | None) -> Callable[[bytes], None]:
        def heard(payload: bytes) -> None:
            with self._ears.listening():
                self._hear(uuid, payload)
                if access is not None and uuid == self._kind.recorded:
                    access.record(payload)

        return heard

    async def _fetch(self, access: RecordAccess) -> bool:
        """Have the memory sent; False when it may not have been sent to its end."""
        assert self._kind.records is not None
        await self._link.subscribe(self._kind.records, access.answer)
        outcome = await access.fetch(self._link, self._waits)
        if outcome is Access.REFUSED:
            self._to.health.device(self._known.address).records_refused += 1
            log.warning("records_refused device=%s reason=%r", self._known.address, access.refusal)
        elif outcome is Access.UNANSWERED:
            log.warning("records_unanswered device=%s", self._known.address)
        return outcome is Access.DONE

    async def _read(self, uuid: str) -> bytes | None:
        """What `uuid` shows, handed on; None without it. Nice to know, not worth losing a session for."""
        if not self._link.has(uuid):
            return None
        try:
            value = await self._link.read(uuid)
        except OSError as error:  # LinkFailed is one
            log.debug("unread device=%s characteristic=%s reason=%r", self._known.address, uuid, str(error))
            return None
        self._hear(uuid, value)
        return value

    async def _clock_that_asks(self) -> list[bytes] | None:
        """What the clock of a device says by itself that wants to be set only then; None for any other device.

        Some cuffs notify their time when they want the collector's, and drop records when it comes unasked.
        """
        if clock_policy(self._known.model) is not ClockPolicy.SET_WHEN_OFF or not self._link.has(CURRENT_TIME):
            return None
        said: list[bytes] = []
        try:
            await self._link.subscribe(CURRENT_TIME, said.append)
        except OSError as error:  # it only shows its time, so that is all there is to go by
            log.debug("clock_does_not_notify device=%s reason=%r", self._known.address, str(error))
            return None
        return said

    async def _set_clock(self, shown: bytes | None) -> None:
        zone = ZoneInfo(self._known.timezone)
        policy = clock_policy(self._known.model)
        if not self._link.has(CURRENT_TIME) or not self._to.sure():
            return
        if shown is None and policy is ClockPolicy.SET_WHEN_OFF:
            return
        try:
            moment = None if shown is None else decode(CURRENT_TIME, shown).taken_at
        except DecodeError:
            moment = None
        if not is_to_be_set(policy, moment, self._to.clock.now(), zone):
            return
        try:
            await self._link.write(CURRENT_TIME, current_time_frame(self._to.clock.now(), zone))
        except OSError as error:
            log.info("clock_not_set device=%s reason=%r", self._known.address, str(error))
        else:
            self._to.health.device(self._known.address).clock_sets += 1

    def _hear(self, uuid: str, payload: bytes) -> None:
        self._to.hear(
            Notification(
                device=self._known.address,
                model=self._known.model,
                characteristic=uuid,
                payload=payload,
                heard_at=self._to.clock.now(),
                session=self._session,
            )
        )
