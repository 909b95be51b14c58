"""Named points at which a process ends itself, so that tests can kill it exactly there.

Armed only by the environment variable `VARDE_FAILPOINT`, "NAME:N": the N-th time that the process passes NAME it sends
itself SIGKILL, as a machine without power would end it. Never by a setting or a file, and nothing that comes over the
network can arm one: who can give a process its environment can end it anyway. A process that is armed says so on
standard error; a name that is not in `POINTS` ends it at once. Unarmed, a point costs the call of a function.
"""

import os
import signal
import sys
from collections.abc import Mapping
from types import MappingProxyType

VARIABLE = "VARDE_FAILPOINT"

# Where each lies, said from the point of view of what a kill there could lose or do twice.
POINTS: Mapping[str, str] = MappingProxyType(
    {
        "gateway.session": "a device's session is on the disk, nothing of it was heard",
        "gateway.heard": "a frame was heard, nothing was done with it",
        "gateway.decoded": "a frame was decoded and not kept",
        "gateway.keeping": "in the spool's transaction, before its COMMIT",
        "gateway.kept": "after the spool's COMMIT, before the device's record is confirmed",
        "gateway.connected": "connected to the broker, nothing was sent again yet",
        "gateway.published": "a message was handed to the broker's client, nothing is noted of it",
        "gateway.resent": "a message without receipt was sent again",
        "gateway.receipt": "a sealed receipt was read, nothing was forgotten",
        "gateway.forgetting": "in the transaction that forgets, before its COMMIT",
        "gateway.forgotten": "forgotten on the disk, still known in memory",
        "ingest.received": "messages came from the broker, nothing was done with them",
        "ingest.recording": "in the transaction: readings without their measurements",
        "ingest.recorded": "in the transaction: all is written, before its COMMIT",
        "ingest.committed": "after the COMMIT, before anybody was told",
        "ingest.nudged": "the watch was woken, no receipt was sent",
        "ingest.receipted": "receipts were sent, the broker has no acknowledgement",
        "ingest.acknowledged": "the broker has its acknowledgement",
        "watch.looked": "in the transaction: patients were taken in hand",
        "watch.taken": "in the transaction: what is known of them was looked up",
        "watch.judged": "in the transaction: the rules have spoken, nothing is saved",
        "watch.saving": "in the transaction: facts and notices without memory and slate",
        "watch.saved": "in the transaction: all is written, before its COMMIT",
        "watch.committed": "after the COMMIT, before the notifier was woken",
        "notify.taken": "notices were taken in hand, none was sent",
        "notify.sent": "the channel took a notice, no attempt is written down",
        "notify.noted": "in the transaction that writes the attempt down, before its COMMIT",
        "notify.done": "after the attempt's COMMIT",
    }
)


class _Armed:
    """The point that this process carries, and how often it will still pass."""

    def __init__(self, text: str) -> None:
        self.name, _, times = text.partition(":")
        self.left = int(times) if times.isdecimal() else 0
        if self.name not in POINTS or self.left < 1:
            raise SystemExit(f"{VARIABLE}: {text!r} is not NAME:N with a name of vitals/failpoint.py")
        sys.stderr.write(f"{VARIABLE}: this process will end itself at {text}\n")


_armed = _Armed(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None


def reach(name: str) -> None:
    """End this process if it is armed for `name` and has passed there often enough."""
    if _armed is not None and _armed.name == name:
        _armed.left -= 1
        if _armed.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
