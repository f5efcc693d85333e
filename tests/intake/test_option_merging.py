"""Merging choices: what follows, what is refused, and that undoing gives back exactly what moved."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.intake import catalogue, further_lists, option_merging, proposals
from bugintake.intake.models import Bug, Option, OptionList, Remark, Report, Status
from bugintake.team.models import Role
from bugintake.triage import editing, transitions
from tests.factories import (
    MONDAY_NOON,
    make_bug,
    make_customer,
    make_list,
    make_option,
    make_report,
    make_user,
    make_version,
    make_workspace,
)

pytestmark = pytest.mark.usefixtures("app")
AREA, VERSION, IMPACT = OptionList.AREA, OptionList.VERSION, OptionList.IMPACT
COMPARED = ("options", "bugs", "reports", "report_choices", "remarks", "lists")


@pytest.fixture
def lead():
    make_workspace()
    return make_user(Role.LEAD)


def merge(option, into, actor):
    with transaction():
        return option_merging.merge(option, into, actor=actor)


def undo(found, actor):
    with transaction():
        option_merging.undo(found, actor=actor)


def everything():
    """Read every row that a merge may change."""
    db.session.rollback()
    tables = db.metadata.tables
    return {
        name: db.session.execute(sa.select(tables[name]).order_by(*tables[name].primary_key.columns)).all()
        for name in COMPARED
    }


def areas(*labels):
    return [make_option(AREA, label) for label in labels]


def test_every_column_that_names_a_choice_follows_or_is_known_to_stay():
    named = {
        str(key.parent)
        for table in db.metadata.tables.values()
        for key in table.foreign_keys
        if key.column.table.name == "options"
    }
    followed = {str(column) for kind in (*OptionList, "proxy") for column in option_merging.places(kind)}

    assert followed | option_merging.STAYS == named
    assert followed & option_merging.STAYS == set()


def test_bugs_reports_and_lists_of_an_area_follow_it(lead):
    search, find = areas("Search", "Find")
    bug = make_bug(area=find)
    theme = make_list("Theme", "Dark", areas=[find])

    merge(find, search, lead)

    assert (db.session.get(Bug, bug.id).area_id, db.session.scalars(sa.select(Report.area_id)).all()) == (
        search.id,
        [search.id],
    )
    assert further_lists.list_named("theme").area_ids == [search.id]
    assert [each.label for each in catalogue.options_of(AREA, with_retired=True)] == ["Search"]
    assert catalogue.choose(AREA, "find").id == catalogue.choose(AREA, find.id).id == search.id
    assert (search.aliases, theme.name) == (["find"], "theme")


def test_releases_remarks_and_choices_from_further_lists_follow(lead):
    old, new = make_version("4.12"), make_version("4.12.0")
    make_list("Plan", "Free", "Gratis")
    free, gratis = (catalogue.option_labelled("plan", label) for label in ("Free", "Gratis"))
    plan = further_lists.list_named("plan")
    hana = make_customer()
    bug = make_bug(Status.FIXED, waiting=[hana], version=old, choices=[(plan, gratis)])
    with transaction():
        bug.release_id = old.id
    make_report(hana, bug=bug, version=old, actual="Again.", choices=[(plan, gratis)])

    merge(old, new, lead)
    merge(gratis, free, lead)

    remark = db.session.scalars(sa.select(Remark)).one()
    assert (remark.choices["version"], remark.choices["plan"]) == (new.id, free.id)
    assert db.session.get(Bug, bug.id).release_id == new.id
    [report] = db.session.scalars(sa.select(Report.id))
    assert [each.choice for each in further_lists.chosen_in([report])[report]] == ["Free"]


def test_a_choice_takes_over_what_it_lacks_and_gives_it_back(lead):
    search, find = areas("Search", "Find")
    with transaction():
        find.intended, find.owner_id, find.aliases = "It finds whole words.", lead.id, ["lookup", "search"]
    before = everything()

    found = merge(find, search, lead)
    assert (search.intended, search.owner_id, search.aliases) == ("It finds whole words.", lead.id, ["find", "lookup"])

    undo(found, lead)
    assert everything() == before


def test_the_board_orders_by_the_new_impact(lead):
    bad, awful = make_option(IMPACT, "Bad"), make_option(IMPACT, "Awful")
    bug = make_bug(impact=awful)

    found = merge(awful, bad, lead)
    assert db.session.get(Bug, bug.id).impact_rank == bad.position
    undo(found, lead)
    assert db.session.get(Bug, bug.id).impact_rank == awful.position


def test_the_effect_is_told_before_and_nothing_moves(lead):
    search, find = areas("Search", "Find")
    bug = make_bug(area=find)
    make_report(bug=bug, area=find)
    before = everything()

    effect = option_merging.effect(find, search)

    assert (effect.bugs, effect.reports, effect.others, effect.aliases) == (1, 2, 0, ["find"])
    assert everything() == before


def test_what_cannot_be_merged_is_refused_in_words(lead):
    search, find, fax, old, unsure = areas("Search", "Find", "Fax", "Old", "Not sure")
    live, planned, nowhere = make_version("1.0", live_since=MONDAY_NOON), make_version("1.1"), make_version("Not sure")
    with transaction():
        unsure.is_unsure = nowhere.is_unsure = True
        catalogue.retire(fax, actor=lead)
        word = proposals.propose(AREA, "Seach")
    merge(old, search, lead)
    make_bug(Status.FIXED)
    released = db.session.scalars(sa.select(Option).join(Bug, Bug.release_id == Option.id)).one()

    for option, into, sentence in (
        (find, find, "Find cannot be merged into itself. Choose another one."),
        (find, planned, "Find and 1.1 are of different lists."),
        (old, find, "Old was merged into Search already."),
        (find, old, "Old was merged into Search. Undo that first."),
        (find, word, "Seach is only proposed. Decide about that first."),
        (find, fax, "Fax is no longer offered. Offer it again first, or choose another one."),
        (unsure, find, "“Not sure” says that nobody knows: it is not another name of something."),
        (live, planned, "1.0 is live and 1.1 is not: their bugs cannot stand in one release."),
        (planned, live, "1.0 is live and 1.1 is not: their bugs cannot stand in one release."),
        (released, nowhere, f"Bugs are fixed in {released.label}, and no fix is released in “Not sure”."),
    ):
        with pytest.raises(Conflict) as refusal:
            merge(option, into, lead)
        assert refusal.value.sentence == sentence


def test_what_cannot_be_undone_is_refused_in_words(lead, clock):
    clock.set(MONDAY_NOON)
    a, b, c, d, e, f = areas("A", "B", "C", "D", "E", "F")
    one, other = make_version("1.0"), make_version("1.1")
    first, late, undone, taken = merge(a, b, lead), merge(d, c, lead), merge(e, c, lead), merge(f, c, lead)
    released = merge(one, other, lead)
    merge(b, c, lead)
    undo(undone, lead)
    make_option(AREA, "F!")
    with transaction():
        catalogue.add_option(AREA, "f", actor=lead)
        other.live_since_at = MONDAY_NOON

    for found, sentence in (
        (first, "B was merged into C since. Undo that first."),
        (undone, "E is a choice of its own again already."),
        (taken, "The list has another f by now. Rename that one first."),
        (released, "1.1 is live and 1.0 is not: their bugs cannot stand in one release."),
    ):
        with pytest.raises(Conflict) as refusal:
            undo(found, lead)
        assert refusal.value.sentence == sentence
    clock.advance(timedelta(days=30))
    undo(late, lead)
    late = merge(d, c, lead)
    clock.advance(timedelta(days=30, seconds=1))
    with pytest.raises(Conflict, match=r"That was more than 30 days ago."):
        undo(late, lead)


def test_what_was_chosen_anew_or_filed_since_stays(lead):
    search, find, other = areas("Search", "Find", "Other")
    back, changed = make_bug(area=find), make_bug(area=find)
    found = merge(find, search, lead)
    later = make_bug(area=search)
    for area in (other, search):
        with transaction():
            editing.choose(changed, area, actor=lead)

    undo(found, lead)

    assert [db.session.get(Bug, bug.id).area_id for bug in (back, changed, later)] == [find.id, search.id, search.id]
    assert db.session.scalars(sa.select(Report.area_id).order_by(Report.id)).all() == [find.id, find.id, search.id]


def test_taking_a_decline_back_after_a_merge_never_names_what_was_merged(lead):
    bug = make_bug(Status.DECLINED)
    reason, other = bug.decline_reason, make_option(OptionList.DECLINE_REASON, "Other")
    with transaction():
        transitions.reconsider(bug, actor=lead)
    merge(reason, other, lead)

    with transaction():
        transitions.undo(db.session.get(Bug, bug.id), actor=lead)

    assert db.session.get(Bug, bug.id).decline_reason_id == other.id


def test_merging_and_undoing_are_one_event_each_with_how_much_moved(lead):
    search, find = areas("Search", "Find")
    make_bug(area=find)
    undo(merge(find, search, lead), lead)

    kinds = (EventKind.OPTION_MERGED, EventKind.OPTION_UNMERGED)
    events = db.session.scalars(sa.select(Event).where(Event.kind.in_(kinds)).order_by(Event.id)).all()
    assert [(e.kind, e.option_id, e.before, e.after) for e in events] == [
        (EventKind.OPTION_MERGED, find.id, "Find", "Search"),
        (EventKind.OPTION_UNMERGED, find.id, "Search", "Find"),
    ]
    assert [e.details["moved"] for e in events] == [{"bugs.area_id": 1, "reports.area_id": 1}] * 2


# --- Any merges in any order -------------------------------------------------------------------------------------

SLOW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=7)
STEPS = st.lists(
    st.tuples(st.sampled_from(["merge", "merge", "undo", "edit"]), st.integers(0, 5), st.integers(0, 4)), max_size=12
)


@pytest.fixture
def filled(lead):
    """Five choices in three lists, bugs, reports and remarks that chose them, and a list asked for two of them."""
    kinds = {kind: [make_option(kind, f"{kind} {number}") for number in range(5)] for kind in (AREA, IMPACT, VERSION)}
    for number in range(6):
        chosen = {kind.value: options[number % 5] for kind, options in kinds.items()}
        hana = make_customer()
        bug = make_bug(waiting=[hana], **chosen)
        make_report(bug=bug, **{**chosen, "area": kinds[AREA][(number + 1) % 5]})
        make_report(hana, bug=bug, **chosen, actual="Again.")
    make_list("Theme", "Dark", areas=kinds[AREA][:2])
    return {kind: [option.id for option in options] for kind, options in kinds.items()}


def attempt(verb, *args, actor):
    """Do it in a transaction, or hear why not."""
    try:
        with transaction():
            return verb(*args, actor=actor)
    except Conflict:
        return None


@pytest.mark.parametrize("kind", [AREA, IMPACT, VERSION])
def test_undoing_in_turn_restores_every_row_to_the_letter(filled, lead, kind):
    @SLOW
    @given(PAIRS)
    def run(pairs):
        done = []
        for one, other in pairs:
            before = everything()
            option, into = (db.session.get(Option, filled[kind][number]) for number in (one, other))
            found = attempt(option_merging.merge, option, into, actor=lead)
            if found is not None:
                done.append((found, before))
        for found, before in reversed(done):
            undo(found, lead)
            assert everything() == before

    run()


def chosen_now(kind):
    """Read what every bug and report has chosen."""
    db.session.rollback()
    column = f"{kind.value}_id"
    return {
        (table.__tablename__, key): option
        for table in (Bug, Report)
        for key, option in db.session.execute(sa.select(table.id, getattr(table, column)))
    }


@pytest.mark.parametrize("kind", [AREA, IMPACT])
def test_everything_stands_where_its_own_choice_stands_whatever_is_merged_undone_and_edited(filled, lead, kind):
    @SLOW
    @given(STEPS)
    def run(steps):
        own, merged = chosen_now(kind), []

        def standing(option_id):
            into = {found.option_id: found.into_id for found in merged}
            while option_id in into:
                option_id = into[option_id]
            return option_id

        for step, one, other in steps:
            if step == "merge":
                pair = (db.session.get(Option, filled[kind][number]) for number in (one % 5, other))
                found = attempt(option_merging.merge, *pair, actor=lead)
                merged += [found] if found else []
            elif step == "undo" and merged:
                found = merged[one % len(merged)]
                attempt(option_merging.undo, found, actor=lead)
                merged = [each for each in merged if each.undone_at is None]
            elif step == "edit":
                bug = db.session.scalars(sa.select(Bug).order_by(Bug.id)).all()[one]
                option = catalogue.standing_for(db.session.get(Option, filled[kind][other]))
                if getattr(bug, f"{kind.value}_id") != option.id:
                    with transaction():
                        editing.choose(bug, option, actor=lead)
                    own["bugs", bug.id] = option.id
            assert chosen_now(kind) == {key: standing(option_id) for key, option_id in own.items()}
            ranks = sa.select(sa.func.count()).join(Option, Option.id == Bug.impact_id)
            assert db.session.scalar(ranks.where(Bug.impact_rank != Option.position).select_from(Bug)) == 0
        for found in reversed(merged):
            undo(found, lead)
        assert chosen_now(kind) == own

    run()
