"""A text without words for somebody holds their mail alone, says which, and lets it go once there are words."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict
from bugintake.core.event_kinds import EventKind
from bugintake.core.forms import Seen
from bugintake.intake.customers import changing
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Bug, Status
from bugintake.loop import announcements, envelopes, messages, outbox, texts, unfilled, worker
from bugintake.loop.models import Delivery, Message, MessageState
from bugintake.loop.text_models import TextKind
from bugintake.team.models import User
from tests.counting import asked
from tests.factories import make_bug, make_customer
from tests.faults.rig import states, work
from tests.faults.server import FaultServer
from tests.loop.rows import announcement_of, last_event, message_to, one_message
from tests.loop.wording import nameless, write
from tests.waits import AtOnce

LIVE = TextKind.LIVE


@pytest.fixture
def bug(app: Any) -> Bug:
    """Somebody without a name, and somebody with one."""
    write(LIVE, "Dear {{ first_name }},\n\n{{ note }}")
    return make_bug(
        Status.LIVE, waiting=[nameless(email="who@example.com"), make_customer("Hana", email="hana@example.com")]
    )


def held() -> list[tuple[str | None, str]]:
    found = sa.select(Message).where(Message.state == MessageState.HELD).order_by(Message.id)
    return [(message.held_because, message.reason) for message in db.session.scalars(found)]


def name(address: str, words: str, actor: User) -> None:
    with transaction():
        customer = db.session.scalars(sa.select(Customer).where(Customer.email == address)).one()
        changing.change_customer(customer, {"name": words}, Seen(), actor=actor)


def test_whoever_a_text_has_no_words_for_is_held_and_the_others_leave(sink: FaultServer, bug: Bug) -> None:
    work()

    assert sink.recipients == ["hana@example.com"]
    assert held() == [("unfilled", "There is no {{ first_name }} for them.")]
    assert states()["sent"] == 1


def test_all_that_is_missing_is_named(sink: FaultServer, app: Any) -> None:
    write(LIVE, "{{ note }} {{ days }}", subject="{{ first_name }}")
    write(TextKind.CLOSING, "{{ signer }}")
    bug = make_bug(Status.LIVE, waiting=[nameless()])
    with transaction():
        db.session.merge(one_message(bug).report.filed_by).disabled_at = bug.filed_at

    work()

    assert held() == [("unfilled", "There is no {{ first_name }} and no {{ days }} and no {{ signer }} for them.")]


def test_another_text_lets_them_go_once_and_nobody_hears_twice(sink: FaultServer, bug: Bug, clock: Any) -> None:
    work()
    write(LIVE, "Dear {{ first_name | customer }},\n\n{{ note }}")

    assert unfilled.let_go() == 1
    assert last_event() == EventKind.MESSAGE_RELEASED
    assert unfilled.let_go() == 0
    work()
    clock.advance(timedelta(hours=1))
    work()

    of_customers = [address for address in sink.recipients if not address.endswith("@team.test")]
    assert sorted(of_customers) == ["hana@example.com", "who@example.com"]
    assert message_to("who@example.com").text.startswith("Dear customer,")
    assert held() == []


def test_so_does_the_word_that_was_missing(sink: FaultServer, bug: Bug, mira: User) -> None:
    work()
    assert unfilled.let_go() == 0
    name("who@example.com", "Ole Berg", mira)

    assert unfilled.let_go() == 1
    work()

    assert message_to("who@example.com").text.startswith("Dear Ole,")


def test_the_worker_looks_by_itself(app: Any, sink: FaultServer, bug: Bug, mira: User) -> None:
    work()
    worker.sweep(app)
    assert len(held()) == 1
    name("who@example.com", "Ole Berg", mira)

    worker.sweep(app)

    assert held() == []


def test_what_is_given_another_text_and_no_word_is_held_again_for_what_is_missing_then(
    sink: FaultServer, bug: Bug, mira: User
) -> None:
    work()
    write(LIVE, "{{ note }} {{ days }}")
    unfilled.let_go()
    work()
    assert held() == [("unfilled", "There is no {{ first_name }} for them.")]
    with transaction():
        with pytest.raises(Conflict, match=re.escape("no {{ days }} for them. Change the text, or tell them by hand.")):
            messages.release_held(message_to("who@example.com"), actor=mira)
        messages.tell_by_hand(message_to("who@example.com"), actor=mira)
    assert (held(), db.session.get_one(Bug, bug.id).waiting_count) == ([], 0)


def test_what_is_held_is_written_anew_when_a_text_changes_before_it_is_handed_over(sink: FaultServer, app: Any) -> None:
    make_bug(Status.LIVE, waiting=[make_customer("Hana", email="hana@example.com")])
    envelopes_opened()
    (claimed,) = outbox.claim()

    write(LIVE, "Now it says: {{ note }}")

    assert db.session.scalars(sa.select(Delivery.state)).all() == ["pending"]
    work()
    assert message_to("hana@example.com").text == "Now it says: The VAT line is back."
    assert (len(sink.accepted), claimed.letter.lines[0].text) == (1, "Hello Hana,")


def test_a_batch_reads_the_texts_once(sink: FaultServer, app: Any) -> None:
    write(LIVE, "{{ note }}")
    make_bug(Status.LIVE, waiting=[make_customer() for _ in range(3)])
    envelopes_opened()

    with asked() as statements:
        assert len(outbox.claim()) == 3

    assert sum("FROM mail_texts" in each for each in statements) == 1


def envelopes_opened() -> None:
    with transaction():
        envelopes.open_due()


def test_a_mail_of_several_leaves_without_the_one_that_is_held(sink: FaultServer, app: Any) -> None:
    write(TextKind.DECLINED, "{{ note }}, instead: {{ workaround }}")
    hana = make_customer("Hana", email="hana@example.com")
    make_bug(Status.LIVE, waiting=[hana])
    make_bug(Status.DECLINED, waiting=[hana])

    work()

    assert held() == [("unfilled", "There is no {{ workaround }} for them.")]
    assert (sink.recipients, states()["sent"]) == (["hana@example.com"], 1)


def test_a_way_round_that_is_written_lets_its_people_go(sink: FaultServer, app: Any, mira: User) -> None:
    write(TextKind.DECLINED, "{{ note }}, instead: {{ workaround }}")
    bug = make_bug(Status.DECLINED, waiting=[make_customer("Hana", email="hana@example.com")])
    work()
    with transaction():
        announcements.edit_notes(announcement_of(bug), {"en": "It stays."}, {"en": "Print it."}, actor=mira)

    assert unfilled.let_go() == 1
    work()

    assert message_to("hana@example.com").text == "It stays., instead: Print it."


@pytest.mark.only_on("postgres")
def test_what_is_held_for_a_text_that_is_changed_at_the_same_moment_is_not_stuck(app: Any, bug: Bug) -> None:
    envelopes_opened()
    with transaction():
        texts.in_force()  # what a worker begins with who claims
        AtOnce(app, lambda: write(LIVE, "{{ note }}"))()
        outbox.claim()
    assert held() == [("unfilled", "There is no {{ first_name }} for them.")]

    assert unfilled.let_go() == 1
