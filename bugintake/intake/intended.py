"""Is it meant to be so? What an area is meant to do, and the declines that say so for ever."""

from collections.abc import Sequence

import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.core.errors import Invalid
from bugintake.intake.models import Bug, Option, Status
from bugintake.intake.queries import visible_to
from bugintake.team.models import User

NOTE_LENGTH = 500
SHOWN = 3


def check(note: str) -> None:
    """Raise Invalid for a note that nobody would read while a customer waits."""
    if len(note) > NOTE_LENGTH:
        raise Invalid(f"Keep it below {NOTE_LENGTH} characters: it is read while a customer waits.", "intended")


def standing_declines(area: Option, actor: User) -> Sequence[Bug]:
    """List the latest bugs of an area that were declined because they work as intended."""
    reasons = sa.select(Option.id).where(Option.is_intended)
    query = (
        sa.select(Bug)
        .where(Bug.area_id == area.id, Bug.status == Status.DECLINED, Bug.decline_reason_id.in_(reasons))
        .where(Bug.merged_into_id.is_(None), Bug.withdrawn_at.is_(None), visible_to(actor))
    )
    return db.session.scalars(query.order_by(Bug.status_since_at.desc(), Bug.id.desc()).limit(SHOWN)).all()
