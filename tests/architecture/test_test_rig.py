"""The test rig itself: what it promises to every other test."""

import socket
from datetime import timedelta

import pytest
from flask import g, has_request_context
from flask_login import current_user
from sqlalchemy import select, text

from bugintake.core import clock as house_clock
from bugintake.core.db import db, transaction
from bugintake.team import guards, sign_in
from bugintake.team.models import User
from tests import apps
from tests.factories import make_user


@pytest.fixture
def front_door(app):
    """Two routes of this test's own: sign in as somebody, and say who that is."""

    @app.post("/test/enter/<int:user_id>")
    def enter(user_id: int) -> str:
        user = db.session.get_one(User, user_id)
        sign_in.enter(user)
        return user.name

    @app.get("/test/me")
    @guards.public
    def me() -> str:
        return current_user.name if current_user.is_authenticated else "nobody"

    enter.needs_no_form_token = True
    return app


def test_two_people_sign_in_and_a_third_browser_is_nobody(front_door, client, new_client):
    ada, grace = make_user(name="Ada"), make_user(name="Grace")
    second = new_client()

    client.post(f"/test/enter/{ada.id}")
    second.post(f"/test/enter/{grace.id}")

    seen = [browser.get("/test/me").text for browser in (client, second, new_client(), client)]
    assert seen == ["Ada", "Grace", "nobody", "Ada"]


def test_the_person_of_the_test_is_not_the_person_of_a_request(front_door, client):
    ada = make_user(name="Ada")
    g._login_user = ada

    assert client.get("/test/me").text == "nobody"


def test_a_change_that_was_not_committed_is_not_seen_by_a_request(app, client):
    @app.get("/test/count")
    def count() -> str:
        return str(len(db.session.scalars(select(User)).all()))

    with transaction():
        db.session.add(User(email="ada@team.test", name="Ada", role="agent"))
    assert client.get("/test/count").text == "1"
    with pytest.raises(ZeroDivisionError), transaction():
        db.session.add(User(email="grace@team.test", name="Grace", role="agent"))
        db.session.flush()
        raise ZeroDivisionError
    assert client.get("/test/count").text == "1"


def test_what_a_request_changed_is_what_the_test_reads_next(app, client):
    ada = make_user(name="Ada")

    @app.post("/test/rename")
    def rename() -> str:
        with transaction():
            db.session.get_one(User, 1).name = "Countess Ada"
        return ""

    rename.needs_no_form_token = True
    assert client.post("/test/rename").status_code == 200
    assert ada.name == "Countess Ada"


@pytest.mark.only_on("sqlite")
def test_no_request_is_open_during_a_test(app):
    assert not has_request_context()


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_has_a_database_of_its_own(app, turn):
    assert make_user().id == 1


def test_an_app_that_a_test_changed_does_not_serve_the_next(sqlite_template, tmp_path):
    with sqlite_template.copy(tmp_path) as url:
        settings = apps.make_settings(tmp_path, url)
        with apps.opened(settings) as first:
            first.config["CHANGED"] = True
        with apps.opened(settings) as second:
            second.add_url_rule("/test/more", view_func=str)
            kept = "CHANGED" in second.config
        with apps.opened(settings) as third:
            pass
    assert (first is second, second is third, kept) == (True, False, False)


def test_a_furnished_app_serves_the_tests_that_ask_for_it_and_no_other(sqlite_template, tmp_path):
    def furnish(app):
        app.add_url_rule("/test/more", "more", view_func=str)

    with sqlite_template.copy(tmp_path) as url:
        settings = apps.make_settings(tmp_path, url)
        with apps.opened(settings, furnish) as first:
            pass
        with apps.opened(settings) as plain:
            pass
        with apps.opened(settings, furnish) as again:
            pass
    assert ("more" in again.view_functions, again is first, "more" in plain.view_functions) == (True, True, False)


@pytest.mark.parametrize("turn", [1, 2])
def test_a_test_that_changed_the_tables_leaves_no_trace(app, turn):
    assert make_user().id == 1
    with db.engine.connect().execution_options(is_writing=True) as connection, connection.begin():
        connection.execute(text("ALTER TABLE users ADD COLUMN shoe_size INTEGER"))
        connection.execute(text("CREATE TABLE left_over (id INTEGER)"))


def test_the_clock_stands_still(clock):
    before = house_clock.now()
    assert house_clock.now() == before
    clock.advance(timedelta(hours=1))
    assert house_clock.now() == before + timedelta(hours=1)


@pytest.mark.parametrize("address", [("192.0.2.1", 25), ("example.com", 443), ("2001:db8::1", 25, 0, 0)])
def test_a_test_that_calls_out_fails(address):
    family = socket.AF_INET6 if len(address) == 4 else socket.AF_INET
    with socket.socket(family) as line, pytest.raises(pytest.fail.Exception, match="called out"):
        line.connect(address)


def test_this_machine_may_be_called():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as line:
        line.connect(server.getsockname())
