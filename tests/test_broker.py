"""The broker fixture itself: what a test may rely on."""

import socket
import time
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.broker import BrokerConfig, BrokerError, Mosquitto

_DEADLINE_S = 10.0


class _Visitor:
    """A client that publishes, or collects what is retained, and says whether the broker let it in."""

    def __init__(self, broker: Mosquitto, user: str | None = None, password: str | None = None) -> None:
        self.heard: dict[str, bytes | bytearray] = {}
        self.let_in: bool | None = None
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
        self._client.username_pw_set(user, password)
        self._client.on_connect = lambda _c, _u, _f, reason, _p: setattr(self, "let_in", not reason.is_failure)
        self._client.on_message = lambda _c, _u, message: self.heard.__setitem__(message.topic, message.payload)
        self._client.connect(broker.host, broker.port)
        self._until(lambda: self.let_in is not None)

    def publish(self, topic: str) -> None:
        sent = self._client.publish(topic, b"x", qos=1, retain=True)
        self._until(sent.is_published)

    def retained(self) -> set[str]:
        """Every retained topic this visitor may see: an own marker published afterwards ends the wait."""
        self._client.subscribe("#", qos=1)
        self.publish("varde/v1/anna/marker")
        self._until(lambda: "varde/v1/anna/marker" in self.heard)
        return set(self.heard) - {"varde/v1/anna/marker"}

    def leave(self) -> None:
        self._client.disconnect()
        self._client.loop(0.1)

    def _until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _DEADLINE_S
        while not done():
            assert time.monotonic() < deadline, "the broker did not answer"
            self._client.loop(0.05)


def _publish(broker: Mosquitto, topic: str, user: str | None = None, password: str | None = None) -> bool:
    visitor = _Visitor(broker, user, password)
    if visitor.let_in:
        visitor.publish(topic)
    visitor.leave()
    return bool(visitor.let_in)


def _retained(broker: Mosquitto, user: str | None = None, password: str | None = None) -> set[str]:
    visitor = _Visitor(broker, user, password)
    found = visitor.retained()
    visitor.leave()
    return found


def test_it_listens_stops_and_comes_back_on_the_same_port(broker: Mosquitto) -> None:
    port = broker.port
    assert _publish(broker, "varde/test")
    broker.stop()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((broker.host, port), timeout=1)
    broker.start()
    assert broker.port == port
    assert _publish(broker, "varde/test")


def test_a_stopped_broker_remembers_and_a_wiped_one_does_not(broker: Mosquitto) -> None:
    assert _publish(broker, "varde/kept")
    broker.stop()
    broker.start()
    assert "varde/kept" in _retained(broker)
    broker.kill()
    broker.wipe()
    broker.start()
    assert _retained(broker) == set()


def test_users_and_acl_hold(tmp_path: Path) -> None:
    acl = "user anna\ntopic readwrite varde/v1/anna/#\n\nuser server\ntopic read #\ntopic write varde/v1/anna/marker\n"
    config = BrokerConfig(users={"anna": "secret", "server": "other"}, acl=acl)
    with Mosquitto(tmp_path / "broker", config) as broker:
        assert not _publish(broker, "varde/v1/anna/status")
        assert not _publish(broker, "varde/v1/anna/status", "anna", "wrong")
        assert _publish(broker, "varde/v1/anna/status", "anna", "secret")
        _publish(broker, "varde/v1/berit/status", "anna", "secret")
        assert _retained(broker, "server", "other") == {"varde/v1/anna/status"}


def test_it_ends_with_the_test(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker") as running:
        assert running.is_running
        with pytest.raises(BrokerError, match="first"):
            running.wipe()
    assert not running.is_running
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((running.host, running.port), timeout=1)
