"""The catalogues: complete for everything a customer reads, and compiled from what translators wrote."""

from __future__ import annotations

import re
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
FILES = ("intake/replies.py", "loop/letters.py", "loop/notices.py", "loop/progress.py")
READ_BY_CUSTOMERS = [PACKAGE / path for path in FILES]
PAGES = ["report", "start", "unsubscribe", "gone", "_public"]


def catalogue(language: str) -> Catalog:
    with (FOLDER / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


def sentences() -> set[str]:
    found: set[str] = set()
    for path in READ_BY_CUSTOMERS:
        for _, message, _, _ in extract_from_file("python", path):
            found.add(message[0] if isinstance(message, tuple) else message)
    for name in PAGES:
        path = templating.folder("templates") / "loop" / f"{name}.html"
        if path.exists():
            options = {"trimmed": "true"}
            for _, message, _, _ in extract_from_file("jinja2", path, options=options):
                found.add(message[0] if isinstance(message, tuple) else message)
    return found


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
    for message in catalogue(language):
        originals = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        wanted = set(blanks.findall(" ".join(originals)))

        assert not message.fuzzy or not message.id
        assert [set(blanks.findall(text)) for text in strings] == [wanted] * len(strings)


def test_every_language_offered_has_a_catalogue_and_no_other() -> None:
    assert sorted(path.name for path in FOLDER.iterdir() if path.is_dir()) == sorted(LANGUAGES)
