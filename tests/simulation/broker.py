"""A broker that keeps what MQTT promises at QoS 1 and nothing beyond: it may forget everything when it is killed.

Gateways come with clean sessions; the server has a durable one. What the server has not acknowledged comes again when
it connects anew. Seeds may be worse than the protocol allows: messages that vanish, double or overtake each other.
"""

from collections.abc import Callable
from dataclasses import dataclass

from server.ingest.mqtt import Incoming
from tests.simulation.agenda import Agenda
from tests.simulation.troubles import Fate

Hear = Callable[[bytes], None]


@dataclass(slots=True, kw_only=True, eq=False)
class Line:
    """A gateway's connection: alive until it is cut."""

    hear: Hear  # receipts
    lost: Callable[[], None]
    receipts: str  # topic
    will: tuple[str, bytes]
    alive: bool = True
    busy_until: float = 0.0  # what was handed over later arrives later


class Broker:
    """One process between homes and server."""

    def __init__(self, agenda: Agenda, fate: Fate) -> None:
        self._agenda = agenda
        self._fate = fate
        self._lines: list[Line] = []
        self._queue: dict[int, tuple[str, bytes]] = {}  # not acknowledged by the server
        self._mid = 0
        self._server: Callable[[int, str, bytes], None] | None = None
        self.up = True

    # Homes.

    def connect(self, line: Line) -> bool:
        """A gateway dials; False when nobody answers."""
        if not self.up:
            return False
        self._lines.append(line)
        return True

    def publish(self, line: Line, where: str, payload: bytes) -> None:
        """A gateway hands over a message: it travels, and arrives if the line holds so long."""
        fate, troubles = self._fate, self._fate.troubles
        arrives = max(line.busy_until, self._agenda.seconds + fate.within(0.005, max(0.01, troubles.line_delay)))
        line.busy_until = arrives
        self._agenda.at(arrives, lambda: self._arrived(line, where, payload))

    def _arrived(self, line: Line, where: str, payload: bytes) -> None:
        if line.alive and self.up:
            self._enqueue(where, payload)

    def cut(self, line: Line, *, notice: float) -> None:
        """The line breaks; the gateway notices after `notice` seconds, the broker speaks its will sooner or later."""
        if not line.alive:
            return
        line.alive = False
        self._lines.remove(line)
        self._agenda.after(notice, line.lost)
        self._agenda.after(self._fate.within(0.01, 45), lambda: self._speak_will(line))

    def _speak_will(self, line: Line) -> None:
        # A gateway that is back by then took its session over: its old will was spoken before it spoke again.
        if self.up and not any(each.receipts == line.receipts for each in self._lines):
            self._enqueue(*line.will)

    def line_of(self, receipts: str) -> Line | None:
        """The line on which a gateway hears its receipts."""
        return next((each for each in self._lines if each.receipts == receipts), None)

    # The server.

    def serve(self, take: Callable[[int, str, bytes], None]) -> bool:
        """The server connects: what it has not acknowledged comes again."""
        if not self.up:
            return False
        self._server = take
        again = list(self._queue.items())
        if self._fate.strikes(self._fate.troubles.shuffled):
            self._fate.rng.shuffle(again)
        for mid, (where, payload) in again:
            self._deliver(mid, where, payload)
        return True

    def leave(self) -> None:
        """The server is gone."""
        self._server = None

    def acknowledge(self, mid: int) -> None:
        """The server has it."""
        self._queue.pop(mid, None)

    def tell(self, where: str, payload: bytes) -> None:
        """The server publishes to a gateway; whoever is not connected misses it."""
        if not self.up or self._fate.strikes(self._fate.troubles.swallowed):
            return
        for _ in range(1 + self._fate.strikes(self._fate.troubles.doubled)):
            delay = self._fate.within(0.005, max(0.01, self._fate.troubles.line_delay))
            self._agenda.after(delay, lambda: self._tell(where, payload))

    def _tell(self, where: str, payload: bytes) -> None:
        line = self.line_of(where)
        if self.up and line is not None:
            line.hear(payload)

    # Itself.

    def kill(self, *, wiped: bool) -> None:
        """Everybody is cut off; `wiped`: what it kept is gone, too."""
        if not self.up:
            return
        self._agenda.note("broker killed", "wiped" if wiped else "")
        self.up = False
        if wiped:
            self._queue.clear()
        for line in self._lines:
            line.alive = False
            self._agenda.after(self._fate.within(0.1, 45), line.lost)
        self._lines.clear()
        self._server = None

    def start(self) -> None:
        """It is back."""
        self._agenda.note("broker up")
        self.up = True

    @property
    def waiting(self) -> int:
        """How many messages the server has not acknowledged."""
        return len(self._queue)

    @property
    def is_serving(self) -> bool:
        """Whether the server is connected."""
        return self._server is not None

    def _enqueue(self, where: str, payload: bytes) -> None:
        fate, troubles = self._fate, self._fate.troubles
        if fate.strikes(troubles.swallowed):
            return
        for _ in range(1 + fate.strikes(troubles.doubled)):
            self._mid += 1
            self._queue[self._mid] = (where, payload)
            late = fate.within(0, 300) if fate.strikes(troubles.shuffled) else 0.0
            self._agenda.after(late, lambda mid=self._mid: self._deliver(mid, where, payload))  # type: ignore[misc]

    def _deliver(self, mid: int, where: str, payload: bytes) -> None:
        if self._server is not None and mid in self._queue:
            self._server(mid, where, payload)


class ServerLine:
    """What `server.ingest.mqtt.Broker` is to the ingest role, over the simulated broker."""

    def __init__(
        self, broker: Broker, fate: Fate, check: Callable[[str, bytes], None], wake: Callable[[], None]
    ) -> None:
        self._broker = broker
        self._fate = fate
        self._check = check
        self._wake = wake
        self._inbox: list[Incoming] = []
        self._outbox: list[tuple[str, bytes]] = []  # kept while the broker is away, as paho does
        self._connections = 0

    def connect(self) -> bool:
        """Be there again for the broker; what it sent before and we have not handled is still with us."""
        self._connections += 1
        if not self._broker.serve(self._take):
            return False
        for where, payload in self._outbox:
            self._broker.tell(where, payload)
        self._outbox.clear()
        return True

    def _take(self, mid: int, where: str, payload: bytes) -> None:
        self._inbox.append(Incoming(topic=where, payload=payload, mid=mid, connection=self._connections))
        self._wake()

    def taken(self) -> list[Incoming]:
        """Everything that waits."""
        batch, self._inbox = self._inbox, []
        return batch

    def publish(self, topic: str, payload: bytes) -> None:
        """A receipt goes out."""
        self._fate.crash("server: before a receipt")
        self._check(topic, payload)
        if self._broker.is_serving:
            self._broker.tell(topic, payload)
        else:
            self._outbox.append((topic, payload))
        self._fate.crash("server: after a receipt")

    def acknowledge(self, batch: list[Incoming]) -> None:
        """The broker may forget these."""
        for each in batch:
            if each.connection == self._connections:
                self._broker.acknowledge(each.mid)
