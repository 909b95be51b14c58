"""Everything `step` may know, and everything it may say."""

from dataclasses import dataclass, field
from datetime import datetime

from alerts.alert import Alert
from alerts.arrival import Arrival as Arrival
from alerts.fact import Fact
from alerts.memory import Memory
from alerts.outlook import Outlook
from alerts.plan import Plan
from alerts.zone import Zone as Zone
from vitals.frozen import quick


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class PatientView:
    """One patient as the engine sees him.

    `complete=False`: `arrivals` are the readings not yet evaluated. `complete=True`: they are every stored reading
    since the plan began (those seen by an earlier step marked `judged`), and what memory knows from readings is
    rebuilt from them. `memory.needs_history` says which is wanted.
    `alerts` are the open ones (closed ones are ignored). `outlook` is the newest step's, where it is still at hand: it
    saves asking rules whose answer stands, and changes nothing else.
    """

    patient: str
    plan: Plan
    memory: Memory | None = None
    arrivals: tuple[Arrival, ...] = ()
    complete: bool = False
    alerts: tuple[Alert, ...] = ()
    outlook: Outlook | None = field(default=None, compare=False, repr=False)


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What the engine says: the open alerts and those closed just now, what happened, what to remember.

    `wake_at`: ask again then at the latest; None: nothing changes until a reading or a click comes.
    """

    alerts: tuple[Alert, ...]
    facts: tuple[Fact, ...]
    memory: Memory
    zone: Zone
    wake_at: datetime | None
    outlook: Outlook | None = field(default=None, compare=False, repr=False)  # for the next view
