"""The bare subscriber that rates are held against: takes readings from the broker, acknowledges, and forgets them.

`python -m benchmarks.street.bare_subscriber PORT QOS PROGRESS [paho]`, until it is told to end. It has the account and
the kept session of the product's own subscriber, and no client library between: a socket, packets cut by their length.
With `paho` it has the product's client library, acknowledging by hand as the product does: what is left of the broker's
rate once that library has touched each message.
"""

import sys
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.street.mqtt import Line
from benchmarks.street.processes import SERVER
from benchmarks.street.progress import Progress
from vitals.topics import Lane, every_gateway


def main(words: Sequence[str]) -> int:
    """Subscribe and count."""
    port, qos, path = int(words[0]), int(words[1]), Path(words[2])
    if "paho" in words:
        _with_library(port, qos, path)
    progress = Progress(path)
    line = Line(port, "bare", (SERVER.name, SERVER.password), keep=True)
    line.subscribe(every_gateway(Lane.READINGS), qos)
    path.with_suffix(".ready").touch()
    taken = 0
    while True:
        came = line.receive(0.2)
        if came.messages:
            taken += len(came.messages)
            progress.set(taken)


def _with_library(port: int, qos: int, path: Path) -> None:
    progress, counted = Progress(path), count(1)
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="bare", clean_session=False, manual_ack=True)
    client.username_pw_set(SERVER.name, SERVER.password)

    def on_message(client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        client.ack(message.mid, message.qos)
        progress.set(next(counted))

    client.on_message = on_message
    client.on_connect = lambda client, *_: client.subscribe(every_gateway(Lane.READINGS), qos)
    client.on_subscribe = lambda *_: path.with_suffix(".ready").touch()
    client.connect("127.0.0.1", port)
    client.loop_forever()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
