"""Releases by webhook: the address that takes them, and the page where admins make and revoke such addresses."""

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from bugintake.core.config import settings
from bugintake.core.db import transaction
from bugintake.core.errors import Invalid, Refusal
from bugintake.core.security import needs_no_form_token
from bugintake.loop.views.blueprint import bp
from bugintake.loop.webhooks import reading, release_hooks
from bugintake.loop.webhooks.forms import ReleaseHookForm
from bugintake.loop.webhooks.models import Occasion, ReleaseHook, Sender
from bugintake.loop.webhooks.signing import Unverified
from bugintake.team.guards import admin_required, public, signed_in_user

MOST_BYTES = 1024 * 1024


class NotSigned(Refusal):
    """A delivery that does not prove whom it is from; which part is wrong stands on the admins' page alone."""

    status = 401
    title = "Not accepted"


@bp.post("/hooks/releases/<key>")
@public
@needs_no_form_token
def receive_release(key: str) -> ResponseReturnValue:
    """Take word of a release: checked over the bytes as they came, before anything of them is read."""
    hook = release_hooks.hook_behind(key)
    request.max_content_length = MOST_BYTES
    raw = request.get_data()
    try:
        release_hooks.check(hook, request.headers, raw)
    except Unverified as refusal:
        _note(hook, str(refusal))
        raise NotSigned("This delivery is not accepted.") from None
    try:
        told = reading.read(hook.sender, hook.occasion, request.headers, raw)
    except Invalid as refusal:
        _note(hook, refusal.sentence)
        raise
    did = release_hooks.did(hook, told.delivery)
    if did is None:
        try:
            with transaction():
                did = release_hooks.take(hook, told)
        except IntegrityError:  # the same delivery, at the same moment
            did = release_hooks.did(hook, told.delivery)
            if did is None:
                raise
    return jsonify({"did": did})


def _note(hook: ReleaseHook, because: str) -> None:
    with transaction():
        release_hooks.note_refused(hook, because)


@bp.get("/admin/release-hooks")
@admin_required
def list_release_hooks() -> ResponseReturnValue:
    """List the addresses that take word of releases, and what came."""
    return _page(ReleaseHookForm(formdata=None))


@bp.post("/admin/release-hooks")
@admin_required
def make_release_hook() -> ResponseReturnValue:
    """Make an address, and show its secret this once."""
    form = ReleaseHookForm()
    if not form.validate():
        return _page(form), 422
    with transaction():
        hook = release_hooks.make(Sender(form.sender.data), Occasion(form.occasion.data), actor=signed_in_user())
    return _page(ReleaseHookForm(formdata=None), made=hook)


@bp.post("/admin/release-hooks/<int:hook_id>/revocation")
@admin_required
def revoke_release_hook(hook_id: int) -> ResponseReturnValue:
    """End an address."""
    with transaction():
        release_hooks.revoke(release_hooks.hook_or_404(hook_id), actor=signed_in_user())
    flash(_("The address takes nothing any more."))
    return redirect(url_for(".list_release_hooks"))


def _page(form: ReleaseHookForm, made: ReleaseHook | None = None) -> str:
    words = {"hooks": release_hooks.hooks(), "received": release_hooks.received(), "base_url": settings().base_url}
    return render_template("loop/release_hooks.html", form=form, made=made, **words)
