"""Customers as a CSV file: all of it or nothing, a sentence for each line, and nothing that a spreadsheet runs."""

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Invalid
from bugintake.core.forms import Seen
from bugintake.intake.customers import changing, files, merging
from bugintake.intake.customers.models import Account, Customer
from bugintake.team.models import Role
from tests.factories import make_customer, make_user, make_workspace

pytestmark = pytest.mark.long_on("postgres")

FILE = """external_ids;email;name;company;language;time_zone;quiet_until
crm: 4711;hana@b.com;Hana Kovač;Brightline;German;Europe/Zagreb;2027-03-01
crm: 4712;;Sam;;;;
"""


@pytest.fixture(autouse=True)
def _company(app):
    make_workspace()


def take_in(text, dry_run=False):
    outcome = files.take_in(text, dry_run=dry_run, actor=None)
    db.session.expire_all()
    return outcome


def said(outcome):
    return [(line.number, line.sentence, line.is_refused) for line in outcome.lines]


def customers():
    return db.session.scalars(sa.select(Customer).order_by(Customer.id)).all()


def test_who_is_new_is_added_with_everything_the_line_says():
    outcome = take_in(FILE)

    hana, sam = customers()
    assert said(outcome) == [(2, "Hana Kovač is added.", False), (3, "Sam is added.", False)]
    assert changing.shown_of_customer(hana) == {
        "name": "Hana Kovač",
        "email": "hana@b.com",
        "language": "de",
        "zone": "Europe/Zagreb",
        "company": "Brightline",
        "ids": "crm: 4711",
        "quiet_until": "2027-03-01",
    }
    assert (sam.email, changing.shown_of_customer(sam)["ids"]) == (None, "crm: 4712")


def test_taken_in_twice_nothing_is_added_or_changed():
    take_in(FILE)

    assert [line.sentence for line in take_in(FILE).lines] == ["Hana Kovač stays as it is.", "Sam stays as it is."]


def test_somebody_is_found_by_number_or_address_and_an_empty_cell_changes_nothing():
    take_in(FILE)

    outcome = take_in("id,external_ids,e-mail,name\n1,crm: 4711,new@b.com,\n2,,new@b.com,Hana K\n")

    assert (outcome.left_out, [line.sentence for line in outcome.lines]) == (
        ["id"],
        ["Hana Kovač: address changed.", "Hana K: name changed."],
    )
    assert [each.name for each in customers()] == ["Hana K", "Sam"]


def test_a_dry_run_says_the_same_and_keeps_nothing():
    outcome = take_in(FILE, dry_run=True)

    assert [line.sentence for line in outcome.lines] == ["Hana Kovač is added.", "Sam is added."]
    assert (outcome.is_kept, customers(), db.session.scalars(sa.select(Account)).all()) == (False, [], [])


def test_where_one_line_is_wrong_nothing_is_kept_and_each_wrong_line_is_said():
    wrong = "email,name,language\nhana@b.com,Hana,de\nnobody,Sam,de\nole@b.com,Ole,xx\n"

    outcome = take_in(wrong)

    assert [(line.number, line.is_refused) for line in outcome.lines] == [(2, False), (3, True), (4, True)]
    assert (outcome.is_kept, customers()) == (False, [])


def test_numbers_of_two_people_in_one_line_are_refused():
    take_in("external_ids,name\ncrm: 1,Hana\ncrm: 2,Sam\n")

    outcome = take_in("external_ids,name\ncrm: 1; crm: 2,Hana\n")

    assert (
        outcome.refused[0].sentence == "Its numbers and its address are those of several customers. Merge them first."
    )


@pytest.mark.parametrize(
    "text", ["", "phone\n1\n", 'email\n"a@b.com', "email\n" + "a@b.com\n" * 2001, "email\n" + "x" * 2_000_001]
)
def test_what_is_no_such_file_is_refused(text):
    with pytest.raises(Invalid):
        take_in(text)


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_no_spreadsheet_runs_a_name_and_taken_in_again_it_is_the_same(name):
    hana = make_customer("Hana", email="hana@b.com")
    with transaction():
        changing.change_customer(hana, {"name": name}, Seen(), actor=None)

    text = files.written_out()

    assert f",'{name}," in text
    assert [line.sentence for line in take_in(text).lines] == [f"{name} stays as it is."]


def test_who_was_merged_or_erased_is_in_no_file(clock):
    hana, sam, ole = make_customer("Hana"), make_customer("Sam"), make_customer("Ole")
    with transaction():
        hana.merged_into_id, sam.erased_at = ole.id, clock.now()

    assert [row.split(",")[2] for row in files.written_out().splitlines()] == ["name", "Ole"]


def test_a_company_goes_out_and_comes_back_with_its_plan_numbers_and_quiet_day_also_without_people():
    lea = make_user(email="lea@example.com")
    text = "name,company,plan,own_version,company_looked_after_by,company_ids,company_quiet_until\n"
    text += "Hana,Brightline,Business,yes,lea@example.com,crm: 7,2027-03-01\n,Halden,Free,no,,,\n"

    outcome = take_in(text)
    out = files.written_out()

    assert said(outcome) == [
        (2, "Hana is added. Brightline: plan, own version, owner, numbers, quiet until changed.", False),
        (3, "Halden is added.", False),
    ]
    assert out.splitlines()[1:] == [
        ",,Hana,Brightline,en,,,Business,yes,lea@example.com,crm: 7,2027-03-01",
        ",,,Halden,,,,Free,,,,",
    ]
    brightline, halden = db.session.scalars(sa.select(Account).order_by(Account.id))
    assert changing.shown_of_account(brightline)["ids"] == "crm: 7"
    assert (brightline.runs_own_version, halden.runs_own_version) == (True, False)
    assert (brightline.owner, halden.owner) == (lea, None)
    assert (halden.plan, take_in(out).lines[1].sentence) == ("Free", "Halden stays as it is.")


def test_running_a_version_of_their_own_is_yes_or_no():
    [line] = take_in("company,own_version\nBrightline,maybe\n").lines
    assert "Whether they run their own version is yes or no." in line.sentence


def test_a_plan_without_a_company_is_refused_unless_the_person_has_one():
    make_customer("Hana", email="hana@b.com", company="Brightline"), make_customer("Sam", email="sam@b.com")

    lines = take_in("email,plan\nhana@b.com,Business\nsam@b.com,Free\n").lines

    assert [line.sentence for line in lines] == [
        "Hana stays as it is. Brightline: plan changed.",
        "Name the company that this is about.",
    ]


def test_a_command_takes_in_more_lines_than_a_page_in_transactions_of_a_hundred(monkeypatch):
    monkeypatch.setattr(files, "MOST", 1)
    text = "email,name\n" + "".join(f"p{number}@b.com,P{number}\n" for number in range(201))
    begun = []
    sa.event.listen(db.session(), "after_begin", begun_by := lambda *_: begun.append(1))

    outcome = files.take_in(text, dry_run=False, actor=None, most=None)

    sa.event.remove(db.session(), "after_begin", begun_by)
    assert (outcome.is_kept, len(customers())) == (True, 201)
    assert len(begun) >= 6
    with pytest.raises(Invalid, match="import customers FILE"):
        files.take_in(text, dry_run=False, actor=None, most=200)


def test_a_line_that_is_refused_only_when_it_is_kept_is_said_and_the_others_stay(monkeypatch):
    rest = "".join(f"p{number}@b.com,P{number},\n" for number in range(files.BATCH - 2))
    text = f"email,name,external_ids\nhana@b.com,Hana,crm: 1\nsam@b.com,Sam,\n{rest}sam@b.com,Sam,crm: 1\n"

    outcome = take_in(text)

    assert (outcome.is_kept, len(customers())) == (True, files.BATCH)
    assert [line.number for line in outcome.refused] == [files.BATCH + 2]


def test_the_page_shows_each_line_before_anything_is_kept(agent):
    preview = agent.post("/customers/import", {"text": FILE})
    assert ("Hana Kovač is added." in preview.text, len(customers())) == (True, 0)

    done = agent.post("/customers/import", {"text": FILE, "confirmed": "1"})

    assert (done.status_code, len(customers())) == (303, 2)


def test_a_wrong_line_is_said_with_its_number_and_the_text_is_kept(agent):
    page = agent.post("/customers/import", {"text": "email\nnobody\n", "confirmed": "1"})

    assert (page.status_code, "Line 2" in page.text, "\nnobody" in page.text) == (422, True, True)


def test_an_engineer_gets_no_file(as_user, mira):
    make_customer("Hana", email="secretlocal@b.com")

    page = as_user(mira).get("/customers.csv")

    assert (page.status_code, "secretlocal" in page.text) == (403, False)


def test_the_address_of_a_merged_record_finds_the_person_and_stays_the_old_one():
    hana, twin = make_customer("Hana", email="hana@b.com"), make_customer("Hana K", email="hk@b.com")
    with transaction():
        merging.merge(twin, hana, actor=make_user(Role.AGENT))

    outcome = take_in("email,company\nhk@b.com,Brightline\n")

    assert [line.sentence for line in outcome.lines] == ["Hana: company changed."]
    assert db.session.get_one(Customer, hana.id).email == "hana@b.com"


def test_a_formula_in_wide_letters_is_guarded_too():
    assert files.guarded("\uff1dA1") == "'\uff1dA1"
