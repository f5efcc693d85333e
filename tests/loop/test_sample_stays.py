"""Nothing leaves the sample company, by any road, and no other system is asked about it."""

from dataclasses import replace

import pytest

from bugintake.core import outside
from bugintake.core.config import Settings
from bugintake.core.db import db, transaction
from bugintake.core.outside import Answer, Receipt
from bugintake.duty import absence_calendars, channels
from bugintake.loop import worker
from bugintake.loop.inbound import mailbox
from bugintake.loop.webhooks import outgoing
from bugintake.team.models import Role
from bugintake.triage import linking
from tests.duty.conftest import make_rotation
from tests.factories import make_bug, make_user, make_workspace

ROADS = ["calendar.example.com", "chat.example.com", "github", "hooks.example.com", "the mailbox"]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, imap_url="imaps://support%40example.com:secret@mail.example.com/INBOX")


class Rounds:
    """Let one round pass."""

    def __init__(self):
        self.left = iter((False, True))

    def wait(self, _seconds):
        return next(self.left)

    def is_set(self):
        return False


@pytest.fixture
def asked(monkeypatch):
    """Whoever was asked or told anything."""
    asked = []

    def note(url, answer):
        asked.append("github" if "github" in url else url.split("/")[2])
        return answer

    monkeypatch.setattr(outside, "fetch", lambda url, *_: note(url, Answer(200, b"{}")))
    monkeypatch.setattr(outside, "tell", lambda url, *_: note(url, Receipt(204, "")))
    monkeypatch.setattr(mailbox, "read_mailbox", lambda _stop: asked.append("the mailbox") or 0)
    return asked


@pytest.mark.parametrize(("is_sample", "left"), [(True, []), (False, ROADS)])
def test_the_worker_leaves_a_sample_by_no_road(app, clock, asked, is_sample, left):
    make_workspace(is_sample=is_sample)
    petra = make_user(Role.ADMIN)
    rotation, bug = make_rotation([petra], actor=petra), make_bug()
    with transaction():
        outgoing.queue_test(outgoing.make("https://hooks.example.com/x", ["bug.live"], actor=petra))
        channels.connect(rotation, "https://chat.example.com/x", actor=petra)
        channels.queue_test(rotation)
        absence_calendars.follow(petra, "https://calendar.example.com/x.ics", actor=petra)
        linking.add_link(bug, "https://github.com/example/example/issues/1", actor=petra)
    for looks in worker.ELSEWHERE:
        worker._look_elsewhere(app, Rounds(), looks)
    db.session.rollback()

    assert sorted(set(asked)) == left
