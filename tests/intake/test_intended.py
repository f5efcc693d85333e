"""Is it meant to be so? An area's note, and the declines that never age."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.forms import Seen
from bugintake.intake import intended, option_editing, packs
from bugintake.intake.models import Bug, Option, OptionList, Status
from bugintake.intake.similar import look_alikes
from bugintake.team.models import Role
from tests.factories import make_bug, make_option, make_user, make_workspace


@pytest.fixture
def lead(app):
    """A lead in a workspace."""
    make_workspace()
    return make_user(Role.LEAD)


def declined_as_intended(lead, **choices):
    bug = make_bug(Status.DECLINED, **choices)
    with transaction():
        db.session.get_one(Option, bug.decline_reason_id).is_intended = True
    return bug


def test_an_area_says_how_it_is_meant_to_behave_and_history_says_who_wrote_it(lead):
    area = make_option(OptionList.AREA)
    for _twice in range(2):
        with transaction():
            option_editing.edit(area, {"intended": "Totals are rounded per line."}, Seen(), actor=lead)

    assert area.intended == "Totals are rounded per line."
    events = db.session.scalars(sa.select(Event).where(Event.kind == EventKind.OPTION_CHANGED)).all()
    assert [(event.actor_id, event.details["changed"]) for event in events] == [(lead.id, ["intended"])]


def test_a_note_too_long_to_read_on_the_phone_is_refused(lead):
    with pytest.raises(Invalid) as refusal, transaction():
        option_editing.edit(make_option(OptionList.AREA), {"intended": "x" * 501}, Seen(), actor=lead)

    assert refusal.value.sentence == "Keep it below 500 characters: it is read while a customer waits."


def test_what_works_as_intended_is_known_for_ever(lead, clock):
    bug = declined_as_intended(lead)
    clock.advance(timedelta(days=900))

    area, symptom = make_option(OptionList.AREA), make_option(OptionList.SYMPTOM)
    assert [each.bug for each in look_alikes(area, symptom, "", actor=lead)] == [bug]
    with transaction():
        db.session.get_one(Option, bug.decline_reason_id).is_intended = False
    assert look_alikes(area, symptom, "", actor=lead) == []


def test_the_standing_declines_of_an_area_are_its_latest_three_that_one_may_see(lead, clock):
    bugs = []
    for _ in range(4):
        clock.advance(timedelta(days=1))
        bugs.append(declined_as_intended(lead))
    declined_as_intended(lead, area="Calendar")
    with transaction():
        db.session.get_one(Bug, bugs[3].id).is_restricted = True

    area = make_option(OptionList.AREA)
    assert [intended.known_of(area, who).more_count for who in (lead, make_user(Role.AGENT))] == [1, 0]
    assert intended.known_of(area, lead).declines == [bugs[3], bugs[2], bugs[1]]
    assert intended.known_of(area, make_user(Role.AGENT)).declines == [bugs[2], bugs[1], bugs[0]]


def test_every_pack_says_which_reason_means_that_it_works_as_intended(lead):
    with transaction():
        packs.install_pack("web", actor=lead)

    reasons = sa.select(Option.label).where(Option.is_intended)
    assert db.session.scalars(reasons).all() == ["Works as intended"]


def test_only_a_reason_can_mean_that_it_works_as_intended(lead):
    with pytest.raises(sa.exc.IntegrityError), transaction():
        make_option(OptionList.AREA).is_intended = True


def test_without_a_script_what_is_meant_to_be_so_is_shown_without_look_alikes_too(agent, filled, option):
    with transaction():
        option(OptionList.AREA, "Search").intended = "Finds whole words."
    sent = filled(found_by_us="y", ask="1")

    page = agent.post("/new", sent)

    assert "<h1>Is it meant to be so?</h1>" in page.text
    assert "Finds whole words." in page.text
    assert 'name="choice" value="none"' in page.text
    assert agent.post("/new/similar", {**sent, "choice": "none"}).status_code == 303


def test_of_more_than_three_standing_declines_the_page_says_how_many(agent, filled, mira):
    for _number in range(4):
        declined_as_intended(mira, area="Search", symptom="Nothing happens")

    page = agent.post("/new", filled(found_by_us="y", ask="1"))

    assert "1 more, among all that was declined here" in page.text
