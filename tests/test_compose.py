"""docker-compose.yml, held against the settings and the broker that everything else is tested with.

There is no container engine where these tests run: what is checked is that its processes get settings which Varde
accepts, and that its broker's files work, in a real Mosquitto with TLS.
"""

import re
import subprocess
import threading
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
import yaml
from paho.mqtt.enums import CallbackAPIVersion

from gateway.settings import load
from server.ingest.mqtt import Broker
from server.settings import RoleName, Settings, settings_from
from tests.broker import free_port, mosquitto_path
from tests.server.gateway_stub import wait_for
from varde.demo import broker, compose
from varde.demo.children import Child, end_all
from vitals.clock import SystemClock
from vitals.reading import GatewayId
from vitals.topics import Lane, gateway_id, topic

ROOT = Path(__file__).resolve().parent.parent
CONF, ACL = ROOT / "deploy" / "mosquitto.conf", ROOT / "deploy" / "acl"
_TLS = ("listener 8883", "cafile {0}/ca.pem", "certfile {0}/broker.pem", "keyfile {0}/broker.key")
_GATEWAY, _OTHER = gateway_id("gw-kari"), gateway_id("gw-ola")


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return found


def of_server() -> dict[str, dict[str, Any]]:
    return {name: each for name, each in services().items() if each.get("command", [""])[0] in ("server", "migrate")}


def environment(service: dict[str, Any]) -> dict[str, str]:
    """As compose would give it, with every secret filled in."""
    return {name: re.sub(r"\$\{[^}]*\}", "secret", value) for name, value in service["environment"].items()}


@pytest.mark.parametrize("name", of_server())
def test_every_process_gets_settings_that_hold(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    service = of_server()[name]
    given = environment(service)
    assert {each.removeprefix("VARDE_").lower() for each in given} <= set(Settings.model_fields)
    for each, value in given.items():
        monkeypatch.setenv(each, value)
    words = service["command"]
    settings = settings_from({"role": words[words.index("--role") + 1]} if "--role" in words else {})
    assert settings.database == "postgresql://varde:secret@database/varde"
    assert settings.mqtt_host in services()
    assert settings.mqtt_tls_ca is not None
    assert any(str(settings.mqtt_tls_ca) in volume for volume in service["volumes"])
    assert (settings.metrics_port is None) == (name in ("migrate", "web"))


def test_every_role_runs_and_those_that_receive_divide_the_load() -> None:
    roles = [each["command"][-1] for each in of_server().values() if each["command"][0] == "server"]
    assert set(roles) == {each.value for each in RoleName} - {"all"}
    receiving = [environment(each) for each in of_server().values() if each["command"][-1] == "ingest"]
    assert len(receiving) == 2
    assert {each["VARDE_MQTT_SHARED"] for each in receiving} == {"true"}
    assert len({each["VARDE_MQTT_CLIENT_ID"] for each in receiving}) == 2
    # One name for two connections would have them push each other out: only roles without a broker have replicas.
    assert [name for name, each in services().items() if "deploy" in each] == ["watch"]


def test_the_home_that_is_tried_gets_settings_that_its_gateway_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ca.pem").write_text("what the container has under another path")
    given = environment(services()["town"]) | {"VARDE_DATA": str(tmp_path), "GATEWAY_PASSWORD": "kit"}
    given |= {"VARDE_MQTT_TLS_CA": str(tmp_path / "ca.pem")}
    for name, value in (given | {"VARDE_DATABASE": f"sqlite:///{tmp_path}/varde.db"}).items():
        monkeypatch.setenv(name, value)
    for _ in range(2):
        assert compose.main() == 0
    assert "enrolled:" in capsys.readouterr().out
    (_, where) = services()["gateway"]["command"][1:]
    settings = load(Path(where.replace("/data", str(tmp_path))))
    assert (settings.mqtt.host, settings.mqtt.port, settings.mqtt.tls) == ("broker", 8883, True)
    assert settings.mqtt.password == "kit"
    assert str(settings.mqtt.tls_ca) == given["VARDE_MQTT_TLS_CA"]
    assert set(services()["town"]["volumes"]) == set(services()["gateway"]["volumes"])


def test_the_broker_is_configured_as_in_demo_and_tests() -> None:
    folder = "/mosquitto/config"
    lines = broker.mosquitto_lines(folder, "/mosquitto/data", [each.format(folder) for each in _TLS])
    assert CONF.read_text().splitlines() == lines
    kit = broker.gateway_account(_GATEWAY, "")
    patterns = [
        f"pattern {how} {each}" for how, topics in (("write", kit.writes), ("read", kit.reads)) for each in topics
    ]
    expected = [*broker.acl_lines([broker.server_account("")]), *(each.replace(_GATEWAY, "%u") for each in patterns)]
    assert ACL.read_text().splitlines() == expected


def _certificate(folder: Path) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command += ["-keyout", str(folder / "broker.key"), "-out", str(folder / "broker.pem")]
    subprocess.run(command, check=True, capture_output=True)
    (folder / "ca.pem").write_bytes((folder / "broker.pem").read_bytes())


def _publish(port: int, folder: Path, as_gateway: GatewayId, where: str) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=as_gateway)
    client.username_pw_set(as_gateway, "kit")
    client.tls_set(ca_certs=str(folder / "ca.pem"))
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        client.publish(where, b"sealed", qos=1).wait_for_publish(20)
    finally:
        client.disconnect()
        client.loop_stop()


def test_its_broker_serves_two_that_share_over_tls_and_holds_each_gateway_to_its_own_lanes(tmp_path: Path) -> None:
    program = mosquitto_path()
    assert program
    port = free_port()
    accounts = [
        broker.server_account("server"),
        broker.gateway_account(_GATEWAY, "kit"),
        broker.gateway_account(_OTHER, "kit"),
    ]
    broker.mosquitto_command(program, tmp_path, port, accounts)  # its passwords; the other files are replaced
    _certificate(tmp_path)
    text = (
        CONF.read_text().replace("/mosquitto/config", str(tmp_path)).replace("/mosquitto/data", str(tmp_path / "data"))
    )
    (tmp_path / "mosquitto.conf").write_text(
        text.replace("listener 8883", f"listener {port} 127.0.0.1") + "user root\n"
    )
    (tmp_path / "acl").write_text(ACL.read_text())
    (tmp_path / "acl").chmod(0o600)
    child = Child(name="broker", command=[program, "-c", str(tmp_path / "mosquitto.conf")], log=tmp_path / "log")
    links = [_link(port, tmp_path, number) for number in (1, 2)]
    heard: list[str] = []
    stop = threading.Event()

    def listen(link: Broker) -> None:
        while not stop.is_set():
            batch = link.take(100, 0.01, 0.05)
            heard.extend(each.topic for each in batch)
            link.acknowledge(batch)

    threads = [threading.Thread(target=listen, args=(each,)) for each in links]
    child.start()
    try:
        assert broker.wait_until_open(port, 20), child.tail()
        for link, thread in zip(links, threads, strict=True):
            link.open()
            thread.start()
            wait_for(lambda link=link: link.connected)
        _publish(port, tmp_path, _GATEWAY, topic(_OTHER, Lane.READINGS))
        for _ in range(10):
            _publish(port, tmp_path, _GATEWAY, topic(_GATEWAY, Lane.READINGS))
        wait_for(lambda: len(heard) >= 10)
    finally:
        stop.set()
        for link, thread in zip(links, threads, strict=True):
            if thread.is_alive():
                thread.join(10)
            link.close()
        end_all([child])
    assert heard == [topic(_GATEWAY, Lane.READINGS)] * 10


def _link(port: int, folder: Path, number: int) -> Broker:
    return Broker(
        settings_from(
            {
                "data": folder,
                "mqtt_port": port,
                "mqtt_tls_ca": folder / "ca.pem",
                "mqtt_username": "varde-server",
                "mqtt_password": "server",
                "mqtt_shared": True,
                "mqtt_client_id": f"varde-ingest-{number}",
            }
        ),
        SystemClock(),
    )
