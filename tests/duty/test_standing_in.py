"""Who stands in for whom: chains and circles are followed to the first who is there."""

from datetime import date, datetime

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Invalid, Stale
from bugintake.core.events import Event
from bugintake.core.forms import Seen, fingerprint
from bugintake.duty import absences, queries, standing_in
from bugintake.team import people
from bugintake.team.models import Role, User
from tests.duty.conftest import make_rotation
from tests.factories import make_user
from tests.visitors import visit

pytestmark = pytest.mark.usefixtures("company")


@pytest.fixture
def ana(company):
    return make_user(Role.ENGINEER, "Ana Babić", zone="Europe/Berlin")


def stand_in(person, colleague, actor=None, seen=None):
    with transaction():
        people.name_stand_in(person, colleague, seen or Seen(), actor=actor or person)


def last_of(kind):
    return db.session.scalars(sa.select(Event).where(Event.kind == kind).order_by(Event.id.desc())).first()


def away(person, first=10, last=10):
    with transaction():
        absences.note_absence(person, date(2026, 3, first), date(2026, 3, last), actor=person)


def gone(person):
    with transaction():
        people.disable(person, actor=None)


def test_whoever_is_there_answers_for_themselves(mira, tin):
    stand_in(mira, tin)

    assert standing_in.present(mira) == mira
    assert standing_in.who_hears(mira) == [mira]
    assert standing_in.passed_to(tin) == []


@pytest.mark.parametrize("leave", [away, gone], ids=["away", "disabled"])
def test_whoever_is_not_there_passes_to_the_colleague(mira, tin, leave):
    stand_in(mira, tin)
    leave(mira)

    assert standing_in.present(mira) == tin
    assert standing_in.who_hears(mira) == [mira, tin]
    assert standing_in.passed_to(tin) == [mira]


def test_a_chain_is_followed_to_the_first_who_is_there(mira, tin, ana):
    stand_in(mira, tin)
    stand_in(tin, ana)
    gone(mira)
    away(tin)

    assert standing_in.present(mira) == ana
    assert standing_in.passed_to(ana) == [mira, tin]
    assert standing_in.passed_to(tin) == []


def test_a_chain_or_a_circle_may_end_with_nobody(mira, tin, ana):
    stand_in(mira, tin)
    stand_in(tin, mira)
    for person in (mira, tin):
        away(person)
    assert (standing_in.present(mira), standing_in.signer(mira, ana)) == (None, None)

    stand_in(tin, None)
    assert (standing_in.present(mira), standing_in.signer(mira, ana)) == (None, None)


def test_without_a_named_colleague_the_sender_signs_for_the_disabled_and_the_absent_sign_themselves(mira, tin, ana):
    away(mira)
    gone(tin)

    assert standing_in.signer(mira, ana) == mira
    assert standing_in.signer(tin, ana) == ana
    assert standing_in.signer(tin, None) is None


def test_a_day_away_is_a_day_where_the_person_is(mira, tin, clock):
    with transaction():
        mira.zone = "Pacific/Auckland"
    stand_in(mira, tin)
    away(mira, 11, 11)

    for at, who in [("2026-03-10T10:59", mira), ("2026-03-10T11:00", tin), ("2026-03-11T11:00", mira)]:
        clock.set(datetime.fromisoformat(f"{at}+00:00"))
        assert standing_in.present(mira) == who


def test_nobody_stands_in_for_themselves_and_nobody_who_left_stands_in(mira, tin):
    gone(tin)

    for colleague in (mira, tin):
        with pytest.raises(Invalid, match="Choose somebody else who works here"):
            stand_in(mira, colleague)


def test_two_who_name_somebody_at_once_hear_of_each_other(mira, tin, ana):
    stand_in(mira, tin)

    with pytest.raises(Stale) as clash:
        stand_in(mira, ana, seen=Seen({"stands_in": fingerprint(None)}))
    assert [(each.theirs, each.mine) for each in clash.value.clashes] == [(tin, ana)]


def test_naming_is_an_event_and_naming_the_same_again_is_none(mira, tin):
    stand_in(mira, tin)
    first = last_of("user.changed")
    stand_in(mira, tin)

    assert (first.user_id, first.actor_id, first.after) == (mira.id, mira.id, "Tin Horvat")
    assert first.details["changed"] == ["stands_in_id"]
    assert last_of("user.changed").id == first.id


def test_each_names_their_own_on_their_settings(app, mira, tin):
    visitor = visit(app, mira)

    visitor.post("/settings/stand-in", {"stands_in": str(tin.id), "seen_stands_in": ""})

    assert db.session.get_one(User, mira.id, populate_existing=True).stands_in == tin
    assert f'<option value="{tin.id}" selected>Tin Horvat</option>' in visitor.get("/settings").text


def test_a_lead_names_one_for_anybody_and_an_engineer_for_nobody_else(app, mira, tin, ana):
    lead = make_user(Role.LEAD, "Luka Lead")

    visit(app, ana).post(f"/admin/people/{mira.id}/stand-in", {"stands_in": str(ana.id)})
    assert db.session.get_one(User, mira.id, populate_existing=True).stands_in_id is None

    visit(app, lead).post(f"/admin/people/{mira.id}/stand-in", {"stands_in": str(tin.id)})
    assert db.session.get_one(User, mira.id, populate_existing=True).stands_in == tin
    assert visit(app, lead).get("/admin/stand-ins").text.count(f'<option value="{tin.id}" selected>') == 1


@pytest.mark.parametrize("given", ["x", "-1", "99999999999", "1.5"])
def test_a_list_is_chosen_from(app, mira, given):
    assert visit(app, mira).post("/settings/stand-in", {"stands_in": given}).status_code == 422


def test_whoever_disables_somebody_is_asked_for_a_stand_in(app, mira, tin):
    petra = make_user(Role.ADMIN, "Petra Admin")
    visitor = visit(app, petra)

    answer = visitor.post(f"/admin/people/{mira.id}/disabling")

    assert answer.location == f"/admin/stand-ins#u-{mira.id}"
    assert "Name who stands in for them." in visitor.get("/admin/stand-ins").text
    stand_in(tin, petra)
    assert visitor.post(f"/admin/people/{tin.id}/disabling").location == "/admin/people"
    assert "Petra Admin stands in" in visitor.get("/admin/people").text


def test_an_agent_says_on_their_page_when_they_are_away_and_takes_it_back(app, tin, lea):
    visitor = visit(app, lea)
    stand_in(lea, tin)

    visitor.post("/duty/absences", {"first_on": "2026-03-10", "last_on": "2026-03-12"})

    assert standing_in.passed_to(tin) == [lea]
    assert "No shift falls on it." in visitor.get("/duty/me").text
    [absence] = queries.coming_absences(lea)
    visitor.post(f"/duty/absences/{absence.id}/removal")
    assert standing_in.passed_to(tin) == []


def test_a_lead_says_it_for_an_agent_who_is_ill_and_not_for_one_who_left(app, petra, lea):
    given = {"person": str(lea.id), "first_on": "2026-03-10", "last_on": "2026-03-10"}
    visitor = visit(app, petra)
    assert visitor.post("/duty/absences", given).status_code == 302
    assert not standing_in.is_there(lea)

    gone(lea)
    later = given | {"first_on": "2026-03-20", "last_on": "2026-03-20"}
    assert visitor.post("/duty/absences", later).status_code == 422
    with pytest.raises(Invalid, match="does not work here any more"):
        away(lea, 20, 20)


def test_an_absent_agent_changes_no_plan(lea, mira):
    make_rotation([mira])
    away(lea)

    assert queries.on_duty_now().person == mira
