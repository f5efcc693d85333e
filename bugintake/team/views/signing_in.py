"""Signing in and out, and choosing a password by a link."""

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from bugintake.core.db import transaction
from bugintake.core.errors import Conflict, Invalid, NotFound
from bugintake.core.security import hash_secret, limiter, local_target
from bugintake.team import passwords, people, sign_in, start_page
from bugintake.team.forms import NewPasswordForm, ResetRequestForm, SignInForm
from bugintake.team.guards import public, signed_in_user
from bugintake.team.models import User
from bugintake.team.views.blueprint import blame, bp
from bugintake.team.workspace import is_sample, is_set_up


def _account() -> str:
    return "account " + hash_secret(request.form.get("email", "").strip().lower())


def _was_refused(response: object) -> bool:
    return getattr(response, "status_code", 0) == 422


@bp.get("/")
@public
def start() -> ResponseReturnValue:
    """Lead everybody to the page their day begins with."""
    if not current_user.is_authenticated:
        return redirect(url_for(".sign_in" if is_set_up() else ".first_run"))
    return redirect(start_page.of(signed_in_user()))


@bp.route("/login", endpoint="sign_in", methods=["GET", "POST"])
@limiter.limit("40 per 5 minutes", methods=["POST"], deduct_when=_was_refused)
@limiter.limit("10 per 5 minutes", methods=["POST"], key_func=_account, deduct_when=_was_refused)
@public
def enter() -> ResponseReturnValue:
    """Sign in, and go on to where one was heading."""
    form = SignInForm(next=request.args.get("next", ""))
    target = local_target(form.next.data, url_for(".start"))
    if request.method != "POST":
        if current_user.is_authenticated:
            return redirect(target)
        return redirect(url_for(".first_run")) if not is_set_up() else _sign_in_page(form)
    if not form.validate():
        return _sign_in_page(form), 422
    try:
        user = sign_in.check(form.email.data or "", form.password.data or "")
    except Invalid as refusal:
        current_app.logger.warning("A sign-in from %s was refused.", request.remote_addr)
        blame(form, refusal)
        return _sign_in_page(form), 422
    return _enter(user, target)


@bp.post("/login/sample")
@public
def enter_sample() -> ResponseReturnValue:
    """Sign in as one of the people of the sample company, who have nothing to protect."""
    if not is_sample():
        raise NotFound
    number = request.form.get("user", "")
    user = people.user_or_404(int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else 0)
    if not user.is_active:
        raise NotFound
    return _enter(user, url_for(".start"))


@bp.post("/logout")
@public
def sign_out() -> ResponseReturnValue:
    """Sign this browser out."""
    if current_user.is_authenticated:
        sign_in.leave(signed_in_user())
        flash("You are signed out.")
    answer = redirect(url_for(".sign_in"))
    answer.headers["Clear-Site-Data"] = '"storage"'  # drafts of customers' words do not stay on a shared computer
    return answer


@bp.route("/password-reset", methods=["GET", "POST"])
@limiter.limit("20 per hour", methods=["POST"])
@limiter.limit("5 per hour", methods=["POST"], key_func=_account)
@public
def password_reset() -> ResponseReturnValue:
    """Ask for a mail with a link; the answer is the same for every address."""
    form = ResetRequestForm()
    if request.method != "POST":
        return render_template("team/password_reset.html", form=form, is_asked=False)
    if not form.validate():
        return render_template("team/password_reset.html", form=form, is_asked=False), 422
    with transaction():
        people.request_reset(form.email.data or "")
    return render_template("team/password_reset.html", form=form, is_asked=True)


@bp.route("/passes/<secret>", methods=["GET", "POST"])
@limiter.limit("30 per 5 minutes", methods=["POST"])
@public
def choose_password(secret: str) -> ResponseReturnValue:
    """Choose a password by an invitation or a reset link; opening the link does not use it up."""
    link = people.pass_or_404(secret)
    form = NewPasswordForm()
    page = "team/choose_password.html"
    if request.method != "POST":
        return render_template(page, form=form, link=link)
    if not form.validate():
        return render_template(page, form=form, link=link), 422
    user = link.user
    try:
        stored = passwords.hash_password(form.password.data or "", known=(user.email, user.name))
        with transaction():
            people.use_pass(link, stored)
    except (Invalid, Conflict) as refusal:
        blame(form, refusal)
        return render_template(page, form=form, link=link), 422
    return _enter(user, url_for(".start"))


def _enter(user: User, target: str) -> ResponseReturnValue:
    sign_in.enter(user, request.user_agent.string)
    return redirect(target)


def _sign_in_page(form: SignInForm) -> str:
    cast = people.working_here() if is_sample() else []
    return render_template("team/sign_in.html", form=form, cast=cast)
