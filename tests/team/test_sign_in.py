"""Signing in and out: rows that a person, an admin or a new password can end."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.security import hash_secret
from bugintake.team import passwords, people, sign_in
from bugintake.team.models import Role, SignIn
from tests.factories import make_user, make_workspace
from tests.team.conftest import PASSWORD

pytestmark = pytest.mark.long_on("postgres")

WRONG = {"email": "petra@team.test", "password": "not her password"}
RIGHT = {"email": "petra@team.test", "password": PASSWORD}


def cookie_of(visitor):
    return visitor.client.get_cookie("session").value


def kinds(user):
    return list(db.session.scalars(sa.select(Event.kind).where(Event.user_id == user.id).order_by(Event.id)))


def test_signing_in_leads_to_the_start_page(as_user, petra):
    visitor = as_user()

    answer = visitor.post("/login", RIGHT)

    assert (answer.status_code, answer.location) == (302, "/")
    assert visitor.get("/").location == "/board"
    assert kinds(petra) == [EventKind.USER_SIGNED_IN]


def test_an_agent_starts_at_the_form(as_user, petra):
    assert as_user(make_user(Role.AGENT)).get("/").location == "/new"


def test_nobody_starts_at_the_sign_in(as_user, petra):
    assert as_user().get("/").location == "/login"


def test_the_address_may_be_typed_in_any_case(as_user, petra):
    assert as_user().post("/login", {**RIGHT, "email": "  Petra@TEAM.test "}).status_code == 302


@pytest.mark.parametrize(
    "given",
    [WRONG, {**WRONG, "email": "nobody@team.test"}, {**WRONG, "email": "disabled@team.test", "password": PASSWORD}],
    ids=["wrong", "unknown", "disabled"],
)
def test_unknown_wrong_and_disabled_get_the_same_answer(as_user, petra, given):
    disabled = make_user(Role.ADMIN, email="disabled@team.test", password_hash=passwords.hash_password(PASSWORD))
    with transaction():
        people.disable(disabled, actor=petra)

    answer = as_user().post("/login", given)

    assert answer.status_code == 422
    assert answer.text.count("That address and password do not belong together.") == 1
    assert f'value="{given["email"]}"' in answer.text
    assert given["password"] not in answer.text
    assert "<title>Error: Sign in" in answer.text


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"email": "petra@team.test"},
        {"email": "x" * 100_000, "password": "y" * 100_000},
        {"email": "a\x00b", "password": "p"},
    ],
)
def test_whatever_is_typed_is_refused_in_words(as_user, petra, given):
    assert as_user().post("/login", given).status_code == 422


def test_guessing_is_slowed_down_for_an_account_and_then_for_an_address(as_user, petra):
    statuses = [as_user().post("/login", WRONG).status_code for _ in range(11)]
    assert statuses == [422] * 10 + [429]

    other = [as_user().post("/login", {**WRONG, "email": f"p{n}@team.test"}).status_code for n in range(31)]
    assert other == [422] * 30 + [429]


def test_signing_in_often_is_not_guessing(as_user, petra):
    assert {as_user().post("/login", RIGHT).status_code for _ in range(15)} == {302}


def test_a_sign_in_gets_an_identity_of_its_own(as_user, petra):
    visitor = as_user(petra)
    before = cookie_of(visitor)

    visitor.post("/login", RIGHT)

    assert cookie_of(visitor) != before
    assert db.session.scalar(sa.select(sa.func.count(SignIn.id))) == 2


def test_only_a_fingerprint_of_the_secret_is_kept(app, petra):
    with transaction():
        secret = sign_in.begin(petra)

    row = db.session.scalars(sa.select(SignIn)).one()
    assert row.secret_hash == hash_secret(secret)
    assert secret not in repr(vars(row))


def test_a_stolen_cookie_is_dead_after_signing_out(as_user, petra):
    visitor = as_user(petra)
    stolen = cookie_of(visitor)

    answer = visitor.post("/logout")

    assert (answer.status_code, answer.location) == (302, "/login")
    assert answer.headers["Clear-Site-Data"] == '"storage"'
    thief = as_user()
    thief.client.set_cookie("session", stolen)
    assert thief.get("/settings").status_code == 302


def test_a_sign_in_ends_after_thirty_days(as_user, petra, clock):
    visitor = as_user(petra)
    clock.advance(timedelta(days=30) - timedelta(seconds=1))
    assert visitor.get("/settings").status_code == 200

    clock.advance(timedelta(seconds=2))

    assert visitor.get("/settings").status_code == 302


def test_signing_in_clears_away_what_has_ended(app, petra, clock):
    with transaction():
        sign_in.begin(petra)
    clock.advance(timedelta(days=31))
    with transaction():
        sign_in.begin(petra)

    assert len(db.session.scalars(sa.select(SignIn)).all()) == 1


@pytest.mark.parametrize(
    "target",
    [
        "//evil.test",
        "/\\evil.test",
        "/\t/evil.test",
        "https:///evil.test",
        "https://evil.test",
        "javascript:alert(1)",
        "evil.test",
        "/ok\r\nSet-Cookie: a=b",
        "",
    ],
)
def test_signing_in_never_leads_to_another_site(as_user, petra, target):
    assert as_user().post("/login", {**RIGHT, "next": target}).location == "/"
    assert as_user(petra).get("/login", query_string={"next": target}).location == "/"


def test_signing_in_leads_back_with_the_filter(as_user, petra):
    visitor = as_user()
    page = visitor.get(visitor.get("/settings?tab=keys").location)
    assert 'name="next" value="/settings?tab=keys"' in page.text

    assert visitor.post("/login", {**RIGHT, "next": "/settings?tab=keys"}).location == "/settings?tab=keys"


def test_a_form_open_in_another_tab_can_still_be_sent(as_user, petra):
    visitor = as_user()
    visitor.post("/login", RIGHT)

    assert visitor.post("/settings/keys", {"keys": "y"}).status_code == 302


def test_what_was_typed_while_signed_out_is_sent_after_signing_in_elsewhere(as_user, petra):
    visitor = as_user()
    page = visitor.post("/settings/profile", {"name": "Petra with a new name", "zone": "UTC", "language": "en"})
    assert page.status_code == 401
    assert 'href="/login" target="_blank"' in page.text
    kept = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text))
    kept |= dict(re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>\n([^<]*)</textarea>', page.text))

    visitor.post("/login", RIGHT)

    assert visitor.client.post("/settings/profile", data=kept).location == "/settings"
    assert petra.name == "Petra with a new name"


def test_without_the_form_token_nobody_signs_in(client, petra):
    assert client.post("/login", data=RIGHT).status_code == 400


def test_another_site_cannot_sign_somebody_in(as_user, petra):
    assert as_user().post("/login", RIGHT, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_over_plain_http_the_cookie_does_not_ask_for_https(as_user, petra):
    cookie = as_user().post("/login", RIGHT).headers["Set-Cookie"]

    assert cookie.startswith("session=")
    assert "; HttpOnly; " in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_a_page_costs_one_query_to_know_who_asks(as_user, petra, app):
    visitor = as_user(petra)
    asked = []
    with app.app_context():
        sa.event.listen(db.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    visitor.get("/login")

    assert [text.split()[0] for text in asked if text != "BEGIN"] == ["SELECT"]


def test_the_people_of_the_sample_company_let_everybody_in(as_user, petra):
    make_workspace(is_sample=True)
    lea = make_user(Role.AGENT, "Lea Kranjc")
    visitor = as_user()
    assert "Sign in as Lea Kranjc" in visitor.get("/login").text

    assert visitor.post("/login/sample", {"user": str(lea.id)}).location == "/"
    assert visitor.get("/").location == "/new"


@pytest.mark.parametrize("user", ["", "0", "-1", "x", "99999999999999999999", "²", "1' OR 1=1"])
def test_the_sample_company_knows_only_its_people(as_user, petra, user):
    make_workspace(is_sample=True)

    assert as_user().post("/login/sample", {"user": user}).status_code == 404


def test_for_real_nobody_gets_in_without_a_password(as_user, petra):
    assert "Look around as" not in as_user().get("/login").text
    assert as_user().post("/login/sample", {"user": str(petra.id)}).status_code == 404


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8", "A browser"),
        ("", "A browser"),
    ],
)
def test_a_browser_is_named_as_people_do(agent, name):
    assert sign_in.browser_named(agent) == name
