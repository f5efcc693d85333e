"""Texts: what mails say in the company's own words, by kind and language; where it wrote none, they are ours."""

import re
from collections.abc import Collection, Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from bugintake.core.db import db
from bugintake.core.kept import once
from bugintake.loop import shipped
from bugintake.loop.models import QUESTIONS, AnnouncementKind
from bugintake.loop.placeholders import missing_in
from bugintake.loop.text_models import AROUND, MailText, TextKind

EVERYWHERE = ("first_name", "signer", "company")
OF_ONE = ("their_words", "day_told", *EVERYWHERE)
KNOWN: Mapping[TextKind, Sequence[str]] = {
    TextKind.OPENING: EVERYWHERE,
    TextKind.LIVE: (*OF_ONE, "note", "live_since", "version", "version_used", "days"),
    TextKind.DECLINED: (*OF_ONE, "note", "workaround"),
    TextKind.ASKED: (*OF_ONE, "note", "answer_by"),
    TextKind.REMINDED: (*OF_ONE, "note", "answer_by"),
    TextKind.PAUSED: (*OF_ONE, "note"),
    TextKind.RECEIVED: (*OF_ONE, "workaround"),
    TextKind.WORKAROUND: (*OF_ONE, "workaround"),
    TextKind.CORRECTION: (*OF_ONE, "note"),
    TextKind.CLOSING: EVERYWHERE,
}
"""What a text may name; where several things are answered in one mail, what is of one stands in its part alone."""
NEEDED: Mapping[TextKind, str] = {
    **dict.fromkeys((TextKind.LIVE, TextKind.DECLINED, TextKind.CORRECTION, *map(TextKind, QUESTIONS)), "note"),
    TextKind.WORKAROUND: "workaround",
}
"""What a text has to name, because the mail would not say it otherwise."""


class Wording(NamedTuple):
    """What a text says."""

    subject: str
    body: str


Texts = Mapping[tuple[TextKind, str], Wording]


@once
def in_force() -> Texts:
    """Read all texts that mails are written with now, by kind and language."""
    return {(each.kind, each.language): Wording(each.subject, each.body) for each in newest() if each.body}


def newest() -> Sequence[MailText]:
    """List the newest version of each text."""
    later = sa.orm.aliased(MailText)
    same = (later.kind == MailText.kind, later.language == MailText.language, later.version > MailText.version)
    query = sa.select(MailText).where(~sa.exists().where(*same)).options(joinedload(MailText.written_by))
    return db.session.scalars(query.order_by(MailText.id)).all()


def versions(kind: TextKind, language: str) -> Sequence[MailText]:
    """List every version of a text, the newest first."""
    query = sa.select(MailText).where(MailText.kind == kind, MailText.language == language)
    return db.session.scalars(query.options(joinedload(MailText.written_by)).order_by(MailText.version.desc())).all()


def standing(kind: TextKind, language: str, written: Sequence[MailText]) -> dict[str, str]:
    """Say what somebody begins with who edits a text: its newest version, else our own words."""
    if written and written[0].body:
        return {"subject": written[0].subject, "body": written[0].body}
    return shipped.as_text(kind, language)


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[tuple[str, str]]:
    """Part what a text says into what stayed, what went ("del") and what came ("ins"), in order."""
    old, new = (re.findall(r"\s+|\S+", f"{each['subject']}\n\n{each['body']}".strip()) for each in (before, after))
    found = []
    for kind, start, stop, from_, to in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append(("", "".join(old[start:stop])))
            continue
        parts = (("del", "".join(old[start:stop])), ("ins", "".join(new[from_:to])))
        found += [part for part in parts if part[1]]
    return found


def of_mail(texts: Texts, kind: AnnouncementKind, language: str) -> dict[TextKind, Wording]:
    """Pick the texts that a mail about one report is written with."""
    return {part: texts[part, language] for part in (TextKind(kind), *AROUND) if (part, language) in texts}


def naming(names: Collection[str], kind: AnnouncementKind, language: str) -> TextKind:
    """Pick of a mail's texts the one that needs words for one of these names; that of its kind where none does."""
    parts = of_mail(in_force(), kind, language).items()
    needs = (part for part, said in parts if not set(names).isdisjoint(missing_in("\n".join(said), {})))
    return next(needs, TextKind(kind))
