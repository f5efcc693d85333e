"""How far a report has come, told to its customer: every sentence rests on something that was written down."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from babel.numbers import format_decimal
from flask_babel import gettext, ngettext

from bugintake.core.db import db
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.languages import sentences
from bugintake.core.security import mask_address
from bugintake.intake.models import Bug, Report, Status
from bugintake.intake.reports import canonical
from bugintake.loop import announcements, dates
from bugintake.loop.models import Announcement, Message, MessageState
from bugintake.team.models import LANGUAGES, OWN_NAMES
from bugintake.team.workspace import workspace

LOOKED = (EventKind.BUG_ACCEPTED, EventKind.BUG_STARTED, EventKind.BUG_FIXED, EventKind.BUG_DECLINED)


class Reached(enum.StrEnum):
    """Where a step is."""

    DONE = "done"
    NOW = "now"
    LATER = "later"
    NO = "no"


@dataclass(frozen=True)
class Step:
    """One step of four, in the customer's language."""

    reached: Reached
    title: str
    detail: str = ""


@dataclass(frozen=True)
class Progress:
    """A report as its customer sees it: their own words, where it stands, and what we have to say."""

    report: Report
    bug: Bug
    language: str
    announcement: Announcement | None
    message: Message | None
    moments: Mapping[EventKind, datetime]

    @property
    def is_declined(self) -> bool:
        """Whether we leave it as it is."""
        return self.bug.status == Status.DECLINED

    @property
    def is_live(self) -> bool:
        """Whether it has been put right."""
        return self.bug.status == Status.LIVE

    @property
    def note(self) -> str:
        """What is different now, or why nothing will be, where somebody wrote it in this language."""
        return self._in_language(self.announcement.notes if self.announcement else self.bug.customer_notes)

    @property
    def workaround(self) -> str:
        """The way round, where somebody wrote it in this language."""
        return self._in_language(self.bug.workarounds)

    @property
    def reason(self) -> str:
        """The reason's name, where the catalogue has it in this language."""
        reason = self.bug.decline_reason
        if reason is None:
            return ""
        return reason.labels.get(self.language) or (reason.label if self.language == workspace().language else "")

    @property
    def note_languages(self) -> list[str]:
        """The languages in which there is a note, for somebody who reads another."""
        notes = self.announcement.notes if self.announcement else self.bug.customer_notes
        return [language for language in LANGUAGES if notes.get(language, "").strip()]

    def _in_language(self, texts: Mapping[str, str]) -> str:
        return texts.get(self.language, "").strip()

    def steps(self) -> list[Step]:
        """Tell the way of the report in at most four steps. Needs the language to be in force."""
        received = Step(Reached.DONE, gettext("We have your report"), self._moment(self.report.filed_at))
        if self.is_declined:
            left = Step(Reached.NO, gettext("We are leaving it as it is"), self._moment(self.bug.status_since_at))
            return [received, *([self._seen()] if self._was_seen else []), left]
        return [received, self._seen(), self._work(), self._told()]

    @property
    def _was_seen(self) -> bool:
        return self.bug.reproduced_at is not None

    def _seen(self) -> Step:
        if self.bug.reproduced_at is not None:
            return Step(Reached.DONE, gettext("We saw it happen too"), self._moment(self.bug.reproduced_at))
        looked = [self.moments[kind] for kind in LOOKED if kind in self.moments]
        if self.bug.status == Status.NEEDS_INFO:
            since = gettext("Since %(day)s.", day=self._day(self.bug.status_since_at))
            return Step(Reached.NOW, gettext("We are finding out more"), since)
        if looked:
            return Step(Reached.DONE, gettext("We looked into it"), self._moment(min(looked)))
        return Step(Reached.LATER, gettext("We look into it"), self._others())

    def _work(self) -> Step:
        since = self._day(self.bug.status_since_at)
        if self.bug.status == Status.ACCEPTED:
            again = self.bug.came_back_at is not None
            title = gettext("It came back, and we are going to fix it") if again else gettext("We are going to fix it")
            return Step(Reached.NOW, title, self._and_others(gettext("Decided on %(day)s.", day=since)))
        if self.bug.status == Status.IN_PROGRESS:
            started = gettext("Started on %(day)s.", day=since)
            return Step(Reached.NOW, gettext("We are fixing it"), self._and_others(started))
        if self.bug.status == Status.FIXED:
            return Step(Reached.NOW, gettext("The fix is ready"), self._reaches())
        if self.is_live:
            fixed = self.moments.get(EventKind.BUG_FIXED, self.bug.status_since_at)
            return Step(Reached.DONE, gettext("We fixed it"), self._moment(fixed))
        return Step(Reached.LATER, gettext("We decide what to do about it"))

    def _reaches(self) -> str:
        if self.bug.release is None:
            return self._and_others("")
        return self._and_others(gettext("It reaches you with version %(label)s.", label=self.bug.release.label))

    def _told(self) -> Step:
        if self.is_live:
            return Step(Reached.DONE, gettext("It works for everyone"), self._live_and_told())
        decided = self.bug.status in (Status.ACCEPTED, Status.IN_PROGRESS, Status.FIXED)
        address, customer = self.report.customer.email if self.report.customer else None, self.report.customer
        if self.report.unsubscribed_at is not None:
            title = gettext("Fixed") if decided else gettext("The outcome")
            return Step(Reached.LATER, title, gettext("You asked for no mail about it: look here from time to time."))
        if address is None or customer is None:
            return Step(Reached.LATER, gettext("Fixed, and we tell you") if decided else gettext("We tell you"))
        title = gettext("Fixed, and we write to you") if decided else gettext("We write to you")
        language = OWN_NAMES[customer.language]
        to = gettext("%(language)s, to %(address)s", language=language, address=mask_address(address))
        return Step(Reached.LATER, title, to)

    def _live_and_told(self) -> str:
        since, release = self._day(self.bug.status_since_at), self.bug.release
        if release is not None:
            live = gettext("Since %(day)s, in version %(label)s.", day=since, label=release.label)
        else:
            live = gettext("Since %(day)s.", day=since)
        if self.message is not None and self.message.state is MessageState.SENT:
            wrote = gettext("We wrote to you on %(day)s.", day=self._day(self.message.state_at))
            return sentences(self.language, live, wrote)
        return str(live)

    def _and_others(self, sentence: str) -> str:
        return sentences(self.language, sentence, self._others())

    def _others(self) -> str:
        count = self.bug.waiting_count
        if self.bug.is_restricted or not self.report.is_waiting or count < 2:
            return ""
        number = format_decimal(count, locale=dates.LOCALES[self.language])
        said = ngettext(
            "You are one of %(people)s person waiting.",
            "You are one of %(people)s people waiting.",
            count,
            people=number,
        )
        return str(said)

    def _moment(self, at: datetime) -> str:
        return dates.moment(at, self._zone(), self.language)

    def _day(self, at: datetime) -> str:
        return dates.weekday(at, self._zone(), self.language)

    def _zone(self) -> str:
        return (self.report.customer.zone if self.report.customer else None) or workspace().zone


def progress_of(report: Report, language: str) -> Progress:
    """Read everything that a customer's page tells about their report."""
    bug = canonical(report.bug)
    announcement = announcements.current(bug) if bug.status in (Status.LIVE, Status.DECLINED) else None
    message = None
    if announcement is not None:
        of_it = (Message.announcement_id == announcement.id, Message.customer_id == report.customer_id)
        message = db.session.scalar(sa.select(Message).where(*of_it))
    happened = sa.select(Event.kind, sa.func.max(Event.at)).where(Event.bug_id == bug.id, Event.kind.in_(LOOKED))
    moments = dict(db.session.execute(happened.group_by(Event.kind)).all())
    return Progress(report, bug, language, announcement, message, moments)
