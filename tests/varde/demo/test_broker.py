"""Both brokers of the demo, real: who may speak for whom, and a queue longer than Mosquitto's own 1,000."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import paho.mqtt.client as mqtt
import pytest

from tests.broker import free_port, mosquitto_path
from varde.demo import broker
from varde.demo.amqtt_broker import covers
from varde.demo.children import Child, end_all
from vitals.topics import gateway_id

_KIT = broker.gateway_account(gateway_id("gw-one"), "kit-secret")
_OTHER = broker.gateway_account(gateway_id("gw-two"), "other-secret")
_SCRIPT = broker.script_account(gateway_id("gw-script"), "script-secret")
_SERVER = broker.server_account("server-secret")
_ACCOUNTS = (_KIT, _OTHER, _SCRIPT, _SERVER)
_DEADLINE_S = 20.0


class Listener:
    """A durable session of one account that keeps what it hears; `tell` publishes and waits for the PUBACK."""

    def __init__(self, account: broker.Account, port: int, password: str | None = None) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.connected = threading.Event()
        self.refused = threading.Event()
        self._port = port
        self._answered: set[int] = set()
        self.client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id=f"test-{account.name}", clean_session=False
        )
        self.client.username_pw_set(account.name, password or account.password)
        self.client.on_connect = self._on_connect
        self.client.on_message = lambda _client, _data, message: self.heard.append((message.topic, message.payload))
        self.client.on_subscribe = lambda _client, _data, mid, *_: self._answered.add(mid)
        self.client.max_queued_messages_set(0)

    def __enter__(self) -> "Listener":
        self.client.connect("127.0.0.1", self._port)
        self.client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def hear(self, pattern: str) -> None:
        """Subscribe and wait for the broker's answer to this very subscription; it may be a refusal."""
        assert self.connected.wait(_DEADLINE_S)
        error, mid = self.client.subscribe(pattern, qos=1)
        assert error is mqtt.MQTT_ERR_SUCCESS, error
        assert mid is not None
        assert _await(lambda: mid in self._answered), f"no answer to the subscription of {pattern}"

    def tell(self, topic: str, payload: bytes) -> None:
        assert self.connected.wait(_DEADLINE_S)
        self.client.publish(topic, payload, qos=1).wait_for_publish(_DEADLINE_S)

    def await_count(self, count: int) -> None:
        _await(lambda: len(self.heard) >= count)

    def _on_connect(self, _client: object, _data: object, _flags: object, reason: mqtt.ReasonCode, *_: object) -> None:
        (self.refused if reason.is_failure else self.connected).set()


def _await(holds: Callable[[], bool]) -> bool:
    """Look until it holds or the deadline has passed; what it was at the end."""
    deadline = monotonic() + _DEADLINE_S
    pause = threading.Event()
    while not holds() and monotonic() < deadline:
        pause.wait(0.02)
    return holds()


@pytest.fixture(params=["mosquitto", "amqtt"])
def port(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    chosen = free_port()
    if request.param == "amqtt":
        command = broker.amqtt_command(tmp_path, chosen, _ACCOUNTS)
    else:
        program = mosquitto_path()
        assert program
        command = broker.mosquitto_command(program, tmp_path, chosen, _ACCOUNTS)
    child = Child(name="broker", command=command, log=tmp_path / "broker.log")
    child.start()
    try:
        assert broker.wait_until_open(chosen, _DEADLINE_S), child.tail()
        yield chosen
    finally:
        end_all([child])


def test_a_kit_speaks_for_itself_alone_and_the_server_hears_it(port: int) -> None:
    with Listener(_SERVER, port) as server, Listener(_KIT, port) as kit:
        server.hear("varde/v1/+/readings")
        kit.tell("varde/v1/gw-two/readings", b"not mine")
        kit.tell("varde/v1/gw-one/readings", b"mine")
        server.await_count(1)
        assert server.heard == [("varde/v1/gw-one/readings", b"mine")]


def test_a_kit_hears_its_own_receipts_alone(port: int) -> None:
    with Listener(_SERVER, port) as server, Listener(_KIT, port) as kit:
        kit.hear("varde/v1/gw-two/receipts")
        kit.hear("varde/v1/gw-one/receipts")
        server.tell("varde/v1/gw-two/receipts", b"another's")
        server.tell("varde/v1/gw-one/receipts", b"own")
        kit.await_count(1)
        assert kit.heard == [("varde/v1/gw-one/receipts", b"own")]


def test_the_script_account_can_claim_to_be_another_gateway(port: int) -> None:
    with Listener(_SERVER, port) as server, Listener(_SCRIPT, port) as script:
        server.hear("varde/v1/+/readings")
        script.tell("varde/v1/gw-one/readings", b"forged")
        server.await_count(1)
        assert server.heard == [("varde/v1/gw-one/readings", b"forged")]


def test_a_wrong_password_is_refused(port: int) -> None:
    with Listener(_KIT, port, password="guess") as stranger:
        assert stranger.refused.wait(_DEADLINE_S)
        assert not stranger.connected.is_set()


def test_a_server_that_was_away_finds_more_than_a_thousand_readings(tmp_path: Path) -> None:
    program, chosen = mosquitto_path(), free_port()
    assert program
    command = broker.mosquitto_command(program, tmp_path, chosen, _ACCOUNTS)
    child = Child(name="broker", command=command, log=tmp_path / "broker.log")
    child.start()
    try:
        assert broker.wait_until_open(chosen, _DEADLINE_S), child.tail()
        with Listener(_SERVER, chosen) as server:
            server.hear("varde/v1/+/readings")
        with Listener(_KIT, chosen) as kit:
            for number in range(3_000):
                kit.client.publish("varde/v1/gw-one/readings", str(number), qos=1)
            kit.tell("varde/v1/gw-one/readings", b"last")
        with Listener(_SERVER, chosen) as server:
            server.await_count(3_001)
            assert len(server.heard) == 3_001
    finally:
        end_all([child])


def test_the_files_with_passwords_are_the_owners_alone(tmp_path: Path) -> None:
    broker.mosquitto_command("mosquitto", tmp_path, 1, _ACCOUNTS)
    broker.amqtt_command(tmp_path, 1, _ACCOUNTS)
    assert {
        path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir() if path.is_file()
    } == dict.fromkeys(("passwords", "acl", "mosquitto.conf", "amqtt.json"), "0o600")
    assert "kit-secret" not in (tmp_path / "passwords").read_text()


@pytest.mark.parametrize(
    ("pattern", "topic", "allowed"),
    [
        ("varde/v1/+/readings", "varde/v1/gw-one/readings", True),
        ("varde/v1/+/readings", "varde/v1/+/readings", True),
        ("varde/v1/gw-one/readings", "varde/v1/+/readings", False),
        ("varde/v1/+/readings", "varde/v1/gw-one/status", False),
        ("varde/v1/+/readings", "varde/v1/#", False),
        ("varde/v1/+/readings", "#", False),
        ("varde/v1/+/readings", "varde/v1/a/b/readings", False),
        ("$SYS/#", "$SYS/broker/clients", True),
    ],
)
def test_wildcards_of_the_stand_in(pattern: str, topic: str, *, allowed: bool) -> None:
    assert covers(pattern, topic) is allowed
