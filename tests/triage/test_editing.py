"""Two people who change one bug: what is different survives side by side, and nothing is overwritten unseen."""

import re
from datetime import timedelta
from html import unescape

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Stale
from bugintake.core.events import Event
from bugintake.core.forms import Seen, fingerprint
from bugintake.intake.models import Bug, Option, OptionList, Status
from bugintake.team.models import User
from bugintake.triage import editing
from tests.conftest import AT_ONCE
from tests.factories import make_bug, make_option, make_user
from tests.visitors import visit

pytestmark = [pytest.mark.usefixtures("company"), pytest.mark.long_on("postgres")]
FIELDS = re.compile(r'<input type="(?:hidden|text)"[^>]* name="([^"]+)"[^>]* value="([^"]*)"')


@pytest.fixture
def jonas(app):
    return make_user(name="Jonas Sommer")


def form_at(page, action):
    """The fields of the form with an address, as a browser would send them untouched."""
    form = page.split(f'action="{action}"', 1)[1].split("</form>")[0]
    fields = {name: unescape(value) for name, value in FIELDS.findall(form)}
    for name, body in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        fields[name] = re.search(r'<option value="([^"]*)" selected', body + '<option value="" selected')[1]
    texts = re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n(.*?)</textarea>', form, re.S)
    return fields | {name: unescape(text) for name, text in texts}


def opened(visitor, bug, part):
    """Open the page of a bug and take one of its forms."""
    return form_at(visitor.get(f"/bugs/{bug.ref}").text, f"/bugs/{bug.ref}/{part}")


def test_a_36_the_second_edit_of_one_field_is_shown_both_values_who_and_when_and_loses_nothing(app, mira, jonas, clock):
    bug, area = make_bug(), make_option(OptionList.AREA, "Search")
    visitor = visit(app, mira)
    form = opened(visitor, bug, "choices")
    visit(app, jonas).post(f"/bugs/{bug.ref}/choices", {"title": "Title of Jonas"})
    clock.advance(timedelta(minutes=3))

    answer = visitor.post(f"/bugs/{bug.ref}/choices", form | {"title": "Title <of> Mira", "area": str(area.id)})

    assert '<button class="btn " type="submit" name="keep" value="title">Keep theirs</button>' in answer.text
    assert (answer.status_code, bug.title, bug.area.label) == (409, "Title of Jonas", "Invoices › PDF export")
    assert "Jonas changed it 3 min ago." in answer.text
    assert re.findall(r'<dd class="words">(.*?)</dd>', answer.text) == ["Title of Jonas"]
    kept = form_at(answer.text, f"/bugs/{bug.ref}/choices?")
    assert (kept["title"], kept["area"]) == ("Title <of> Mira", str(area.id))


def test_a_36_use_mine_writes_it_and_keep_theirs_leaves_it_and_both_save_the_rest(app, mira, jonas):
    area = make_option(OptionList.AREA, "Search")
    for button, title in (({}, "Title of Mira"), ({"keep": "title"}, "Title of Jonas")):
        bug = make_bug()
        visitor = visit(app, mira)
        form = opened(visitor, bug, "choices") | {"title": "Title of Mira", "area": str(area.id)}
        visit(app, jonas).post(f"/bugs/{bug.ref}/choices", {"title": "Title of Jonas"})
        page = visitor.post(f"/bugs/{bug.ref}/choices", form).text

        answer = visitor.post(f"/bugs/{bug.ref}/choices", form_at(page, f"/bugs/{bug.ref}/choices?") | button)

        assert (answer.status_code, bug.title, bug.area_id) == (302, title, area.id)


def test_a_36_use_mine_is_asked_again_when_a_third_person_came_in_between(app, mira, jonas):
    bug, visitor, other = make_bug(), visit(app, mira), visit(app, jonas)
    form = opened(visitor, bug, "choices") | {"title": "Title of Mira"}
    other.post(f"/bugs/{bug.ref}/choices", {"title": "Title of Jonas"})
    page = visitor.post(f"/bugs/{bug.ref}/choices", form).text
    other.post(f"/bugs/{bug.ref}/choices", {"title": "Another of Jonas"})

    answer = visitor.post(f"/bugs/{bug.ref}/choices", form_at(page, f"/bugs/{bug.ref}/choices?"))

    assert (answer.status_code, bug.title) == (409, "Another of Jonas")


def test_a_36_edits_of_different_fields_of_one_form_both_survive(app, mira, jonas):
    bug, area = make_bug(), make_option(OptionList.AREA, "Search")
    one, other = visit(app, mira), visit(app, jonas)
    mine, theirs = opened(one, bug, "choices"), opened(other, bug, "choices")

    answers = [
        other.post(f"/bugs/{bug.ref}/choices", theirs | {"area": str(area.id)}),
        one.post(f"/bugs/{bug.ref}/choices", mine | {"title": "Title of Mira"}),
    ]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert (bug.title, bug.area_id) == ("Title of Mira", area.id)


def test_a_36_a_workaround_in_one_language_leaves_the_others_as_a_colleague_wrote_them(app, mira, jonas):
    bug, one, other = make_bug(), visit(app, mira), visit(app, jonas)
    mine, theirs = opened(one, bug, "workaround"), opened(other, bug, "workaround")
    other.post(f"/bugs/{bug.ref}/workaround", theirs | {"workaround_de": "Drucken."})
    one.post(f"/bugs/{bug.ref}/workaround", mine | {"workaround_en": "Print."})

    late = other.post(f"/bugs/{bug.ref}/workaround", theirs | {"workaround_en": "Save as PDF."})

    assert (late.status_code, bug.workarounds) == (409, {"de": "Drucken.", "en": "Print."})
    assert "Mira changed it 1 s ago." in late.text


@pytest.mark.parametrize("by", ["assignment", "work"])
def test_a_36_taking_a_bug_that_a_colleague_took_meanwhile_is_refused_with_their_name(app, mira, jonas, by):
    bug, visitor = make_bug(), visit(app, mira)
    form = opened(visitor, bug, "assignment")
    visit(app, jonas).post(f"/bugs/{bug.ref}/{by}", {"owner": "me"})

    answer = visitor.post(f"/bugs/{bug.ref}/assignment", form | {"owner": "me"})

    assert (answer.status_code, bug.owner) == (409, jonas)
    assert "Jonas changed it 1 s ago." in answer.text
    assert re.findall(r'<dd class="words">(.*?)</dd>', answer.text) == ["Jonas Sommer", "Mira Kos"]


def test_p8_of_several_who_rename_a_bug_at_once_one_does_and_the_others_hear_it(app, company, together):
    bug_id, people = make_bug().id, [make_user().id for _number in range(AT_ONCE)]
    seen = Seen({"title": fingerprint(db.session.get_one(Bug, bug_id).title)})

    def rename(number):
        with transaction():
            actor = db.session.get_one(User, people[number])
            editing.change(db.session.get_one(Bug, bug_id), {"title": f"Title {number}"}, seen, actor=actor)
            return f"Title {number}"

    answers = together(rename)

    won = [answer for answer in answers if isinstance(answer, str)]
    assert ([type(answer) for answer in answers].count(Stale), won) == (
        AT_ONCE - 1,
        [db.session.get_one(Bug, bug_id).title],
    )
    assert len(db.session.scalars(sa.select(Event).where(Event.kind == "bug.edited")).all()) == 1


def test_p8_of_several_who_change_different_fields_at_once_everybody_does(app, company, together):
    bug_id, actor_id = make_bug().id, make_user().id
    area_id, symptom_id = (make_option(kind, "Other").id for kind in (OptionList.AREA, OptionList.SYMPTOM))
    typed = ["title", "area", "symptom", "workaround_en", "workaround_de", "owner"]

    def change(number):
        with transaction():
            bug, actor = db.session.get_one(Bug, bug_id), db.session.get_one(User, actor_id)
            area, symptom = option_with(area_id), option_with(symptom_id)
            value = {"area": area, "symptom": symptom, "owner": actor}.get(typed[number], "Typed")
            before = {"title": bug.title, "area": bug.area, "symptom": bug.symptom}.get(typed[number])
            shown = fingerprint("" if typed[number].startswith("workaround") else before)
            editing.change(bug, {typed[number]: value}, Seen({typed[number]: shown}), actor=actor)

    assert together(change) == [None] * AT_ONCE
    bug = db.session.get_one(Bug, bug_id)
    assert (bug.title, bug.area_id, bug.symptom_id, bug.owner_id) == ("Typed", area_id, symptom_id, actor_id)
    assert bug.workarounds == {"en": "Typed", "de": "Typed"}


def option_with(option_id):
    """An option, read by the thread that uses it."""
    return db.session.get_one(Option, option_id)


@pytest.mark.parametrize(("status", "says_none"), [(Status.DECLINED, True), (Status.ACCEPTED, False)])
def test_a_declined_bug_without_a_way_round_says_that_there_is_none(app, status, says_none):
    bug = make_bug(status)
    with transaction():
        editing.set_workarounds(bug, {"en": "Print it."}, actor=make_user())
    assert not bug.has_no_workaround

    with transaction():
        editing.set_workarounds(bug, {"en": ""}, actor=make_user())

    assert bug.has_no_workaround == says_none
