"""One story told twice: to the pure rules, and to a server on a held clock; and what each then says, line by line."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import zip_longest
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from alerts import memory as memories
from alerts.alert import OPEN, to_mapping
from alerts.arrival import Arrival
from alerts.command import Action, Command, Mistake
from alerts.fact import Fact
from alerts.replay import Replay, Timed, run
from alerts.story_file import Click, Expect, Story
from server.db import tables
from tests.journeys.held import Home, Service
from vitals.reading import ClockSource, DeviceId, Measurement, Reading, ReadingId

_DONE, _REFUSED = {200}, {409, 422}
_FACT = ("at", "kind", "rule", "alert_id", "priority", "by", "to", "why")
_ONE_IN = 5  # so many deadlines is left to the doorbell alone; waiting for it at all of them takes half a minute
_SHOWN = ("rule", "state", "priority", "highest", "condition", "late")  # what the API tells of an alert


def clickers(stories: Sequence[Story]) -> tuple[str, ...]:
    """Everybody who clicks in them."""
    return tuple(sorted({each.command.by for story in stories for each in story.clicks}))


def cast(story: Story, device: DeviceId, actors: Mapping[str, str]) -> Story:
    """The story with what an installation calls things: ids of the wire, one device, people by their ids."""
    arrivals = tuple(replace(each, reading_id=_wire_id(each.reading_id), device=device) for each in story.arrivals)
    clicks = tuple(replace(each, command=_cast_command(each.command, actors)) for each in story.clicks)
    return replace(story, arrivals=arrivals, clicks=clicks)


def _cast_command(command: Command, actors: Mapping[str, str]) -> Command:
    reading = None if command.reading is None else _wire_id(command.reading)
    reason = Mistake.MISTAKE if command.signal is Action.INVALIDATE else None  # a story's words have none
    return replace(command, by=actors[command.by], reading=reading, reason=reason)


def _wire_id(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"reading {name}"))


# --- what was said, in lines that can be compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the rules have said up to a moment: each fact a line, the open alerts, the zone."""

    facts: tuple[str, ...]
    alerts: tuple[str, ...]
    zone: str


def difference(live: Said, pure: Said) -> str:
    """Where the two part first; empty when they do not."""
    for name, one, other in (("fact", live.facts, pure.facts), ("alert", live.alerts, pure.alerts)):
        for number, (left, right) in enumerate(zip_longest(one, other, fillvalue="{}"), 1):
            if left != right:
                return f"{name} {number}\n{_parted(json.loads(left), json.loads(right))}"
    return "" if live.zone == pure.zone else f"zone\n{_parted({'zone': live.zone}, {'zone': pure.zone})}"


def _parted(live: Mapping[str, Any], pure: Mapping[str, Any]) -> str:
    """What differs; all of it where only the order of its parts does."""
    names = [name for name in {**live, **pure} if live.get(name) != pure.get(name)] or [*live]
    lines = [f"  {name}: live {live.get(name)}, pure {pure.get(name)}" for name in names]
    return "\n".join([f"  {live or pure}", *lines])


@dataclass(frozen=True, slots=True, kw_only=True)
class Pure:
    """The story told to the rules alone."""

    said: Mapping[datetime, Said]  # at every `expect`
    end: Said
    memory: str  # at the end


def told_purely(story: Story, patient: str, until: datetime) -> Pure:
    """Run the story from event to event in virtual time, without a server, and on to `until`."""
    said: dict[datetime, Said] = {}
    replay = Replay(plan=story.plan, patient=patient)

    def click(each: Click) -> Timed:
        return Timed(at=each.at, do=lambda told: _check_refusal(each, told.click(each.command, each.at)))

    def expect(each: Expect) -> Timed:
        return Timed(at=each.at, do=lambda told: said.update({each.at: _said(told)}))

    run(replay, story.arrivals, [*map(click, story.clicks), *map(expect, story.expects)], until)
    assert replay.memory is not None
    return Pure(said=said, end=_said(replay), memory=memories.dump(replay.memory))


def _check_refusal(click: Click, refusal: str | None) -> None:
    assert (refusal is not None) == click.refused, f"{click}: {refusal}"


def _said(replay: Replay) -> Said:
    return Said(
        facts=tuple(_fact_line(each) for each in replay.facts),
        alerts=tuple(_line(to_mapping(each)) for each in sorted(replay.alerts, key=lambda alert: alert.id)),
        zone=replay.zone.value,
    )


def _fact_line(fact: Fact) -> str:
    return _line(
        {
            "at": fact.at.isoformat(),
            "kind": fact.kind.value,
            "rule": fact.rule or None,
            "alert_id": fact.alert_id,
            "priority": None if fact.priority is None else fact.priority.word,
            "by": fact.by,
            "to": None if fact.to is None else fact.to.value,
            "why": dict(fact.why),
        }
    )


def _line(body: Mapping[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False)


def stored(service: Service, home: Home) -> Said:
    """The same lines from the server's tables."""
    facts = [{name: each[name] for name in _FACT} for each in service.rows(tables.fact, home)]
    alerts = [each for each in service.rows(tables.alert, home) if each["state"] in OPEN]
    (memory,) = service.rows(tables.memory, home)
    return Said(
        facts=tuple(_line({**each, "at": each["at"].isoformat()}) for each in facts),
        alerts=tuple(_line(each["body"]) for each in alerts),
        zone=memory["zone"],
    )


# --- the story told to a server


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """One story lived in one home."""

    service: Service
    home: Home
    story: Story  # as `cast` made it
    pure: Pure
    nurses: Mapping[str, str]  # actor id -> name

    def events(self) -> set[datetime]:
        """The moments at which something happens by itself."""
        story = self.story
        edges = {edge for each in story.plan.offline for edge in (each.start, each.end) if edge is not None}
        told = {each.at for each in (*story.clicks, *story.expects)}
        return edges | told | {each.received_at for each in story.arrivals}

    def check(self, at: datetime) -> None:
        """Fail where the order of two things at one moment would be chance: no broker and no doorbell promises one."""
        arrivals = [each for each in self.story.arrivals if each.received_at == at]
        assert len(arrivals) < 2, f"{at}: two readings arrive together, and might be two batches"
        assert not arrivals or self.service.wakes_at(self.home) != at, f"{at}: a reading arrives as a deadline ends"

    def arrive(self, at: datetime) -> None:
        """The gateway goes or comes back, and sends what it has."""
        for each in self.story.plan.offline:
            if at in (each.start, each.end):
                self.service.report(self.home, online=at == each.end)
        self.home.kit.send([on_the_wire(each) for each in self.story.arrivals if each.received_at == at])

    def click(self, at: datetime) -> None:
        """People click, in the order of the story."""
        for each in self.story.clicks:
            if each.at == at:
                status, answer = self._post(each.command)
                assert status in (_REFUSED if each.refused else _DONE), f"{each}: {status} {answer}"
                self.service.settle()

    def compare(self, at: datetime) -> None:
        """What is stored equals the pure story to the letter; what is shown is what the story expects."""
        for expect in self.story.expects:
            if expect.at != at:
                continue
            parted = difference(stored(self.service, self.home), self.pure.said[at])
            assert not parted, f"{at}: {parted}"
            if expect.open is not None:
                self._compare_shown(expect.open, at)
            if expect.zone is not None:
                assert self.service.shows(self.home, expect.zone), f"{at}: the page does not show {expect.zone}"

    def _compare_shown(self, rows: Sequence[Mapping[str, Any]], at: datetime) -> None:
        wanted = [{name: row[name] for name in _SHOWN if name in row} for row in rows]
        shown = {each["rule"]: each for each in self.service.alerts(self._anybody, self.home)}
        assert sorted(shown) == sorted(each["rule"] for each in wanted), at
        assert [{name: shown[each["rule"]][name] for name in each} for each in wanted] == wanted, at

    @property
    def _anybody(self) -> str:
        return next(iter(self.nurses.values()))

    def _post(self, command: Command) -> tuple[int, Any]:
        """As a nurse's own programme would: look at the alert, then click on what was seen."""
        nurse, signal = self.nurses[command.by], command.signal.value
        if command.reading is not None:
            body = None
            if command.reason is not None:
                slot = "fulfilled" if command.slot_fulfilled else "open"
                body = {"reason": command.reason.value, "slot": slot}
            return self.service.post(nurse, f"patients/{self.home.patient}/readings/{command.reading}/{signal}", body)
        found = [each["id"] for each in self.service.alerts(nurse, self.home) if each["rule"] == command.rule]
        assert found, f"{signal}: no alert of {command.rule} is open"
        given = {
            "outcome": None if command.outcome is None else command.outcome.value,
            "until": None if command.until is None else command.until.isoformat(),
        }
        body = {name: word for name, word in given.items() if word is not None}
        sent = body if command.signal in (Action.RESOLVE, Action.SNOOZE) else None
        return self.service.post(nurse, f"alerts/{found[0]}/{signal}", sent, self.service.etag(nurse, found[0]))


def live_through(service: Service, lives: Sequence[Live]) -> list[datetime]:
    """Walk from event to event, all homes together; fails where one of them and its pure story part.

    The clock stands only at moments of the stories and where the slate says so. Returns these moments.
    """
    service.settle()
    moments: list[datetime] = []
    deadlines = 0
    events = sorted(set[datetime]().union(*(each.events() for each in lives)))
    while events:
        wake = service.wakes_at()
        at = events[0] if wake is None else min(events[0], wake)
        for life in lives:
            life.check(at)
        moments.append(at)
        service.clock.move(at)
        for life in lives:
            life.arrive(at)
        if at == wake:
            deadlines += 1
            if deadlines % _ONE_IN:
                service.knock()
        service.settle()
        for life in lives:
            life.click(at)
        for life in lives:
            life.compare(at)
        events = [each for each in events if each > at]
    return moments


def on_the_wire(arrival: Arrival) -> Reading:
    """The reading as its gateway sends it."""
    assert arrival.device is not None
    return Reading(
        id=ReadingId(arrival.reading_id),
        device=DeviceId(arrival.device),
        taken_at=arrival.taken_at,
        clock=ClockSource.DEVICE,
        measurements=tuple(Measurement(metric=name, value=value) for name, value in arrival.values.items()),
        quality=arrival.quality,
    )
