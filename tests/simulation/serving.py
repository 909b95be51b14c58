"""The server's process: the real ingest, watch and notify loops, turn by turn, on a real database file.

Pretended are the threads: a loop has its turn when the agenda says so, and now and then right before another one's
transaction, which is where threads of one embedded database take turns. The process may die around every transaction.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from server.db.engine import Database
from server.ingest.worker import BATCH_MAX, Ingest
from server.notify.channels import ChannelError, Channels, Notice
from server.notify.deliver import deliver
from server.parts import Parts
from server.watch.drain import drain
from tests.simulation.agenda import Agenda, Killed, StreetClock
from tests.simulation.broker import Broker, ServerLine
from tests.simulation.troubles import Fate
from tests.simulation.world import World
from vitals.topics import parse_topic
from vitals.wire import parse_receipt

_STATEMENTS = 20  # a crash in the middle of a transaction comes after at most so many


class MortalDatabase(Database):
    """The real database of a process that may die before, in and after each transaction, or be refused it."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.fate: Fate | None = None  # None: the judge looks on, and nothing happens to him
        self.before: Callable[[], None] = lambda: None
        self._statements_left: int | None = None
        event.listen(self._writing, "before_cursor_execute", self._count)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        fate = self.fate
        if fate is None:
            with super().write() as connection:
                yield connection
            return
        self.before()
        if fate.strikes(fate.troubles.refused):
            raise OperationalError("BEGIN IMMEDIATE", None, Exception("database or disk is full"))
        with super().write() as connection:
            if fate.strikes(fate.troubles.crash):
                self._statements_left = fate.rng.randrange(_STATEMENTS)
            try:
                yield connection
            finally:
                self._statements_left = None
            fate.crash("server: before COMMIT")
        fate.crash("server: after COMMIT")

    def _count(self, *_: Any) -> None:
        if self._statements_left is None:
            return
        self._statements_left -= 1
        if self._statements_left < 0:
            self._statements_left = None
            assert self.fate is not None
            raise self.fate.killed("server: in a transaction")


class Wait:
    """The `stop` of a loop that is never told to stop: waiting spends virtual time."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda

    def is_set(self) -> bool:
        return False

    def wait(self, seconds: float) -> bool:
        self._agenda.spend(seconds)
        return False


class Pager:
    """The channel: notes who was told, fails and dies with the process as the seed wants."""

    name = "pager"

    def __init__(self, fate: Fate, told: list[int]) -> None:
        self._fate = fate
        self._told = told

    def send(self, notice: Notice) -> None:
        self._fate.crash("server: before a notice")
        if self._fate.strikes(self._fate.troubles.channel_fails):
            raise ChannelError("nobody answers")
        self._told.append(notice.number)
        self._fate.crash("server: between two notices")


class Life:
    """One process, from its start to its end."""

    def __init__(self, server: "Server") -> None:
        self.parts = Parts(
            settings=server.world.settings,
            clock=server.clock,
            database=server.database,
            vault=server.world.vault,
            wall=server.clock,
        )
        self.line = ServerLine(server.broker, server.fate, server.check_receipt, lambda: server.soon("ingest", 0.01))
        self.ingest = Ingest(self.parts, self.line)  # type: ignore[arg-type]
        self.pager = Pager(server.fate, server.told)
        self.planned: set[str] = set()  # loops that have their turn soon
        self.tick = 0


class Server:
    """What is started again whenever it is killed. `observe` is called after every turn and says when
    which loop has something to do."""

    def __init__(self, agenda: Agenda, fate: Fate, broker: Broker, world: World, database: MortalDatabase) -> None:
        self.agenda = agenda
        self.fate = fate
        self.broker = broker
        self.world = world
        self.database = database
        self.clock = StreetClock(agenda)
        self.told: list[int] = []
        self.wrong: list[str] = []
        self.observe: Callable[[], Mapping[str, datetime]] = dict
        self.missing: Callable[[str, Sequence[str]], set[str]] = lambda _gateway, _ids: set()
        self.paused_until = 0.0
        self._life: Life | None = None
        self._busy = False
        database.fate = fate
        database.before = self._between

    @property
    def is_up(self) -> bool:
        return self._life is not None

    def start(self) -> None:
        """Begin, with nothing but what is in the database."""
        if self._life is not None:
            return
        self.agenda.note("server up")
        life = self._life = Life(self)
        life.parts.wake_watch.also(lambda: self.soon("watch", 0.02))
        self._connect()
        self.soon("watch", 0.1)

    def _connect(self) -> None:
        life = self._life
        if life is None:
            return
        if not self.broker.is_serving and not life.line.connect():
            self.agenda.after(self.fate.within(1, 15), self._of(life, self._connect))

    def broker_is_back(self) -> None:
        """The connection broke with the broker; paho dials again."""
        if self._life is not None:
            self.agenda.after(self.fate.within(1, 15), self._of(self._life, self._connect))

    def kill(self, why: str) -> None:
        """The process is gone, and with it everything that is not committed."""
        if self._life is None:
            return
        self.agenda.note("server killed:", why)
        self._life = None
        self.broker.leave()
        self.agenda.after(self.fate.within(1, 30) if self.fate.strikes(0.7) else self.fate.within(1, 2_000), self.start)
        if self.fate.strikes(self.fate.troubles.together):
            self.agenda.after(self.fate.within(0.0, 0.5), lambda: self.broker.kill(wiped=True))
            self.agenda.after(self.fate.within(1, 60), self.broker.start)
            self.agenda.after(61, self.broker_is_back)

    def soon(self, loop: str, seconds: float) -> None:
        """Let a loop have its turn; asked twice is asked once."""
        life = self._life
        if life is None or loop in life.planned:
            return
        life.planned.add(loop)
        self.agenda.after(self.fate.within(seconds / 2, seconds * 2), self._of(life, lambda: self._turn(loop)))

    def _of(self, life: Life, what: Callable[[], None]) -> Callable[[], None]:
        return lambda: what() if self._life is life else None

    def _turn(self, loop: str) -> None:
        assert self._life is not None
        if loop == "watch" and self.agenda.seconds < self.paused_until:
            self.agenda.at(self.paused_until, self._of(self._life, lambda: self._turn(loop)))
            return
        self._life.planned.discard(loop)
        self.work(lambda: self._loop(loop))

    def work(self, what: Callable[[], None]) -> None:
        """Do it as this process: who dies in it is dead."""
        if self._life is None:
            return
        self._busy = True
        try:
            what()
        except Killed as killed:
            self._busy = False
            self.kill(killed.point)
        finally:
            self._busy = False
        self._plan()

    def _loop(self, loop: str) -> None:
        life = self._life
        assert life is not None
        if loop == "ingest":
            batch = life.line.taken()[:BATCH_MAX]
            if batch:
                self.agenda.note("ingest", len(batch))
                life.ingest.handle(batch, Wait(self.agenda))  # type: ignore[arg-type]
            return
        try:
            if loop == "watch":
                self.agenda.note("watch", drain(life.parts))
            else:
                self.agenda.note("notify", deliver(life.parts, Channels(last=life.pager)))
        except OperationalError:
            self.soon(loop, 2.0)

    def _plan(self) -> None:
        """The ticker: where it would ring every second for nobody, it rings when somebody is due."""
        life = self._life
        if life is None:
            return
        life.tick += 1
        tick = life.tick
        for loop, at in self.observe().items():
            wait = self.clock.seconds_until(at) + self.fate.within(0.01, 1.0)
            self.agenda.after(
                wait, self._of(life, lambda loop=loop: self.soon(loop, 0.01) if life.tick == tick else None)
            )

    def _between(self) -> None:
        """Right before a transaction of one loop another one may have its turn; time passes, too."""
        self.agenda.spend(self.fate.within(0.001, 0.004))
        life = self._life
        if life is None or not self._busy or not self.fate.strikes(self.fate.troubles.between):
            return
        self._busy = False  # no turns within turns within turns
        loops = ["watch"] * self.fate.troubles.watchers + ["notify"]
        loop = self.fate.rng.choice(loops)
        if loop != "watch" or self.agenda.seconds >= self.paused_until:
            self.agenda.note("meanwhile", loop)
            self._loop(loop)
            self.agenda.spend(0.002)
        self._busy = True

    def check_receipt(self, where: str, payload: bytes) -> None:
        """A receipt may name only what another connection to the database finds."""
        gateway = parse_topic(where).gateway
        named = parse_receipt(payload.partition(b"\n")[2])
        missing = self.missing(gateway, named.accepted)
        if missing:
            self.wrong.append(f"receipted and not committed: {sorted(missing)}")
