"""Files: chosen while a form is filled in, taken out again, and handed to whoever may see the report."""

from pathlib import Path
from typing import Any

from flask import Response, jsonify, request, send_file, url_for
from flask.typing import ResponseReturnValue

from bugintake.core.db import transaction
from bugintake.core.errors import Invalid, NotFound
from bugintake.core.security import takes_files
from bugintake.intake.attachments import keeping, storage
from bugintake.intake.attachments.contents import THUMBNAIL_TYPE
from bugintake.intake.attachments.models import Attachment
from bugintake.intake.attachments.queries import attachment_or_404, chosen_in, unfiled_or_404
from bugintake.intake.views import bp
from bugintake.intake.views.chosen_files import keep
from bugintake.intake.views.filing import shown_again
from bugintake.intake.views.reading import sent
from bugintake.team.guards import signed_in, signed_in_user

POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"


@bp.get("/new/files")
@signed_in
def chosen_files() -> ResponseReturnValue:
    """List the files that wait with a form: Back and reload bring them back."""
    form = keeping.form_of(signed_in_user(), request.args.get("key", ""))
    return jsonify(items=[_item(each) for each in chosen_in(form)])


@bp.post("/new/files")
@signed_in
def choose_file() -> ResponseReturnValue:
    """Keep one file for a form that is being filled in, and say how it is shown there."""
    upload, key = request.files.get("files"), request.form.get("key", "")
    if upload is None or not key:
        raise Invalid("Choose a file.", "files")
    try:
        kept = keep(key, upload, signed_in_user())
    except Invalid as refusal:
        return jsonify(refused=refusal.sentence), 422
    return jsonify(_item(kept)), 201


def _item(chosen: Attachment) -> dict[str, Any]:
    return {
        "id": chosen.id,
        "name": chosen.name,
        "size": chosen.size,
        "url": url_for(".attachment", attachment_id=chosen.id),
        "thumbnail": url_for(".thumbnail", attachment_id=chosen.id) if chosen.is_picture else None,
        "removal": url_for(".remove_file", attachment_id=chosen.id),
    }


@bp.post("/new/files/<int:attachment_id>/removal")
@takes_files
@signed_in
def remove_file(attachment_id: int) -> ResponseReturnValue:
    """Take a file out of a form again; without a script, the form comes back with everything else in it."""
    with transaction():
        keeping.remove(unfiled_or_404(attachment_id, signed_in_user()))
    if request.accept_mimetypes.best == "application/json":
        return "", 204
    return shown_again(sent())


@bp.get("/attachments/<int:attachment_id>")
@signed_in
def attachment(attachment_id: int) -> ResponseReturnValue:
    """Hand out a file, to be saved and never shown by the browser as a page of ours."""
    found = attachment_or_404(attachment_id, signed_in_user())
    return _file(storage.path_of(found.stored_as), found.media_type, found.name, as_attachment=True)


@bp.get("/attachments/<int:attachment_id>/thumbnail")
@signed_in
def thumbnail(attachment_id: int) -> ResponseReturnValue:
    """Show the small copy of a picture, which is ours from the first to the last point."""
    found = attachment_or_404(attachment_id, signed_in_user())
    if not found.is_picture:
        raise NotFound()
    return _file(storage.thumbnail_of(found.stored_as), THUMBNAIL_TYPE, "thumbnail.webp", as_attachment=False)


def _file(path: Path, media_type: str, name: str, *, as_attachment: bool) -> Response:
    try:
        answer = send_file(path, media_type, as_attachment, name, conditional=False, etag=False)
    except FileNotFoundError as error:
        raise NotFound("The file itself is gone from the disk. `bugintake doctor` lists what is missing.") from error
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["Cache-Control"] = "no-store"
    return answer
