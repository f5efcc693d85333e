"""The first run: two doors, then four short pages that end where the first bug is filed."""

import re
from datetime import date, time, timedelta
from urllib.parse import urlsplit

from babel.dates import format_date
from flask import current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from bugintake.core import clock, config
from bugintake.core.db import transaction
from bugintake.core.errors import Conflict, Invalid, NotFound
from bugintake.core.forms import zone_or_utc
from bugintake.core.security import hash_secret
from bugintake.team import passwords, people, setup, sign_in, workspace
from bugintake.team.forms import DutyForm, ProductForm, YouForm
from bugintake.team.guards import admin_required, public, signed_in_user
from bugintake.team.models import Role, User
from bugintake.team.views.blueprint import blame, bp

KEY = "setup"
USUAL_PACK = "web"
LONGEST_LINE = 500
_MEMBER = re.compile(r"(?P<name>.*?)[\s,;<(]*(?P<email>[^\s,;<>()]+@[^\s,;<>()]+)[\s>)]*")


@bp.get("/setup")
@public
def first_run() -> ResponseReturnValue:
    """Show the two doors to whoever opened the printed link; the link itself stays good until a door is taken."""
    if workspace.is_set_up():
        return redirect(url_for(".start"))
    if "token" in request.args:
        fingerprint = hash_secret(request.args["token"])
        if not setup.is_open_to(fingerprint):
            return render_template("team/setup_closed.html", was_refused=True), 404
        session[KEY] = fingerprint
        return redirect(url_for(".first_run"))
    if not setup.is_open_to(session.get(KEY)):
        return render_template("team/setup_closed.html", was_refused=False)
    return render_template("team/setup_doors.html", has_sample=setup.hooks.fill_sample is not None)


@bp.post("/setup/sample")
@public
def take_sample() -> ResponseReturnValue:
    """Fill the empty installation with the sample company, and look around as its admin."""
    _check_link()
    if setup.hooks.fill_sample is None:
        raise NotFound
    with transaction():
        if workspace.is_set_up():
            raise Conflict("This installation is not empty any more.")
        user = setup.hooks.fill_sample()
    setup.forget_link()
    _enter(user)
    session[KEY] = "came by the link"
    return redirect(url_for(".start"))


@bp.post("/sample/removal")
@admin_required
def remove_sample() -> ResponseReturnValue:
    """Empty the installation again, and begin for real."""
    if not workspace.is_sample() or setup.hooks.remove_sample is None:
        raise Conflict("There is no sample company here.")
    came_by_link = KEY in session
    with transaction():
        setup.hooks.remove_sample()
    sign_in.start_afresh()
    link = setup.new_link()
    if came_by_link:
        return redirect(link)
    # Everybody may sign in to a sample, so its admin is nobody in particular: only the printed link claims the place.
    current_app.logger.warning("The sample company is removed. Set up for real: %s", link)
    return redirect(url_for(".first_run"))


@bp.route("/setup/you", methods=["GET", "POST"])
@public
def setup_you() -> ResponseReturnValue:
    """Page 1: the first admin."""
    _check_link()
    form = YouForm()
    page = "team/setup_you.html"
    if request.method != "POST":
        return render_template(page, form=form)
    if not form.validate():
        return render_template(page, form=form), 422
    email, name = form.email.data or "", form.name.data or ""
    try:
        stored = passwords.hash_password(form.password.data or "", known=(email, name))
        with transaction():
            admin = setup.found_company(
                "",
                admin_name=name,
                admin_email=email,
                password_hash=stored,
                zone=form.zone.data,
                language=form.language.data,
            )
    except Invalid as refusal:
        blame(form, refusal)
        return render_template(page, form=form), 422
    setup.forget_link()
    _enter(admin)
    return redirect(url_for(".setup_product"))


@bp.route("/setup/product", methods=["GET", "POST"])
@admin_required
def setup_product() -> ResponseReturnValue:
    """Page 2: what the bugs are about."""
    company = workspace.workspace()
    form = ProductForm(name=company.name)
    page = "team/setup_product.html"
    if request.method != "POST":
        return render_template(page, form=form)
    if "skip" in request.form:  # without lists no bug could be filed, so the usual ones are taken
        with transaction():
            setup.fill_catalogue([], USUAL_PACK, actor=signed_in_user())
        return redirect(url_for(".setup_duty"))
    if not form.validate():
        return render_template(page, form=form), 422
    areas = [line.strip() for line in (form.areas.data or "").splitlines() if line.strip()]
    try:
        with transaction():
            workspace.change(workspace.workspace(), {"name": form.name.data or ""}, actor=signed_in_user())
            setup.fill_catalogue(areas, form.pack.data, actor=signed_in_user())
    except Invalid as refusal:
        blame(form, Invalid(refusal.sentence, "areas" if refusal.field == "label" else refusal.field))
        return render_template(page, form=form), 422
    return redirect(url_for(".setup_duty"))


@bp.route("/setup/duty", methods=["GET", "POST"])
@admin_required
def setup_duty() -> ResponseReturnValue:
    """Page 3: who takes bug duty when, with three weeks to look at before it is kept."""
    company = workspace.workspace()
    tomorrow = clock.today(zone_or_utc(company.zone)) + timedelta(days=1)
    while tomorrow.weekday() not in company.working_days:
        tomorrow += timedelta(days=1)
    form = DutyForm(
        working_days=company.working_days, opens_at=company.opens_at, closes_at=company.closes_at, first_on=tomorrow
    )
    if request.method != "POST":
        return _duty_page(form)
    if not form.validate():
        return _duty_page(form), 422
    try:
        members = _members(form.members.data or "")
    except Invalid as refusal:
        blame(form, refusal)
        return _duty_page(form), 422
    plan = _plan(form, company.zone)
    if "preview" in request.form:
        preview = setup.hooks.preview_duty
        return _duty_page(form, weeks=_weeks(preview(plan, [name for name, _ in members])) if preview else [])
    links: list[tuple[str, str]] = []
    with transaction():
        actor = signed_in_user()
        people_in_turn = [_member(name, email, actor, links) for name, email in members]
        changes = {
            "working_days": sorted(plan.days),
            "opens_at": plan.opens_at,
            "closes_at": plan.closes_at,
        }
        workspace.change(workspace.workspace(), changes, actor=actor)
        if setup.hooks.begin_duty is not None:
            setup.hooks.begin_duty(plan, people_in_turn, actor)
    return render_template("team/setup_invited.html", links=links) if links else redirect(url_for(".setup_mail"))


@bp.get("/setup/mail")
@admin_required
def setup_mail() -> ResponseReturnValue:
    """Page 4: how mail leaves."""
    return _mail_page("team/setup_mail.html", url_for(".test_mail_in_setup"))


@bp.post("/setup/mail/test")
@admin_required
def test_mail_in_setup() -> ResponseReturnValue:
    """Send a test mail, and come back to page 4."""
    _send_test()
    return redirect(url_for(".setup_mail"))


@bp.get("/admin/mail")
@admin_required
def mail() -> ResponseReturnValue:
    """Show how mail leaves."""
    return _mail_page("team/mail.html", url_for(".test_mail"))


@bp.post("/admin/mail/test")
@admin_required
def test_mail() -> ResponseReturnValue:
    """Send a test mail."""
    _send_test()
    return redirect(url_for(".mail"))


def _check_link() -> None:
    if not setup.is_open_to(session.get(KEY)):
        raise NotFound("This link is too old, or the installation is set up already.")


def _enter(user: User) -> None:
    sign_in.enter(user, request.user_agent.string)


def _duty_page(form: DutyForm, weeks: list[tuple[str, list[tuple[str, str]]]] | None = None) -> str:
    return render_template("team/setup_duty.html", form=form, weeks=weeks)


def _plan(form: DutyForm, zone: str) -> setup.Plan:
    assert form.first_on.data is not None
    opens, closes = form.opens_at.data or time(9), form.closes_at.data or time(17)
    days = frozenset(day for day in form.working_days.data or [] if day is not None)
    return setup.Plan(zone, days, opens, closes, form.first_on.data)


def _members(text: str) -> list[tuple[str, str]]:
    """Read one person per line: a name and an address, or somebody's address who is here already."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        match = _MEMBER.fullmatch(line.strip()) if len(line) < LONGEST_LINE else None
        if match is None:
            raise Invalid(f"There is no e-mail address in {line.strip()[:60]!r}.", "members")
        try:
            email = people.clean_address(match["email"])
        except Invalid as refusal:
            raise Invalid(f"{match['email'][:60]} is not an e-mail address.", "members") from refusal
        known = people.user_by_email(email)
        if known is not None and not known.is_active:
            raise Invalid(f"{known.name} is disabled.", "members")
        guessed = email.partition("@")[0].replace(".", " ").title()
        found[email] = known.name if known else match["name"].strip(" \t,;<(\"'")[:200] or guessed
    return [(name, email) for email, name in found.items()]


def _member(name: str, email: str, actor: User, links: list[tuple[str, str]]) -> User:
    known = people.user_by_email(email)
    if known is not None:
        return known
    user, url = people.invite(email, name, Role.ENGINEER, actor=actor, zone=workspace.workspace().zone)
    links.append((user.name, url))
    return user


def _weeks(days: list[tuple[date, str]]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Group days by week, each as people read it."""
    weeks: dict[date, list[tuple[str, str]]] = {}
    for day, name in days:
        monday = day - timedelta(days=day.weekday())
        weeks.setdefault(monday, []).append((format_date(day, "EEE d MMM", locale="en_GB"), name))
    return [(format_date(monday, "d MMM", locale="en_GB"), found) for monday, found in weeks.items()]


def _send_test() -> None:
    if setup.hooks.send_test is None or config.settings().smtp_url is None:
        raise Conflict("No mail server is named yet, so there is nothing to test.")
    with transaction():
        setup.hooks.send_test(signed_in_user())


def _mail_page(page: str, test_url: str) -> str:
    chosen = config.settings()
    server = urlsplit(chosen.smtp_url).hostname if chosen.smtp_url else None
    answer = setup.hooks.test_answer(signed_in_user()) if setup.hooks.test_answer else None
    return render_template(page, server=server, sender=chosen.mail_from, answer=answer, test_url=test_url)
