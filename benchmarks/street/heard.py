"""When an alert was committed: told by the database at the COMMIT, through a trigger and a channel of our own."""

import threading
from time import monotonic

import psycopg

_TRIGGER = """
CREATE OR REPLACE FUNCTION bench_raised() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_notify('bench_raised', NEW.patient_id); RETURN NULL; END $$;
CREATE OR REPLACE TRIGGER bench_raised AFTER INSERT ON fact FOR EACH ROW
WHEN (NEW.kind = 'raised') EXECUTE FUNCTION bench_raised();
"""


class Heard:
    """While inside, notes when each patient's first alert was committed (monotonic)."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="heard")
        self._ready = threading.Event()
        self.at: dict[str, float] = {}
        self.order: list[float] = []

    def __enter__(self) -> "Heard":
        with psycopg.connect(self._address) as database:
            database.execute(_TRIGGER)
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _listen(self) -> None:
        with psycopg.connect(self._address, autocommit=True) as database:
            database.execute("LISTEN bench_raised")
            self._ready.set()
            while not self._over.is_set():
                for note in database.notifies(timeout=0.2, stop_after=1):
                    now = monotonic()
                    self.order.append(now)
                    self.at.setdefault(note.payload, now)
