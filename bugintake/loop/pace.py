"""The pace of receiving domains: mail to one that asks for patience waits, and all other mail leaves as ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from bugintake.core import clock
from bugintake.core.db import db, one_at_a_time, transaction
from bugintake.loop.circuit import MAIL, lengthen
from bugintake.loop.mail import UnsafeMail, plain_address
from bugintake.loop.models import Circuit, Delivery
from bugintake.loop.verdicts import Outcome

PAUSE = (timedelta(minutes=1), timedelta(minutes=15))
TRYING = timedelta(seconds=30)
"""How long others wait for the outcome of the one mail that tries whether a domain takes mail again."""
FORGOTTEN = timedelta(days=1)

_PREFIX = f"{MAIL}:"
_is_slow = Circuit.channel.startswith(_PREFIX)
_POSTPONE = (
    sa.update(Delivery)
    .where(Delivery.id == sa.bindparam("b_id"))
    .values(not_before=sa.bindparam("b_until"), last_error=sa.bindparam("b_said"))
)


@dataclass
class Turn:
    """What one claim may take of what is due: envelopes, those of them that try a slow domain, and what waits."""

    ids: list[int] = field(default_factory=list)
    tries: dict[int, str] = field(default_factory=dict)
    waits: dict[int, str] = field(default_factory=dict)


def domain_of(address: str) -> str:
    """Name the domain that receives an address's mail: in ASCII and small letters; nothing where none can."""
    try:
        return plain_address(address).rpartition("@")[2].lower()
    except UnsafeMail:
        return ""


def paused() -> Sequence[tuple[str, datetime]]:
    """List the domains that mail waits for at present, and when the next one is tried; the soonest first."""
    query = sa.select(Circuit.channel, Circuit.open_until).where(_is_slow, Circuit.open_until > clock.now())
    found = db.session.execute(query.order_by(Circuit.open_until, Circuit.channel))
    return [(channel.removeprefix(_PREFIX), until) for channel, until in found if until is not None]


def begin_turn(slow: Mapping[str, datetime], due: Sequence[tuple[int, str]], limit: int) -> Turn:
    """Choose what a claim takes of what is due, and let the rest to slow domains wait; within the claim's transaction.

    The first mail to a domain whose pause is over tries it. What waits is due when its domain is: claims until then
    do not meet it again, however much there is.
    """
    until, turn, now = dict(slow), Turn(), clock.now()
    for delivery_id, address in due:
        if len(turn.ids) == limit:
            break
        domain = domain_of(address)
        if domain in until and until[domain] > now:
            turn.waits[delivery_id] = domain
            continue
        if domain in until:
            turn.tries[delivery_id], until[domain] = domain, now + TRYING
        turn.ids.append(delivery_id)
    if turn.tries:
        tried = [_PREFIX + domain for domain in turn.tries.values()]
        db.session.execute(sa.update(Circuit).where(Circuit.channel.in_(tried)).values(open_until=now + TRYING))
    if turn.waits:
        rows = [{"b_id": each, "b_until": until[to], "b_said": said(to)} for each, to in turn.waits.items()]
        db.session.connection().execute(_POSTPONE, rows)
    return turn


def said(domain: str) -> str:
    """Say in a sentence why mail to a domain waits."""
    return f"{domain} takes mail slowly at present: it leaves by itself."


def slow_domains(circuits: Sequence[Circuit]) -> dict[str, datetime]:
    """Say until when mail to which domain waits, of all circuits; in the past: this claim may try it with one mail.

    A domain that another worker is just trying waits for it: whose row is locked is theirs.
    """
    now = clock.now()
    until = {each.channel: each.open_until or now for each in circuits if each.channel != MAIL}
    over = [channel for channel, at in until.items() if at <= now]
    if over:
        ours = sa.select(Circuit.channel).where(Circuit.channel.in_(over), Circuit.open_until <= now)
        locked = set(db.session.scalars(ours.with_for_update(skip_locked=True)))
        until |= {channel: now + TRYING for channel in over if channel not in locked}
    return {channel.removeprefix(_PREFIX): at for channel, at in until.items()}


def is_slow(domain: str) -> bool:
    """Whether a domain asked for patience and has taken no mail since."""
    return db.session.get(Circuit, _PREFIX + domain, populate_existing=True) is not None


def slow_down(domain: str, outcome: Outcome, *, was_trying: bool) -> Circuit:
    """Let mail to a domain wait, longer each time that trying it again was refused; within a transaction.

    Several workers that hear at once that a domain is slow lengthen its pause once. What nobody tried for a day is
    forgotten.
    """
    one_at_a_time(_PREFIX + domain)
    db.session.execute(sa.delete(Circuit).where(_is_slow, Circuit.open_until < clock.now() - FORGOTTEN))
    return lengthen(_PREFIX + domain, PAUSE, outcome, is_due=was_trying)


def speed_up(domain: str) -> None:
    """Let mail to a domain leave again."""
    with transaction():
        db.session.execute(sa.delete(Circuit).where(Circuit.channel == _PREFIX + domain))
