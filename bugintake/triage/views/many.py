"""A verb on several bugs at once: each is checked and kept on its own, and one undo takes back what was done."""

from collections.abc import Callable
from typing import Any, NamedTuple

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict

from bugintake.core.db import transaction
from bugintake.core.errors import Conflict, Invalid, NotFound
from bugintake.core.forms import Seen
from bugintake.core.security import local_target
from bugintake.core.templating import toast
from bugintake.intake import catalogue, form_use
from bugintake.intake.models import Bug, OptionList, RaiseReason, Status
from bugintake.intake.option_models import SentenceList
from bugintake.intake.queries import bug_or_404
from bugintake.intake.reports import canonical
from bugintake.team.guards import engineer_required, signed_in, signed_in_user
from bugintake.team.models import User
from bugintake.triage import (
    comments,
    duplicates,
    editing,
    forms,
    looking,
    merging,
    owners,
    pinning,
    queries,
    raising,
    snoozing,
    transitions,
    undoing,
)
from bugintake.triage.starting import known_of
from bugintake.triage.views import bp
from bugintake.triage.views.bug import short_form
from bugintake.triage.views.merging import meant
from bugintake.triage.views.verbs import put_question

MOST = 100
Change = Callable[[Bug, "OnScreen"], object]


class OnScreen(NamedTuple):
    """What the page showed of a bug that was chosen: its status, and the number of its owner."""

    status: Status | None
    owner: str | None


AT_ONCE: dict[str, Callable[[Bug, User, OnScreen], object]] = {
    "acceptance": lambda bug, me, seen: transitions.accept(bug, actor=me, seen=seen.status),
    "work": lambda bug, me, seen: transitions.start(bug, actor=me, seen=seen.status),
    "rest": lambda bug, me, seen: transitions.stop(bug, actor=me, seen=seen.status),
    "return": lambda bug, me, _seen: transitions.come_back(bug, actor=me),
    "reconsideration": lambda bug, me, seen: transitions.reconsider(bug, actor=me, seen=seen.status),
    "waking": lambda bug, me, _seen: snoozing.wake(bug, actor=me),
    "look": lambda bug, me, _seen: looking.look(bug, actor=me),
    "pin": lambda bug, me, _seen: pinning.pin(bug, request.form.get("pinned") == "1", actor=me),
    "restriction": lambda bug, me, _seen: editing.restrict(bug, True, actor=me),
}


@bp.post("/bugs/many/<verb>")
@engineer_required
def change_many(verb: str) -> ResponseReturnValue:
    """Do with several bugs what asks nothing."""
    if verb not in AT_ONCE:
        raise NotFound()
    me = signed_in_user()
    return _each(lambda bug, seen: AT_ONCE[verb](bug, me, seen))


@bp.post("/bugs/many/assignment")
@engineer_required
def assign_many() -> ResponseReturnValue:
    """Take several bugs, or ask once whose they become."""
    me, people = signed_in_user(), queries.colleagues()
    form = forms.assign_form(people, **_answers())
    if "owner" not in request.form:
        return _ask("triage/assign.html", form)
    owner = owners.owner_from(request.form["owner"], me, people)

    def change(bug: Bug, seen: OnScreen) -> None:
        editing.change(bug, {"owner": owner}, Seen({"owner": seen.owner} if seen.owner is not None else {}), actor=me)

    return _each(change)


@bp.post("/bugs/many/snooze")
@engineer_required
def snooze_many() -> ResponseReturnValue:
    """Ask once until when several bugs are put off."""
    me = signed_in_user()
    days = [day for day in request.form.getlist("until") if day]
    form = forms.SnoozeForm(MultiDict({"until": days[0]}) if days else None)

    def change(bug: Bug, _seen: OnScreen) -> None:
        assert form.until.data is not None
        snoozing.snooze(bug, form.until.data, actor=me)

    return _asked("triage/snooze_many.html", form, change, choices=snoozing.choices(looking.today_of(me)))


@bp.post("/bugs/many/raise")
@signed_in
def raise_many() -> ResponseReturnValue:
    """Ask once why several bugs have to be looked at first."""
    me, form = signed_in_user(), forms.RaiseForm(**_answers())
    form.reason.choices = [(reason.value, reason.label) for reason in RaiseReason]
    return _asked(
        "triage/raise_many.html",
        form,
        lambda bug, _seen: raising.raise_bug(bug, RaiseReason(form.reason.data), actor=me),
    )


@bp.post("/bugs/many/comments")
@signed_in
def comment_many() -> ResponseReturnValue:
    """Ask once what the team is told about several bugs."""
    me, form = signed_in_user(), forms.CommentForm(**_answers())
    return _asked("triage/comments.html", form, lambda bug, _seen: comments.write(bug, form.text.data or "", actor=me))


@bp.post("/bugs/many/question")
@engineer_required
def ask_many() -> ResponseReturnValue:
    """Ask the same question about several bugs: about the latest report of each, or everybody who waits."""
    me, form = signed_in_user(), forms.ask_form(**_answers())
    form.report.choices = [("", _("the latest report of each")), (forms.EVERYBODY, _("everybody who waits"))]
    form.report.validators = ()
    form.offer(SentenceList.ASKED, known_of(_bugs()))

    def change(bug: Bug, seen: OnScreen) -> None:
        put_question(bug, form, seen.status, me)

    return _asked("triage/ask.html", form, change, known=form_use.missing_before(me))


@bp.post("/bugs/many/merge")
@engineer_required
def merge_many() -> ResponseReturnValue:
    """Ask once which bug several others are the same as, say what becomes of each, and then do it."""
    me, form = signed_in_user(), forms.MergeForm(**_answers())

    def change(bug: Bug, seen: OnScreen) -> str:
        into = meant(form.into.data or "", me)
        merging.merge(bug, into, actor=me, seen=seen.status, into_seen=form.into_status_seen())
        into = canonical(into)
        is_worse = bug.impact_rank < into.impact_rank
        return _("%(ref)s is worse than %(into)s.", ref=bug.ref, into=into.ref) if is_worse else ""

    if "agreed" in request.form or "asked" not in request.form or not form.validate():
        return _asked("triage/merge_many.html", form, change)
    try:
        seen = [each.status for each in _chosen().values()]
        preview = duplicates.preview(list(zip(_bugs(), seen, strict=True)), meant(form.into.data or "", me))
    except Invalid as refusal:
        form.refuse(refusal.sentence, refusal.field)
        return _ask("triage/merge_many.html", form)
    page = render_template("triage/merge_preview.html", preview=preview, next=_back())
    return make_response(page, 200 if preview.bugs else 409)


@bp.post("/bugs/many/fix")
@engineer_required
def fix_many() -> ResponseReturnValue:
    """Ask once in which version several bugs are fixed and what is different for the customer; then say so."""
    me, bugs = signed_in_user(), _bugs()
    waiting = queries.languages_waiting(*bugs)
    form = forms.fix_form(forms.languages_for(waiting), bugs, **_answers())

    def change(bug: Bug, seen: OnScreen) -> None:
        transitions.fix(bug, form.texts("note"), form.release(actor=me), actor=me, seen=seen.status)

    return _asked("triage/fix.html", form, change, waiting=waiting)


@bp.post("/bugs/many/decline")
@engineer_required
def decline_many() -> ResponseReturnValue:
    """Ask once for several bugs why they are declined, and for the way round; then decline them."""
    me, bugs = signed_in_user(), _bugs()
    waiting = queries.languages_waiting(*bugs)
    form = forms.decline_form(forms.languages_for(waiting), bugs, **_answers())

    def change(bug: Bug, seen: OnScreen) -> None:
        reason = catalogue.choose(OptionList.DECLINE_REASON, form.reason.data)
        transitions.decline(bug, reason, form.texts("note"), form.texts("workaround"), actor=me, seen=seen.status)

    return _asked("triage/decline.html", form, change, waiting=waiting)


def _chosen() -> dict[str, OnScreen]:
    """Read which bugs were chosen, with status and owner as they were on the screen: `bug` says “BUG-12 new 3”."""
    chosen: dict[str, OnScreen] = {}
    for each in request.form.getlist("bug"):
        ref, _space, seen = each.partition(" ")
        status, space, owner = seen.partition(" ")
        chosen[ref] = OnScreen(Status(status) if status in set(Status) else None, owner if space else None)
    if not chosen:
        raise Invalid(_("Choose one or more bugs first."))
    if len(chosen) > MOST:
        raise Invalid(_("Choose at most %(count)d bugs at once.", count=MOST))
    return chosen


def _bugs() -> list[Bug]:
    me = signed_in_user()
    return [bug_or_404(ref, me) for ref in _chosen()]


def _each(change: Change) -> ResponseReturnValue:
    """Change the chosen bugs one by one, and say of which it was refused and why.

    Raises Conflict where it was refused of each, so that what was typed is given back, and Invalid where the first one
    shows that the words are wrong.
    """
    me, count = signed_in_user(), 0
    moves: list[int] = []
    said: list[str] = []
    chosen = _chosen()
    for ref, seen in chosen.items():
        try:
            bug = bug_or_404(ref, me)
            with transaction():
                before = undoing.last(bug, me)
                note = change(bug, seen)
                event = undoing.last(bug, me)
        except NotFound:
            said.append(_("There is no %(ref)s that you may see.", ref=ref[:20]))
        except (Conflict, Invalid) as refusal:
            if isinstance(refusal, Invalid) and not count:
                raise
            said.append(refusal.sentence)
        else:
            count += 1
            said += [note] if isinstance(note, str) and note else []
            moves += [event.id] if event is not None and event != before else []
    if not count:
        raise Conflict(" ".join(said))
    done = ngettext("Done for %(num)d bug.", "Done for %(num)d bugs.", count)
    undo = url_for(".undo_many", move=moves, next=_back()) if moves else None
    toast(" ".join([str(done), *said]), undo=undo)
    return redirect(_back(), 303)


def _asked(template: str, form: Any, change: Change, **words: Any) -> ResponseReturnValue:
    """Ask first; once the form itself was sent, change each bug. What is wrong with the words is said at the form."""
    if "asked" in request.form and form.validate():
        try:
            return _each(change)
        except Invalid as refusal:
            form.refuse(refusal.sentence, refusal.field)
        except Conflict as refusal:
            form.refuse(refusal.sentence)
            return _ask(template, form, as_shown=False, **words)
    return _ask(template, form, **words)


def _ask(template: str, form: Any, *, as_shown: bool = True, **words: Any) -> ResponseReturnValue:
    bugs = _bugs()
    chosen = {}
    for bug, seen in zip(bugs, _chosen().values(), strict=True):
        status = seen.status if as_shown else None
        chosen[bug.ref] = " ".join([status or bug.status, *([] if seen.owner is None else [seen.owner])])
    return short_form(template, bugs, form, chosen=chosen, **words)


def _answers() -> dict[str, Any]:
    """Leave the form empty where only the bugs were chosen so far."""
    return {} if "asked" in request.form else {"formdata": None}


def _back() -> str:
    return local_target(request.values.get("next"), url_for("triage.board"))
