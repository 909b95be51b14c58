from pathlib import Path

from gateway.time_sync import is_synchronised


def test_time_is_sure_when_its_service_says_so_or_says_nothing(tmp_path: Path) -> None:
    service = tmp_path / "timesync"
    assert is_synchronised(service)
    service.mkdir()
    assert not is_synchronised(service)
    (service / "synchronized").touch()
    assert is_synchronised(service)
