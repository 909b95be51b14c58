"""Gather English from templates and modules, keep nb, nn and en beside them, compile at set-up.

`python server/web/words/catalogues.py` gathers and compiles; the build hook only compiles. Stands alone on Babel,
because the hook runs it before the package is installed.
"""

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

PAGES = Path(__file__).resolve().parent.parent
LOCALES = PAGES / "locales"
DOMAIN = "varde"
LANGUAGES = ("nb", "nn", "en")
_TEMPLATES = ("templates/**.html", "templates/**.txt")
_METHODS = [("**.py", "python"), *((each, "jinja2.ext:babel_extract") for each in _TEMPLATES)]
_JINJA = {"extensions": "jinja2.ext.i18n", "newstyle_gettext": "true", "trimmed": "true"}
_OPTIONS = dict.fromkeys(_TEMPLATES, _JINJA)
_KEYWORDS = {"_": None, "N_": None, "say": None, "gettext": None, "ngettext": (1, 2)}


def compile_all() -> None:
    """Write every `.mo` that is older than its `.po`."""
    for language in LANGUAGES:
        source, target = _path(language, "po"), _path(language, "mo")
        if not source.is_file() or (target.is_file() and target.stat().st_mtime >= source.stat().st_mtime):
            continue
        draft = target.with_suffix(".mo.new")
        draft.write_bytes(compiled_bytes(source, language))
        draft.replace(target)  # a server that starts meanwhile reads the old one or the new one, never half


def compiled_bytes(source: Path, language: str) -> bytes:
    """What the `.mo` of this `.po` holds."""
    with source.open("rb") as file:
        catalogue = read_po(file, locale=language, domain=DOMAIN)
    out = BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def gather() -> Catalog:
    """Every text of the pages, in English."""
    template = Catalog(project="varde", charset="utf-8")
    for filename, line, message, comments, context in _messages():
        template.add(message, None, [(filename, line)], auto_comments=comments, context=context)
    return template


def update_all() -> None:
    """Bring every `.po` up to date with the texts; new ones are left empty for a translator, none is guessed."""
    template = gather()
    for language in LANGUAGES:
        path = _path(language, "po")
        catalogue = Catalog(locale=language, domain=DOMAIN, project="varde")
        if path.is_file():
            with path.open("rb") as file:
                catalogue = read_po(file, locale=language, domain=DOMAIN)
        made = catalogue.creation_date
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        catalogue.creation_date = made  # a date that moved with every run would hide what really changed
        catalogue.fuzzy = False
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:  # without places, so that moving a line changes no catalogue
            write_po(file, catalogue, width=120, sort_output=True, no_location=True, omit_header=False)


def _messages() -> Iterator[tuple[str, int, str | tuple[str, ...], list[str], str | None]]:
    # the server imports nothing from here, and the walker must not stop at folders that begin with a dot
    yield from extract_from_dir(PAGES, _METHODS, _OPTIONS, keywords=_KEYWORDS, comment_tags=("NOTE:",))


def _path(language: str, ending: str) -> Path:
    return LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.{ending}"


if __name__ == "__main__":
    update_all()
    compile_all()
    sys.exit(0)
