"""Packs: what a new installation's lists begin with."""

import pytest

from bugintake.core.db import transaction
from bugintake.core.errors import Invalid
from bugintake.intake.catalogue import options_of
from bugintake.intake.models import OptionList
from bugintake.intake.packs import PACKS, areas_from, install_pack
from bugintake.team.models import LANGUAGES
from tests.factories import make_option

pytestmark = pytest.mark.long_on("postgres")


def labels(kind):
    return [option.label for option in options_of(kind)]


@pytest.mark.parametrize("name", PACKS)
def test_every_pack_fills_every_list_in_every_language(app, name):
    with transaction():
        install_pack(name, actor=None)

    for kind in OptionList:
        assert labels(kind) != []
        assert {tuple(sorted(option.labels)) for option in options_of(kind)} == {tuple(sorted(LANGUAGES))}


@pytest.mark.parametrize("name", PACKS)
def test_every_pack_lets_people_say_that_they_do_not_know(app, name):
    with transaction():
        install_pack(name, actor=None)

    asked = [kind for kind in OptionList if kind not in (OptionList.IMPACT, OptionList.DECLINE_REASON)]
    assert [options_of(kind)[-1].is_unsure for kind in asked] == [True] * len(asked)


def test_impacts_come_with_the_working_minutes_until_somebody_looks(app):
    with transaction():
        install_pack("web", actor=None)

    assert [(each.label, each.deadline_minutes) for each in options_of(OptionList.IMPACT)] == [
        ("Cannot work", 30),
        ("Hard to work", 120),
        ("Annoying", 480),
        ("Looks off", 2400),
    ]


def test_the_products_own_areas_take_the_place_of_the_packs(app):
    with transaction():
        install_pack("web", actor=None, areas=["Invoices › PDF export", "Calendar"])

    assert labels(OptionList.AREA) == ["Invoices › PDF export", "Calendar", "Not sure"]


def test_without_a_name_the_web_pack_is_taken(app):
    with transaction():
        install_pack(None, actor=None, areas=[])

    assert labels(OptionList.AREA)[0] == "Sign-in › Password"


def test_installing_a_pack_twice_adds_nothing_and_keeps_what_was_there(app):
    make_option(OptionList.PLATFORM, "firefox")
    with transaction():
        install_pack("web", actor=None)
    before = labels(OptionList.PLATFORM)

    with transaction():
        added = install_pack("web", actor=None)

    assert (added, labels(OptionList.PLATFORM)) == (0, before)
    assert "Firefox" not in before


def test_a_pack_that_does_not_exist_is_refused(app):
    with pytest.raises(Invalid, match="There is no pack desktop"), transaction():
        install_pack("desktop", actor=None)


def test_areas_are_read_one_per_line_without_empty_ones_and_repetitions():
    assert areas_from(" Invoices\r\n\n\tCalendar › Sync \nINVOICES\n") == ["Invoices", "Calendar › Sync"]
