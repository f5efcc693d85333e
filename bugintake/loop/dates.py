"""Days and times as a customer reads them, by the conventions of their language."""

from datetime import date, datetime
from functools import lru_cache

from babel import Locale
from babel.dates import format_date, format_time, get_datetime_format

from bugintake.core import clock
from bugintake.core.forms import zone_or_utc

LOCALES = {
    "en": "en_GB",
    "de": "de",
    "es": "es",
    "fr": "fr",
    "pt": "pt_BR",
    "tr": "tr",
    "zh": "zh_Hans",
    "ar": "ar",
}
"""Whose conventions each language follows; of the two ways to write Portuguese the one that most of its readers use."""
_WEEKDAY = {
    "en": "EEEE d MMMM",
    "de": "EEEE, d. MMMM",
    "es": "EEEE, d 'de' MMMM",
    "fr": "EEEE d MMMM",
    "pt": "EEEE, d 'de' MMMM",
    "tr": "d MMMM EEEE",
    "zh": "M月d日EEEE",
    "ar": "EEEE، d MMMM",
}


def day_in_words(at: datetime, zone: str, language: str) -> str:
    """Name a day of this year as 12 March, of another one with its year."""
    return _written(at, zone, language, Locale.parse(LOCALES[language]).datetime_skeletons["MMMMd"].pattern)


def weekday(at: datetime, zone: str, language: str) -> str:
    """Name a day of this year as Thursday 12 March, of another one with its year."""
    return _written(at, zone, language, _WEEKDAY[language])


def moment(at: datetime, zone: str, language: str) -> str:
    """Name a day and the time of day."""
    locale = LOCALES[language]
    time = format_time(at.astimezone(zone_or_utc(zone)), "short", locale=locale)
    return str(get_datetime_format("medium", locale=locale)).format(time, weekday(at, zone, language))


def _written(at: datetime, zone: str, language: str, pattern: str) -> str:
    local, locale = at.astimezone(zone_or_utc(zone)), Locale.parse(LOCALES[language])
    if local.year != clock.now().astimezone(local.tzinfo).year:
        pattern = locale.date_formats["long"].pattern
    if language == "fr" and local.day == 1:
        pattern = pattern.replace("d ", "d'er' ")  # le 1er mars, which CLDR's patterns do not know
    return _formatted(local.date(), pattern, locale)


@lru_cache(maxsize=1000)
def _formatted(day: date, pattern: str, locale: Locale) -> str:
    return format_date(day, pattern, locale=locale)
