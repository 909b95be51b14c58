"""What the machine itself can do: the rates that our own are held against, measured in the same run."""

import json
import os
import sqlite3
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import psycopg

from benchmarks.results import Book

_BATCH = 1000
_ROW = "(id text PRIMARY KEY, patient text, metric text, taken_at timestamptz, value numeric)"
_UNNEST = """INSERT INTO limit_rows SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[],
%s::numeric[]) ON CONFLICT DO NOTHING"""
_Row = tuple[str, str, str, str, str]


def measure(book: Book, address: str, payloads: Sequence[bytes], number: int, rows: int) -> None:
    """One round of every limit but the broker's. `payloads` are sealed readings as they travel."""
    count = len(payloads)
    book.add("memcpy of payloads", count / _copying(payloads), "readings/s", number)
    book.add("JSON parse of payloads", count / _parsing(payloads), "readings/s", number)
    made = _rows(rows, number)
    with psycopg.connect(address) as database:
        book.add("COPY, one transaction", rows / _copy(database, made), "rows/s", number)
        book.add("INSERT in batches of 1,000, each committed", rows / _insert(database, made), "rows/s", number)
    book.add("SQLite FULL in batches of 1,000", rows / _embedded(made), "rows/s", number)
    book.add("8 kB write and fdatasync", 200 / _syncing(200), "syncs/s", number)


def _copying(payloads: Sequence[bytes]) -> float:
    began = perf_counter()
    for each in payloads:
        bytearray(each)
    return perf_counter() - began


def _parsing(payloads: Sequence[bytes]) -> float:
    bodies = [each.partition(b"\n")[2] for each in payloads]
    began = perf_counter()
    for each in bodies:
        json.loads(each)
    return perf_counter() - began


def _rows(count: int, number: int) -> list[_Row]:
    at = "2026-03-16T10:35:00Z"
    return [(f"{number}-{row}", f"patient-{row % 1000:06}", "spo2", at, str(90 + row % 9)) for row in range(count)]


def _copy(database: psycopg.Connection, rows: Sequence[_Row]) -> float:
    _empty(database)
    text = "".join("\t".join(row) + "\n" for row in rows).encode()
    began = perf_counter()
    with database.cursor() as cursor, cursor.copy("COPY limit_rows FROM STDIN") as copy:
        copy.write(text)
    database.commit()
    return perf_counter() - began


def _insert(database: psycopg.Connection, rows: Sequence[_Row]) -> float:
    _empty(database)
    began = perf_counter()
    for start in range(0, len(rows), _BATCH):
        columns = [list(column) for column in zip(*rows[start : start + _BATCH], strict=True)]
        database.execute(_UNNEST, columns)
        database.commit()
    return perf_counter() - began


def _empty(database: psycopg.Connection) -> None:
    database.execute("DROP TABLE IF EXISTS limit_rows")
    database.execute(f"CREATE TABLE limit_rows {_ROW}")
    database.commit()


def _embedded(rows: Sequence[_Row]) -> float:
    with tempfile.TemporaryDirectory(prefix="varde-limit-") as folder:
        database = sqlite3.connect(Path(folder) / "limit.db", isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute(f"CREATE TABLE limit_rows {_ROW}")
        began = perf_counter()
        for start in range(0, len(rows), _BATCH):
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT INTO limit_rows VALUES (?, ?, ?, ?, ?)", rows[start : start + _BATCH])
            database.execute("COMMIT")
        seconds = perf_counter() - began
        database.close()
    return seconds


def _syncing(times: int) -> float:
    with tempfile.NamedTemporaryFile(prefix="varde-limit-") as file:
        began = perf_counter()
        for _ in range(times):
            os.pwrite(file.fileno(), bytes(8192), 0)
            os.fdatasync(file.fileno())
        return perf_counter() - began
