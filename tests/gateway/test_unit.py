"""The systemd unit says what the program does and the install notes promise."""

import configparser
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "docs" / "operating" / "varde-gateway.service"


@pytest.fixture
def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNIT)
    return parser


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Type", "notify"),
        ("Restart", "always"),
        ("RestartPreventExitStatus", "2"),  # wrong settings do not mend themselves
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("CapabilityBoundingSet", ""),
        ("StateDirectory", "varde"),
    ],
)
def test_it_starts_again_and_may_do_little(unit: configparser.ConfigParser, key: str, value: str) -> None:
    assert unit["Service"][key] == value


def test_it_has_a_watchdog_and_never_stops_trying(unit: configparser.ConfigParser) -> None:
    assert int(unit["Service"]["WatchdogSec"]) >= 30
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"
    assert "-m gateway --settings" in unit["Service"]["ExecStart"]
