import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from gateway.flights import Patience
from gateway.settings import MqttSettings
from gateway.spool import Message, Spool, SpoolBroken, SpoolFull
from gateway.uplink import Identity, Uplink
from tests.broker import BrokerConfig, Mosquitto
from tests.gateway.certificate import make_certificate
from tests.gateway.receiver import GATEWAY, KEY, Login, Receiver
from tests.gateway.waiting import until
from vitals.reading import GatewayId, ReadingId
from vitals.seal import seal
from vitals.topics import Lane, topic
from vitals.wire import Receipt, render_receipt

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
QUICK = Patience(resend_first=0.3, resend_max=1.0, reconnect_first=0.05, reconnect_max=0.3, heartbeat=0.2, window=20)
SLOW = Patience(resend_first=60, resend_max=60, reconnect_first=0.05, reconnect_max=0.3, heartbeat=60, window=20)


def message(number: int, lane: Lane = Lane.READINGS) -> Message:
    key = str(UUID(int=number))
    return Message(id=ReadingId(key), lane=lane, body=b'{"id":"%s","n":%d}' % (key.encode(), number))


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool.open(tmp_path / "spool.db")
    yield spool
    spool.close()


@asynccontextmanager
async def sending(spool: Spool, broker: Mosquitto, patience: Patience = QUICK, **login: Any) -> AsyncIterator[Uplink]:
    settings = MqttSettings(host=broker.host, port=broker.port, **login)
    uplink = Uplink(Identity(gateway=GATEWAY, key=KEY), spool, settings, patience)
    task = asyncio.create_task(uplink.run(lambda refused: b'{"online":true,"receipts_refused":%d}' % refused))
    try:
        yield uplink
    finally:
        task.cancel()
        results = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(results[0], asyncio.CancelledError), results


def keep(spool: Spool, count: int) -> None:
    for number in range(count):
        spool.keep(message(number, Lane.FRAMES if number % 10 == 9 else Lane.READINGS), NOW)


async def test_everything_is_sent_once_and_forgotten_on_receipt(broker: Mosquitto, spool: Spool) -> None:
    keep(spool, 150)
    with Receiver(broker.host, broker.port) as receiver:
        async with sending(spool, broker, SLOW) as uplink:
            await until(lambda: spool.depth == 0)
            spool.keep(message(500), NOW)
            uplink.wake()
            await until(lambda: spool.depth == 0)
        assert len(receiver.ids) == 151
        assert set(receiver.ids.values()) == {1}
        assert receiver.bodies[message(7).id] == message(7).body


async def test_what_the_broker_took_stays_until_the_server_has_it(broker: Mosquitto, spool: Spool) -> None:
    keep(spool, 5)
    with Receiver(broker.host, broker.port, answers=False) as receiver:
        async with sending(spool, broker):
            await until(lambda: min((receiver.ids[message(n).id] for n in range(5)), default=0) >= 3)
            assert spool.depth == 5
            receiver.answers = True
            await until(lambda: spool.depth == 0)


async def test_a_window_of_silence_does_not_grow_and_leaves_room_for_what_is_measured_now(
    broker: Mosquitto, spool: Spool
) -> None:
    keep(spool, 60)
    expected = [*range(50, 60), *range(6)]  # those kept just before, and of the backlog as many as leave a fifth free
    with Receiver(broker.host, broker.port, answers=False) as receiver:
        async with sending(spool, broker, SLOW) as uplink:
            await until(lambda: len(receiver.ids) == 16)
            receiver.give(Receipt(accepted=(message(0).id,)))
            await until(lambda: len(receiver.ids) == 17)
            spool.keep(message(500), NOW)
            uplink.wake()
            await until(lambda: len(receiver.ids) == 18)
            assert spool.depth == 60
            assert list(receiver.ids) == [message(number).id for number in (*expected, 6, 500)]


async def test_a_rejected_message_is_the_servers_too(broker: Mosquitto, spool: Spool) -> None:
    keep(spool, 2)
    with Receiver(broker.host, broker.port) as receiver:
        receiver.rejects[message(0).id] = "values.spo2: unknown metric"
        async with sending(spool, broker):
            await until(lambda: spool.depth == 0)


def forgeries() -> list[bytes]:
    ids = tuple(message(number).id for number in range(5))
    body = render_receipt(Receipt(accepted=ids))
    receipts, status = topic(GATEWAY, Lane.RECEIPTS), topic(GATEWAY, Lane.STATUS)
    return [
        body,
        b"0" * 64 + b"\n" + body,
        seal(b"another gateway's key, long enough", receipts, body),
        seal(KEY, topic(GatewayId("gw-other"), Lane.RECEIPTS), body),
        seal(KEY, status, body),
        seal(KEY, receipts, body).replace(ids[0].encode(), ids[1].encode()),
        seal(KEY, receipts, b"not JSON"),
        b"",
    ]


@pytest.mark.parametrize("forgery", forgeries(), ids=range(len(forgeries())))
async def test_a_forged_receipt_makes_nothing_forgotten(broker: Mosquitto, spool: Spool, forgery: bytes) -> None:
    keep(spool, 5)
    with Receiver(broker.host, broker.port, answers=False) as receiver:
        async with sending(spool, broker, SLOW) as uplink:
            await until(lambda: len(receiver.ids) == 5)
            receiver.publish(Lane.RECEIPTS, forgery)
            await until(lambda: uplink.receipts_refused == 1)
            assert spool.depth == 5
            receiver.give(Receipt(accepted=tuple(message(number).id for number in range(5))))
            await until(lambda: spool.depth == 0)
            assert uplink.receipts_refused == 1


async def test_a_receipt_for_what_is_not_here_changes_nothing(broker: Mosquitto, spool: Spool) -> None:
    keep(spool, 1)
    with Receiver(broker.host, broker.port, answers=False) as receiver:
        async with sending(spool, broker, SLOW):
            await until(lambda: len(receiver.ids) == 1)
            receiver.give(Receipt(accepted=(message(77).id,)))
            receiver.give(Receipt(accepted=(message(0).id, message(0).id)))
            await until(lambda: spool.depth == 0)


async def test_a_killed_broker_with_a_new_disk_loses_nothing(tmp_path: Path, spool: Spool) -> None:
    with Mosquitto(tmp_path / "broker") as broker, Receiver(broker.host, broker.port, answers=False) as receiver:
        keep(spool, 200)
        async with sending(spool, broker) as uplink:
            await until(lambda: len(receiver.ids) >= 16)  # the window, but for what it leaves to new ones
            receiver.answers = True
            await until(lambda: spool.depth <= 150)
            broker.kill()
            broker.wipe()
            for number in range(200, 230):
                spool.keep(message(number), NOW)
                uplink.wake()
            broker.start()
            await until(lambda: spool.depth == 0, within=40)
        assert len(receiver.ids) == 230


async def test_a_broker_that_comes_late_finds_everything(tmp_path: Path, spool: Spool) -> None:
    keep(spool, 3)
    broker = Mosquitto(tmp_path / "broker")
    with broker:
        pass  # it has a port now, and is gone
    async with sending(spool, broker) as uplink:
        await until(lambda: uplink._presence.is_gone)
        with broker, Receiver(broker.host, broker.port) as receiver:
            await until(lambda: spool.depth == 0)
            assert len(receiver.ids) == 3
            assert not uplink._presence.is_gone


async def test_the_heartbeat_is_retained_and_a_clean_end_says_goodbye(broker: Mosquitto, spool: Spool) -> None:
    with Receiver(broker.host, broker.port) as live:
        async with sending(spool, broker):
            await until(lambda: len(live.statuses) >= 3)
            with Receiver(broker.host, broker.port) as late:
                await until(lambda: late.statuses)
                assert late.statuses[0] == {"retained": True, "online": True, "receipts_refused": 0}
        await until(lambda: not live.statuses[-1]["online"])


async def test_a_gateway_that_vanishes_leaves_its_will(broker: Mosquitto, spool: Spool) -> None:
    with Receiver(broker.host, broker.port) as receiver:
        async with sending(spool, broker):
            await until(lambda: receiver.statuses)
            # Another connection under the same name: the broker drops the first one without a goodbye, as a cut line.
            async with sending(spool, broker):
                await until(lambda: any(not status["online"] for status in receiver.statuses))


async def test_a_broker_that_does_not_want_us_is_asked_again(tmp_path: Path, spool: Spool) -> None:
    keep(spool, 1)
    broker = Mosquitto(tmp_path / "broker", BrokerConfig(users={"gw-test": "other", "receiver": "r"}))
    with broker:
        async with sending(spool, broker, username="gw-test", password="right") as uplink:
            await until(lambda: uplink._presence.is_gone)
            assert spool.depth == 1
            broker.stop()
            broker.config = BrokerConfig(users={"gw-test": "right", "receiver": "r"})
            broker.start()
            with Receiver(broker.host, broker.port, login=Login(username="receiver", password="r")):
                await until(lambda: spool.depth == 0)


async def test_over_tls_with_an_authority_of_our_own(tmp_path: Path, spool: Spool) -> None:
    keep(spool, 3)
    ca = make_certificate(tmp_path)
    config = BrokerConfig(extra=(f"certfile {ca}", f"keyfile {ca.with_suffix('.key')}"))
    with Mosquitto(tmp_path / "broker", config) as broker, Receiver(broker.host, broker.port, login=Login(ca=ca)):
        async with sending(spool, broker, tls=True, tls_ca=ca):
            await until(lambda: spool.depth == 0)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves the failed socket to gc
async def test_over_tls_a_broker_that_cannot_prove_itself_gets_nothing(tmp_path: Path, spool: Spool) -> None:
    keep(spool, 3)
    ca = make_certificate(tmp_path)
    config = BrokerConfig(extra=(f"certfile {ca}", f"keyfile {ca.with_suffix('.key')}"))
    with (
        Mosquitto(tmp_path / "broker", config) as broker,
        Receiver(broker.host, broker.port, login=Login(ca=ca)) as receiver,
    ):
        async with sending(spool, broker, tls=True) as uplink:  # the machine knows nothing of that authority
            await until(lambda: uplink._presence.is_gone)
        assert (spool.depth, len(receiver.ids)) == (3, 0)
    gc.collect()  # in this test, not in the next


async def test_a_receipt_that_finds_the_disk_full_is_said_once_and_waited_for(
    broker: Mosquitto, spool: Spool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_: object) -> int:
        tries.append(1)
        raise SpoolFull("the disk is full")

    tries: list[int] = []
    keep(spool, 1)
    with Receiver(broker.host, broker.port) as receiver, monkeypatch.context() as patch:
        patch.setattr(spool, "forget", full)
        async with sending(spool, broker):
            await until(lambda: len(tries) >= 3)
            assert spool.depth == 1
            patch.undo()
            await until(lambda: spool.depth == 0)
        assert receiver.ids[message(0).id] > 3
    loud = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    said = [each for each in loud if "room to forget" in each]
    assert said == ["gone room to forget reason='the disk is full'", "back room to forget"]


async def test_a_broken_spool_ends_the_uplink(broker: Mosquitto, spool: Spool) -> None:
    keep(spool, 1)
    uplink = Uplink(Identity(gateway=GATEWAY, key=KEY), spool, MqttSettings(host=broker.host, port=broker.port), SLOW)
    with Receiver(broker.host, broker.port, answers=False) as receiver:
        task = asyncio.create_task(uplink.run(lambda _: b"{}"))
        await until(lambda: len(receiver.ids) == 1)
        spool.database.execute("PRAGMA query_only = 1")
        receiver.give(Receipt(accepted=(message(0).id,)))
        with pytest.raises(SpoolBroken, match="readonly"):
            async with asyncio.timeout(10):
                await task
