"""Ten thousand broken frames into the relay: what cannot be read is kept with its reason, and the next good one too."""

import json
import logging
import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from gateway.radio import KnownDevice, Notification, Session, SessionState
from gateway.relay import Clocks, Relay
from gateway.spool import Spool
from tests.gateway.receiver import GATEWAY, KEY
from tests.poison import Brewer
from vitals.clock import ManualClock
from vitals.topics import Lane
from vitals.wire import parse_frame, parse_reading

FRAMES, WARM, AT_ONCE = 10_000, 2_000, 50
GROWTH_MAX = 20 * 1024 * 1024  # bytes
DEVICE = KnownDevice(address="C0:FF:EE:00:00:01", kind="oximeter")


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.asyncio
async def test_every_broken_frame_is_kept_with_its_reason(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="gateway")  # a test run remembers every line, and this is about memory
    clock, spool = ManualClock(datetime(2026, 11, 22, 7, 0, tzinfo=UTC)), Spool.open(tmp_path / "spool.db")
    relay = Relay(spool, (DEVICE,), Clocks(given=clock, real=clock), lambda: None)
    told: Counter[Lane] = Counter()
    before = 0

    def say(session: Session, characteristic: str, payload: bytes) -> None:
        relay.hear(
            Notification(
                device=DEVICE.address,
                model=None,
                characteristic=characteristic,
                payload=payload,
                heard_at=clock.now(),
                session=session,
            )
        )

    def empty() -> None:
        """As a server would that has everything: each message is well formed, and each frame says why."""
        while messages := spool.oldest(500):
            for each in messages:
                told[each.lane] += 1
                if each.lane is Lane.FRAMES:
                    assert parse_frame(each.body).reason
                else:
                    json.loads(each.body)
                    parse_reading(each.body)
            spool.forget([each.id for each in messages])

    poison = list(Brewer(4711, GATEWAY, KEY).frames(FRAMES))
    for at in range(0, FRAMES, AT_ONCE):
        session = Session(id=uuid4().hex, device=DEVICE.address, opened_at=clock.now())
        relay.report(session)
        for characteristic, payload in poison[at : at + AT_ONCE]:
            say(session, characteristic, payload)
        relay.report(Session(id=session.id, device=session.device, opened_at=session.opened_at, state=SessionState.CUT))
        empty()
        if at == WARM:
            before = resident()
    assert resident() - before < GROWTH_MAX
    assert told[Lane.FRAMES] > 0.4 * FRAMES  # the rest are good by chance, batteries, clocks, or the same bytes again
    say(session, "2A5E", bytes.fromhex("0062004800"))
    (good,) = spool.oldest(2)
    assert {m.metric: int(str(m.value)) for m in parse_reading(good.body).measurements} == {"spo2": 98, "pulse": 72}
    spool.close()
