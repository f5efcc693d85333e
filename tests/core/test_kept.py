"""What a process keeps is what the database says, whoever changed it."""

import subprocess
import sys
import textwrap
from threading import Barrier, Thread

import pytest
import sqlalchemy as sa

from bugintake.core import events
from bugintake.core.db import db, transaction
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.kept import kept, kept_with_bugs
from bugintake.intake import catalogue, proposals
from bugintake.intake.models import OptionList, Report
from bugintake.team.models import Role, User
from bugintake.team.workspace import workspace
from tests.counting import asked, fewest
from tests.factories import make_bug, make_option, make_user, make_workspace
from tests.visitors import visit

ELSEWHERE = """
    from pathlib import Path
    from bugintake.app import create_app
    from bugintake.core.db import db, transaction
    from bugintake.core.forms import Seen
    from bugintake.intake import catalogue, option_editing
    from bugintake.intake.models import OptionList
    from bugintake.team import people
    from bugintake.team.workspace import change, workspace
    from tests.apps import make_settings

    with create_app(make_settings(Path({folder!r}), {url!r})).app_context(), transaction():
        option = catalogue.option_labelled(OptionList.AREA, "Invoices")
        option_editing.edit(option, {{"label": "Bills"}}, Seen(), actor=people.user_by_email("mira@team.test"))
        change(workspace(), {{"name": "Renamed"}}, actor=None)
"""


def elsewhere(settings):
    """Let another process rename an area and the company."""
    code = textwrap.dedent(ELSEWHERE).format(folder=str(settings.data), url=settings.database_url)
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_another_process_changed_is_on_the_very_next_page(app, settings):
    make_workspace()
    mira = make_user(Role.ENGINEER, "Mira Kos", email="mira@team.test")
    make_bug(area=make_option(OptionList.AREA, "Invoices"))
    visitor = visit(app, mira)
    before = visitor.get("/board")
    assert ("Invoices" in before.text, workspace().name) == (True, "Fakturo")
    db.session.rollback()

    elsewhere(settings)

    after = visitor.get("/board", headers={"If-None-Match": before.headers["ETag"]})
    assert (after.status_code, "Bills" in after.text, "Invoices" in after.text) == (200, True, False)
    assert workspace().name == "Renamed"


def test_what_is_kept_is_read_once_until_something_happens(app):
    make_option(OptionList.AREA, "Invoices")
    catalogue.names()

    with asked() as statements:
        catalogue.names()
    assert statements == []

    assert fewest(lambda: (db.session.rollback(), catalogue.names())) == 1

    make_option(OptionList.AREA, "Search")
    assert [choice.label for choice in catalogue.names().offered[OptionList.AREA]] == ["Invoices", "Search"]


def test_what_happens_to_bugs_lets_names_stay_and_a_new_word_does_not(app):
    bug = make_bug()
    catalogue.names()

    with transaction():
        events.record(EventKind.BUG_STARTED, actor=None, bug=bug)
    assert fewest(lambda: (db.session.rollback(), catalogue.names())) == 1
    db.session.rollback()
    with asked() as statements:
        catalogue.names()
    assert len(statements) == 1

    with transaction():
        word = proposals.propose(OptionList.PLATFORM, "Steam deck")
        report = db.session.scalars(sa.select(Report).where(Report.bug_id == bug.id)).one()
        proposals.note_use([word], report, bug, actor=report.filed_by)
    assert "Steam deck" in {choice.label for choice in catalogue.names().choices.values()}


def test_what_tells_of_bugs_is_read_anew_when_one_changes(app):
    bug = make_bug()
    reader = kept_with_bugs(lambda: db.session.scalar(sa.select(sa.func.count()).select_from(Event)))
    before = reader()

    with transaction():
        events.record(EventKind.BUG_STARTED, actor=None, bug=bug)

    assert reader() == before + 1


def test_a_transaction_reads_what_it_wrote_and_leaves_nothing_behind_when_it_fails(app):
    make_option(OptionList.AREA, "Invoices")
    catalogue.names()

    try:
        with transaction():
            catalogue.add_option(OptionList.AREA, "Never", actor=None)
            seen = len(catalogue.names().offered[OptionList.AREA])
            raise RuntimeError
    except RuntimeError:
        pass

    assert (seen, len(catalogue.names().offered[OptionList.AREA])) == (2, 1)


@pytest.mark.only_on("postgres")
def test_an_event_that_is_committed_later_than_a_younger_one_is_not_missed(app):
    """PostgreSQL numbers events when they are written, not when they are kept."""
    reader = kept(lambda: db.session.scalar(sa.select(sa.func.count()).select_from(User)))
    started, other_is_done = Barrier(2), Barrier(2)

    def slow() -> None:
        with app.app_context(), transaction():
            db.session.add(User(email="slow@team.test", name="Slow", role=Role.AGENT))
            events.record(EventKind.USER_ADDED, actor=None)
            started.wait()
            other_is_done.wait()

    thread = Thread(target=slow)
    thread.start()
    started.wait()
    make_user()
    with transaction():
        events.record(EventKind.USER_ADDED, actor=None)
    assert reader() == 1
    db.session.rollback()
    other_is_done.wait()
    thread.join()

    assert reader() == 2


@pytest.mark.only_on("postgres")
def test_an_event_is_not_missed_whose_writer_began_after_everybody_who_is_done(app):
    """PostgreSQL names only those as still writing who began before somebody who is done."""
    reader = kept(lambda: db.session.scalar(sa.select(sa.func.count()).select_from(User)))
    has_written, other_has_read = Barrier(2), Barrier(2)

    def later() -> None:
        with app.app_context(), transaction():
            db.session.add(User(email="later@team.test", name="Later", role=Role.AGENT))
            events.record(EventKind.USER_ADDED, actor=None)
            db.session.flush()
            has_written.wait()
            other_has_read.wait()

    thread = Thread(target=later)
    with transaction():
        db.session.add(User(email="first@team.test", name="First", role=Role.AGENT))
        db.session.flush()
        thread.start()
        has_written.wait()
        events.record(EventKind.USER_ADDED, actor=None)
    assert reader() == 1
    db.session.rollback()
    other_has_read.wait()
    thread.join()

    assert reader() == 2
