"""What mails about swaps say, written when they leave, so that they say what is true then."""

from datetime import datetime

from babel.dates import format_date
from flask_babel import gettext

from bugintake.core import clock
from bugintake.core.config import settings
from bugintake.core.db import db
from bugintake.duty import queries, swap_queries
from bugintake.duty.fairness import amount, lately
from bugintake.duty.handing_over import Stretch
from bugintake.duty.plans import load_plan
from bugintake.duty.swap_models import Answer, Asked, Swap
from bugintake.loop.dates import LOCALES
from bugintake.loop.mail import Line, Written
from bugintake.loop.models import Delivery
from bugintake.team.models import Role, User


def asked(delivery: Delivery, user: User) -> Written | None:
    """Ask somebody, while it is open and they have not answered."""
    swap = db.session.get_one(Swap, delivery.params["swap"])
    is_waiting = any(each.user_id == user.id and each.answer is Answer.NONE for each in swap.asked)
    hours = swap_queries.hours_of(swap)
    if hours is None or not is_waiting or swap_queries.ending(swap):
        return None
    name = swap.user.first_name
    first = gettext("%(name)s cannot be on duty on %(when)s.", name=name, when=_when(hours, user))
    rest = gettext("Whoever answers first gets it; %(name)s stays on duty until then.", name=name)
    answer = Line(gettext("Take it, offer a trade, or say no:"), url=_url(swap))
    subject = gettext("Can you take bug duty on %(day)s? %(name)s asks", day=_day(hours.start, hours, user), name=name)
    return subject, [Line(first), *_reason(swap), *_share(swap, user), Line(rest), answer, _zone(hours)]


def _share(swap: Swap, user: User) -> list[Line]:
    """Say how much duty somebody had lately beside the others, where they take turns."""
    now = clock.now()
    plan = load_plan(now - queries.REMEMBERED, now, swap.rotation)
    spread = lately(plan, now) if plan is not None else None
    if spread is None or spread.is_empty or user not in spread:
        return []
    totals = [each.total for each in spread.standings]
    words = gettext(
        "Days of duty you had in the last 90 days: %(mine)s (team: %(least)s–%(most)s).",
        mine=amount(spread.of(user).total),
        least=amount(min(totals)),
        most=amount(max(totals)),
    )
    return [Line(words)]


def trade(delivery: Delivery, user: User) -> Written | None:
    """Tell whoever asks of a trade, while it is offered."""
    offer = db.session.get_one(Asked, delivery.params["asked"])
    hours, offered = swap_queries.hours_of(offer.swap), swap_queries.hours_offered(offer)
    if hours is None or offered is None or swap_queries.ending(offer.swap):
        return None
    if offered.start != datetime.fromisoformat(delivery.params["starts"]):
        return None
    name, day = offer.user.first_name, _day(hours.start, hours, user)
    words = gettext(
        "%(name)s takes your duty on %(when)s if you take theirs on %(theirs)s.",
        name=name,
        when=_when(hours, user),
        theirs=_when(offered, user),
    )
    lines = [Line(words), Line(gettext("Agree or decline:"), url=_url(offer.swap)), _zone(hours)]
    return gettext("%(name)s offers a trade for your duty on %(day)s", name=name, day=day), lines


def taken(delivery: Delivery, user: User) -> Written | None:
    """Tell whose hours moved to whom, while it is so."""
    swap = db.session.get_one(Swap, delivery.params["swap"])
    hours, taker = swap_queries.hours_of(swap), swap.taken_by
    if hours is None or taker is None or swap.given_back_at is not None:
        return None
    returned = swap_queries.hours_in_return(swap)
    if user.id == taker.id:
        if returned is None:
            return None
        subject = _takes_yours(swap.user, returned, user)
        words = gettext(
            "%(name)s takes your duty on %(when)s. You take theirs on %(theirs)s.",
            name=swap.user.first_name,
            when=_when(returned, user),
            theirs=_when(hours, user),
        )
    elif user.id == swap.user_id:
        subject = _takes_yours(taker, hours, user)
        words = gettext("%(name)s takes your duty on %(when)s.", name=taker.first_name, when=_when(hours, user))
        if returned is not None:
            words += " " + gettext("You take theirs on %(when)s.", when=_when(returned, user))
    else:
        names = {"name": taker.first_name, "other": swap.user.first_name}
        day = _day(hours.start, hours, user)
        subject = gettext("%(name)s takes bug duty on %(day)s instead of %(other)s", day=day, **names)
        when = _when(hours, user)
        words = gettext("%(name)s takes bug duty on %(when)s instead of %(other)s.", when=when, **names)
        if returned is not None:
            back = {"name": swap.user.first_name, "other": taker.first_name, "when": _when(returned, user)}
            words += " " + gettext("%(name)s takes bug duty on %(when)s instead of %(other)s.", **back)
    return subject, [Line(words), *_reason(swap), Line(gettext("The swap:"), url=_url(swap)), _zone(hours)]


def untaken(delivery: Delivery, user: User) -> Written | None:
    """Ask a lead about hours that nobody takes, while it is so."""
    swap = db.session.get_one(Swap, int(delivery.key.split(":")[1]))
    hours = swap_queries.hours_of(swap)
    if hours is None or swap_queries.ending(swap) or not user.can(Role.LEAD):
        return None
    name = swap.user.first_name
    words = gettext(
        "%(name)s cannot be on duty on %(when)s, and nobody has taken it.", name=name, when=_when(hours, user)
    )
    ask = Line(gettext("Find somebody, or take it yourself:"), url=_url(swap))
    subject = gettext("Nobody takes bug duty on %(day)s for %(name)s", day=_day(hours.start, hours, user), name=name)
    return subject, [Line(words), *_reason(swap), ask, _zone(hours)]


def _takes_yours(person: User, hours: Stretch, user: User) -> str:
    day = _day(hours.start, hours, user)
    return str(gettext("%(name)s takes your duty on %(day)s", name=person.first_name, day=day))


def _reason(swap: Swap) -> list[Line]:
    return [Line(swap.reason, "quote")] if swap.reason else []


def _url(swap: Swap) -> str:
    return f"{settings().base_url}/duty/swaps/{swap.id}"


def _zone(hours: Stretch) -> Line:
    return Line(gettext("Times are %(zone)s.", zone=str(hours.zone)))


def _day(at: datetime, hours: Stretch, user: User) -> str:
    day = at.astimezone(hours.zone).date()
    return format_date(day, "EEE d MMM", locale=LOCALES.get(user.language, "en_GB"))


def _when(hours: Stretch, user: User) -> str:
    start, end = (at.astimezone(hours.zone) for at in (hours.start, hours.end))
    until = f"{end:%H:%M}" if end.date() == start.date() else f"{_day(end, hours, user)} {end:%H:%M}"
    return f"{_day(start, hours, user)}, {start:%H:%M}–{until}"
