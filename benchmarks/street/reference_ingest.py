"""The peer: what an afternoon's work would put in place of the ingest. MQTT in, PostgreSQL, acknowledged after COMMIT.

One process, one table, one rule (spo2 < 88). No seal, no receipts, nobody's plan, no history. Run as
`python -m benchmarks.street.reference_ingest PORT ADDRESS PROGRESS` (the last only tells the benchmark how far it is).
"""

import json
import queue
import sys
from pathlib import Path

import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.street.processes import SERVER
from benchmarks.street.progress import Progress

TABLE = """CREATE TABLE plain_reading (id text PRIMARY KEY, device text, taken_at timestamptz, body jsonb);
CREATE TABLE plain_alert (reading text PRIMARY KEY, spo2 numeric)"""
COPY = "COPY incoming (id, device, taken_at, body) FROM STDIN"
KEEP = "INSERT INTO plain_reading SELECT * FROM incoming ON CONFLICT DO NOTHING"


def main(port: int, address: str, progress: Progress) -> None:
    """Receive for ever."""
    waiting: queue.Queue[paho.MQTTMessage] = queue.Queue(5000)
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="plain", clean_session=False, manual_ack=True)
    client.username_pw_set(SERVER.name, SERVER.password)
    client.on_message = lambda _client, _data, message: waiting.put(message)
    client.on_connect = lambda client, *_: client.subscribe("varde/v1/+/readings", 1)
    client.on_subscribe = lambda *_: progress.set(0)
    client.connect("127.0.0.1", port)
    client.loop_start()
    done = 0
    with psycopg.connect(address) as database:
        database.execute(TABLE)
        database.execute("CREATE TEMP TABLE incoming (LIKE plain_reading) ON COMMIT DELETE ROWS")
        database.commit()
        while True:
            batch = [waiting.get()]
            while len(batch) < 1000 and not waiting.empty():
                batch.append(waiting.get())
            bodies = [json.loads(each.payload.partition(b"\n")[2]) for each in batch]
            with database.cursor() as cursor:
                with cursor.copy(COPY) as copy:
                    for body in bodies:
                        copy.write_row((body["id"], body["device"], body["taken_at"], json.dumps(body["values"])))
                cursor.execute(KEEP)
                low = [(body["id"], body["values"]["spo2"]) for body in bodies if body["values"].get("spo2", 100) < 88]
                cursor.executemany("INSERT INTO plain_alert VALUES (%s, %s) ON CONFLICT DO NOTHING", low)
            database.commit()
            for each in batch:
                client.ack(each.mid, each.qos)
            done += len(batch)
            progress.set(done)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], Progress(Path(sys.argv[3])))
