"""Reading a mailbox: each mail once, only ours, and in words where it cannot be read."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa
import trustme

from bugintake.core import config
from bugintake.core.config import Settings
from bugintake.core.db import db, transaction
from bugintake.intake.models import Remark
from bugintake.loop import worker
from bugintake.loop.inbound import roads, taking_in
from bugintake.loop.inbound.mailbox import EVERY, READ_BYTES, Timeouts, read_mailbox
from bugintake.loop.models import DeliveryState
from tests.faults.rig import message_states, the_delivery
from tests.loop.inbound.imap_server import ImapServer
from tests.loop.inbound.mails import answered, returned
from tests.loop.inbound.sending import grace, told

pytestmark = [pytest.mark.usefixtures("holds"), pytest.mark.long_on("postgres")]
QUICK = Timeouts(connect=0.5, login=0.5, look=0.5, fetch=0.5)
AUTHORITY = trustme.CA()


@pytest.fixture
def mailbox() -> Iterator[ImapServer]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("localhost").configure_cert(tls)
    with ImapServer(tls).running() as server:
        yield server


@pytest.fixture
def settings(settings: Settings, mailbox: ImapServer) -> Settings:
    url = f"imaps://grace%40example.org:pass%20word@localhost:{mailbox.port}"
    return replace(settings, imap_url=url, inbound_secret=None)


@pytest.fixture
def read(clock) -> Iterator[partial[int]]:
    """Read the mailbox as a worker does that trusts its authority; time passes until it is due again."""
    trusting = ssl.create_default_context()
    AUTHORITY.configure_trust(trusting)

    def read_again() -> int:
        clock.advance(timedelta(minutes=6))
        count = read_mailbox(tls=trusting, timeouts=QUICK)
        db.session.rollback()
        db.session.expire_all()
        return count

    yield partial(read_again)


def words() -> list[str]:
    return list(db.session.scalars(sa.select(Remark.text).order_by(Remark.id)))


def state() -> roads.Road:
    db.session.rollback()
    db.session.expire_all()
    [found] = roads.roads()
    return found


def test_what_came_to_an_address_of_ours_is_taken_in_and_marked(sink, mailbox, read):
    sent = told(sink)
    ours = [mailbox.put(answered("It works.", sent.answers)), mailbox.put(returned(sent.bounces))]

    assert read() == 2
    assert (words(), grace().suppressed_at is not None) == (["It works."], True)
    assert mailbox.seen == set(ours)
    assert state().sentence.startswith("Last read ") and state().is_open


def test_other_mail_is_not_even_fetched_and_stays_unseen(sink, mailbox, read):
    told(sink)
    mailbox.put(answered("Buy this."))
    mailbox.put(returned("support@fakturo.example"))

    assert read() == 0
    assert (mailbox.seen, mailbox.fetched, message_states()) == (set(), [], {"sent": 1})


def test_each_mail_is_read_once(sink, mailbox, read):
    sent = told(sink)
    mailbox.put(answered("One.", sent.answers, number="1"))
    read()
    mailbox.put(answered("Two.", sent.answers, number="2"))

    assert [read(), read(), read()] == [1, 0, 0]
    assert words() == ["One.", "Two."]
    assert mailbox.fetched == [1, 2]


def test_a_mailbox_that_counts_anew_is_read_anew_and_nothing_happens_twice(sink, mailbox, read):
    sent = told(sink)
    mailbox.put(answered("One.", sent.answers))
    read()

    mailbox.uid_validity = 8
    assert read() == 1
    assert (words(), mailbox.fetched) == (["One."], [1, 1])


def test_a_mail_that_breaks_off_half_way_is_read_again(sink, mailbox, read, monkeypatch):
    sent = told(sink)
    mailbox.put(answered("One.", sent.answers))
    mailbox.drops_at = "FETCH"

    assert read() == 0
    assert (words(), mailbox.seen, state().is_open) == ([], set(), False)
    mailbox.drops_at = ""
    assert read() == 1
    assert (words(), state().is_open) == (["One."], True)


def test_a_mail_that_was_taken_in_but_not_marked_does_nothing_again(sink, mailbox, read):
    sent = told(sink)
    mailbox.put(answered("One.", sent.answers))
    mailbox.drops_at = "STORE"
    read()
    mailbox.drops_at = ""

    assert read() == 0
    assert words() == ["One."]


def test_what_is_faster_than_our_own_note_waits_in_the_mailbox(sink, mailbox, read):
    sent = told(sink)
    delivery = the_delivery()
    mailbox.put(returned(sent.bounces))
    for now, done in ((DeliveryState.SENDING, 0), (DeliveryState.SENT, 1)):
        with transaction():
            delivery.state = now
        assert read() == done


def test_one_mail_that_is_not_understood_keeps_no_other_out(sink, mailbox, read, monkeypatch):
    sent = told(sink)
    mailbox.put(answered("One.", sent.answers, number="1"))
    mailbox.put(returned(sent.bounces))

    def fail(*_args):
        raise RuntimeError

    monkeypatch.setattr(taking_in, "_answered", fail)
    assert read() == 1
    assert (words(), grace().suppressed_at is not None) == ([], True)


def test_a_mail_of_100_mb_is_read_as_far_as_it_matters(sink, mailbox, read):
    raw = returned(told(sink).bounces)
    mailbox.put(raw + b"x" * (100 * 1024 * 1024))

    assert read() == 1
    assert grace().suppressed_at is not None
    assert len(raw) < READ_BYTES


@pytest.mark.parametrize("phase", ["GREETING", "AUTHENTICATE", "SELECT", "SEARCH", "FETCH"])
def test_a_mailbox_that_falls_silent_is_given_up_and_said(sink, mailbox, read, phase):
    sent = told(sink)
    mailbox.put(answered("One.", sent.answers))
    mailbox.stalls_at = phase

    assert read() == 0
    assert state().sentence.startswith("It cannot be read: ")
    mailbox.stalls_at = ""
    assert read() == 1
    assert state().is_open


def test_a_wrong_password_is_said_and_never_shown(sink, mailbox, read):
    mailbox.password = "another"

    assert read() == 0
    said = state().sentence
    assert "is wrong for" in said
    assert "pass word" not in said and "grace@example.org" not in said


def test_after_a_problem_the_mailbox_rests_for_five_minutes(sink, mailbox, clock):
    mailbox.password = "another"
    trusting = ssl.create_default_context()
    AUTHORITY.configure_trust(trusting)
    for _ in range(4):
        read_mailbox(tls=trusting, timeouts=QUICK)
        clock.advance(timedelta(minutes=2))

    assert mailbox.sign_ins == 2


def test_a_certificate_of_nobody_we_trust_is_refused(sink, mailbox):
    assert read_mailbox(timeouts=QUICK) == 0
    assert "certificate verify failed" in state().sentence
    assert mailbox.sign_ins == 0


def test_a_folder_may_have_any_name(sink, mailbox, read, app):
    sent = told(sink)
    mailbox.folder = "Fehler &- R&APw-ckl&AOQ-ufer"
    chosen = config.settings()
    config.keep(app, replace(chosen, imap_url=f"{chosen.imap_url}/Fehler%20%26%20R%C3%BCckl%C3%A4ufer"))
    mailbox.put(answered("One.", sent.answers))

    assert read() == 1


def test_a_folder_that_is_not_there_is_said(sink, mailbox, read):
    mailbox.folder = "Elsewhere"

    assert read() == 0
    assert "There is no folder INBOX" in state().sentence


@pytest.mark.fault("F-I2")
def test_workers_who_read_one_mailbox_at_once_do_everything_once(sink, mailbox, clock, together):
    sent = told(sink)
    for number in range(5):
        mailbox.put(answered(f"Number {number}.", sent.answers, number=str(number)))
    trusting = ssl.create_default_context()
    AUTHORITY.configure_trust(trusting)

    counts = together(lambda _: read_mailbox(tls=trusting, timeouts=Timeouts()))
    clock.advance(EVERY * 2)
    read_mailbox(tls=trusting, timeouts=Timeouts())

    assert sum(counts) == 5
    assert sorted(words()) == [f"Number {number}." for number in range(5)]


def test_where_no_mailbox_is_named_nothing_is_read(sink, mailbox, app):
    config.keep(app, replace(config.settings(), imap_url=None))

    assert (read_mailbox(), mailbox.sign_ins) == (0, 0)


def test_the_worker_reads_it_where_this_machine_trusts_its_certificate(sink, mailbox, tmp_path, monkeypatch):
    sent = told(sink)
    mailbox.put(answered("It works.", sent.answers))
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "trusted.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))

    assert [worker._read_mail(), worker._read_mail()] == [True, False]
    assert words() == ["It works."]
