"""What leaves, to whom, and in which words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bugintake.core import security
from bugintake.core.db import db, transaction
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.forms import Seen
from bugintake.intake import reports
from bugintake.intake.customers import changing
from bugintake.intake.models import Bug, OptionList, Report, SettledBy, Status
from bugintake.loop.models import CustomerLink, HeldBecause, LinkPurpose, Message, MessageState
from bugintake.team.models import Role
from bugintake.triage import transitions
from tests.factories import make_bug, make_customer, make_option, make_report, make_user, make_workspace
from tests.faults.rig import message_states, states, the_delivery, the_message, work
from tests.faults.server import FaultServer
from tests.loop.rows import live

pytestmark = pytest.mark.long_on("postgres")


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
        "It has been fixed since 19 March, in version 4.12.2.",
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


@pytest.mark.parametrize(
    ("language", "used", "own", "words"),
    [
        (
            "en",
            "4.1",
            True,
            "in version 4.3. You told us of it in version 4.1: it works for you once you have updated.",
        ),
        ("de", "4.1", True, "in Version 4.3. Gemeldet haben Sie es in Version 4.1: Bei Ihnen geht es, sobald Sie"),
        ("en", "4.1", False, "in version 4.3."),
        ("en", "4.3", True, "in version 4.3."),
        ("en", "Not sure", True, "in version 4.3."),
    ],
)
def test_whoever_runs_a_version_of_their_own_is_told_which_one_has_it(
    sink: FaultServer, language: str, used: str, own: bool, words: str
) -> None:
    older, newer = make_option(OptionList.VERSION, "4.1"), make_option(OptionList.VERSION, "4.3")
    with transaction():
        older.position, newer.position = 900, 901
        newer.live_since_at = datetime(2026, 3, 1, tzinfo=UTC)
    hana = make_customer("Hana", email="hana@example.com", language=language, company="Brightline")
    with transaction():
        changing.change_account(hana.account, {"own_version": "yes" if own else "no"}, Seen(), actor=None)
    bug = make_bug(waiting=[hana], version=used)
    with transaction():
        transitions.fix(bug, {language: "Back."}, newer, actor=make_user())
    work()

    text = " ".join(sink.accepted[0][1].get_body(("plain",)).get_content().split())
    assert words in text
    assert ("4.1" in text) == (own and used == "4.1")
