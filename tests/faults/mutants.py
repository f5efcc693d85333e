"""One-line broken variants of the product, each of which its own stories have to catch."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import current_app

from bugintake.core import clock, events, resting
from bugintake.core.db import after_commit, db, transaction
from bugintake.core.event_kinds import EventKind
from bugintake.duty import reminders
from bugintake.loop import attempts, circuit, duty_notices, links, outcomes, smtp, telling
from bugintake.loop.models import CustomerLink, Delivery, DeliveryState, LinkPurpose
from bugintake.loop.verdicts import Outcome, Phase, Verdict
from bugintake.team import people

Replace = Callable[[Any, str, Any], None]


def takes_back_one_of_a_claim(replace: Replace) -> None:
    """Recovery takes back what a dead worker had in hand, and forgets the rest of its claim."""
    recover, seen = attempts._recover, set[str | None]()

    def recover_first(delivery_id: int, expired: Any) -> None:
        delivery = db.session.get_one(Delivery, delivery_id, populate_existing=True)
        if delivery.state is DeliveryState.SENDING or delivery.lease_owner not in seen:
            seen.add(delivery.lease_owner)
            recover(delivery_id, expired)

    replace(attempts, "_recover", recover_first)


def announces_data_before_rcpt(replace: Replace) -> None:
    """`sending` is committed before the recipient is known to be accepted."""
    deliver = smtp.Channel.deliver

    def deliver_early(self: Any, mail: Any, before_data: Any) -> Any:
        if not before_data():
            return Outcome(Verdict.WITHDRAWN, Phase.RCPT)
        return deliver(self, mail, lambda: True)

    replace(smtp.Channel, "deliver", deliver_early)


def sends_at_most_once(replace: Replace) -> None:
    """What was being sent when its worker died counts as sent."""
    _recover_sending_as(replace, DeliveryState.ACCEPTED)


def sends_at_least_once(replace: Replace) -> None:
    """What was being sent when its worker died is sent again."""
    _recover_sending_as(replace, DeliveryState.PENDING)


def _recover_sending_as(replace: Replace, state: DeliveryState) -> None:
    recover = attempts._recover

    def recover_as(delivery_id: int, expired: Any) -> None:
        delivery = db.session.get_one(Delivery, delivery_id, populate_existing=True)
        if delivery.state is not DeliveryState.SENDING:
            recover(delivery_id, expired)
            return
        delivery.state, delivery.lease_until = state, None
        if state is DeliveryState.ACCEPTED:
            delivery.sent_at = clock.now()
            db.session.flush()
            telling.note_told([delivery_id])

    replace(attempts, "_recover", recover_as)


def settles_in_a_second_commit(replace: Replace) -> None:
    """The envelope is sent in one transaction, its people are told in the next."""
    tell = telling._tell
    replace(telling, "_tell", lambda *args: after_commit(lambda: _later(lambda: tell(*args))))


def forgets_what_was_accepted(replace: Replace) -> None:
    """Recovery takes back what a dead worker had in hand, and not what the server had already."""
    replace(attempts, "LEAVING", (DeliveryState.SENDING,))


def shows_in_a_second_commit(replace: Replace) -> None:
    """Recovery changes the envelope in one transaction, and its messages in the next."""
    show = attempts._show
    replace(attempts, "_show", lambda *args: after_commit(lambda: _later(lambda: show(*args))))


def has_no_fence(replace: Replace) -> None:
    """Whoever once claimed an envelope may send it."""

    def begin_sending(claimed: Any) -> bool:
        change = sa.update(Delivery).where(Delivery.id == claimed.id).values(state=DeliveryState.SENDING)
        with transaction():
            db.session.execute(change.values(lease_owner=claimed.fence).execution_options(synchronize_session=False))
        return True

    replace(attempts, "begin_sending", begin_sending)


def retries_any_disconnect(replace: Replace) -> None:
    """A connection that breaks is tried again, whatever was handed over before."""
    reading = smtp.reading

    def read(phase: Phase, error: Exception) -> Any:
        code, answer, verdict = reading(phase, error)
        return code, answer, Verdict.RETRY if verdict is Verdict.UNCERTAIN else verdict

    replace(smtp, "reading", read)


def storms_the_server(replace: Replace) -> None:
    """Whoever finds the server away waits a moment, as long as everybody else, and no longer the next time."""
    replace(circuit, "UNREACHABLE", (timedelta(seconds=2), timedelta(seconds=2)))


def comes_back_on_the_dot(replace: Replace) -> None:
    """A pause has no chance in it."""
    replace(resting, "jittered", lambda span: span)


def loses_its_place(replace: Replace) -> None:
    """A mail that found the server away goes behind all that is due."""
    replace(circuit, "is_no_fault_of_the_mail", lambda _outcome: False)


def announces_in_a_second_commit(replace: Replace) -> None:
    """A bug becomes live in one transaction, and its messages are written in the next."""
    kinds = (EventKind.BUG_LIVE, EventKind.BUG_DECLINED)
    subscribers = {kind: list(found) for kind, found in events._subscribers.items()}
    for kind in kinds:
        subscribers[kind] = [
            (lambda event: after_commit(lambda: _later(lambda: outcomes.announce(event))))
            if each is outcomes.announce
            else each
            for each in subscribers[kind]
        ]
    changed = type(events._subscribers)(list, subscribers)
    replace(events, "_subscribers", changed)


def begins_deferred(replace: Replace) -> None:
    """A transaction that writes begins like one that reads: without BEGIN IMMEDIATE, or without the row's lock."""

    @sa.event.listens_for(db.engine, "before_cursor_execute", retval=True)
    def defer(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> Any:
        return statement.replace("BEGIN IMMEDIATE", "BEGIN").removesuffix(" FOR UPDATE"), parameters


def reminds_by_one_clock(replace: Replace) -> None:
    """Four in the afternoon is that of UTC for everybody."""
    replace(reminders, "zone_or_utc", lambda _name: ZoneInfo("UTC"))


def reminds_after_each_start(replace: Replace) -> None:
    """Whom it reminded, a worker knows only as long as it lives."""
    started = clock.now().isoformat()
    key = reminders._key
    replace(reminders, "_key", lambda *args: f"{key(*args)}:{started}")


def reminds_of_each_layer(replace: Replace) -> None:
    """Hours that were taken over are another thing to be reminded of whenever they are laid anew."""
    key = reminders._key

    def by_layer(plan: Any, planned: Any, person: Any) -> str:
        layer = planned.shift.override_id
        return key(plan, planned, person) if layer is None else f"duty:override-{layer}:{person.id}"

    replace(reminders, "_key", by_layer)


def reminds_of_each_day_alone(replace: Replace) -> None:
    """Days that are due at once are a mail each."""
    found = duty_notices._to_remind_of
    replace(duty_notices, "_to_remind_of", lambda now: [[each] for together in found(now) for each in together])


def unsubscribes_by_get(replace: Replace) -> None:
    """Opening the link is enough to unsubscribe."""
    app: Any = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy hides it
    views = app.view_functions
    click = next(name for name in views if name.endswith(".unsubscribe"))
    ask = next(name for name in views if name.endswith(".ask") and views[name].__module__ == views[click].__module__)
    replace(app, "view_functions", views | {ask: views[click]})


def lets_in_by_get(replace: Replace) -> None:
    """Opening the link that lets somebody in uses it up."""
    found = people.pass_or_404

    def spend(secret: str) -> Any:
        link = found(secret)
        with transaction():
            link.used_at = clock.now()
        return link

    replace(people, "pass_or_404", spend)


def opens_links_once(replace: Replace) -> None:
    """A customer's link opens their report once."""
    behind = links.report_behind

    def spend(secret: str, purpose: LinkPurpose) -> Any:
        report = behind(secret, purpose)
        with transaction():
            it = sa.update(CustomerLink).where(CustomerLink.secret_hash == links.hash_secret(secret))
            db.session.execute(it.values(revoked_at=clock.now()))
        return report

    replace(links, "report_behind", spend)


def _later(act: Callable[[], Any]) -> None:
    with transaction():
        act()


MUTANTS: dict[str, tuple[Callable[[Replace], None], tuple[str, ...]]] = {
    "takes_back_one_of_a_claim": (takes_back_one_of_a_claim, ("F-W1", "F-W4, every kind")),
    "announces_data_before_rcpt": (announces_data_before_rcpt, ("F-W2",)),
    "sends_at_most_once": (sends_at_most_once, ("F-W3",)),
    "sends_at_least_once": (sends_at_least_once, ("F-W4", "F-W4, every kind")),
    "settles_in_a_second_commit": (settles_in_a_second_commit, ("F-W5",)),
    "forgets_what_was_accepted": (forgets_what_was_accepted, ("F-W5, nobody noted",)),
    "shows_in_a_second_commit": (shows_in_a_second_commit, ("F-W6",)),
    "has_no_fence": (has_no_fence, ("F-W8",)),
    "reminds_by_one_clock": (reminds_by_one_clock, ("F-C2",)),
    "reminds_after_each_start": (reminds_after_each_start, ("F-C2", "F-C2, a week changes hands")),
    "reminds_of_each_layer": (reminds_of_each_layer, ("F-C2, a week changes hands",)),
    "reminds_of_each_day_alone": (reminds_of_each_day_alone, ("F-C2, a week changes hands",)),
    "retries_any_disconnect": (retries_any_disconnect, ("F-S3",)),
    "storms_the_server": (storms_the_server, ("F-S4",)),
    "comes_back_on_the_dot": (comes_back_on_the_dot, ("F-S4",)),
    "loses_its_place": (loses_its_place, ("F-S4",)),
    "announces_in_a_second_commit": (announces_in_a_second_commit, ("F-WAL",)),
    "begins_deferred": (begins_deferred, ("D5",)),
    "unsubscribes_by_get": (unsubscribes_by_get, ("A-27",)),
    "lets_in_by_get": (lets_in_by_get, ("A-27",)),
    "opens_links_once": (opens_links_once, ("A-27",)),
}
