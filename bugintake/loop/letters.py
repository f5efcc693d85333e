"""What mails say: outcomes to customers in their language, notices to the team. One function per mail."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import force_locale, gettext, ngettext

from bugintake.core.config import settings
from bugintake.core.languages import addressed
from bugintake.intake.attaching import lacks_fix
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Report
from bugintake.loop.dates import LOCALES, day_in_words
from bugintake.loop.links import Links
from bugintake.loop.mail import Letter, Line, mail_domain
from bugintake.loop.models import QUESTIONS, Announcement, AnnouncementKind, Message
from bugintake.loop.patience import runs_out_at
from bugintake.team.models import User, Workspace

LONGEST_WORDS = 160
LONGEST_IN_SUBJECT = 90


@dataclass(frozen=True)
class Outcome:
    """One message with all that its sentences rest on."""

    message: Message
    links: Links

    @property
    def announcement(self) -> Announcement:
        """What is told."""
        return self.message.announcement

    @property
    def report(self) -> Report:
        """Whose words are answered."""
        return self.message.report

    @property
    def kind(self) -> AnnouncementKind:
        """What is told."""
        return self.announcement.kind

    @property
    def note(self) -> str:
        """What is different now, why nothing will be, what is asked or was wrong, as the team wrote it."""
        return self.announcement.notes.get(self.message.language, "").strip()

    @property
    def workaround(self) -> str:
        """The way round, in the reader's language."""
        return self.announcement.bug.workarounds.get(self.message.language, "").strip()


def languages_worded(announcement: Announcement) -> list[str]:
    """List the languages in which everything that has to be said is written: the note, and a decline's way round.

    A decline whose way round was written, only not in a language, is as unfinished there as one without a note. That
    we have a report is said in our own words.
    """
    notes, ways = announcement.notes, announcement.bug.workarounds
    if announcement.kind is AnnouncementKind.RECEIVED:
        return list(LOCALES)
    if announcement.kind is AnnouncementKind.WORKAROUND:
        notes = ways
    needs_way = announcement.kind is AnnouncementKind.DECLINED and any(text.strip() for text in ways.values())
    worded = [language for language, text in notes.items() if text.strip()]
    return [language for language in worded if not needs_way or ways.get(language, "").strip()]


def own_words(report: Report, language: str, longest: int = LONGEST_WORDS) -> str:
    """Name a problem as its customer would: their own first sentence, else the choices in their language."""
    first = report.actual.strip().split("\n", 1)[0]
    sentence = re.split(r"\. |。", first, maxsplit=1)[0].strip().rstrip(".") or (
        f"{report.area.label_in(language)}: {report.symptom.label_in(language)}"
    )
    return sentence if len(sentence) <= longest else sentence[: longest - 1].rstrip() + "…"


def outcome_letter(outcomes: Sequence[Outcome], workspace: Workspace) -> Letter:
    """Write what became of everything one customer waits for: one mail, however many bugs."""
    return written(outcomes, workspace)[0]


def text_of(outcome: Outcome, workspace: Workspace) -> str:
    """Write what one message says, without its private links: this is what the team reads later."""
    return written([outcome], workspace)[1][0]


def written(outcomes: Sequence[Outcome], workspace: Workspace) -> tuple[Letter, list[str]]:
    """Write a mail, and what each message in it says without its private links."""
    first = outcomes[0]
    customer, language = first.message.customer, first.message.language
    with force_locale(LOCALES[language]):
        sections = [_section(outcome, workspace) for outcome in outcomes]
        thanks = "\n".join([gettext("Thank you,"), *_signature(first, workspace)])
        middle = [line for section in sections for line in section]
        lines = [Line(_greeting(customer)), *middle, Line(thanks), *_small_print(outcomes)]
        subject = _subject(outcomes)
    letter = Letter(
        recipient=customer.email or "",
        recipient_name=customer.name,
        language=language,
        subject=subject,
        lines=tuple(lines),
        thread=tuple(thread_of(outcome.report) for outcome in outcomes),
        unsubscribe_url=first.links.unsubscribe_url,
    )
    return letter, ["\n\n".join(line.text for line in section if not line.url) for section in sections]


def _subject(outcomes: Sequence[Outcome]) -> str:
    first, count = outcomes[0], len(outcomes)
    if count == 1:
        return _subject_of(first, own_words(first.report, first.message.language, LONGEST_IN_SUBJECT))
    if all(outcome.kind is AnnouncementKind.LIVE for outcome in outcomes):
        subject = ngettext("Fixed: %(num)d thing you told us about", "Fixed: %(num)d things you told us about", count)
    else:
        subject = ngettext("About %(num)d thing you told us", "About %(num)d things you told us", count)
    return str(subject)


def _subject_of(outcome: Outcome, words: str) -> str:
    subjects: dict[AnnouncementKind, str] = {
        AnnouncementKind.LIVE: gettext("Fixed: %(words)s", words=words),
        AnnouncementKind.DECLINED: gettext("About “%(words)s”: we are leaving it as it is", words=words),
        AnnouncementKind.ASKED: gettext("One question about “%(words)s”", words=words),
        AnnouncementKind.REMINDED: gettext("Still one question about “%(words)s”", words=words),
        AnnouncementKind.PAUSED: gettext("About “%(words)s”: we have paused it", words=words),
        AnnouncementKind.RECEIVED: gettext("We have your report about “%(words)s”", words=words),
        AnnouncementKind.WORKAROUND: gettext("A way round “%(words)s”", words=words),
        AnnouncementKind.CORRECTION: gettext("A correction about “%(words)s”", words=words),
    }
    return subjects[outcome.kind]


def _section(outcome: Outcome, workspace: Workspace) -> list[Line]:
    zone = outcome.message.customer.zone or workspace.zone
    told_on = day_in_words(outcome.report.filed_at, zone, outcome.message.language)
    personal = outcome.message.personal_line
    lines = [
        *([Line(personal)] if personal else []),
        Line(gettext("On %(day)s you told us:", day=told_on)),
        Line(own_words(outcome.report, outcome.message.language), "quote"),
    ]
    if outcome.kind is AnnouncementKind.LIVE:
        return lines + _live(outcome, zone)
    if outcome.kind in QUESTIONS:
        return lines + _asked(outcome, zone)
    return lines + _SECTIONS[outcome.kind](outcome)


def _live(outcome: Outcome, zone: str) -> list[Line]:
    since, bug = outcome.announcement.opened_at, outcome.announcement.bug
    on = day_in_words(since, zone, outcome.message.language)
    account, used = outcome.message.customer.account, outcome.report.version
    if account is not None and account.runs_own_version and bug.release is not None and lacks_fix(bug, used):
        works = gettext(
            "It has been fixed since %(day)s, in version %(version)s. You told us of it in version %(used)s: it works"
            " for you once you have updated.",
            day=on,
            version=bug.release.label,
            used=used.label,
        )
    elif bug.release is not None:
        works = gettext("It has been fixed since %(day)s, in version %(version)s.", day=on, version=bug.release.label)
    else:
        works = gettext("It has been fixed since %(day)s.", day=on)
    lines = [Line(works), Line(outcome.note)]
    days = (since - outcome.report.filed_at).days
    if days > 0:
        lines.append(Line(ngettext("I am sorry it took us %(num)d day.", "I am sorry it took us %(num)d days.", days)))
    ask = gettext("Does it work for you now? Tell us, and see where your report stands:")
    return [*lines, Line(ask, url=outcome.links.report_url)]


def _declined(outcome: Outcome) -> list[Line]:
    decision = gettext(
        "We looked into it and decided not to change it, and we would rather tell you than leave you waiting."
    )
    if outcome.workaround:
        instead = gettext("What you can do instead: %(workaround)s", workaround=outcome.workaround)
    else:
        instead = gettext("There is no good way round it today, and I am sorry about that.")
    more = gettext("If this stops your work in a way we have not understood, tell us here:")
    return [
        Line(decision),
        Line(gettext("The reason: %(reason)s", reason=outcome.note)),
        Line(instead),
        Line(more, url=outcome.links.report_url),
    ]


def _received(outcome: Outcome) -> list[Line]:
    lines = [Line(gettext("Thank you for telling us. We have written it down, and we will write to you how it ends."))]
    if outcome.workaround:
        lines.append(Line(gettext("Until then: %(workaround)s", workaround=outcome.workaround)))
    return [*lines, Line(gettext("See where your report stands, or add something:"), url=outcome.links.report_url)]


def _way_round(outcome: Outcome) -> list[Line]:
    return [
        Line(gettext("It is not fixed yet, but until then there is a way round it:")),
        Line(outcome.workaround, "quote"),
        Line(
            gettext("We will write to you again when we know how it ends. See where your report stands:"),
            url=outcome.links.report_url,
        ),
    ]


def _correction(outcome: Outcome) -> list[Line]:
    return [
        Line(gettext("What we last wrote to you about this was not right, and I am sorry.")),
        Line(outcome.note),
        Line(
            gettext("You need not tell us again: we will write to you how it ends. See where your report stands:"),
            url=outcome.links.report_url,
        ),
    ]


def _asked(outcome: Outcome, zone: str) -> list[Line]:
    question = Line(outcome.note, "quote")
    if outcome.kind is AnnouncementKind.PAUSED:
        paused = gettext("We have not heard from you, so we have paused it. We still would like to know:")
        again = gettext("Your answer starts it again at any time:")
        return [Line(paused), question, Line(again, url=outcome.links.report_url)]
    if outcome.kind is AnnouncementKind.REMINDED:
        need = gettext("We are still missing one thing from you:")
        until = runs_out_at(outcome.announcement.opened_at)
    else:
        need = gettext("We looked into it, and need one thing from you:")
        until = runs_out_at(runs_out_at(outcome.announcement.opened_at))
    few = gettext("A few words are enough. Answer here:")
    otherwise = gettext(
        "If we do not hear from you by %(day)s, we pause it, and your answer starts it again at any time.",
        day=day_in_words(until, zone, outcome.message.language),
    )
    return [Line(need), question, Line(few, url=outcome.links.report_url), Line(otherwise)]


_SECTIONS = {
    AnnouncementKind.DECLINED: _declined,
    AnnouncementKind.RECEIVED: _received,
    AnnouncementKind.WORKAROUND: _way_round,
    AnnouncementKind.CORRECTION: _correction,
}


def _small_print(outcomes: Sequence[Outcome]) -> list[Line]:
    refs = ", ".join(outcome.announcement.bug.ref for outcome in outcomes)
    lines = [Line(gettext("You can also simply answer this mail."), "small")] if settings().reads_mail else []
    lines.append(Line(gettext("%(refs)s. You get this mail because you told us about it.", refs=refs), "small"))
    for outcome in outcomes:
        stop = gettext("No more mail about %(ref)s:", ref=outcome.announcement.bug.ref)
        lines.append(Line(stop, "small", outcome.links.unsubscribe_url))
    return lines


def _signature(outcome: Outcome, workspace: Workspace) -> list[str]:
    """Sign as the person whom the customer told, else as whoever sent it, else as the company alone."""
    people: list[User | None] = [outcome.report.filed_by, outcome.announcement.sent_by]
    names = [addressed(each.name, each.language) for each in people if each is not None and each.is_active]
    return [*names[:1], workspace.signature]


def _greeting(customer: Customer) -> str:
    first = customer.first_name
    return str(gettext("Hello %(name)s,", name=first) if first else gettext("Hello,"))


def thread_of(report: Report) -> str:
    """Name the thread that all mail about one report belongs to."""
    return f"<report-{report.id}@{mail_domain()}>"
