"""What happens at triage by itself, and how a lead makes it and looks at it."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.intake.models import Bug, OptionList, Status
from bugintake.loop.models import Delivery, DeliveryKind
from bugintake.team.models import Role, User
from bugintake.triage import editing, rules, splitting, transitions
from bugintake.triage.rule_models import RuleKind, TriageRule
from tests.factories import make_bug, make_customer, make_option, make_report, make_user, merge
from tests.visitors import visit

pytestmark = [pytest.mark.usefixtures("company"), pytest.mark.long_on("postgres")]


@pytest.fixture
def luka(app):
    return make_user(Role.LEAD, "Luka Horvat")


def make_owner_rule(owner, lead, area="Search"):
    option = make_option(OptionList.AREA, area)
    with transaction():
        return rules.make(TriageRule(kind=RuleKind.OWNER, area=option, area_id=option.id, owner=owner), actor=lead)


def make_impact_rule(people, impact, lead):
    with transaction():
        return rules.make(TriageRule(kind=RuleKind.IMPACT, people=people, impact=impact), actor=lead)


@pytest.fixture
def impacts(app):
    """The worst first."""
    return [make_option(OptionList.IMPACT, label) for label in ("Cannot work", "Annoying")]


def test_a_new_bug_of_the_area_is_theirs_and_its_history_says_why(app, luka, mira):
    rule = make_owner_rule(mira, luka)

    bug, other = make_bug(area="Search"), make_bug(area="Invoices › PDF export")

    assert (bug.owner_id, other.owner_id) == (mira.id, None)
    happened = db.session.scalars(sa.select(Event).where(Event.kind == EventKind.BUG_ASSIGNED)).one()
    assert (happened.actor_id, happened.bug_id, happened.details["rule"]) == (None, bug.id, rule.id)
    assert "A rule" in visit(app, luka).get(f"/bugs/{bug.ref}").text


def test_somebody_who_left_gets_nothing_and_the_page_says_so(app, luka, mira):
    make_owner_rule(mira, luka)
    with transaction():
        mira.disabled_at = luka.created_at

    assert make_bug(area="Search").owner_id is None
    assert "Mira Kos no longer works here: it does nothing" in visit(app, luka).get("/admin/rules").text


def test_when_so_many_wait_it_is_as_bad_as_the_rule_says_and_never_milder(app, luka, impacts):
    worst, mild = impacts
    make_impact_rule(3, worst, luka)
    bug = make_bug(impact="Annoying", waiting=[make_customer(), make_customer()])
    before = db.session.get_one(Bug, bug.id).impact_id
    make_report(make_customer(), bug=bug)
    make_report(make_customer(), bug=bug)

    found = db.session.get_one(Bug, bug.id)
    assert (before, found.impact_id, found.impact_rank) == (mild.id, worst.id, worst.position)
    acted = sa.select(sa.func.count()).select_from(Event).where(Event.kind == EventKind.BUG_EDITED)
    assert db.session.scalar(acted) == 1


def test_rules_follow_who_waits_after_a_merge_and_what_is_split_off(app, luka, mira, impacts):
    worst, annoying = impacts
    make_impact_rule(2, worst, luka)
    make_owner_rule(mira, luka)
    part, whole = make_bug(impact=annoying), make_bug(impact=annoying)

    merge(part, whole)
    assert (part.impact, whole.impact) == (annoying, worst)
    report = make_report(bug=whole, area="Search")
    with transaction():
        new = splitting.split(report, "Another problem", actor=luka)
    assert new.owner_id == mira.id
    with transaction():
        assert splitting.rejoin(new, actor=luka) is whole


def test_what_a_person_decides_after_a_rule_stays(app, luka, impacts):
    worst, mild = impacts
    make_impact_rule(2, worst, luka)
    bug = make_bug(impact="Annoying", waiting=[make_customer(), make_customer()])
    with transaction():
        editing.choose(db.session.get_one(Bug, bug.id), mild, actor=luka)

    make_report(make_customer(), bug=bug)

    assert db.session.get_one(Bug, bug.id).impact_id == mild.id


def test_a_closed_bug_is_left_alone(app, luka, impacts):
    make_impact_rule(2, impacts[0], luka)
    bug = make_bug(Status.DECLINED, impact="Annoying", waiting=[make_customer()])

    make_report(make_customer(), bug=bug)

    assert db.session.get_one(Bug, bug.id).impact_id == impacts[1].id


def test_an_ended_rule_does_nothing_more_and_is_ended_once(app, luka, mira):
    rule = make_owner_rule(mira, luka)
    with transaction():
        rules.end(rule, actor=luka)

    assert make_bug(area="Search").owner_id is None
    with pytest.raises(Conflict), transaction():
        rules.end(db.session.get_one(TriageRule, rule.id), actor=luka)


def test_two_rules_for_one_area_are_refused(app, luka, mira):
    make_owner_rule(mira, luka)

    with pytest.raises(Conflict):
        make_owner_rule(make_user(), luka)


@pytest.mark.parametrize("people", [None, 0, 1, 1001])
def test_a_number_that_makes_no_sense_is_refused(app, luka, impacts, people):
    with pytest.raises(Invalid) as refusal:
        make_impact_rule(people, impacts[0], luka)

    assert refusal.value.field == "people"


def test_a_lead_sees_what_it_would_have_done_before_it_is_made(app, luka, mira, clock):
    old = make_bug(area="Search")
    clock.advance(timedelta(days=31))
    lately = make_bug(area="Search")
    area = make_option(OptionList.AREA, "Search")
    visitor = visit(app, luka)

    page = visitor.get(f"/admin/rules?kind=owner&area={area.id}&owner={mira.id}").text
    before = db.session.scalars(sa.select(TriageRule)).all()
    sent = dict(re.findall(r'name="(kind|area|owner|people|impact)" value="([^"]*)"', page.split("make_rule")[0]))
    done = visitor.post("/admin/rules", {"kind": "owner", "area": area.id, "owner": mira.id})

    assert "would have acted on 1 bug." in page
    assert lately.ref in page and f">{old.ref}<" not in page
    assert (before, sent["area"], done.status_code) == ([], str(area.id), 303)
    assert "From now on: A new bug in Search is Mira Kos&#39;s." in visitor.get("/admin/rules").text


def test_a_dry_run_for_many_people_names_open_bugs_that_are_milder(app, luka, impacts):
    worst, _mild = impacts
    many = make_bug(impact="Annoying", waiting=[make_customer(), make_customer()])
    make_bug(impact="Annoying", waiting=[make_customer()])
    make_bug(impact="Cannot work", waiting=[make_customer(), make_customer()])
    make_bug(Status.DECLINED, impact="Annoying", waiting=[make_customer(), make_customer()])
    rule = TriageRule(kind=RuleKind.IMPACT, people=2, impact=worst)

    found, count = rules.dry_run(rule, luka)

    assert ([bug.id for bug in found], count) == ([many.id], 1)
    assert db.session.scalars(sa.select(TriageRule)).all() == []


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("kind=owner", "Choose the area."),
        ("kind=impact&people=x", "Give a number of people."),
        ("kind=impact&people=5", "Choose how bad the bug is then."),
        ("kind=nonsense", "Give a number of people."),
    ],
)
def test_what_is_missing_is_said_at_the_form(app, luka, address, sentence):
    page = visit(app, luka).get(f"/admin/rules?{address}")

    assert (page.status_code, sentence in page.text) == (422, True)


def test_the_page_counts_how_often_each_acted_and_an_undone_move_stays_undone(app, luka, mira):
    make_owner_rule(mira, luka)
    bug = make_bug(area="Search")
    make_bug(area="Search")
    with transaction():
        transitions.accept(db.session.get_one(Bug, bug.id), actor=db.session.get_one(User, mira.id))
    with transaction():
        transitions.undo(db.session.get_one(Bug, bug.id), actor=db.session.get_one(User, mira.id))

    assert "acted 2 times in 30 days" in visit(app, luka).get("/admin/rules").text
    assert db.session.get_one(Bug, bug.id).owner_id == mira.id


def make_worse_rule(lead):
    with transaction():
        return rules.make(TriageRule(kind=RuleKind.WORSE), actor=lead)


def told_of_worse():
    found = sa.select(Event.user_id, Event.after).where(Event.kind == EventKind.BUG_OWNER_TOLD).order_by(Event.id)
    return [tuple(row) for row in db.session.execute(found)]


def mails_of_worse():
    found = sa.select(Delivery.user_id).where(Delivery.kind == DeliveryKind.WORSE_DUPLICATE)
    return list(db.session.scalars(found))


def test_whoever_has_a_bug_is_told_of_each_worse_duplicate_and_of_no_other(app, luka, mira, impacts):
    make_worse_rule(luka)
    bug = make_bug(impact="Annoying")
    worse, alike = make_bug(impact="Cannot work"), make_bug(impact="Annoying")
    with transaction():
        editing.assign(bug, mira, actor=luka)

    merge(alike, bug, actor=luka)
    merge(worse, bug, actor=luka)

    assert (told_of_worse(), mails_of_worse()) == ([(mira.id, worse.ref)], [mira.id])
    page = visit(app, luka).get(f"/bugs/{bug.ref}").text
    assert "A rule" in page and f"told its owner that {worse.ref} is worse" in page


def test_who_merges_it_into_a_bug_of_their_own_knows_already(app, luka, mira, impacts):
    make_worse_rule(luka)
    bug, worse = make_bug(impact="Annoying"), make_bug(impact="Cannot work")
    with transaction():
        editing.assign(bug, mira, actor=luka)

    merge(worse, bug, actor=mira)

    assert (told_of_worse(), mails_of_worse()) == ([], [])


def test_a_bug_that_nobody_has_tells_nobody(app, luka, impacts):
    make_worse_rule(luka)

    merge(make_bug(impact="Cannot work"), make_bug(impact="Annoying"), actor=luka)

    assert told_of_worse() == []


def test_a_lead_sees_which_bugs_took_in_a_worse_one_before_it_is_a_rule(app, luka, impacts):
    bug, other = make_bug(impact="Annoying"), make_bug(impact="Annoying")
    merge(make_bug(impact="Cannot work"), bug, actor=luka)
    merge(make_bug(impact="Annoying"), other, actor=luka)
    lead = visit(app, luka)

    page = lead.get("/admin/rules?kind=worse").text
    made = lead.post("/admin/rules", {"kind": "worse"})

    assert "it would have acted on 1 bug." in page and bug.ref in page and other.ref not in page
    assert (made.status_code, [rule.kind for rule in rules.in_force()]) == (303, [RuleKind.WORSE])
    assert lead.post("/admin/rules", {"kind": "worse"}).status_code == 409
