"""The order of tries, as a score."""

from datetime import timedelta

import pytest

from server.notify import course


def score(channels: int) -> list[tuple[int, int]]:
    """Second and channel of every try of somebody whom nothing reaches."""
    at, tries, played = timedelta(0), 0, []
    while True:
        played.append((int(at.total_seconds()), course.channel_of(tries, channels)))
        tries += 1
        wait = course.wait_after(tries, channels)
        if wait is None:
            return played
        at += wait


def test_one_channel_is_tried_ten_times_in_40_minutes() -> None:
    assert score(1) == [(0, 0), (5, 0), (15, 0), (35, 0), (75, 0), (155, 0), (315, 0), (635, 0), (1275, 0), (2555, 0)]


def test_the_second_channel_comes_when_the_first_has_had_three_tries_and_then_they_take_turns() -> None:
    began = [(0, 0), (5, 0), (15, 0), (15, 1), (20, 1), (30, 1), (50, 0), (50, 1), (90, 0), (90, 1)]
    assert score(2)[:10] == began
    assert len(score(2)) == 20


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_the_next_role_is_told_when_every_channel_has_had_three_tries(channels: int) -> None:
    tried = [course.channel_of(tries, channels) for tries in range(3 * channels)]
    assert sorted(tried) == sorted([*range(channels)] * 3)
    assert not course.goes_up(3 * channels - 1, channels)
    assert course.goes_up(3 * channels, channels)


@pytest.mark.parametrize(
    ("tries", "channels", "counts_as"), [(1, 2, 3), (3, 2, 3), (4, 2, 6), (6, 2, 6), (7, 2, 7), (1, 1, 3), (4, 1, 4)]
)
def test_a_channel_that_is_silent_has_had_its_turn(tries: int, channels: int, counts_as: int) -> None:
    assert course.after_silence(tries, channels) == counts_as
    if tries < 3 * channels:
        assert course.channel_of(counts_as, channels) != course.channel_of(tries - 1, channels) or channels == 1
