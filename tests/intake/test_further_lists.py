"""Further lists: what they ask, what a report may choose, and what is kept of it."""

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.events import Event
from bugintake.intake import catalogue, further_lists, option_queries, option_use, proposals
from bugintake.intake.catalogue import option_labelled
from bugintake.intake.further_lists import Terms
from bugintake.intake.models import OptionList
from tests.factories import make_list, make_option, make_report, make_user

pytestmark = pytest.mark.usefixtures("company")


@pytest.fixture
def area():
    return option_labelled(OptionList.AREA, "Search")


@pytest.fixture
def lead():
    return make_user()


def choose(area, actor, **given):
    """Choose by the names of the lists, and read the labels that came of it."""
    complete = given.pop("is_complete", True)
    with transaction():
        found = further_lists.chosen(given, area, is_complete=complete)
    return {each.name: option.label for each, option in found}


def test_a_list_gets_a_name_that_programs_keep_when_it_is_renamed(lead):
    found = make_list("Größe der Datei?")

    with transaction():
        further_lists.change_list(found, Terms(label="File size"), actor=lead)

    assert (found.name, found.label) == ("grosse_der_datei", "File size")


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Area", "area_2"),
        ("Steps", "steps_2"),
        ("3rd party", "list_3rd_party"),
        ("日本語", "list"),
        ("x" * 60, "x" * 32),
    ],
)
def test_a_name_that_means_something_else_already_is_not_given_twice(label, name):
    assert make_list(label).name == name


def test_two_lists_are_never_called_the_same(lead):
    make_list("Browser extension")
    other = make_list("Proxy")

    with pytest.raises(Conflict, match=r"There is already a list called Browser extension."), transaction():
        further_lists.change_list(other, Terms(label="BROWSER Extension"), actor=lead)
    for label, sentence in (("", "Give the list a name."), ("x" * 121, "A name has at most 120 characters.")):
        with pytest.raises(Invalid, match=sentence), transaction():
            further_lists.add_list(Terms(label=label), actor=lead)


def test_every_change_of_a_list_is_written_down(lead):
    found = make_list("Proxy")
    make_list("Theme")
    last = further_lists.list_named("theme")

    with transaction():
        further_lists.change_list(found, Terms(label="Proxy", is_required=True), actor=lead)
        further_lists.change_list(found, Terms(label="Proxy", is_required=True), actor=lead)
        further_lists.move_up(last, actor=lead)
        further_lists.move_up(last, actor=lead)
        further_lists.retire_list(found, actor=lead)
        further_lists.ask_again(found, actor=lead)

    kinds = db.session.execute(sa.select(Event.kind, Event.details).where(Event.actor_id == lead.id)).all()
    assert [(kind.value, details.get("changed")) for kind, details in kinds] == [
        ("list.changed", ["is_required"]),
        ("list.changed", ["position"]),
        ("list.retired", None),
        ("list.changed", ["retired_at"]),
    ]
    assert [each.label for each in further_lists.lists()] == ["Theme", "Proxy"]


def test_the_history_of_a_list_says_what_it_was_and_became(lead):
    found = make_list("Proxy")
    make_list("Theme")
    areas = [make_option(OptionList.AREA, "Search"), make_option(OptionList.AREA, "Sign-in")]

    with transaction():
        further_lists.change_list(found, Terms(label="Way out", is_required=True, areas=areas), actor=lead)
        further_lists.move_up(further_lists.list_named("theme"), actor=lead)
        further_lists.retire_list(found, actor=lead)
        further_lists.ask_again(found, actor=lead)

    told = [(line.words, *line.changes) for line in option_queries.history_of_list(found, start=0, size=9)]
    assert told == [
        ("changed it", ("whether it is offered", "retired", "offered")),
        ("retired it",),
        (
            "changed it",
            ("name", "Proxy", "Way out"),
            ("whether it is required", "no", "yes"),
            ("areas", "all areas", "Search, Sign-in"),
        ),
        ("added it",),
    ]
    (moved, _added) = option_queries.history_of_list(further_lists.list_named("theme"), start=0, size=9)
    assert moved.changes == [("place", "2", "1")]


def test_a_choice_is_found_by_id_label_or_alias_on_its_own_list_only(area, lead):
    make_list("Theme", "Dark")
    dark = option_labelled("theme", "Dark")
    with transaction():
        catalogue.add_option("theme", "Light", actor=None, aliases=["bright"])

    assert choose(area, lead, theme=dark.id) == {"theme": "Dark"}
    assert choose(area, lead, theme="dark") == {"theme": "Dark"}
    assert choose(area, lead, theme="bright") == {"theme": "Light"}
    assert choose(area, lead, theme="") == {}
    for foreign in (area.id, "Search", 999_999):
        with pytest.raises(Invalid, match="The list of Theme choices has no ") as refused:
            choose(area, lead, theme=foreign)
        assert refused.value.field == "theme"


def test_a_retired_choice_and_a_retired_list_are_refused(area, lead):
    found = make_list("Theme", "Dark", "Light")
    dark = option_labelled("theme", "Dark")
    with transaction():
        catalogue.retire(dark, actor=lead)
    with pytest.raises(Invalid, match=r"Dark is no longer offered as Theme."):
        choose(area, lead, theme=dark.id)

    with transaction():
        further_lists.retire_list(found, actor=lead)
    with pytest.raises(Invalid, match=r"There is no list “theme”."):
        choose(area, lead, theme="Light")


def test_a_list_of_some_areas_is_refused_for_others_and_needed_only_there(area, lead):
    settings = option_labelled(OptionList.AREA, "Settings")
    make_list("Theme", "Dark", is_required=True, areas=[settings])

    assert choose(area, lead) == {}
    assert choose(settings, lead, theme="Dark") == {"theme": "Dark"}
    with pytest.raises(Invalid, match=r"Theme is not asked for this area. Leave it empty."):
        choose(area, lead, theme="Dark")
    with pytest.raises(Invalid, match=r"Choose “Theme”."):
        choose(settings, lead)
    assert choose(settings, lead, is_complete=False) == {}


def test_a_required_list_with_nothing_to_choose_is_not_asked_for(area, lead):
    make_list("Theme", is_required=True)
    make_list("Proxy", is_required=True, grows=True)

    assert [each.name for each in further_lists.asked(catalogue.choices())] == ["proxy"]
    assert choose(area, lead, proxy="Squid 6") == {"proxy": "Squid 6"}


def test_words_that_a_growing_list_lacks_are_proposed_once(area, lead):
    make_list("Proxy", grows=True)

    assert choose(area, lead, proxy="Squid  6") == {"proxy": "Squid 6"}
    assert choose(area, lead, proxy="squid 6") == {"proxy": "Squid 6"}
    assert choose(area, lead, proxy="12") == {"proxy": "12"}
    assert [option.label for option in catalogue.options_of("proxy")] == []
    assert [each.option.label for each in proposals.waiting(start=0, size=9)] == ["Squid 6", "12"]
    with pytest.raises(Invalid, match=r"A choice has at most 120 characters."):
        choose(area, lead, proxy="x" * 121)


def test_a_report_keeps_what_it_chose_when_the_list_is_retired_or_renamed(area, lead):
    theme, proxy = make_list("Theme", "Dark"), make_list("Proxy", "None")
    options = [(proxy, option_labelled("proxy", "None")), (theme, option_labelled("theme", "Dark"))]
    report = make_report(area=area, choices=options)
    with transaction():
        further_lists.change_list(theme, Terms(label="Look"), actor=lead)
        further_lists.retire_list(theme, actor=lead)
        catalogue.retire(options[1][1], actor=lead)

    found = further_lists.chosen_in([report.id])[report.id]
    assert [(choice.label, choice.choice) for choice in found] == [("Look", "Dark"), ("Proxy", "None")]
    assert option_use.use_of_further(theme) == {options[1][1].id: 1}
    with transaction():
        report.bug.is_restricted = True
    assert option_use.use_of_further(theme) == {}


def test_a_built_in_list_keeps_its_last_choice_a_further_one_does_not(lead):
    make_list("Theme", "Dark")
    make_option("theme", "Dark")
    with transaction():
        catalogue.retire(option_labelled("theme", "Dark"), actor=lead)
    assert catalogue.options_of("theme") == []


def test_no_list_is_named_as_the_words_that_another_one_lacks():
    names = [make_list(label).name for label in ("Browser", "Browser new", "Browser other", "x" * 28 + "_new")]

    assert names == ["browser", "browser_new_2", "browser_other_2", "x" * 28 + "_2"]
