"""The bare subscriber that rates are held against: takes readings from the broker, acknowledges, and forgets them.

`python -m benchmarks.street.bare_subscriber PORT QOS PROGRESS`, until it is told to end. It has the account and the
kept session of the product's own subscriber, and no client library between: a socket, packets cut by their length.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.street.mqtt import Line
from benchmarks.street.processes import SERVER
from benchmarks.street.progress import Progress
from vitals.topics import Lane, every_gateway


def main(words: Sequence[str]) -> int:
    """Subscribe and count."""
    port, qos, path = int(words[0]), int(words[1]), Path(words[2])
    progress = Progress(path)
    line = Line(port, "bare", (SERVER.name, SERVER.password), keep=True)
    line.subscribe(every_gateway(Lane.READINGS), qos)
    path.with_suffix(".ready").touch()
    count = 0
    while True:
        came = line.receive(0.2)
        if came.messages:
            count += len(came.messages)
            progress.set(count)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
