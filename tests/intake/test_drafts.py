"""Drafts: two tabs are two, filing ends one, nobody else's is ever read, and old ones go."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict
from bugintake.intake import drafts, filing
from bugintake.intake.attachments import keeping
from bugintake.intake.attachments.models import Attachment
from bugintake.intake.draft_models import Draft
from bugintake.intake.filing import Typed
from bugintake.triage import editing
from tests.factories import make_bug, make_user


@pytest.fixture
def save(lea):
    """Keep what Lea typed into a form."""

    def keep(bug=None, actor=lea, **fields):
        with transaction():
            return drafts.save({"key": "one", **fields}, bug, actor=actor)

    return keep


@pytest.fixture
def file(filled, lea):
    """File the form with a key."""

    sent = filled()
    choices = {kind: sent[kind.value] for kind in filing.ASKED}

    def submit(key="one"):
        texts = {name: sent[name] for name in ("steps", "actual", "expected")}
        with transaction():
            return filing.submit(Typed(is_found_by_us=True, choices=choices, **texts), None, actor=lea, key=key)

    return submit


def all_fields():
    return [each.fields for each in db.session.scalars(sa.select(Draft).order_by(Draft.id))]


def test_what_was_typed_is_kept_as_it_was_typed(save):
    typed = {"actual": "  Ünï\r\n\r\n <b> ", "area": "no such area", "list_proxy": "7", "customer": "han"}

    draft = save(**typed, csrf_token="secret")

    assert draft.fields == {"key": "one", **typed}
    assert draft.revision == 1


def test_the_same_tab_goes_on_with_its_draft_and_another_has_one_of_its_own(save):
    first = save(actual="One.")
    save(actual="One. Two.", revision="1")
    save(actual="Another.", key="two")

    assert all_fields() == [{"key": "one", "actual": "One. Two."}, {"key": "two", "actual": "Another."}]
    assert first.revision == 2


def test_two_tabs_that_go_on_with_the_same_draft_do_not_overwrite_each_other(save):
    save(actual="Begun.")
    save(actual="Begun. The first tab.", revision="1")

    second = save(actual="Begun. The second tab.", revision="1")

    assert [fields["actual"] for fields in all_fields()] == ["Begun. The first tab.", "Begun. The second tab."]
    assert second.fields["key"] != "one"


def test_a_form_that_is_empty_again_leaves_no_draft_but_takes_no_other_tabs_words(save):
    save(actual="Begun.")

    assert save(actual=" ", source="ZD-81") is None
    assert all_fields() == [{"key": "one", "actual": "Begun."}]
    assert save(actual="", revision="1") is None
    assert all_fields() == []


def test_filing_ends_the_draft_together_with_the_report(save, file):
    save(actual="Begun.")
    save(actual="Another.", key="two")
    with pytest.raises(RuntimeError), transaction():
        file()
        raise RuntimeError("nothing of this is kept")
    assert len(all_fields()) == 2

    file()

    assert all_fields() == [{"key": "two", "actual": "Another."}]


def test_words_that_arrive_after_their_form_was_filed_begin_nothing(save, file):
    report = file()

    with pytest.raises(Conflict, match=f"made {report.bug.ref}"):
        save(actual="Late.")

    assert all_fields() == []


def test_the_same_key_in_somebody_elses_hands_is_another_form(save, lea):
    other = make_user(name="Another Agent")
    save(actual="Mine.")

    save(actual="Theirs.", actor=other)

    assert [each.fields["actual"] for each in drafts.offered_to(lea)] == ["Mine."]
    assert [each.fields["actual"] for each in drafts.offered_to(other)] == ["Theirs."]
    assert drafts.draft_of(lea, drafts.offered_to(other)[0].id) is None


def test_a_draft_about_a_bug_is_not_offered_while_the_bug_is_hidden(save, lea, mira):
    bug = make_bug()
    save(bug=bug, actual="Mine.")
    assert [each.bug for each in drafts.offered_to(lea)] == [bug]

    with transaction():
        editing.restrict(bug, True, actor=mira)

    assert drafts.offered_to(lea) == []


def test_a_discarded_draft_can_be_taken_back_and_is_gone_after_a_day(save, lea, clock):
    draft = save(actual="Mine.")
    with transaction():
        drafts.discard(draft)
    assert drafts.offered_to(lea) == []
    with transaction():
        drafts.take_back(draft)
    assert drafts.offered_to(lea) == [draft]

    with transaction():
        drafts.discard(draft)
    clock.advance(timedelta(days=1, seconds=1))
    drafts.sweep()

    assert all_fields() == []


def test_a_draft_and_its_files_stay_for_two_weeks(save, lea, clock):
    keeping.choose(keeping.form_of(lea, "one"), "log.txt", b"words", actor=lea)
    keeping.choose(keeping.form_of(lea, "none"), "log.txt", b"words", actor=lea)
    save(actual="Mine.")

    clock.advance(timedelta(days=14))
    drafts.sweep()
    keeping.sweep()
    assert len(all_fields()) == 1
    assert db.session.scalars(sa.select(Attachment.form_hash)).all() == [keeping.form_of(lea, "one")]

    clock.advance(timedelta(seconds=1))
    drafts.sweep()
    keeping.sweep()
    assert (all_fields(), db.session.scalars(sa.select(Attachment)).all()) == ([], [])


def test_a_key_proves_for_whom_a_form_was_made(lea, app):
    key = drafts.new_key(lea)

    assert drafts.owner_of(key) == lea
    forged = key.replace(f"{lea.id}.", f"{lea.id + 1}.", 1)
    assert [drafts.owner_of(each) for each in (forged, key[:-1], "a key", "", "ключ.\udcff")] == [None] * 5


def test_a_draft_says_how_it_begins(save):
    draft = save(customer="Hana Kovač", steps="1. Open\n2. Look", actual=" ", expected="More")

    assert draft.begins == "Hana Kovač: 1. Open 2. Look"
