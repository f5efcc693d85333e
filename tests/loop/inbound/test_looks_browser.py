"""The pages about what comes back, as people see them: both themes, on a desk and on a phone, by keyboard."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bugintake.core import config
from bugintake.core.db import transaction
from bugintake.loop import replies
from bugintake.loop.inbound import roads
from bugintake.team.models import Role
from tests.eyes import wrong_with
from tests.factories import make_bug, make_user
from tests.loop.reading import first_report
from tests.visitors import served, visit

pytestmark = [pytest.mark.browser, pytest.mark.only_on("sqlite"), pytest.mark.usefixtures("company")]


@pytest.fixture
def settings(settings):
    imap_url = "imaps://support%40example.com:secret@a-long-name-of-a-mail-server.example.com/INBOX"
    return replace(settings, base_url="http://localhost", imap_url=imap_url)


def opened(app, page, context, user, at):
    cookie = visit(app, user).client.get_cookie("session")
    with served(app) as address:
        context.add_cookies([{"name": "session", "value": cookie.value, "url": address}])
        page.goto(f"{address}{at}")
        return wrong_with(page)


@pytest.mark.parametrize("is_read", [True, False])
def test_the_page_about_mail(app, page, context, is_read):
    if is_read:
        with transaction():
            roads.road(roads.mailbox_road(config.settings())).problem = "The certificate has expired."
    else:
        config.keep(app, replace(config.settings(), imap_url=None, inbound_secret=None))

    assert opened(app, page, context, make_user(Role.ADMIN), "/admin/mail") == []


def test_what_customers_wrote_to_whoever_filed_it(app, page, context):
    lea = make_user(Role.AGENT)
    bug = make_bug(actor=lea)
    with transaction():
        replies.add_remark(first_report(bug), "It-works-in-one-very-long-word" * 20)

    assert opened(app, page, context, lea, "/mine") == []
