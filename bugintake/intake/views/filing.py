"""Filing a bug: the form, the known bugs beside it, and attaching a customer to one of them instead."""

from collections.abc import Sequence
from typing import Any

from flask import jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bugintake.core.db import transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.security import takes_files
from bugintake.intake import (
    attaching,
    catalogue,
    drafts,
    filing,
    intended,
    option_use,
    platforms,
    proposals,
    queries,
    similar,
)
from bugintake.intake.attachments import keeping
from bugintake.intake.customers.queries import KnownCustomer
from bugintake.intake.draft_models import Draft
from bugintake.intake.forms import ReportForm
from bugintake.intake.models import Bug, Option, OptionList, Status
from bugintake.intake.queries import bug_or_404
from bugintake.intake.reports import canonical
from bugintake.intake.similar import LookAlike
from bugintake.intake.views import bp, chosen_files
from bugintake.intake.views.confirming import confirm
from bugintake.intake.views.customers import history_of
from bugintake.intake.views.reading import known_in, opened, sent
from bugintake.team.guards import signed_in, signed_in_user
from bugintake.team.workspace import workspace

NONE_OF_THESE = "none"
LOOK_AGAIN = "Nothing is filed yet: there are hints beside the texts. Send it again, changed or as it is."


@bp.get("/new")
@signed_in
def new() -> ResponseReturnValue:
    """Show the empty form, or one filled in by the address."""
    form, known = opened()
    begun = drafts.offered_to(signed_in_user())
    return _page(form, known=known, begun=[each for each in begun if each.fields["key"] != form.key.data])


@bp.post("/new")
@takes_files
@signed_in
def file() -> ResponseReturnValue:
    """File a bug; with `bug`, attach the customer to that one instead."""
    ref = request.form.get("bug", "")
    if ref:
        return _attach(bug_or_404(ref, signed_in_user()))
    form = sent()
    if not _is_fine(form):
        return _page(form, 422)
    is_asked_first = bool(request.form.get("ask"))  # where no script has shown it beside the form
    if is_asked_first and not request.form.get("hinted") and form.found_hints():
        form.notes = [LOOK_AGAIN]
        return _page(form)
    return (_question(form) if is_asked_first else None) or _file(form)


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
    meant = intended.known_of(area, me)
    declines = [{"title": bug.title, "url": f"/bugs/{bug.ref}"} for bug in meant.declines]
    about = {"note": meant.note, "declines": declines, "more": meant.more_count, "more_url": _all_declined(area)}
    return jsonify(items=[_item(each) for each in found], intended=about)


def _all_declined(area: Option) -> str:
    return f"/bugs?status=declined&area={area.id}"


@bp.get("/new/platform")
@signed_in
def platform_meant() -> ResponseReturnValue:
    """Answer with the platform that is meant by what a browser says of itself."""
    meant = platforms.meant_by(request.args.get("ua", ""), catalogue.names().offered[OptionList.PLATFORM])
    return jsonify(value=str(meant.id) if meant is not None else None)


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
    form = sent()
    if not _is_fine(form):
        return _page(form, 422)
    return (_question(form, 422) if not chosen else None) or _file(form)


@bp.get("/bugs/<ref>/attach")
@signed_in
def attach(ref: str) -> ResponseReturnValue:
    """Ask who else waits for a known bug."""
    bug = bug_or_404(ref, signed_in_user())
    if canonical(bug) is not bug:
        asked = f"?{request.query_string.decode('ascii', 'replace')}" if request.query_string else ""
        return redirect(url_for(".attach", ref=canonical(bug).ref) + asked)
    form, known = opened()
    return _attach_page(bug, form, known=known)


@bp.post("/bugs/<ref>/attach")
@takes_files
@signed_in
def attach_customer(ref: str) -> ResponseReturnValue:
    """Attach a customer to a known bug; what was typed into the other form comes along and is shown first."""
    bug = bug_or_404(ref, signed_in_user())
    if not request.form.get("confirmed"):
        return _attach_page(canonical(bug), sent())
    return _attach(bug)


@bp.post("/new/masking")
@takes_files
@signed_in
def mask() -> ResponseReturnValue:
    """Put dots where the texts hold what looks like a secret, in the draft too; nothing is filed."""
    form = sent()
    texts = form.mask()
    if request.accept_mimetypes.best == "application/json":
        return jsonify(texts)
    if form.revision.data:
        with transaction():
            bug = bug_or_404(request.args["bug"], signed_in_user()) if "bug" in request.args else None
            draft = drafts.save({**request.form, **texts}, bug, actor=signed_in_user())
        if draft is not None:
            form.key.data, form.revision.data = draft.fields["key"], str(draft.revision)
    return shown_again(form)


def shown_again(form: ReportForm) -> ResponseReturnValue:
    """Show the form that was sent once more, nothing of it filed: without a file, or a secret, that was taken out."""
    ref = request.args.get("bug", "")
    if ref:
        return _attach_page(canonical(bug_or_404(ref, signed_in_user())), form)
    return _page(form)


def _look_alikes(form: ReportForm) -> list[LookAlike]:
    typed = form.typed()
    words = f"{typed.actual} {typed.expected} {typed.steps}"
    area, symptom = (filing.option_known(typed, kind) for kind in (OptionList.AREA, OptionList.SYMPTOM))
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
    form = sent()
    form.is_attaching, form.asks_version = True, attaching.asks_version(bug)
    if form.asks_version:
        form.leave_open("version")
    confirmed, status = _submit(form, bug) if _is_fine(form) else (None, 422)
    return _attach_page(canonical(bug), form, status) if confirmed is None else redirect(confirmed, 303)


def _is_fine(form: ReportForm) -> bool:
    """Say everything that is wrong with a form at once; who the customer is shows otherwise when it is filed."""
    if form.validate():
        return True
    is_named = not form.errors.keys() & {"customer", "new_name"} and bool(form.customer.data or form.new_name.data)
    if is_named and (form.is_attaching or not form.found_by_us.data):
        try:
            with transaction():
                filing.check_customer(form.typed(), key=keeping.form_of(signed_in_user(), form.key.data or ""))
        except Invalid as refusal:
            form.refuse(refusal.sentence, refusal.field)
    return False


def _submit(form: ReportForm, bug: Bug | None) -> tuple[str | None, int]:
    actor = signed_in_user()
    try:
        with transaction():
            report = filing.submit(form.typed(), bug, actor=actor, key=form.key.data or None)
            return confirm(report, is_attached=bug is not None, with_another=bool(form.another.data)), 200
    except Invalid as refusal:
        form.refuse(refusal.sentence, refusal.field)
        return None, 422
    except Conflict as refusal:
        form.refuse(refusal.sentence)
        used, form.key.data = keeping.form_of(actor, form.key.data or ""), drafts.new_key(actor)
        with transaction():
            keeping.carry_over(used, keeping.form_of(actor, form.key.data))
            drafts.carry_over(used, form.key.data, actor=actor)
        return None, 409


def _page(
    form: ReportForm, status: int = 200, known: KnownCustomer | None = None, begun: Sequence[Draft] = ()
) -> ResponseReturnValue:
    known = known or known_in(form)
    history = history_of(known.customer) if known is not None else {}
    return _drawn("intake/new.html", form, status, known=known, begun=begun, **history)


def _drawn(template: str, form: ReportForm, status: int, **values: Any) -> ResponseReturnValue:
    form.offer(option_use.latest_use_of_areas(), workspace().languages)
    files = chosen_files.waiting_with(form.key.data)
    return make_response(render_template(template, form=form, files=files, **values), status)


def _question(form: ReportForm, status: int = 200) -> ResponseReturnValue | None:
    """Ask whether it is one of the known bugs, or meant to be so; nothing where there is nothing to ask."""
    area = filing.option_known(form.typed(), OptionList.AREA)
    meant = intended.known_of(area, signed_in_user()) if area is not None else intended.NOTHING
    found = _look_alikes(form)
    if not found and (status != 200 or not meant):
        return None
    words = {"found": found, "none_of_these": NONE_OF_THESE, "is_unanswered": status != 200, "intended": meant}
    words["all_declined"] = _all_declined(area) if area is not None else ""
    return _drawn("intake/similar.html", form, status, **words)


def _attach_page(
    bug: Bug, form: ReportForm, status: int = 200, known: KnownCustomer | None = None
) -> ResponseReturnValue:
    if bug.withdrawn_at is not None:
        raise Conflict(f"{bug.ref} was taken back, so nobody can wait for it.")
    question = queries.open_question(bug) if bug.status == Status.NEEDS_INFO else None
    form.bug_ref, form.asks_version = bug.ref, attaching.asks_version(bug)
    if form.asks_version:
        form.leave_open("version")
    words = {"bug": bug, "known": known or known_in(form), "question": question, "Status": Status}
    return _drawn("intake/attach.html", form, status, **words)
