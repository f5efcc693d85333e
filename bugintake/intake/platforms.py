"""Which choice of a list is meant by what a browser says of itself."""

import re
from collections.abc import Iterator, Sequence

from bugintake.intake.catalogue import Choice, key_of
from bugintake.team.sign_in import browser_of

_NAMES = {
    "macOS": {"macos", "mac", "osx"},
    "iPhone": {"iphone", "ios", "phone"},
    "iPad": {"ipad", "ios", "ipados", "tablet"},
    "ChromeOS": {"chromeos", "chromebook"},
    "Internet Explorer": {"internet", "explorer", "ie"},
    "Samsung Internet": {"samsung", "internet"},
}
_LINKS = frozenset({"on", "for", "with", "in", "the", "browser"})
_GENERAL = frozenset({"phone", "tablet", "internet"})


def is_agent(words: str) -> bool:
    """Whether words are what a browser says of itself; all of them begin so since Mozilla's."""
    return re.match(r"Mozilla/[0-9]", words) is not None


def meant_by(agent: str, offered: Sequence[Choice]) -> Choice | None:
    """Find the choice that says most about a browser and nothing that is not so, by its label or an alias.

    "iPhone or iPad" is fine for either; "phone" alone says too little.
    """
    program, system = browser_of(agent)
    runs_on = _words_for(system)
    if system == "Android":
        runs_on = {*runs_on, "phone" if "Mobile" in agent else "tablet"}
    words = _words_for(program) | runs_on
    fitting = [
        (len(name), bool(name & runs_on), -place)  # of two that say as much, the one that names the system
        for place, choice in enumerate(offered)
        for name in _names_of(choice)
        if name <= words and not name <= _GENERAL
    ]
    return offered[-max(fitting)[2]] if fitting else None


def _words_for(name: str) -> set[str]:
    return _NAMES.get(name, {name.lower()} if name else set())


def _names_of(choice: Choice) -> Iterator[frozenset[str]]:
    for words in (choice.label, *choice.aliases):
        for part in re.split(r" or |/|,", key_of(words)):
            name = frozenset(re.findall(r"[a-z]+", part)) - _LINKS
            if name:
                yield name
