"""The outbox: what leaves, in which words, and what every answer of the mail server does to the people in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from bugintake.core import security
from bugintake.core.config import Settings
from bugintake.core.db import db, transaction
from bugintake.core.events import Event, EventKind
from bugintake.intake import reports, waiting
from bugintake.intake.models import Bug, Customer, OptionList, Report, SettledBy, Status
from bugintake.loop import announcements, attempts, circuit, envelopes, messages, outbox, post
from bugintake.loop.models import (
    Announcement,
    CustomerLink,
    Delivery,
    DeliveryState,
    HeldBecause,
    LinkPurpose,
    Message,
    MessageState,
)
from bugintake.team.models import Role
from bugintake.triage import transitions
from tests.factories import make_bug, make_customer, make_option, make_report, make_user, make_workspace
from tests.faults.rig import broken_invariants, message_states, states, the_delivery, the_message, work
from tests.faults.server import FaultServer


@pytest.fixture
def sink() -> Iterator[FaultServer]:
    with FaultServer().running() as server:
        yield server


@pytest.fixture
def settings(settings: Settings, sink: FaultServer) -> Settings:
    return replace(settings, smtp_url=f"smtp://127.0.0.1:{sink.port}", base_url="https://bugs.example.com")


@pytest.fixture(autouse=True)
def _company(app: Any, clock: Any) -> None:
    make_workspace(review_minutes=0, reply_address="help@fakturo.example.com")


@pytest.fixture(autouse=True)
def _holds(app: Any, sink: FaultServer) -> Iterator[None]:
    yield
    assert broken_invariants(sink) == []


def live(*addresses: str, language: str = "en", **values: Any) -> Bug:
    people = [make_customer(f"Hana {n}", email=address, language=language) for n, address in enumerate(addresses)]
    return make_bug(Status.LIVE, waiting=people, **values)


def test_going_live_mails_everybody_who_waits_and_settles_them(sink: FaultServer) -> None:
    bug = live("hana@example.com", "sam@example.com")

    work()

    assert sorted(recipient for recipient, _ in sink.accepted) == ["hana@example.com", "sam@example.com"]
    assert states() == {"sent": 2}
    assert message_states() == {"sent": 2}
    found = db.session.scalars(sa.select(Report).where(Report.bug_id == bug.id)).all()
    assert {report.settled_by for report in found} == {SettledBy.TOLD}
    assert db.session.get_one(Bug, bug.id).waiting_count == 0
    kinds = db.session.scalars(sa.select(Event.kind).where(Event.bug_id == bug.id)).all()
    assert kinds.count(EventKind.MESSAGE_SENT) == 2


def test_nothing_is_sent_twice_however_often_a_worker_looks(sink: FaultServer) -> None:
    live("hana@example.com")

    assert [work(), work(), work()] == [1, 0, 0]
    assert len(sink.accepted) == 1


def test_five_bugs_that_go_live_together_make_one_mail(sink: FaultServer) -> None:
    hana = make_customer("Hana Kovač", email="hana@example.com")
    bugs = [make_bug(Status.LIVE, waiting=[hana]) for _ in range(5)]

    work()

    assert len(sink.accepted) == 1
    text = sink.accepted[0][1].get_body(("plain",)).get_content()
    assert [text.count(f"No more mail about {bug.ref}:") for bug in bugs] == [1] * 5
    assert sink.accepted[0][1]["Subject"] == "Fixed: 5 things you told us about"
    assert message_states() == {"sent": 5}


def test_the_mail_says_what_they_said_what_is_different_and_who_writes(sink: FaultServer, clock: Any) -> None:
    lea = make_user(Role.AGENT, name="Lea Novak")
    hana = make_customer("Hana Kovač", email="hana@example.com")
    bug = make_bug(waiting=[hana], actor=lea)
    clock.advance(timedelta(days=9))
    with transaction():
        version = make_option(OptionList.VERSION, "4.12.2")
        version.live_since_at = clock.now()
        transitions.fix(bug, {"en": "Export the invoice again; the VAT line is there."}, version, actor=lea)

    work()

    mail = sink.accepted[0][1]
    assert mail["Subject"] == "Fixed: The VAT line is missing"
    assert mail["From"] == "Fakturo support <bugintake@bugs.example.com>"
    assert mail["Reply-To"] == "help@fakturo.example.com"
    assert mail["References"] == f"<report-{the_message().report_id}@bugs.example.com>"
    text = mail.get_body(("plain",)).get_content().splitlines()
    assert text[:13] == [
        "Hello Hana,",
        "",
        "On 10 March you told us:",
        "",
        "> The VAT line is missing",
        "",
        "It is fixed since 19 March, in version 4.12.2.",
        "",
        "Export the invoice again; the VAT line is there.",
        "",
        "I am sorry it took us 9 days.",
        "",
        "Does it work for you now? Tell us, and see where your report stands:",
    ]
    assert text[15:19] == ["Thank you,", "Lea", "Fakturo support", ""]


@pytest.mark.parametrize(
    ("language", "subject", "greeting", "told_on", "note"),
    [
        ("de", "Behoben: ", "Hallo Hana,", "Am 10. März haben Sie uns gemeldet:", "Die Steuerzeile ist wieder da."),
        ("es", "Solucionado: ", "Hola, Hana:", "El 10 de marzo nos contó:", "La línea de IVA ha vuelto."),
    ],
)
def test_everybody_reads_their_own_language(
    sink: FaultServer, language: str, subject: str, greeting: str, told_on: str, note: str
) -> None:
    live("hana@example.com", language=language)

    work()

    mail = sink.accepted[0][1]
    text = mail.get_body(("plain",)).get_content()
    assert mail["Content-Language"] == language
    assert mail["Subject"].startswith(subject)
    assert [part in text for part in (greeting, told_on, note)] == [True] * 3
    assert not any(english in text for english in ("Hello", "fixed", "Thank", "mail about"))


def test_a_decline_gives_the_reason_and_a_way_round_and_never_says_fixed(sink: FaultServer) -> None:
    mira = make_user(name="Mira Kos")
    bug = make_bug(waiting=[make_customer("Urs", email="urs@example.com")], actor=mira)
    reason = make_option(OptionList.DECLINE_REASON)
    with transaction():
        notes, ways = {"en": "Swiss invoices must show CHF by rule."}, {"en": "Show the symbol after the amount."}
        transitions.decline(bug, reason, notes, ways, actor=mira)

    work()

    mail = sink.accepted[0][1]
    text = mail.get_body(("plain",)).get_content()
    assert mail["Subject"] == "About “The VAT line is missing”: we are leaving it as it is"
    assert "The reason: Swiss invoices must show CHF by rule." in text
    assert "What you can do instead: Show the symbol after the amount." in text
    assert not any(word in text.lower() for word in ("fixed", "resolved"))


def test_a_decline_without_a_way_round_says_so(sink: FaultServer) -> None:
    make_bug(Status.DECLINED, waiting=[make_customer(email="urs@example.com")])

    work()

    assert "There is no good way round it today" in sink.accepted[0][1].get_body(("plain",)).get_content()


def test_each_mail_opens_its_own_report_by_links_of_which_only_fingerprints_are_kept(sink: FaultServer) -> None:
    live("hana@example.com")

    work()

    mail = sink.accepted[0][1]
    text = mail.get_body(("plain",)).get_content()
    page = next(line for line in text.splitlines() if "/s/en/r/" in line)
    stop = mail["List-Unsubscribe"].strip("<>")
    rows = db.session.scalars(sa.select(CustomerLink).order_by(CustomerLink.id)).all()
    assert {row.secret_hash: row.purpose for row in rows} == {
        security.hash_secret(page.rsplit("/", 1)[1]): LinkPurpose.REPORT,
        security.hash_secret(stop.rsplit("/", 1)[1]): LinkPurpose.UNSUBSCRIBE,
    }
    assert page.startswith("https://bugs.example.com/s/en/r/")
    assert page.rsplit("/", 1)[1] not in the_message().text


def test_what_was_said_is_kept_for_the_team_without_the_private_link(sink: FaultServer) -> None:
    live("hana@example.com")

    work()

    assert "The VAT line is back." in the_message().text
    assert "https://" not in the_message().text
    assert the_delivery().subject == "Fixed: The VAT line is missing"


def test_without_a_mail_server_everything_stays_readable(app: Any, sink: FaultServer) -> None:
    app.extensions["bugintake"] = replace(app.extensions["bugintake"], smtp_url=None)
    live("hana@example.com")

    assert work() == 0
    assert states() == {"pending": 1}
    assert message_states() == {"pending": 1}


def test_the_sample_company_never_sends_mail(sink: FaultServer) -> None:
    make_workspace(is_sample=True)
    live("hana@example.com")

    assert work() == 0
    assert sink.connections == 0
    assert message_states() == {"pending": 1}


def test_nothing_leaves_before_its_review_is_over(sink: FaultServer, clock: Any) -> None:
    make_workspace(review_minutes=30)
    live("hana@example.com")

    assert work() == 0
    clock.advance(timedelta(minutes=31))
    assert work() == 1


@pytest.mark.parametrize(
    ("mode", "delivery", "message", "attempts_made", "phase", "code"),
    [
        ("rcpt450", "pending", "pending", 1, "rcpt", 450),
        ("rcpt421", "pending", "pending", 1, "rcpt", 421),
        ("data451", "pending", "pending", 1, "data", 451),
        ("dot451", "pending", "pending", 1, "data", 451),
        ("unknown", "suppressed", "suppressed", 1, "rcpt", 550),
        ("policy", "failed", "failed", 1, "rcpt", 550),
        ("bare550", "failed", "failed", 1, "rcpt", 550),
        ("noroute", "failed", "failed", 1, "rcpt", 554),
        ("data554", "failed", "failed", 1, "data", 554),
        ("dot554", "failed", "failed", 1, "data", 554),
        ("garbage", "uncertain", "uncertain", 1, "data", None),
        ("dropdata", "uncertain", "uncertain", 1, "data", None),
        ("dropdot", "uncertain", "uncertain", 1, "data", None),
        ("okdrop", "sent", "sent", 1, "data", 250),
    ],
)
def test_every_answer_puts_envelope_and_message_into_a_named_state(
    sink: FaultServer, mode: str, delivery: str, message: str, attempts_made: int, phase: str, code: int | None
) -> None:
    live(f"{mode}@example.com", "ok@example.com")

    work()

    found = db.session.scalars(sa.select(Delivery).order_by(Delivery.id)).first()
    assert found is not None
    assert (found.state, found.attempts, found.last_phase, found.last_code) == (delivery, attempts_made, phase, code)
    told = db.session.scalars(sa.select(Message).where(Message.delivery_id == found.id)).one()
    assert told.state == message
    assert sink.recipients.count("ok@example.com") == 1


def test_what_is_uncertain_is_never_sent_again_by_itself(sink: FaultServer, clock: Any) -> None:
    live("dropdot@example.com")

    for _ in range(5):
        work()
        clock.advance(timedelta(hours=2))

    assert len(sink.accepted) == 1
    assert states() == {"uncertain": 1}


def test_an_uncertain_mail_that_arrived_settles_and_one_to_send_again_keeps_its_message_id(
    sink: FaultServer, app: Any
) -> None:
    live("dropdot@example.com")
    work()
    lea = make_user(Role.AGENT)
    before = the_delivery().message_id

    with transaction():
        messages.judge_uncertain(the_message(), arrived=False, actor=lea)
    work()
    assert [mail["Message-ID"] for _, mail in sink.accepted] == [before, before]
    sink.accepted.pop()
    with transaction():
        messages.judge_uncertain(the_message(), arrived=True, actor=lea)

    assert (states(), message_states()) == ({"sent": 1}, {"sent": 1})


def test_a_hard_bounce_suppresses_the_address_and_says_so(sink: FaultServer) -> None:
    bug = live("unknown@example.com")

    work()

    customer = db.session.scalars(sa.select(Customer)).one()
    assert customer.suppressed_at is not None
    assert the_message().reason == "The address does not exist (5.1.1)."
    kinds = set(db.session.scalars(sa.select(Event.kind)))
    assert {EventKind.ADDRESS_SUPPRESSED, EventKind.MESSAGE_SUPPRESSED} <= kinds
    assert db.session.scalars(sa.select(Report)).one().settled_by is SettledBy.SUPPRESSED
    assert db.session.get_one(Bug, bug.id).waiting_count == 0


def test_a_policy_refusal_never_costs_the_customer_their_mail(sink: FaultServer) -> None:
    live("policy@example.com")

    work()

    assert db.session.scalars(sa.select(Customer.suppressed_at)).one() is None
    assert db.session.scalars(sa.select(Report.settled_at)).one() is None
    assert EventKind.DELIVERY_FAILED in set(db.session.scalars(sa.select(Event.kind)))


def test_retries_come_after_1_5_15_and_60_minutes_then_hourly_and_end_after_three_days(
    sink: FaultServer, clock: Any
) -> None:
    live("rcpt450@example.com")
    start, pauses = clock.now(), []
    for _ in range(80):
        before = clock.now()
        work()
        found = the_delivery()
        if found.state is not DeliveryState.PENDING:
            break
        pauses.append((found.not_before - before).total_seconds() / 60)
        clock.set(found.not_before)

    assert all(0.8 * wanted <= found <= 1.2 * wanted for wanted, found in zip([1, 5, 15, 60], pauses, strict=False))
    assert all(48 <= pause <= 72 for pause in pauses[3:])
    assert len({round(pause, 3) for pause in pauses[3:]}) > 60
    assert found.state is DeliveryState.FAILED
    assert timedelta(hours=65) < clock.now() - start < timedelta(hours=80)
    assert message_states() == {"failed": 1}


def test_a_retried_mail_carries_new_links_and_those_of_the_refused_one_are_gone(sink: FaultServer, clock: Any) -> None:
    live("rcpt450@example.com")

    for _ in range(3):
        work()
        clock.set(the_delivery().not_before)

    assert db.session.scalar(sa.select(sa.func.count()).select_from(CustomerLink)) == 0


def undo_their_report(bug: Bug, hana: Customer) -> None:
    report = db.session.scalars(sa.select(Report).where(Report.customer_id == hana.id)).one()
    reports.withdraw(report, actor=make_user(Role.AGENT))


def unsubscribe(bug: Bug, hana: Customer) -> None:
    report = db.session.scalars(sa.select(Report).where(Report.customer_id == hana.id)).one()
    report.unsubscribed_at = bug.filed_at


def erase(bug: Bug, hana: Customer) -> None:
    hana.erased_at, hana.email, hana.name = bug.filed_at, None, "erased"


def suppress(bug: Bug, hana: Customer) -> None:
    hana.suppressed_at = bug.filed_at


def lose_address(bug: Bug, hana: Customer) -> None:
    hana.email = None


def reopen(bug: Bug, hana: Customer) -> None:
    transitions.come_back(bug, actor=None)


def take_back(bug: Bug, hana: Customer) -> None:
    transitions.undo(bug, actor=make_user(Role.AGENT))


def merge(bug: Bug, hana: Customer) -> None:
    other = db.session.scalars(sa.select(Bug).where(Bug.id != bug.id)).one()
    bug.merged_into_id = bug.canonical_id = other.id
    waiting.recount([bug.id, other.id])


def hold(bug: Bug, hana: Customer) -> None:
    announcements.hold(db.session.scalars(sa.select(Announcement)).one(), actor=make_user(Role.AGENT))


def lose_note(bug: Bug, hana: Customer) -> None:
    announcement = db.session.scalars(sa.select(Announcement)).one()
    announcement.notes = {"de": "Wieder da."}


CHANGES = [
    (undo_their_report, "cancelled"),
    (unsubscribe, "suppressed"),
    (erase, "suppressed"),
    (suppress, "suppressed"),
    (lose_address, "held"),
    (reopen, "held"),
    (take_back, "cancelled"),
    (merge, "cancelled"),
    (hold, "pending"),
    (lose_note, "held"),
]


@pytest.mark.parametrize(("change", "state"), CHANGES)
def test_what_changed_while_a_mail_waited_is_seen_when_it_is_claimed(
    sink: FaultServer, change: Any, state: str
) -> None:
    make_bug(waiting=[])
    hana = make_customer(email="hana@example.com")
    bug = make_bug(Status.LIVE, waiting=[hana])
    with transaction():
        envelopes.open_due()
    with transaction():
        change(bug, hana)

    work()

    assert sink.accepted == []
    assert message_states() == {state: 1}


@pytest.mark.parametrize(("change", "state"), [each for each in CHANGES if each[0] is not lose_note])
def test_what_changed_after_a_mail_was_claimed_still_stops_it_before_data(
    sink: FaultServer, change: Any, state: str
) -> None:
    make_bug(waiting=[])
    hana = make_customer(email="hana@example.com")
    bug = make_bug(Status.LIVE, waiting=[hana])
    with transaction():
        envelopes.open_due()
    claimed = outbox.claim()[0]
    with transaction():
        change(bug, hana)
    channel = post.open_channel()

    outcome = post._send(claimed, channel, post.sender())

    channel.close()
    assert outcome.verdict == "withdrawn"
    work()
    assert sink.accepted == []
    assert message_states() == {state: 1}


def test_a_changed_address_gets_the_mail_and_the_old_one_does_not(sink: FaultServer) -> None:
    live("old@example.com")
    with transaction():
        envelopes.open_due()
    claimed = outbox.claim()[0]
    with transaction():
        db.session.scalars(sa.select(Customer)).one().email = "new@example.com"
    channel = post.open_channel()
    post._send(claimed, channel, post.sender())
    channel.close()

    work()

    assert [recipient for recipient, _ in sink.accepted] == ["new@example.com"]


def test_a_person_with_two_reports_is_told_once_and_both_settle(sink: FaultServer) -> None:
    hana = make_customer(email="hana@example.com")
    bug, other = make_bug(waiting=[hana]), make_bug(waiting=[hana])
    with transaction():
        other.merged_into_id = other.canonical_id = bug.id
        version = make_option(OptionList.VERSION, "4.13.0")
        version.live_since_at = datetime(2026, 3, 1, tzinfo=UTC)
        transitions.fix(bug, {"en": "Back."}, version, actor=make_user())

    work()

    assert len(sink.accepted) == 1
    assert {report.settled_by for report in db.session.scalars(sa.select(Report))} == {SettledBy.TOLD}


def test_two_workers_never_claim_the_same_envelope(sink: FaultServer) -> None:
    live(*(f"hana{n}@example.com" for n in range(6)))
    with transaction():
        envelopes.open_due()

    first, second = outbox.claim(4), outbox.claim(4)

    assert len({claimed.id for claimed in [*first, *second]}) == 6
    assert len({claimed.fence for claimed in [*first, *second]}) == 2
    for claimed in [*first, *second]:
        attempts.give_back(claimed)


def test_a_claim_that_ran_out_goes_back_and_the_slow_worker_cannot_send_it(sink: FaultServer, clock: Any) -> None:
    live("hana@example.com")
    with transaction():
        envelopes.open_due()
    slow = outbox.claim()[0]
    clock.advance(timedelta(minutes=16))

    work()

    assert attempts.begin_sending(slow) is False
    assert len(sink.accepted) == 1


def test_a_slow_yes_of_the_server_turns_uncertain_into_sent(sink: FaultServer, clock: Any) -> None:
    live("hana@example.com")
    with transaction():
        envelopes.open_due()
    slow = outbox.claim()[0]
    channel = post.open_channel()

    def lease_ends() -> bool:
        assert attempts.begin_sending(slow)
        clock.advance(timedelta(minutes=16))
        assert attempts.recover() == 1
        assert (states(), message_states()) == ({"uncertain": 1}, {"uncertain": 1})
        return True

    content = post.compose(slow.letter, post.sender(), slow.message_id, clock.now())
    envelope = post.Envelope("a@b.example", "hana@example.com", content)
    attempts.finish(slow, channel.deliver(envelope, lease_ends))
    channel.close()

    assert (states(), message_states()) == ({"sent": 1}, {"sent": 1})


def test_a_poisoned_envelope_fails_and_the_others_leave(sink: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    live("poison@example.com", "hana@example.com", "sam@example.com")
    written = outbox.letters.written

    def poisoned(outcomes: Any, workspace: Any) -> Any:
        if outcomes[0].message.customer.email == "poison@example.com":
            raise UnicodeEncodeError("ascii", "ü", 0, 1, "made up")
        return written(outcomes, workspace)

    monkeypatch.setattr(outbox.letters, "written", poisoned)

    work()

    assert states() == {"failed": 1, "sent": 2}
    assert message_states() == {"failed": 1, "sent": 2}
    assert db.session.scalar(sa.select(sa.func.count()).select_from(CustomerLink)) == 4


def test_an_envelope_too_large_fails_and_the_others_leave(sink: FaultServer) -> None:
    bug = live("hana@example.com")
    with transaction():
        announcement = db.session.scalars(sa.select(Announcement).where(Announcement.bug_id == bug.id)).one()
        announcement.notes = {"en": "x" * 10_000_000}
    live("sam@example.com")

    work()

    assert states() == {"failed": 1, "sent": 1}
    failed = db.session.scalars(sa.select(Delivery).where(Delivery.state == DeliveryState.FAILED)).one()
    assert failed.last_error == "The mail is larger than 1 MB."


def test_an_address_that_could_mean_two_people_fails_and_reaches_nobody(sink: FaultServer) -> None:
    live("hana@example.com")
    with transaction():
        db.session.scalars(sa.select(Customer)).one().email = "a@b.test, c@d.test"

    work()

    assert (states(), sink.recipients) == ({"failed": 1}, [])


def test_an_envelope_that_keeps_killing_workers_fails_at_last(sink: FaultServer, clock: Any) -> None:
    live("hana@example.com")
    with transaction():
        envelopes.open_due()

    for _ in range(attempts.MOST_LOSSES):
        assert len(outbox.claim()) == 1
        clock.advance(timedelta(minutes=16))
        attempts.recover()

    assert (states(), message_states()) == ({"failed": 1}, {"failed": 1})


def test_a_server_that_is_away_keeps_mail_waiting_and_the_channel_degraded(sink: FaultServer, clock: Any) -> None:
    live(*(f"hana{n}@example.com" for n in range(30)))
    sink.greeting = b"421 4.3.2 too busy"

    work()

    assert states() == {"pending": 30}
    assert sum(db.session.scalars(sa.select(Delivery.attempts))) == 1
    found = circuit.mail_circuit()
    assert found is not None
    assert found.reason == "hello: 4.3.2 too busy"
    assert work() == 0

    sink.greeting = b"220 ready"
    clock.advance(timedelta(minutes=2))
    while work():
        pass
    assert circuit.mail_circuit() is None
    clock.advance(timedelta(minutes=2))
    work()
    assert states() == {"sent": 30}


def test_a_refused_sign_in_holds_all_mail_and_counts_no_attempt(app: Any, sink: FaultServer, clock: Any) -> None:
    url = f"smtp://bugintake:wr0ng@127.0.0.1:{sink.port}"
    app.extensions["bugintake"] = replace(app.extensions["bugintake"], smtp_url=url)
    sink.password = "right"
    live("hana@example.com", "sam@example.com")

    for _ in range(3):
        work()
        clock.advance(timedelta(minutes=20))

    assert states() == {"pending": 2}
    assert set(db.session.scalars(sa.select(Delivery.attempts))) == {0}
    found = circuit.mail_circuit()
    assert found is not None
    assert (found.failures, found.reason) == (3, "auth: 5.7.8 …: wrong password")

    sink.password = "wr0ng"
    clock.advance(timedelta(minutes=20))
    work()
    assert states() == {"sent": 2}


def test_a_sender_that_is_no_address_holds_all_mail(app: Any, sink: FaultServer, clock: Any) -> None:
    app.extensions["bugintake"] = replace(app.extensions["bugintake"], mail_from="nobody")
    live("hana@example.com")

    work()

    assert states() == {"pending": 1}
    found = circuit.mail_circuit()
    assert found is not None
    assert found.reason.startswith("compose: The sender cannot be used.")


def test_an_address_of_the_server_that_says_nothing_holds_all_mail(app: Any, sink: FaultServer, clock: Any) -> None:
    app.extensions["bugintake"] = replace(app.extensions["bugintake"], smtp_url="smtp://mail.example.com/inbox")
    live("hana@example.com")

    work()

    found = circuit.mail_circuit()
    assert found is not None
    assert (states(), found.reason) == ({"pending": 1}, "connect: The address of the mail server ends after the port.")


def test_nothing_is_handed_over_while_the_database_cannot_keep_that_it_will_be(
    sink: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    live("hana@example.com", "sam@example.com")
    begin_sending = attempts.begin_sending

    def disk_is_full(_claimed: Any) -> bool:
        monkeypatch.setattr(attempts, "begin_sending", begin_sending)
        raise OperationalError("UPDATE", {}, Exception("database or disk is full"))

    monkeypatch.setattr(attempts, "begin_sending", disk_is_full)

    with pytest.raises(OperationalError):
        work()
    assert (sink.accepted, states()) == ([], {"pending": 2})
    work()
    assert states() == {"sent": 2}


def test_what_the_server_took_is_kept_although_the_database_is_busy_for_a_moment(
    sink: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    live("hana@example.com")
    finish = attempts.finish

    def busy(*_: Any) -> None:
        monkeypatch.setattr(attempts, "finish", finish)
        raise OperationalError("BEGIN IMMEDIATE", {}, Exception("database is locked"))

    monkeypatch.setattr(attempts, "finish", busy)

    work()

    assert states() == {"sent": 1}


def test_a_worker_told_to_stop_finishes_the_mail_at_hand_and_gives_the_rest_back(sink: FaultServer) -> None:
    live(*(f"hana{n}@example.com" for n in range(5)))
    with transaction():
        envelopes.open_due()

    post.send_due(lambda: len(sink.accepted) >= 2)

    assert states() == {"pending": 3, "sent": 2}
    assert set(db.session.scalars(sa.select(Delivery.lease_owner))) == {None}


def test_a_late_report_of_the_same_person_is_spoken_of_when_the_first_was_taken_back(sink: FaultServer) -> None:
    hana = make_customer(email="hana@example.com")
    bug, other = make_bug(waiting=[hana]), make_bug(waiting=[hana], actual="No tax line.")
    with transaction():
        other.merged_into_id = other.canonical_id = bug.id
        version = make_option(OptionList.VERSION, "4.13.0")
        version.live_since_at = datetime(2026, 3, 1, tzinfo=UTC)
        transitions.fix(bug, {"en": "Back."}, version, actor=make_user())
        first = db.session.scalars(sa.select(Report).where(Report.bug_id == bug.id)).one()
        reports.withdraw(first, actor=make_user(Role.AGENT))

    work()

    assert "> No tax line" in sink.accepted[0][1].get_body(("plain",)).get_content()


def test_a_message_without_words_in_its_language_stays_held_while_the_others_leave(sink: FaultServer) -> None:
    mira = make_user()
    bug = make_bug(
        waiting=[
            make_customer(email="hana@example.com"),
            make_customer(email="jose@example.com", language="es"),
        ]
    )
    with transaction():
        version = make_option(OptionList.VERSION, "4.13.0")
        version.live_since_at = datetime(2026, 3, 1, tzinfo=UTC)
        transitions.fix(bug, {"en": "The line is back."}, version, actor=mira)

    work()

    assert [recipient for recipient, _ in sink.accepted] == ["hana@example.com"]
    held = db.session.scalars(sa.select(Message).where(Message.state == MessageState.HELD)).one()
    assert held.held_because is HeldBecause.NO_NOTE


def test_mail_names_nobody_else_who_waits(sink: FaultServer) -> None:
    hana = make_customer("Hana", email="hana@example.com", company="Brightline")
    sam = make_customer("Sam Okafor", email="sam@example.com", company="Northpier")
    bug = make_bug(waiting=[hana])
    make_report(sam, bug=bug, actual="Sam's own words.")
    with transaction():
        version = make_option(OptionList.VERSION, "4.13.0")
        version.live_since_at = datetime(2026, 3, 1, tzinfo=UTC)
        transitions.fix(bug, {"en": "Back."}, version, actor=make_user())

    work()

    to_hana = next(mail for recipient, mail in sink.accepted if recipient == "hana@example.com")
    assert not any(word in to_hana.as_string() for word in ("Sam", "sam@", "Northpier"))
