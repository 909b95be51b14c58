"""The demo's people: nobody who could exist, and everything in its one place."""

from pathlib import Path

import pytest

from gateway import settings
from gateway.kinds import KINDS
from varde.demo.folder import Folder
from varde.demo.keys import keys_for
from varde.demo.kits import BrokerPlace, write_settings
from varde.demo.town import TOWN_FILE, TownError, read_town

# Norwegian national identity number: weights of the two control digits, both sums divisible by 11.
_FIRST = (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)
_SECOND = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)


def _divisible(digits: list[int], weights: tuple[int, ...]) -> bool:
    return sum(digit * weight for digit, weight in zip(digits, weights, strict=False)) % 11 == 0


def test_fourteen_people_in_nine_homes_with_every_kind_of_device() -> None:
    town = read_town()
    assert len(town.residents) == 14
    assert [len(home.devices) for home in town.homes] == [6, 1, 1, 1, 2, 1, 1, 3, 3]
    assert len({home.gateway for home in town.homes} | {town.script_gateway}) == 10
    assert {each.rulebook for each in town.residents} == {"covid19", "heart_failure", "hypertension", "diabetes"}
    assert {device.kind for home in town.homes for device in home.devices} == set(KINDS)
    assert len({each.role for each in town.staff}) > 2


@pytest.mark.parametrize("resident", read_town().residents, ids=lambda each: each.key)
def test_national_ids_are_valid_and_synthetic(resident: object) -> None:
    national_id, born = resident.national_id, resident.born  # type: ignore[attr-defined]
    digits = [int(each) for each in national_id]
    assert len(digits) == 11
    assert national_id[:6] == f"{born.day:02}{born.month + 80:02}{born.year % 100:02}"
    assert _divisible(digits, _FIRST)
    assert _divisible(digits, _SECOND)


def test_the_devices_of_scripts_belong_to_patients_whose_rules_judge_them() -> None:
    town = read_town()
    judged = {device.kind: town.resident_with(device.address).rulebook for device in town.script_devices()}
    assert judged == {"oximeter": "covid19", "scale": "heart_failure"}
    assert town.script_devices()[0].kind == "oximeter"
    assert {town.home_of(device.address).name for device in town.script_devices()} == {"solbakken"}


def test_a_device_of_two_patients_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "town.toml"
    path.write_text(TOWN_FILE.read_text().replace('["02:56:41:16:00:01"]', '["02:56:41:15:00:01"]'))
    with pytest.raises(TownError, match="one patient"):
        read_town(path)


def test_every_gateway_can_read_its_settings(tmp_path: Path) -> None:
    folder, town = Folder(tmp_path / "demo"), read_town()
    folder.make()
    keys = keys_for(folder, [home.gateway for home in town.homes])
    for home in town.homes:
        place = BrokerPlace(port=18_830)
        path = write_settings(folder, home, keys.gateways[home.gateway], broker=place, timezone=town.timezone)
        assert oct(path.stat().st_mode & 0o777) == "0o600"
        told = settings.load(path)
        assert told.id == home.gateway
        assert told.key == keys.gateways[home.gateway].key
        assert told.mqtt.port == 18_830
        assert [device.address for device in told.devices] == [device.address for device in home.devices]


def test_keys_are_made_once(tmp_path: Path) -> None:
    folder, town = Folder(tmp_path / "demo"), read_town()
    folder.make()
    names = [home.gateway for home in town.homes]
    first = keys_for(folder, names[:3])
    second = keys_for(folder, names)
    assert {name: second.gateways[name] for name in names[:3]} == first.gateways
    assert second.server_password == first.server_password
    assert len({each.key for each in second.gateways.values()}) == len(names)
    assert oct(folder.keys.stat().st_mode & 0o777) == "0o600"
