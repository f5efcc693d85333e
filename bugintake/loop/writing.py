"""Writing texts: a new version for each change, in force at once. Nothing is ever overwritten."""

from collections.abc import Sequence

import sqlalchemy as sa

from bugintake.core import events
from bugintake.core.db import db, one_at_a_time
from bugintake.core.errors import Invalid, NotFound
from bugintake.core.event_kinds import EventKind
from bugintake.core.forms import Seen
from bugintake.core.templating import ago_in_words, say
from bugintake.intake.wording import refuse_fixed
from bugintake.loop import placeholders, texts
from bugintake.loop.doubts import named_in
from bugintake.loop.envelopes import write_anew
from bugintake.loop.models import Announcement, AnnouncementKind, Delivery
from bugintake.loop.text_models import AROUND, BODY_LENGTH, SUBJECT_LENGTH, MailText, TextKind
from bugintake.team.models import User

IN_DECLINES = (TextKind.DECLINED, *AROUND)


def write(
    kind: TextKind, language: str, subject: str, body: str, *, seen: Seen | None = None, actor: User
) -> MailText | None:
    """Let mails say this from now on, those that were written and not handed over too; return the version it became.

    Without a body it is our own words again, and where nothing changes there is no new version. An announcement that
    now names somebody who waits no longer leaves by itself. Records mail_text.written. Raises Invalid as check, Stale
    where somebody else wrote since what was `seen`.
    """
    one_at_a_time(f"mail text {kind} {language}")
    written = texts.versions(kind, language)
    stands = texts.standing(kind, language, written)
    changes = (seen or Seen()).changes(stands, {"subject": subject, "body": body}, lambda _field: _who(written))
    after = texts.Wording(**{**stands, **changes})
    if not changes or (not after.body and not (written and written[0].body)):
        return None
    if after.body:
        check(kind, language, after)
    else:
        after = texts.Wording("", "")
    version = written[0].version + 1 if written else 1
    text = MailText(kind=kind, language=language, version=version, **after._asdict(), written_by_id=actor.id)
    db.session.add(text)
    db.session.flush()
    _stop_what_names_somebody(kind)
    # After the announcements: who holds one of them takes envelopes in this order.
    write_anew(Delivery.customer_id.is_not(None))
    events.record(EventKind.MAIL_TEXT_WRITTEN, actor=actor, text=kind, language=language, version=version)
    return text


def take_again(
    kind: TextKind, language: str, version: int, *, seen: Seen | None = None, actor: User
) -> MailText | None:
    """Let mails say what an earlier version said, 0 for our own words; it becomes a version of its own.

    Raises NotFound for one that there never was, and as write.
    """
    earlier = {0: texts.Wording("", "")}
    earlier |= {each.version: texts.Wording(each.subject, each.body) for each in texts.versions(kind, language)}
    if version not in earlier:
        raise NotFound()
    return write(kind, language, *earlier[version], seen=seen, actor=actor)


def check(kind: TextKind, language: str, wording: texts.Wording) -> None:
    """Refuse what no mail can say. Raises Invalid with the field.

    That is what is too long, a placeholder that is none, the absence of what the mail is about, a subject where there
    is none, and in all that a decline may say, the words for fixed.
    """
    if len(wording.subject) > SUBJECT_LENGTH:
        raise Invalid(say("A subject has at most %(most)d characters.", most=SUBJECT_LENGTH), "subject")
    if len(wording.body) > BODY_LENGTH:
        raise Invalid(say("A text has at most %(most)d characters.", most=BODY_LENGTH), "body")
    if not wording.body:
        raise Invalid(say("Write what the mail says."), "body")
    if kind in AROUND and wording.subject:
        raise Invalid(say("Every kind of mail has a subject of its own."), "subject")
    for field, text in wording._asdict().items():
        placeholders.check(text, texts.KNOWN[kind], field)
        if kind in IN_DECLINES:
            refuse_fixed({language: text}, field)
    needed = texts.NEEDED.get(kind)
    if needed and needed not in placeholders.names_in(wording.body):
        raise Invalid(
            say("{{ %(name)s }} has to stand in it: without it the mail does not say what it is about.", name=needed),
            "body",
        )


def _who(written: Sequence[MailText]) -> str:
    if not written:
        return ""
    last = written[0]
    return f"{last.written_by.first_name} wrote version {last.version} {ago_in_words(last.written_at)}."


def _stop_what_names_somebody(kind: TextKind) -> None:
    concerned = list(AnnouncementKind) if kind in AROUND else [AnnouncementKind(kind)]
    leaves = (Announcement.due_at.is_not(None), Announcement.released_at.is_(None), Announcement.sent_by_id.is_(None))
    query = sa.select(Announcement).where(*leaves, Announcement.report_id.is_(None), Announcement.kind.in_(concerned))
    stands = (Announcement.cancelled_at.is_(None), Announcement.held_at.is_(None))
    for announcement in db.session.scalars(query.where(*stands).order_by(Announcement.id).with_for_update()):
        if named_in(announcement):
            announcement.due_at = None
