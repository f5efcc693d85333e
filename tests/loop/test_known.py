"""The public list of known problems: what an agent published, and nothing else of any bug, ever."""

from datetime import timedelta
from xml.etree import ElementTree

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.events import Event
from bugintake.intake.models import Bug, Status
from bugintake.loop import known
from bugintake.loop.known_models import KnownProblem
from bugintake.team import workspace as company
from bugintake.team.models import Role
from bugintake.triage import editing
from tests.counting import asked
from tests.factories import bring_to, make_bug, make_customer, make_user, make_workspace, merge
from tests.loop.reading import words_of
from tests.visitors import visit

pytestmark = pytest.mark.long_on("postgres")

SENTENCE = "The VAT line is missing on exported PDFs."
IN_GERMAN = "Auf exportierten PDFs fehlt die Zeile mit der Mehrwertsteuer."
ENTRY = "{http://www.w3.org/2005/Atom}entry"


@pytest.fixture
def lea(app, clock):
    make_workspace(has_public_list=True)
    return make_user(Role.AGENT, "Lea")


def publish(bug, by, **sentences):
    with transaction():
        return known.publish(db.session.get_one(Bug, bug.id), sentences or {"en": SENTENCE}, actor=by)


def listed(app, language="en"):
    return words_of(visit(app).get(f"/s/{language}"))


def entries(app, language="en"):
    feed = visit(app).get(f"/s/{language}/known.atom")
    assert feed.status_code == 200
    return ElementTree.fromstring(feed.text).findall(ENTRY)


def test_what_is_published_is_read_by_everybody_with_the_way_round_and_nothing_else(app, lea, clock):
    bug = make_bug(waiting=[make_customer("Secret Person", company="Secret Company")], actual="SECRET words")
    with transaction():
        editing.set_workarounds(bug, {"en": "Print, then save."}, actor=lea)
    assert "We know of no problems right now." in listed(app)
    answer = visit(app, lea).post(f"/bugs/{bug.ref}/publication", {"sentence_en": f" {SENTENCE} ", "sentence_de": ""})

    assert answer.status_code == 302
    said = listed(app)
    assert f"Known {SENTENCE} Known since 10 March. Until then: Print, then save." in said
    page = visit(app).get("/s/en").text + visit(app).get("/s/en/known.atom").text
    for secret in ("SECRET", "Secret", bug.ref, "Lea"):
        assert secret not in page
    assert db.session.scalars(sa.select(Event.kind).order_by(Event.id.desc())).first() == "bug.published"


def test_it_moves_through_three_groups_and_leaves_after_thirty_days(app, lea, clock):
    bug = make_bug()
    publish(bug, lea)
    engineer = make_user()
    bring_to(bug, Status.IN_PROGRESS, actor=engineer)
    assert f"Being fixed {SENTENCE}" in listed(app)
    bring_to(bug, Status.LIVE, actor=engineer)
    assert f"Fixed in the last 30 days {SENTENCE} Fixed on 10 March." in listed(app)
    clock.advance(timedelta(days=30))
    assert "We know of no problems right now." in listed(app)
    assert entries(app) == []


def test_each_language_reads_its_own_sentence_or_nothing(app, lea):
    publish(make_bug(), lea, en=SENTENCE, de=IN_GERMAN)
    publish(make_bug(), lea, en="Only in English.")

    assert IN_GERMAN in listed(app, "de") and "English" not in listed(app, "de")
    assert "Zurzeit sind uns keine Probleme bekannt." not in listed(app, "de")
    assert "no tenemos constancia" in listed(app, "es")


@pytest.mark.parametrize("end", ["restricted", "merged", "declined", "taken down", "list off"])
def test_what_may_no_longer_be_read_is_gone_at_once(app, lea, end):
    bug, engineer = make_bug(), make_user(Role.LEAD)
    publish(bug, lea)
    if end == "restricted":
        with transaction():
            editing.restrict(bug, True, actor=engineer)
        assert db.session.scalar(sa.select(KnownProblem.id)) is None
    elif end == "merged":
        merge(bug, make_bug(), actor=engineer)
    elif end == "declined":
        bring_to(bug, Status.DECLINED, actor=engineer)
    elif end == "taken down":
        assert visit(app, lea).post(f"/bugs/{bug.ref}/publication/removal").status_code == 302
    else:
        with transaction():
            company.change(company.workspace(), {"has_public_list": False}, actor=engineer)
    assert SENTENCE not in visit(app).get("/s/en").text
    assert visit(app).get("/s/en/known.atom").status_code == (404 if end == "list off" else 200)


def test_what_cannot_be_published_is_refused_in_words(lea):
    bug, lead = make_bug(), make_user(Role.LEAD)
    for sentences, words in [({"en": "  "}, "Write the sentence"), ({"en": "x" * 201}, "at most 200 characters")]:
        with pytest.raises(Invalid, match=words):
            publish(bug, lea, **sentences)
    with pytest.raises(Conflict, match="is not published"), transaction():
        known.take_down(bug, actor=lea)
    with transaction():
        editing.restrict(bug, True, actor=lead)
    with pytest.raises(Conflict, match="BUG-1 is restricted"):
        publish(bug, lea)
    over, part = make_bug(Status.LIVE), make_bug()
    merge(part, make_bug(), actor=lead)
    for each in (over, part):
        with pytest.raises(Conflict, match="Only a bug that is open and stands for itself"):
            publish(each, lea)


def test_the_feed_has_one_entry_for_each_that_changes_with_it_and_stays_itself(app, lea, clock):
    bug = make_bug()
    publish(bug, lea, en='<b>Tags</b> & "quotes"')
    [entry] = entries(app)
    name = "{http://www.w3.org/2005/Atom}"
    assert entry.findtext(f"{name}title") == 'Known: <b>Tags</b> & "quotes"'
    number, updated = entry.findtext(f"{name}id"), entry.findtext(f"{name}updated")
    assert (number, updated) == ("http://127.0.0.1:8000/s/en#p1", "2026-03-10T09:00:00Z")
    first = visit(app).get("/s/en/known.atom")
    assert visit(app).get("/s/en/known.atom", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304

    clock.advance(timedelta(hours=1))
    bring_to(bug, Status.LIVE, actor=make_user())
    [entry] = entries(app)
    assert entry.findtext(f"{name}id") == number
    assert entry.findtext(f"{name}title").startswith("Fixed in the last 30 days: <b>")
    assert entry.findtext(f"{name}updated") == "2026-03-10T10:00:00Z"


def test_many_problems_cost_as_many_questions_as_one(app, lea):
    publish(make_bug(), lea)
    visit(app).get("/s/en")
    with asked() as one:
        visit(app).get("/s/en")
    for _ in range(5):
        publish(make_bug(), lea)
    visit(app).get("/s/en")
    with asked() as many:
        visit(app).get("/s/en")
    assert len(many) == len(one)


def test_a_bug_is_published_on_its_page_where_the_company_has_a_list(app, lea):
    bug, browser = make_bug(), visit(app, lea)
    assert "Public list" in browser.get(f"/bugs/{bug.ref}").text
    publish(bug, lea)
    shown = browser.get(f"/bugs/{bug.ref}").text
    assert SENTENCE in shown and "Take it off the list" in shown
    with transaction():
        company.change(company.workspace(), {"has_public_list": False}, actor=lea)
    assert "Public list" not in browser.get(f"/bugs/{bug.ref}").text
