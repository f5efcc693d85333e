"""Two people at once: the second sees who did what, keeps what they typed, and chooses which of the two is to stand."""

import re
from datetime import timedelta
from html import unescape

import pytest

from bugintake.core.db import db
from bugintake.intake.models import OptionList, Status
from tests.factories import make_bug, make_option, make_user, make_version
from tests.loop.reading import words_of
from tests.visitors import visit

pytestmark = pytest.mark.usefixtures("company")


def sent_form(page):
    """What a browser sends of the form on a page, as it stands there."""
    form = re.search(
        r'<form method="post"[^>]* class="stack".*?</form>|<form method="post" class="stack".*?</form>', page, re.S
    )[0]
    fields = {}
    for tag in re.findall(r"<input [^>]*>", form):
        if 'type="checkbox"' not in tag or " checked" in tag:
            fields[re.search(r'name="([^"]*)"', tag)[1]] = unescape(re.search(r'value="([^"]*)"|$', tag)[1] or "")
    for name, choices in re.findall(r'<select [^>]*name="([^"]*)".*?>(.*?)</select>', form, re.S):
        chosen = re.search(r'value="([^"]*)" selected', choices) or re.search(r'value="([^"]*)"', choices)
        fields[name] = chosen[1] if chosen else ""
    for name, text in re.findall(r'<textarea [^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', form, re.S):
        fields[name] = unescape(text).strip()
    return fields


@pytest.fixture
def jonas(app):
    return visit(app, make_user(name="Jonas Sommer"))


def test_a_short_note_of_the_second_survives_and_use_mine_saves_it(app, clock, mira, jonas):
    bug, reason, visitor = make_bug(), make_option(OptionList.DECLINE_REASON), visit(app, mira)
    page = visitor.get(f"/bugs/{bug.ref}/decline").text
    jonas.post(f"/bugs/{bug.ref}/work", {"seen": "new"})
    clock.advance(timedelta(seconds=20))

    typed = {**sent_form(page), "reason": str(reason.id), "note_en": "No.", "has_none": "y"}
    answer = visitor.post(f"/bugs/{bug.ref}/decline", typed)

    assert (answer.status_code, bug.status) == (409, Status.IN_PROGRESS)
    assert f"Jonas moved {bug.ref} to In progress 20 s ago." in words_of(answer)
    assert "Now In progress with Jonas Sommer Yours Won't fix" in unescape(words_of(answer))
    assert f'href="/bugs/{bug.ref}">Keep theirs</a>' in answer.text
    again = sent_form(answer.text)
    assert (again["seen"], again["note_en"], again["reason"], again["has_none"]) == (
        "in_progress",
        "No.",
        str(reason.id),
        "y",
    )
    assert visitor.post(f"/bugs/{bug.ref}/decline", again).status_code == 302
    assert (bug.status, bug.customer_notes) == (Status.DECLINED, {"en": "No."})


def test_what_cannot_be_done_any_more_is_not_offered_but_what_was_typed_stands_there(app, mira, jonas):
    bug, reason = make_bug(), make_option(OptionList.DECLINE_REASON)
    version = make_version("4.13.0")
    words = {"seen": "new", "reason": str(reason.id), "note_en": "It must be so.", "has_none": "y"}
    jonas.post(f"/bugs/{bug.ref}/decline", words)

    fix = {"seen": "new", "version": str(version.id), "note_en": "Back again."}
    answer = visit(app, mira).post(f"/bugs/{bug.ref}/fix", fix)

    assert (answer.status_code, bug.status) == (409, Status.DECLINED)
    assert "From there it cannot become Fixed" in answer.text
    assert "Use mine" not in answer.text and "Keep theirs" in answer.text
    assert "Back again." in answer.text and "It must be so." in answer.text


@pytest.mark.parametrize(("verb", "becomes"), [("acceptance", Status.ACCEPTED), ("work", None)])
def test_a_verb_without_words_shows_both_and_can_be_said_again(app, mira, jonas, verb, becomes):
    bug, visitor = make_bug(), visit(app, mira)
    jonas.post(f"/bugs/{bug.ref}/work", {"seen": "new"})

    answer = visitor.post(f"/bugs/{bug.ref}/{verb}", {"seen": "new", "next": "/board"})

    assert (answer.status_code, bug.status) == (409, Status.IN_PROGRESS)
    assert "Now In progress with Jonas Sommer Yours" in words_of(answer)
    assert ("Use mine" in answer.text) == (becomes is not None)
    if becomes is not None:
        again = visitor.post(f"/bugs/{bug.ref}/{verb}", sent_form(answer.text))
        assert (again.location, bug.status) == ("/board", becomes)


def test_a_question_survives_a_move(app, mira, jonas):
    bug, visitor = make_bug(), visit(app, mira)
    page = visitor.get(f"/bugs/{bug.ref}/question").text
    jonas.post(f"/bugs/{bug.ref}/work", {"seen": "new"})

    answer = visitor.post(f"/bugs/{bug.ref}/question", {**sent_form(page), "question": "Which?"})
    again = visitor.post(f"/bugs/{bug.ref}/question", sent_form(answer.text))

    assert (answer.status_code, again.status_code, bug.status) == (409, 302, Status.NEEDS_INFO)


def test_a_bug_that_was_merged_away_meanwhile_says_into_which(app, mira, jonas):
    bug, into = make_bug(), make_bug()
    jonas.post(f"/bugs/{bug.ref}/merge", {"into": into.ref, "seen": "new"})

    answer = visit(app, mira).post(f"/bugs/{bug.ref}/acceptance", {"seen": "new"})

    assert answer.status_code == 409
    assert f"is part of {into.ref}" in answer.text and "Send it again" not in answer.text


def test_the_second_title_stands_beside_the_first_and_either_may_win(app, clock, mira, jonas):
    bug, visitor = make_bug(), visit(app, mira)
    seen = dict(re.findall(r'name="(seen_title)" value="([^"]*)"', visitor.get(f"/bugs/{bug.ref}").text))
    jonas.post(f"/bugs/{bug.ref}/choices", {"title": "His", **seen})
    clock.advance(timedelta(seconds=5))

    answer = visitor.post(f"/bugs/{bug.ref}/choices", {"title": "Hers", **seen})

    assert (answer.status_code, bug.title) == (409, "His")
    assert "Jonas changed it 5 s ago. Now His Yours Hers" in words_of(answer)
    again = sent_form(answer.text)
    visitor.post(f"/bugs/{bug.ref}/choices", {**again, "keep": "title"})
    assert bug.title == "His"
    visitor.post(f"/bugs/{bug.ref}/choices", again)
    assert bug.title == "Hers"


def test_an_undo_that_comes_too_late_can_still_be_used(app, mira, jonas):
    bug, visitor = make_bug(), visit(app, mira)
    one, two, three = (make_option(OptionList.AREA, label) for label in ("One", "Two", "Three"))
    visitor.post(f"/bugs/{bug.ref}/choices", {"area": one.id})
    visitor.post(f"/bugs/{bug.ref}/choices", {"area": two.id})
    undo = re.search(rf'action="(/bugs/{bug.ref}/choices\?[^"]*)"', visitor.get(f"/bugs/{bug.ref}").text)[1]
    undo = undo.replace("&amp;", "&")
    jonas.post(f"/bugs/{bug.ref}/choices", {"area": three.id})

    answer = visitor.post(undo)
    address = re.search(r'<form method="post" class="stack" action="([^"]*)"', answer.text)[1].replace("&amp;", "&")
    again = visitor.post(address, sent_form(answer.text))

    db.session.refresh(bug)
    assert (answer.status_code, again.status_code, bug.area_id) == (409, 302, one.id)
