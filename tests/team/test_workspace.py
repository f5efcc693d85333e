"""The workspace: what may be set, and that each change is one event."""

from datetime import time

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.team.workspace import change, is_sample, is_set_up, working_hours, workspace
from tests.factories import make_workspace


def changes():
    changed = sa.select(Event).where(Event.kind == EventKind.WORKSPACE_CHANGED).order_by(Event.id)
    return [event.details for event in db.session.scalars(changed)]


def test_before_the_first_run_there_is_no_workspace(app):
    assert (is_set_up(), is_sample()) == (False, False)
    with pytest.raises(Conflict, match="not set up yet"):
        workspace()


def test_a_change_is_one_event_that_names_what_changed(petra):
    with transaction():
        change(workspace(), {"name": "Fakturo AG", "review_minutes": None, "language": "en"}, actor=petra)

    assert (workspace().name, workspace().review_minutes) == ("Fakturo AG", None)
    assert changes() == [{"settings": ["name", "review_minutes"]}]


def test_changing_nothing_is_no_event(petra):
    with transaction():
        change(workspace(), {"name": "Fakturo"}, actor=petra)

    assert changes() == []


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"zone": "Mars/Base"}, "zone"),
        ({"languages": []}, "languages"),
        ({"languages": ["xx"]}, "languages"),
        ({"languages": ["de"]}, "language"),
        ({"language": "hr"}, "language"),
        ({"working_days": []}, "working_days"),
        ({"working_days": [0, 7]}, "working_days"),
        ({"opens_at": time(18)}, "closes_at"),
        ({"review_minutes": -1}, "review_minutes"),
        ({"review_minutes": 10_001}, "review_minutes"),
        ({"fallback_owner_id": 999}, "fallback_owner_id"),
        ({"is_sample": True}, None),
        ({"id": 2}, None),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_kept(petra, given, field):
    with pytest.raises(Invalid) as refused, transaction():
        change(workspace(), {"sender_name": "Somebody else", **given}, actor=petra)

    assert refused.value.field == field
    assert (workspace().sender_name, changes()) == ("Fakturo support", [])


def test_the_hours_are_those_that_were_set(app):
    make_workspace(zone="Europe/Berlin", working_days=[0, 6], opens_at=time(8), closes_at=time(16, 30))

    hours = working_hours()

    assert (hours.zone.key, hours.days, hours.start, hours.end) == ("Europe/Berlin", {0, 6}, time(8), time(16, 30))


def test_the_workspace_is_read_once(petra, app):
    db.session.rollback()
    workspace()
    asked = []
    sa.event.listen(db.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))

    workspace()
    is_sample()
    working_hours()

    assert asked == []
