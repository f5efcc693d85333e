"""Our own words: what a mail to customers says where the company wrote no text of its own.

Each sentence takes its facts from one mapping, so that placeholders in place of them make a text to begin with.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from flask_babel import force_locale, gettext, ngettext

from bugintake.loop.dates import LOCALES
from bugintake.loop.facts import Facts
from bugintake.loop.mail import Line
from bugintake.loop.models import AnnouncementKind
from bugintake.loop.text_models import TextKind

_ISOLATES = re.compile("[\u2068\u2069]")


def opening(facts: Facts) -> list[Line]:
    """Greet a reader, by name where there is one."""
    name = facts.values["first_name"]
    return [Line(gettext("Hello %(name)s,", name=name) if name else gettext("Hello,"))]


def closing(facts: Facts) -> list[Line]:
    """Sign as a person of the company, else as the company alone."""
    names = [facts.values["signer"], facts.values["company"]]
    return [Line("\n".join([gettext("Thank you,"), *filter(None, names)]))]


def subject(kind: AnnouncementKind, words: str) -> str:
    """Say in a line what a mail about one report is about."""
    return str(_SUBJECTS[kind](words))


def section(kind: AnnouncementKind, facts: Facts, link: str) -> list[Line]:
    """Say what became of one report; one of the paragraphs leads to it."""
    told = gettext("On %(day)s you told us:", day=facts.values["day_told"])
    return [Line(told), Line(facts.values["their_words"], "quote"), *_SECTIONS[kind](facts, link)]


def as_text(kind: TextKind, language: str) -> dict[str, str]:
    """Write our own words as a text to begin with: its subject and its body, with placeholders for the facts."""
    with force_locale(LOCALES[language]):
        values = {name: f"{{{{ {name} }}}}" for name in _NAMED}
        values |= {"signer": "{{ signer | }}", "workaround": f"{{{{ workaround | {_no_way()} }}}}"}
        if kind is TextKind.RECEIVED:
            values["workaround"] = ""
        elif kind is TextKind.WORKAROUND:
            values["workaround"] = "{{ workaround }}"
        facts = Facts(values)
        if kind is TextKind.OPENING:
            line, lines = "", opening(facts)
        elif kind is TextKind.CLOSING:
            line, lines = "", closing(facts)
        else:
            told = AnnouncementKind(kind)
            line, lines = subject(told, values["their_words"]), section(told, facts, "…")
    body = "\n\n".join(line.text for line in lines if not line.url)
    return {"subject": _ISOLATES.sub("", line), "body": _ISOLATES.sub("", body)}


def _live(facts: Facts, link: str) -> list[Line]:
    values = facts.values
    on, version = values["live_since"], values["version"]
    if facts.needs_update:
        works = gettext(
            "It has been fixed since %(day)s, in version %(version)s. You told us of it in version %(used)s: it works"
            " for you once you have updated.",
            day=on,
            version=version,
            used=values["version_used"],
        )
    elif version:
        works = gettext("It has been fixed since %(day)s, in version %(version)s.", day=on, version=version)
    else:
        works = gettext("It has been fixed since %(day)s.", day=on)
    lines = [Line(works), Line(values["note"])]
    if facts.days > 0:
        sorry = ngettext("I am sorry it took us %(num)d day.", "I am sorry it took us %(num)d days.", facts.days)
        lines.append(Line(sorry))
    return [*lines, Line(gettext("Does it work for you now? Tell us, and see where your report stands:"), url=link)]


def _declined(facts: Facts, link: str) -> list[Line]:
    decision = gettext(
        "We looked into it and decided not to change it, and we would rather tell you than leave you waiting."
    )
    way = facts.values["workaround"]
    instead = gettext("What you can do instead: %(workaround)s", workaround=way) if way else _no_way()
    more = gettext("If this stops your work in a way we have not understood, tell us here:")
    reason = gettext("The reason: %(reason)s", reason=facts.values["note"])
    return [Line(decision), Line(reason), Line(instead), Line(more, url=link)]


def _no_way() -> str:
    return str(gettext("There is no good way round it today, and I am sorry about that."))


def _received(facts: Facts, link: str) -> list[Line]:
    lines = [Line(gettext("Thank you for telling us. We have written it down, and we will write to you how it ends."))]
    if facts.values["workaround"]:
        lines.append(Line(gettext("Until then: %(workaround)s", workaround=facts.values["workaround"])))
    return [*lines, Line(gettext("See where your report stands, or add something:"), url=link)]


def _way_round(facts: Facts, link: str) -> list[Line]:
    until_then = gettext("It is not fixed yet, but until then there is a way round it:")
    again = gettext("We will write to you again when we know how it ends. See where your report stands:")
    return [Line(until_then), Line(facts.values["workaround"], "quote"), Line(again, url=link)]


def _correction(facts: Facts, link: str) -> list[Line]:
    sorry = gettext("What we last wrote to you about this was not right, and I am sorry.")
    again = gettext("You need not tell us again: we will write to you how it ends. See where your report stands:")
    return [Line(sorry), Line(facts.values["note"]), Line(again, url=link)]


def _asked(facts: Facts, link: str) -> list[Line]:
    return _question(gettext("We looked into it, and need one thing from you:"), facts, link)


def _reminded(facts: Facts, link: str) -> list[Line]:
    return _question(gettext("We are still missing one thing from you:"), facts, link)


def _question(need: str, facts: Facts, link: str) -> list[Line]:
    few = gettext("A few words are enough. Answer here:")
    otherwise = gettext(
        "If we do not hear from you by %(day)s, we pause it, and your answer starts it again at any time.",
        day=facts.values["answer_by"],
    )
    return [Line(need), Line(facts.values["note"], "quote"), Line(few, url=link), Line(otherwise)]


def _paused(facts: Facts, link: str) -> list[Line]:
    paused = gettext("We have not heard from you, so we have paused it. We still would like to know:")
    again = gettext("Your answer starts it again at any time:")
    return [Line(paused), Line(facts.values["note"], "quote"), Line(again, url=link)]


_NAMED = (
    *("first_name", "company", "their_words", "day_told", "note"),
    *("version", "version_used", "live_since", "answer_by"),
)
_SECTIONS = {
    AnnouncementKind.LIVE: _live,
    AnnouncementKind.DECLINED: _declined,
    AnnouncementKind.ASKED: _asked,
    AnnouncementKind.REMINDED: _reminded,
    AnnouncementKind.PAUSED: _paused,
    AnnouncementKind.RECEIVED: _received,
    AnnouncementKind.WORKAROUND: _way_round,
    AnnouncementKind.CORRECTION: _correction,
}
_SUBJECTS: Mapping[AnnouncementKind, Callable[[str], str]] = {
    AnnouncementKind.LIVE: lambda words: gettext("Fixed: %(words)s", words=words),
    AnnouncementKind.DECLINED: lambda words: gettext("About “%(words)s”: we are leaving it as it is", words=words),
    AnnouncementKind.ASKED: lambda words: gettext("One question about “%(words)s”", words=words),
    AnnouncementKind.REMINDED: lambda words: gettext("Still one question about “%(words)s”", words=words),
    AnnouncementKind.PAUSED: lambda words: gettext("About “%(words)s”: we have paused it", words=words),
    AnnouncementKind.RECEIVED: lambda words: gettext("We have your report about “%(words)s”", words=words),
    AnnouncementKind.WORKAROUND: lambda words: gettext("A way round “%(words)s”", words=words),
    AnnouncementKind.CORRECTION: lambda words: gettext("A correction about “%(words)s”", words=words),
}
