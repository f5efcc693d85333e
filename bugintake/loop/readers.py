"""Who will read a mail, the worst case first: a preview shows whom it fits least.

That is whoever a text has no words for, then whoever gets what stands there otherwise, then the longest words.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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


def of_announcement(
    announcement: Announcement, languages: Iterable[str], texts: Texts, chosen: int = 0
) -> Mapping[str, Sequence[Reader]]:
    """Pick those of each language whom an announcement may fit worst, before them the one who is `chosen`."""
    stands = (Message.announcement_id == announcement.id, Message.state != MessageState.CANCELLED)
    each = [(*stands, Message.language == language) for language in languages]
    found: dict[str, list[Reader]] = defaultdict(list)
    worst = _worst([*each, (*stands, Message.id == chosen)], texts)
    for reader in sorted(worst, key=lambda each: each.message.id != chosen):
        found[reader.message.language].append(reader)
    return found


def of_text(kind: TextKind, language: str, texts: Texts, actor: User) -> Sequence[Reader]:
    """Pick those whom a text may fit worst among everybody who still gets a mail with it, of what somebody may see."""
    is_told = sa.true() if kind in AROUND else Announcement.kind == kind
    still = sa.or_(Message.state == MessageState.PENDING, sa.and_(*unfilled.HELD))
    which = (is_told, still, Message.language == language, Announcement.cancelled_at.is_(None), visible_to(actor))
    return _worst([which], texts, about=(Message.announcement, Announcement.bug))


def _worst(groups: Iterable[Sequence[sa.ColumnElement[bool]]], texts: Texts, about: Sequence[Any] = ()) -> list[Reader]:
    """Pick some of each group; where no text names what some people lack, the longest words come from an index."""
    named = {name for each in texts.values() for name in placeholders.names_in("\n".join(each))}
    lacks = {
        "first_name": (Customer.name == "", (Message.customer,)),
        "version_used": (Option.is_unsure, (Message.report, Report.version)),
        "signer": (User.disabled_at.is_not(None), (Message.report, Report.filed_by)),
    }
    lacking = [is_lacking for name, (is_lacking, _) in lacks.items() if name in named]
    worst: list[sa.ColumnElement[Any]] = [sa.or_(*lacking).desc()] if lacking else []
    worst += [Report.filed_at.desc()] if "days" in named else []
    worst += [Message.words_length.desc(), Message.id.expression]
    roads = [*about, *(road for name, (_, each) in lacks.items() if name in named for road in each)]
    everybody = sa.select(Message.id).order_by(*worst).limit(LOOKED_AT)
    for road in dict.fromkeys([*roads, *([Message.report] if "days" in named else [])]):
        everybody = everybody.join(road)
    some = sa.union(*(sa.select(everybody.where(*which).subquery()) for which in groups))
    picked = db.session.scalars(some).all()  # few: all else is read of them alone
    found = db.session.scalars(sa.select(Message).where(Message.id.in_(picked)).options(*unfilled.WHOLE)).unique()
    return sorted((_reader(message, texts) for message in found), key=lambda each: each.badness, reverse=True)


def _reader(message: Message, texts: Texts) -> Reader:
    values = facts_of(message, workspace()).values
    wordings = of_mail(texts, message.announcement.kind, message.language).values()
    said = "\n".join("\n".join(each) for each in wordings)
    length = sum(map(len, values.values()))
    return Reader(message, placeholders.missing_in(said, values), placeholders.replaced_in(said, values), length)
