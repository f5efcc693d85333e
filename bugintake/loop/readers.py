"""Who will read a mail, the worst case first: a preview shows whom it fits least.

That is whoever a text has no words for, then whoever gets what stands there otherwise, then the longest words.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Option, Report
from bugintake.intake.queries import visible_to
from bugintake.loop import placeholders, unfilled
from bugintake.loop.facts import facts_of
from bugintake.loop.models import Announcement, Message, MessageState
from bugintake.loop.text_models import AROUND, TextKind
from bugintake.loop.texts import Texts, of_mail
from bugintake.team.models import User
from bugintake.team.workspace import workspace

LOOKED_AT = 50


@dataclass(frozen=True)
class Reader:
    """A message with what its texts have no words for, and what else stands there in place of others."""

    message: Message
    missing: Sequence[str]
    replaced: Sequence[str]
    length: int

    @property
    def badness(self) -> tuple[bool, bool, int, int]:
        """How badly the mail fits them."""
        return bool(self.missing), bool(self.replaced), self.length, -self.message.id


def of_announcement(announcement: Announcement, texts: Texts, chosen: int = 0) -> Mapping[str, Sequence[Reader]]:
    """Pick those of each language whom an announcement may fit worst, before them the one who is `chosen`."""
    stands = (Message.announcement_id == announcement.id, Message.state != MessageState.CANCELLED)
    found: dict[str, list[Reader]] = defaultdict(list)
    for reader in sorted(_worst(stands, texts, chosen), key=lambda each: each.message.id != chosen):
        found[reader.message.language].append(reader)
    return found


def of_text(kind: TextKind, language: str, texts: Texts, actor: User) -> Sequence[Reader]:
    """Pick those whom a text may fit worst among everybody who still gets a mail with it, of what somebody may see."""
    is_told = sa.true() if kind in AROUND else Announcement.kind == kind
    still = sa.or_(Message.state == MessageState.PENDING, sa.and_(*unfilled.HELD))
    return _worst((is_told, still, Message.language == language, Announcement.cancelled_at.is_(None)), texts, 0, actor)


def _worst(
    which: Sequence[sa.ColumnElement[bool]], texts: Texts, chosen: int, actor: User | None = None
) -> Sequence[Reader]:
    named = {name for each in texts.values() for name in placeholders.names_in("\n".join(each))}
    lacks = {
        "first_name": Customer.name == "",
        "version_used": Option.is_unsure,
        "signer": User.disabled_at.is_not(None),
    }
    worst: list[sa.ColumnElement[Any]] = [
        sa.or_(sa.false(), *(is_lacking for name, is_lacking in lacks.items() if name in named)).desc()
    ]
    worst += [Report.filed_at.desc()] if "days" in named else []
    worst += [sa.func.length(Report.actual).desc(), Message.id.expression]
    place = sa.func.row_number().over(partition_by=Message.language, order_by=worst).label("place")
    seen = sa.true() if actor is None else visible_to(actor)
    ranked = (
        sa.select(Message.id, place)
        .join(Message.announcement)
        .join(Announcement.bug)
        .join(Message.report)
        .join(Message.customer)
        .join(Report.version)
        .join(Report.filed_by)
        .where(*which, seen)
        .subquery()
    )
    query = sa.select(Message).join(ranked, ranked.c.id == Message.id).options(*unfilled.WHOLE)
    chosen_or_worst = sa.or_(ranked.c.place <= LOOKED_AT, Message.id == chosen)
    found = db.session.scalars(query.where(chosen_or_worst)).unique()
    return sorted((_reader(message, texts) for message in found), key=lambda each: each.badness, reverse=True)


def _reader(message: Message, texts: Texts) -> Reader:
    values = facts_of(message, workspace()).values
    wordings = of_mail(texts, message.announcement.kind, message.language).values()
    said = "\n".join("\n".join(each) for each in wordings)
    length = sum(map(len, values.values()))
    return Reader(message, placeholders.missing_in(said, values), placeholders.replaced_in(said, values), length)
