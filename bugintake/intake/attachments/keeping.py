"""Files and their rows: chosen for a form, attached to its report, taken away, and swept up after a crash."""

import hashlib
import itertools
from datetime import timedelta

import sqlalchemy as sa

from bugintake.core import clock
from bugintake.core.db import after_commit, db, one_at_a_time, transaction, update_all
from bugintake.core.errors import Invalid
from bugintake.core.security import hash_secret
from bugintake.intake.attachments import contents, storage
from bugintake.intake.attachments.models import Attachment
from bugintake.intake.draft_models import Draft
from bugintake.intake.models import Report
from bugintake.team.models import User

MOST = 10
TOO_MANY = f"A report takes up to {MOST} files."
FORGET_UNFILED_AFTER = timedelta(days=7)
GRACE = timedelta(hours=1)  # no request takes as long from its file to its row
BATCH = 500


def form_of(actor: User, key: str) -> str:
    """Name a form by the key in it and who fills it in: a key of somebody else names another form."""
    return hash_secret(f"{actor.id} {key}")


def choose(form_hash: str, name: str, data: bytes, *, actor: User) -> Attachment:
    """Keep a file for a form that is not sent yet; the same file chosen twice is kept once.

    The file is written before the transaction, which it opens itself, so that nobody waits for a disk or a decoder.
    Raises Invalid for what is not taken, and OSError where there is no room.
    """
    _refuse_to_decode(form_hash, name)
    content = contents.read(name, data)
    stored_as = storage.put(content)
    with transaction():
        try:
            chosen = _choose(form_hash, content, stored_as, actor)
        except BaseException:  # not around the commit: where its answer is lost, the row may be there
            storage.drop(stored_as)
            raise
    if chosen.stored_as != stored_as:
        storage.drop(stored_as)
    return chosen


def _refuse_to_decode(form_hash: str, name: str) -> None:
    """Spare the work where a form is full, unless this may be one of its files, sent again."""
    names = db.session.scalars(sa.select(Attachment.name).where(Attachment.form_hash == form_hash)).all()
    if len(names) >= MOST and not any(contents.file_name(name, kind) in names for kind in contents.ENDINGS):
        raise Invalid(TOO_MANY, "files")


def _choose(form_hash: str, content: contents.Content, stored_as: str, actor: User) -> Attachment:
    one_at_a_time(f"submission {form_hash}")
    digest = hashlib.sha256(content.data).hexdigest()
    there = db.session.scalars(sa.select(Attachment).where(Attachment.form_hash == form_hash)).all()
    same = next((each for each in there if (each.sha256, each.name) == (digest, content.name)), None)
    if same is not None:
        return same
    if len(there) >= MOST:
        raise Invalid(TOO_MANY, "files")
    chosen = Attachment(
        form_hash=form_hash,
        added_by_id=actor.id,
        name=content.name,
        media_type=content.media_type,
        byte_count=len(content.data),
        sha256=digest,
        stored_as=stored_as,
    )
    db.session.add(chosen)
    db.session.flush()
    return chosen


def attach(form_hash: str, report: Report) -> None:
    """Give a report the files that were chosen in its form."""
    update_all(_ATTACH, form=form_hash, report=report.id)


_WAITING = sa.update(Attachment).where(Attachment.form_hash == sa.bindparam("form"), Attachment.report_id.is_(None))
_ATTACH = _WAITING.values(report_id=sa.bindparam("report"))
_CARRY_OVER = _WAITING.values(form_hash=sa.bindparam("to"))


def carry_over(form_hash: str, to: str) -> None:
    """Let the files that were chosen in one form wait in another, which takes its place."""
    update_all(_CARRY_OVER, form=form_hash, to=to)


def remove(attachment: Attachment) -> None:
    """Take away a file, row and all: the row first, so that a crash leaves a file that is swept, not a gap."""
    number, stored_as, filed = attachment.id, attachment.stored_as, attachment.report_id
    as_it_was = (Attachment.id == number, Attachment.report_id.is_not_distinct_from(filed))
    gone = db.session.execute(sa.delete(Attachment).where(*as_it_was).returning(Attachment.id)).one_or_none()
    if gone is not None:  # else it was filed meanwhile, or somebody was faster
        after_commit(lambda: storage.drop(stored_as))


def sweep() -> None:
    """Take away what nobody filed within a week, and files whose row a crash kept from being written or deleted.

    The files of a form stay as long as its draft.
    """
    late = Attachment.added_at < clock.now() - FORGET_UNFILED_AFTER
    waits = sa.exists().where(Draft.form_hash == Attachment.form_hash)
    unfiled = sa.select(Attachment).where(Attachment.report_id.is_(None), late, ~waits)
    if db.session.scalars(unfiled.limit(1)).first() is not None:
        with transaction():
            for attachment in db.session.scalars(unfiled).all():
                remove(attachment)
    names = iter(set(storage.names_before(clock.now() - GRACE)))
    while batch := list(itertools.islice(names, BATCH)):
        known = set(db.session.scalars(sa.select(Attachment.stored_as).where(Attachment.stored_as.in_(batch))))
        for name in batch:
            if name not in known:
                storage.drop(name)
