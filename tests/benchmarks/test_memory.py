"""The judgement of memory over time finds what grows, and takes no wandering for growth."""

import random

from benchmarks.memory import slope

LOOKS = [5.0 * number for number in range(180)]  # fifteen minutes
MB = 1024.0


def test_what_grows_steadily_is_found_with_a_narrow_bound() -> None:
    chance = random.Random("grows")
    leak = [(second, 90_000 + 12 * MB * second / 3600 + chance.gauss(0, 40)) for second in LOOKS]
    found = slope(leak)
    assert abs(found.kb_an_hour - 12 * MB) < found.bound < 1 * MB


def test_what_stays_has_no_slope_and_no_bound() -> None:
    assert slope([(second, 90_000.0) for second in LOOKS]) == slope([(second, 5.0) for second in LOOKS])
    assert slope([(second, 5.0) for second in LOOKS]).bound == 0


def test_one_step_is_no_growth_that_its_bound_does_not_explain() -> None:
    steps = [(second, 90_000.0 + (400 if second > 300 else 0)) for second in LOOKS]
    found = slope(steps)
    assert found.kb_an_hour > 1 * MB  # a line through it climbs
    assert found.kb_an_hour - found.bound < 0.5 * MB


def test_what_wanders_is_seldom_taken_for_growth() -> None:
    chance, taken = random.Random("wanders"), 0
    for _ in range(200):
        height, walk = 0.0, []
        for second in LOOKS:
            height = 0.9 * height + chance.gauss(0, 50)
            walk.append((second, 90_000 + height))
        found = slope(walk)
        taken += abs(found.kb_an_hour) > found.bound
    assert taken < 20  # of which a twentieth would be right; residuals taken as independent take a half
