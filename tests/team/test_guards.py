"""Who gets in, and what those who do not are told."""

import pytest
from flask import jsonify
from flask.views import MethodView

from bugintake.core.db import transaction
from bugintake.team import guards, people, tokens
from bugintake.team.models import Role
from tests import apps
from tests.factories import make_user

pytestmark = pytest.mark.long_on("postgres")

GUARDS = {
    Role.AGENT: guards.signed_in,
    Role.ENGINEER: guards.engineer_required,
    Role.LEAD: guards.lead_required,
    Role.ADMIN: guards.admin_required,
}


def hang_doors(app):
    """Add one page behind each guard, and an API."""
    for role, guard in GUARDS.items():

        def door():
            return guards.signed_in_user().name

        app.add_url_rule(f"/door/{role}", f"door_{role}", guard(door), methods=["GET", "POST"])

    class Counter(MethodView):
        @guards.token_required(tokens.READ)
        def get(self):
            return jsonify(name=guards.signed_in_user().name)

        @guards.token_required(tokens.BUGS_WRITE, Role.ENGINEER)
        def delete(self):
            return "", 204

    view = Counter.as_view("counter")
    view.needs_no_form_token = True
    app.add_url_rule("/api/v1/counter", view_func=view)


@pytest.fixture
def app(settings):
    """An app with these doors, for all tests of this file."""
    with apps.opened(settings, hang_doors) as app:
        yield app


@pytest.fixture
def doors(app):
    """The app, where a test is about its doors."""
    return app


def make_token(user, *scopes):
    with transaction():
        return tokens.create_token(user, list(scopes), actor=user)


def bearer(secret):
    return {"Authorization": f"Bearer {secret}"}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("needed", Role)
def test_a_role_opens_its_own_doors_and_those_below(doors, as_user, petra, role, needed):
    answer = as_user(make_user(role, "Some Body")).get(f"/door/{needed}")

    assert answer.status_code == (200 if role.at_least(needed) else 403)


def test_a_refusal_names_who_can(doors, as_user, petra):
    make_user(Role.LEAD, "Luka Lead")

    answer = as_user(make_user(Role.ENGINEER)).get("/door/lead")

    assert "Leads can do this: Luka Lead, Petra Admin." in answer.text


def test_a_refusal_of_many_names_a_few(doors, as_user, petra):
    for number in range(1, 6):
        make_user(Role.ADMIN, f"Admin {number}")

    answer = as_user(make_user(Role.AGENT)).get("/door/admin")

    assert "Admins can do this: Admin 1, Admin 2, Admin 3, Admin 4 and 2 more." in answer.text


def test_nobody_is_sent_to_sign_in_and_the_filter_survives(doors, as_user, petra):
    answer = as_user().get("/door/agent?area=3&status=new%20one")

    assert answer.status_code == 302
    assert answer.location == "/login?next=/door/agent?area%3D3%26status%3Dnew%2520one"


def test_a_form_of_nobody_is_answered_with_what_was_typed(doors, as_user, petra):
    answer = as_user().post("/door/agent", {"steps": "open the invoice and look", "password": "hush hush"})

    assert answer.status_code == 401
    assert "open the invoice and look" in answer.text
    assert "hush" not in answer.text


def test_a_disabled_person_is_out_at_once(doors, as_user, petra):
    user = make_user(Role.AGENT)
    visitor = as_user(user)
    assert visitor.get("/door/agent").status_code == 200

    with transaction():
        people.disable(user, actor=petra)

    assert visitor.get("/door/agent").status_code == 302


def test_a_role_taken_away_counts_at_the_next_request(doors, as_user, petra):
    user = make_user(Role.LEAD)
    visitor = as_user(user)

    with transaction():
        people.change_role(user, Role.AGENT, actor=petra)

    assert visitor.get("/door/lead").status_code == 302
    assert as_user(user).get("/door/lead").status_code == 403


def test_a_token_acts_as_its_person(doors, client, petra):
    _, secret = make_token(petra, "read")

    assert client.get("/api/v1/counter", headers=bearer(secret)).json == {"name": "Petra Admin"}


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer x", "Basic cGV0cmE6eA==", "Bearer \x00é"])
def test_without_a_token_the_api_says_so(doors, client, petra, header):
    answer = client.get("/api/v1/counter", headers={"Authorization": header} if header else None)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.content_type == "application/problem+json"


def test_a_cookie_opens_nothing_in_the_api(doors, as_user, petra):
    assert as_user(petra).get("/api/v1/counter").status_code == 401


def test_a_token_in_the_address_opens_nothing(doors, client, petra):
    _, secret = make_token(petra, "read")

    assert client.get(f"/api/v1/counter?access_token={secret}&token={secret}").status_code == 401


def test_a_token_does_what_its_scope_says_and_no_more(doors, client, petra):
    _, reading = make_token(petra, "read")
    _, writing = make_token(petra, "bugs:write")

    refused = client.delete("/api/v1/counter", headers=bearer(reading))
    assert (refused.status_code, refused.json["detail"]) == (
        403,
        "This token may not do that; it needs the scope bugs:write.",
    )
    assert client.delete("/api/v1/counter", headers=bearer(writing)).status_code == 204
    assert client.get("/api/v1/counter", headers=bearer(writing)).status_code == 403


def test_a_token_never_does_more_than_its_person(doors, client, petra):
    _, secret = make_token(make_user(Role.AGENT), "bugs:write")

    assert client.delete("/api/v1/counter", headers=bearer(secret)).status_code == 403


def test_a_revoked_token_is_dead(doors, client, petra):
    token, secret = make_token(petra, "read")
    with transaction():
        tokens.revoke(token, actor=petra)

    assert client.get("/api/v1/counter", headers=bearer(secret)).status_code == 401


def test_a_token_of_a_disabled_person_is_dead(doors, client, petra):
    user = make_user(Role.ADMIN)
    _, secret = make_token(user, "read")
    with transaction():
        people.disable(user, actor=petra)

    assert client.get("/api/v1/counter", headers=bearer(secret)).status_code == 401


def test_a_scope_that_does_not_exist_cannot_guard():
    with pytest.raises(ValueError, match="no scope 'everything'"):
        guards.token_required("everything")
