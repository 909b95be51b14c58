"""In which order a person's channels are tried, and how long it waits in between. Pure.

Three tries of the first channel, then of the next; when each had its three, they take turns, later each time. The
role of the ladder that comes next is told as soon as each had its three: half a minute for one channel or two.
"""

from datetime import timedelta

_FIRST_WAIT = timedelta(seconds=5)
_BLOCK = 3
ATTEMPTS_MAX = 10  # of each channel; some 40 minutes of trying


def channel_of(tries: int, channels: int) -> int:
    """Which of so many channels the next try takes, after so many."""
    first_round = _BLOCK * channels
    return tries // _BLOCK if tries < first_round else (tries - first_round) % channels


def after_silence(tries: int, channels: int) -> int:
    """As how many tries one counts whose channel took the message and then did not say that it was delivered.

    It has waited for longer than three tries take, so the next channel is not kept waiting for them.
    """
    return -(-tries // _BLOCK) * _BLOCK if tries < _BLOCK * channels else tries


def wait_after(tries: int, channels: int) -> timedelta | None:
    """How long to wait after so many failed tries; None when it is given up."""
    if tries >= ATTEMPTS_MAX * channels:
        return None
    first_round = _BLOCK * channels
    if tries < first_round:
        within = tries % _BLOCK
        return _FIRST_WAIT * (1 << (within - 1)) if within else timedelta(0)
    turns, within = divmod(tries - first_round, channels)
    return timedelta(0) if within else _FIRST_WAIT * (1 << (_BLOCK - 1 + turns))


def goes_up(tries: int, channels: int) -> bool:
    """Whether the next role is told as well, because nothing reached this one."""
    return tries >= _BLOCK * channels
