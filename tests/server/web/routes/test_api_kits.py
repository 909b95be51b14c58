"""A script asks something of a gateway, and asks what became of it."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from server.access import Role
from server.web.api.schemas import CommandItem, Listed
from server.web.serving import build_pages
from tests.server.web.test_api import token
from tests.server.world import OXIMETER, START, World, make_world
from vitals.clock import ManualClock


@pytest.fixture
def client(world: World) -> Iterator[TestClient]:
    app = build_pages(world.parts(ManualClock(START)))
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as opened:
        yield opened


def test_what_is_asked_can_be_followed(world: World, client: TestClient) -> None:
    where, mine = f"/api/v1/gateways/{world.gateway}/commands", token(world, Role.TECHNICIAN)
    wanted = {"kind": "pairing_window", "device": OXIMETER, "passkey": 123456}
    answer = client.post(where, json=wanted, headers=mine)
    assert answer.status_code == 202
    made = CommandItem.model_validate(answer.json())
    assert (made.gateway, made.kind, made.device, made.outcome) == (world.gateway, wanted["kind"], OXIMETER, None)
    assert "123456" not in answer.text
    assert client.post(where, json={"kind": "configuration"}, headers=mine).status_code == 202
    listed = Listed[CommandItem].model_validate(client.get(where, headers=mine).json())
    assert {each.kind for each in listed.items} == {"pairing_window", "configuration"}


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"kind": "pairing_window", "device": "AA:BB:CC:00:00:99"}, 422),
        ({"kind": "pairing_window", "device": OXIMETER, "seconds": 601}, 422),
        ({"kind": "explode"}, 422),
        ({"kind": "measure_again", "device": OXIMETER, "name": "Kari"}, 422),
        ({"kind": "configuration"}, 403),
    ],
)
def test_what_cannot_be_asked_is_a_problem(
    world: World, client: TestClient, wanted: dict[str, str], status: int
) -> None:
    answer = client.post(f"/api/v1/gateways/{world.gateway}/commands", json=wanted, headers=token(world))
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_nobody_asks_a_gateway_of_another_municipality(world: World, client: TestClient) -> None:
    other = make_world(world.database, world.folder, name="Nabovik", number="9992", gateway="gw-nabovik-1")
    where = f"/api/v1/gateways/{other.gateway}/commands"
    wanted = {"kind": "measure_again", "device": OXIMETER}
    assert client.post(where, json=wanted, headers=token(world)).status_code == 404
    assert client.post(where, json=wanted, headers=token(other)).status_code == 202
    assert client.get(where, headers=token(world)).json()["items"] == []
    assert client.post(where, json=wanted).status_code == 401
