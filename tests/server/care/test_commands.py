"""What may be asked of a gateway, by whom, and what is written down of it."""

import json
from datetime import timedelta
from typing import Any

import pytest

from server.access import Actor, RefusedError, Role
from server.care import people
from server.care.commands import WORTH, Kind, Wish, WishError, ask
from server.care.people import NotFoundError
from server.db import tables
from tests.server.world import OXIMETER, START, World


def asked(world: World, actor: Actor | None = None, **wish: Any) -> dict[str, Any]:
    """The command as its gateway will read it."""
    given = {"gateway": world.gateway, "kind": Kind.PAIRING_WINDOW, "device": OXIMETER.lower(), **wish}
    with world.database.write() as connection:
        ask(connection, world.vault, actor or world.actor, Wish(**given), START)
    body: dict[str, Any] = json.loads(world.vault.open(world.rows(tables.gateway_command)[-1]["body"]))
    return body


def technician(world: World) -> Actor:
    return Actor(id="tech", role=Role.TECHNICIAN, municipality=world.municipality)


def test_a_pairing_window_with_the_number_that_the_device_shows(world: World) -> None:
    body = asked(world, passkey=12, seconds=60)
    (row,) = world.rows(tables.gateway_command)
    assert body == {
        "id": row["id"],
        "expires_at": (START + WORTH[Kind.PAIRING_WINDOW]).isoformat(),
        "kind": "pairing_window",
        "device": OXIMETER,
        "seconds": 60,
        "passkey": 12,
    }
    assert (row["device"], row["asked_by"], row["outcome"]) == (OXIMETER, world.nurse, None)
    (entry,) = world.rows(tables.audit)
    assert (entry["action"], entry["patient_id"], entry["subject"]) == ("command_kit", world.patient, row["id"])


def test_the_passkey_lies_closed_in_the_database(world: World) -> None:
    asked(world, passkey=918273)
    assert b"918273" not in world.rows(tables.gateway_command)[0]["body"]


def test_the_list_of_devices_names_nobody(world: World) -> None:
    body = asked(world, technician(world), kind=Kind.CONFIGURATION, device=None)
    assert body["devices"] == [{"address": OXIMETER, "kind": "oximeter", "timezone": "Europe/Oslo"}]
    assert body["expires_at"] == (START + timedelta(days=7)).isoformat()


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"device": "AA:BB:CC:00:00:99"}, "device"),
        ({"device": None}, "device"),
        ({"seconds": 0}, "seconds"),
        ({"seconds": 601}, "seconds"),
        ({"passkey": 1_000_000}, "passkey"),
        ({"kind": Kind.MEASURE_AGAIN, "device": "AA:BB:CC:00:00:99"}, "device"),
    ],
)
def test_what_no_gateway_would_obey_is_not_asked(world: World, wish: dict[str, Any], field: str) -> None:
    with pytest.raises(WishError) as refusal:
        asked(world, **wish)
    assert refusal.value.field == field
    assert world.rows(tables.gateway_command) == []


def test_nobody_commands_a_kit_that_he_may_not_know_of(world: World) -> None:
    with world.database.write() as connection:
        team = people.create_team(connection, world.municipality, "Another team")
    colleague = Actor(id="x", role=Role.NURSE, municipality=world.municipality, team=team)
    with pytest.raises(WishError):  # of the same municipality, but the device is with a patient of another team
        asked(world, colleague)
    stranger = Actor(id="x", role=Role.COORDINATOR, municipality="elsewhere")
    with pytest.raises(NotFoundError):
        asked(world, stranger)
    with pytest.raises(RefusedError):  # the list shows whoever else the gateway hears
        asked(world, kind=Kind.CONFIGURATION, device=None)
