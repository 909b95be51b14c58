"""Every text exists in every language, and the catalogues know every text."""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from server.web.frame.language import translations
from server.web.words.catalogues import LANGUAGES, LOCALES, gather

_PLACEHOLDER = re.compile(r"%\(\w+\)s")


def _read(language: str) -> Catalog:
    with (LOCALES / language / "LC_MESSAGES" / "varde.po").open("rb") as file:
        return read_po(file, locale=language)


def _texts(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_untranslated_or_guessed(language: str) -> None:
    lacking = [each.id for each in _read(language) if each.id and (each.fuzzy or not all(_texts(each)))]
    assert lacking == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogue_holds_exactly_the_texts_of_the_pages(language: str) -> None:
    texts = {each.id for each in gather() if each.id}
    assert {each.id for each in _read(language) if each.id} == texts
    assert len(texts) > 200


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_fills_in_the_same_values(language: str) -> None:
    for each in _read(language):
        wanted = set(_PLACEHOLDER.findall(each.id if isinstance(each.id, str) else "".join(each.id)))
        for text in _texts(each):
            assert set(_PLACEHOLDER.findall(text)) == wanted, each.id


def test_the_compiled_catalogues_are_what_pages_use() -> None:
    said = {language: translations(language).gettext("Worklist") for language in LANGUAGES}
    assert said == {"nb": "Arbeidsliste", "nn": "Arbeidsliste", "en": "Worklist"}
    assert translations("nn").gettext("Nurse") == "Sjukepleiar"


def test_a_forgotten_text_would_be_found(tmp_path: Path) -> None:
    found = {each.id for each in gather()}
    assert "Acknowledge" in found  # said by a template
    assert "%(time)s today" in found  # said by a module
    assert "Low oxygen saturation" in found  # a word of ours that reaches templates as a variable
