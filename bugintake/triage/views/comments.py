"""Comments of the team on a bug."""

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import transaction
from bugintake.core.errors import Conflict, Invalid, NotPermitted
from bugintake.core.event_kinds import EventKind
from bugintake.intake.models import Bug
from bugintake.intake.queries import bug_or_404
from bugintake.team.guards import signed_in, signed_in_user
from bugintake.triage import comments, forms, looking
from bugintake.triage.comment_models import Comment
from bugintake.triage.views import bp
from bugintake.triage.views.bug import done, page, short_form


@bp.route("/bugs/<ref>/comments", methods=["GET", "POST"])
@signed_in
def comment(ref: str) -> ResponseReturnValue:
    """Tell the team something about a bug, on its page or on the way back to a list."""
    me = signed_in_user()
    bug = bug_or_404(ref, me)
    form = forms.CommentForm()
    if request.method == "POST" and form.validate():
        try:
            with transaction():
                written = comments.write(bug, form.text.data or "", actor=me)
                event = looking.last_of(bug, (EventKind.BUG_COMMENTED,))
        except Invalid as refusal:
            form.refuse(refusal.sentence, refusal.field)
        else:
            is_on_the_way = request.form.get("next")
            said = _("The comment on %(ref)s is written.", ref=bug.ref)
            return done(bug, said, event) if is_on_the_way else redirect(_at(bug, written))
    if request.method == "POST" and "asked" not in request.form:
        return page(bug, 422, commenting=form)
    return short_form("triage/comments.html", [bug], form)


@bp.route("/bugs/<ref>/comments/<int:comment_id>", methods=["GET", "POST"])
@signed_in
def edit_comment(ref: str, comment_id: int) -> ResponseReturnValue:
    """Write one's own comment anew."""
    me = signed_in_user()
    bug = bug_or_404(ref, me)
    found = comments.comment_or_404(bug, comment_id)
    if found.author_id != me.id:
        raise NotPermitted(f"Only {found.author.name} can change this comment.")
    form = forms.CommentForm(text=found.text)
    if request.method == "POST" and form.validate():
        try:
            with transaction():
                comments.edit(found, form.text.data or "", actor=me)
            flash(_("The comment is changed."))
            return redirect(_at(bug, found))
        except Invalid as refusal:
            form.refuse(refusal.sentence, refusal.field)
    elif not comments.may_change(found, me):
        raise Conflict("That was more than ten minutes ago: colleagues may have read it. Write another comment.")
    words = {"bug": bug, "form": form, "comment": found}
    return make_response(render_template("triage/comment.html", **words), 422 if form.errors else 200)


@bp.post("/bugs/<ref>/comments/<int:comment_id>/removal")
@signed_in
def remove_comment(ref: str, comment_id: int) -> ResponseReturnValue:
    """Take one's own comment away."""
    me = signed_in_user()
    bug = bug_or_404(ref, me)
    found = comments.comment_or_404(bug, comment_id)
    with transaction():
        comments.remove(found, actor=me)
    flash(_("The comment is removed."))
    return redirect(url_for("triage.show", ref=bug.ref))


@bp.get("/bugs/<ref>/colleagues")
@signed_in
def colleagues(ref: str) -> ResponseReturnValue:
    """Name who may be mentioned in a comment on a bug."""
    bug = bug_or_404(ref, signed_in_user())
    return {"items": [person.name for person in comments.may_be_mentioned(bug)]}


def _at(bug: Bug, comment: Comment) -> str:
    return url_for("triage.show", ref=bug.ref, _anchor=f"comment-{comment.id}")
