"""Taking back what one did a moment ago, with one bug or several."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, NotFound, NotPermitted
from bugintake.core.events import Event
from bugintake.core.security import local_target
from bugintake.intake.queries import bug_or_404
from bugintake.team.guards import signed_in, signed_in_user
from bugintake.triage import undoing
from bugintake.triage.views import bp
from bugintake.triage.views.bug import back
from bugintake.triage.views.many import MOST


@bp.post("/bugs/<ref>/undo/<int:move_id>")
@signed_in
def undo(ref: str, move_id: int) -> ResponseReturnValue:
    """Take back what was done with a bug, while it is the last of its sort."""
    me = signed_in_user()
    bug = bug_or_404(ref, me)
    with transaction():
        said = undoing.take_back(bug, move_id, actor=me)
    flash(_("Undone: %(said)s", said=said))
    return redirect(back(bug))


@bp.post("/bugs/many/undo")
@signed_in
def undo_many() -> ResponseReturnValue:
    """Take back what was done with several bugs, each while it is the last of its sort."""
    me, refusals, count = signed_in_user(), [], 0
    for number in request.args.getlist("move", type=int)[:MOST]:
        try:
            event = db.session.get(Event, number) if 0 < number < 2**31 else None
            bug = bug_or_404(f"BUG-{event.bug_id if event is not None else 0}", me)
            with transaction():
                undoing.take_back(bug, number, actor=me)
            count += 1
        except (Conflict, NotFound, NotPermitted) as refusal:
            refusals.append(refusal.sentence)
    undone = ngettext("Undone for %(num)d bug.", "Undone for %(num)d bugs.", count) if count else ""
    flash(" ".join([str(undone), *refusals]).strip())
    return redirect(local_target(request.values.get("next"), url_for("triage.board")), 303)
