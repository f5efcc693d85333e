"""Notices to the team: queued once under a key, written when they leave, so that they say what is true then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from babel.dates import format_date
from flask_babel import force_locale, gettext, ngettext
from sqlalchemy.exc import IntegrityError

from bugintake.core import clock, events
from bugintake.core.config import settings
from bugintake.core.db import db, transaction, update_one
from bugintake.core.errors import Conflict
from bugintake.core.events import Event, EventKind
from bugintake.duty.queries import PlannedShift
from bugintake.duty.reminders import Reminder, coming_reminders, due_reminders
from bugintake.intake.models import Bug, Question, Status
from bugintake.intake.queries import is_visible
from bugintake.loop.letters import LOCALES, new_message_id
from bugintake.loop.mail import Letter, Line
from bugintake.loop.models import Delivery, DeliveryKind, DeliveryState
from bugintake.team import people
from bugintake.team.models import Role, User
from bugintake.team.workspace import is_set_up, working_hours
from bugintake.triage import overlooked
from bugintake.triage.comment_models import Comment
from bugintake.triage.overlooked import Lack
from bugintake.triage.queue import queue

REFS_SHOWN = 5
STUCK = (DeliveryState.HELD, DeliveryState.FAILED, DeliveryState.UNCERTAIN)


def queue_notice(kind: DeliveryKind, user: User, key: str, **params: Any) -> None:
    """Put a notice into the outbox, once per key."""
    if db.session.scalar(sa.select(Delivery.id).where(Delivery.key == key)) is None:
        db.session.add(Delivery(key=key, kind=kind, user_id=user.id, params=params, message_id=new_message_id()))
        db.session.flush()


def queue_reset(event: Event) -> None:
    """Mail a link for a new password to the person who asked for it; an address that is nobody's gets nothing."""
    user = db.session.get(User, event.user_id) if event.user_id is not None else None
    if user is not None:
        queue_notice(DeliveryKind.PASSWORD_RESET, user, f"password_reset:{event.id}")


def queue_reminders(now: datetime) -> int:
    """Remind of duty whoever is due by now and was not reminded of that turn yet, and tell how many those are.

    Two workers that do this at once remind once: the key is unique, and the slower one starts over.
    """
    due = due_reminders(now)
    known = set(db.session.scalars(sa.select(Delivery.key).where(Delivery.key.in_([r.key for r in due]))))
    return _queue_new(DeliveryKind.DUTY_REMINDER, {r.key: r.person for r in due if r.key not in known})


def queue_overlooked(now: datetime) -> int:
    """Owe every lead the list of what is overlooked once on each working day, from its morning on; tell how many do.

    What is written when it leaves decides whether anything is on it. Where nobody is a lead, admins read it.
    """
    if not is_set_up() or not working_hours().is_open(now):
        return 0
    day = now.astimezone(working_hours().zone).date().isoformat()
    here = db.session.scalars(sa.select(User).where(User.disabled_at.is_(None)).order_by(User.id)).all()
    leads = [user for user in here if user.role is Role.LEAD] or [user for user in here if user.is_admin]
    wanted = {f"overlooked:{day}:{user.id}": user for user in leads}
    known = set(db.session.scalars(sa.select(Delivery.key).where(Delivery.key.in_(wanted))))
    return _queue_new(DeliveryKind.OVERLOOKED, {key: user for key, user in wanted.items() if key not in known})


def _queue_new(kind: DeliveryKind, wanted: Mapping[str, User]) -> int:
    if not wanted:
        return 0
    try:
        with transaction():
            for key, person in wanted.items():
                queue_notice(kind, person, key)
    except IntegrityError:
        return 0
    return len(wanted)


def queue_mentions(event: Event) -> None:
    """Tell whoever a comment mentions, once, however often it is changed."""
    comment = db.session.get_one(Comment, event.details["comment"])
    for person in db.session.scalars(sa.select(User).where(User.id.in_(comment.mentioned)).order_by(User.id)):
        queue_notice(DeliveryKind.MENTION, person, f"mention:{comment.id}:{person.id}", comment=comment.id)


def queue_test(user: User) -> None:
    """Mail somebody that mail works."""
    queue_notice(DeliveryKind.TEST, user, f"test:{user.id}:{clock.now().isoformat()}")


def is_stuck_notice() -> sa.ColumnElement[bool]:
    """Select the mail to the team that waits for a person: held after a restore, failed, or nobody knows."""
    to_the_team = (Delivery.user_id.is_not(None), Delivery.kind != DeliveryKind.TEST)
    return sa.and_(*to_the_team, Delivery.state.in_(STUCK))


def send_notice(notice: Delivery, *, actor: User) -> None:
    """Let a held, failed or uncertain notice go; it leaves only if it is still true. Records notice.released.

    Raises Conflict where somebody has dealt with it.
    """
    _decide(notice, state=DeliveryState.PENDING, attempts=0, not_before=clock.now())
    events.record(EventKind.NOTICE_RELEASED, actor=actor, user=notice.user, delivery_id=notice.id)


def drop_notice(notice: Delivery, *, actor: User) -> None:
    """Leave a held, failed or uncertain notice unsent. Records notice.dropped. Raises Conflict as send_notice."""
    _decide(notice, state=DeliveryState.CANCELLED)
    events.record(EventKind.NOTICE_DROPPED, actor=actor, user=notice.user, delivery_id=notice.id)


def _decide(notice: Delivery, **values: object) -> None:
    change = sa.update(Delivery).where(Delivery.id == notice.id, is_stuck_notice())
    if not update_one(change.values(lease_owner=None, lease_until=None, **values)):
        raise Conflict("Somebody has dealt with it already.")


SUBSCRIPTIONS = [
    (EventKind.PASSWORD_RESET_REQUESTED, queue_reset),
    (EventKind.BUG_COMMENTED, queue_mentions),
    (EventKind.COMMENT_EDITED, queue_mentions),
]


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


def _overlooked(delivery: Delivery, user: User) -> Written | None:
    """List what is overlooked by number alone, so that nothing of a restricted bug leaves the house."""
    today = clock.now().astimezone(working_hours().zone).date().isoformat()
    counts = overlooked.counted(user)
    if delivery.key != f"overlooked:{today}:{user.id}" or not counts.total or not user.can(Role.LEAD):
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
    return ngettext("%(num)d bug is overlooked", "%(num)d bugs are overlooked", counts.total), lines


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
    DeliveryKind.QUESTION: _question,
    DeliveryKind.MENTION: _mention,
    DeliveryKind.OVERLOOKED: _overlooked,
    DeliveryKind.TEST: _test,
}
