"""What is said to the server and heard from it over one connection after another: all of the uplink but the network.

The time is given (monotonic seconds) and so is the outlet, so that years of bad links can be lived through in minutes.
"""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gateway.flights import Flights, Patience
from gateway.presence import Presence
from gateway.spool import Spool, SpoolFull
from vitals import failpoint
from vitals.reading import GatewayId
from vitals.seal import SealError, seal, unseal
from vitals.topics import Lane, topic
from vitals.wire import WireError, parse_receipt

log = logging.getLogger(__name__)

# So many of the last kept before a connection go first too: somebody may have measured while the line was coming back.
_JUST_NOW = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who speaks, and the key that proves it."""

    gateway: GatewayId
    key: bytes

    def sealed(self, lane: Lane, body: bytes) -> tuple[str, bytes]:
        """Topic and payload for `body`."""
        name = topic(self.gateway, lane)
        return name, seal(self.key, name, body)


class Outlet(Protocol):
    """A connection to the broker, as far as speaking goes."""

    def publish(self, lane: Lane, body: bytes, *, retain: bool = False) -> Callable[[], bool]:
        """Hand `body` over, to be sealed and sent; never waits. Returns what tells whether the broker has taken it."""
        ...


class Exchange:
    """Sends what the spool holds and forgets what the server confirms.

    `receipts_refused` counts receipts without our seal or sense.
    """

    def __init__(self, identity: Identity, spool: Spool, patience: Patience, rng: random.Random) -> None:
        self._identity = identity
        self._spool = spool
        self._patience = patience
        self._rng = rng
        self._flights = Flights(patience, rng)
        self._heartbeat_due = float("-inf")
        self._room = Presence(log, "room to forget")
        self.receipts_refused = 0

    def begin(self, now: float) -> None:
        """A new connection: everything that is still in the spool is to be sent on it."""
        self._flights = Flights(self._patience, self._rng, self._spool.older_than_the_last(_JUST_NOW))
        self._heartbeat_due = now
        failpoint.reach("gateway.connected")

    def announce(self) -> None:
        """The status has changed: it is due now."""
        self._heartbeat_due = float("-inf")

    def speak(self, outlet: Outlet, status: Callable[[int], bytes], now: float) -> float:
        """Send what is due at `now`, and return when something is due again.

        `status` makes the body of the heartbeat from `receipts_refused`.
        """
        if now >= self._heartbeat_due:
            outlet.publish(Lane.STATUS, status(self.receipts_refused), retain=True)
            self._heartbeat_due = now + self._patience.heartbeat
        for message in self._flights.overdue(now):
            self._flights.follow(message, outlet.publish(message.lane, message.body))
            failpoint.reach("gateway.resent")
        for span in self._flights.spans():
            for message in self._spool.oldest(span.limit, after=span.after, until=span.until):
                is_taken = outlet.publish(message.lane, message.body)
                failpoint.reach("gateway.published")
                self._flights.launch(message, now, is_taken)
        return min(self._heartbeat_due, self._flights.next_due() or self._heartbeat_due)

    def hear(self, payload: bytes) -> None:
        """Take a payload of the receipts topic; raises `SpoolBroken`."""
        name = topic(self._identity.gateway, Lane.RECEIPTS)
        try:
            receipt = parse_receipt(unseal(self._identity.key, name, payload))
        except (SealError, WireError) as error:
            self.receipts_refused += 1
            log.warning("receipt_refused count=%d reason=%r", self.receipts_refused, str(error))
            return
        for rejection in receipt.rejected:  # the server has it too, in quarantine, where a person will see it
            log.warning("rejected id=%s reason=%r", rejection.id, rejection.reason)
        ids = [*receipt.accepted, *(each.id for each in receipt.rejected)]
        failpoint.reach("gateway.receipt")
        try:
            self._spool.forget(ids)
        except SpoolFull as error:  # they stay in flight: sent again, they bring another receipt
            self._room.gone(str(error))
        else:
            failpoint.reach("gateway.forgotten")
            self._room.back()
            self._flights.land(ids)
