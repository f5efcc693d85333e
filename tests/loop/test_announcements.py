"""Who is owed what when a bug becomes live or declined, and in which words."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.intake import reports
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import OptionList, Report, Status
from bugintake.loop import announcements
from bugintake.loop.envelopes import open_due
from bugintake.triage import transitions
from tests.counting import asked
from tests.factories import bring_to, make_bug, make_customer, make_option, make_user, make_version, make_workspace
from tests.loop.rows import TUESDAY_9, announcement_of, envelope_states, kinds, message_to, owed, release, waiting_for


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace()


@pytest.fixture
def mira(app):
    return make_user(name="Mira")


# --- Opening -----------------------------------------------------------------------------------------------------


def test_a_live_bug_owes_a_message_to_everybody_who_waits():
    people = [make_customer(email="hana@example.com"), make_customer(email="urs@example.com", language="de")]
    bug = make_bug(Status.LIVE, waiting=people)

    assert owed(bug) == [("hana@example.com", "pending", None), ("urs@example.com", "pending", None)]
    announcement = announcement_of(bug)
    assert (announcement.kind, announcement.generation) == ("live", 1)
    assert announcement.notes["de"] == "Die Steuerzeile ist wieder da."
    assert kinds(bug)[-2:] == ["bug.live", "announcement.opened"]


def test_a_declined_bug_owes_a_message_too():
    bug = make_bug(Status.DECLINED, waiting=[make_customer(email="hana@example.com")])

    assert owed(bug) == [("hana@example.com", "pending", None)]
    assert announcement_of(bug).kind == "declined"


def test_nobody_else_hears_of_it():
    make_bug(waiting=[make_customer(email="other@example.com")])
    bug = make_bug(Status.LIVE, waiting=[])

    assert owed(bug) == []
    assert announcement_of(bug) is not None


def test_a_restricted_bug_tells_its_customers_like_any_other(mira):
    bug = make_bug(waiting=[make_customer(email="hana@example.com")])
    with transaction():
        bug.is_restricted = True
    bring_to(bug, Status.LIVE, actor=mira)

    assert owed(bug) == [("hana@example.com", "pending", None)]


def test_people_under_a_merged_bug_hear_once_of_the_canonical_one(mira):
    hana = make_customer(email="hana@example.com")
    bug, other = make_bug(waiting=[hana]), make_bug(waiting=[hana, make_customer(email="sam@example.com")])
    with transaction():
        other.merged_into_id = other.canonical_id = bug.id
    bring_to(bug, Status.LIVE, actor=mira)

    assert owed(bug) == [("hana@example.com", "pending", None), ("sam@example.com", "pending", None)]


def test_a_missing_language_holds_only_those_who_read_it(mira):
    people = [make_customer(email="hana@example.com"), make_customer(email="urs@example.com", language="de")]
    bug = make_bug(waiting=people)
    with transaction():
        transitions.fix(bug, {"en": "It is back.", "de": "  "}, make_version(live_since=TUESDAY_9), actor=mira)

    assert owed(bug) == [("hana@example.com", "pending", None), ("urs@example.com", "held", "no_note")]


def test_a_decline_needs_its_way_round_in_the_same_languages(mira):
    people = [make_customer(email="hana@example.com"), make_customer(email="urs@example.com", language="de")]
    bug = make_bug(waiting=people)
    reason = make_option(OptionList.DECLINE_REASON)
    with transaction():
        notes = {"en": "It must show CHF.", "de": "Es muss CHF zeigen."}
        transitions.decline(bug, reason, notes, {"en": "Print it."}, actor=mira)

    assert owed(bug) == [("hana@example.com", "pending", None), ("urs@example.com", "held", "no_note")]


def test_a_customer_without_an_address_is_held_for_a_person():
    bug = make_bug(Status.LIVE, waiting=[make_customer("Hana", email="")])

    assert owed(bug) == [(None, "held", "no_address")]
    assert waiting_for(bug) == 1


def test_an_address_that_bounced_is_suppressed_and_waits_no_longer(mira):
    hana, sam = make_customer(email="hana@example.com"), make_customer(email="sam@example.com")
    bug = make_bug(waiting=[hana, sam])
    with transaction():
        hana.suppressed_at = TUESDAY_9
    bring_to(bug, Status.LIVE, actor=mira)

    assert owed(bug) == [("hana@example.com", "suppressed", None), ("sam@example.com", "pending", None)]
    assert waiting_for(bug) == 1
    assert message_to("hana@example.com").reason == "Mail to this address comes back."
    settled = db.session.scalars(sa.select(Report).where(Report.settled_at.is_not(None))).one()
    assert (settled.customer_id, settled.settled_by) == (hana.id, "suppressed")
    assert "report.settled" in kinds(bug)


def test_an_unsubscribed_report_is_suppressed(mira):
    bug = make_bug(waiting=[make_customer(email="hana@example.com")])
    with transaction():
        db.session.scalars(sa.select(Report)).one().unsubscribed_at = TUESDAY_9
    bring_to(bug, Status.LIVE, actor=mira)

    assert owed(bug) == [("hana@example.com", "suppressed", None)]
    assert waiting_for(bug) == 0


def test_the_settled_are_owed_nothing(mira):
    hana = make_customer(email="hana@example.com")
    bug = make_bug(waiting=[hana, make_customer(email="sam@example.com")])
    with transaction():
        reports.withdraw(db.session.scalars(sa.select(Report).where(Report.customer_id == hana.id)).one(), actor=mira)
    bring_to(bug, Status.LIVE, actor=mira)

    assert owed(bug) == [("sam@example.com", "pending", None)]


def test_two_thousand_people_take_as_many_questions_as_one(mira):
    few, many = make_bug(waiting=[make_customer()]), make_bug(waiting=[make_customer()])
    wait_in_bulk(many, 2000)
    release = make_version(live_since=TUESDAY_9)

    def live(bug):
        with asked() as opening, transaction():
            transitions.fix(bug, {"en": "It is back."}, release, actor=mira)
        with asked() as sending, transaction():
            announcement_of(bug).due_at = TUESDAY_9
            made = open_due(at_most=5000)
        return made, len(opening), len(sending)

    (one, *first), (two_thousand, *second) = live(few), live(many)

    assert (one, two_thousand) == (1, 2001)
    assert first == second
    assert waiting_for(many) == 2001


def wait_in_bulk(bug, number):
    """Let a number of customers more wait for a bug, without the verbs, which would take a minute."""
    pattern = db.session.scalars(sa.select(Report).where(Report.bug_id == bug.id)).first()
    columns = [c.name for c in Report.__table__.columns if c.name not in ("id", "customer_id")]
    first = (db.session.scalar(sa.select(sa.func.max(Customer.id))) or 0) + 1
    with transaction():
        people = [
            {"id": i, "email": f"many{i}@example.com", "name": f"Person {i}", "language": "en"}
            for i in range(first, first + number)
        ]
        db.session.execute(sa.insert(Customer), people)
        same = {name: getattr(pattern, name) for name in columns}
        db.session.execute(sa.insert(Report), [{**same, "customer_id": person["id"]} for person in people])
        bug.waiting_count += number


# --- Words -------------------------------------------------------------------------------------------------------


def test_writing_the_missing_note_frees_those_who_waited_for_it(mira):
    bug = make_bug(waiting=[make_customer(email="urs@example.com", language="de")])
    with transaction():
        transitions.fix(bug, {"en": "It is back."}, make_version(live_since=TUESDAY_9), actor=mira)
    with transaction():
        announcements.edit_notes(announcement_of(bug), {"de": "Sie ist wieder da."}, {}, actor=mira)

    assert owed(bug) == [("urs@example.com", "pending", None)]
    assert announcement_of(bug).notes == {"en": "It is back.", "de": "Sie ist wieder da."}
    last = db.session.scalars(sa.select(Event).order_by(Event.id.desc())).first()
    assert (last.kind, last.details["languages"]) == (EventKind.ANNOUNCEMENT_EDITED, ["de"])


def test_taking_a_note_away_holds_those_who_read_it(clock, mira):
    bug = make_bug(Status.LIVE, waiting=[make_customer(email="urs@example.com", language="de")])
    clock.advance(timedelta(minutes=30))
    release()
    with transaction():
        announcements.edit_notes(announcement_of(bug), {"de": ""}, {}, actor=mira)

    assert owed(bug) == [("urs@example.com", "held", "no_note")]
    assert envelope_states() == ["cancelled"]


def test_the_same_words_again_are_no_event(mira):
    bug = make_bug(Status.LIVE)
    announcement = announcement_of(bug)
    with transaction():
        announcements.edit_notes(announcement, dict(announcement.notes), {}, actor=mira)

    assert "announcement.edited" not in kinds(bug)


@pytest.mark.parametrize(("notes", "field"), [({"en": "x" * 4001}, "note"), ({"xx": "words"}, "language")])
def test_words_that_cannot_be_are_refused(mira, notes, field):
    bug = make_bug(Status.LIVE)
    with pytest.raises(Invalid) as refused, transaction():
        announcements.edit_notes(announcement_of(bug), notes, {}, actor=mira)

    assert refused.value.field == field
