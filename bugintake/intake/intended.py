"""Is it meant to be so? What an area is meant to do, and the declines that say so for ever."""

from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Intended:
    """What is known of an area's intended behaviour: a note, the latest standing declines, and how many more."""

    note: str = ""
    declines: Sequence[Bug] = ()
    more_count: int = 0

    def __bool__(self) -> bool:
        return bool(self.note or self.declines)


NOTHING = Intended()


def known_of(area: Option, actor: User) -> Intended:
    """Say what an area is meant to do, with the latest bugs of it that were declined because they work as intended."""
    reasons = sa.select(Option.id).where(Option.is_intended)
    standing = (
        *(Bug.area_id == area.id, Bug.status == Status.DECLINED, Bug.decline_reason_id.in_(reasons)),
        *(Bug.merged_into_id.is_(None), Bug.withdrawn_at.is_(None), visible_to(actor)),
    )
    latest = sa.select(Bug).where(*standing).order_by(Bug.status_since_at.desc(), Bug.id.desc()).limit(SHOWN)
    declines = db.session.scalars(latest).all()
    more = 0
    if len(declines) == SHOWN:
        more = (db.session.scalar(sa.select(sa.func.count()).where(*standing)) or 0) - SHOWN
    return Intended(area.intended, declines, more)
