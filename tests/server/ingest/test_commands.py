"""A command on its way: sent after its COMMIT, again until answered, and closed by what the gateway says."""

import json
from datetime import timedelta

import pytest

from server.care.commands import WORTH, Kind, Wish, ask
from server.db import tables
from server.ingest import commands
from server.ingest.commands import AGAIN_SECONDS, EVERY_SECONDS, UNANSWERED, Commands
from tests.server.world import OXIMETER, START, World
from vitals.clock import ManualClock
from vitals.seal import unseal
from vitals.topics import Lane


class Seconds:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    made = Seconds()
    monkeypatch.setattr(commands, "time", made)
    return made


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


class Line:
    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes]] = []

    def publish(self, topic: str, payload: bytes) -> None:
        self.sent.append((topic, payload))


def ask_for_a_window(world: World) -> str:
    wish = Wish(gateway=world.gateway, kind=Kind.PAIRING_WINDOW, device=OXIMETER, passkey=123456)
    with world.database.write() as connection:
        return ask(connection, world.vault, world.actor, wish, START)


def say(world: World, outcomes: dict[str, str]) -> None:
    world.record(world.sealed(Lane.STATUS, json.dumps({"online": True, "commands": outcomes}).encode()))


def test_it_is_sent_sealed_and_again_until_the_gateway_answers(
    world: World, seconds: Seconds, clock: ManualClock
) -> None:
    line = Line()
    sender = Commands(world.parts(clock), line.publish)
    assert sender.send() == 0
    command = ask_for_a_window(world)
    assert sender.send() == 0  # it has just looked
    seconds.now += EVERY_SECONDS
    assert sender.send() == 1
    ((where, payload),) = line.sent
    assert where == f"varde/v1/{world.gateway}/commands"
    assert json.loads(unseal(world.key, where, payload))["id"] == command
    seconds.now += AGAIN_SECONDS - 0.5
    assert sender.send() == 0
    seconds.now += EVERY_SECONDS
    assert sender.send() == 1
    say(world, {command: "obeyed", "of somebody else": "obeyed"})
    seconds.now += AGAIN_SECONDS
    assert sender.send() == 0
    (row,) = world.rows(tables.gateway_command)
    assert (row["outcome"], row["told_at"], row["body"]) == ("obeyed", START, None)


def test_what_nobody_answered_in_its_time_is_said_and_a_late_answer_counts(
    world: World, seconds: Seconds, clock: ManualClock
) -> None:
    line = Line()
    command = ask_for_a_window(world)
    clock.advance(WORTH[Kind.PAIRING_WINDOW] + timedelta(seconds=1))
    assert Commands(world.parts(clock), line.publish).send() == 0
    assert [(row["outcome"], row["body"]) for row in world.rows(tables.gateway_command)] == [(UNANSWERED, None)]
    say(world, {command: "refused: device\0: not one of this gateway's"})
    assert [row["outcome"] for row in world.rows(tables.gateway_command)] == [
        "refused: device?: not one of this gateway's"
    ]
    say(world, {command: "obeyed"})  # what was said once stays
    assert world.rows(tables.gateway_command)[0]["outcome"].startswith("refused")


def test_another_gateway_cannot_answer_for_it(world: World, seconds: Seconds, clock: ManualClock) -> None:
    command = ask_for_a_window(world)
    with world.database.write() as connection:
        commands.note(connection, "gw-other", {command: "obeyed"}, START)  # type: ignore[arg-type]
    assert world.rows(tables.gateway_command)[0]["outcome"] is None
