"""What some devices tell everybody: measurements in the service data of their advertisements, without a connection.

A scale repeats its last frame for a minute. A *weighing* is the time during which one device broadcasts, with no pause
longer than a minute; it is a session like a connection, begun by its first frame, so the same bytes within it are one
reading, and the same weight tomorrow is a new one (see `identity`). Each different frame is handed on at once, in the
stack's own callback, and is on the disk before that returns. A frame that could not be kept is offered again when it
is repeated.
"""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from uuid import uuid4

from gateway.kinds import KINDS
from gateway.link import Sighting
from gateway.presence import Presence
from gateway.radio import Hear, KnownDevice, Notification, Report, Session, SessionState
from gateway.sessions import RESEND_WITHIN
from gateway.spool import SpoolBroken, SpoolFull
from vitals.clock import Clock

log = logging.getLogger(__name__)

_PAUSE_S = RESEND_WITHIN.total_seconds()
_ANEW_S = 20.0  # a repetition is kept again so often: a killed gateway then knows that the weighing went on
_FRAMES_MAX = 500  # of one weighing; a foot on the scale makes ten different frames a second


@dataclass(slots=True)
class _Weighing:
    session: Session
    at: float
    frames: dict[tuple[str, bytes], float] = field(default_factory=dict)


class Broadcasts:
    """The weighings of those `devices` whose kind broadcasts. `seconds` is monotonic real time."""

    def __init__(self, devices: Iterable[KnownDevice], clock: Clock, hear: Hear, report: Report) -> None:
        self._devices = {each.address: each for each in devices if KINDS[each.kind].broadcasts}
        self._clock = clock
        self._hear = hear
        self._report = report
        self._weighings: dict[str, _Weighing] = {}
        self._room = Presence(log, "room for broadcasts")

    def __contains__(self, address: str) -> bool:
        return address in self._devices

    def note(self, sighting: Sighting, seconds: float | None = None) -> None:
        """Keep what is new in `sighting`, whose sender is one of ours."""
        now = time.monotonic() if seconds is None else seconds
        device = self._devices[sighting.address]
        for uuid in KINDS[device.kind].broadcasts:
            frame = sighting.service_data.get(uuid)
            if frame is None:
                continue
            try:
                self._take(device, uuid, frame, now)
            except (SpoolFull, SpoolBroken) as error:
                self._room.gone(str(error))
            else:
                self._room.back()

    def _take(self, device: KnownDevice, uuid: str, frame: bytes, now: float) -> None:
        weighing = self._weighing(device, now)
        weighing.at = now
        kept_at = weighing.frames.get((uuid, frame))
        if kept_at is not None and now - kept_at < _ANEW_S:
            return
        self._hear(
            Notification(
                device=device.address,
                model=device.model,
                characteristic=uuid,
                payload=frame,
                heard_at=self._clock.now(),
                session=weighing.session,
            )
        )
        weighing.frames[uuid, frame] = now
        if len(weighing.frames) > _FRAMES_MAX:
            weighing.frames.pop(next(iter(weighing.frames)))

    def _weighing(self, device: KnownDevice, now: float) -> _Weighing:
        weighing = self._weighings.get(device.address)
        if weighing is not None and now - weighing.at <= _PAUSE_S:
            return weighing
        if weighing is not None:
            del self._weighings[device.address]
            self._report(replace(weighing.session, state=SessionState.ENDED))
        session = Session(id=uuid4().hex, device=device.address, opened_at=self._clock.now())
        self._report(session)
        self._weighings[device.address] = _Weighing(session, now)
        return self._weighings[device.address]
