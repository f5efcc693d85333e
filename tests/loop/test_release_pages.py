"""Releases, as the team says that they are live."""

import pytest
import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.intake.models import Bug, Option, Status
from bugintake.team.models import Role
from tests.factories import make_bug, make_customer, make_user, make_workspace
from tests.loop.reading import words_of
from tests.visitors import visit

pytestmark = pytest.mark.long_on("postgres")

HANA = {"name": "Hana Kovač", "email": "hana@example.com", "company": "Brightline"}


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace()


@pytest.fixture
def lea(app):
    return visit(app, make_user(Role.AGENT, "Lea"))


def test_a_release_goes_live_from_its_page(app):
    bug = make_bug(Status.FIXED, waiting=[make_customer(), make_customer()])
    mira = visit(app, make_user(Role.ENGINEER, "Mira"))
    assert "4.13.0 Not live yet 1 2 It is live 4.13.0" in words_of(mira.get("/releases"))

    answer = mira.post("/releases", {"version": "4.13.0"})

    assert answer.location == "/loop"
    assert "4.13.0 is live. 1 bug went live with it." in mira.get("/loop").text
    assert db.session.get_one(Bug, bug.id).status == "live"
    assert "Live since Tue 10 Mar 09:00" in words_of(mira.get("/releases"))


def test_a_release_is_withdrawn_from_its_page(app):
    make_bug(Status.FIXED)
    mira = visit(app, make_user(Role.ENGINEER, "Mira"))
    mira.post("/releases", {"version": "4.13.0"})
    version = db.session.scalars(sa.select(Option).where(Option.label == "4.13.0")).one()

    mira.post(f"/releases/{version.id}/withdrawal")

    assert db.session.get_one(Bug, 1).status == "fixed"
    assert mira.post(f"/releases/{version.id}/withdrawal").status_code == 409
    assert mira.post("/releases/99999999999/withdrawal").status_code == 404
    area = db.session.scalars(sa.select(Option).where(Option.list == "area")).first()
    assert mira.post(f"/releases/{area.id}/withdrawal").status_code == 404


@pytest.mark.parametrize("version", ["", "   ", "x" * 121, "\x00"])
def test_a_release_without_a_usable_name_is_refused(app, version):
    page = visit(app, make_user(Role.ENGINEER)).post("/releases", {"version": version})

    assert page.status_code == 422
    assert "There is a problem" in words_of(page)


def test_agents_read_releases_and_do_not_make_them_live(lea):
    assert lea.get("/releases").status_code == 200
    assert "It is live" not in words_of(lea.get("/releases"))
    assert lea.post("/releases", {"version": "4.13.0"}).status_code == 403
