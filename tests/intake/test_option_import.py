"""Bringing choices in: what each line would do, what is wrong with it, and that nothing is half brought in."""

import io
import re

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Invalid
from bugintake.core.events import Event
from bugintake.intake import catalogue, option_import, proposals
from bugintake.intake.models import Option, OptionList
from bugintake.team.models import Role
from tests.counting import asked
from tests.factories import make_option, make_user
from tests.intake.test_merging_views import words
from tests.visitors import visit

pytestmark = pytest.mark.usefixtures("app")
AREA, IMPACT = OptionList.AREA, OptionList.IMPACT
PAGE = "/admin/catalogue/areas/import"


@pytest.fixture
def lead():
    return make_user(Role.LEAD, "Petra Lead", email="petra@team.test")


def plan(text, kind=AREA):
    return [(line.number, line.label, line.outcome.value, line.words) for line in option_import.plan(kind, text)]


def bring_in(text, actor, kind=AREA):
    with transaction():
        return option_import.bring_in(kind, text, actor=actor)


def labels(kind=AREA):
    return [option.label for option in catalogue.options_of(kind)]


def test_pasted_lines_are_names_and_a_comma_belongs_to_them(lead):
    make_option(AREA, "Search")
    text = "Invoices, old ones\r\n\r\n  search \nPDF export; print | paper"

    assert plan(text) == [
        (1, "Invoices, old ones", "new", ""),
        (3, "Search", "unchanged", ""),
        (4, "PDF export", "new", ""),
    ]


def test_columns_are_named_in_the_first_line(lead):
    make_option(AREA, "Search", aliases=["find"], labels={"de": "Suche"})
    whole = '"Search, whole words",seek|look,Wörter,PETRA@team.test'
    text = f'\ufeffName,Aliases,DE,owner\n{whole}\nSearch,"find, seek it",Suchen,\n'

    bring_in(text, lead)

    whole, search = (catalogue.option_labelled(AREA, label) for label in ("Search, whole words", "Search"))
    assert (whole.aliases, whole.labels, whole.owner_id) == (["seek", "look"], {"de": "Wörter"}, lead.id)
    assert (search.aliases, search.labels) == (["find", "seek it"], {"de": "Suchen"})
    assert labels() == ["Search", "Search, whole words"]


@pytest.mark.parametrize(
    ("text", "number", "sentence"),
    [
        ("label;aliases\n;x", 2, "Give the choice a name."),
        ("A\n" + "x" * 121, 2, "A name has at most 120 characters."),
        ("A\nB\na", 3, "Line 1 has it already."),
        ("Look; find", 1, "“find” means Search already."),
        ("Find", 1, "“find” means Search already."),
        ("A; search", 1, "“search” means Search already."),
        ("A; x\nB; x", 2, "“x” means A already."),
        ("Fax", 1, "It is retired. Offer it again first, or leave the line out."),
        ("A; b; c", 1, "It has more than the columns label, aliases. Name them in the first line."),
        ('label,de\n"A,B', 2, "A quotation mark is not closed."),
        ("label;owner\nA;nobody@team.test", 2, "Nobody who works here has the address nobody@team.test."),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_brought_in(lead, text, number, sentence):
    make_option(AREA, "Search", aliases=["find"])
    fax = make_option(AREA, "Fax")
    with transaction():
        catalogue.retire(fax, actor=lead)

    wrong = [(line, words) for line, _label, outcome, words in plan(text) if outcome == "wrong"]
    assert wrong == [(number, sentence)]
    with pytest.raises(Invalid, match=r"1 line is wrong, so nothing was brought in."):
        bring_in(text, lead)
    assert labels() == ["Search"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (" \n\n", "Paste at least one line."),
        ("x\n" * 5001, "Bring in at most 5,000 lines at once."),
        (
            "label;hr",
            (
                "There is no column “hr” in this list. "
                "There are: label, aliases, en, de, es, fr, pt, tr, zh, ar, hint, owner."
            ),
        ),
        ("label;deadline", "There is no column “deadline” in this list."),
    ],
)
def test_a_text_that_is_no_list_is_refused(text, sentence):
    with pytest.raises(Invalid) as refusal:
        plan(text)
    assert refusal.value.sentence.startswith(sentence)


def test_impacts_have_deadlines(lead):
    bring_in("label\tdeadline\thint\nAwful\t15\tNobody can work", lead, IMPACT)

    option = catalogue.option_labelled(IMPACT, "Awful")
    assert (option.deadline_minutes, option.hint) == (15, "Nobody can work")
    assert plan("label\tdeadline\nAwful\tsoon", IMPACT)[0][2:] == (
        "wrong",
        "A deadline is a whole number of working minutes.",
    )


def test_a_proposed_word_is_accepted(lead):
    with transaction():
        word = proposals.propose(AREA, "Kiosk")
    assert plan("kiosk; terminal") == [(1, "Kiosk", "new", "It was proposed, and is accepted.")]

    bring_in("kiosk; terminal", lead)

    assert (word.proposed_at, word.aliases, proposals.count()) == (None, ["terminal"], 0)


def test_the_same_lines_twice_change_nothing_the_second_time(lead):
    text = "label;aliases;de\nA;x|y;Ah\nB;;Be"
    bring_in(text, lead)
    events = db.session.scalar(sa.select(sa.func.count(Event.id)))

    assert [outcome for _line, _label, outcome, _words in plan(text)] == ["unchanged"] * 2
    bring_in(text, lead)
    assert db.session.scalar(sa.select(sa.func.count(Event.id))) == events
    assert [event.after for event in db.session.scalars(sa.select(Event).where(Event.option_id.is_not(None)))] == [
        "A",
        "B",
    ]


def test_a_hundred_new_lines_ask_as_often_as_ten(lead):
    counts = []
    for size, prefix in ((10, "a"), (100, "b")):
        text = "\n".join(f"{prefix}{number}" for number in range(size))
        with asked() as queries:
            bring_in(text, lead)
        counts.append(len(queries))

    assert counts[0] == counts[1]
    assert len(labels()) == 110


def test_a_lead_sees_what_would_happen_then_does_it(app, company, lead):
    page = visit(app, lead)
    given = {"text": "label;aliases\nSearch;look\nKiosk;terminal"}

    shown = page.post(PAGE, given)
    assert (shown.status_code, db.session.scalar(sa.select(Option).where(Option.label == "Kiosk"))) == (200, None)
    assert "1 new, 1 changed, 0 as they are, 0 wrong. Nothing is changed yet." in words(shown)
    answer = page.post(PAGE, {**given, "confirmed": "1"})

    assert answer.location == "/admin/catalogue/areas"
    assert "Brought in: 1 new, 1 changed, 0 as they were." in page.get(answer.location).text
    assert catalogue.choose(AREA, "terminal").label == "Kiosk"


def test_a_page_with_a_wrong_line_keeps_the_text_and_offers_no_way_on(app, company, lead):
    page = visit(app, lead)

    for given in ({"text": "A\na"}, {"text": "A\na", "confirmed": "1"}):
        shown = page.post(PAGE, given)
        assert "<textarea" in shown.text and re.search(r">\nA\na</textarea>", shown.text)
        assert 'name="confirmed"' not in shown.text
    assert shown.status_code == 422
    assert page.post(PAGE, {"text": ""}).status_code == 422
    file = {"file": (io.BytesIO("Größe\n".encode("cp1252")), "areas.csv")}
    assert "The file is not in UTF-8." in page.post(PAGE, file).text
    file = {"file": (io.BytesIO("\ufeffGröße\n".encode()), "areas.csv")}
    assert "1 new, 0 changed" in words(page.post(PAGE, file))
