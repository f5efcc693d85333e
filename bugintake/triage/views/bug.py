"""One bug: its page, and what may be changed on it besides its status."""

from collections.abc import Sequence
from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import transaction
from bugintake.core.errors import NotFound
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.forms import Seen, clean_line, clean_text, fingerprint
from bugintake.core.security import local_target
from bugintake.core.templating import Ask, toast
from bugintake.intake import catalogue, further_lists
from bugintake.intake import queries as intake_queries
from bugintake.intake.attachments.queries import files_of
from bugintake.intake.models import Bug, Option, Status
from bugintake.intake.queries import bug_or_404, is_visible
from bugintake.team.guards import engineer_required, signed_in, signed_in_user
from bugintake.team.people import names
from bugintake.team.workspace import workspace
from bugintake.triage import (
    comments,
    duplicates,
    editing,
    forms,
    history,
    linking,
    looking,
    owners,
    queries,
    transitions,
    undoing,
    verbs,
)
from bugintake.triage import reports as told
from bugintake.triage.elsewhere import place_of
from bugintake.triage.views import bp

REPORTS_SHOWN = 20


@bp.get("/bugs/<ref>")
@signed_in
def show(ref: str) -> ResponseReturnValue:
    """Show one bug: what happened, to whom, and what was done."""
    bug = bug_or_404(ref, signed_in_user())
    if bug.merged_into_id is not None:
        return redirect(url_for("triage.show", ref=f"BUG-{bug.canonical_id}", merged=bug.ref))
    return page(bug)


def page(bug: Bug, status: int = 200, **forms_: Any) -> ResponseReturnValue:
    """Draw the page of a bug; a refused form comes in by name."""
    me = signed_in_user()
    everyone = request.args.get("reports") == "all"
    reports = told.told_under(bug, limit=None if everyone else REPORTS_SHOWN)
    report_ids = [report.id for report in reports.told]
    question = intake_queries.open_question(bug) if reports.was_asked else None
    languages = _languages(bug)
    lines, earlier = history.lines(bug, whole=request.args.get("history") == "all")
    context: dict[str, Any] = {
        "bug": bug,
        "me": me,
        "merged": request.args.get("merged", "") if request.args.get("merged", "").startswith("BUG-") else "",
        "parts": duplicates.parts_of(bug, me) if reports.has_parts else (),
        "reports": reports,
        "further": further_lists.chosen_in(report_ids),
        "files": files_of(report_ids),
        "history": lines,
        "earlier": earlier,
        "undoable": undoing.offered_in(lines, me),
        "comments": (written := comments.told_in(lines)),
        "changeable": {number for number, comment in written.items() if comments.may_change(comment, me)},
        "commenting": forms.CommentForm(),
        "links": linking.links_of(bug),
        "linking": forms.LinkForm(formdata=None),
        "place_of": place_of,
        "question": question,
        "answered": intake_queries.answered_questions(bug) if reports.was_asked else (),
        "offered": verbs.verbs_of(bug, me),
        "snoozed_until": looking.put_off_until(bug, me),
        "owner": (owner := owners.effective_owner(bug)),
        "is_on_duty": owner is not None and owners.is_on_duty(owner, bug),
        "people": [person for person in names().values() if person.is_active],
        "workaround": forms.workaround_form(languages, bug.workarounds),
        "answering": forms.AnswerForm() if question is not None else None,
        "Status": Status,
    }
    return make_response(render_template("triage/show.html", **{**context, **forms_}), status)


def done(bug: Bug, words: str, event: Event | None, ask: Ask | None = None) -> ResponseReturnValue:
    """Say what was done, with its undo where something changed, and go back to where the person came from."""
    undo = url_for("triage.undo", ref=bug.ref, move_id=event.id, next=back(bug)) if event is not None else None
    toast(words, undo=undo, ask=ask)
    return redirect(back(bug))


def short_form(template: str, bugs: Sequence[Bug], form: Any, **words: Any) -> ResponseReturnValue:
    """Ask what a verb has to know first; what is wrong with the answers is said at the form."""
    shown = {"bugs": bugs, "form": form, "waiting": {}, "chosen": {}, **words}
    shown["next"] = local_target(request.values.get("next"), "")
    return make_response(render_template(template, **shown), 409 if words.get("moved") else 422 if form.errors else 200)


def back(bug: Bug) -> str:
    """Return where the person came from, else the bug's page; the board, once they may not see it any more."""
    if not is_visible(bug, signed_in_user()):
        return url_for("triage.board")
    return local_target(request.values.get("next"), url_for("triage.show", ref=bug.ref))


@bp.post("/bugs/<ref>/answer")
@signed_in
def answer(ref: str) -> ResponseReturnValue:
    """Take down the answer to the open question."""
    me = signed_in_user()
    bug = bug_or_404(ref, me)
    question = intake_queries.open_question(bug)
    if question is None:
        raise NotFound(_("There is no open question."))
    form = forms.AnswerForm()
    if not form.validate():
        return page(bug, 422, answering=form)
    with transaction():
        transitions.answer(question, form.answer.data or "", actor=me)
    flash(_("Answered. %(ref)s is %(status)s again.", ref=bug.ref, status=bug.status.label))
    return redirect(back(bug))


@bp.route("/bugs/<ref>/assignment", methods=["GET", "POST"])
@engineer_required
def assign(ref: str) -> ResponseReturnValue:
    """Ask whose a bug becomes; then give it to them, take it, or leave it to whoever is on duty."""
    me, people = signed_in_user(), queries.colleagues()
    bug = bug_or_404(ref, me)
    if request.method != "POST":
        form = forms.assign_form(people, owner=str(bug.owner_id or "duty"))
        return short_form("triage/assign.html", [bug], form)
    owner = owners.owner_from(request.form.get("owner"), me, people)
    with transaction():
        before = bug.owner_id
        editing.change(bug, {"owner": owner}, Seen.on(request.values), actor=me)
        event = looking.last_of(bug, (EventKind.BUG_ASSIGNED,)) if bug.owner_id != before else None
    name = bug.owner.name if bug.owner else _("whoever is on duty")
    words = _("%(ref)s is with %(name)s.", ref=bug.ref, name=name)
    if not is_visible(bug, me):
        flash(f"{words} {seen_by(bug)}")
        return redirect(back(bug))
    return done(bug, words, event)


@bp.post("/bugs/<ref>/choices")
@engineer_required
def choose(ref: str) -> ResponseReturnValue:
    """Correct the title, where a bug is, what goes wrong or how bad it is."""
    me = signed_in_user()
    bug = bug_or_404(ref, me)
    typed: dict[str, Any] = {}
    if "title" in request.form:
        typed["title"] = clean_line(request.form["title"])
    with transaction():
        before = {kind.value: getattr(bug, kind.value) for kind in editing.CHOSEN}
        for kind in editing.CHOSEN:
            if request.values.get(kind.value):
                typed[kind.value] = catalogue.choose(kind, request.values[kind.value])
        editing.change(bug, typed, Seen.on(request.values), actor=me)
        after = {kind.value: getattr(bug, kind.value) for kind in editing.CHOSEN}
    parts = [_back_to(name, before[name], after[name]) for name in before if before[name].id != after[name].id]
    was = {name: value for part in parts for name, value in part.items()}
    toast(_("Saved."), undo=url_for(".choose", ref=bug.ref, next=back(bug), **was) if was else None)
    return redirect(back(bug))


def _languages(bug: Bug) -> list[str]:
    """List the languages that are offered, and others in which a way round is written."""
    return [*dict.fromkeys([*workspace().languages, *bug.workarounds])]


@bp.post("/bugs/<ref>/workaround")
@signed_in
def set_workaround(ref: str) -> ResponseReturnValue:
    """Write what customers can do until it is fixed."""
    me = signed_in_user()
    bug = bug_or_404(ref, me)
    names = [f"{editing.WORKAROUND}{language}" for language in _languages(bug)]
    typed = {name: clean_text(request.form[name]) for name in names if name in request.form}
    with transaction():
        editing.change(bug, typed, Seen.on(request.form), actor=me)
    says_none = bug.has_no_workaround
    flash(_("Saved. Customers read that there is none.") if says_none else _("Saved. Customers see it on their page."))
    return redirect(back(bug))


@bp.post("/bugs/<ref>/reproduction")
@engineer_required
def reproduce(ref: str) -> ResponseReturnValue:
    """Say that we saw it happen too."""
    bug = bug_or_404(ref, signed_in_user())
    with transaction():
        editing.reproduce(bug, actor=signed_in_user())
    flash(_("Customers read that we saw it happen too."))
    return redirect(back(bug))


@bp.post("/bugs/<ref>/restriction")
@engineer_required
def restrict(ref: str) -> ResponseReturnValue:
    """Show a bug only to its filer, owner, leads and admins, or to everybody again."""
    me = signed_in_user()
    bug = bug_or_404(ref, me)
    with transaction():
        editing.restrict(bug, request.form.get("restricted") == "1", actor=me)
    flash(seen_by(bug))
    return redirect(back(bug))


def _back_to(name: str, before: Option, after: Option) -> dict[str, Any]:
    """Name what an address has to say so that a field is again what it was, unless somebody changes it meanwhile."""
    return {name: before.id, f"seen_{name}": fingerprint(after)}


def seen_by(bug: Bug) -> str:
    """Say who sees a bug now that this was decided anew."""
    if not bug.is_restricted:
        return str(_("Everybody here sees %(ref)s again.", ref=bug.ref))
    names = ", ".join(dict.fromkeys(person.name for person in (bug.filed_by, bug.owner) if person is not None))
    sentence = _("%(ref)s is restricted: only %(names)s, leads and admins see it now.", ref=bug.ref, names=names)
    return str(sentence)
