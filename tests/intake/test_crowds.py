"""Many customers at once: reading pasted addresses, who is meant, attaching all, taking back."""

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.intake import crowds, reports
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Bug, Remark, Report, SettledBy, Status
from tests.counting import asked
from tests.factories import make_bug, make_customer


def attach(bug, text="", company="", *, actor, key="form", **values):
    with transaction():
        crowd = crowds.meant(bug, text, company)
        return crowds.attach_all(bug, crowd, words="All of it is down.", languages=values, actor=actor, key=key)


def waiting(bug):
    return db.session.get_one(Bug, bug.id).waiting_count


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a@b.com\n\nc@d.com", [(1, "a@b.com", ""), (3, "c@d.com", "")]),
        ("a@b.com, c@d.com; e@f.com", [(1, "a@b.com", ""), (1, "c@d.com", ""), (1, "e@f.com", "")]),
        ("a@b.com c@d.com", [(1, "a@b.com", ""), (1, "c@d.com", "")]),
        ("Hana Kovač <Hana@B.com>", [(1, "hana@b.com", "Hana Kovač")]),
        ('"Kovač, Hana" <a@b.com>, c@d.com', [(1, "a@b.com", "Kovač, Hana"), (1, "c@d.com", "")]),
        ("<a@b.com>", [(1, "a@b.com", "")]),
        ("a@b.com\nA@B.com", [(1, "a@b.com", "")]),
        ("", []),
    ],
)
def test_addresses_are_read_however_they_are_pasted(text, read):
    assert [(each.line, each.address, each.name) for each in crowds.entries_in(text)] == read


def test_what_is_no_address_is_said_with_its_line(app):
    entries = crowds.entries_in("a@b.com\nHana\nb@@c")

    assert [(each.line, each.address, bool(each.refusal)) for each in entries] == [
        (1, "a@b.com", False),
        (2, "Hana", True),
        (3, "b@@c", True),
    ]


def test_more_than_five_hundred_are_refused():
    with pytest.raises(Invalid):
        crowds.entries_in("\n".join(f"a{number}@b.com" for number in range(501)))


def test_the_preview_parts_known_new_and_waiting(app, lea):
    hana, sam = make_customer("Hana", email="hana@b.com"), make_customer("Sam", email="sam@b.com")
    bug = make_bug(waiting=[sam])

    crowd = crowds.meant(bug, "hana@b.com\nsam@b.com\nnew@b.de\nnobody", "")

    assert (list(crowd.known), list(crowd.waiting)) == ([hana], [sam])
    assert [(entry.address, language) for entry, language in crowd.new] == [("new@b.de", "de")]
    assert [(entry.line, entry.address) for entry in crowd.refused] == [(4, "nobody")]


def test_a_company_stands_for_all_its_people(app, lea):
    hana, sam = make_customer("Hana", company="Brightline"), make_customer("Sam", company="Brightline")

    assert list(crowds.meant(make_bug(waiting=[]), "", "brightline").known) == [hana, sam]


@pytest.mark.parametrize(
    ("text", "company", "field"), [("", "", "addresses"), ("", "Nowhere", "company"), ("", "Empty", "company")]
)
def test_nobody_is_refused_at_the_field(app, lea, text, company, field):
    make_customer("Hana", company="Empty")
    with transaction():
        db.session.execute(sa.update(Customer).values(account_id=None))

    with pytest.raises(Invalid) as refusal:
        crowds.meant(make_bug(), text, company)

    assert refusal.value.field == field


def test_everybody_waits_and_new_people_are_added_in_their_language(app, lea):
    hana = make_customer("Hana", email="hana@b.com")
    bug = make_bug(waiting=[])

    attach(bug, "hana@b.com, Neu <neu@b.de>, x@b.de", actor=lea, **{"x@b.de": "es"})

    people = sa.select(Customer.email, Customer.name, Customer.language).order_by(Customer.email)
    assert [tuple(row) for row in db.session.execute(people)] == [
        ("hana@b.com", "Hana", hana.language),
        ("neu@b.de", "Neu", "de"),
        ("x@b.de", "x", "es"),
    ]
    said = sa.select(Report.actual).where(Report.bug_id == bug.id, Report.customer_id.is_not(None))
    assert (waiting(bug), db.session.scalars(said).all()) == (3, ["All of it is down."] * 3)


def test_sent_twice_it_happens_once(app, lea):
    bug = make_bug(waiting=[])

    first = attach(bug, "a@b.com\nc@d.com", actor=lea)
    again = attach(bug, "a@b.com\nc@d.com", actor=lea)

    assert (first == again, waiting(bug)) == (True, 2)


def test_who_was_told_waits_again_and_has_one_report(app, lea):
    hana = make_customer("Hana", email="hana@b.com")
    bug = make_bug(waiting=[hana])
    report = db.session.scalars(sa.select(Report)).one()
    with transaction():
        report.settled_at, report.settled_by = bug.filed_at, SettledBy.TOLD

    attach(bug, "hana@b.com", actor=lea)

    assert (db.session.scalar(sa.select(sa.func.count()).select_from(Report)), waiting(bug)) == (1, 1)


def test_taking_it_back_leaves_those_who_waited_before(app, lea):
    hana = make_customer("Hana", email="hana@b.com")
    bug = make_bug(waiting=[hana])
    batch = attach(bug, "hana@b.com, a@b.com, c@b.com", actor=lea)

    with transaction():
        assert crowds.take_back(bug, batch, actor=lea) == 2

    assert waiting(bug) == 1
    with pytest.raises(Conflict), transaction():
        crowds.take_back(bug, batch, actor=lea)


def test_who_waited_again_has_stopped_as_before_when_it_is_taken_back(app, lea):
    hana = make_customer("Hana", email="hana@b.com")
    bug = make_bug(waiting=[hana])
    report = db.session.scalars(sa.select(Report)).one()
    with transaction():
        report.settled_at, report.settled_by = bug.filed_at, SettledBy.TOLD_BY_HAND
    batch = attach(bug, "hana@b.com, a@b.com", actor=lea)
    said = db.session.scalars(sa.select(Remark.text)).all()

    with transaction():
        assert crowds.take_back(bug, batch, actor=lea) == 2

    before = (bug.filed_at, SettledBy.TOLD_BY_HAND)
    assert (said, (report.settled_at, report.settled_by), waiting(bug)) == (["All of it is down."], before, 0)
    assert db.session.scalars(sa.select(Remark)).all() == []


def test_taking_an_older_crowd_back_leaves_who_was_attached_again_since(app, lea):
    bug = make_bug(waiting=[make_customer("Hana", email="hana@b.com")])
    report = db.session.scalars(sa.select(Report)).one()

    def settle():
        with transaction():
            report.settled_at, report.settled_by = bug.filed_at, SettledBy.TOLD

    settle()
    first = attach(bug, "hana@b.com", actor=lea)
    settle()
    attach(bug, "hana@b.com", actor=lea, key="another form")

    with pytest.raises(Conflict), transaction():
        crowds.take_back(bug, first, actor=lea)

    assert waiting(bug) == 1


def test_taking_back_touches_no_other_bug(app, lea):
    bug, other = make_bug(waiting=[]), make_bug(waiting=[])
    batch = attach(bug, "a@b.com", actor=lea)

    with pytest.raises(Conflict), transaction():
        crowds.take_back(other, batch, actor=lea)

    assert waiting(bug) == 1


def test_who_is_attached_to_a_bug_that_is_declined_is_owed_the_answer(app, lea):
    bug = make_bug(Status.DECLINED, waiting=[make_customer("Sam")])

    attach(bug, "a@b.com, c@b.com", actor=lea)

    assert waiting(bug) == 3


def test_nobody_is_attached_to_what_was_taken_back(app, lea):
    bug = make_bug(waiting=[make_customer("Sam")])
    with transaction():
        reports.withdraw(db.session.scalars(sa.select(Report)).one(), actor=lea)

    with pytest.raises(Conflict):
        attach(bug, "a@b.com", actor=lea)


def test_forty_cost_a_few_questions_each(app, lea):
    people = ", ".join(make_customer(f"P{number}", email=f"p{number}@b.com").email for number in range(40))
    one, many = make_bug(waiting=[]), make_bug(waiting=[])
    with asked() as for_one:
        attach(one, "p0@b.com", actor=lea, key="one")
    with asked() as for_forty:
        attach(many, people, actor=lea, key="many")

    beyond_twenty = 3  # what the search alone reads of a bug that so many tell of
    assert len(for_forty) - len(for_one) <= 39 * 2 + beyond_twenty


def test_the_page_shows_who_that_is_and_attaches_with_an_undo(agent):
    bug = make_bug(waiting=[])
    form = {"key": "abc", "addresses": "Hana <hana@b.com>\nnobody", "actual": "Down."}

    preview = agent.post(f"/bugs/{bug.ref}/attach/many", form).text
    sure = {**form, "confirmed": "1", "address": "hana@b.com", "language:hana@b.com": "de"}
    done = agent.post(f"/bugs/{bug.ref}/attach/many", sure)

    assert ("Line 2" in preview, "1 new customer" in preview, 'value="hana@b.com" checked' in preview) == (True,) * 3
    assert (done.status_code, waiting(bug)) == (303, 1)
    assert "1 person is attached." in agent.get(done.location).text


def test_a_company_that_nobody_knows_is_refused_at_its_field(agent):
    bug = make_bug(waiting=[])

    page = agent.post(f"/bugs/{bug.ref}/attach/many", {"key": "abc", "company": "Nowhere"})

    assert (page.status_code, 'id="f-company-e"' in page.text) == (422, True)


def test_whoever_has_no_tick_is_left_out(agent):
    bug = make_bug(waiting=[])
    hana, sam = make_customer("Hana", company="Brightline"), make_customer("Sam", company="Brightline")
    form = {"key": "abc", "company": "Bright", "addresses": "new@b.com", "confirmed": "1"}

    nobody = agent.post(f"/bugs/{bug.ref}/attach/many", form)
    done = agent.post(f"/bugs/{bug.ref}/attach/many", {**form, "person": str(sam.id)})

    assert (nobody.status_code, "Everybody was left out." in nobody.text, done.status_code) == (422, True, 303)
    attached = db.session.scalars(sa.select(Report.customer_id).where(Report.bug_id == bug.id))
    assert [number for number in attached if number] == [sam.id]
    assert hana.id != sam.id


def test_a_name_that_may_be_several_companies_is_refused_with_their_names(app, lea):
    make_customer("Hana", company="Brightline Media"), make_customer("Sam", company="Brightline Print")

    assert crowds.meant(make_bug(waiting=[]), "", "print").count == 1
    with pytest.raises(Invalid, match="Brightline Media; Brightline Print"):
        crowds.meant(make_bug(waiting=[]), "", "bright")
