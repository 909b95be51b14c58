"""Every page in every language for everybody who may open it: no word of another language, nothing untranslated."""

import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from server.db.engine import Database, file_address
from server.web.app import PAGES
from server.web.frame.language import translations
from server.web.words.catalogues import LANGUAGES, gather
from tests.server.web import dale as builder
from tests.server.web.dale import READERS, Dale
from tests.server.web.reading import Page

GONE_ON = frozenset({"/start", "/cases/{number}"})  # they only lead to another page


@pytest.fixture(scope="module")
def dale(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dale]:
    folder = tmp_path_factory.mktemp("every_page")
    shutil.copy(migrated, folder / "varde.db")
    database = Database(file_address(folder / "varde.db"))
    yield builder.settle(database, folder)
    database.close()


@cache
def english() -> tuple[frozenset[str], tuple[str, ...]]:
    """English texts of more than one word that differ in Norwegian, and the long parts of those with values in them."""
    every = [each.id for each in gather() if isinstance(each.id, str) and each.id]
    differ = [each for each in every if all(translations(one).gettext(each) != each for one in ("nb", "nn"))]
    parts = {part.strip(" .,:;") for each in differ if "%(" in each for part in re.split(r"%\(\w+\)s", each)}
    whole = frozenset(each for each in differ if " " in each.strip() and "%(" not in each)
    return whole, tuple(sorted(each for each in parts if each.count(" ") > 1))


def leaks(page: Page) -> set[str]:
    """What is English on a page in Norwegian; names and texts that are marked as being in another language are not."""
    whole, parts = english()
    ours = {text for text, language in page.texts if language == page.language}
    return {text for text in ours if text in whole or any(part in text for part in parts)}


def pages() -> list[str]:
    every = {route.path for router in PAGES for route in router.routes if "GET" in route.methods}  # type: ignore[attr-defined]
    return sorted(each for each in every - GONE_ON - {"/live"} if not each.startswith("/parts/"))


@pytest.mark.parametrize("path", pages())
def test_a_page_speaks_the_readers_language(dale: Dale, path: str) -> None:
    """Bokmål for everybody who may open it; the other languages for the first of them."""
    opened = [who for who in READERS if _is_good(dale, path, who, "nb")]
    assert opened, f"nobody can open {path}"
    assert all(_is_good(dale, path, opened[0], language) for language in LANGUAGES if language != "nb")


def _is_good(dale: Dale, path: str, who: str | None, language: str) -> bool:
    """Whether the reader may open the page; then it must be in the language."""
    client = dale.client(who, language)
    answer = client.get(dale.address(path))
    client.close()
    if answer.status_code in (303, 403):
        return False
    page = Page(answer.text)
    assert (answer.status_code, page.language) == (200, language), who
    assert language == "en" or not leaks(page), who
    return True


def test_a_leak_is_found(dale: Dale) -> None:
    client = dale.client("anna", "en")
    html = client.get("/").text
    client.close()
    assert len(leaks(Page(html))) > 10
    assert "Solveig Testnes" not in leaks(Page(html))
