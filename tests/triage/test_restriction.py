"""Who sees a restricted bug, what restricting one does to whoever does it, and what merging makes of it."""

from html import unescape

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.intake import queries
from bugintake.intake.models import Bug, Report
from bugintake.team import tokens
from bugintake.team.models import Role
from bugintake.triage import editing
from tests.factories import make_bug, make_customer, make_telling, make_user
from tests.visitors import visit

pytestmark = pytest.mark.usefixtures("company")


@pytest.fixture
def lea(app):
    return make_user(Role.AGENT, "Lea Filer")


def restricted(filer, owner=None):
    """A bug that exists only for two people, leads and admins."""
    bug = make_bug(actor=filer)
    with transaction():
        editing.assign(bug, owner, actor=filer)
        editing.restrict(bug, True, actor=filer)
    return bug


def merged(bug, whole):
    """Make a bug part of another one, as merging does."""
    with transaction():
        bug.merged_into_id = bug.canonical_id = whole.id
    return bug


def test_whoever_restricts_a_bug_out_of_their_sight_is_led_to_the_board_and_told_who_sees_it(app, mira, lea):
    bug, jonas = make_bug(actor=lea), make_user(name="Jonas Sommer")
    visitor = visit(app, mira)
    assert "out of your sight" in visitor.get(f"/bugs/{bug.ref}").text
    with transaction():
        editing.assign(bug, jonas, actor=jonas)

    answer = visitor.post(f"/bugs/{bug.ref}/restriction", {"restricted": "1", "next": f"/bugs/{bug.ref}"})

    assert (answer.status_code, answer.location) == (302, "/board")
    board = visitor.get(answer.location)
    sentence = f"{bug.ref} is restricted: only Lea Filer, Jonas Sommer, leads and admins see it now."
    assert (board.status_code, sentence in board.text) == (200, True)


@pytest.mark.parametrize("who", ["owner", "lead"])
def test_whoever_still_sees_the_bug_they_restrict_stays_on_its_page(app, lea, who):
    person = make_user(Role.LEAD if who == "lead" else Role.ENGINEER)
    bug = make_bug(actor=lea)
    with transaction():
        editing.assign(bug, person if who == "owner" else None, actor=person)
    visitor = visit(app, person)
    assert "out of your sight" not in visitor.get(f"/bugs/{bug.ref}").text

    answer = visitor.post(f"/bugs/{bug.ref}/restriction", {"restricted": "1"})

    assert (answer.location, visitor.get(answer.location).status_code) == (f"/bugs/{bug.ref}", 200)


def test_who_gives_a_restricted_bug_away_is_led_to_the_board_too(app, mira, lea):
    bug, jonas = restricted(lea, mira), make_user(name="Jonas Sommer")
    visitor = visit(app, mira)

    answer = visitor.post(f"/bugs/{bug.ref}/assignment", {"owner": str(jonas.id)})

    assert answer.location == "/board"
    assert "only Lea Filer, Jonas Sommer, leads and admins see it now." in visitor.get("/board").text


def test_showing_it_to_everybody_again_says_so(app, lea):
    bug, visitor = restricted(lea), visit(app, make_user(Role.LEAD))

    visitor.post(f"/bugs/{bug.ref}/restriction", {"restricted": "0"})

    assert f"Everybody here sees {bug.ref} again." in visitor.get(f"/bugs/{bug.ref}").text


def second_roads(bug, report):
    """Every address that leads to a bug by another name than its page."""
    ref = bug.ref
    pages = [f"/bugs/{ref}", f"/bugs/{ref}/filed", f"/bugs/{ref}/filed?report={report.id}", f"/bugs/{ref}/attach"]
    return [*pages, f"/bugs/{ref}/fix", f"/bugs/{ref}/question", f"/reports/{report.id}/withdrawal"]


def test_a_05_a_bug_merged_into_a_hidden_one_is_absent_on_every_road_to_it(app, mira, lea):
    part = merged(make_bug(actor=mira), restricted(lea))
    report = one_report(part)
    visitor, other = visit(app, mira), visit(app, make_user(Role.LEAD))
    absent = "BUG-4711"

    for address in second_roads(part, report):
        gone = address.replace(part.ref, absent).replace(f"/{report.id}/", "/4711/")
        assert plain(visitor.get(address), part.ref) == plain(visitor.get(gone), absent)
        assert other.get(address).status_code in (200, 302)
    for action, form in (("attach", {"confirmed": "1"}), ("choices", {"title": "x"}), ("undo/1", {})):
        assert visitor.post(f"/bugs/{part.ref}/{action}", form).status_code == 404
    for action in ("/new", "/new/similar"):
        assert visitor.post(action, {"bug": part.ref, "choice": part.ref}).status_code == 404
    assert visitor.post(f"/reports/{report.id}/withdrawal").status_code == 404
    assert report.settled_at is None


def one_report(bug):
    """The only report of a bug."""
    return db.session.scalars(sa.select(Report).where(Report.bug_id == bug.id)).one()


def plain(answer, ref):
    """What an answer tells apart, but for what was asked for and the form tokens."""
    lines = [line for line in unescape(answer.text).replace(ref, "BUG").splitlines() if "csrf_token" not in line]
    return answer.status_code, lines


def test_a_05_a_bug_merged_into_a_hidden_one_is_absent_from_lists_suggestions_and_the_api(app, mira, lea):
    customer = make_customer("Hana Kovač")
    part = make_bug(waiting=[customer], actor=mira, actual="The canary sings.")
    merged(part, restricted(lea))
    telling = make_telling()
    visitor = visit(app, mira)
    with transaction():
        secret = tokens.create_token(mira, list(tokens.SCOPES), actor=None)[1]
    headers = {"Authorization": f"Bearer {secret}"}
    body = {
        kind: getattr(telling, kind).id for kind in ("area", "symptom", "impact", "frequency", "platform", "version")
    }
    body |= {"steps": "a", "actual": "b", "expected": "c", "customer": None, "bug": part.ref}

    pages = [visitor.get(address).text for address in ("/board", "/bugs", f"/customers/{customer.id}")]
    similar = f"area={telling.area.id}&symptom={telling.symptom.id}"
    found = [
        visitor.get(f"/new/similar?{similar}").json["items"],
        app.test_client().get(f"/api/v1/similar?{similar}", headers=headers).json["items"],
    ]
    known = visitor.get("/customers/suggestions?q=Hana").json["items"][0]["note"]

    assert ["canary" in page or part.ref in page for page in pages] == [False] * 3
    assert found == [[], []]
    assert known == "Writes in English, 0 open reports."
    assert app.test_client().get(f"/api/v1/bugs/{part.ref}", headers=headers).status_code == 404
    assert app.test_client().post("/api/v1/reports", json=body, headers=headers).status_code == 404


def test_the_two_ways_to_ask_who_sees_a_bug_agree(app, mira, lea):
    bugs = [make_bug(actor=lea), restricted(lea), restricted(lea, mira)]
    bugs += [merged(make_bug(actor=mira), whole) for whole in list(bugs)]
    bugs += [merged(restricted(lea), bugs[0]), merged(restricted(mira), bugs[1])]
    people = [mira, lea, make_user(Role.LEAD), make_user(Role.AGENT)]

    for person in people:
        selected = db.session.scalars(sa.select(Bug.id).where(queries.visible_to(person)))
        assert {bug.id for bug in bugs if queries.is_visible(bug, person)} == set(selected)
