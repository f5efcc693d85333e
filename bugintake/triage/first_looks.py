"""How soon somebody looks at what is filed, measured over the last weeks."""

import statistics
from datetime import timedelta

import sqlalchemy as sa

from bugintake.core import clock
from bugintake.core.db import db
from bugintake.core.events import LOOKS, Event
from bugintake.intake.models import Bug
from bugintake.team.workspace import working_hours

LATELY = timedelta(days=30)
LATEST = 200  # bugs: so it costs the same at any size
FEWEST = 5


def usual_minutes() -> int | None:
    """Return within how many working minutes half of the latest bugs of 30 days were looked at by a person.

    One that nobody has looked at yet counts with its age. Nothing where there are too few to say. Restricted bugs do
    not count: everybody reads this number.
    """
    hours, now = working_hours(), clock.now()
    by_people = (Event.bug_id == Bug.id, Event.kind.in_(LOOKS), Event.actor_id.is_not(None))
    looked_at = sa.select(sa.func.min(Event.at)).where(*by_people).correlate(Bug).scalar_subquery()
    until = sa.func.coalesce(looked_at, sa.literal(now, Event.at.type))
    counted = (Bug.filed_at >= now - LATELY, Bug.is_restricted.is_(False), Bug.withdrawn_at.is_(None))
    query = sa.select(Bug.filed_at, until).where(*counted).order_by(Bug.filed_at.desc(), Bug.id.desc())
    found = [hours.working_minutes(*span) for span in db.session.execute(query.limit(LATEST))]
    return round(statistics.median(found)) if len(found) >= FEWEST else None
