"""What the installation counts, for Prometheus. Kinds and numbers only: no id, no name, no value of a patient."""

import threading

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, start_http_server

_EVALUATION_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class Metrics:
    """The counters of one server, in a registry of its own so that two servers in one process stay apart."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.readings = Counter(
            "varde_readings", "Readings received, by what became of them.", ["result"], registry=registry
        )
        self.quarantine = Counter(
            "varde_quarantine", "Messages refused or claimed by nobody, by kind.", ["kind"], registry=registry
        )
        self.quarantine_removed = Counter(
            "varde_quarantine_removed", "Rows removed because quarantine was full.", registry=registry
        )
        self.batches = Histogram(
            "varde_ingest_batch_messages", "Messages in a batch.", buckets=_BATCH_SIZES, registry=registry
        )
        self.batch_failures = Counter(
            "varde_ingest_batch_failures", "Batches that could not be stored at once.", registry=registry
        )
        self.due = Gauge("varde_due_patients", "Patients on the slate whose time has come.", registry=registry)
        self.late = Gauge("varde_due_oldest_seconds", "How long the first of them has waited.", registry=registry)
        self.evaluation = Histogram(
            "varde_evaluation_seconds", "Judging one patient.", buckets=_EVALUATION_SECONDS, registry=registry
        )
        self.evaluation_failures = Counter(
            "varde_evaluation_failures", "Patients who could not be judged and are tried again.", registry=registry
        )
        self.alerts = Counter(
            "varde_alerts_raised", "Alerts raised, by the priority they began with.", ["priority"], registry=registry
        )
        self.notices = Counter(
            "varde_notice_attempts", "Attempts to deliver a notice.", ["channel", "outcome"], registry=registry
        )
        self.silent = Gauge("varde_silent", "Parts that give no sign of life, by kind.", ["part"], registry=registry)
        self.broker = Gauge("varde_broker_connected", "1 while the broker is connected.", registry=registry)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)


class MetricsPage:
    """Serves the counters of a process that has no pages; a role of its own."""

    name = "metrics"

    def __init__(self, metrics: Metrics, host: str, port: int) -> None:
        self._metrics, self._host, self._port = metrics, host, port

    def run(self, stop: threading.Event) -> None:
        """Serve until `stop`."""
        server, thread = start_http_server(self._port, self._host, self._metrics.registry)
        stop.wait()
        server.shutdown()
        server.server_close()
        thread.join()
