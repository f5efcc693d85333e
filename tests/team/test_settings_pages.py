"""My settings and the administration, as people meet them."""

import re
from datetime import time

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.team import passwords, people, tokens
from bugintake.team.models import ApiToken, Role, SignIn, User
from bugintake.team.workspace import workspace
from tests.factories import make_user
from tests.team.conftest import PASSWORD

pytestmark = pytest.mark.long_on("postgres")

PROFILE = {"name": "Petra A.", "zone": "Europe/Ljubljana", "language": "de"}


def field(page, name):
    return re.search(rf'name="{name}" value="([^"]*)"', page.text)[1]


def group(visitor, name, typed):
    """Save a group of settings as somebody who looks at the page."""
    section = visitor.get("/admin/workspace").text.partition(f'id="{name}"')[2]
    seen = re.search(r'name="seen" value="([^"]*)"', section)[1]
    return visitor.post(f"/admin/workspace/{name}", {"seen": seen, **typed})


# --- My settings


def test_i_save_my_name_zone_and_language(as_user, petra):
    assert as_user(petra).post("/settings/profile", PROFILE).location == "/settings"

    assert (petra.name, petra.zone, petra.language) == ("Petra A.", "Europe/Ljubljana", "de")


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"name": "x" * 201}, {"zone": "Mars/Base"}, {"zone": ""}, {"language": "xx"}, {"name": "\x00\x07"}],
)
def test_what_i_cannot_be_is_refused_and_what_i_typed_is_kept(as_user, petra, wrong):
    answer = as_user(petra).post("/settings/profile", {**PROFILE, "name": "Petra with a new name", **wrong})

    assert answer.status_code == 422
    assert "There is a problem" in answer.text
    assert "<title>Error: My settings" in answer.text
    if "name" not in wrong:
        assert 'value="Petra with a new name"' in answer.text
    assert petra.name == "Petra Admin"


def test_a_name_is_printed_as_text(as_user, petra):
    name = "<img src=x onerror=alert(1)>\"'"
    as_user(petra).post("/settings/profile", {**PROFILE, "name": name})

    page = as_user(petra).get("/settings").text
    assert petra.name == name
    assert "<img src=x" not in page


@pytest.mark.parametrize(
    ("chosen", "shown"), [("dark", ' data-theme="dark"'), ("light", ' data-theme="light"'), ("", "")]
)
def test_the_theme_is_there_with_the_first_byte(as_user, petra, chosen, shown):
    visitor = as_user(petra)
    visitor.post("/settings/theme", {"theme": chosen})

    assert visitor.get("/settings").text.startswith(f'<!doctype html>\n<html lang="en"{shown}>')


def test_a_theme_that_does_not_exist_is_refused(as_user, petra):
    assert as_user(petra).post("/settings/theme", {"theme": "pink"}).status_code == 422


def test_keys_can_be_switched_off(as_user, petra):
    visitor = as_user(petra)
    visitor.post("/settings/keys", {})

    assert not petra.has_keys
    assert 'data-keys="off"' in visitor.get("/settings").text


def test_a_new_password_needs_the_old_one_and_signs_out_every_other_browser(as_user, petra):
    here, there = as_user(petra), as_user(petra)
    typed = {"current": PASSWORD, "password": "another train, to Trieste"}

    assert here.post("/settings/password", {**typed, "current": "wrong"}).status_code == 422
    assert here.post("/settings/password", {**typed, "password": "sunshine"}).status_code == 422
    assert there.get("/settings").status_code == 200
    assert here.post("/settings/password", typed).location == "/settings"

    assert (here.get("/settings").status_code, there.get("/settings").status_code) == (200, 302)
    assert passwords.matches("another train, to Trieste", petra.password_hash)


def test_guessing_the_old_password_is_slowed_down(as_user, petra):
    visitor = as_user(petra)
    wrong = {"current": "wrong", "password": "another train, to Trieste"}

    assert [visitor.post("/settings/password", wrong).status_code for _ in range(11)] == [422] * 10 + [429]


def test_i_sign_out_a_browser_of_mine_and_nobody_elses(as_user, petra):
    here, there, other = as_user(petra), as_user(petra), as_user(make_user(Role.ADMIN))
    ids = list(db.session.scalars(sa.select(SignIn.id).order_by(SignIn.id)))

    assert here.post(f"/settings/sign-ins/{ids[2]}/ending").status_code == 404
    assert here.post(f"/settings/sign-ins/{ids[1]}/ending").status_code == 302

    assert [visitor.get("/settings").status_code for visitor in (here, there, other)] == [200, 302, 200]


def test_i_sign_out_everywhere_else(as_user, petra):
    here, there = as_user(petra), as_user(petra)

    here.post("/settings/sign-ins/ending")

    assert (here.get("/settings").status_code, there.get("/settings").status_code) == (200, 302)


# --- Links


def test_an_invitation_is_shown_once_and_opening_it_uses_nothing_up(as_user, petra):
    admin = as_user(petra)
    page = admin.post("/admin/people", {"email": "tin@team.test", "name": "Tin", "role": "agent"})
    link = re.search(r"http://127.0.0.1:8000(/passes/[\w-]+)", page.text)[1]
    assert "/passes/" not in admin.get("/admin/people").text
    tin = as_user()

    assert [tin.get(link).status_code for _ in range(2)] == [200, 200]
    assert tin.post(link, {"password": "short"}).status_code == 422
    assert tin.post(link, {"password": "tin@team.test"}).status_code == 422
    assert tin.post(link, {"password": "a kite over Bovec in May"}).location == "/"

    assert tin.get("/").location == "/new"
    assert as_user().get(link).status_code == 404


def test_a_reset_link_signs_the_thief_out(as_user, petra):
    user = make_user(Role.AGENT, password_hash="x")
    thief = as_user(user)
    page = as_user(petra).post(f"/admin/people/{user.id}/link")
    link = re.search(r"http://127.0.0.1:8000(/passes/[\w-]+)", page.text)[1]

    as_user().post(link, {"password": "a kite over Bovec in May"})

    assert thief.get("/settings").status_code == 302


@pytest.mark.parametrize("email", ["petra@team.test", "nobody@team.test"])
def test_asking_for_a_reset_is_answered_the_same(as_user, petra, email):
    visitor = as_user()
    first = visitor.post("/password-reset", {"email": "x@team.test"}).text

    assert visitor.post("/password-reset", {"email": email}).text == first


def test_asking_for_a_reset_is_slowed_down(as_user, petra):
    statuses = [as_user().post("/password-reset", {"email": "petra@team.test"}).status_code for _ in range(6)]

    assert statuses == [200] * 5 + [429]


# --- People


def test_people_are_listed_with_what_they_may(as_user, petra):
    make_user(Role.LEAD, "Luka Lead")

    page = as_user(petra).get("/admin/people").text

    assert [name in page for name in ("Luka Lead", "Petra Admin", "petra@team.test", "Invited", "Works here")] == [
        True
    ] * 5


def test_the_list_costs_the_same_for_one_person_and_for_many(as_user, petra, app):
    asked = []
    sa.event.listen(db.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))

    def cost():
        visitor = as_user(petra)
        asked.clear()
        visitor.get("/admin/people")
        return len(asked)

    before = cost()
    for _ in range(3):
        make_user()
    assert cost() == before


def test_an_address_that_is_taken_is_refused_at_the_field(as_user, petra):
    typed = {"email": "petra@team.test", "name": "Another Petra", "role": "lead"}

    page = as_user(petra).post("/admin/people", typed)

    assert page.status_code == 422
    assert page.text.count("Somebody with the address petra@team.test is here already.") == 2
    assert 'value="Another Petra"' in page.text


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"email": "x", "name": "X", "role": "agent"},
        {"email": "x@y.test", "name": "X", "role": "root"},
        {"email": "x@y.test", "name": "", "role": "agent"},
    ],
)
def test_nobody_is_invited_by_half(as_user, petra, typed):
    assert as_user(petra).post("/admin/people", typed).status_code == 422
    assert len(people.everybody()) == 1


def test_a_role_is_changed_and_what_a_form_adds_is_ignored(as_user, petra):
    user = make_user(Role.AGENT)

    as_user(petra).post(f"/admin/people/{user.id}/role", {"role": "engineer", "email": "evil@x.test", "id": "1"})

    assert (user.role, user.email.endswith("@team.test")) == (Role.ENGINEER, True)
    assert as_user(petra).post(f"/admin/people/{user.id}/role", {"role": "root"}).status_code == 422


def test_the_last_admin_stays(as_user, petra):
    answer = as_user(petra).post(f"/admin/people/{petra.id}/disabling")

    assert answer.status_code == 409
    assert "Petra Admin is the only admin. Make somebody else admin first." in answer.text


def test_disabling_can_be_undone_from_the_message(as_user, petra):
    user = make_user(Role.AGENT, "Anja")
    visitor = as_user(petra)
    visitor.post(f"/admin/people/{user.id}/disabling")
    assert not user.is_active
    undo = f"/admin/people/{user.id}/enabling"
    assert f'action="{undo}" data-undo' in visitor.get("/admin/people").text

    visitor.post(undo)

    assert user.is_active


@pytest.mark.parametrize("number", ["0", "999999", "99999999999999999999", "-1", "x"])
def test_a_person_who_does_not_exist_is_not_found(as_user, petra, number):
    assert as_user(petra).post(f"/admin/people/{number}/disabling").status_code == 404


# --- The workspace


def test_each_group_of_settings_saves_by_itself(as_user, petra):
    visitor = as_user(petra)

    group(visitor, "names", {"name": "Fakturo AG", "sender_name": "", "reply_address": "Help@Fakturo.test"})
    group(
        visitor,
        "hours",
        {"zone": "Europe/Zagreb", "working_days": ["0", "5"], "opens_at": "08:00", "closes_at": "16:30"},
    )
    group(
        visitor,
        "telling",
        {"goes_live_at_once": "y", "review": "by_hand", "review_minutes": "", "fallback_owner_id": ""},
    )
    group(visitor, "languages", {"languages": ["de", "en"], "language": "de"})

    company = workspace()
    assert (company.name, company.signature, company.reply_address) == ("Fakturo AG", "Fakturo AG", "help@fakturo.test")
    assert (company.zone, company.working_days) == ("Europe/Zagreb", [0, 5])
    assert (company.opens_at, company.closes_at) == (time(8), time(16, 30))
    assert (company.goes_live_at_once, company.review_minutes, company.fallback_owner_id) == (True, None, None)
    assert (company.languages, company.language) == (["de", "en"], "de")


def test_the_review_window_and_the_fallback_are_kept(as_user, petra):
    typed = {"review": "in_time", "review_minutes": "0", "fallback_owner_id": str(petra.id)}
    assert group(as_user(petra), "telling", typed).status_code == 302

    assert (workspace().review_minutes, workspace().fallback_owner_id) == (0, petra.id)


@pytest.mark.parametrize(
    ("name", "typed", "sentence"),
    [
        ("names", {"name": ""}, "Enter a name."),
        ("names", {"name": "Fakturo", "reply_address": "nowhere"}, "That is not an e-mail address."),
        ("hours", {"zone": "UTC", "opens_at": "09:00", "closes_at": "17:00"}, "Choose at least one working day."),
        (
            "hours",
            {"zone": "UTC", "opens_at": "17:00", "closes_at": "09:00", "working_days": "0"},
            "The day has to end after it begins.",
        ),
        (
            "hours",
            {"zone": "UTC", "opens_at": "late", "closes_at": "17:00", "working_days": "0"},
            "Enter a time, like 09:00.",
        ),
        ("telling", {"review": "in_time", "review_minutes": ""}, "Enter how many working minutes, for example 30."),
        ("telling", {"review": "in_time", "review_minutes": "99999999999"}, "Use 0 to 10000 minutes."),
        ("telling", {"review": "in_time", "review_minutes": "soon"}, "Enter a whole number of minutes, like 30."),
        ("telling", {"review": "by_hand", "fallback_owner_id": "999"}, "Not a valid choice."),
        ("languages", {"language": "de"}, "Choose at least one language."),
        ("languages", {"languages": "de", "language": "en"}, "The first language has to be one of the languages"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_at_its_field(as_user, petra, name, typed, sentence):
    page = group(as_user(petra), name, typed)

    assert page.status_code == 422
    assert sentence in page.text


def test_what_somebody_else_saved_meanwhile_is_not_written_over(as_user, petra):
    mine, theirs = as_user(petra), as_user(make_user(Role.ADMIN))
    seen = field(mine.get("/admin/workspace"), "seen")
    group(theirs, "names", {"name": "Their name", "sender_name": "", "reply_address": ""})

    page = mine.post("/admin/workspace/names", {"seen": seen, "name": "My name"})

    assert (page.status_code, workspace().name) == (409, "Their name")
    assert 'value="My name"' in page.text
    assert "Their name" in page.text
    again = mine.post("/admin/workspace/names", {"seen": field(page, "seen"), "name": "My name"})
    assert (again.status_code, workspace().name) == (302, "My name")


def test_a_group_that_does_not_exist_is_not_found(as_user, petra):
    assert as_user(petra).post("/admin/workspace/is_sample", {"is_sample": "y"}).status_code == 404


# --- Tokens


def test_a_token_is_shown_once_and_revoked(as_user, petra):
    visitor = as_user(petra)
    page = visitor.post("/admin/tokens", {"user": str(petra.id), "scopes": ["read", "bugs:write"]})
    secret = re.search(r"bi_[\w-]{43}", page.text)[0]
    assert secret not in visitor.get("/admin/tokens").text
    token = tokens.authenticate(f"Bearer {secret}")

    assert visitor.post(f"/admin/tokens/{token.id}/revocation").status_code == 302

    assert tokens.authenticate(f"Bearer {secret}") is None
    assert "Revoked" in visitor.get("/admin/tokens").text


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"user": "", "scopes": "read"},
        {"user": "999", "scopes": "read"},
        {"user": "1"},
        {"user": "1", "scopes": "root"},
    ],
)
def test_a_token_needs_a_person_and_a_scope(as_user, petra, typed):
    assert as_user(petra).post("/admin/tokens", typed).status_code == 422
    assert db.session.scalar(sa.select(sa.func.count(ApiToken.id))) == 0


def test_a_token_for_somebody_disabled_is_not_offered(as_user, petra):
    user = make_user(Role.AGENT)
    with transaction():
        people.disable(user, actor=petra)

    assert as_user(petra).post("/admin/tokens", {"user": str(user.id), "scopes": "read"}).status_code == 422
    assert db.session.get(User, user.id) is not None
