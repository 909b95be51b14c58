"""Which processes a server is made of."""

from pathlib import Path

import pytest

from server.settings import RoleName, settings_from
from varde.demo.serving import Serving, children, metrics

_SHARED = "postgresql://varde@127.0.0.1:5432/varde"


def _serving(folder: Path, address: str, *twice: RoleName) -> Serving:
    return Serving(address=address, log=folder, environment={"VARDE_DATA": str(folder)}, twice=twice)


def test_a_file_is_served_by_one_process(tmp_path: Path) -> None:
    found = children(_serving(tmp_path, f"sqlite:///{tmp_path}/varde.db"))
    assert [each.name for each in found] == ["server"]
    assert found[0].command[-1] == "all"


def test_every_role_has_a_process_of_its_own_with_settings_that_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = children(_serving(tmp_path, _SHARED, RoleName.INGEST, RoleName.WATCH))
    assert [each.name for each in found] == [
        "server-ingest",
        "server-watch",
        "server-notify",
        "server-web",
        "server-ingest-2",
        "server-watch-2",
    ]
    names, ports = set(), set()
    for each in found:
        with monkeypatch.context() as environment:
            for name, value in each.environment.items():
                environment.setenv(name, value)
            settings = settings_from({"role": each.command[-1]})
        assert settings.database == _SHARED
        assert settings.mqtt_shared == (settings.role is RoleName.INGEST)
        names.add(settings.mqtt_client_id)
        ports.add(settings.metrics_port)
    assert len(names) == len(ports) == len(found)
    alone = children(_serving(tmp_path, _SHARED))[0]
    assert "VARDE_MQTT_SHARED" not in alone.environment  # not every broker knows what that is
    assert metrics(found, "http://127.0.0.1:8000")[0] == "http://127.0.0.1:8000/metrics"
    assert len(metrics(found, "http://127.0.0.1:8000")) == len(found)
