"""A company, its admin, and a receiver that listens to everything."""

import pytest

from bugintake.core import outside
from bugintake.core.db import transaction
from bugintake.loop.webhooks import outgoing
from bugintake.team.models import Role
from tests.factories import make_user, make_workspace
from tests.loop.webhooks.receiver import ADDRESS, Receiver


@pytest.fixture
def petra(app, clock):
    make_workspace(review_minutes=0)
    return make_user(Role.ADMIN, "Petra Novak")


@pytest.fixture
def receiver(monkeypatch):
    receiver = Receiver()
    monkeypatch.setattr(outside, "tell", receiver.tell)
    return receiver


@pytest.fixture
def make_webhook(petra):
    """Make a webhook, that is told everything unless something is named."""

    def make(*topics, url=ADDRESS):
        with transaction():
            return outgoing.make(url, topics or outgoing.CHOICES, actor=petra)

    return make
