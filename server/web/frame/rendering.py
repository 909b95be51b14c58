"""Turns a template and a view into a page: one Jinja environment a language, every text escaped."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from server.web.frame.language import NAMES, Speech, translations
from server.web.gathering.offering import OUTCOMES, SPANS
from server.web.words.catalogues import LANGUAGES

_PAGES = Path(__file__).resolve().parent.parent
STATIC = _PAGES / "static"
_FILES_OF_VENDOR = ("theme.css", "designsystemet.css", "htmx.js", "uplot.js", "uplot.css")
# What a page may leave out; everything else that a template names must be given.
_EMPTY: Mapping[str, Any] = {
    "flash": None,
    "me": None,
    "here": None,
    "watch_silence": None,
    "silent": (),
    "in_full": False,
    "draft_of_click": None,
}


class Renderer:
    """Renders templates. `static` is given so that a test can leave the vendored files out."""

    def __init__(self, *, demo: bool, static: Path = STATIC) -> None:
        self.static = static
        self.has_vendor = all((static / "vendor" / name).is_file() for name in _FILES_OF_VENDOR)
        shared = {
            "asset": self._asset,
            "has_vendor": self.has_vendor,
            "language_names": NAMES,
            "demo": demo,
            "outcomes": OUTCOMES,
            "spans": SPANS,
        }
        self._environments = {language: _environment(language, shared) for language in LANGUAGES}

    def page(self, template: str, speech: Speech, **view: Any) -> str:
        """The template filled with the view, in the reader's language."""
        return self._environments[speech.language].get_template(template).render({**_EMPTY, **view, "say": speech})

    def text(self, template: str, speech: Speech, **view: Any) -> str:
        """The same for a template of plain text (`.txt`), in which nothing is escaped."""
        if not template.endswith(".txt"):
            raise ValueError(f"{template}: a template of plain text ends in .txt")
        return self.page(template, speech, **view)

    def _asset(self, name: str) -> str:
        return f"/static/{name}?v={_digest(self.static / name)}"


@lru_cache(maxsize=64)
def _digest(path: Path) -> str:
    """Changes with the content, so that a browser may keep a file for ever and still never show an old one."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else "none"


def _environment(language: str, shared: Mapping[str, Any]) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_PAGES / "templates"),
        autoescape=select_autoescape(disabled_extensions=("txt",), default_for_string=True, default=True),
        undefined=StrictUndefined,
        auto_reload=False,  # or every part of every page is looked for on the disk again
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    environment.globals.update(shared)
    return environment
