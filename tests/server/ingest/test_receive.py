from datetime import timedelta
from decimal import Decimal

import pytest

from server.ingest.receive import Arrived, Kind, KnownGateway, Refusal, Reported, Unreadable, receive
from tests.server.world import START, an_id, reading
from vitals.reading import DeviceId, RefusedFrame
from vitals.seal import seal
from vitals.topics import Lane, gateway_id, topic
from vitals.wire import render_frame, render_reading

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
GATEWAY = gateway_id("gw-1")
KNOWN = {GATEWAY: KnownGateway(municipality="m", key=KEY)}
READINGS = topic(GATEWAY, Lane.READINGS)


def refused(where: str, payload: bytes) -> Refusal:
    received = receive(where, payload, KNOWN, START)
    assert isinstance(received, Refusal)
    return received


def sealed(body: bytes, where: str = READINGS, key: bytes = KEY) -> bytes:
    return seal(key, where, body)


def test_a_sealed_reading_arrives_whole() -> None:
    received = receive(READINGS, sealed(render_reading(reading())), KNOWN, START)
    assert received == Arrived(gateway=GATEWAY, municipality="m", reading=reading())


def test_a_frame_that_could_not_be_read_arrives_with_its_bytes() -> None:
    where = topic(GATEWAY, Lane.FRAMES)
    frame = RefusedFrame(
        id=an_id(1), device=DeviceId("AA"), model=None, characteristic="2A5E", frame=b"\x01", heard_at=START, reason="r"
    )
    received = receive(where, sealed(render_frame(frame), where), KNOWN, START)
    assert received == Unreadable(gateway=GATEWAY, municipality="m", frame=frame)


def test_a_last_will_arrives_as_offline() -> None:
    where = topic(GATEWAY, Lane.STATUS)
    received = receive(where, sealed(b'{"online": false}', where), KNOWN, START)
    assert isinstance(received, Reported)
    assert not received.status.online


def test_no_seal() -> None:
    refusal = refused(READINGS, render_reading(reading()))
    assert (refusal.kind, refusal.sealed, refusal.message_id) == (Kind.UNSEALED, False, an_id(0))
    assert "no seal" in refusal.reason


@pytest.mark.parametrize(
    "payload",
    [
        sealed(render_reading(reading()), key=OTHER_KEY),
        sealed(render_reading(reading()), where=topic(gateway_id("gw-2"), Lane.READINGS)),  # recorded elsewhere
        sealed(render_reading(reading())).replace(b'"spo2":97', b'"spo2":99'),
    ],
    ids=["another key", "another topic", "changed since"],
)
def test_a_seal_that_is_not_this_gateways(payload: bytes) -> None:
    refusal = refused(READINGS, payload)
    assert (refusal.kind, refusal.sealed, refusal.municipality) == (Kind.FOREIGN_GATEWAY, False, "m")
    assert "gw-1" in refusal.reason


def test_a_gateway_that_nobody_enrolled() -> None:
    where = topic(gateway_id("gw-9"), Lane.READINGS)
    refusal = refused(where, sealed(render_reading(reading()), where))
    assert (refusal.kind, refusal.municipality, refusal.sealed) == (Kind.UNKNOWN_GATEWAY, None, False)
    assert "gw-9" in refusal.reason


@pytest.mark.parametrize("where", ["varde/v1/gw-1/elsewhere", "varde/v2/gw-1/readings", "varde/v1/GW-1/readings", "x"])
def test_a_topic_that_is_none_of_ours(where: str) -> None:
    assert refused(where, b"").kind is Kind.WRONG_TOPIC


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (render_reading(reading()).replace(b'"spo2"', b'"spo3"'), "values.spo3: unknown metric"),
        (render_reading(reading()).replace(b'"good"', b'"fine"'), "quality: must be one of"),
        (
            render_reading(reading(values={"spo2": Decimal(97)})).replace(b"97", b'"97"'),
            "values.spo2: must be a number",
        ),
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "values: missing"),
        (b"\xff", "not UTF-8"),
        (b"[" * 10_000, "nested too deeply"),
        (b'{"values": {"\\ud800": 1}}', "values.?: unknown metric"),
    ],
)
def test_a_field_that_breaks_the_contract_is_named(body: bytes, words: str) -> None:
    refusal = refused(READINGS, sealed(body))
    assert refusal.kind is Kind.WRONG_FIELD
    assert refusal.sealed
    assert words in refusal.reason
    refusal.reason.encode()  # can be stored and sent


def test_a_wrong_field_keeps_the_id_that_its_receipt_must_name() -> None:
    body = render_reading(reading()).replace(b'"spo2"', b'"spo3"')
    assert refused(READINGS, sealed(body)).message_id == an_id(0)


def test_a_reading_from_the_future_is_not_judged() -> None:
    ahead = render_reading(reading(taken_at=START + timedelta(minutes=16)))
    refusal = refused(READINGS, sealed(ahead))
    assert refusal.kind is Kind.FUTURE_TIME
    assert "16 minutes ahead" in refusal.reason
    just = render_reading(reading(taken_at=START + timedelta(minutes=15)))
    assert isinstance(receive(READINGS, sealed(just), KNOWN, START), Arrived)
