"""Reads pages as a browser does: the forms with their fields, what stands in them, and the text that can be seen."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import compile_path

_WRITTEN = frozenset({"text", "search", "tel", "email"})
_PICKED = frozenset({"number", "date", "time", "datetime-local"})  # a browser lets nothing else be sent
_SILENT = frozenset({"script", "style", "title"})
_VOID = frozenset({"input", "meta", "link", "img", "br", "hr", "path", "circle", "rect", "line", "use", "polyline"})
_READ_OUT = ("aria-label", "title", "placeholder", "alt")


@dataclass(slots=True)
class PageForm:
    """One form of a page. `options`: what a choice can be; `written`: what stands in the fields of text."""

    action: str
    fixed: list[tuple[str, str]] = field(default_factory=list)  # hidden
    written: dict[str, str] = field(default_factory=dict)
    options: dict[str, list[str]] = field(default_factory=dict)  # radios, boxes, selects and named buttons
    picked: set[str] = field(default_factory=set)  # those of `written` in which not every text can stand
    invalid: set[str] = field(default_factory=set)  # ids of what describes a field that is marked as wrong

    @property
    def names(self) -> list[str]:
        """Every field once."""
        return list(dict.fromkeys([*(name for name, _ in self.fixed), *self.written, *self.options]))


class Page(HTMLParser):
    """A page that was read. `texts`: what is seen or read out, with the language it is marked to be in."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[PageForm] = []
        self.texts: list[tuple[str, str]] = []
        self.ids: set[str] = set()
        self.language = ""
        self.warns = False  # somewhere on the page something is announced at once
        self._open: list[tuple[str, str]] = []  # element and language
        self._form: PageForm | None = None
        self._area: str | None = None
        self._select: str | None = None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        language = given.get("lang", self._open[-1][1] if self._open else "")
        if tag == "html":
            self.language = language
        if tag not in _VOID:
            self._open.append((tag, language))
        if "id" in given:
            self.ids.add(given["id"])
        self.warns = self.warns or given.get("role") == "alert" or given.get("id") == "flash"
        self.texts += [(given[name], language) for name in _READ_OUT if given.get(name)]
        if tag == "form" and given.get("method", "").lower() == "post":
            self._form = PageForm(action=given["action"])
            self.forms.append(self._form)
        if self._form is not None:
            self._field(tag, given, self._form)

    def _field(self, tag: str, given: dict[str, str], form: PageForm) -> None:
        name, kind = given.get("name", ""), given.get("type", "text")
        if given.get("aria-invalid") == "true":
            form.invalid |= set(given.get("aria-describedby", "").split())
        if tag == "option" and self._select:
            form.options[self._select].append(given.get("value", ""))
        if not name:
            return
        if tag == "select":
            self._select = name
            form.options[name] = []
        elif tag == "textarea":
            self._area = name
            form.written[name] = ""
        elif tag == "button" or kind in ("radio", "checkbox"):
            form.options.setdefault(name, []).append(given.get("value", "on"))
        elif kind in _WRITTEN | _PICKED:
            form.written[name] = given.get("value", "")
            form.picked |= {name} if kind in _PICKED else set()
        elif kind == "hidden":
            form.fixed.append((name, given.get("value", "")))
        else:
            raise AssertionError(f"a field of a kind that nobody here knows: {kind} {name}")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "textarea":
            self._area = None
        elif tag == "select":
            self._select = None
        if any(each == tag for each, _ in self._open):
            while self._open and self._open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._form is not None and self._area is not None:
            # a browser leaves out the first line's end
            self._form.written[self._area] += data if self._form.written[self._area] else data.removeprefix("\n")
        elif data.strip() and self._open and self._open[-1][0] not in _SILENT:
            self.texts.append((" ".join(data.split()), self._open[-1][1]))


class Ways:
    """The routes of an application, and which of them an address leads to."""

    def __init__(self, app: FastAPI) -> None:
        self._all = [
            (method, each.path, compile_path(each.path)[0])
            for each in iter_route_contexts(app.routes)
            if each.path and isinstance(each.original_route, APIRoute)
            for method in each.original_route.methods or ()
        ]

    def of(self, method: str) -> set[str]:
        """The paths of every route with this method."""
        return {path for each, path, _ in self._all if each == method}

    def route(self, method: str, address: str) -> str | None:
        """The path of the route that this address leads to."""
        where = address.partition("?")[0]
        return next((path for each, path, regex in self._all if each == method and regex.match(where)), None)


def forms_of(html: str, ways: Ways) -> Iterator[tuple[str, PageForm]]:
    """Each form of a page with its route; a form that leads nowhere is a fault."""
    for form in Page(html).forms:
        route = ways.route("POST", form.action)
        assert route, f"a form leads nowhere: {form.action}"
        yield route, form
