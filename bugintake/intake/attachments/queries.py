"""Reading attachments: whoever may see the bug of the report may have its files, and nobody else."""

import hashlib
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.core.errors import NotFound
from bugintake.intake.attachments import storage
from bugintake.intake.attachments.models import Attachment
from bugintake.intake.queries import report_or_404
from bugintake.team.models import User


def attachment_or_404(attachment_id: int, actor: User) -> Attachment:
    """Load a file of a report that this person may see, or one they chose for a form of theirs. Raises NotFound."""
    attachment = _found(attachment_id)
    if attachment.report_id is not None:
        report_or_404(attachment.report_id, actor)
    elif attachment.added_by_id != actor.id:
        raise NotFound()
    return attachment


def unfiled_or_404(attachment_id: int, actor: User) -> Attachment:
    """Load a file that this person chose and has not filed; those of a report never change. Raises NotFound."""
    attachment = _found(attachment_id)
    if attachment.report_id is not None or attachment.added_by_id != actor.id:
        raise NotFound()
    return attachment


def _found(attachment_id: int) -> Attachment:
    attachment = db.session.get(Attachment, attachment_id) if 0 < attachment_id < 2**31 else None
    if attachment is None:
        raise NotFound()
    return attachment


def chosen_in(form_hash: str) -> Sequence[Attachment]:
    """List the files that wait for a form to be sent, in the order they were chosen."""
    waiting = (Attachment.form_hash == form_hash, Attachment.report_id.is_(None))
    return db.session.scalars(sa.select(Attachment).where(*waiting).order_by(Attachment.id)).all()


def damaged() -> Sequence[Attachment]:
    """List the attachments whose file is not on the disk as it was put there; reads every file."""
    return [each for each in db.session.scalars(sa.select(Attachment).order_by(Attachment.id)) if not _is_whole(each)]


def _is_whole(attachment: Attachment) -> bool:
    try:
        with storage.path_of(attachment.stored_as).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == attachment.sha256
    except FileNotFoundError:
        return False


def files_of(report_ids: Sequence[int]) -> Mapping[int, Sequence[Attachment]]:
    """Return the files of each report that has some, in the order they were chosen."""
    found: dict[int, list[Attachment]] = {}
    query = sa.select(Attachment).where(Attachment.report_id.in_(report_ids)).order_by(Attachment.id)
    for attachment in db.session.scalars(query):
        if attachment.report_id is not None:
            found.setdefault(attachment.report_id, []).append(attachment)
    return found
