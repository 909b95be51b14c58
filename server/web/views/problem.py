"""What is wrong with one field of a form: a text of ours, and the values to fill in. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """`text` is English and translated where it is shown; `metric`: whose values they are, if anybody's."""

    text: str
    values: Mapping[str, Any] = field(default_factory=dict)
    metric: str | None = None
