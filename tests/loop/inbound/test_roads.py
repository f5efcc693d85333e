"""What admins read of the roads by which mail comes in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bugintake.cli.checks import examine
from bugintake.core import clock, config
from bugintake.core.db import transaction
from bugintake.loop.inbound import roads
from bugintake.team.models import Role
from tests.factories import make_user
from tests.visitors import visit

pytestmark = pytest.mark.usefixtures("company")
IMAP = "imaps://grace%40example.org:hunter2@mail.example.com/Bugs"


@pytest.fixture
def settings(settings):
    return replace(settings, base_url="http://localhost", imap_url=IMAP)


def change_settings(app, **values):
    config.keep(app, replace(config.settings(), **values))


def page(app):
    return visit(app, make_user(Role.ADMIN)).get("/admin/mail").text


def found(subject):
    return [(each.verdict, each.sentence) for each in examine(config.settings()) if each.subject == subject]


def test_the_page_says_what_is_read_and_when_it_was_last(app):
    with transaction():
        road = roads.road(roads.mailbox_road(config.settings()))
        road.read_at = clock.now()
    roads.note_hook()

    text = page(app)
    assert "IMAP, mail.example.com" in text and "Last read Tue 10 Mar" in text
    assert "http://localhost/hooks/mail" in text and "Last used Tue 10 Mar" in text
    assert "hunter2" not in text and "grace" not in text


def test_the_page_says_what_stands_in_the_way(app):
    with transaction():
        roads.road(roads.mailbox_road(config.settings())).problem = "wrong password."

    assert "It cannot be read: wrong password. Not read yet." in page(app)
    assert ("broken", "IMAP, mail.example.com: It cannot be read: wrong password. Not read yet.") in found(
        "mail that comes in"
    )


def test_where_nothing_is_read_the_page_and_doctor_say_how_it_would_be(app):
    change_settings(app, imap_url=None, inbound_secret=None)

    assert "BUGINTAKE_IMAP_URL=imaps://" in page(app)
    assert [verdict for verdict, _ in found("what comes back")] == ["ok"]
    assert found("mail that comes in") == []


@pytest.mark.parametrize("mail_from", [None, "a" * 31 + "@fakturo.example"])
def test_doctor_refuses_a_sender_that_nothing_can_come_back_to(app, mail_from):
    change_settings(app, mail_from=mail_from)

    assert [verdict for verdict, _ in found("what comes back")] == ["broken"]


def test_another_mailbox_is_another_road(app):
    first = roads.mailbox_road(config.settings())
    change_settings(app, imap_url=IMAP.replace("hunter2", "hunter3"))
    assert roads.mailbox_road(config.settings()) == first
    change_settings(app, imap_url=IMAP.replace("Bugs", "INBOX"))
    assert roads.mailbox_road(config.settings()) != first
