"""What of an answer is new: without the mail it answers, and without a signature.

Careful rather than clever: where it is not clear that words are quoted they stay, because what is cut off is lost.
"""

from __future__ import annotations

import re

LONGEST = 40_000
_QUOTE_MARK = re.compile(r"^[ \t]*(?:>|\|[ \t])")
_WROTE = re.compile(
    r"(?:wrote|writes|schrieb|schreibt|escribi[oó]|a [eé]crit|ha scritto|escreveu|schreef|napisa[lł]\(?a?\)?|skrev|"
    r"napsal\(?a?\)?|je napisa[lo]/?(?:la)?|kirjoitti|написал\w*|yazdı|写道|書きました|كتب|كتابة)"
)
_BEGINS = re.compile(
    r"^(?:on|am|el|le|il|em|op|dnia|den|dne|dana|ti|pe|в|\d{1,4}[./-]\d{1,2}|"
    r"(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|lun|mar|mi[eé]|jue|vie|s[aá]b|dom)\w*)\b",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(
    r"^[ \t]*(?:-{2,}|_{2,})? ?(?:original message|original-?nachricht|ursprüngliche nachricht|mensaje original|"
    r"message d'origine|messaggio originale|forwarded message|weitergeleitete nachricht|mensaje reenviado|"
    r"reply above this line|oorspronkelijk bericht|izvorna poruka) ?(?:-{2,}|_{2,})?[ \t]*$",
    re.IGNORECASE,
)
_FROM = re.compile(r"^[ \t*]*(?:from|von|de|da|van|od|fra|från|kimden|发件人|من)[ \t]?[:：][ \t*]?", re.IGNORECASE)
_SENT = re.compile(
    r"^[ \t*]*(?:sent|date|gesendet|datum|enviad[oa](?: el| em)?|fecha|envoyé|inviato|data|verzonden|poslano|sendt|"
    r"skickat|gönder\w*|tarih|发送时间|日期|تاريخ الإرسال|التاريخ|to|an|para|à|a|kime|收件人|إلى|"
    r"subject|betreff|asunto|assunto|objet|oggetto|onderwerp|predmet|konu|主题|الموضوع)[ \t]?[:：][ \t*]?",
    re.IGNORECASE,
)
_RULE = re.compile(r"^[ \t]*[_=-]{10,}[ \t]*$")
_SIGNATURE = re.compile(r"^-- ?$")
_DEVICE = re.compile(
    r"^[ \t]*(?:sent from (?:my|mail for|outlook|yahoo|proton|samsung)|get outlook for|gesendet (?:von|mit) |"
    r"von meinem \w+ gesendet|enviado desde (?:mi|el)|envoyé de mon|inviato da|verstuurd vanaf|"
    r"poslano s |发自我的|أرسلت من|diese nachricht wurde von meinem)[^\n]{0,80}$",
    re.IGNORECASE,
)


def new_words(text: str) -> str:
    """Return the words that somebody wrote, without what they quoted and without their signature."""
    lines = [line.rstrip() for line in text[:LONGEST].replace("\xa0", " ").split("\n")]
    kept: list[str] = []
    number = 0
    while number < len(lines):
        line = lines[number]
        after = _after_attribution(lines, number)
        if after:
            if not _is_marked(lines, after):
                break  # what follows is the mail they answer, without a mark before each line
            number = after
            continue
        if _SIGNATURE.match(line) or _SEPARATOR.match(line) or _begins_headers(lines, number):
            break
        if not _QUOTE_MARK.match(line) and not _DEVICE.match(line):
            kept.append(line)
        number += 1
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def _after_attribution(lines: list[str], number: int) -> int:
    """Return the line after "On Monday, Ada wrote:", which programs break over three lines at most; else 0."""
    if not _BEGINS.match(lines[number].lstrip()) and "@" not in lines[number]:
        return 0
    for count in (1, 2, 3):
        joined = " ".join(lines[number : number + count]).strip()[:500]
        if not joined.endswith((":", "：")) or not re.search(r"\d|@", joined):
            continue
        # Where a quoted mail follows, whatever language says who wrote it.
        if _WROTE.search(joined) or ("@" in joined and _is_marked(lines, number + count)):
            return number + count
    return 0


def _is_marked(lines: list[str], number: int) -> bool:
    following = next((line for line in lines[number : number + 4] if line.strip()), "")
    return bool(_QUOTE_MARK.match(following))


def _begins_headers(lines: list[str], number: int) -> bool:
    """Whether the headers of the answered mail begin here, as Outlook writes them, perhaps below a rule."""
    if _RULE.match(lines[number]):
        return any(_FROM.match(line) for line in lines[number + 1 : number + 4])
    if not _FROM.match(lines[number]):
        return False
    return sum(bool(_SENT.match(line)) for line in lines[number + 1 : number + 7]) >= 2
