"""The report as a page of Markdown: what was asked, how, what came out, and what it does not say.

Sentences that depend on a number are made from that number: the page is true of whatever run wrote it.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from alerts import rulebook
from benchmarks.rules import check, tables, words
from benchmarks.rules.arms import OWN, SHIPPED
from benchmarks.rules.check import CHART, MACD, ONE_DAY, THREE_DAYS, Key
from benchmarks.rules.cohorts import COHORTS, Cohort
from benchmarks.rules.measures import rate
from benchmarks.rules.plots import AIM
from benchmarks.rules.running import Found

NAME = "benchmarks-rules"
_NEAR_TRUE, _NEAR_MACD = 0.15, 0.10  # how near to the published share counts as near


def write(found: Found, folder: Path, figures: Mapping[str, str]) -> list[Path]:
    """Write the page and its figures under `folder`; which files."""
    pictures = folder / "figures"
    pictures.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in figures.items():
        path = pictures / f"{NAME}-{name}.svg"
        path.write_text(text, encoding="utf-8")
        written.append(path)
    page = folder / f"{NAME}.md"
    page.write_text(text_of(found), encoding="utf-8")
    return [page, *written]


def text_of(found: Found) -> str:
    """The whole page."""
    seeds = found.asked.seeds
    parts = [
        words.OPENING.format(command=_command(found), books=_books(), seeds=seeds),
        "## In short",
        tables.summary(found, tuple(COHORTS.values())),
        "\n".join(f"- {each}" for each in _in_short(found)),
        "![Events caught against manual alert groups a patient-day](figures/benchmarks-rules-plane.svg)",
        words.HOW_TO_READ,
        words.PEOPLE.format(seeds=seeds),
        tables.people(found),
        words.ASSUMED,
        words.ARMS,
        "## What came out",
        *_cohorts(found),
        "## How early",
        words.LEAD,
        "![Lead times](figures/benchmarks-rules-lead.svg)",
        "## Do the made-up people behave like real ones?",
        words.CHECK,
        tables.checked(found),
        "![Weight rules beside published figures](figures/benchmarks-rules-check.svg)",
        "\n".join(f"- {each}" for each in verdicts(found)),
        words.CHECK_DIFFERENCES,
        tables.noises(found),
        "## Beside published figures",
        words.BESIDE,
        "![False alerts a patient-year](figures/benchmarks-rules-false.svg)",
        words.LIMITS,
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _command(found: Found) -> str:
    share = "" if found.asked.share == 1 else f" --share {found.asked.share:g}"
    return f"python -m benchmarks.rules --seeds {found.asked.seeds}{share}"


def _books() -> str:
    books = [rulebook.load(cohort.book) for cohort in COHORTS.values()]
    return ", ".join(f"`{book.name}` version {book.version}" for book in books)


def _in_short(found: Found) -> Iterator[str]:
    for cohort in COHORTS.values():
        yield _aim(found, cohort)
    for cohort in COHORTS.values():
        yield _cheapest(found, cohort)
    yield words.CHANCE


def _aim(found: Found, cohort: Cohort) -> str:
    """Whether the aim is met, by the shipped rulebook and by the person's own plan."""
    said, shares = [], []
    for arm, name in ((SHIPPED, "the shipped rulebook costs"), (OWN, "own plans cost")):
        sums = check.total(found.arms[cohort.name, arm].people)
        groups, caught = rate("groups_a_day", sums) or 0.0, rate("sensitivity", sums) or 0.0
        shares.append(caught)
        if groups > AIM:
            verdict = "the aim is **not** met"
        elif caught < shares[0]:
            verdict = "no more than the aim allows, **but fewer events are caught**"
        else:
            verdict = "the aim is met"
        quiet = rate("disturbed", sums) or 0.0
        said.append(
            f"{name} {groups:.3f} manual groups a patient-day: {verdict}; {_share(caught)} of events are caught, and "
            f"something is said in {_share(quiet)} of quiet stretches"
        )
    dear = ", ".join(f"`{rule}` ({cost:.3f})" for rule, cost in tables.dearest(found, cohort, SHIPPED))
    return f"**{cohort.title}.** {_upper(said[0])}. {_upper(said[1])}. What costs most under the rulebook: {dear}."


def _cheapest(found: Found, cohort: Cohort) -> str:
    """How our engine stands beside the naive arm that costs least."""
    own = {arm: check.total(found.arms[cohort.name, arm].people) for arm in ("ThingsBoard-like", SHIPPED)}
    other, ours = own["ThingsBoard-like"], own[SHIPPED]
    less = (rate("groups_a_day", other) or 0.0, rate("sensitivity", other) or 0.0)
    cost = (rate("groups_a_day", ours) or 0.0, rate("sensitivity", ours) or 0.0)
    leads = (found.arms[cohort.name, "ThingsBoard-like"].leads, found.arms[cohort.name, SHIPPED].leads)
    return (
        f"{cohort.title}: the duration rule costs {less[0]:.3f} groups and catches {_share(less[1])}, "
        f"{tables.lead(leads[0])} days before (the rulebook: {cost[0]:.3f}, {_share(cost[1])}, "
        f"{tables.lead(leads[1])} days before)."
    )


def _cohorts(found: Found) -> Iterator[str]:
    for cohort in COHORTS.values():
        catches, costs = tables.arms(found, cohort)
        yield f"### {cohort.title}"
        yield words.COHORT.format(event=cohort.event, days=cohort.window.days)
        yield catches
        yield "What it costs, each a patient-day:"
        yield costs
        yield f"Rule by rule, shipped rulebook `{cohort.book}`, the dearest first:"
        yield tables.rules(found, cohort, SHIPPED)
        yield "The same people with limits of their own:"
        yield tables.rules(found, cohort, OWN)
        yield words.REMARKS[cohort.name]


def verdicts(found: Found) -> Iterator[str]:
    """Each sentence of the check, with the numbers that decide it."""
    macd = check.at_false_share(found.check, MACD, screened=True)
    chart = check.at_false_share(found.check, CHART, screened=True)
    one, three = (ONE_DAY, 1.36, False), (THREE_DAYS, 2.27, False)
    for key, published in ((one, 0.58), (three, 0.65)):
        true, false = _of(found, "sensitivity", key), _of(found, "disturbed", key)
        yield _verdict(
            abs(true - published) <= _NEAR_TRUE,
            f"{key[0]}: true alerts {_share(true)}, published {_share(published)} (near: within 15 points)",
        )
        yield _verdict(false > 0.5, f"{key[0]}: false alerts above 50 %: {_share(false)}")
    true, false = _of(found, "sensitivity", macd), _of(found, "disturbed", macd)
    near = abs(true - 0.20) <= _NEAR_MACD
    yield _verdict(near, f"{MACD} near 20 % true at about 9 % false: {_share(true)} at {_share(false)}")
    ppv = [_of(found, "ppv", key) for key in (chart, macd, one, three)]
    said = f"{ppv[0]:.1%} against {ppv[1]:.1%} ({MACD}) and {ppv[2]:.1%}, {ppv[3]:.1%} (rules of thumb)"
    yield _verdict(ppv[0] > max(ppv[1:]), f"a personal control chart has the better PPV: {said.replace('%', ' %')}")


def _verdict(holds: bool, said: str) -> str:
    return f"{'Holds' if holds else '**Does not hold**'}: {said}."


def _of(found: Found, name: str, key: Key) -> float:
    return rate(name, check.total(found.check[key])) or 0.0


def _share(value: float) -> str:
    return f"{value:.0%}".replace("%", " %")


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
