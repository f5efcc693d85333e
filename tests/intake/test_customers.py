"""Customers: addresses, adding in place, and finding them by what was typed."""

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Invalid
from bugintake.intake.customers import adding, queries
from bugintake.intake.customers.models import Account, Customer
from bugintake.intake.models import Bug
from bugintake.team.models import Role
from tests.counting import asked
from tests.factories import make_bug, make_customer, make_report, make_user, make_workspace


def known_or_new(email, **values):
    with transaction():
        return adding.known_or_new(email, actor=None, **values)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Hana@Brightline.HR ", "hana@brightline.hr"),
        ("ops@mail.internal", "ops@mail.internal"),
        ("o'brien+bugs@example.com", "o'brien+bugs@example.com"),
    ],
)
def test_an_address_is_kept_in_one_shape(typed, kept):
    assert adding.normalise_address(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "hana",
        "hana@",
        "@x.com",
        "a@b@c.com",
        "a b@c.com",
        "a@b.com\r\nBcc: x@y.com",
        "a@b.com, c@d.com",
        "a@\ud800.com",
    ],
)
def test_what_mail_cannot_reach_is_no_address(typed):
    with pytest.raises(Invalid) as refusal:
        adding.normalise_address(typed)

    assert refusal.value.field == "email"


def test_what_is_far_too_long_is_refused_without_being_read_letter_by_letter(monkeypatch):
    monkeypatch.setattr(adding, "validate_email", lambda *_args, **_options: pytest.fail("It was read."))

    with pytest.raises(Invalid):
        adding.normalise_address(f"{'x' * 1_000_000}@x.com")


def test_somebody_unknown_is_added_with_their_company_and_language(app):
    make_workspace()
    hana = known_or_new("hana@brightline.at", name="Hana Kovač", company="Brightline")

    assert (hana.name, hana.language, hana.account.name) == ("Hana Kovač", "de", "Brightline")


@pytest.mark.parametrize(
    ("address", "language"),
    [("a@b.de", "de"), ("a@b.mx", "es"), ("a@b.com", "es"), ("a@b.uk", "en"), ("a@b.com.tr", "tr"), ("a@b.fr", "es")],
)
def test_a_language_on_offer_is_guessed_from_the_country_else_the_default(app, address, language):
    make_workspace(languages=["en", "de", "es", "tr"])
    assert known_or_new(address, default="es").language == language


def test_somebody_known_stays_as_they_are(app):
    hana = make_customer("Hana", email="hana@example.com", language="de")

    assert known_or_new("HANA@example.com", name="Somebody Else", language="es").id == hana.id
    assert (hana.name, hana.language) == ("Hana", "de")


def test_a_company_is_one_row_whatever_its_case_and_accents(app):
    make_customer(company="Otok Müller")
    make_customer(company="OTOK  muller")

    assert db.session.scalar(sa.select(sa.func.count()).select_from(Account)) == 1


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"email": "not an address", "name": "x", "language": "en"}, "email"),
        ({"email": "known@example.com", "name": "x", "language": "en"}, "email"),
        ({"email": None, "name": " ", "language": "en"}, "name"),
        ({"email": None, "name": "x" * 201, "language": "en"}, "name"),
        ({"email": None, "name": "x", "language": "hr"}, "language"),
    ],
)
def test_a_customer_who_cannot_be_is_refused_at_the_field(app, values, field):
    make_customer(email="known@example.com")

    with pytest.raises(Invalid) as refusal, transaction():
        adding.add_customer(actor=None, **values)

    assert refusal.value.field == field


@pytest.mark.parametrize(
    "typed", ["hana@brightline.hr", "HANA@Brightline.hr", "Hana Kovač", "hana kovac", "Hana Kovač, Brightline"]
)
def test_a_complete_address_or_name_means_one_customer(app, typed):
    hana = make_customer("Hana Kovač", email="hana@brightline.hr", company="Brightline")
    make_customer("Hana Kovačić", email="other@brightline.hr", company="Brightline")

    assert adding.customers_called(typed) == [hana]


@pytest.mark.parametrize("typed", ["", "  ", "hana", "%", "_", "nobody@example.com", "\x00"])
def test_less_than_a_name_means_nobody(app, typed):
    make_customer("Hana Kovač", email="hana@brightline.hr")

    assert list(adding.customers_called(typed)) == []


@pytest.mark.parametrize("typed", ["han", "kov", "kovač han", "brigh", "hana brightl", "hana@br"])
def test_suggestions_come_from_the_beginnings_of_words_and_the_address(app, typed):
    hana = make_customer("Hana Kovač", email="hana@brightline.hr", company="Brightline Studio")
    make_customer("Sam Okafor", email="sam@northpier.com", company="Northpier")

    found = queries.customers_like(typed, make_user(Role.AGENT))

    assert [each.customer for each in found] == [hana]


@pytest.mark.parametrize("typed", ["", "%", "_", "ana", "studiox", "\x00"])
def test_suggestions_take_nothing_for_everything(app, typed):
    make_customer("Hana Kovač", email="hana@brightline.hr", company="Brightline Studio")

    assert queries.customers_like(typed, make_user(Role.AGENT)) == []


def test_an_engineer_finds_an_address_only_by_the_whole_of_it(app):
    hana = make_customer("Petra", email="hana@brightline.hr")
    engineer = make_user(Role.ENGINEER)

    assert queries.customers_like("hana@bri", engineer) == []
    assert [each.customer for each in queries.customers_like("hana@brightline.hr", engineer)] == [hana]


def test_a_suggestion_says_what_is_known_and_what_was_used_last(app):
    hana = make_customer("Hana", language="de", company="Brightline")
    with transaction():
        hana.account.plan = "Business"
    make_report(hana, platform="Safari", version="4.11")
    make_report(hana, platform="Firefox", version="4.12", area="Search")

    known = queries.known_customer(hana, make_user(Role.AGENT))

    assert known.about == ("Business plan, writes in German, 2 open reports. Last report from Firefox 4.12.")
    assert (known.platform.label, known.version.label) == ("Firefox", "4.12")


def test_a_suggestion_neither_counts_nor_uses_what_the_reader_may_not_see(app):
    hana = make_customer("Hana")
    make_report(hana)
    with transaction():
        db.session.scalars(sa.select(Bug)).one().is_restricted = True

    known = queries.known_customer(hana, make_user(Role.AGENT))

    assert (known.open_count, known.platform, known.about) == (0, None, "Writes in English, 0 open reports.")


def test_suggestions_ask_the_database_as_often_for_three_as_for_one(app):
    agent = make_user(Role.AGENT)
    make_bug(waiting=[make_customer("Ana One")])
    with asked() as for_one:
        queries.customers_like("ana", agent)
    make_bug(waiting=[make_customer("Ana Two", company="B"), make_customer("Ana Three")])
    with asked() as for_three:
        found = queries.customers_like("ana", agent)

    assert len(found) == 3
    assert len(for_three) == len(for_one)


def test_a_customer_who_was_erased_is_not_suggested(app, clock):
    hana = make_customer("Hana")
    with transaction():
        hana.erased_at = clock.now()

    assert queries.customers_like("hana", make_user(Role.AGENT)) == []
    assert list(adding.customers_called("Hana")) == []
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Customer)) == 1
