"""The loop that owns receive and record: batch, COMMIT, then the receipts and the broker's acknowledgement.

While a batch waits for the database, a second loop works on the next, if there is plenty; the two know as little of
each other as two processes would. Nothing is acknowledged before it is on disk. A batch that cannot be stored because
the database cannot is tried again until it can; one with a message that we fail on is stored message by message, and
that one is kept as our own fault.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait

import structlog
from sqlalchemy.exc import DBAPIError, IntegrityError, InternalError, OperationalError, SQLAlchemyError

from server.ingest import quarantine
from server.ingest.batch import TakenIn, take_in
from server.ingest.commands import Commands
from server.ingest.gateways import KeyRing
from server.ingest.mqtt import Broker, Incoming
from server.ingest.quarantine import Kept
from server.ingest.receive import Kind
from server.ingest.record import Recorded
from server.parts import Parts
from server.vault import VaultError
from server.watch.beat import Pulse
from server.watch.silence import BROKER
from vitals import failpoint
from vitals.seal import seal
from vitals.topics import Lane, topic
from vitals.wire import render_receipt

BATCH_MAX = 1000  # more gains nothing measurable
LINGER_SECONDS = 0.001  # a lone reading waits this long for company; what comes while a batch is stored is the next
_WAIT_SECONDS = 0.2  # how soon a stop is noticed
_RETRY_SECONDS = 1.0
_STORED_ELSEWHERE_MAX = 3  # how often another process may store the same message in the same moment

_log = structlog.get_logger("varde.ingest")


class Ingest:
    """The role that receives. One batch is one transaction."""

    name = "ingest"

    def __init__(self, parts: Parts, broker: Broker) -> None:
        self._parts = parts
        self._broker = broker
        self._keys = KeyRing(parts.vault)
        self._commands = Commands(parts, broker.publish)
        self._pulse, self._connected = Pulse(parts, self.name), Pulse(parts, BROKER)

    def run(self, stop: threading.Event) -> None:
        """Receive until `stop`; what is not stored by then comes again."""
        self._broker.open()
        ended = threading.Event()
        with ThreadPoolExecutor(1, thread_name_prefix="ingest-second") as beside:
            second = beside.submit(self._lend_a_hand, ended)
            try:
                with self._parts.database.keeping():
                    while not stop.is_set():
                        self._turn(stop)
                        if second.done():
                            second.result()  # before us it ends only by failing, and then so do we
            finally:
                ended.set()
                wait([second])
                self._broker.close()
                self._note_connection()

    def _turn(self, stop: threading.Event) -> None:
        self._note_connection()
        self._beat()
        self._send_commands()
        batch = self._broker.take(BATCH_MAX, LINGER_SECONDS, _WAIT_SECONDS)
        if batch:
            failpoint.reach("ingest.received")
            self.handle(batch, stop)

    def _lend_a_hand(self, ended: threading.Event) -> None:
        while not ended.is_set():
            batch = self._broker.take_plenty(BATCH_MAX, _WAIT_SECONDS)
            if batch:
                self.handle(batch, ended)

    def _note_connection(self) -> None:
        up = self._broker.connected
        if up == self._parts.broker_up.is_set():
            return
        (self._parts.broker_up.set if up else self._parts.broker_up.clear)()
        self._parts.metrics.broker.set(up)
        _log.info("broker there" if up else "broker gone")  # once each time

    def _beat(self) -> None:
        """Say that this loop lives and, beside it, that messages can come in."""
        try:
            self._pulse.beat()
            if self._broker.connected:
                self._connected.beat()
        except DBAPIError as error:
            _log.error("cannot say that ingest lives", error=type(error.orig).__name__)

    def _send_commands(self) -> None:
        if not self._broker.connected:
            return
        try:
            self._commands.send()
        except (DBAPIError, VaultError) as error:
            _log.error("cannot send commands", error=type(error).__name__)

    def handle(self, batch: Sequence[Incoming], stop: threading.Event) -> None:
        """Store a batch, however often it takes, and only then say so."""
        met = 0
        while not stop.is_set():
            try:
                taken_in = self.store(batch)
            except IntegrityError as error:
                met += 1
                if met > _STORED_ELSEWHERE_MAX:
                    self._one_by_one(batch, error, stop)
                    return
            except (OperationalError, InternalError) as error:  # full, locked, read-only: true of every message alike
                self._parts.metrics.batch_failures.inc()
                _log.error("cannot store", error=type(error.orig).__name__, messages=len(batch))
                stop.wait(_RETRY_SECONDS)
            except Exception as error:  # noqa: BLE001 - one bad message must not hold up the others for ever
                self._one_by_one(batch, error, stop)
                return
            else:
                self.tell(batch, taken_in)
                return

    def _one_by_one(self, batch: Sequence[Incoming], error: Exception, stop: threading.Event) -> None:
        """Handle the good ones of a batch that cannot be stored whole; keep the bad one as our own fault."""
        self._parts.metrics.batch_failures.inc()
        if len(batch) > 1:
            for each in batch:
                self.handle([each], stop)
        elif self._keep_our_fault(batch[0], error):
            self._broker.acknowledge(batch)

    def store(self, batch: Sequence[Incoming]) -> TakenIn:
        """One batch in one transaction; committed when this returns."""
        came = [(each.topic, each.payload) for each in batch]
        now = self._parts.clock.now()
        with self._parts.database.write() as connection:
            taken_in = take_in(connection, self._keys, came, now, rows_max=self._parts.settings.quarantine_rows_max)
            failpoint.reach("ingest.recorded")
        failpoint.reach("ingest.committed")
        return taken_in

    def tell(self, batch: Sequence[Incoming], taken_in: TakenIn) -> None:
        """Say what is stored: to the watch, to the gateways, to the broker, to the counters."""
        recorded = taken_in.recorded
        if recorded.due:
            self._parts.wake_watch.hear()  # other processes heard it at the COMMIT
        failpoint.reach("ingest.nudged")
        for gateway, receipt in recorded.receipts.items():
            where = topic(gateway, Lane.RECEIPTS)
            self._broker.publish(where, seal(taken_in.known[gateway].key, where, render_receipt(receipt)))
        failpoint.reach("ingest.receipted")
        self._broker.acknowledge(batch)
        failpoint.reach("ingest.acknowledged")
        self._parts.changed.ring()
        self._count(len(batch), recorded)

    def _count(self, messages: int, recorded: Recorded) -> None:
        self._parts.metrics.batches.observe(messages)
        for result, times in recorded.readings.items():
            self._parts.metrics.readings.labels(result).inc(times)
        for kind, times in recorded.quarantined.items():
            self._parts.metrics.quarantine.labels(kind).inc(times)
        if recorded.removed:
            self._parts.metrics.quarantine_removed.inc(recorded.removed)
            _log.warning("quarantine full", removed=recorded.removed, rows_max=self._parts.settings.quarantine_rows_max)

    def _keep_our_fault(self, incoming: Incoming, error: Exception) -> bool:
        """Keep a message that we could not handle; without a receipt its gateway will send it again.

        False when it could not even be kept: then the broker keeps it too.
        """
        _log.error("message not handled", exc_info=error)
        reason = f"The server failed on this message ({type(error).__name__}); its gateway keeps it and sends it again."
        kept = Kept(kind=Kind.SERVER_FAULT, reason=reason, topic=incoming.topic, payload=incoming.payload)
        try:
            with self._parts.database.write() as connection:
                now = self._parts.clock.now()
                quarantine.keep(connection, [kept], now)
                quarantine.trim(connection, self._parts.settings.quarantine_rows_max, now)
        except SQLAlchemyError as failure:
            _log.error("message not kept", error=type(failure).__name__)
            return False
        self._parts.metrics.quarantine.labels(Kind.SERVER_FAULT).inc()
        return True
