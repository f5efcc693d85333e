"""Words that are not filed yet: kept while they are typed, and when a sign-in ended meanwhile."""

from dataclasses import asdict
from typing import Any

from flask import flash, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf.csrf import CSRFError, generate_csrf

from bugintake.core import clock, errors
from bugintake.core.db import transaction
from bugintake.core.errors import Conflict, NotFound
from bugintake.core.forms import clean_text
from bugintake.core.security import takes_files
from bugintake.core.templating import hour, toast
from bugintake.intake import drafts
from bugintake.intake.draft_models import Draft
from bugintake.intake.hints import hints
from bugintake.intake.models import Bug
from bugintake.intake.queries import bug_or_404
from bugintake.intake.reports import NEEDED
from bugintake.intake.views import bp, chosen_files
from bugintake.intake.views.reading import check_owner, panel
from bugintake.team.guards import NotSignedIn, signed_in, signed_in_user
from bugintake.team.models import User


@bp.post("/drafts")
@takes_files
@signed_in
def save_draft() -> ResponseReturnValue:
    """Keep what was typed so far: from the script while it is typed, without one by the button *Save for later*."""
    check_owner()
    for sentence in chosen_files.keep_all(request.form.get("key", "")):
        flash(sentence, "error")
    try:
        draft = _saved(signed_in_user())
    except Conflict as filed:
        if not _is_asked_by_script():
            raise
        return jsonify(sentence=filed.sentence), filed.status
    if _is_asked_by_script():
        return jsonify(_answer(draft))
    toast(_sentence(draft))
    return redirect(url_for(".new", panel=panel()), 303)


@bp.post("/drafts/<int:draft_id>/removal")
@signed_in
def discard_draft(draft_id: int) -> ResponseReturnValue:
    """Discard what was begun."""
    with transaction():
        drafts.discard(drafts.draft_or_404(signed_in_user(), draft_id))
    toast(_("Discarded."), undo=url_for(".take_back_draft", draft_id=draft_id, panel=panel()))
    return redirect(url_for(".new", panel=panel()), 303)


@bp.post("/drafts/<int:draft_id>/return")
@signed_in
def take_back_draft(draft_id: int) -> ResponseReturnValue:
    """Offer again what was discarded."""
    with transaction():
        drafts.take_back(drafts.draft_or_404(signed_in_user(), draft_id))
    return redirect(url_for(".new", panel=panel()), 303)


@bp.errorhandler(NotSignedIn)
@bp.errorhandler(CSRFError)
def keep_words(refusal: Exception) -> ResponseReturnValue:
    """Keep the words and files of a form whose sign-in or token is too old, for whom it was made, and lead back to it.

    The form's key says for whom, and cannot be forged. Whoever signs in as somebody else gets none of it.
    """
    owner = drafts.owner_of(request.form.get("key", "")) if request.method == "POST" else None
    if owner is None:
        return errors.answer(refusal)
    try:
        draft = _saved(owner)
    except Conflict as filed:
        return errors.answer(filed)
    for sentence in chosen_files.keep_all(draft.fields["key"], owner) if draft else ():
        flash(sentence, "error")
    address = address_of(draft) if draft else url_for(".new", panel=panel())
    is_owner = current_user.is_authenticated and current_user.id == owner.id
    if _is_asked_by_script():
        return jsonify(_answer(draft) | {"csrf_token": generate_csrf()}), 400 if is_owner else 401
    if is_owner:
        flash(_("This page was open too long, so nothing was filed yet. Everything you typed is here: send it again."))
        return redirect(address, 303)
    if current_user.is_authenticated:
        flash(_("That form was begun by %(name)s. What was typed is kept for them.", name=owner.name))
        return redirect(url_for(".new", panel=panel()), 303)
    flash(_("You are signed out. What you typed is kept: sign in, and go on with it."))
    return redirect(url_for("team.sign_in", next=address), 303)


@bp.app_template_global()
def address_of(draft: Draft) -> str:
    """Say where a draft is continued."""
    if draft.bug is not None:
        return url_for(".attach", ref=draft.bug.ref, draft=draft.id, panel=panel())
    return url_for(".new", draft=draft.id, panel=panel())


def _saved(owner: User) -> Draft | None:
    with transaction():
        return drafts.save(request.form, _bug(owner), actor=owner)


def _bug(owner: User) -> Bug | None:
    ref = (request.view_args or {}).get("ref") or request.args.get("bug", "")
    try:
        return bug_or_404(ref, owner)
    except NotFound:
        return None


def _answer(draft: Draft | None) -> dict[str, Any]:
    kept = {"key": draft.fields["key"], "revision": str(draft.revision)} if draft else {}
    is_about_one = draft is not None and draft.bug is not None
    texts = {name: clean_text(request.form.get(name, "")) for name in NEEDED}
    return {
        "sentence": _sentence(draft),
        "hints": [asdict(each) for each in hints(**texts, may_lack_steps=is_about_one)],
        **kept,
    }


def _sentence(draft: Draft | None) -> str:
    if draft is None:
        return str(_("Nothing to keep."))
    return str(_("Draft saved %(time)s", time=hour(clock.now())))


def _is_asked_by_script() -> bool:
    return request.accept_mimetypes.best == "application/json"
