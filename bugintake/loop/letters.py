"""What mails to customers say: the texts that the company wrote, else our own words. One mail, however many bugs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flask_babel import force_locale, gettext, ngettext

from bugintake.core.config import settings
from bugintake.core.languages import direction
from bugintake.intake.models import Report
from bugintake.loop import placeholders, shipped
from bugintake.loop.dates import LOCALES
from bugintake.loop.facts import Facts, Outcome, example, facts_of, own_words
from bugintake.loop.mail import Letter, Line, mail_domain
from bugintake.loop.models import QUESTIONS, Announcement, AnnouncementKind
from bugintake.loop.text_models import TextKind
from bugintake.loop.texts import Texts, in_force
from bugintake.team.models import Workspace

LONGEST_IN_SUBJECT = 90


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


def outcome_letter(outcomes: Sequence[Outcome], company: Workspace, texts: Texts | None = None) -> Letter:
    """Write what became of everything one customer waits for, with the texts in force or those given."""
    return written(outcomes, company, texts)[0]


def text_of(outcome: Outcome, company: Workspace) -> str:
    """Write what one message says, without its private links: this is what the team reads later."""
    return written([outcome], company)[1][0]


def written(outcomes: Sequence[Outcome], company: Workspace, texts: Texts | None = None) -> tuple[Letter, list[str]]:
    """Write a mail, and what each message in it says without its private links."""
    first, texts = outcomes[0], in_force() if texts is None else texts
    customer, language = first.message.customer, first.message.language
    facts = [facts_of(outcome.message, company) for outcome in outcomes]
    with force_locale(LOCALES[language]):
        sections = [
            [*_personal(each), *section(each.kind, each.message.language, known, each.links.report_url, texts)]
            for each, known in zip(outcomes, facts, strict=True)
        ]
        middle = [line for lines in sections for line in lines]
        around = beginning(language, facts[0], texts), end(language, facts[0], texts)
        lines = [*around[0], *middle, *around[1], *_small_print(outcomes)]
        subject = _subject(outcomes, facts[0], texts)
    letter = Letter(
        recipient=customer.email or "",
        recipient_name=customer.name,
        language=language,
        subject=subject,
        lines=tuple(lines),
        thread=tuple(thread_of(outcome.report) for outcome in outcomes),
        unsubscribe_url=first.links.unsubscribe_url,
    )
    return letter, ["\n\n".join(line.text for line in lines if not line.url) for lines in sections]


def made_up(kind: AnnouncementKind, language: str, company: Workspace, texts: Texts) -> Letter:
    """Write a mail to nobody, to show what a text looks like while nobody waits for one."""
    facts = example(language, company)
    with force_locale(LOCALES[language]):
        middle = section(kind, language, facts, "…", texts)
        lines = (*beginning(language, facts, texts), *middle, *end(language, facts, texts))
        return Letter("", facts.values["first_name"], language, subject_of(kind, language, facts, texts), lines)


def beginning(language: str, facts: Facts, texts: Texts) -> list[Line]:
    """Greet the reader. Needs the language to be in force, as all of these."""
    text = texts.get((TextKind.OPENING, language))
    return _lines(text.body, facts, language) if text else shipped.opening(facts)


def section(kind: AnnouncementKind, language: str, facts: Facts, link: str, texts: Texts) -> list[Line]:
    """Say what became of one report. The link to it, and what stands before that, is ours in every text."""
    ours, text = shipped.section(kind, facts, link), texts.get((TextKind(kind), language))
    if text is None:
        return ours
    return [*_lines(text.body, facts, language, kind), *(line for line in ours if line.url)]


def end(language: str, facts: Facts, texts: Texts) -> list[Line]:
    """Sign."""
    text = texts.get((TextKind.CLOSING, language))
    return _lines(text.body, facts, language) if text else shipped.closing(facts)


def subject_of(kind: AnnouncementKind, language: str, facts: Facts, texts: Texts) -> str:
    """Say what a mail about one report is about."""
    text = texts.get((TextKind(kind), language))
    said = placeholders.fill(text.subject, facts.values) if text else ""
    return " ".join(said.split()) or shipped.subject(kind, facts.values["their_words"])


def _personal(outcome: Outcome) -> list[Line]:
    line = outcome.message.personal_line
    return [Line(line)] if line else []


def _subject(outcomes: Sequence[Outcome], facts: Facts, texts: Texts) -> str:
    first, count = outcomes[0], len(outcomes)
    if count == 1:
        words = own_words(first.report, first.message.language, LONGEST_IN_SUBJECT)
        brief = replace(facts, values={**facts.values, "their_words": words})
        return subject_of(first.kind, first.message.language, brief, texts)
    if all(outcome.kind is AnnouncementKind.LIVE for outcome in outcomes):
        subject = ngettext("Fixed: %(num)d thing you told us about", "Fixed: %(num)d things you told us about", count)
    else:
        subject = ngettext("About %(num)d thing you told us", "About %(num)d things you told us", count)
    return str(subject)


def _lines(body: str, facts: Facts, language: str, kind: AnnouncementKind | None = None) -> list[Line]:
    """Fill a text paragraph by paragraph; one that is somebody's own words alone is set apart as such."""
    around = "\u2068{}\u2069" if direction(language) == "rtl" else "{}"
    lines = []
    for paragraph in placeholders.paragraphs(body):
        name = placeholders.alone(paragraph)
        said = placeholders.fill(paragraph, facts.values, "{}" if name else around)
        if said:
            lines.append(Line(said, "quote" if _is_quoted(name, kind) else "words"))
    return lines


def _is_quoted(name: str, kind: AnnouncementKind | None) -> bool:
    if name == "note":
        return kind in QUESTIONS
    return name == "their_words" or (name == "workaround" and kind is AnnouncementKind.WORKAROUND)


def _small_print(outcomes: Sequence[Outcome]) -> list[Line]:
    refs = ", ".join(outcome.announcement.bug.ref for outcome in outcomes)
    lines = [Line(gettext("You can also simply answer this mail."), "small")] if settings().reads_mail else []
    lines.append(Line(gettext("%(refs)s. You get this mail because you told us about it.", refs=refs), "small"))
    for outcome in outcomes:
        stop = gettext("No more mail about %(ref)s:", ref=outcome.announcement.bug.ref)
        lines.append(Line(stop, "small", outcome.links.unsubscribe_url))
    return lines


def thread_of(report: Report) -> str:
    """Name the thread that all mail about one report belongs to."""
    return f"<report-{report.id}@{mail_domain()}>"
