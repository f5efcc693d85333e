"""Hints about what was typed: never a block, and what looks like a secret can be masked.

A text that is longer than a report takes is refused anyway, so hints do not look at it.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from bugintake.intake.reports import TEXT_LENGTH

FEWEST_WORDS = 4
FEWEST_CHARACTERS = 3  # "00000000" and "xxxx1" hide nothing
MASK = "••••••"
NO_STEPS = "There are no steps yet. If the customer said how they came there, it is what helps most."
VERY_SHORT = "These steps are very short. What did they open, click and type, one line each?"
SAME_AS_ACTUAL = "This says the same as what happened. What did they want to see instead?"
SAME_AS_STEPS = "This says the same as the steps. What did they see at the end of them?"
TWO_PROBLEMS = "This looks like two problems. Each is found and fixed sooner in a report of its own."
SECRET = "This looks like {what}. Whoever works on the bug will read it, so mask it unless it shows the bug."

_PASSWORD = re.compile(
    r"""(?ix) \b (?: passw(?:or[dt]|d) | passphrase | pwd | kennwort | contraseña ) ["']? [ \t]{0,3} [:=] [ \t]{0,3}
    ["']? (?![/\\]) (?P<value> (?=[^\s"',;<>(){}\[\]•]{0,199}[0-9]) [^\s"',;<>(){}\[\]•]{4,200}+ ) (?!\()"""
)
_TOKEN = re.compile(
    r"""(?ix) (?<![a-z]) (?: secret | token | api[_ -]?key | access[_ -]?key ) ["']? [ \t]{0,3} [:=] [ \t]{0,3}
    ["']? (?P<value> (?=[\w.~+/%|=-]{0,199}[0-9]) [\w.~+/%|=-]{8,2000}+ ) (?![(@])"""
)
_KNOWN = re.compile(
    r"""(?x) (?<![\w-]) (?: gh[opsur]_\w{30,255} | github_pat_\w{30,255} | glpat-[\w-]{20,255}
    | xox[abeprs]-[\w-]{10,255} | [rs]k_(?:live|test)_\w{16,255} | sk-[\w-]{32,255}
    | AKIA[0-9A-Z]{16}(?!\w) | AIza[\w-]{35}(?![\w-]) | eyJ[\w-]{8,2000}\.eyJ[\w-]{8,4000}\.[\w-]{8,2000} )"""
)
_BEARER = re.compile(
    r"""(?ix) \bauthorization ["']? [ \t]{0,3} [:=] [ \t]{0,3} ["']? (?: bearer | basic | token ) [ \t]{1,3}
    (?P<value> [\w.~+/=-]{8,4000} )"""
)
_IN_ADDRESS = re.compile(r"(?i)\b[a-z][a-z0-9+]{1,9}://[\w.~%-]{1,80}:(?P<value>[^\s/:@\"'(){}•]{3,80})@")
_PRIVATE = re.compile(r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----(?P<value>[^•-]{1,20000})")
_PATTERNS = (
    (_PRIVATE, "a private key"),
    (_KNOWN, "an access token"),
    (_BEARER, "an access token"),
    (_TOKEN, "an access token"),
    (_IN_ADDRESS, "a password"),
    (_PASSWORD, "a password"),
)
_NUMBER = re.compile(r"(?<![\w.,:/-])[2-6][0-9](?:[ -]?[0-9]){11,17}(?![\w]|[.,:/-][0-9])")
_ISSUED = re.compile(
    r"""(?x) 4[0-9]{12}(?:[0-9]{3}){0,2} | 5[1-5][0-9]{14} | 3[47][0-9]{13} | 3(?:0[0-5]|[68][0-9])[0-9]{11}
    | 2(?:22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|720)[0-9]{12} | 35(?:2[89]|[3-8][0-9])[0-9]{12}
    | 6(?:011|4[4-9][0-9]|5[0-9]{2})[0-9]{12}"""
)
_TWO = re.compile(
    r"(?i)\b(?:(?:another|a second|one more|a different|a separate|an unrelated) (?:issue|problem|bug|error)"
    r"|(?:two|2|three|3|several) (?:separate |different )?(?:issues|problems|bugs)\b"
    r"|(?:issue|problem|bug) (?:#|no\.? )?2\b|second (?:issue|problem|bug)"
    r"|(?:ein (?:weiteres|zweites|anderes)|noch ein) (?:problem|fehler)|otro (?:problema|error))"
)


@dataclass(frozen=True)
class Hint:
    """What may be wrong with one of the texts, in a sentence for whoever types it."""

    field: str
    sentence: str
    is_secret: bool = False


def hints(*, steps: str, actual: str, expected: str, may_lack_steps: bool = False) -> list[Hint]:
    """Say what whoever reads the report may stumble over; empty texts are asked for elsewhere.

    Where a telling `may_lack_steps` because nobody asks for them, their absence beside other words is one of these.
    """
    texts = {"steps": steps, "actual": actual, "expected": expected}
    texts = {name: text for name, text in texts.items() if len(text) <= TEXT_LENGTH}
    plain = {name: _plain(text) for name, text in texts.items()}
    found = []
    if may_lack_steps and plain.get("steps") == "" and any(plain.values()):
        found.append(Hint("steps", NO_STEPS))
    if plain.get("steps") and len(plain["steps"].split()) < FEWEST_WORDS:
        found.append(Hint("steps", VERY_SHORT))
    if plain.get("expected") and plain["expected"] == plain.get("actual"):
        found.append(Hint("expected", SAME_AS_ACTUAL))
    if plain.get("actual") and plain["actual"] == plain.get("steps"):
        found.append(Hint("actual", SAME_AS_STEPS))
    if _TWO.search(texts.get("actual", "")):
        found.append(Hint("actual", TWO_PROBLEMS))
    for name, text in texts.items():
        first = next(secrets_in(text), None)
        if first is not None:
            found.append(Hint(name, SECRET.format(what=first[2]), is_secret=True))
    return found


def masked(text: str) -> str:
    """Put dots where a text holds what looks like a secret, and leave the rest as it is."""
    while spans := _apart(secrets_in(text)):
        ends = [0, *(end for _, end in spans)]
        text = MASK.join([*(text[end:start] for end, (start, _) in zip(ends, spans, strict=False)), text[ends[-1] :]])
    return text


def secrets_in(text: str) -> Iterator[tuple[int, int, str]]:
    """Find passwords, tokens, keys and card numbers: where each begins and ends, and what it looks like."""
    for pattern, what in _PATTERNS:
        group = "value" if pattern.groups else 0
        for match in pattern.finditer(text):
            if len(set(match[group])) > FEWEST_CHARACTERS:
                yield *match.span(group), what
    for match in _NUMBER.finditer(text):
        if _is_card(re.sub(r"\D", "", match[0])):
            yield *match.span(), "a card number"


def _is_card(digits: str) -> bool:
    """Tell a card number by its issuer and by its last digit, which Luhn's rule (ISO/IEC 7812-1) makes."""
    if _ISSUED.fullmatch(digits) is None or digits.endswith("000000"):
        return False
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(int(digit) for digit in digits[-1::-2])) % 10 == 0


def _apart(found: Iterator[tuple[int, int, str]]) -> list[tuple[int, int]]:
    spans = sorted((start, end) for start, end, _ in found)
    apart: list[tuple[int, int]] = []
    for start, end in spans:
        if apart and start <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        else:
            apart.append((start, end))
    return apart


def _plain(text: str) -> str:
    """Reduce a text to its words."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.findall(r"[^\W_]+", folded))
