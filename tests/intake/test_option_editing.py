"""Editing a choice: two people at once, its place, and what its history says."""

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid, Stale
from bugintake.core.forms import Seen, fingerprint
from bugintake.intake import catalogue, option_editing, option_merging, option_queries, proposals
from bugintake.intake.models import Bug, Option, OptionList
from bugintake.intake.option_queries import Wanted
from bugintake.team.models import Role
from tests.factories import make_bug, make_option, make_user

pytestmark = pytest.mark.usefixtures("app")
AREA, IMPACT, VERSION = OptionList.AREA, OptionList.IMPACT, OptionList.VERSION


@pytest.fixture
def lead():
    return make_user(Role.LEAD, "Petra Novak")


def edit(option, actor, seen=None, **typed):
    with transaction():
        option_editing.edit(option, typed, seen or Seen(), actor=actor)


def place(option, to, actor):
    with transaction():
        option_editing.place(option, to, actor=actor)


def seen_now(option):
    return Seen({name: fingerprint(value) for name, value in option_editing.shown(option).items()})


def labels(kind):
    return [option.label for option in catalogue.options_of(kind)]


def lines(option):
    return [(line.who, line.words, line.changes) for line in option_queries.history(option, start=0, size=99)]


def test_two_people_who_change_different_fields_both_keep_theirs(lead):
    option, other = make_option(AREA, "Search"), make_user(Role.LEAD)
    page = seen_now(option)

    edit(option, other, page, label="Find", aliases="", label_de="")
    edit(option, lead, page, label="Search", aliases="lookup", label_de="Suche")

    assert (option.label, option.aliases, option.labels) == ("Find", ["lookup"], {"de": "Suche"})


def test_two_people_who_change_the_same_field_see_both_values(lead):
    option, other = make_option(AREA, "Search"), make_user(Role.LEAD, "Luka Horvat")
    page = seen_now(option)
    edit(option, other, page, label_de="Suche")

    with pytest.raises(Stale) as refusal:
        edit(option, lead, page, label_de="Suchen", hint="x")

    [clash] = refusal.value.clashes
    assert (clash.name, clash.theirs, clash.mine, clash.who) == (
        "label_de",
        "Suche",
        "Suchen",
        "Luka changed it 1 s ago.",
    )
    assert (option.labels, option.hint) == ({"de": "Suche"}, "")


def test_a_choice_is_moved_up_down_and_to_a_number(lead):
    a, b, c = (make_option(AREA, label) for label in "ABC")
    make_option(AREA, "Not sure", is_unsure=True)

    place(c, 1, lead)
    assert labels(AREA) == ["C", "A", "B", "Not sure"]
    place(c, 2, lead)
    place(c, 2, lead)
    assert labels(AREA) == ["A", "C", "B", "Not sure"]
    assert lines(c)[0] == ("Petra Novak", "changed it", [("place", "1", "2")])
    assert len(lines(c)) == 3
    for to in (0, 4):
        with pytest.raises(Invalid, match=r"Give a place from 1 to 3."):
            place(a, to, lead)
    assert [option.position for option in (a, c, b)] == [1, 2, 3]


def test_a_retired_a_proposed_and_a_merged_choice_have_no_place(lead):
    a, b, c = (make_option(AREA, label) for label in "ABC")
    with transaction():
        catalogue.retire(a, actor=lead)
        word = proposals.propose(AREA, "D")
        option_merging.merge(b, c, actor=lead)

    with pytest.raises(Invalid, match=r"Give a place from 1 to 1."):
        place(a, 1, lead)
    with pytest.raises(Conflict, match=r"D is only proposed. Decide about that first."):
        place(word, 1, lead)
    with pytest.raises(Conflict, match=r"B was merged into C. Undo that first."):
        place(b, 1, lead)


def test_bugs_are_ordered_by_where_their_impact_stands_now(lead):
    impacts = [make_option(IMPACT, label) for label in ("Cannot work", "Hard", "Annoying")]
    bugs = [make_bug(impact=impact) for impact in impacts]

    place(impacts[2], 1, lead)

    assert [db.session.get(Bug, bug.id).impact_rank for bug in bugs] == [2, 3, 1]
    ranks = sa.select(Bug.impact_rank, Option.position).join(Option, Option.id == Bug.impact_id)
    assert all(rank == position for rank, position in db.session.execute(ranks))


def test_history_tells_everything_that_happened_with_both_values(lead):
    search, find, bill = (make_option(AREA, label) for label in ("Search", "Find", "Bill"))
    edit(search, lead, label="Searching", aliases="Look up, query", label_de="Suche")
    edit(search, lead, owner=lead, intended="Finds whole words.")
    with transaction():
        catalogue.retire(search, actor=lead)
    with transaction():
        catalogue.offer_again(search, actor=lead)
    for option in (find, bill):
        with transaction():
            merged = option_merging.merge(option, search, actor=lead)
    with transaction():
        option_merging.undo(merged, actor=lead)

    petra = "Petra Novak"
    assert lines(search) == [
        (petra, "took the merge of “Bill” back", ()),
        (petra, "merged “Bill” into it", ()),
        (petra, "merged “Find” into it", ()),
        (petra, "changed it", [("whether it is offered", "retired", "offered")]),
        (petra, "retired it", ()),
        (petra, "changed it", [("intended behaviour", "–", "Finds whole words."), ("owner", "–", petra)]),
        (
            petra,
            "changed it",
            [
                ("name", "Search", "Searching"),
                ("other names", "–", "look up, query"),
                ("what customers read", "–", "de: Suche"),
            ],
        ),
        ("bugintake", "added it", ()),
    ]
    assert lines(find)[0] == (petra, "merged it into “Searching”", ())


def test_history_tells_how_a_word_came_to_the_list(lead):
    with transaction():
        word = proposals.propose(AREA, "kisok")
    make_bug(area=word, actor=lead)
    with transaction():
        proposals.accept(word, "Kiosk", actor=lead)

    assert [words for _who, words, _changes in lines(word)] == [
        "put it on the list",
        "used it in a report, while it was not listed",
    ]


def test_choices_are_found_by_their_words_and_by_what_customers_lack():
    make_option(AREA, "Račun", labels={"en": "Invoice", "de": "Rechnung"})
    make_option(AREA, "Search", aliases=["100%"], labels={"en": "Search"})
    make_option(AREA, "Not sure", is_unsure=True)

    def found(**wanted):
        return [
            (row.number, row.option.label) for row in option_queries.offered(AREA, Wanted(**wanted), start=0, size=9)
        ]

    assert found() == [(1, "Račun"), (2, "Search"), (1, "Not sure")]
    assert found(text="racu") == [(1, "Račun")]
    assert found(text="0%") == [(2, "Search")]
    assert found(text="_") == []
    assert found(lacks=["de"]) == [(2, "Search"), (1, "Not sure")]
    assert [option_queries.lacking_count(AREA, each) for each in (["en"], ["en", "de"])] == [1, 2]
