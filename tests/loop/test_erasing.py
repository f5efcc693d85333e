"""Erasing a person: their words are nowhere afterwards, what happened and the counts stay; and keeping for so long."""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core import events
from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.forms import Seen
from bugintake.intake import reports
from bugintake.intake.attachments import storage
from bugintake.intake.attachments.models import Attachment
from bugintake.intake.customers import changing, erasing, merging, queries
from bugintake.intake.customers.models import Customer
from bugintake.intake.draft_models import Draft
from bugintake.intake.models import Bug, Question, Remark, Report, SettledBy, Status
from bugintake.loop import envelopes, links, personal_data, worker
from bugintake.loop.models import Delivery, LinkPurpose, Message, MessageState
from bugintake.team import tokens
from bugintake.team.models import IdempotentAnswer, Role
from bugintake.triage import linking, transitions
from tests.factories import bring_to, make_attachment, make_bug, make_customer, make_telling, make_user, make_workspace
from tests.loop.rows import one_message, owed

SOUGHT = "zephyr"


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace(review_minutes=0)


@pytest.fixture
def petra(app):
    return make_user(Role.ADMIN, "Petra")


def erase(customer, actor=None):
    with transaction():
        erasing.erase(customer, actor=actor)
    erasing.forget_words()
    db.session.expire_all()


def dump():
    """Read every column of every table, those of the word index included, as one text."""
    db.session.rollback()
    names = sa.inspect(db.engine).get_table_names()
    found = []
    with db.engine.connect() as connection:
        for name in names:
            for row in connection.execute(sa.text(f'SELECT * FROM "{name}"')):
                for value in row:
                    text = value.decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
                    found.append(text)
    return "\n".join(found)


def everything_of(petra):
    """A person with a word that is nowhere else in every text there is of them."""
    count = iter(range(100))

    def word():
        return f"{SOUGHT}{next(count)}kestrel"

    hana = make_customer(f"Hana {word()}", email=f"{word()}@example.com")
    twin = make_customer(f"Hana {word()}", email=f"{word()}@example.com")
    texts = {name: word() for name in ("steps", "actual", "expected", "source")}
    bug = make_bug(waiting=[hana], **texts)
    other = make_bug(waiting=[twin], actual=f"{word()} is what happened. More of it.")
    make_attachment(bug, f"{word()}.log", word().encode())
    with transaction():
        merging.merge(twin, hana, actor=petra)
        changing.change_customer(hana, {"ids": f"crm: {word()}", "zone": "Europe/Zagreb"}, Seen(), actor=petra)
        changing.write_note(hana, word(), actor=petra)
        report = db.session.scalars(sa.select(Report).where(Report.bug_id == bug.id)).first()
        db.session.add(Remark(report_id=report.id, text=word()))
        question = transitions.ask(bug, report, "Which version?", actor=petra)
        transitions.answer(question, word(), actor=petra)
        links.make_link(report, LinkPurpose.REPORT, "en")
        linking.add_link(other, f"https://desk.example/?of={hana.email}", actor=petra)
        title = db.session.get_one(Bug, other.id).title
        token = tokens.create_token(petra, ["read"], actor=None)[0].id
        answer = {"id": 1, "bug": {"title": title}, "said": hana.email}
        db.session.add(IdempotentAnswer(token_id=token, key="k", request_hash="h", status=201, body=answer, headers={}))
        fields = {"customer": hana.full_name, "customer_id": str(hana.id), "actual": word()}
        db.session.add(Draft(form_hash="f", user_id=petra.id, fields=fields))
    bring_to(bug, Status.LIVE, actor=petra)
    with transaction():
        envelopes.open_due()
        message = one_message(bug)
        message.text = word()
        db.session.get_one(Delivery, message.delivery_id).subject = word()
        db.session.get_one(Delivery, message.delivery_id).last_error = f"550 {word()}"
    return hana, bug, other


def test_no_word_of_an_erased_person_is_left_in_any_table_or_file(petra):
    hana, _bug, _other = everything_of(petra)
    file = db.session.scalars(sa.select(Attachment)).one().stored_as
    assert dump().count(SOUGHT) > 20

    erase(hana, petra)

    assert [line for line in dump().splitlines() if SOUGHT in line] == []
    assert not storage.path_of(file).exists()


def test_what_happened_and_the_counts_stay(petra):
    hana, _bug, other = everything_of(petra)
    before = db.session.scalar(sa.select(sa.func.count()).select_from(Event))

    erase(hana, petra)

    assert db.session.scalars(sa.select(Report.actual).order_by(Report.id)).all() == ["erased", "erased"]
    assert db.session.scalars(sa.select(Remark.text)).all() == ["erased"]
    assert db.session.scalars(sa.select(Question.answer)).all() == ["erased"]
    kinds = db.session.scalars(sa.select(Event.kind).order_by(Event.id).offset(before)).all()
    settled = {EventKind.REPORT_SETTLED, EventKind.MESSAGE_SUPPRESSED}
    assert set(kinds) == {EventKind.CUSTOMER_ERASED, EventKind.BUG_UNLINKED, *settled}
    assert db.session.get_one(Bug, other.id).title == "Shows the wrong thing: Invoices › PDF export"


def test_what_had_not_left_never_does_and_they_wait_no_longer(petra):
    hana = make_customer("Hana", email="hana@example.com")
    bug = make_bug(Status.LIVE, waiting=[hana])
    with transaction():
        envelopes.open_due()

    erase(hana, petra)

    assert owed(bug) == [(None, MessageState.SUPPRESSED, None)]
    assert db.session.scalars(sa.select(Report.settled_by)).one() is SettledBy.SUPPRESSED
    assert db.session.get_one(Bug, bug.id).waiting_count == 0


def test_what_was_sent_stays_sent_and_loses_its_text(petra):
    hana = make_customer("Hana", email="hana@example.com")
    bug = make_bug(Status.LIVE, waiting=[hana])
    with transaction():
        message = one_message(bug)
        message.state, message.text = MessageState.SENT, "Hi Hana"

    erase(hana, petra)

    assert [tuple(row) for row in db.session.execute(sa.select(Message.state, Message.text))] == [
        (MessageState.SENT, "")
    ]


def test_a_title_that_a_colleague_wrote_stays(petra):
    hana = make_customer("Hana")
    bug = make_bug(waiting=[hana], actual="It is all empty.")
    with transaction():
        db.session.get_one(Bug, bug.id).title = "Exports are empty"

    erase(hana, petra)

    assert db.session.get_one(Bug, bug.id).title == "Exports are empty"


def test_what_the_api_repeats_forgets_the_address_of_a_merged_record_too(petra):
    hana, twin = make_customer("Hana", email="hana@example.com"), make_customer("Hana K", email="hk@example.com")
    with transaction():
        merging.merge(twin, hana, actor=petra)
    with transaction():
        token, body = tokens.create_token(petra, ["read"], actor=None)[0].id, {"to": "hk@example.com"}
        db.session.add(IdempotentAnswer(token_id=token, key="k", request_hash="h", status=200, body=body, headers={}))

    erase(hana, petra)

    assert db.session.scalars(sa.select(IdempotentAnswer.body)).one() == {"to": "erased"}


def test_nobody_is_erased_twice(petra):
    hana = make_customer("Hana")
    erase(hana, petra)

    with pytest.raises(Conflict):
        erase(hana, petra)


def test_an_erased_person_is_found_by_nothing_and_changes_no_more(petra):
    hana = make_customer("Hana", email="hana@example.com")
    erase(hana, petra)

    assert queries.customers_like("hana", petra) == queries.customers_like("erased", petra) == []
    with pytest.raises(Conflict), transaction():
        changing.change_customer(hana, {"name": "Hana"}, Seen(), actor=petra)


def test_somebody_gets_everything_that_is_kept_of_them(petra):
    hana, _bug, _other = everything_of(petra)

    found = json.dumps(personal_data.of(hana))

    assert found.count(SOUGHT) == 15


def settle(bug, at):
    with transaction():
        for report in db.session.scalars(sa.select(Report).where(Report.bug_id == bug.id)):
            report.settled_at, report.settled_by = at, SettledBy.TOLD


def test_who_told_us_only_of_what_is_long_closed_is_erased_by_the_worker(petra, app, clock):
    make_workspace(retention_months=6)
    old, waits, back = make_customer("Old"), make_customer("Waits"), make_customer("Back")
    never = make_customer("Never")
    closed = make_bug(Status.LIVE, waiting=[old, back])
    settle(closed, clock.now())
    make_bug(waiting=[waits])
    clock.advance(timedelta(days=5 * 31))
    worker.sweep(app)
    assert db.session.scalars(sa.select(Customer.name).where(Customer.erased_at.is_not(None))).all() == []
    make_bug(waiting=[back])
    clock.advance(timedelta(days=40))

    worker.sweep(app)

    db.session.rollback()
    db.session.expire_all()
    assert [each.erased_at is not None for each in (old, waits, back, never)] == [True, False, False, False]


def test_whoever_tells_us_again_before_their_turn_comes_is_not_erased(petra, monkeypatch, clock):
    make_workspace(retention_months=6)
    first, second = make_customer("First"), make_customer("Second")
    settle(make_bug(Status.LIVE, waiting=[first, second]), clock.now())
    clock.advance(timedelta(days=200))
    telling = make_telling(second)

    def tell_us_meanwhile(_event):
        reports.file_report(telling, actor=petra)

    listening = [*events._subscribers[EventKind.CUSTOMER_ERASED], tell_us_meanwhile]
    monkeypatch.setitem(events._subscribers, EventKind.CUSTOMER_ERASED, listening)

    erasing.erase_the_forgotten()

    db.session.expire_all()
    assert [each.erased_at is not None for each in (first, second)] == [True, False]


def test_without_a_limit_everything_is_kept(petra, app, clock):
    old = make_customer("Old")
    settle(make_bug(Status.LIVE, waiting=[old]), clock.now())
    clock.advance(timedelta(days=4000))

    worker.sweep(app)

    db.session.rollback()
    db.session.expire_all()
    assert old.erased_at is None
