"""My settings: each group saves by itself."""

from datetime import timedelta

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from bugintake.core import clock, config
from bugintake.core.db import transaction
from bugintake.core.errors import Invalid
from bugintake.core.forms import Form
from bugintake.core.security import limiter, local_target
from bugintake.core.templating import hour, theme
from bugintake.team import passwords, people, sign_in
from bugintake.team.forms import ChangePasswordForm, DensityForm, KeysForm, ProfileForm, ThemeForm
from bugintake.team.guards import signed_in, signed_in_user
from bugintake.team.views.blueprint import blame, bp

A_YEAR = timedelta(days=365)


@bp.get("/settings")
@signed_in
def settings() -> ResponseReturnValue:
    """Show my settings."""
    return _page()


@bp.post("/settings/profile")
@signed_in
def change_profile() -> ResponseReturnValue:
    """Save my name, zone and language."""
    form = ProfileForm()
    if not form.validate():
        return _page(profile=form), 422
    user = signed_in_user()
    try:
        with transaction():
            people.change_profile(
                user,
                name=form.name.data or "",
                zone=form.zone.data,
                language=form.language.data,
                actor=user,
            )
    except Invalid as refusal:
        blame(form, refusal)
        return _page(profile=form), 422
    g.viewer_zone = user.zone
    return _saved()


@bp.post("/settings/theme")
@signed_in
def change_theme() -> ResponseReturnValue:
    """Save in this browser whether pages are light or dark."""
    form = ThemeForm()
    if not form.validate():
        return _page(theme=form), 422
    answer = _saved()
    if form.theme.data:
        secure = config.settings().is_https
        answer.set_cookie("theme", form.theme.data, max_age=A_YEAR, secure=secure, httponly=True, samesite="Lax")
    else:
        answer.delete_cookie("theme")
    return answer


@bp.post("/settings/density")
@signed_in
def change_density() -> ResponseReturnValue:
    """Save how close together bugs stand, and come back to where that was asked for."""
    form = DensityForm()
    if not form.validate():
        return _page(density=form), 422
    with transaction():
        people.set_density(signed_in_user(), compact=bool(form.density.data))
    back = request.form.get("next")
    return redirect(local_target(back, url_for(".settings"))) if back else _saved()


@bp.post("/settings/keys")
@signed_in
def change_keys() -> ResponseReturnValue:
    """Save whether single keys act."""
    form = KeysForm()
    with transaction():
        people.switch_keys(signed_in_user(), on=bool(form.keys.data))
    return _saved()


@bp.post("/settings/password")
@limiter.limit(
    "10 per 5 minutes",
    key_func=lambda: f"password of {signed_in_user().id}",
    deduct_when=lambda response: response.status_code == 422,
)
@signed_in
def change_password() -> ResponseReturnValue:
    """Change my password, which signs every other browser out."""
    form = ChangePasswordForm()
    user = signed_in_user()
    if not form.validate():
        return _page(password=form), 422
    if not passwords.matches(form.current.data or "", user.password_hash):
        blame(form, Invalid("That is not your password.", "current"))
        return _page(password=form), 422
    try:
        stored = passwords.hash_password(form.password.data or "", known=(user.email, user.name))
    except Invalid as refusal:
        blame(form, refusal)
        return _page(password=form), 422
    with transaction():
        people.set_password(user, stored, actor=user)
    sign_in.enter(user, request.user_agent.string)
    flash("Your password is changed, and every other browser is signed out.")
    return redirect(url_for(".settings"))


@bp.post("/settings/sign-ins/<int(max=2147483647):sign_in_id>/ending")
@signed_in
def end_sign_in(sign_in_id: int) -> ResponseReturnValue:
    """Sign one of my browsers out."""
    with transaction():
        sign_in.end(sign_in_id, signed_in_user())
    flash("That browser is signed out.")
    return redirect(url_for(".settings"))


@bp.post("/settings/sign-ins/ending")
@signed_in
def end_other_sign_ins() -> ResponseReturnValue:
    """Sign every other browser of mine out."""
    with transaction():
        sign_in.end_others(signed_in_user(), keep=g.sign_in_id)
    flash("Every other browser is signed out.")
    return redirect(url_for(".settings"))


def _saved() -> Response:
    flash(f"Saved {hour(clock.now())}")
    return redirect(url_for(".settings"))


def _page(**bound: Form) -> str:
    user = signed_in_user()
    forms: dict[str, Form] = {
        "profile": ProfileForm(formdata=None, obj=user),
        "theme": ThemeForm(formdata=None, theme=theme()),
        "density": DensityForm(formdata=None, density="compact" if user.is_compact else ""),
        "keys": KeysForm(formdata=None, keys=user.has_keys),
        "password": ChangePasswordForm(formdata=None),
    }
    refused = next(iter(bound.values()), None)
    return render_template(
        "team/settings.html",
        forms=forms | bound,
        refused=refused,
        me=user,
        working_here=people.working_here(),
        sign_ins=sign_in.sign_ins_of(user),
        this_sign_in=g.get("sign_in_id"),
    )
