"""What was typed into a form, and what is wrong with it: a message beside each field, and nothing typed is lost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

_LONGEST = 5000  # of one field; what is longer is cut, and the field's own check then refuses it


async def typed(request: Request) -> Mapping[str, str]:
    """Every field of the form as text, the first of those with one name; files are no text."""
    form = await request.form()
    found: dict[str, str] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            found.setdefault(name, value[:_LONGEST].replace("\0", ""))  # no database keeps it
    return found


Typed = Annotated[Mapping[str, str], Depends(typed)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form as it is shown: what stands in its fields, and what is wrong by the field's name, in English words."""

    values: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    token: str = ""

    @classmethod
    def again(cls, values: Mapping[str, str], wrong: Mapping[str, str]) -> "Form":
        """The form as it came, to be mended."""
        return cls(values=values, wrong=wrong, token=token_of(values) or new_token())

    @classmethod
    def fresh(cls, values: Mapping[str, str] | None = None) -> "Form":
        """An empty form, or one with suggestions, that has not been sent."""
        return cls(values=values or {}, token=new_token())


def sent_to(where: str, done: str) -> Response:
    """After a form that was done: a page of ours that says so, and that can be loaded again without sending anew."""
    return RedirectResponse(f"{where}?done={done}", status_code=303)


def new_token() -> str:
    """What makes two sendings of one form the same; random, and nobody's secret."""
    return token_urlsafe(18)


def token_of(values: Mapping[str, str]) -> str | None:
    """The token that came with a form; None when it is none of ours."""
    token = values.get("token", "")
    return token if 16 <= len(token) <= 64 and token.isascii() and token.isprintable() else None


def text_of(values: Mapping[str, str], name: str, longest: int) -> str | None:
    """What was written into a field of free text, without what cannot be seen; None: longer than may be."""
    kept = "".join(each for each in values.get(name, "").replace("\r\n", "\n") if each.isprintable() or each == "\n")
    kept = kept.strip()
    return kept if len(kept) <= longest else None
