"""Reads the vectors of this folder.

One `[[vector]]` a frame: `characteristic`, `bytes` (hex), `model`, and either `refused` (how the reason begins) or the
whole of what the frame means: `metrics` (exact decimals as text), `special`, `taken_at`, `user`, `sequence`, `details`,
`flags`, `quality`, `no_measurement`. `open_end`: more of the same may follow. Bare floats have `number` or `special`
instead. `source` and `origin` say where the bytes come from. What is absent is absent in the frame.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """One frame and its meaning."""

    characteristic: str
    frame: bytes
    source: str
    origin: str
    model: str | None = None
    refused: str | None = None
    number: Decimal | None = None
    metrics: Mapping[str, Decimal] = field(default_factory=dict)
    special: Mapping[str, str] | str = field(default_factory=dict)
    taken_at: datetime | None = None
    user: int | None = None
    sequence: int | None = None
    no_measurement: str | None = None
    open_end: bool = False
    details: Mapping[str, Decimal] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    quality: str = "good"

    def __str__(self) -> str:
        return f"{self.characteristic}-{self.frame.hex()}{'-' + self.model if self.model else ''}"


def load(name: str) -> list[Vector]:
    """The vectors of `name.toml`, in file order."""
    rows: list[dict[str, Any]] = tomllib.loads((FOLDER / f"{name}.toml").read_text())["vector"]
    return [_vector(dict(row)) for row in rows]


def load_frames() -> list[Vector]:
    """Every vector that is a whole characteristic."""
    bare = {"ieee11073", "date_time"}
    return [vector for path in sorted(FOLDER.glob("*.toml")) if path.stem not in bare for vector in load(path.stem)]


def _vector(row: dict[str, Any]) -> Vector:
    row["frame"] = bytes.fromhex(row.pop("bytes"))
    for name in ("metrics", "details"):
        row[name] = {key: Decimal(text) for key, text in row.get(name, {}).items()}
    if "number" in row:
        row["number"] = Decimal(row["number"])
    row["flags"] = tuple(row.get("flags", ()))
    return Vector(**row)
