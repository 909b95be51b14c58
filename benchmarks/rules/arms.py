"""The ways of alerting that are set side by side: three naive ones, and our engine with two sets of limits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from alerts import rulebook
from alerts.plan import Plan
from benchmarks.rules import life, measures, naive
from benchmarks.rules.cohorts import Cohort
from benchmarks.rules.measures import Numbers
from benchmarks.rules.own_limits import Limits
from benchmarks.rules.people import Person
from benchmarks.rules.said import Said, from_episodes

SHIPPED, OWN = "shipped rulebook", "own plan"
Arm = Callable[[Person, Cohort], tuple[Said, ...]]


@dataclass(slots=True, kw_only=True)
class Told:
    """What was counted of an arm (or of one of its rules): person by person, and every lead time in days."""

    people: list[Numbers] = field(default_factory=list)
    leads: list[float] = field(default_factory=list)
    alone: int = 0  # of a rule: manual groups that would not be there without it

    def add(self, other: "Told") -> None:
        """Take over what another run counted."""
        self.people += other.people
        self.leads += other.leads
        self.alone += other.alone


def plan(person: Person, book: str, limits: Limits) -> Plan:
    """The person's plan: the shipped rulebook with these limits of the person's own."""
    settings = {
        "plan_id": person.key,
        "starts_at": person.starts_at.isoformat(),
        "facts": dict(person.facts),
        "hours": life.HOURS,
        "outside": life.OUTSIDE,
        "pauses": [{"start": stay.start.isoformat(), "end": str(stay.end)} for stay in person.stays],
    }
    return rulebook.draft(rulebook.merge(rulebook.load(book), limits), settings)


def _shipped(person: Person, cohort: Cohort) -> tuple[Said, ...]:
    return from_episodes(life.live(person, plan(person, cohort.book, {})))


def _own(person: Person, cohort: Cohort) -> tuple[Said, ...]:
    return from_episodes(life.live(person, plan(person, cohort.book, cohort.own(person))))


ARMS: Mapping[str, Arm] = {
    "traffic light": lambda person, cohort: naive.traffic_light(person, cohort.book),
    "OpenTele-like": lambda person, cohort: naive.open_tele(person, cohort.book),
    "ThingsBoard-like": lambda person, cohort: naive.things_board(person, cohort.book, cohort.duration),
    SHIPPED: _shipped,
    OWN: _own,
}
OURS = (SHIPPED, OWN)


def tell(people: Sequence[Person], cohort: Cohort, arm: str) -> tuple[Told, dict[str, Told]]:
    """The arm over these people; for our own arms also rule by rule, those that said nothing included."""
    said = [ARMS[arm](person, cohort) for person in people]
    whole = _told(people, said, cohort)
    rules = {}
    for name in (*rulebook.load(cohort.book).rules, "quarantined") if arm in OURS else ():
        rules[name] = _told(people, [[each for each in every if each.rule == name] for every in said], cohort)
        rules[name].alone = sum(measures.alone(every, name) for every in said)
    return whole, rules


def _told(people: Sequence[Person], said: Sequence[Sequence[Said]], cohort: Cohort) -> Told:
    told = Told()
    for person, every in zip(people, said, strict=True):
        told.people.append(measures.count(person, every, cohort.window).numbers())
        told.leads += measures.leads(person, every, cohort.window)
    return told
