"""Stories: run one and say what differs from what it expects. The other edge of this package that reads files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from alerts.alert import Alert
from alerts.fact import Fact, FactKind
from alerts.replay import Replay, Timed, run
from alerts.story_file import Click, Expect, Story, StoryError, load

HELD, DIFFERS, WRONG_FILE = 0, 1, 2


def tell(paths: Sequence[Path], say: Any = print) -> int:
    """Run every story; the exit code: 0 all hold, 1 some differ, 2 some file is wrong (the worst counts)."""
    return max((_tell_one(path, say) for path in paths), default=HELD)


def differences(story: Story) -> tuple[str, ...]:
    """What is not as the story expects, in words; empty when everything holds."""
    telling = _Telling(story=story)
    events = telling.events()
    run(telling.replay, story.arrivals, events, max((each.at for each in events), default=story.plan.starts_at))
    return tuple(telling.found)


def _tell_one(path: Path, say: Any) -> int:
    try:
        story = load(path)
    except StoryError as error:
        say(f"WRONG   {error}")
        return WRONG_FILE
    found = differences(story)
    say(f"{'differs' if found else 'holds  '} {path}: {story.sentence}")
    for line in found:
        say(f"        {line}")
    return DIFFERS if found else HELD


@dataclass(slots=True, kw_only=True)
class _Telling:
    """A story while it runs: how far the facts were compared, and what differed."""

    story: Story
    replay: Replay = field(init=False)
    found: list[str] = field(default_factory=list)
    compared: int = 0  # facts before the newest expect

    def __post_init__(self) -> None:
        self.replay = Replay(plan=self.story.plan)

    def events(self) -> tuple[Timed, ...]:
        """Clicks in file order, and after them what is expected."""
        clicks = (Timed(at=each.at, do=partial(self._click, each)) for each in self.story.clicks)
        expects = (Timed(at=each.at, do=partial(self._compare, each)) for each in self.story.expects)
        return (*clicks, *expects)

    def _click(self, click: Click, _: Replay) -> None:
        refusal = self.replay.click(click.command, click.at)
        if (refusal is not None) != click.refused:
            what = f"{click.command.signal} by {click.command.by}"
            told = "was done, but must be refused" if refusal is None else f"was refused: {refusal}"
            self._differs(click.at, f"{what} {told}")

    def _compare(self, expect: Expect, _: Replay) -> None:
        new = self.replay.facts[self.compared :]
        self.compared = len(self.replay.facts)
        if expect.open is not None:
            self._compare_open(expect.at, expect.open)
        for rule, count in expect.raised.items():
            raised = sum(each.kind is FactKind.RAISED and each.rule == rule for each in self.replay.facts)
            if raised != count:
                self._differs(expect.at, f"{rule} was raised {raised} times, expected {count}")
        if expect.notices is not None:
            self._compare_notices(expect.at, expect.notices, new)
        advice = sorted(each.why["zone"] for each in new if each.kind is FactKind.ADVICE)
        if expect.advice is not None and advice != sorted(expect.advice):
            self._differs(expect.at, f"advice was {advice}, expected {sorted(expect.advice)}")
        if expect.zone is not None and self.replay.zone != expect.zone:
            self._differs(expect.at, f"the zone is {self.replay.zone}, expected {expect.zone}")

    def _compare_open(self, at: datetime, rows: Sequence[Mapping[str, Any]]) -> None:
        alerts = {each.rule: each for each in self.replay.alerts}
        for row in rows:
            alert = alerts.pop(row["rule"], None)
            if alert is None:
                self._differs(at, f"{row['rule']}: no alert is open, expected {_words(row)}")
                continue
            shown = _shown(alert, at)
            wrong = {name: shown[name] for name, value in row.items() if shown[name] != value}
            if wrong:
                expected = {name: row[name] for name in wrong}
                self._differs(at, f"{alert.rule}: {_words(wrong)}, expected {_words(expected)}")
        for alert in alerts.values():
            self._differs(at, f"{alert.rule}: {_words(_brief(alert, at))} is open, expected no alert")

    def _compare_notices(self, at: datetime, rows: Sequence[Mapping[str, Any]], new: Sequence[Fact]) -> None:
        sent = [(str(each.to), each.rule, each.at) for each in new if each.kind is FactKind.NOTICE]
        for row in sorted(rows, key=len, reverse=True):  # the most particular first
            match = next((each for each in sent if row["to"] == each[0] and row.get("rule", each[1]) == each[1]), None)
            if match is None:
                self._differs(at, f"no notice {_words(row)} since the last expect")
            else:
                sent.remove(match)
        for to, rule, when in sent:
            self._differs(at, f"unexpected notice to {to} about {rule} at {self._clock(when)}")

    def _differs(self, at: datetime, what: str) -> None:
        self.found.append(f"{self._clock(at)}  {what}")

    def _clock(self, at: datetime) -> str:
        """The moment as the story would write it."""
        local = at.astimezone(self.story.plan.zone)
        first = self.story.plan.starts_at.astimezone(self.story.plan.zone).date()
        return f"D{(local.date() - first).days + 1} {local:%H:%M:%S}"


def _shown(alert: Alert, at: datetime) -> dict[str, Any]:
    return {
        "rule": alert.rule,
        "state": alert.state.value,
        "priority": alert.priority.word,
        "highest": alert.highest.word,
        "condition": alert.condition,
        "waiting": alert.waiting,
        "late": alert.late,
        "snoozed": alert.snoozed_until is not None and alert.snoozed_until > at,
        "level": alert.level,
        "owner": alert.owner or "",
        "partial": bool(alert.partial),
        "missing": tuple(sorted(alert.missing)),
        "cause": alert.cause or "",
    }


def _brief(alert: Alert, at: datetime) -> dict[str, Any]:
    shown = _shown(alert, at)
    return {name: shown[name] for name in ("state", "priority")}


def _words(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in row.items())
