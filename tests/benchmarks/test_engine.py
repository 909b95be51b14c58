"""The timing cohort is the same people in every run, and its replay says the same."""

from benchmarks.cohort import cohort
from benchmarks.engine import replay


def test_the_same_seed_gives_the_same_people_and_the_same_facts() -> None:
    first, again = list(cohort(8, 10, 1)), list(cohort(8, 10, 1))
    assert first == again
    ran, repeated = replay(first, 10), replay(again, 10)
    assert ran.steps > sum(len(patient.arrivals) for patient in first)  # wake-ups too
    assert (repeated.steps, repeated.digest) == (ran.steps, ran.digest)


def test_another_seed_gives_other_people() -> None:
    assert replay(list(cohort(8, 10, 1)), 10).digest != replay(list(cohort(8, 10, 2)), 10).digest
