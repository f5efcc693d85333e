"""What would save time on duty: noted, ended by one person, counted, and never lost."""

from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.events import Event
from bugintake.duty import improvements
from bugintake.duty.improvement_models import ImprovementKind
from bugintake.duty.improvements import Month
from tests.counting import asked
from tests.visitors import text_of


def note(text, actor, kind=ImprovementKind.DOC):
    with transaction():
        return improvements.note(kind, text, actor=actor)


def end(improvement, actor, *, is_done=True):
    with transaction():
        improvements.end(improvement, is_done=is_done, actor=actor)


def recorded():
    kinds = sa.select(Event.kind).where(Event.kind.startswith("improvement.")).order_by(Event.id)
    return [str(kind) for kind in db.session.scalars(kinds)]


def test_what_is_noted_is_open_until_somebody_ends_it_and_can_be_opened_again(rotation, mira, tin):
    first, second = note("How taxes round", mira), note("A button to resend", tin, ImprovementKind.TOOL)
    end(first, tin)
    end(second, mira, is_done=False)
    ended = [(each.text, each.is_done, each.ended_by.first_name) for each in improvements.ended_ones(most=9)]
    with transaction():
        improvements.take_up(second, actor=tin)

    assert sorted(ended) == [("A button to resend", False, "Mira"), ("How taxes round", True, "Tin")]
    assert [each.text for each in improvements.open_ones(most=9)] == ["A button to resend"]
    kinds = ["noted", "noted", "done", "dropped", "taken_up"]
    assert recorded() == [f"improvement.{kind}" for kind in kinds]


def test_the_second_who_ends_it_hears_who_was_first(rotation, mira, tin):
    made = note("How taxes round", mira)
    end(made, mira)

    with pytest.raises(Conflict, match="Mira Kovač has marked it as done already"), transaction():
        improvements.end(made, is_done=False, actor=tin)
    assert improvements.ended_ones(most=1)[0].is_done


def test_only_one_of_several_at_once_ends_it(rotation, mira, together):
    number = note("How taxes round", mira).id

    def try_it(_):
        with transaction():
            improvements.end(improvements.improvement_or_404(number), is_done=True, actor=mira)

    answers = together(try_it)
    assert sum(answer is None for answer in answers) == 1
    assert recorded() == ["improvement.noted", "improvement.done"]


@pytest.mark.parametrize(("text", "sentence"), [("  ", "Write what"), ("x" * 201, "at most 200 characters")])
def test_no_words_and_too_many_are_refused(rotation, mira, text, sentence):
    with pytest.raises(Invalid, match=sentence):
        note(text, mira)

    assert improvements.open_ones(most=1) == []


def test_they_are_counted_by_kind_and_by_month(rotation, mira, clock):
    for month, count in ((1, 2), (3, 1)):
        clock.set(datetime(2026, month, 5, 9, tzinfo=UTC))
        made = [note(f"No. {month}.{number}", mira, ImprovementKind.MACRO) for number in range(count)]
        end(made[0], mira)

    assert improvements.open_by_kind() == {ImprovementKind.DOC: 0, ImprovementKind.MACRO: 1, ImprovementKind.TOOL: 0}
    assert improvements.months(date(2026, 3, 5))[:3] == [
        Month(date(2026, 3, 1), 1, 1),
        Month(date(2026, 2, 1), 0, 0),
        Month(date(2026, 1, 1), 2, 1),
    ]
    assert improvements.months(date(2026, 3, 5))[-1].first_on == date(2025, 10, 1)


def test_on_the_pages_engineers_note_and_end_and_agents_read(rotation, mira, lea, as_user):
    browser = as_user(mira)
    noted = browser.post("/duty/improvements", {"kind": "macro", "text": "How to send a log"})
    refused = browser.post("/duty/improvements", {"kind": "moon", "text": "How to <b>send</b> it"})
    number = improvements.open_ones(most=1)[0].id

    assert noted.status_code == 302
    assert refused.status_code == 422
    assert "Choose what it takes." in text_of(refused)
    assert "How to &lt;b&gt;send&lt;/b&gt; it" in refused.text
    for page in ("/duty", "/duty/improvements"):
        assert "How to send a log" in text_of(as_user(lea).get(page))
    assert as_user(lea).post("/duty/improvements", {"kind": "doc", "text": "x"}).status_code == 403
    assert browser.post(f"/duty/improvements/{number}/ending", {"done": "y"}).status_code == 302
    assert "done by Mira" in text_of(browser.get("/duty/improvements"))


def test_one_and_many_cost_the_same_number_of_queries(rotation, mira, tin, as_user):
    browser = as_user(mira)

    def queries(page):
        with asked() as statements:
            browser.get(page)
        return len(statements)

    end(note("First", tin), mira)
    note("Second", tin)
    pages = ("/duty", "/duty/improvements")
    few = [queries(page) for page in pages]
    for number in range(60):
        made = note(f"No. {number}", mira if number % 2 else tin)
        if number % 3:
            end(made, tin)

    assert [queries(page) for page in pages] == few
