"""What the roles of one process share: given to each, found by none."""

import threading
from dataclasses import dataclass, field

from server.db.engine import Database
from server.findings import Findings
from server.metrics import Metrics
from server.nudge import Nudge
from server.settings import Settings
from server.vault import Vault
from vitals.clock import Clock, SystemClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything a role may need; roles speak with each other through the database, nudges only make it quick."""

    settings: Settings
    clock: Clock  # the time of readings, rules and people; fast in a demo
    database: Database
    vault: Vault
    wall: Clock = field(default_factory=SystemClock)  # real time, for what a login or token lasts
    metrics: Metrics = field(default_factory=Metrics)
    findings: Findings = field(default_factory=Findings)  # which parts are silent
    wake_watch: Nudge = field(default_factory=Nudge)
    wake_notify: Nudge = field(default_factory=Nudge)
    broker_up: threading.Event = field(default_factory=threading.Event)  # set while messages can come in
    changed: Nudge = field(default_factory=Nudge)  # something that a page shows was committed
