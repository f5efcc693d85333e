"""Where what comes back has to arrive: addresses that nobody else can make up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import current_app

from bugintake.core import config
from bugintake.core.db import transaction
from bugintake.loop import circuit
from bugintake.loop.inbound.addresses import LONGEST_NAME, Purpose, delivery_behind, signed
from bugintake.loop.mail import sender_of
from bugintake.loop.notices import queue_test
from tests.faults.rig import the_delivery, work
from tests.loop.rows import live

pytestmark = [pytest.mark.usefixtures("holds"), pytest.mark.long_on("postgres")]


def change_settings(**values):
    app = current_app._get_current_object()
    config.keep(app, replace(config.settings(), **values))


def sent(sink):
    """Mail somebody, and return where it may come back to and where it may be answered."""
    live(f"grace{len(sink.accepted)}@example.org")
    work()
    return sink.senders[-1], str(sink.accepted[-1][1]["Reply-To"])


def test_a_mail_to_a_customer_leaves_with_two_addresses_of_its_own(sink):
    bounces, answers = sent(sink)

    delivery = the_delivery()
    assert sink.accepted[0][1]["From"] == "Fakturo <support@fakturo.example>"
    assert delivery_behind([bounces]) == (delivery, Purpose.BOUNCE)
    assert delivery_behind(["nobody@example.org", f'"Fakturo" <{answers.upper()}>']) == (delivery, Purpose.ANSWER)
    assert all(
        address.startswith("support+") and len(address.partition("@")[0]) <= 64 for address in (bounces, answers)
    )


def test_mail_to_the_team_leaves_as_before(sink, mira):
    with transaction():
        queue_test(mira)
    work()

    assert sink.senders == ["support@fakturo.example"]
    assert sink.accepted[0][1]["Reply-To"] == "help@fakturo.example"


def test_where_nothing_is_read_mail_leaves_as_before(sink):
    change_settings(inbound_secret=None, imap_url=None)

    assert sent(sink) == ("support@fakturo.example", "help@fakturo.example")


def test_an_address_that_anybody_else_made_up_is_not_ours(sink):
    bounces, _ = sent(sink)
    name, _, domain = bounces.partition("@")
    token = name.partition("+")[2]

    forged = [
        f"support+{token[:-1]}{'a' if token[-1] != 'a' else 'b'}@{domain}",
        f"support+a{token[1:]}@{domain}",  # for another purpose
        f"support+b2.{token.partition('.')[2]}@{domain}",  # another envelope
        f"support+{token[:-1]}@{domain}",
        f"support+{token}a@{domain}",
        f"support+{token}@evil.example",
        f"support+{token}@{domain}.evil.example",
        f"xsupport+{token}@{domain}",
        f"support+b.{token.partition('.')[2]}@{domain}",
        "support+bzzzzzzz." + "a" * 24 + f"@{domain}",
        "support+" + "b1." * 100_000,
        "",
    ]
    assert [address for address in forged if delivery_behind([address]) is not None] == []


@pytest.mark.parametrize(("days", "bounces_count"), [(29, True), (31, False)])
def test_what_comes_back_too_late_counts_for_nothing(sink, clock, days, bounces_count):
    bounces, answers = sent(sink)

    clock.advance(timedelta(days=days))
    assert (delivery_behind([bounces]) is not None, delivery_behind([answers]) is not None) == (bounces_count, True)
    clock.advance(timedelta(days=400))
    assert delivery_behind([answers]) is None


def test_addresses_outlive_a_change_of_the_secret_key_where_the_old_one_is_named(sink):
    bounces, _ = sent(sink)
    old = config.settings().secret_key

    change_settings(secret_key="n" * 40)
    assert delivery_behind([bounces]) is None
    change_settings(secret_key_fallbacks=("m" * 40, old))
    assert delivery_behind([bounces]) is not None


def test_a_restored_number_names_no_other_envelope(sink):
    bounces, _ = sent(sink)
    delivery = the_delivery()
    own = delivery.message_id

    for message_id, is_found in (("<another@bugs.example.com>", False), (own, True)):
        with transaction():
            delivery.message_id = message_id
        assert (delivery_behind([bounces]) is not None) is is_found


def test_a_sender_too_long_to_add_to_lets_all_mail_wait_and_says_why(sink):
    longest = sender_of(f"{'s' * LONGEST_NAME}@fakturo.example", "", None)
    assert len(signed(longest, 36**7 - 1, "<1@x>")[0].partition("@")[0]) == 64

    change_settings(mail_from=f"{'s' * (LONGEST_NAME + 1)}@fakturo.example")
    live("grace@example.org")
    work()
    assert sink.accepted == []
    assert "before the @ is longer than 30 characters" in circuit.mail_circuit().reason


@pytest.mark.parametrize("mail_from", ["nobody", "a b@c.example", ""])
def test_where_the_sender_is_no_address_nothing_is_ours(sink, mail_from):
    bounces, _ = sent(sink)

    change_settings(mail_from=mail_from)
    assert delivery_behind([bounces]) is None


def test_a_mail_says_that_it_can_be_answered_only_where_answers_are_read(sink):
    sentence = "You can also simply answer this mail."

    sent(sink)
    assert sentence in sink.accepted[-1][1].get_body(("plain",)).get_content()
    change_settings(inbound_secret=None)
    sent(sink)
    assert sentence not in sink.accepted[-1][1].get_body(("plain",)).get_content()
