"""The product's command line with one fault in it, to show that the oracle can fail: `planted FAULT server ...`."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from varde.cli import run


def receipt_before_commit() -> None:
    """The gateways hear of a batch that a kill can still take back."""
    from server.ingest import worker

    take_in, store = vars(worker)["take_in"], worker.Ingest.store
    under_way: list[tuple[worker.Ingest, Sequence[Any]]] = []

    def noted(role: worker.Ingest, batch: Sequence[Any]) -> worker.TakenIn:
        under_way[:] = [(role, batch)]
        return store(role, batch)

    def hasty(connection: Any, *given: Any, **named: Any) -> Any:
        taken_in = take_in(connection, *given, **named)
        role, batch = under_way[0]
        role.tell(batch, taken_in)
        time.sleep(0.05)  # on its way
        return taken_in

    vars(worker)["take_in"] = hasty
    setattr(worker.Ingest, "store", noted)  # noqa: B010 - a type checker knows better than to let us


def forgets_what_was_published() -> None:
    """The gateway takes the broker's word, or none at all, for the server's."""
    from gateway import exchange

    speak = exchange.Exchange.speak

    def hasty(said: exchange.Exchange, *given: Any) -> float:
        due = speak(said, *given)
        spool, flights = said._spool, said._flights
        spool.forget([each.id for each in spool.oldest(1000) if flights.has_sent(each.seq)])
        return due

    setattr(exchange.Exchange, "speak", hasty)  # noqa: B010


FAULTS: Mapping[str, Callable[[], None]] = {
    each.__name__: each for each in (receipt_before_commit, forgets_what_was_published)
}

if __name__ == "__main__":
    FAULTS[sys.argv[1]]()
    sys.exit(run(sys.argv[2:]))
