"""The catalogue: adding, changing, retiring and finding choices."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.events import Event
from bugintake.core.forms import Seen
from bugintake.intake import catalogue, option_editing
from bugintake.intake.catalogue import LABEL_LENGTH, choose, key_of, options_of
from bugintake.intake.models import Option, OptionList, Report, Status
from bugintake.intake.option_use import LATEST_REPORTS, latest_use_of_areas, use_of
from bugintake.team.models import Role
from tests.factories import make_bug, make_option, make_report, make_user, make_workspace

AREA, SYMPTOM, VERSION = OptionList.AREA, OptionList.SYMPTOM, OptionList.VERSION


def change(option, **typed):
    with transaction():
        option_editing.edit(option, typed, Seen(), actor=make_user(Role.LEAD))


def kinds():
    return [event.kind for event in db.session.scalars(sa.select(Event).order_by(Event.id))]


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("Račun", "racun"),
        ("  PDF   Export ", "pdf export"),
        ("Straße", "strasse"),
        ("Łódź", "lodz"),
        ("a\x00b\ud800", "ab\ufffd"),
    ],
)
def test_labels_are_found_whatever_their_case_and_accents(typed, key):
    assert key_of(typed) == key


def test_a_choice_is_added_at_the_end_of_its_list(app):
    first, second = make_option(AREA, "Invoices"), make_option(AREA, "Calendar")

    assert options_of(AREA) == [first, second]
    assert kinds() == ["option.added", "option.added"]


def test_not_sure_stands_last_whenever_it_was_added(app):
    unsure = make_option(VERSION, "Not sure", is_unsure=True)
    known = make_option(VERSION, "4.12")

    assert options_of(VERSION) == [known, unsure]
    assert catalogue.choices()[VERSION] == [known, unsure]
    assert catalogue.not_sure(VERSION) == unsure


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"label": " \x00 "}, "Give the choice a name."),
        ({"label": "x" * 121}, "A name has at most 120 characters."),
        ({"label": "x", "labels": {"de": "x" * 121}}, "A name has at most 120 characters."),
        ({"label": "x", "hint": "x" * 201}, "A hint has at most 200 characters."),
        ({"label": "x", "deadline_minutes": 0}, "A deadline is 1 to 100,000 working minutes."),
    ],
)
def test_a_choice_that_cannot_be_is_refused(app, values, sentence):
    with pytest.raises(Invalid) as refusal, transaction():
        catalogue.add_option(AREA, actor=None, **values)

    assert refusal.value.sentence == sentence


def test_a_list_holds_a_label_once_whatever_its_accents(app):
    make_option(AREA, "Račun")

    with pytest.raises(Conflict, match="The list already has Račun"), transaction():
        catalogue.add_option(AREA, "RACUN", actor=None)

    with transaction():
        catalogue.add_option(SYMPTOM, "Racun", actor=None)


def test_a_label_whose_letters_grow_when_folded_still_fits(app):
    make_option(AREA, "ﷺ" * LABEL_LENGTH)

    assert options_of(AREA)[0].label == "ﷺ" * LABEL_LENGTH


def test_renaming_keeps_the_choice_and_records_what_changed(app):
    option = make_option(AREA, "Invoices")

    change(option, label="Bills", aliases="Invoice")

    assert choose(AREA, "bills").id == choose(AREA, "invoice").id == option.id
    event = db.session.scalars(sa.select(Event).where(Event.kind == "option.changed")).one()
    assert (event.before, event.after, event.details) == (
        "Invoices",
        "Bills",
        {
            "changed": ["label", "aliases"],
            "was": {"label": "Invoices", "aliases": []},
            "now": {"label": "Bills", "aliases": ["invoice"]},
        },
    )


def test_changing_nothing_records_nothing(app):
    option = make_option(AREA, "Invoices")

    change(option)

    assert kinds() == ["option.added"]


def test_a_choice_cannot_take_the_name_of_another(app):
    make_option(AREA, "Invoices")
    other = make_option(AREA, "Bills")

    with pytest.raises(Conflict, match="already has Invoices"):
        change(other, label="INVOICES")


def test_a_retired_choice_leaves_new_forms_and_comes_back(app):
    lead = make_user(Role.LEAD)
    old, kept = make_option(AREA, "Fax"), make_option(AREA, "Mail")

    with transaction():
        catalogue.retire(old, actor=lead)
        catalogue.retire(old, actor=lead)

    assert options_of(AREA) == [kept]
    assert options_of(AREA, with_retired=True) == [old, kept]
    with pytest.raises(Invalid, match="Fax is no longer offered as area"):
        choose(AREA, old.id)

    with transaction():
        catalogue.offer_again(old, actor=lead)

    assert choose(AREA, "fax") == old
    assert kinds() == ["option.added", "option.added", "option.retired", "option.changed"]


def test_the_last_choice_of_a_list_that_every_report_needs_stays(app):
    lead = make_user(Role.LEAD)
    only, reason = make_option(AREA, "Mail"), make_option(OptionList.DECLINE_REASON, "By design")

    with pytest.raises(Conflict, match="last choice of its list"), transaction():
        catalogue.retire(only, actor=lead)
    with transaction():
        catalogue.retire(reason, actor=lead)

    assert db.session.get(Option, reason.id).retired_at is not None


@pytest.mark.parametrize("given", ["Invoices", "  iNVOICES ", "račun", "RACUN"])
def test_a_choice_is_found_by_label_and_alias(app, given):
    option = make_option(AREA, "Invoices", aliases=["racun"])

    assert choose(AREA, given) == option
    assert choose(AREA, option.id) == choose(AREA, str(option.id)) == option


@pytest.mark.parametrize("given", ["Nowhere", "0", "-1", "999999", "9" * 30, "٣", "", "\x00", "\ud800", "%", "1e3"])
def test_what_is_not_in_the_list_is_refused_by_name(app, given):
    make_option(AREA, "Invoices")

    with pytest.raises(Invalid) as refusal:
        choose(AREA, given)

    assert refusal.value.field == "area"
    assert refusal.value.sentence.startswith("The list of area choices has no ")


def test_a_choice_of_another_list_is_refused(app):
    symptom = make_option(SYMPTOM, "Slow")
    make_option(AREA, "Invoices")

    with pytest.raises(Invalid):
        choose(AREA, symptom.id)


def test_use_counts_the_last_ninety_days(app, clock):
    make_workspace()
    make_report(area="Invoices")
    clock.advance(timedelta(days=91))
    make_report(area="Invoices")
    make_report(area="Calendar")
    make_bug(Status.DECLINED, area="Calendar")

    counts = {db.session.get_one(Option, key).label: count for key, count in use_of(AREA).items()}
    assert counts == {"Invoices": 1, "Calendar": 2}
    assert list(use_of(OptionList.DECLINE_REASON).values()) == [1]


def test_use_of_one_area_counts_its_reports_alone(app):
    make_workspace()
    for area in ("Invoices", "Invoices", "Calendar"):
        report = make_report(area=area)

    assert use_of(OptionList.IMPACT, report.area_id) == {report.impact_id: 1}
    assert sum(use_of(OptionList.IMPACT).values()) == 3


def test_use_counts_more_reports_than_the_form_looks_at(app):
    make_workspace()
    report = make_report(area="Invoices")
    columns = [
        each.name for each in Report.__table__.columns if each.name not in ("id", "submission_key", "customer_id")
    ]
    same = sa.select(*(getattr(Report, name) for name in columns)).where(Report.id == report.id)
    with transaction():
        for _ in range(LATEST_REPORTS + 1):
            db.session.execute(sa.insert(Report).from_select(columns, same))

    assert use_of(AREA) == {report.area_id: LATEST_REPORTS + 2}
    assert latest_use_of_areas() == {report.area_id: LATEST_REPORTS}
