"""Words that are not listed: filed with at once, and what a lead may make of them."""

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.intake import catalogue, option_merging, proposals
from bugintake.intake.models import Bug, OptionList, Report
from bugintake.team.models import Role
from tests.counting import asked
from tests.factories import make_bug, make_list, make_option, make_report, make_user, make_version

pytestmark = pytest.mark.usefixtures("app")
AREA = OptionList.AREA


@pytest.fixture
def lead():
    return make_user(Role.LEAD)


def propose(word, kind=AREA):
    with transaction():
        return proposals.propose(kind, word)


def waiting():
    return [(each.option.label, each.use_count) for each in proposals.waiting(start=0, size=99)]


def decide(verb, *args, actor):
    with transaction():
        return verb(*args, actor=actor)


def test_a_word_is_filed_with_at_once_but_offered_to_nobody():
    make_option(AREA, "Search")
    bug = make_bug(area=propose("Kiosk mode"))

    assert (bug.area.label, waiting()) == ("Kiosk mode", [("Kiosk mode", 1)])
    assert [option.label for option in catalogue.options_of(AREA)] == ["Search"]
    assert [choice.label for choice in catalogue.names().offered[AREA]] == ["Search"]
    with pytest.raises(Invalid, match=r"Kiosk mode was proposed as area, and is not on the list yet."):
        catalogue.choose(AREA, bug.area_id)


def test_the_same_word_is_proposed_once_and_a_known_one_never():
    search = make_option(AREA, "Search", aliases=["find"])

    first = propose("Kiosk mode")
    assert propose("  kiosk   MODE ").id == first.id
    assert [propose(word).id for word in ("search", "Find")] == [search.id, search.id]
    assert propose("Kiosk mode", OptionList.PLATFORM).id != first.id
    assert len(waiting()) == 2


def test_a_retired_or_overlong_word_is_refused():
    make_option(AREA, "Search")
    old = make_option(AREA, "Fax")
    decide(catalogue.retire, old, actor=make_user())

    with pytest.raises(Invalid, match=r"Fax is no longer offered as area."):
        propose("fax")
    with pytest.raises(Invalid, match=r"A choice has at most 120 characters."):
        propose("x" * 121)


def test_who_used_a_word_where_and_the_word_itself_stay_in_the_history(lead):
    lea = make_user(Role.AGENT, "Lea Agent")
    bug = make_bug(area=propose("Kiosk mode"), actor=lea)
    search = make_option(AREA, "Search")
    option = bug.area
    decide(proposals.make_alias, option, search, actor=lead)

    used = db.session.scalars(sa.select(Event).where(Event.kind == EventKind.OPTION_PROPOSED)).one()
    assert (used.actor_id, used.bug_id, used.option_id, used.after) == (lea.id, bug.id, option.id, "Kiosk mode")
    merged = db.session.scalars(sa.select(Event).where(Event.kind == EventKind.OPTION_MERGED)).one()
    assert (merged.option_id, merged.before, merged.after) == (option.id, "Kiosk mode", "Search")
    assert merged.details["moved"] == {"bugs.area_id": 1, "reports.area_id": 1}


def test_an_accepted_word_is_on_the_list_and_found_as_it_was_typed(lead):
    bug = make_bug(area=propose("kisok mode"))
    option = bug.area

    decide(proposals.accept, option, " Kiosk  mode ", actor=lead)

    assert [each.label for each in catalogue.options_of(AREA)] == ["Kiosk mode"]
    assert catalogue.choose(AREA, "kisok MODE").id == bug.area_id == option.id
    assert waiting() == []
    accepted = db.session.scalars(sa.select(Event).where(Event.kind == EventKind.OPTION_ACCEPTED)).one()
    assert (accepted.before, accepted.after) == ("kisok mode", "Kiosk mode")


def test_a_word_cannot_be_accepted_under_a_name_that_is_taken_or_empty(lead):
    make_option(AREA, "Search")
    option = propose("Seach")

    with pytest.raises(Conflict, match=r"The list already has Search."):
        decide(proposals.accept, option, "search", actor=lead)
    with pytest.raises(Invalid, match=r"Give the choice a name."):
        decide(proposals.accept, option, " ", actor=lead)
    assert waiting() == [("Seach", 0)]


def test_what_was_filed_with_an_alias_follows_and_the_word_finds_the_choice(lead):
    search = make_option(AREA, "Search")
    bug = make_bug(area=propose("Seach"))

    decide(proposals.make_alias, bug.area, search, actor=lead)

    assert (db.session.get(Bug, bug.id).area_id, db.session.scalars(sa.select(Report.area_id)).one()) == (
        search.id,
        search.id,
    )
    assert catalogue.choose(AREA, "seach").id == propose("SEACH").id == search.id
    assert waiting() == []


def test_what_was_filed_with_a_declined_word_is_not_sure_and_the_word_may_come_again(lead):
    unsure = make_option(AREA, "Not sure", is_unsure=True)
    bug = make_bug(area=propose("Asdf"))

    decide(proposals.decline, bug.area, None, actor=lead)

    assert (db.session.get(Bug, bug.id).area_id, unsure.aliases) == (unsure.id, [])
    assert [propose("asdf").label, *waiting()] == ["asdf", ("asdf", 0)]


def test_a_declined_word_may_get_another_choice(lead):
    make_option(AREA, "Not sure", is_unsure=True)
    search = make_option(AREA, "Search")
    bug = make_bug(area=propose("Asdf"))

    decide(proposals.decline, bug.area, search, actor=lead)

    assert (db.session.get(Bug, bug.id).area_id, search.aliases) == (search.id, [])


def test_reports_keep_a_declined_word_where_nothing_stands_for_it(lead):
    proxy = make_list("Proxy", grows=True)
    option = propose("Squid 6", "proxy")
    report = make_report(choices=[(proxy, option)])

    assert decide(proposals.decline, option, None, actor=lead) is None

    assert waiting() == []
    assert report.id in db.session.scalars(sa.select(Event.report_id).where(Event.option_id == option.id)).all()
    with pytest.raises(Invalid, match=r"Squid 6 is no longer offered as proxy."):
        propose("squid 6", "proxy")


def test_a_decision_is_taken_back_and_the_word_waits_again(lead):
    search = make_option(AREA, "Search")
    bug = make_bug(area=propose("Seach"))
    option = bug.area

    merged = decide(proposals.make_alias, option, search, actor=lead)
    decide(option_merging.undo, merged, actor=lead)

    assert (db.session.get(Bug, bug.id).area_id, search.aliases) == (option.id, [])
    assert waiting() == [("Seach", 1)]


def test_who_decides_second_hears_it(lead):
    search = make_option(AREA, "Search")
    option = propose("Seach")
    decide(proposals.make_alias, option, search, actor=lead)

    for verb, args in (
        (proposals.accept, (option, "Seach")),
        (proposals.make_alias, (option, search)),
        (proposals.decline, (option, search)),
    ):
        with pytest.raises(Conflict, match=r"Somebody decided about Seach already."):
            decide(verb, *args, actor=lead)


def test_a_proposed_word_is_neither_changed_nor_offered_nor_merged_into(lead):
    option = propose("Seach")
    search = make_option(AREA, "Search")

    with pytest.raises(Conflict, match=r"Seach is only proposed. Decide about that first."):
        decide(catalogue.offer_again, option, actor=lead)
    with pytest.raises(Conflict, match=r"Seach is only proposed. Decide about that first."):
        decide(option_merging.merge, search, option, actor=lead)


def test_whoever_fixes_a_bug_in_a_proposed_version_accepts_it(lead):
    make_version("4.12.0")
    propose("4.13.0", OptionList.VERSION)

    with transaction():
        version = proposals.version_named("4.13.0", actor=lead)

    assert (version.proposed_at, version.retired_at, waiting()) == (None, None, [])


def test_the_waiting_words_are_read_with_two_questions(lead):
    for number in range(3):
        word = propose(f"Word {number}")
        for _ in range(number + 2):
            make_bug(area=word)
    db.session.expire_all()

    with asked() as queries:
        found = proposals.waiting(start=0, size=50)

    assert [(each.option.label, len(each.uses), each.use_count) for each in found] == [
        ("Word 0", 2, 2),
        ("Word 1", 3, 3),
        ("Word 2", 3, 4),
    ]
    assert len(queries) == 2
