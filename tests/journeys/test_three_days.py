"""Three days of two homes, lived through by the server that people run; what it then knows is what the rules say."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from time import monotonic

import pytest

from alerts import rulebook
from alerts.command import Action
from alerts.fact import FactKind
from alerts.story import differences
from alerts.story_file import Story, load
from server.db import tables
from tests.journeys.held import Service
from tests.journeys.running import wait_for
from tests.journeys.told import Live, cast, clickers, difference, live_through, on_the_wire, stored, told_purely

_FOLDER = Path(rulebook.__file__).parent / "rulebooks" / "stories"
_STORIES = tuple(load(_FOLDER / name) for name in ("covid19_three_days_at_home.toml", "heart_failure_every_click.toml"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """The service after the last event, and where its clock stood on the way."""

    service: Service
    lives: tuple[Live, ...]
    moments: frozenset[datetime]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory, address: str | None) -> Iterator[Lived]:
    """Both stories lived at the same time, compared with the pure ones at every `expect` on the way.

    Once by a server of one process, once by one of six: two receive and two watch.
    """
    began = monotonic()
    plans = [replace(each.plan, version=1) for each in _STORIES]
    with Service(tmp_path_factory.mktemp("d"), plans, clickers(_STORIES), address) as service:
        print(f"\nready after {monotonic() - began:.1f} s")
        lives = _lives(service)
        began = monotonic()
        moments = live_through(service, lives)
        print(f"{len(moments)} moments in {monotonic() - began:.1f} s")
        yield Lived(service=service, lives=lives, moments=frozenset(moments))


def _lives(service: Service) -> tuple[Live, ...]:
    until = max(each.expects[-1].at for each in _STORIES)
    names = {actor: name for name, actor in service.actors.items()}
    lives = []
    for written, home in zip(_STORIES, service.homes, strict=True):
        story = cast(written, home.device, service.actors)
        pure = told_purely(story, home.patient, until)
        lives.append(Live(service=service, home=home, story=story, pure=pure, nurses=names))
    return tuple(lives)


@pytest.mark.parametrize("story", _STORIES, ids=lambda story: story.plan.rulebook)
def test_the_story_holds_without_a_server(story: Story) -> None:
    assert differences(story) == ()


def test_three_days_lived_equal_three_days_told(lived: Lived) -> None:
    for life in lived.lives:
        assert difference(stored(lived.service, life.home), life.pure.end) == ""
        (memory,) = lived.service.rows(tables.memory, life.home)
        assert memory["body"] == life.pure.memory


def test_nothing_that_can_happen_is_missing_from_the_stories(lived: Lived) -> None:
    kinds = {each["kind"] for each in lived.service.rows(tables.fact)}
    assert kinds == {each.value for each in FactKind}
    done = {each.command.signal for story in _STORIES for each in story.clicks if not each.refused}
    assert done == set(Action)


def test_the_rules_were_asked_at_the_moments_of_the_stories_alone(lived: Lived) -> None:
    asked = {each["at"] for each in lived.service.rows(tables.evaluation)}
    assert asked <= lived.moments | {lived.service.begin}


def test_the_replay_of_what_was_recorded_finds_it_equal(lived: Lived) -> None:
    command = [sys.executable, "-m", "varde", "replay", "--database", lived.service.address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("equal") == len(lived.lives)


def test_every_notice_went_out_once(lived: Lived) -> None:
    service = lived.service
    wait_for(lambda: all(each["state"] == "sent" for each in service.rows(tables.outbox)), "every notice to be sent")
    facts = [each["seq"] for each in service.rows(tables.fact) if each["kind"] == FactKind.NOTICE]
    outbox = service.rows(tables.outbox)
    assert sorted(each["fact_seq"] for each in outbox) == facts
    assert sorted(each["outbox_seq"] for each in service.rows(tables.attempt)) == [each["seq"] for each in outbox]


def test_everything_sent_once_more_changes_nothing(lived: Lived) -> None:
    for life in lived.lives:
        before = stored(lived.service, life.home)
        life.home.kit.send([on_the_wire(each) for each in life.story.arrivals])
        lived.service.settle()
        assert stored(lived.service, life.home) == before
