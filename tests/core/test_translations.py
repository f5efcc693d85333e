"""The catalogues: complete for everything a customer reads, and compiled from what translators wrote."""

from __future__ import annotations

import re
from gettext import c2py
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from bugintake.core import templating
from bugintake.team.models import LANGUAGES

FOLDER = templating.folder("core/translations")
PACKAGE = Path(templating.__file__).parents[1]
FILES = [
    "intake/replies.py",
    "loop/known.py",
    "loop/letters.py",
    "loop/shipped.py",
    "loop/progress.py",
    "loop/views/customers.py",
    "loop/views/known.py",
    "loop/views/unsubscribing.py",
]
LETTERS = ("duty_letters", "duty_week", "handoff_letters", "notice_letters", "swap_letters", "webhooks/letters")
READ_BY_THE_TEAM = [f"loop/{name}.py" for name in LETTERS]
PAGES = ["core/public", *(f"loop/{name}" for name in ("report", "start", "unsubscribe", "gone", "_public"))]
OF_THE_TEAM = {"Published: everybody reads it on the public list.", "It is off the public list."}
TEXTS = re.compile(
    r"%\((?!(?:day|when|num|people|count|first|last|days|theirs|hours?|least|most|mine|reason|workaround)\))\w+\)[sd]"
)


def catalogue(language: str) -> Catalog:
    with (FOLDER / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


def sentences() -> set[str]:
    found: set[str] = set()
    for path in [*FILES, *READ_BY_THE_TEAM]:
        for _, message, _, _ in extract_from_file("python", PACKAGE / path):
            found.add(message[0] if isinstance(message, tuple) else message)
    for name in PAGES:
        path = templating.folder("templates") / f"{name}.html"
        for _, message, _, _ in extract_from_file("jinja2", path, options={"trimmed": "true"}):
            found.add(message[0] if isinstance(message, tuple) else message)
    return found - OF_THE_TEAM


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_what_the_translators_wrote(language: str) -> None:
    compiled = BytesIO()
    write_mo(compiled, catalogue(language))

    assert (FOLDER / language / "LC_MESSAGES" / "messages.mo").read_bytes() == compiled.getvalue()


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_every_sentence_a_customer_reads_is_translated(language: str) -> None:
    found = catalogue(language)

    done = {message.id[0] if isinstance(message.id, tuple) else message.id for message in found if message.string}
    untranslated = sorted(sentences() - done)

    assert untranslated == []


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_a_translation_fills_in_the_same_blanks(language: str) -> None:
    blanks = re.compile(r"%\((\w+)\)[sd]")
    found = catalogue(language)
    assert [error for message in found for error in message.check(found)] == []
    for message in found:
        originals = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        wanted = set(blanks.findall(" ".join(originals)))

        assert not message.fuzzy or not message.id
        for form, text in enumerate(strings):
            says_it_in_words = {"num", "people"} if len(numbers_by_form(found)[form]) == 1 else set()
            assert wanted - says_it_in_words <= set(blanks.findall(text)) <= wanted


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_every_number_has_a_form_of_its_own_language(language: str) -> None:
    found = catalogue(language)
    plurals = [message for message in found if isinstance(message.id, tuple)]

    assert all(numbers_by_form(found))
    assert [len([text for text in message.string if text]) for message in plurals] == [found.num_plurals] * len(plurals)


def numbers_by_form(found: Catalog) -> list[list[int]]:
    form_of = c2py(found.plural_expr)
    return [[number for number in range(1000) if form_of(number) == form] for form in range(found.num_plurals)]


def test_a_text_filled_into_a_right_to_left_sentence_is_isolated() -> None:
    for message in catalogue("ar"):
        for text in message.string if isinstance(message.string, tuple) else (message.string,):
            assert TEXTS.sub("", text).count("\u2068\u2069") == len(TEXTS.findall(text))


def test_every_language_offered_has_a_catalogue_and_no_other() -> None:
    assert sorted(path.name for path in FOLDER.iterdir() if path.is_dir()) == sorted(LANGUAGES)
