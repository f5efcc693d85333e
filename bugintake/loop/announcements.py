"""Announcements: what became of a bug, owed to everyone who waits for it, and when it leaves."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bugintake.core import clock, events
from bugintake.core.db import db, read_again, update_all, update_one
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.forms import Seen
from bugintake.intake import waiting
from bugintake.intake.customers.models import Customer
from bugintake.intake.customers.quiet import is_quiet, open_day
from bugintake.intake.models import Bug, Report, SettledBy
from bugintake.intake.wording import refuse_fixed
from bugintake.loop.doubts import named_in
from bugintake.loop.envelopes import take_out, write_anew
from bugintake.loop.letters import languages_worded
from bugintake.loop.models import (
    OUTCOMES,
    Announcement,
    AnnouncementKind,
    Delivery,
    HeldBecause,
    Message,
    MessageState,
)
from bugintake.loop.unsent import change_unsent, record_about, refuse_outdated
from bugintake.team.models import LANGUAGES, User
from bugintake.team.workspace import working_hours, workspace
from bugintake.triage import editing

SEND_DELAY = timedelta(seconds=60)
NOTE_LENGTH = 4000
UNSUBSCRIBED = "They asked for no more mail about it."
COMES_BACK = "Mail to this address comes back."
ERASED = "This person was erased."
ASKED_NOBODY = {"worder_id": None, "worder_asked_by_id": None, "worder_asked_at": None}


def open_announcement(bug: Bug, kind: AnnouncementKind, *, actor: User | None) -> Announcement:
    """Open the announcement of a bug's outcome: one message for everybody who waits, each in a named state.

    It leaves by itself when the review window has passed. What an earlier generation still owed is owed no more.
    Records announcement.opened.
    """
    earlier = sa.select(Announcement.id).where(Announcement.bug_id == bug.id)
    take_out(Message.announcement_id.in_(earlier), [MessageState.HELD], state=MessageState.CANCELLED)
    return begin(bug, kind, notes=bug.customer_notes, actor=actor)


def begin(
    bug: Bug,
    kind: AnnouncementKind,
    *,
    notes: Mapping[str, str],
    actor: User | None,
    among: sa.Select[int | None] | None = None,
) -> Announcement:
    """Open an announcement of a bug for everybody who waits, or for those `among` some of them, with a review window.

    Records announcement.opened.
    """
    announcement = Announcement(kind=kind, bug_id=bug.id, generation=bug.generation, notes=dict(notes))
    db.session.add(announcement)
    db.session.flush()
    owe(announcement, among=among)
    announcement.due_at = leaves_at(announcement)
    people = db.session.scalar(sa.select(sa.func.count()).where(Message.announcement_id == announcement.id))
    events.record(
        EventKind.ANNOUNCEMENT_OPENED, actor=actor, bug=bug, after=kind, announcement=announcement.id, people=people
    )
    return announcement


def review_ends_at(start: datetime) -> datetime | None:
    """Say when a review window that begins now is over, in working minutes; None where somebody has to send."""
    minutes = workspace().review_minutes
    return None if minutes is None else working_hours().add_working(start, minutes)


def leaves_at(announcement: Announcement, *, is_worded: bool = False) -> datetime | None:
    """Say when it leaves by itself: after a review, and not at all where it names somebody who waits.

    While somebody is asked to word it, it leaves only once it `is_worded`.
    """
    waits = announcement.worder_id is not None and not is_worded
    return None if waits or named_in(announcement) else review_ends_at(clock.now())


def owe(
    announcement: Announcement, customer: Customer | None = None, among: sa.Select[int | None] | None = None
) -> None:
    """Owe a message to everybody who waits for the bug, to one or `among` some of them: a single INSERT … SELECT.

    Each person gets one, whatever number of reports they have. One that was cancelled or suppressed is owed again.
    A suppressed outcome settles at once. What is of one report concerns its customer alone.
    """
    spoken = languages_worded(announcement)
    is_silent = sa.or_(Customer.suppressed_at.is_not(None), Customer.erased_at.is_not(None))
    has_left = sa.func.max(Report.unsubscribed_at).is_not(None)
    has_no_address, has_no_note = Customer.email.is_(None), Customer.language.not_in(spoken)
    wants_none_yet = is_quiet(open_day())
    states = Message.state.type
    state = sa.case(
        (sa.or_(is_silent, has_left), sa.literal(MessageState.SUPPRESSED, states)),
        (sa.or_(has_no_address, has_no_note, wants_none_yet), sa.literal(MessageState.HELD, states)),
        else_=sa.literal(MessageState.PENDING, states),
    )
    because = sa.case(
        (sa.or_(is_silent, has_left), sa.null()),
        (has_no_address, sa.literal(HeldBecause.NO_ADDRESS, Message.held_because.type)),
        (has_no_note, sa.literal(HeldBecause.NO_NOTE, Message.held_because.type)),
        (wants_none_yet, sa.literal(HeldBecause.QUIET, Message.held_because.type)),
        else_=sa.null(),
    )
    comes_back = (Customer.suppressed_at.is_not(None), COMES_BACK)
    reason = sa.case(comes_back, (Customer.erased_at.is_not(None), ERASED), (has_left, UNSUBSCRIBED), else_="")
    is_of_bug = announcement.report_id is None
    concerned = Bug.canonical_id == announcement.bug_id if is_of_bug else Report.id == announcement.report_id
    first = sa.func.min(Report.id)
    now = sa.literal(clock.now(), Message.state_at.type)
    length = sa.func.max(sa.func.length(Report.actual))
    people = (
        sa.select(
            sa.literal(announcement.id), Customer.id, first, Customer.language, length, state, because, reason, now
        )
        .select_from(Report)
        .join(Bug, Bug.id == Report.bug_id)
        .join(Customer, Customer.id == Report.customer_id)
        .where(concerned, Report.settled_at.is_(None))
        .where(sa.true() if customer is None else Customer.id == customer.id)
        .where(sa.true() if among is None else Customer.id.in_(among))
        .group_by(Customer.id)
        .order_by(first)
    )
    columns = ["announcement_id", "customer_id", "report_id", "language", "words_length"]
    columns += ["state", "held_because", "reason", "state_at"]
    dialect = sqlite if db.session.connection().dialect.name == "sqlite" else postgresql
    insert = dialect.insert(Message).from_select(columns, people)
    may_be_owed_again = Message.state.in_((MessageState.CANCELLED, MessageState.SUPPRESSED))
    db.session.flush()
    db.session.execute(
        insert.on_conflict_do_update(
            index_elements=["announcement_id", "customer_id"],
            set_={name: insert.excluded[name] for name in columns[2:]} | {"delivery_id": None},
            where=may_be_owed_again,
        )
    )
    read_again(Message)
    if announcement.kind not in OUTCOMES:
        return
    silent = sa.select(Message.customer_id).where(
        Message.announcement_id == announcement.id, Message.state == MessageState.SUPPRESSED
    )
    waiting.settle_all(announcement.bug_id, silent, SettledBy.SUPPRESSED)


def current(bug: Bug) -> Announcement | None:
    """Return the announcement of a bug's present outcome."""
    found = sa.select(Announcement).where(Announcement.bug_id == bug.id, Announcement.generation == bug.generation)
    return db.session.scalar(found.where(Announcement.cancelled_at.is_(None), Announcement.kind.in_(OUTCOMES)))


def send(announcement: Announcement, *, actor: User) -> None:
    """Let an announcement leave in a minute, whoever was asked to word it; until then it can be undone.

    Records announcement.sent. Raises Conflict where it left, was cancelled or is on its way already.
    """
    refuse_outdated(announcement)
    due_at = clock.now() + SEND_DELAY
    change_unsent(
        announcement, "It has been sent already.", due_at=due_at, held_at=None, sent_by_id=actor.id, **ASKED_NOBODY
    )
    record_about(EventKind.ANNOUNCEMENT_SENT, announcement, actor)


def undo_send(announcement: Announcement, *, actor: User) -> None:
    """Take the sending back within its minute: the review window goes on, or somebody has to send it again.

    Records announcement.sending_undone. Raises Conflict once it has left.
    """
    if announcement.sent_by_id is None:
        raise Conflict("Nobody has sent it.")
    ends_at = review_ends_at(announcement.opened_at)
    due_at = ends_at if ends_at is not None and ends_at > clock.now() else None
    change_unsent(announcement, "The minute is over: it has left.", due_at=due_at, sent_by_id=None)
    record_about(EventKind.ANNOUNCEMENT_SENDING_UNDONE, announcement, actor)


def hold(announcement: Announcement, *, actor: User) -> None:
    """Stop an announcement: nothing more of it leaves until somebody resumes or sends it.

    What has been released but not handed over comes out of its envelopes. Records announcement.held.
    """
    change = sa.update(Announcement).where(Announcement.id == announcement.id, Announcement.cancelled_at.is_(None))
    if not update_one(change.where(Announcement.held_at.is_(None)).values(held_at=clock.now(), released_at=None)):
        raise Conflict("It is held or cancelled already.")
    of_it = Message.announcement_id == announcement.id
    take_out(of_it, [MessageState.PENDING], state=MessageState.PENDING)
    record_about(EventKind.ANNOUNCEMENT_HELD, announcement, actor)


def resume(announcement: Announcement, *, actor: User) -> None:
    """Let a held announcement go on: its review window begins anew. Records announcement.resumed."""
    if announcement.held_at is None:
        raise Conflict("It is not held.")
    refuse_outdated(announcement)
    change_unsent(announcement, "It has left.", held_at=None, due_at=leaves_at(announcement), sent_by_id=None)
    record_about(EventKind.ANNOUNCEMENT_RESUMED, announcement, actor)


def edit_notes(
    announcement: Announcement,
    notes: Mapping[str, str],
    workarounds: Mapping[str, str],
    *,
    seen: Seen | None = None,
    actor: User,
) -> None:
    """Change the words, by language; what was not sent yet says the new ones.

    A message that waited for words in its language is free to go; one whose words are gone is held. The way round is
    its bug's, so the customers' pages say the new one too. Records announcement.edited with the languages that
    changed. Raises Invalid for an overlong or unknown one, Stale where somebody else changed the same words since they
    were `seen`.
    """
    for given in (notes, workarounds):
        if not set(given) <= set(LANGUAGES):
            raise Invalid(f"Customers are written to in {', '.join(LANGUAGES.values())}.", "language")
        if any(len(text) > NOTE_LENGTH for text in given.values()):
            raise Invalid(f"A note has at most {NOTE_LENGTH:,} characters.", "note")
    if announcement.kind is AnnouncementKind.DECLINED:
        refuse_fixed(notes, "note_{language}")
    bug = announcement.bug
    waiting.take([bug.id])
    db.session.refresh(bug)
    db.session.refresh(announcement)
    stands = by_field(announcement.notes, bug.workarounds, LANGUAGES)
    changes = (seen or Seen()).changes(stands, by_field(notes, workarounds), partial(editing.who_changed, bug))
    new: dict[str, dict[str, str]] = {"note": {}, "workaround": {}}
    for name, text in changes.items():
        kind, _, language = name.partition("_")
        new[kind][language] = text
    if not changes:
        return
    announcement.notes = {**announcement.notes, **new["note"]}
    if new["workaround"]:
        editing.set_workarounds(bug, {**bug.workarounds, **new["workaround"]}, actor=actor)
    if announcement.due_at is not None and announcement.sent_by_id is None and named_in(announcement):
        announcement.due_at = None
    db.session.flush()
    take_new_words(announcement)
    record_about(EventKind.ANNOUNCEMENT_EDITED, announcement, actor, languages=sorted(new["note"] | new["workaround"]))


def by_field(notes: Mapping[str, str], workarounds: Mapping[str, str], languages: Iterable[str] = ()) -> dict[str, str]:
    """Name each text as the form does: note_de, workaround_de; in the languages given, else in those there are."""
    both = {"note": notes, "workaround": workarounds}
    return {f"{kind}_{each}": texts.get(each, "") for kind, texts in both.items() for each in languages or texts}


def take_new_words(announcement: Announcement) -> None:
    """Say the new words in what was not sent; where somebody was asked for them, the review window begins anew."""
    if announcement.worder_id is not None:
        update_one(
            sa.update(Announcement)
            .where(Announcement.id == announcement.id, Announcement.worder_id.is_not(None))
            .values(due_at=leaves_at(announcement, is_worded=True), **ASKED_NOBODY)
        )
    reword(announcement)


def reword(announcement: Announcement) -> None:
    """Free the messages whose words now exist in their language, and hold those whose words do not.

    What a worker has written already and not handed over is written anew.
    """
    spoken, of_it = languages_worded(announcement), Message.announcement_id == announcement.id
    write_anew(Delivery.id.in_(sa.select(Message.delivery_id).where(of_it, Message.state == MessageState.PENDING)))
    has_words = Message.language.in_(spoken)
    free = sa.update(Message).where(of_it, has_words, Message.held_because == HeldBecause.NO_NOTE)
    values = {"state": MessageState.PENDING, "held_because": None, "state_at": clock.now()}
    update_all(free.where(Message.state == MessageState.HELD).values(**values))
    if db.session.scalar(
        sa.select(Message.id).where(of_it, Message.state == MessageState.PENDING, ~has_words).limit(1)
    ):
        wordless = sa.and_(of_it, ~has_words)
        take_out(wordless, [MessageState.PENDING], state=MessageState.HELD, held_because=HeldBecause.NO_NOTE)
