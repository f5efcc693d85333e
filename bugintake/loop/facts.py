"""What the sentences of a mail rest on: one message, and what there is to say to its reader."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from babel.units import format_unit

from bugintake.core import clock
from bugintake.core.languages import addressed
from bugintake.duty.standing_in import signer
from bugintake.intake.attaching import lacks_fix
from bugintake.intake.models import Report
from bugintake.loop.dates import LOCALES, day_in_words
from bugintake.loop.links import Links
from bugintake.loop.models import Announcement, AnnouncementKind, Message
from bugintake.loop.patience import runs_out_at
from bugintake.team.models import Workspace

LONGEST_WORDS = 160
MADE_UP = {
    "first_name": "Hana",
    "their_words": "The VAT line is missing on the PDF",
    "note": "The VAT line is back on every PDF.",
    "workaround": "Choose Print, then Save as PDF.",
    "version": "4.13.0",
    "version_used": "4.12.1",
    "signer": "Lea",
}


@dataclass(frozen=True)
class Outcome:
    """One message with the links that only its reader gets."""

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


@dataclass(frozen=True)
class Facts:
    """What there is to say to one person, by the names that texts call it by; an empty one is not there.

    `days` is how long it took, and `needs_update` whether they run a version of their own that lacks the fix.
    """

    values: Mapping[str, str]
    days: int = 0
    needs_update: bool = False


def facts_of(message: Message, company: Workspace) -> Facts:
    """Gather what there is to say to the reader of a message, in their language and their zone."""
    announcement, report, customer = message.announcement, message.report, message.customer
    bug, language, used = announcement.bug, message.language, report.version
    zone = customer.zone or company.zone
    days = (announcement.opened_at - report.filed_at).days
    runs_own = customer.account is not None and customer.account.runs_own_version
    values = {
        "first_name": customer.first_name,
        "their_words": own_words(report, language),
        "day_told": day_in_words(report.filed_at, zone, language),
        "note": announcement.notes.get(language, "").strip(),
        "workaround": bug.workarounds.get(language, "").strip(),
        "version": bug.release.label if bug.release is not None else "",
        "version_used": "" if used.is_unsure else used.label,
        "live_since": day_in_words(announcement.opened_at, zone, language),
        "days": days_in_words(days, language) if days > 0 else "",
        "answer_by": _answer_by(announcement, zone, language),
        "signer": _signer(report, announcement),
        "company": company.signature,
    }
    return Facts(values, days, needs_update=runs_own and bug.release is not None and lacks_fix(bug, used))


def example(language: str, company: Workspace) -> Facts:
    """Make up what there is to say, for a page that shows what a text looks like while nobody waits for one."""
    now = clock.now()
    days = {"day_told": now - timedelta(days=12), "live_since": now, "answer_by": now + timedelta(days=7)}
    values = {name: day_in_words(at, company.zone, language) for name, at in days.items()}
    values |= {"days": days_in_words(12, language), "company": company.signature, **MADE_UP}
    return Facts(values)


def own_words(report: Report, language: str, longest: int = LONGEST_WORDS) -> str:
    """Name a problem as its customer would: their own first sentence, else the choices in their language."""
    first = report.actual.strip().split("\n", 1)[0]
    sentence = re.split(r"\. |。", first, maxsplit=1)[0].strip().rstrip(".") or (
        f"{report.area.label_in(language)}: {report.symptom.label_in(language)}"
    )
    return sentence if len(sentence) <= longest else sentence[: longest - 1].rstrip() + "…"


def days_in_words(days: int, language: str) -> str:
    """Count days as a language does: 1 day, 3 days."""
    return format_unit(days, "duration-day", length="long", locale=LOCALES[language])


def _answer_by(announcement: Announcement, zone: str, language: str) -> str:
    """Name the day until which an answer is waited for: a question is asked again once before it is paused."""
    until = announcement.opened_at
    if announcement.kind is AnnouncementKind.ASKED:
        until = runs_out_at(until)
    elif announcement.kind is not AnnouncementKind.REMINDED:
        return ""
    return day_in_words(runs_out_at(until), zone, language)


def _signer(report: Report, announcement: Announcement) -> str:
    """Name the person whom the customer told, or who stands in for them; nobody where nobody of those is there."""
    person = signer(report.filed_by, announcement.sent_by)
    return addressed(person.name, person.language) if person is not None else ""
