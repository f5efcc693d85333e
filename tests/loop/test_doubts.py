"""What nobody should read: that a declined bug is fixed, words of our trade, and another customer's name."""

import pytest

from bugintake.core.db import db, transaction
from bugintake.core.errors import Invalid
from bugintake.intake.models import Bug, OptionList, Status
from bugintake.intake.wording import trade_words
from bugintake.loop import announcements
from bugintake.loop.doubts import doubts_about, named_in
from bugintake.triage import editing, transitions
from tests.factories import bring_to, make_bug, make_customer, make_option, make_user, make_workspace
from tests.loop.reading import words_of
from tests.loop.rows import announcement_of
from tests.visitors import visit


@pytest.fixture
def mira(app, clock):
    make_workspace()
    return make_user(name="Mira")


def declined(mira, **notes):
    bug = make_bug(waiting=[make_customer("Hana Kos", company="Brightline"), make_customer("Sam")])
    with transaction():
        reason = make_option(OptionList.DECLINE_REASON, "By design")
        transitions.decline(db.session.get_one(Bug, bug.id), reason, notes, {}, actor=mira)
    return announcement_of(bug)


@pytest.mark.parametrize(
    ("language", "note", "word"),
    [
        ("en", "This was Resolved by the vendor.", "Resolved"),
        ("en", "It is fixed.", "fixed"),
        ("de", "Das ist behoben.", "behoben"),
        ("zh", "这个问题已修复了。", "已修复"),
        ("es", "Ya está resuelta.", "resuelta"),
    ],
)
def test_a_decline_never_says_that_it_is_fixed(mira, language, note, word):
    with pytest.raises(Invalid, match=f"“{word}” cannot stand in it") as refusal:
        declined(mira, **{language: note})
    assert refusal.value.field == "customer_note"


def test_words_that_only_look_like_it_may_stand(mira):
    assert declined(mira, en="The prefix is unfixed, and affixed names stay.").notes


def test_nor_is_it_written_into_one_later_and_what_was_typed_stays(app, mira):
    announcement = declined(mira, en="It stays as it is.")
    typed = {"note_en": "It is fixed now.", "note_de": "", "note_es": "Se queda así."}
    answer = visit(app, mira).post(f"/loop/{announcement.id}/notes", typed)
    assert answer.status_code == 422
    assert "“fixed” cannot stand in it" in words_of(answer)
    assert "It is fixed now." in answer.text and "Se queda así." in answer.text
    assert db.session.merge(announcement).notes == {"en": "It stays as it is."}


def test_nor_does_the_way_round_that_a_decline_offers(app, mira):
    bug = make_bug(waiting=[make_customer()])
    with transaction():
        reason = make_option(OptionList.DECLINE_REASON, "By design")
    with pytest.raises(Invalid, match="“fixed” cannot stand in it") as refusal, transaction():
        transitions.decline(bug, reason, {"en": "It stays."}, {"en": "It is fixed in the app."}, actor=mira)
    assert refusal.value.field == "workaround"
    announcement = declined(mira, en="It stays as it is.")
    answer = visit(app, mira).post(
        f"/loop/{announcement.id}/notes", {"note_en": "It stays as it is.", "workaround_en": "Use what is fixed."}
    )
    assert (answer.status_code, "Use what is fixed." in answer.text) == (422, True)
    for status, words in ((Status.DECLINED, {}), (Status.NEW, {"en": "Until it is fixed, print it."})):
        other = announcement.bug if status is Status.DECLINED else make_bug()
        with transaction():
            editing.set_workarounds(db.session.get_one(Bug, other.id), words, actor=mira)
        assert db.session.get_one(Bug, other.id).workarounds == words


def test_words_of_our_trade_and_numbers_are_pointed_out_where_somebody_still_can_change_them(app, mira):
    announcement = declined(mira, en="Your ticket BUG-12 is no issue.", de="Alles gut.")
    assert trade_words("en", "A ticket, a Ticket, tickets") == ["ticket", "Ticket", "tickets"]
    assert doubts_about(announcement) == [
        f"In English it says “{word}”, no word of a customer." for word in ("ticket", "BUG-12", "issue")
    ]
    assert "In English it says “ticket”" in words_of(visit(app, mira).get(f"/loop/{announcement.id}"))


@pytest.mark.parametrize("note", ["As hana KOS told us, it stays.", "BRIGHTLINE asked for it."])
def test_what_names_somebody_who_waits_leaves_only_when_a_person_sends_it(mira, note):
    announcement = declined(mira, en=note)
    assert len(named_in(announcement)) == 1
    assert (announcement.due_at, "and others read it" in doubts_about(announcement)[0]) == (None, True)
    with transaction():
        announcements.send(announcement, actor=mira)
    assert announcement.due_at is not None


def test_a_name_that_is_written_in_stops_what_was_to_leave_by_itself(mira):
    announcement = declined(mira, en="It stays as it is.")
    assert announcement.due_at is not None
    with transaction():
        announcements.edit_notes(announcement, {"en": "Brightline wanted it."}, {}, actor=mira)
    assert announcement.due_at is None
    with transaction():
        announcements.edit_notes(announcement, {"en": "It stays."}, {}, actor=mira)
        announcements.hold(announcement, actor=mira)
        announcements.resume(announcement, actor=mira)
    assert announcement.due_at is not None


def test_first_names_alone_and_names_of_others_are_no_doubt(mira):
    make_customer("Eve Long", company="Elsewhere")
    assert declined(mira, en="Sam, Hana and Eve Long of Elsewhere may read it.").due_at is not None


def test_what_is_live_is_looked_at_as_well(mira):
    bug = make_bug(Status.NEW, waiting=[make_customer("Hana Kos")])
    bring_to(bug, Status.LIVE, actor=mira)
    assert doubts_about(announcement_of(bug)) == []
