"""Filing a bug: the form, the known bugs beside it, attaching instead, and what to tell the customer now."""

from typing import Any

from flask import jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from bugintake.core.db import transaction
from bugintake.core.errors import Conflict, Invalid, NotFound
from bugintake.core.security import new_secret, takes_files
from bugintake.intake import catalogue, filing, further_lists, intended, proposals, queries, replies, similar
from bugintake.intake.attachments import keeping
from bugintake.intake.customers import adding
from bugintake.intake.customers.queries import KnownCustomer, known_customer, language_name
from bugintake.intake.filing import Draft
from bugintake.intake.forms import ReportForm, report_form
from bugintake.intake.models import Bug, Option, OptionList, Status
from bugintake.intake.queries import bug_or_404
from bugintake.intake.reports import canonical
from bugintake.intake.similar import LookAlike
from bugintake.intake.views import bp, chosen_files
from bugintake.team.guards import signed_in, signed_in_user
from bugintake.team.workspace import workspace

NONE_OF_THESE = "none"


@bp.get("/new")
@signed_in
def new() -> ResponseReturnValue:
    """Show the empty form, or one filled in by the address."""
    form, known = _prefilled()
    return _page(form, known=known)


@bp.post("/new")
@takes_files
@signed_in
def file() -> ResponseReturnValue:
    """File a bug; with `bug`, attach the customer to that one instead."""
    ref = request.form.get("bug", "")
    if ref:
        return _attach(bug_or_404(ref, signed_in_user()))
    form = _sent()
    if not form.validate():
        return _page(form, 422)
    if request.form.get("ask"):
        found = _look_alikes(form)
        if found:
            return _question(form, found)
    return _file(form)


@bp.get("/new/similar")
@signed_in
def look_alikes() -> ResponseReturnValue:
    """Answer with the known bugs that look like two choices and the words typed so far.

    `area_other` and `symptom_other` are words that are not listed.
    """
    try:
        area, symptom = (_known_choice(kind) for kind in (OptionList.AREA, OptionList.SYMPTOM))
    except Invalid:
        return jsonify(items=[])
    me = signed_in_user()
    found = similar.look_alikes(area, symptom, request.args.get("text", ""), actor=me)
    if area is None:
        return jsonify(items=[_item(each) for each in found])
    declines = [{"title": bug.title, "url": f"/bugs/{bug.ref}"} for bug in intended.standing_declines(area, me)]
    return jsonify(items=[_item(each) for each in found], intended={"note": area.intended, "declines": declines})


def _known_choice(kind: OptionList) -> Option | None:
    words, given = request.args.get(f"{kind.value}_other", ""), request.args.get(kind.value, "")
    if words:
        return proposals.known(kind, words)
    return catalogue.choose(kind, given) if given or kind == OptionList.AREA else None


@bp.post("/new/similar")
@signed_in
def decide() -> ResponseReturnValue:
    """File what was filled in, or attach it to the known bug that was chosen; the way without JavaScript."""
    chosen = request.form.get("choice", "")
    if chosen and chosen != NONE_OF_THESE:
        return _attach(bug_or_404(chosen, signed_in_user()))
    form = _form(request.form)
    if not form.validate():
        return _page(form, 422)
    if not chosen:
        found = _look_alikes(form)
        if found:
            return _question(form, found, 422)
    return _file(form)


@bp.get("/bugs/<ref>/attach")
@signed_in
def attach(ref: str) -> ResponseReturnValue:
    """Ask who else waits for a known bug."""
    bug = bug_or_404(ref, signed_in_user())
    if canonical(bug) is not bug:
        return redirect(url_for(".attach", ref=canonical(bug).ref))
    form, known = _prefilled()
    return _attach_page(bug, form, known=known)


@bp.post("/bugs/<ref>/attach")
@takes_files
@signed_in
def attach_customer(ref: str) -> ResponseReturnValue:
    """Attach a customer to a known bug; what was typed into the other form comes along and is shown first."""
    bug = bug_or_404(ref, signed_in_user())
    if not request.form.get("confirmed"):
        return _attach_page(canonical(bug), _sent())
    return _attach(bug)


def shown_again() -> ResponseReturnValue:
    """Show the form that was sent once more, nothing of it filed, as it is without a file that was taken out."""
    ref = request.args.get("bug", "")
    if ref:
        return _attach_page(canonical(bug_or_404(ref, signed_in_user())), _sent())
    return _page(_sent())


@bp.get("/bugs/<ref>/filed")
@signed_in
def filed(ref: str) -> ResponseReturnValue:
    """Confirm a report: its number, what to tell the customer now, and what happens next."""
    me = signed_in_user()
    bug = canonical(bug_or_404(ref, me))
    asked = request.args.get("report", type=int)
    if asked is not None and not 0 < asked < 2**31:
        raise NotFound()
    report = queries.report_of(bug, me, asked)
    if report is None:
        raise NotFound()
    language = report.customer.language if report.customer else "en"
    return render_template(
        "intake/filed.html",
        bug=bug,
        report=report,
        is_first=queries.opened_the_bug(report),
        language=language,
        language_name=language_name(language),
        words=replies.reply(report, bug, language),
        english=replies.reply(report, bug, "en") if language != "en" else "",
    )


def _form(given: MultiDict[str, str] | None, **values: Any) -> ReportForm:
    offered = catalogue.names().offered
    form = report_form(further_lists.asked(offered), offered, given, values)
    sent = {name: value for name, value in (given or {}).items() if name.startswith("list_") and name not in form}
    form.strays = [name.removeprefix("list_")[:60] for name, value in sent.items() if value]
    return form


def _sent() -> ReportForm:
    """Read the form that was sent, and keep the files in it."""
    form = _form(request.form)
    form.key.data = form.key.data or new_secret()
    form.refused_files = chosen_files.keep_all(form.key.data)
    return form


def _prefilled() -> tuple[ReportForm, KnownCustomer | None]:
    given = {name: request.args.get(name, "") for name in ReportForm.PREFILLED}
    chosen = {kind.value: _chosen(kind) for kind in filing.ASKED}
    known = None
    if given["customer"] or request.args.get("customer_id"):
        picked = filing.customer_picked(Draft(customer_id=request.args.get("customer_id", "")))
        called = [picked] if picked is not None else adding.customers_called(given["customer"])
        if len(called) == 1:
            known = known_customer(called[0], signed_in_user())
            given |= {"customer": called[0].full_name, "customer_id": str(called[0].id)}
            used = {"platform": known.platform, "version": known.version}
            chosen |= {name: str(option.id) for name, option in used.items() if option and not chosen[name]}
    source = request.args.get("ref", "") or request.args.get("source", "")
    return _form(None, **given, **chosen, source=source, key=new_secret()), known


def _chosen(kind: OptionList) -> str:
    given = request.args.get(kind.value, "")
    try:
        return str(catalogue.choose(kind, given).id) if given else ""
    except Invalid:
        return given


def _known(form: ReportForm) -> KnownCustomer | None:
    try:
        customer = filing.customer_picked(form.draft())
    except Invalid:
        return None
    return known_customer(customer, signed_in_user()) if customer is not None else None


def _look_alikes(form: ReportForm) -> list[LookAlike]:
    draft = form.draft()
    words = f"{draft.actual} {draft.expected} {draft.steps}"
    area, symptom = (filing.option_known(draft, kind) for kind in (OptionList.AREA, OptionList.SYMPTOM))
    return similar.look_alikes(area, symptom, words, actor=signed_in_user())


def _item(found: LookAlike) -> dict[str, Any]:
    bug = found.bug
    return {
        "ref": bug.ref,
        "title": bug.title,
        "url": f"/bugs/{bug.ref}",
        "status": bug.status,
        "status_label": found.status_label,
        "people_waiting": bug.waiting_count,
        "age": found.age,
        "why": found.why,
        "attach_url": url_for(".attach", ref=bug.ref),
    }


def _file(form: ReportForm) -> ResponseReturnValue:
    confirmed, status = _submit(form, None)
    return _page(form, status) if confirmed is None else redirect(confirmed, 303)


def _attach(bug: Bug) -> ResponseReturnValue:
    form = _sent()
    form.is_attaching = True
    confirmed, status = _submit(form, bug) if form.validate() else (None, 422)
    return _attach_page(canonical(bug), form, status) if confirmed is None else redirect(confirmed, 303)


def _submit(form: ReportForm, bug: Bug | None) -> tuple[str | None, int]:
    actor = signed_in_user()
    try:
        with transaction():
            report = filing.submit(form.draft(), bug, actor=actor, key=form.key.data or None)
            return url_for(".filed", ref=canonical(report.bug).ref, report=report.id), 200
    except Invalid as refusal:
        form.refuse(refusal.sentence, refusal.field)
        return None, 422
    except Conflict as refusal:
        form.refuse(refusal.sentence)
        used, form.key.data = form.key.data, new_secret()
        with transaction():
            keeping.carry_over(keeping.form_of(actor, used or ""), keeping.form_of(actor, form.key.data))
        return None, 409


def _page(form: ReportForm, status: int = 200, known: KnownCustomer | None = None) -> ResponseReturnValue:
    return _drawn("intake/new.html", form, status, known=known or _known(form))


def _drawn(template: str, form: ReportForm, status: int, **values: Any) -> ResponseReturnValue:
    form.offer(catalogue.use_of(OptionList.AREA), workspace().languages)
    files = chosen_files.waiting_with(form.key.data)
    return make_response(render_template(template, form=form, files=files, **values), status)


def _question(form: ReportForm, found: list[LookAlike], status: int = 200) -> ResponseReturnValue:
    area = filing.option_known(form.draft(), OptionList.AREA)
    words = {"found": found, "none_of_these": NONE_OF_THESE, "is_unanswered": status != 200}
    words |= {"intended": area.intended if area else "", "declines": []}
    if area is not None:
        words["declines"] = intended.standing_declines(area, signed_in_user())
    return _drawn("intake/similar.html", form, status, **words)


def _attach_page(
    bug: Bug, form: ReportForm, status: int = 200, known: KnownCustomer | None = None
) -> ResponseReturnValue:
    if bug.withdrawn_at is not None:
        raise Conflict(f"{bug.ref} was taken back, so nobody can wait for it.")
    question = queries.open_question(bug) if bug.status == Status.NEEDS_INFO else None
    words = {"bug": bug, "known": known or _known(form), "question": question, "Status": Status}
    return _drawn("intake/attach.html", form, status, **words)
