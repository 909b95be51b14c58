"""Running it: one task a cohort and seed, over the processors that there are; gathered in the order of tasks."""

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

from benchmarks.rules import check, stated
from benchmarks.rules.arms import ARMS, Told, tell
from benchmarks.rules.check import Key
from benchmarks.rules.cohorts import COHORTS
from benchmarks.rules.measures import Numbers

NOISE_SEEDS = 2  # the other choices of noise need no more


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How much to run: how many seeds, the share of each cohort's people, how many processes."""

    seeds: int
    share: float = 1.0
    processes: int = 2

    def people(self, cohort: str) -> int:
        """How many people of a cohort."""
        return max(1, round(COHORTS[cohort].people * self.share))


@dataclass(slots=True, kw_only=True)
class Found:
    """Everything that was counted: by cohort and arm, and rule by rule for our own arms; and the check."""

    asked: Asked
    arms: dict[tuple[str, str], Told] = field(default_factory=dict)
    rules: dict[tuple[str, str, str], Told] = field(default_factory=dict)
    samples: dict[str, stated.Samples] = field(default_factory=dict)  # by cohort
    check: dict[Key, list[Numbers]] = field(default_factory=dict)
    noises: dict[str, dict[Key, list[Numbers]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Task:
    """One cohort (or one other noise of the check) and one seed."""

    cohort: str
    seed: int
    people: int
    noise: str = ""


@dataclass(slots=True, kw_only=True)
class Result:
    """What one task counted."""

    arms: dict[str, Told] = field(default_factory=dict)
    rules: dict[tuple[str, str], Told] = field(default_factory=dict)
    samples: stated.Samples = field(default_factory=dict)
    check: dict[Key, list[Numbers]] = field(default_factory=dict)


def run(asked: Asked) -> Found:
    """All of it; says on standard error how far it is."""
    tasks = _tasks(asked)
    found = Found(asked=asked)
    began = time.monotonic()
    for number, (task, result) in enumerate(zip(tasks, _done(tasks, asked.processes), strict=True), start=1):
        _gather(found, task, result)
        name = task.noise or task.cohort
        passed = time.monotonic() - began
        print(f"{number} of {len(tasks)}: {name}, seed {task.seed}, {passed:.0f} s", file=sys.stderr)
    return found


def _done(tasks: list[Task], processes: int) -> Iterator[Result]:
    """The results in the order of tasks."""
    if processes == 1:
        yield from map(_do, tasks)
        return
    with ProcessPoolExecutor(max_workers=processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_do, tasks)


def _tasks(asked: Asked) -> list[Task]:
    seeds = range(1, asked.seeds + 1)
    tasks = [Task(cohort, seed, asked.people(cohort)) for cohort in COHORTS for seed in seeds]
    people = asked.people("heart_failure")
    few = seeds[:NOISE_SEEDS]
    return tasks + [Task("heart_failure", seed, people, noise) for noise in check.NOISES for seed in few]


def _do(task: Task) -> Result:
    if task.noise:
        return Result(check=check.tell_with(task.noise, task.seed, task.people))
    cohort = COHORTS[task.cohort]
    people = list(cohort.make(task.seed, task.people))
    result = Result(samples=stated.samples(people, task.cohort))
    for arm in ARMS:
        result.arms[arm], by_rule = tell(people, cohort, arm)
        result.rules |= {(arm, name): told for name, told in by_rule.items()}
    if task.cohort == "heart_failure":
        result.check = check.tell(people, grid=True)
    return result


def _gather(found: Found, task: Task, result: Result) -> None:
    for arm, told in result.arms.items():
        found.arms.setdefault((task.cohort, arm), Told()).add(told)
    for (arm, rule), told in result.rules.items():
        found.rules.setdefault((task.cohort, arm, rule), Told()).add(told)
    into = found.noises.setdefault(task.noise, {}) if task.noise else found.check
    for key, people in result.check.items():
        into.setdefault(key, []).extend(people)
    if result.samples:
        stated.merge(found.samples.setdefault(task.cohort, {}), result.samples)
