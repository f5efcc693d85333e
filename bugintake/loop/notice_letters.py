"""What mails to the team say, written when they leave, so that they say what is true then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from babel.dates import format_date
from flask_babel import force_locale, gettext, ngettext

from bugintake.core import clock
from bugintake.core.config import settings
from bugintake.core.db import db
from bugintake.duty.gaps import coming_gaps
from bugintake.duty.plans import PlannedShift
from bugintake.duty.reminders import Reminder, coming_reminders
from bugintake.intake import form_use
from bugintake.intake.models import Bug, Question, Status
from bugintake.intake.queries import is_visible
from bugintake.loop.letters import LOCALES
from bugintake.loop.mail import Letter, Line
from bugintake.loop.models import Delivery, DeliveryKind
from bugintake.team import people
from bugintake.team.models import Role, User
from bugintake.team.workspace import working_hours
from bugintake.triage import overlooked
from bugintake.triage.comment_models import Comment
from bugintake.triage.overlooked import Lack
from bugintake.triage.queue import queue

REFS_SHOWN = 5


def letter_of(delivery: Delivery) -> Letter | None:
    """Write a notice, or nothing where it is no longer true."""
    user = db.session.get_one(User, delivery.user_id)
    if not user.is_active:
        return None
    with force_locale(LOCALES.get(user.language, "en_GB")):
        written = WRITERS[delivery.kind](delivery, user)
        hello = Line(gettext("Hello %(name)s,", name=user.first_name))
    if written is None:
        return None
    subject, lines = written
    return Letter(user.email, user.name, user.language, subject, (hello, *lines))


Written = tuple[str, list[Line]]


def _password_reset(_delivery: Delivery, user: User) -> Written:
    url = people.new_reset_link(user)
    return gettext("Choose a new password"), [
        Line(gettext("somebody, probably you, asked for a new password for this address. Choose one here:"), url=url),
        Line(gettext("The link works once, for two hours. If it was not you, do nothing: your password stays.")),
    ]


def _test(_delivery: Delivery, _user: User) -> Written:
    return gettext("Mail works"), [Line(gettext("this is the test you asked for: mail from bugintake reaches you."))]


def _duty_reminder(delivery: Delivery, user: User) -> Written | None:
    found = [reminder for reminder in coming_reminders(clock.now()) if reminder.key == delivery.key]
    if not found or found[0].person.id != user.id:
        return None
    reminder = found[0]
    day, hours = _day(reminder.shift, user), _hours(reminder.shift)
    is_tomorrow = reminder.shift.on == clock.now().astimezone(reminder.zone).date() + timedelta(days=1)
    if is_tomorrow:
        subject = gettext("You're on bug duty tomorrow, %(day)s, %(hours)s", day=day, hours=hours)
    else:
        subject = gettext("You're on bug duty on %(day)s, %(hours)s", day=day, hours=hours)
    return subject, _duty_lines(reminder, user)


def _duty_gap(delivery: Delivery, user: User) -> Written | None:
    """Say when nobody is on duty, while it is so."""
    gap = next((gap for gap in coming_gaps(clock.now()) if f"{gap.key}:{user.id}" == delivery.key), None)
    if gap is None:
        return None
    slots = [f"{_day(slot, user)}, {_hours(slot)}" for slot in gap.slots]
    words = gettext("nobody in %(rotation)s is there on these days, so nobody is on duty:", rotation=gap.rotation)
    more = [gettext("%(count)d more", count=len(slots) - REFS_SHOWN)] if len(slots) > REFS_SHOWN else []
    zone = gettext("Times are %(zone)s.", zone=str(gap.slots[0].zone))
    lines = [Line(words), *(Line(slot) for slot in slots[:REFS_SHOWN]), *(Line(said) for said in more)]
    asked = Line(gettext("Find somebody, or take it yourself:"), url=f"{settings().base_url}/duty/schedule")
    return gettext("Nobody is on bug duty on %(day)s", day=_day(gap.slots[0], user)), [*lines, asked, Line(zone)]


def _duty_lines(reminder: Reminder, user: User) -> list[Line]:
    zone = gettext("Times are %(zone)s.", zone=str(reminder.zone))
    if reminder.previous is not None:
        takes_over = gettext("you take over from %(name)s.", name=reminder.previous.first_name)
    else:
        takes_over = gettext("it is your turn.")
    _, count = queue(user)
    waiting = ngettext(
        "Right now there is %(num)d bug to look at.", "Right now there are %(num)d bugs to look at.", count
    )
    lines = [Line(f"{takes_over} {waiting}")]
    lines.append(Line(gettext("Cannot do it? See the schedule:"), url=f"{settings().base_url}/duty/schedule"))
    if reminder.next_shifts:
        days = ", ".join(_day(shift, user) for shift in reminder.next_shifts)
        zone = f"{gettext('Your next days after that: %(days)s.', days=days)} {zone}"
    return [*lines, Line(zone)]


def _mention(delivery: Delivery, user: User) -> Written | None:
    """Say where somebody is mentioned; of a restricted bug nothing but its number leaves the house."""
    comment = db.session.get_one(Comment, delivery.params["comment"])
    if user.id not in comment.mentioned or not is_visible(comment.bug, user):
        return None
    ref = comment.bug.ref
    if comment.bug.is_restricted:
        lines = [Line(gettext("you are mentioned in a comment. The bug is restricted: sign in to read it."))]
        return gettext("You are mentioned on %(ref)s", ref=ref), lines
    name, url = comment.author.first_name, f"{settings().base_url}/bugs/{ref}#comment-{comment.id}"
    lines = [Line(gettext("%(name)s mentions you in a comment:", name=name), url=url)]
    return gettext("%(name)s mentions you on %(ref)s", name=name, ref=ref), lines


def _question(delivery: Delivery, user: User) -> Written | None:
    """Ask whoever filed a report; nothing once it is answered. Of a restricted bug nothing but its number leaves."""
    question = db.session.get(Question, delivery.params["question"])
    if question is None or question.answered_at is not None:
        return None
    bug = db.session.get_one(Bug, question.report.bug.canonical_id)
    if bug.status is not Status.NEEDS_INFO or not is_visible(bug, user):
        return None
    is_again = delivery.key.endswith(":again")
    subject = (
        gettext("Still one question about %(ref)s", ref=bug.ref)
        if is_again
        else gettext("One question about %(ref)s", ref=bug.ref)
    )
    url = f"{settings().base_url}/bugs/{bug.ref}#question-h"
    if bug.is_restricted:
        return subject, [Line(gettext("somebody has a question. The bug is restricted: sign in to read it."), url=url)]
    name, customer = question.asked_by.first_name, question.report.customer
    if customer is None:
        asks = gettext("%(name)s has a question about %(title)s:", name=name, title=bug.title)
    else:
        asks = gettext(
            "%(name)s has a question about what %(customer)s told you, %(title)s:",
            name=name,
            customer=customer.full_name,
            title=bug.title,
        )
    return subject, [Line(asks), Line(question.text, "quote"), Line(gettext("Answer here:"), url=url)]


def _paused(delivery: Delivery, user: User) -> Written | None:
    """Say that a bug is paused, while it is; of a restricted one nothing but its number leaves the house."""
    question = db.session.get_one(Question, delivery.params["question"])
    bug = db.session.get_one(Bug, question.report.bug.canonical_id)
    if bug.paused_at is None or not is_visible(bug, user):
        return None
    subject, url = gettext("%(ref)s is paused: nobody answered", ref=bug.ref), f"{settings().base_url}/bugs/{bug.ref}"
    words = gettext("nobody has answered within six working days. Any answer starts it again.")
    if bug.is_restricted:
        return subject, [Line(words, url=url)]
    return subject, [Line(words), Line(question.text, "quote"), Line(gettext("The bug:"), url=url)]


def _worse(delivery: Delivery, user: User) -> Written | None:
    """Name a duplicate that is worse, while it is one; of a restricted bug nothing but its number leaves the house."""
    part = db.session.get_one(Bug, delivery.params["part"])
    bug = db.session.get_one(Bug, part.canonical_id)
    if part is bug or part.impact_rank >= bug.impact_rank or not is_visible(bug, user):
        return None
    subject, url = gettext("A worse duplicate of %(ref)s", ref=bug.ref), f"{settings().base_url}/bugs/{bug.ref}"
    if bug.is_restricted:
        return subject, [Line(gettext("something worse became a part of it. It is restricted: sign in."), url=url)]
    words = gettext(
        "%(part)s became a part of %(ref)s and is worse: %(worse)s, not %(better)s. If so, correct how bad %(ref)s is:",
        part=part.ref,
        ref=bug.ref,
        worse=part.impact.label,
        better=bug.impact.label,
    )
    return subject, [Line(words, url=url)]


def _overlooked(delivery: Delivery, user: User) -> Written | None:
    """List what is overlooked by number alone, so that nothing of a restricted bug leaves the house."""
    today = clock.now().astimezone(working_hours().zone).date().isoformat()
    counts = overlooked.counted(user)
    decisions = _decisions()
    is_due = delivery.key == f"overlooked:{today}:{user.id}" and user.can(Role.LEAD)
    if not is_due or not (counts.total or decisions):
        return None
    heads = {
        Lack.OWNER: ngettext("%(num)d bug that nobody has", "%(num)d bugs that nobody has", counts.by_lack[Lack.OWNER]),
        Lack.LOOK: ngettext(
            "%(num)d new bug past its deadline", "%(num)d new bugs past their deadline", counts.by_lack[Lack.LOOK]
        ),
        Lack.ANSWER: ngettext(
            "%(num)d bug with somebody who has waited for more than two weeks",
            "%(num)d bugs with somebody who has waited for more than two weeks",
            counts.by_lack[Lack.ANSWER],
        ),
    }
    lines = [
        Line(f"{heads[lack]}: {_refs(lack, user, count)}", url=f"{settings().base_url}/overlooked?list={lack}")
        for lack, count in counts.by_lack.items()
        if count
    ]
    subject = ngettext("%(num)d bug is overlooked", "%(num)d bugs are overlooked", counts.total)
    return subject if counts.total else gettext("The form waits for you"), lines + decisions


def _decisions() -> list[Line]:
    """List what waits for a lead in the catalogue."""
    found, catalogue = form_use.to_decide(), f"{settings().base_url}/admin/catalogue"
    words = ngettext(
        "%(num)d word that agents proposed waits for a decision",
        "%(num)d words that agents proposed wait for a decision",
        found.words,
    )
    lists = ngettext(
        "%(num)d thing that engineers had to ask for again and again",
        "%(num)d things that engineers had to ask for again and again",
        found.lists,
    )
    lines = [(found.words, words, "proposals"), (found.lists, lists, "use")]
    return [Line(f"{said}:", url=f"{catalogue}/{page}") for count, said, page in lines if count]


def _refs(lack: Lack, user: User, count: int) -> str:
    refs = [card.ref for card in overlooked.listed(lack, user, start=0)[:REFS_SHOWN]]
    more = [gettext("%(count)d more", count=count - len(refs))] if count > len(refs) else []
    return ", ".join([*refs, *more])


def _day(shift: PlannedShift, user: User) -> str:
    return format_date(shift.on, "EEE d MMM", locale=LOCALES.get(user.language, "en_GB"))


def _hours(shift: PlannedShift) -> str:
    return f"{shift.start:%H:%M}–{shift.end:%H:%M}"


WRITERS: dict[DeliveryKind, Callable[[Delivery, User], Written | None]] = {
    DeliveryKind.PASSWORD_RESET: _password_reset,
    DeliveryKind.DUTY_REMINDER: _duty_reminder,
    DeliveryKind.DUTY_GAP: _duty_gap,
    DeliveryKind.QUESTION: _question,
    DeliveryKind.PAUSED: _paused,
    DeliveryKind.MENTION: _mention,
    DeliveryKind.WORSE_DUPLICATE: _worse,
    DeliveryKind.OVERLOOKED: _overlooked,
    DeliveryKind.TEST: _test,
}
