"""Lists of the API: one shape, exact numbers, a cursor that survives new rows, and an ETag."""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import Response

from server.web.api.problems import ProblemError

LIMIT = 100
LIMIT_MAX = 1000

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="How many items at most.")]
After = Annotated[str | None, Query(max_length=400, description="The `next` of the page before.")]


def answer(request: Request, items: Sequence[Mapping[str, Any]], following: str | None) -> Response:
    """A page of a list; 304 when the caller has exactly this already."""
    return as_json(request, {"items": list(items), "next": following})


def as_json(request: Request, body: Mapping[str, Any], etag: str | None = None) -> Response:
    """`body` with its ETag, or 304."""
    text = exactly(body).encode()
    tag = etag or f'"{hashlib.sha256(text).hexdigest()[:32]}"'
    if request.method == "GET" and tag in _tags(request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers={"ETag": tag})
    return Response(text, media_type="application/json", headers={"ETag": tag})


def exactly(value: Any) -> str:
    """JSON in which a decimal has all its digits, which the standard writer's floats would not."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return json.dumps(value.isoformat().replace("+00:00", "Z"))
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(name)}:{exactly(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(exactly(each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def cursor(*parts: object) -> str:
    """A place in a list, opaque to the caller."""
    text = json.dumps([part.isoformat() if isinstance(part, datetime) else part for part in parts])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place(text: str, *kinds: type) -> list[Any]:
    """The parts of a cursor; a problem 422 when it was not made by `cursor` for this list."""
    try:
        parts = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return [_part(part, kind) for part, kind in zip(parts, kinds, strict=True)]
    except (TypeError, ValueError, binascii.Error, RecursionError):
        raise ProblemError(422, "after: not a `next` of this list") from None


def _part(part: Any, kind: type) -> Any:
    if kind is datetime and isinstance(part, str):
        moment = datetime.fromisoformat(part)
        if moment.tzinfo is None:
            raise ValueError
        return moment
    if type(part) is not kind or (isinstance(part, int) and not 0 <= part < 2**63):
        raise ValueError
    return part


def _tags(header: str) -> set[str]:
    return {each.strip().removeprefix("W/") for each in header.split(",")}
