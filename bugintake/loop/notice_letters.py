"""What mails to the team say, written when they leave, so that they say what is true then."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from flask_babel import force_locale, gettext, ngettext

from bugintake.core import clock
from bugintake.core.config import settings
from bugintake.core.db import db
from bugintake.duty.standing_in import present
from bugintake.intake import form_use
from bugintake.intake.models import Bug, Question, Report, Status
from bugintake.intake.queries import is_visible
from bugintake.loop import also_told_letters, duty_letters, duty_week, handoff_letters, never_told, swap_letters
from bugintake.loop.dates import LOCALES
from bugintake.loop.mail import Letter, Line, Written
from bugintake.loop.models import Announcement, Delivery, DeliveryKind
from bugintake.loop.webhooks import letters as webhook_letters
from bugintake.team import people
from bugintake.team.models import Role, User
from bugintake.team.workspace import working_hours
from bugintake.triage import overlooked
from bugintake.triage.comment_models import Comment
from bugintake.triage.overlooked import Lack

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


def _password_reset(_delivery: Delivery, user: User) -> Written:
    url = people.new_reset_link(user)
    return gettext("Choose a new password"), [
        Line(gettext("somebody, probably you, asked for a new password for this address. Choose one here:"), url=url),
        Line(gettext("The link works once, for two hours. If it was not you, do nothing: your password stays.")),
    ]


def _test(_delivery: Delivery, _user: User) -> Written:
    return gettext("Mail works"), [Line(gettext("this is the test you asked for: mail from bugintake reaches you."))]


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
    filer = question.report.filed_by
    stands = [Line(gettext("You stand in for %(name)s, who filed it.", name=filer.name))] if filer.id != user.id else []
    return subject, [Line(asks), Line(question.text, "quote"), *stands, Line(gettext("Answer here:"), url=url)]


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


def _wording(delivery: Delivery, user: User) -> Written | None:
    """Ask somebody to word an announcement, while they are asked; of a restricted bug nothing but its number leaves."""
    announcement = db.session.get_one(Announcement, delivery.params["announcement"])
    bug, asker = announcement.bug, announcement.worder_asked_by
    if announcement.worder_id != user.id or asker is None or announcement.cancelled_at is not None:
        return None
    if not is_visible(bug, user):
        return None
    subject = gettext("Word what customers are told about %(ref)s", ref=bug.ref)
    url = f"{settings().base_url}/loop/{announcement.id}#words-h"
    asks = gettext(
        "%(name)s asks you to word what customers are told. Nothing leaves until then:", name=asker.first_name
    )
    return subject, [Line(asks, url=url), *([] if bug.is_restricted else [Line(bug.title, "quote")])]


def _stand_in(delivery: Delivery, _user: User) -> Written | None:
    """Ask who stands in for somebody who does not work here any more, while customers wait and nobody does."""
    person = db.session.get_one(User, delivery.params["person"])
    waits = sa.select(Report.id).where(Report.filed_by_id == person.id, Report.settled_at.is_(None))
    is_waited_for = db.session.scalar(waits.where(Report.customer_id.is_not(None)).limit(1)) is not None
    if person.is_active or present(person) is not None or not is_waited_for:
        return None
    url = f"{settings().base_url}/admin/stand-ins#u-{person.id}"
    asks = gettext(
        "customers wait for what %(name)s filed, who does not work here any more. Name who signs:", name=person.name
    )
    return gettext("Who stands in for %(name)s?", name=person.name), [Line(asks, url=url)]


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
    untold, decisions = _never_told(user), _decisions()
    is_due = delivery.key == f"overlooked:{today}:{user.id}" and user.can(Role.LEAD)
    if not is_due or not (counts.total or untold or decisions):
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
    if not counts.total:
        subject = gettext("Customers were never told") if untold else gettext("The form waits for you")
    return subject, lines + untold + decisions


def _never_told(user: User) -> list[Line]:
    """Count what customers should have heard a month ago and have not, because of us."""
    count = never_told.count(user)
    words = gettext("Mails that customers should have had more than 30 days ago: %(count)d.", count=count)
    return [Line(words, url=f"{settings().base_url}/loop/never-told")] if count else []


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


WRITERS: dict[DeliveryKind, Callable[[Delivery, User], Written | None]] = {
    DeliveryKind.PASSWORD_RESET: _password_reset,
    DeliveryKind.DUTY_REMINDER: duty_letters.reminder,
    DeliveryKind.DUTY_CHANGED: duty_letters.changed,
    DeliveryKind.DUTY_GAP: duty_letters.gap,
    DeliveryKind.DUTY_WEEK: duty_week.letter,
    DeliveryKind.SWAP_ASKED: swap_letters.asked,
    DeliveryKind.SWAP_TRADE: swap_letters.trade,
    DeliveryKind.SWAP_TAKEN: swap_letters.taken,
    DeliveryKind.SWAP_UNTAKEN: swap_letters.untaken,
    DeliveryKind.HANDOFF_UNSENT: handoff_letters.unsent,
    DeliveryKind.QUESTION: _question,
    DeliveryKind.PAUSED: _paused,
    DeliveryKind.MENTION: _mention,
    DeliveryKind.WORSE_DUPLICATE: _worse,
    DeliveryKind.OVERLOOKED: _overlooked,
    DeliveryKind.YOUR_CUSTOMERS: also_told_letters.letter,
    DeliveryKind.WORDING: _wording,
    DeliveryKind.STAND_IN: _stand_in,
    DeliveryKind.WEBHOOK_OFF: webhook_letters.switched_off,
    DeliveryKind.TEST: _test,
}
