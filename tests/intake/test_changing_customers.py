"""Changing what is known of customers and accounts: details, numbers of other systems, notes, mail that came back."""

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid, Stale
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.forms import Seen, fingerprint
from bugintake.intake.customers import adding, changing, merging, queries
from bugintake.intake.customers.models import ExternalId
from bugintake.team.models import Role
from tests.factories import make_customer, make_user, make_workspace


@pytest.fixture(autouse=True)
def _company(app):
    make_workspace()


def change(customer, *, seen=None, actor=None, **typed):
    with transaction():
        changing.change_customer(customer, typed, seen or Seen(), actor=actor)


def change_account(account, **typed):
    with transaction():
        changing.change_account(account, typed, Seen(), actor=None)


def found(typed, role=Role.AGENT):
    return [each.customer.name for each in queries.customers_like(typed, make_user(role))]


def test_what_is_known_of_a_person_changes_field_by_field(app):
    hana = make_customer("Hana", email="hana@old.hr", company="Brightline")

    change(hana, name="Hana Kovač", email="Hana@New.hr", language="de", zone="Europe/Zagreb", company="Northpier")

    assert changing.shown_of_customer(hana) == {
        "name": "Hana Kovač",
        "email": "hana@new.hr",
        "language": "de",
        "zone": "Europe/Zagreb",
        "company": "Northpier",
        "ids": "",
        "quiet_until": "",
    }
    event = db.session.scalars(sa.select(Event).where(Event.kind == EventKind.CUSTOMER_CHANGED)).one()
    assert event.details == {"customer_id": hana.id, "fields": ["company", "email", "language", "name", "zone"]}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "x" * 201),
        ("email", "nobody"),
        ("email", "sam@taken.hr"),
        ("language", "xx"),
        ("zone", "Mars/Base"),
        ("ids", "4711"),
        ("ids", "crm: hana@new.hr"),
        ("ids", "crm: 1"),
        ("quiet_until", "tomorrow"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(app, field, value):
    sam, hana = make_customer("Sam", email="sam@taken.hr"), make_customer("Hana")
    change(sam, ids="crm: 1")

    with pytest.raises(Invalid) as refusal:
        change(hana, **{field: value})

    assert refusal.value.field == field


def test_two_people_who_change_one_field_both_hear_of_it(app):
    hana, lea = make_customer("Hana"), make_user(Role.AGENT, "Lea Agent")
    seen = Seen({"name": fingerprint("Hana"), "language": fingerprint("en")})
    change(hana, seen=seen, actor=lea, name="Hana Kovač", language="en")

    with pytest.raises(Stale) as refusal:
        change(hana, seen=seen, name="Hanna", language="de")

    clash = refusal.value.clashes[0]
    assert (clash.name, clash.theirs, clash.mine, clash.who) == (
        "name",
        "Hana Kovač",
        "Hanna",
        "Lea changed it 1 s ago.",
    )


def test_numbers_of_other_systems_are_kept_in_order_and_belong_to_one(app):
    hana = make_customer("Hana", company="Brightline")

    change(hana, ids="zendesk: 99\nCRM = 4711; crm: 4711")
    change_account(hana.account, ids="crm: 4711")

    assert changing.written(queries.external_ids(hana)) == "crm: 4711\nzendesk: 99"
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ExternalId)) == 3


@pytest.mark.parametrize(
    "typed", ["kov", "ana", "bri hana", "4711", "crm-9", "hana@new", "new.hr", "MARIE", "kovac, bri"]
)
def test_somebody_is_found_by_how_any_of_their_words_begins(app, typed):
    hana = make_customer("Hana Kovač", email="hana@new.hr", company="Brightline Studio")
    change(hana, name="Ana-Marie Hana Kovač", ids="crm: 4711\nother: CRM-9")
    make_customer("Sam", email="sam@other.com", company="Northpier")

    assert found(typed) == ["Ana-Marie Hana Kovač"]


def test_somebody_is_no_longer_found_by_what_they_were_called(app):
    hana = make_customer("Hana", email="hana@old.hr", company="Brightline")

    change(hana, name="Petra", email="petra@new.hr", company="")
    change_account(adding_account("Brightline"), name="Northpier")

    assert [found(typed) for typed in ("hana", "old.hr", "bright", "north", "petra")] == [[], [], [], [], ["Petra"]]


def adding_account(name):
    with transaction():
        return adding.account_named(name)


@pytest.mark.parametrize("typed", ["hana@", "new.hr", "hana petra"])
def test_an_engineer_does_not_find_by_parts_of_an_address(app, typed):
    make_customer("Petra", email="hana@new.hr")

    assert found(typed, Role.ENGINEER) == []


def test_a_number_of_another_system_means_one_customer_on_the_form(app):
    hana = make_customer("Hana")
    change(hana, ids="crm: 4711")

    assert adding.customers_called("4711") == [hana]


def test_a_company_of_the_same_name_is_refused(app):
    make_customer("Hana", company="Brightline")
    other = make_customer("Sam", company="Northpier").account

    with pytest.raises(Invalid) as refusal:
        change_account(other, name="BRIGHTLINE")

    assert refusal.value.field == "name"


def test_a_note_says_who_wrote_it_and_when(app, clock):
    hana, lea = make_customer("Hana"), make_user(Role.AGENT, "Lea")
    with transaction():
        note = changing.write_note(hana, "On leave, answer in March.", actor=lea)

    kept = [(each.text, each.written_by.name, each.written_at) for each in queries.notes_on(hana)]
    assert kept == [("On leave, answer in March.", "Lea", clock.now())]
    with transaction():
        changing.remove_note(note, actor=lea)
    assert list(queries.notes_on(hana)) == []


@pytest.mark.parametrize("text", ["", "x" * 4001])
def test_a_note_has_words_and_not_too_many(app, text):
    hana, lea = make_customer("Hana"), make_user(Role.AGENT)

    with pytest.raises(Invalid), transaction():
        changing.write_note(hana, text, actor=lea)


def test_mail_goes_again_to_an_address_once_somebody_says_so(app, clock):
    hana, lea = make_customer("Hana"), make_user(Role.AGENT)
    with transaction():
        hana.suppressed_at, hana.suppressed_because = clock.now(), "The address does not exist."

    with transaction():
        changing.lift_suppression(hana, actor=lea)

    assert (hana.suppressed_at, hana.suppressed_because) == (None, "")
    with pytest.raises(Conflict), transaction():
        changing.lift_suppression(hana, actor=lea)


def test_a_new_address_is_not_held_against_what_came_back_from_the_old_one(app, clock):
    hana = make_customer("Hana", email="hana@old.hr")
    with transaction():
        hana.suppressed_at, hana.suppressed_because = clock.now(), "The address does not exist."

    change(hana, email="hana@new.hr")

    assert hana.suppressed_at is None


def test_nobody_writes_a_note_on_a_record_that_was_merged(app):
    hana, twin, lea = make_customer("Hana"), make_customer("Hana K"), make_user(Role.AGENT)
    with transaction():
        merging.merge(twin, hana, actor=lea)

    with pytest.raises(Conflict), transaction():
        changing.write_note(twin, "On leave.", actor=lea)
