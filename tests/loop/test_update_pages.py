"""Where the team tells people on the way: a bug's page, the page after filing, and the workspace's setting."""

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.loop.models import Announcement
from bugintake.triage import editing
from tests.factories import make_bug, make_customer, make_user, make_workspace
from tests.loop.reading import first_report
from tests.loop.rows import TUESDAY_9, owed, release
from tests.visitors import visit

pytestmark = pytest.mark.long_on("postgres")

WAY = "Choose Print, then Save as PDF."


@pytest.fixture
def mira(app, clock):
    make_workspace(review_minutes=0)
    clock.set(TUESDAY_9)
    return make_user(name="Mira")


def test_without_the_setting_nobody_is_written_to_until_somebody_asks_for_it(app, mira):
    bug = make_bug(waiting=[make_customer("Hana Kos", email="hana@example.com")], actor=mira)
    assert owed(bug) == []
    address = f"/reports/{first_report(bug).id}/confirmation/mail"
    browser = visit(app, mira)
    filed = browser.get(f"/bugs/{bug.ref}/filed")
    assert "Write to Hana Kos that we have it" in filed.text

    assert browser.post(address).status_code == 302
    assert owed(bug) == [("hana@example.com", "pending", None)]
    again = browser.post(address)
    assert again.status_code == 409 and "They have been written to that we have it." in again.text
    assert "Write to Hana Kos" not in browser.get(f"/bugs/{bug.ref}/filed").text


def test_the_page_of_a_bug_offers_to_tell_a_way_round_and_says_when_it_was_told(app, mira):
    bug = make_bug(waiting=[make_customer(email="hana@example.com")])
    browser = visit(app, mira)
    assert "Tell those who wait…" not in browser.get(f"/bugs/{bug.ref}").text
    with transaction():
        editing.set_workarounds(bug, {"en": WAY}, actor=mira)
    assert "Tell those who wait…" in browser.get(f"/bugs/{bug.ref}").text

    there = browser.post(f"/bugs/{bug.ref}/workaround/telling")
    page = browser.get(there.headers["Location"])
    assert WAY in page.text and 'name="workaround_en"' in page.text and 'name="note_en"' not in page.text
    assert "It is about to be told" in browser.get(f"/bugs/{bug.ref}").text
    release()
    assert "Told by mail" in browser.get(f"/bugs/{bug.ref}").text


def test_the_announcement_of_a_confirmation_has_nothing_to_word(app, mira):
    bug = make_bug(waiting=[make_customer(email="hana@example.com")])
    browser = visit(app, mira)
    browser.post(f"/reports/{first_report(bug).id}/confirmation/mail")
    page = browser.get(f"/loop/{db.session.scalar(sa.select(Announcement.id))}")
    assert "We have your report" in page.text and "What it says" not in page.text
