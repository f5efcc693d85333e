"""How languages differ: direction, sentences side by side, names in a greeting."""

import pytest

from bugintake.core.languages import addressed, direction, sentences
from bugintake.team.models import LANGUAGES


def test_one_of_the_languages_is_written_from_the_right():
    assert [language for language in LANGUAGES if direction(language) == "rtl"] == ["ar"]


def test_chinese_sentences_stand_side_by_side_without_a_gap():
    assert sentences("zh", "自3月12日起。", "", "您好。") == "自3月12日起。您好。"
    assert sentences("fr", "Bonjour.", "", "Merci.") == "Bonjour. Merci."


@pytest.mark.parametrize(
    ("name", "language", "called"),
    [
        ("Hana Kovač", "en", "Hana"),
        ("Mehmet Yılmaz", "tr", "Mehmet"),
        ("王小明", "zh", "王小明"),
        ("Wang  Xiaoming", "zh", "Wang Xiaoming"),
        ("王 小明", "de", "王 小明"),
        ("김 철수", "en", "김 철수"),
        ("山田 太郎", "en", "山田 太郎"),
        ("عبد الرحمن الخطيب", "ar", "عبد الرحمن الخطيب"),
        (" ", "zh", ""),
        ("", "en", ""),
    ],
)
def test_a_greeting_never_takes_half_of_a_name(name, language, called):
    assert addressed(name, language) == called
