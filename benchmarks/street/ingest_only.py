"""The product's ingest role alone in a process, also on the embedded database, where a server runs all roles at once.

`python -m benchmarks.street.ingest_only`, with the environment of `varde server`. What runs is `server.ingest`, put
together as `server.app` does it; only the other roles are left out, so that recording alone is measured.
"""

import signal
import sys
import threading

from server import logs
from server.app import App
from server.db.engine import Database
from server.ingest.mqtt import Broker
from server.ingest.worker import Ingest
from server.parts import Parts
from server.settings import settings_from
from server.vault import open_vault
from vitals.clock import clock_from


def main() -> int:
    """Run until SIGTERM."""
    settings = settings_from({})
    logs.set_up(settings.log_level)
    parts = Parts(
        settings=settings,
        clock=clock_from(settings.clock),
        database=Database(settings.database_address),
        vault=open_vault(settings.vault_path, create=False),
    )
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    App(parts=parts, roles=[Ingest(parts, Broker(settings, parts.clock))], url=None).run(stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
