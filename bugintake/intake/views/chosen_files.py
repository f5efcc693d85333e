"""What a request says about the files of a form: those it brings, and those that wait already."""

from collections.abc import Sequence

from flask import request
from werkzeug.datastructures import FileStorage

from bugintake.core.errors import Invalid
from bugintake.intake.attachments import contents, keeping
from bugintake.intake.attachments.models import Attachment
from bugintake.intake.attachments.queries import chosen_in
from bugintake.team.guards import signed_in_user
from bugintake.team.models import User


def keep(key: str, upload: FileStorage, owner: User) -> Attachment:
    """Keep one file for the form with a key, for whom that was made. Raises Invalid for what is not taken."""
    upload.stream.seek(0)  # a request that is answered again has read it already
    data = upload.stream.read(contents.MAX_BYTES + 1)
    return keeping.choose(keeping.form_of(owner, key), upload.filename or "", data, actor=owner)


def keep_all(key: str, owner: User | None = None) -> list[str]:
    """Keep every file that came with a form, whatever becomes of the form; return why some were not taken.

    They wait for `owner` where the key alone proves whose form it is, else for whoever is signed in.

    Of more than a report takes, none is even looked at.
    """
    # A browser sends an empty part where nothing was chosen.
    uploads = [upload for upload in request.files.getlist("files") if upload.filename]
    if len(uploads) > keeping.MOST:
        return [keeping.TOO_MANY]
    refused = []
    for upload in uploads:
        try:
            keep(key, upload, owner or signed_in_user())
        except Invalid as refusal:
            refused.append(refusal.sentence)
    return refused


def waiting_with(key: str | None) -> Sequence[Attachment]:
    """List the files that wait with a form; one that nobody sent or began yet has none."""
    is_new = request.method != "POST" and "draft" not in request.args
    return chosen_in(keeping.form_of(signed_in_user(), key)) if key and not is_new else []
