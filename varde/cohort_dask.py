"""The door to Dask: one function over many values on a cluster that runs already."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from distributed import Client, as_completed

_CONNECT_S = 10

_Given = TypeVar("_Given")
_Done = TypeVar("_Done")


def on_cluster(address: str, work: Callable[[_Given], _Done], given: Sequence[_Given]) -> Iterator[_Done]:
    """What `work` makes of each value, as it is done, in no particular order; raises what `work` raised, and OSError.

    `work` goes by its name, so the workers need this very version of the house.
    """
    with Client(address, timeout=_CONNECT_S) as client:
        futures = client.map(work, given, pure=False)
        for future in as_completed(futures):
            yield future.result()
            future.release()
