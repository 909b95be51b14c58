"""How far long work has come, on standard error: what is printed on standard output stays a report."""

import sys
from collections.abc import Iterator, Sequence
from typing import TypeVar

_EVERY = 20  # patients; a month of one takes most of a second

_Each = TypeVar("_Each")


def counted(every: Sequence[_Each], what: str) -> Iterator[_Each]:
    """Each of `every`, saying now and then how many are done."""
    for done, each in enumerate(every):
        if done and done % _EVERY == 0:
            sys.stderr.write(f"{done} of {len(every)} {what}\n")
            sys.stderr.flush()
        yield each
