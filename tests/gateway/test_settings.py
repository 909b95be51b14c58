from pathlib import Path

import pytest

from gateway.radio import KnownDevice
from gateway.settings import AdapterSettings, MqttSettings, Settings, SettingsError, load

WHOLE = """
id = "gw-kari"
key = "00112233445566778899aabbccddeeff"
spool = "data/spool.db"
clock = "clock.json"

[mqtt]
host = "broker.example"
port = 8884
username = "gw-kari"
password = "hush-hush"
tls = true
tls_ca = "ca.pem"

[[adapter]]
name = "hci0"

[[adapter]]
name = "sim0"
backend = "some.module:Backend"
transport = "unix-client:/run/home.hci"

[[device]]
address = "c0:ff:ee:00:00:01"
kind = "oximeter"
model = "Nonin 3230"
timezone = "Europe/London"

[[device]]
address = "C0:FF:EE:00:00:02"
kind = "scale"
"""

LEAST = (
    'id = "gw-kari"\nkey = "00112233445566778899aabbccddeeff"\nspool = "/var/spool.db"\n[[adapter]]\nname = "hci0"\n'
)


def written(folder: Path, text: str) -> Path:
    (folder / "ca.pem").write_text("(certificate)")
    path = folder / "gateway.toml"
    path.write_text(text)
    return path


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    assert load(written(tmp_path, WHOLE)) == Settings(
        id="gw-kari",  # type: ignore[arg-type]
        key=bytes.fromhex("00112233445566778899aabbccddeeff"),
        spool=tmp_path / "data" / "spool.db",
        clock=tmp_path / "clock.json",
        mqtt=MqttSettings(
            host="broker.example",
            port=8884,
            username="gw-kari",
            password="hush-hush",
            tls=True,
            tls_ca=tmp_path / "ca.pem",
        ),
        adapters=(
            AdapterSettings(name="hci0"),
            AdapterSettings(name="sim0", backend="some.module:Backend", transport="unix-client:/run/home.hci"),
        ),
        devices=(
            KnownDevice(address="C0:FF:EE:00:00:01", kind="oximeter", model="Nonin 3230", timezone="Europe/London"),
            KnownDevice(address="C0:FF:EE:00:00:02", kind="scale"),
        ),
    )


def test_the_least_that_must_be_said(tmp_path: Path) -> None:
    settings = load(written(tmp_path, LEAST))
    assert (settings.mqtt, settings.clock, settings.devices) == (MqttSettings(), None, ())
    assert settings.spool == Path("/var/spool.db")


def test_no_secret_is_shown(tmp_path: Path) -> None:
    shown = repr(load(written(tmp_path, WHOLE)))
    assert "hush" not in shown
    assert "\\xaa" not in shown


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ('id = "gw-kari"', 'id = "GW/+"', r"id: gateway id 'GW/\+' must be"),
        ('id = "gw-kari"\n', "", "id: missing"),
        ('"00112233445566778899aabbccddeeff"', '"00xx"', "key: not hexadecimal"),
        ('"00112233445566778899aabbccddeeff"', '"0011"', "key: 2 bytes; at least 16 are needed"),
        ('spool = "data/spool.db"', "spool = 7", "spool: must be a text"),
        ("clock =", "clocks =", "clocks: unknown; known: id, key, spool, clock"),
        ("port = 8884", "port = 99999", "mqtt.port: 99999 is not 1 to 65535"),
        ("port = 8884", "port = true", "mqtt.port: must be a number"),
        ("tls = true", 'tls = "yes"', "mqtt.tls: must be true or false"),
        ('"ca.pem"', '"nowhere.pem"', "mqtt.tls_ca: .*nowhere.pem is not a file"),
        ('host = "broker.example"', 'hosts = "x"', "mqtt.hosts: unknown"),
        ('"some.module:Backend"', '"some.module.Backend"', "adapter 2.backend: 'some.module.Backend' is not module:"),
        ('name = "sim0"', 'name = ""', "adapter 2.name: empty"),
        ("[[adapter]]", "[[adaptor]]", "adaptor: unknown"),
        ('"c0:ff:ee:00:00:01"', '"c0:ff"', "device 1.address: 'C0:FF' is not six pairs"),
        ('"C0:FF:EE:00:00:02"', '"c0:ff:ee:00:00:01"', "device 2.address: C0:FF:EE:00:00:01 is listed twice"),
        ('kind = "scale"', 'kind = "toaster"', "device 2.kind: 'toaster' is unknown; known: oximeter, scale"),
        ("Europe/London", "Europe/Trondhjem", "device 1.timezone: 'Europe/Trondhjem' is unknown"),
        ("Nonin 3230", "N" * 65, "device 1.model: must be printable and at most 64"),
        ('kind = "scale"', "", "device 2.kind: missing"),
        ("[mqtt]", "[mqtt", "not TOML"),
        ("[[device]]", "[device]", "not TOML"),
    ],
)
def test_an_error_names_file_and_key(tmp_path: Path, old: str, new: str, error: str) -> None:
    assert old in WHOLE
    with pytest.raises(SettingsError, match=f"gateway.toml: {error}"):
        load(written(tmp_path, WHOLE.replace(old, new)))


def test_without_an_adapter_there_is_nothing_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="adapter: at least one"):
        load(written(tmp_path, LEAST.split("[[")[0]))


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nothing.toml: No such file"):
        load(tmp_path / "nothing.toml")


def test_tls_has_its_own_port(tmp_path: Path) -> None:
    assert load(written(tmp_path, LEAST + "[mqtt]\ntls = true\n")).mqtt.port == 8883


def test_an_adapter_may_be_named_by_its_address(tmp_path: Path) -> None:
    adapter = '[[adapter]]\naddress = "00:1a:7d:da:71:13"\n'
    path = tmp_path / "gateway.toml"
    path.write_text(LEAST.replace('[[adapter]]\nname = "hci0"\n', adapter))
    assert load(path).adapters == (AdapterSettings(name="00:1A:7D:DA:71:13", address="00:1A:7D:DA:71:13"),)
    for wrong, error in (("00:1A", "six pairs"), ('00:1A:7D:DA:71:13"\nbackend = "a.b:C', "not for a backend")):
        path.write_text(LEAST.replace('name = "hci0"', f'address = "{wrong}"'))
        with pytest.raises(SettingsError, match=error):
            load(path)
