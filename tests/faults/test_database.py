"""The database hangs up, blocks itself, or forgets who was signed in: nobody sees a failure, and nothing is lost."""

import sqlite3
import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask

from bugintake.core.config import Settings
from bugintake.core.db import db, transaction
from bugintake.core.security import needs_no_form_token
from bugintake.intake.models import Bug, Status
from bugintake.loop import envelopes, outbox, smtp
from bugintake.loop.links import make_link
from bugintake.loop.models import LinkPurpose
from bugintake.team import tokens
from tests import apps
from tests.factories import make_bug, make_customer, make_report, make_user, make_workspace
from tests.faults.rig import broken_invariants, states, work
from tests.faults.server import FaultServer
from tests.visitors import visit


@pytest.fixture
def settings(settings: Settings, sink: FaultServer) -> Settings:
    return replace(settings, smtp_url=f"smtp://127.0.0.1:{sink.port}")


@pytest.fixture
def hang_up(settings: Settings) -> Any:
    """End all connections to the database but one's own, as its administrator would."""
    url = sa.make_url(settings.database_url).set(drivername="postgresql").render_as_string(hide_password=False)

    def end() -> int:
        with psycopg.connect(url, autocommit=True) as connection:
            found = connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "  # and waits until it has ended
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            return len(found.fetchall())

    return end


@pytest.mark.fault("F-P2")
@pytest.mark.only_on("postgres")
def test_connections_that_the_database_ended_are_replaced_before_anybody_notices(app: Flask, hang_up: Any) -> None:
    make_workspace()
    visitor = visit(app, make_user())
    assert visitor.get("/board").status_code == 200
    db.session.remove()

    assert hang_up() >= 1
    assert visitor.get("/board").status_code == 200


@pytest.mark.fault("F-P2")
def test_a_page_asked_for_while_the_database_is_away_says_so_and_asks_to_try_again(app: Flask) -> None:
    make_workspace()
    with transaction():
        own_page = urlsplit(make_link(make_report(make_bug()), LinkPurpose.REPORT, "en")[1]).path
    visitor, stranger = visit(app, make_user()), app.test_client()
    assert visitor.get("/board").status_code == 200
    db.session.remove()

    def away(cursor: Any, *_said: Any) -> None:
        if db.engine.dialect.name == "sqlite":
            raise sqlite3.OperationalError("disk I/O error")
        cursor.connection.close()

    sa.event.listen(db.engine, "do_execute", away)
    for client, address in [(visitor, "/board"), (visitor, "/mine"), (stranger, own_page)]:
        answer = client.get(address)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5"), address
        assert "The database is busy" in answer.text
    typed = visitor.post("/bugs/1/attach", data={"words": "what was typed"})
    assert (typed.status_code, "what was typed" in typed.text) == (503, True)

    sa.event.remove(db.engine, "do_execute", away)
    assert visitor.get("/board").status_code == 200


@pytest.mark.fault("F-P2")
@pytest.mark.only_on("postgres")
def test_a_connection_that_ends_while_somebody_reads_is_told_of_as_every_other_failure(
    app: Flask, hang_up: Any
) -> None:
    db.session.execute(sa.text("SELECT 1"))
    hang_up()

    with pytest.raises(sa.exc.OperationalError):
        db.session.rollback()


@pytest.mark.fault("F-P2")
@pytest.mark.only_on("postgres")
def test_a_connection_that_ends_in_the_middle_of_a_change_changes_nothing_and_asks_to_try_again(
    app: Flask, hang_up: Any
) -> None:
    bug_id = make_bug(waiting=[]).id
    cuts = [hang_up]

    @app.post("/rank")
    @needs_no_form_token
    def raise_rank() -> str:
        with transaction():
            db.session.get_one(Bug, bug_id).impact_rank += 1
            db.session.flush()
            while cuts:
                cuts.pop()()
            db.session.get_one(Bug, bug_id).impact_rank += 1
        return "raised"

    before = db.session.get_one(Bug, bug_id).impact_rank
    db.session.remove()
    client = app.test_client()
    first, second = client.post("/rank"), client.post("/rank")

    assert (first.status_code, first.headers["Retry-After"], second.status_code) == (503, "5", 200)
    assert db.session.get_one(Bug, bug_id).impact_rank == before + 2


@pytest.mark.fault("F-P2")
def test_no_connection_to_the_database_is_held_while_the_mail_server_is_spoken_to(
    app: Flask, sink: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_workspace(review_minutes=0)
    make_bug(Status.LIVE, waiting=[make_customer() for _ in range(3)])
    db.session.remove()
    held: list[int] = []

    def watched(verb: str) -> Any:
        said = getattr(smtp.smtplib.SMTP, verb)

        def say(self: Any, *args: Any, **options: Any) -> Any:
            held.append(db.engine.pool.checkedout())
            return said(self, *args, **options)

        return say

    for verb in ("ehlo", "mail", "rcpt", "putcmd"):
        monkeypatch.setattr(smtp.smtplib.SMTP, verb, watched(verb))
    work()

    assert states() == {"sent": 3}
    assert len(held) > 9
    assert set(held) == {0}


@pytest.mark.fault("F-P3")
@pytest.mark.only_on("postgres")
def test_of_two_changes_that_wait_for_each_other_one_is_tried_again_and_both_are_kept(app: Flask) -> None:
    first, second = make_bug(waiting=[]).id, make_bug(waiting=[]).id
    ranks = {number: db.session.get_one(Bug, number).impact_rank for number in (first, second)}
    both_hold_one, tries = threading.Barrier(2), Counter[int]()

    @app.post("/ranks/<int:one>/<int:other>")
    @needs_no_form_token
    def raise_both(one: int, other: int) -> str:
        with transaction():
            for number in (one, other):
                db.session.get_one(Bug, number).impact_rank += 1
                db.session.flush()
                tries[one] += number == one
                if number == one and tries[one] == 1:
                    both_hold_one.wait(20)
        return "raised"

    db.session.remove()
    answers: list[int] = []
    ways = [f"/ranks/{first}/{second}", f"/ranks/{second}/{first}"]
    people = [
        threading.Thread(target=lambda way=way: answers.append(app.test_client().post(way).status_code)) for way in ways
    ]
    for person in people:
        person.start()
    for person in people:
        person.join()

    assert (answers, sum(tries.values()) > 2) == ([200, 200], True)
    assert [db.session.get_one(Bug, number).impact_rank for number in (first, second)] == [
        ranks[first] + 2,
        ranks[second] + 2,
    ]


@pytest.mark.fault("F-B4")
def test_a_new_secret_key_ends_sign_ins_and_leaves_every_link_and_token_alive(app: Flask, settings: Settings) -> None:
    make_workspace()
    mira = make_user()
    report = make_report(make_customer())
    with transaction():
        token = tokens.create_token(mira, ["read"], actor=None)[1]
        page = make_link(report, LinkPurpose.REPORT, "en")[1]
        stop = make_link(report, LinkPurpose.UNSUBSCRIBE, "en")[1]
    cookie = visit(app, mira).client.get_cookie("session")
    assert cookie is not None
    db.session.remove()

    with apps.opened(replace(settings, secret_key="another secret that only this test knows")) as again:
        client = again.test_client()
        client.set_cookie("session", cookie.value)
        answers = {
            "board": client.get("/board").location,
            "api": client.get("/api/v1/bugs", headers={"Authorization": f"Bearer {token}"}).status_code,
            "page": client.get(urlsplit(page).path, follow_redirects=True).status_code,
            "stop": client.post(urlsplit(stop).path, data={"List-Unsubscribe": "One-Click"}).status_code,
        }

    assert answers == {"board": "/login?next=/board", "api": 200, "page": 200, "stop": 200}


@pytest.mark.fault("F-C1")
@pytest.mark.parametrize("hours", [-2, 2, 40 * 24])
def test_a_clock_that_jumps_sends_nothing_twice_and_nothing_later_than_it_jumped(
    app: Flask, sink: FaultServer, clock: Any, hours: int
) -> None:
    make_workspace(review_minutes=0)
    make_bug(Status.LIVE, waiting=[make_customer() for _ in range(3)])
    work()
    make_bug(Status.LIVE, waiting=[make_customer()])
    with transaction():
        envelopes.open_due()
    assert len(outbox.claim()) == 1  # by a worker that is never heard of again
    make_bug(Status.LIVE, waiting=[make_customer()])

    clock.advance(timedelta(hours=hours))
    work()
    clock.advance(timedelta(hours=max(-hours, 0)) + timedelta(minutes=16))
    work()

    assert states() == {"sent": 5}
    assert broken_invariants(sink) == []
