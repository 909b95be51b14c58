from pathlib import Path

import pytest

from server.settings import Settings, SettingsError, is_loopback, settings_from


@pytest.mark.parametrize("role", ["web", "ingest", "watch", "notify"])
def test_a_role_alone_is_refused_on_the_embedded_database(role: str) -> None:
    with pytest.raises(SettingsError, match="one process"):
        settings_from({"role": role})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "varde.example"])
def test_demo_login_is_refused_where_others_could_reach_it(host: str) -> None:
    with pytest.raises(SettingsError, match="login: demo"):
        settings_from({"login": "demo", "web_host": host})
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
def test_demo_login_is_served_on_this_machine(host: str) -> None:
    assert settings_from({"login": "demo", "web_host": host}).web_host == host


def test_the_environment_is_read_and_what_is_given_goes_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VARDE_DATA", str(tmp_path))
    monkeypatch.setenv("VARDE_MQTT_PORT", "1999")
    settings = settings_from({"mqtt_port": 2000, "role": None})
    assert (settings.data, settings.mqtt_port) == (tmp_path, 2000)
    assert settings.database_address.endswith(f"{tmp_path}/varde.db")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"mqtt_port": 0}, "mqtt_port"),
        ({"role": "cook"}, "role"),
        ({"database": "mysql://u:secret@h/d"}, "mysql is not supported"),
        ({"unheard_of": 1}, "unheard_of"),
    ],
)
def test_a_wrong_setting_is_named(given: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words) as caught:
        settings_from(given)
    assert "secret" not in str(caught.value)


def test_secrets_do_not_print_and_nothing_can_be_changed() -> None:
    settings = Settings(mqtt_password="hunter2")  # type: ignore[arg-type]
    assert "hunter2" not in repr(settings)
    with pytest.raises(ValueError, match="frozen"):
        settings.web_port = 1


@pytest.mark.parametrize("url", ["ftp://alarm.example", "alarm.example/ping", "https://"])
def test_a_dead_mans_ping_goes_to_a_web_address_alone(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^deadman_url: must be an address such as https://alarm.example/ping$"):
        settings_from({"deadman_url": url})
    assert "alarm.example" not in repr(settings_from({"deadman_url": "https://alarm.example/ping/1f0c"}))
