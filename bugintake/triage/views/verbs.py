"""The verbs that move a bug from one status to another."""

from collections.abc import Callable
from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.events import Event
from bugintake.core.templating import Ask, plural
from bugintake.intake import catalogue, form_use
from bugintake.intake import queries as intake_queries
from bugintake.intake.models import Bug, OptionList, Report, Status
from bugintake.intake.option_models import SentenceList
from bugintake.intake.queries import bug_or_404
from bugintake.team.guards import engineer_required, signed_in_user
from bugintake.team.models import LANGUAGES, User
from bugintake.triage import forms, owners, queries, transitions, verbs
from bugintake.triage.moves import Moved
from bugintake.triage.starting import known_of, known_of_report
from bugintake.triage.views import bp
from bugintake.triage.views.bug import back, done, short_form


def _verb(
    ref: str,
    change: Callable[[Bug, forms.MoveForm], None],
    words: str,
    ask: Callable[[Bug, User], Ask | None] = lambda _bug, _me: None,
) -> ResponseReturnValue:
    me = signed_in_user()
    bug = bug_or_404(ref, me)
    form = forms.MoveForm()
    with transaction():
        change(bug, form)
        move = transitions.last_move(bug)
    return done(bug, f"{bug.ref} {words}", move, ask(bug, me))


@bp.errorhandler(Moved)
def moved(refusal: Moved) -> ResponseReturnValue:
    """Show where a bug stands that somebody else moved first, and let the person choose which of the two is to be."""
    asked = [(name, value) for name, value in request.form.items(multi=True) if name not in ("csrf_token", "seen")]
    return make_response(render_template("triage/moved.html", moved=refusal, asked=asked), refusal.status)


@bp.post("/bugs/<ref>/acceptance")
@engineer_required
def accept(ref: str) -> ResponseReturnValue:
    """Accept a bug, for somebody or for whoever is on duty; then ask who fixes it, where nobody was named."""
    me = signed_in_user()
    people = queries.colleagues()

    def change(bug: Bug, form: forms.MoveForm) -> None:
        owner = owners.owner_from(form.owner.data, me, people)
        transitions.accept(bug, actor=me, owner=owner, seen=form.status_seen())

    return _verb(ref, change, _("is accepted."), _who_fixes)


def _who_fixes(bug: Bug, me: User) -> Ask | None:
    if bug.owner_id is not None:
        return None
    people = owners.who_may_fix(bug, me)
    choices = [(str(each.id), _("Me") if each.id == me.id else each.name) for each in people]
    return Ask(_("Who fixes it?"), url_for("triage.assign", ref=bug.ref, next=back(bug)), "owner", choices)


@bp.post("/bugs/<ref>/work")
@engineer_required
def start(ref: str) -> ResponseReturnValue:
    """Begin to work on a bug."""
    me = signed_in_user()
    return _verb(ref, lambda bug, form: transitions.start(bug, actor=me, seen=form.status_seen()), _("is in progress."))


@bp.post("/bugs/<ref>/rest")
@engineer_required
def stop(ref: str) -> ResponseReturnValue:
    """Put the work on a bug down."""
    me = signed_in_user()
    return _verb(
        ref, lambda bug, form: transitions.stop(bug, actor=me, seen=form.status_seen()), _("is accepted again.")
    )


@bp.post("/bugs/<ref>/reconsideration")
@engineer_required
def reconsider(ref: str) -> ResponseReturnValue:
    """Take a decline back."""
    me = signed_in_user()
    words = _("is accepted after all.")
    return _verb(ref, lambda bug, form: transitions.reconsider(bug, actor=me, seen=form.status_seen()), words)


@bp.post("/bugs/<ref>/return")
@engineer_required
def come_back(ref: str) -> ResponseReturnValue:
    """Reopen a live bug that still happens."""
    me = signed_in_user()
    bug = bug_or_404(ref, me)
    with transaction():
        transitions.come_back(bug, actor=me)
    flash(_("%(ref)s came back: it is accepted again.", ref=bug.ref))
    return redirect(back(bug))


@bp.route("/bugs/<ref>/fix", methods=["GET", "POST"])
@engineer_required
def fix(ref: str) -> ResponseReturnValue:
    """Say that a bug is fixed, in which version, and what customers will read."""
    me = signed_in_user()
    bug = bug_or_404(ref, me)
    waiting = queries.languages_waiting(bug)
    form = forms.fix_form(forms.languages_for(waiting), [bug], seen=bug.status)
    if request.method == "POST" and form.validate():

        def change() -> None:
            release = form.release(actor=me)
            transitions.fix(bug, form.texts("note"), release, actor=me, seen=form.status_seen())

        move = _accepted(bug, form, change)
        if move is not None:
            told = plural(bug.waiting_count, "person waits", "people wait")
            return done(bug, f"{bug.ref} is {bug.status.label.lower()}. {told} to be told.", move)
    return short_form("triage/fix.html", [bug], form, waiting=waiting, moved=form.moved)


@bp.route("/bugs/<ref>/decline", methods=["GET", "POST"])
@engineer_required
def decline(ref: str) -> ResponseReturnValue:
    """Decline a bug with the reason, the explanation and the way round that customers will read."""
    me = signed_in_user()
    bug = bug_or_404(ref, me)
    waiting = queries.languages_waiting(bug)
    form = forms.decline_form(forms.languages_for(waiting), [bug], seen=bug.status)
    if request.method == "POST" and form.validate():

        def change() -> None:
            reason = catalogue.choose(OptionList.DECLINE_REASON, form.reason.data)
            texts = form.texts("note"), form.texts("workaround")
            transitions.decline(bug, reason, *texts, actor=me, seen=form.status_seen())

        move = _accepted(bug, form, change)
        if move is not None:
            told = plural(bug.waiting_count, "person", "people")
            return done(bug, f"{bug.ref} is declined. {told} will be told why.", move)
    return short_form("triage/decline.html", [bug], form, waiting=waiting, moved=form.moved)


@bp.route("/bugs/<ref>/question", methods=["GET", "POST"])
@engineer_required
def ask(ref: str) -> ResponseReturnValue:
    """Ask one question about a report, to be answered by the agent who filed it or by the customer."""
    me = signed_in_user()
    bug = bug_or_404(ref, me)
    reports = list(reversed(intake_queries.reports_of(bug)))
    first = next((report.customer.language for report in reports if report.customer), me.language)
    latest = str(reports[0].id) if reports else None
    read = [report.customer.language for report in reports if report.customer]
    form = forms.ask_form([*read, first], seen=bug.status, report=latest, language=first)
    form.report.choices = [(str(r.id), _teller(r)) for r in reports]
    waiting = list({report.customer_id: report for report in reports if report.is_waiting}.values())
    if len(waiting) > 1:
        form.report.choices.append((forms.EVERYBODY, _("everybody who waits, %(count)d people", count=len(waiting))))
    form.offer(SentenceList.ASKED, known_of([bug]), "report", **{str(r.id): known_of_report(r) for r in reports})
    if request.method == "POST" and form.validate():
        move = _accepted(bug, form, lambda: put_question(bug, form, form.status_seen(), me))
        if move is not None:
            return done(bug, _("%(ref)s waits for an answer.", ref=bug.ref), move)
    return short_form("triage/ask.html", [bug], form, moved=form.moved, known=form_use.missing_before(me))


def put_question(bug: Bug, form: forms.AskForm, seen: Status | None, me: User) -> None:
    """Ask about the report that was chosen or the latest one, or everybody who waits, each once."""
    to_customers = form.to.data == forms.CUSTOMER
    reports = list(reversed(intake_queries.reports_of(bug)))
    waiting = [report for report in reports if report.is_waiting]
    everybody = list({each.customer_id if to_customers else each.filed_by_id: each for each in waiting}.values())
    chosen = [report for report in reports if str(report.id) == form.report.data] or reports
    asked = everybody if form.report.data == forms.EVERYBODY and everybody else chosen[:1]
    if not asked:
        raise Conflict(_("%(ref)s has no report to ask about.", ref=bug.ref))
    about = {"missing": form.missing.data or "", "is_for_customer": to_customers}
    about |= {"language": form.language.data, "also": asked[1:], "wordings": form.wordings() if to_customers else None}
    transitions.ask(bug, asked[0], form.question.data or "", actor=me, seen=seen, **about)


def _teller(report: Report) -> str:
    """Name whose report it is, and what they read."""
    customer = report.customer
    return f"{customer.full_name}, {LANGUAGES[customer.language]}" if customer is not None else _("found by us")


def _accepted(bug: Bug, form: Any, change: Callable[[], None]) -> Event | None:
    """Try a change and return the move it made; what the rules refuse about one field is said there, nothing lost.

    Where somebody else moved the bug first, the form says so and asks once more, for the bug as it stands now.
    """
    try:
        with transaction():
            change()
            return transitions.last_move(bug)
    except Moved as refusal:
        form.moved, form.seen.data = refusal, bug.status
        return None
    except Invalid as refusal:
        name = f"note_{form.languages[0]}" if refusal.field == "customer_note" else refusal.field or ""
        if name in form:
            form[name].errors = [refusal.sentence]
        else:
            form.form_errors.append(refusal.sentence)
        return None


bp.add_app_template_global(verbs.verbs_for)
bp.add_app_template_global(verbs.marks_of)
