"""Days and times by the conventions of each language, as CLDR has them."""

from datetime import UTC, datetime

import pytest

from bugintake.loop.dates import LOCALES, day_in_words, moment, weekday
from bugintake.team.models import LANGUAGES, OWN_NAMES

AT = datetime(2026, 3, 12, 13, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "day", "with_time", "another_year"),
    [
        ("en", "12 March", "Thursday 12 March, 14:05", "1 May 2025"),
        ("de", "12. März", "Donnerstag, 12. März, 14:05", "1. Mai 2025"),
        ("es", "12 de marzo", "jueves, 12 de marzo, 14:05", "1 de mayo de 2025"),
        ("fr", "12 mars", "jeudi 12 mars, 14:05", "1er mai 2025"),
        ("pt", "12 de março", "quinta-feira, 12 de março 14:05", "1 de maio de 2025"),
        ("tr", "12 Mart", "12 Mart Perşembe 14:05", "1 Mayıs 2025"),
        ("zh", "3月12日", "3月12日星期四 14:05", "2025年5月1日"),
        ("ar", "12 مارس", "الخميس، 12 مارس، 2:05 م", "1 مايو 2025"),
    ],
)
def test_days_and_times_are_written_as_their_reader_does(clock, language, day, with_time, another_year):
    assert day_in_words(AT, "Europe/Zagreb", language) == day
    assert moment(AT, "Europe/Zagreb", language) == with_time
    assert weekday(datetime(2025, 5, 1, tzinfo=UTC), "Europe/Zagreb", language) == another_year


def test_the_first_of_a_month_is_an_ordinal_in_french(clock):
    first = datetime(2026, 3, 1, 12, tzinfo=UTC)

    assert (day_in_words(first, "UTC", "fr"), weekday(first, "UTC", "fr")) == ("1er mars", "dimanche 1er mars")


def test_every_language_has_a_locale_and_a_name_of_its_own():
    assert list(LOCALES) == list(LANGUAGES) == list(OWN_NAMES)
