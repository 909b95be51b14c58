"""The town file: read whole or refused with file, key and reason."""

from pathlib import Path

import pytest

from device_sims.town import TownError, read_town

GOOD = """
[municipality]
name = "for others"
[[home]]
name = "solbakken"
gateway = "gw-solbakken"
[[home.device]]
address = "02:56:41:10:00:01"
kind = "oximeter"
model = "OX1"
public = true
bonded = true
script = true
[[home.person]]
key = "kari"
scenario = "covid_decline"
seed = 11
devices = ["02:56:41:10:00:01"]
timezone = "Europe/Oslo"
baseline = { weight = 82.5 }
"""
ROOT = Path(__file__).parents[2]


def test_a_town_is_read(tmp_path):
    (home,) = read_town(written(tmp_path, GOOD))
    assert (home.name, home.gateway) == ("solbakken", "gw-solbakken")
    assert home.devices[0].address == "02:56:41:10:00:01"
    person = home.persons[0]
    assert (person.key, person.scenario.name, person.seed) == ("kari", "covid_decline", 11)
    assert [(name, str(value)) for name, value in person.baselines] == [("weight", "82.5")]


def test_every_kind_can_stand_in_a_town_and_be_as_it_is(tmp_path):
    town = GOOD.replace('kind = "oximeter"', 'kind = "glucometer"').replace(
        "script = true", "passkey = 123456\nawake_s = 60"
    )
    (home,) = read_town(written(tmp_path, town))
    device = home.devices[0]
    assert (device.kind, device.passkey, device.awake_s) == ("glucometer", 123456, 60)


def test_the_demo_s_own_town_is_read():
    homes = read_town(ROOT / "varde" / "demo" / "town.toml")
    assert len(homes) >= 5
    assert {person.scenario.name for home in homes for person in home.persons} >= {
        "stable",
        "covid_decline",
        "heart_failure_gain",
        "forgets_to_measure",
        "captured_frames",
    }


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        ('gateway = "gw-solbakken"', "", "home solbakken, gateway: missing"),
        ('name = "solbakken"', 'name = "Solbakken/1"', "home 1, name: 'Solbakken/1' must be"),
        ('kind = "oximeter"', 'kind = "toaster"', "home solbakken, device 1, kind: 'toaster' is unknown"),
        ('"02:56:41:10:00:01"\nkind', '"02:56"\nkind', "device 1, address: '02:56' is not a Bluetooth address"),
        ("public = true", "public = false", "is not public, so its first two bits must be 1"),
        ("bonded = true", 'bonded = "yes"', "device 1, bonded: must be true or false"),
        ("script = true", 'passkey = "123456"', "passkey: must be a whole number from 1 to 999999"),
        ("script = true", "awake_s = 0", "awake_s: must be a whole number from 1 to"),
        ("bonded = true", "bonded = false\npasskey = 1", "passkey: only a bonded device asks for one"),
        ("seed = 11", 'seed = "11"', r"person 1 \(kari\), seed: must be a whole number"),
        ('"covid_decline"', '"unwell"', r"person 1 \(kari\), scenario: no scenario is called 'unwell'"),
        ("Europe/Oslo", "Europe/Solbakken", "timezone: 'Europe/Solbakken' is unknown"),
        ('devices = ["02', 'devices = ["03', "03:56:41:10:00:01 is not a device of this home"),
        ("weight = 82.5", 'weight = "82"', "baseline: must be a table"),
        ("[[home]]", "[[house]]", "home"),
        ("[municipality]", "[municipality", "not TOML"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path, was, becomes, says):
    assert was in GOOD
    path = written(tmp_path, GOOD.replace(was, becomes))
    with pytest.raises(TownError, match=says) as refused:
        read_town(path)
    assert str(path) in str(refused.value)


def test_one_device_cannot_stand_in_two_homes(tmp_path):
    with pytest.raises(TownError, match="solbakken is there twice"):
        read_town(written(tmp_path, GOOD + GOOD.partition("[[home]]")[1] + GOOD.partition("[[home]]")[2]))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(TownError, match=r"none\.toml: No such file"):
        read_town(tmp_path / "none.toml")


def written(folder, text):
    path = folder / "town.toml"
    path.write_text(text)
    return path
