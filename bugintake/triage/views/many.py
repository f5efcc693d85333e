"""A verb on several bugs at once: each is checked and kept on its own, and one undo takes back what was done."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from bugintake.core.db import transaction
from bugintake.core.errors import Conflict, Invalid, NotFound
from bugintake.core.forms import Seen
from bugintake.core.security import local_target
from bugintake.core.templating import toast
from bugintake.intake import catalogue
from bugintake.intake.models import Bug, OptionList, Status
from bugintake.intake.queries import bug_or_404
from bugintake.team.guards import engineer_required, signed_in_user
from bugintake.triage import editing, forms, queries, transitions
from bugintake.triage.views import bp

MOST = 100
Change = Callable[[Bug, "OnScreen"], None]


class OnScreen(NamedTuple):
    """What the page showed of a bug that was chosen: its status, and the number of its owner."""

    status: Status | None
    owner: str | None


MOVES: dict[str, Callable[..., None]] = {
    "acceptance": transitions.accept,
    "work": transitions.start,
    "rest": transitions.stop,
}


@bp.post("/bugs/many/<verb>")
@engineer_required
def move_many(verb: str) -> ResponseReturnValue:
    """Accept several bugs, begin to work on them, or put them down."""
    if verb not in MOVES:
        raise NotFound()
    me = signed_in_user()
    return _each(lambda bug, seen: MOVES[verb](bug, actor=me, seen=seen.status))


@bp.post("/bugs/many/assignment")
@engineer_required
def take_many() -> ResponseReturnValue:
    """Take several bugs."""
    me = signed_in_user()

    def change(bug: Bug, seen: OnScreen) -> None:
        editing.change(bug, {"owner": me}, Seen({"owner": seen.owner} if seen.owner is not None else {}), actor=me)

    return _each(change)


@bp.post("/bugs/many/fix")
@engineer_required
def fix_many() -> ResponseReturnValue:
    """Ask once in which version several bugs are fixed and what is different for the customer; then say so."""
    me, bugs = signed_in_user(), _bugs()
    waiting = queries.languages_waiting(*bugs)
    form = forms.fix_form(forms.languages_for(waiting), **_answers())

    def change(bug: Bug, seen: OnScreen) -> None:
        transitions.fix(bug, form.texts("note"), form.release(actor=me), actor=me, seen=seen.status)

    return _asked("triage/fix.html", bugs, form, waiting, change)


@bp.post("/bugs/many/decline")
@engineer_required
def decline_many() -> ResponseReturnValue:
    """Ask once for several bugs why they are declined, and for the way round; then decline them."""
    me, bugs = signed_in_user(), _bugs()
    waiting = queries.languages_waiting(*bugs)
    form = forms.decline_form(forms.languages_for(waiting), **_answers())

    def change(bug: Bug, seen: OnScreen) -> None:
        reason = catalogue.choose(OptionList.DECLINE_REASON, form.reason.data)
        transitions.decline(bug, reason, form.texts("note"), form.texts("workaround"), actor=me, seen=seen.status)

    return _asked("triage/decline.html", bugs, form, waiting, change)


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

    Raises Conflict where it was refused of each, so that what was typed is given back.
    """
    me, moves, refusals = signed_in_user(), [], []
    chosen = _chosen()
    for ref, seen in chosen.items():
        try:
            bug = bug_or_404(ref, me)
            with transaction():
                before = transitions.last_move(bug)
                change(bug, seen)
                move = transitions.last_move(bug)
        except NotFound:
            refusals.append(_("There is no %(ref)s that you may see.", ref=ref[:20]))
        except Conflict as refusal:
            refusals.append(refusal.sentence)
        else:
            moves += [move.id] if move is not None and (before is None or move.id != before.id) else []
    count = len(chosen) - len(refusals)
    if not count:
        raise Conflict(" ".join(refusals))
    done = ngettext("Done for %(num)d bug.", "Done for %(num)d bugs.", count)
    undo = url_for(".undo_many", move=moves, next=_back()) if moves else None
    toast(" ".join([str(done), *refusals]), undo=undo)
    return redirect(_back(), 303)


def _asked(
    template: str, bugs: Sequence[Bug], form: Any, waiting: dict[str, int], change: Change
) -> ResponseReturnValue:
    """Ask first; once the form itself was sent, change each bug. What is wrong with the words is said at the form."""
    chosen = {bug.ref: seen.status or bug.status for bug, seen in zip(bugs, _chosen().values(), strict=True)}
    if "asked" in request.form and form.validate():
        try:
            return _each(change)
        except Invalid as refusal:
            form.refuse(refusal.sentence, refusal.field)
        except Conflict as refusal:
            form.refuse(refusal.sentence)
            chosen = {bug.ref: bug.status for bug in bugs}
    words = {"bugs": bugs, "chosen": chosen, "form": form, "waiting": waiting, "next": _back()}
    return make_response(render_template(template, **words), 422 if form.errors else 200)


def _answers() -> dict[str, Any]:
    """Leave the form empty where only the bugs were chosen so far."""
    return {} if "asked" in request.form else {"formdata": None}


def _back() -> str:
    return local_target(request.values.get("next"), url_for("triage.board"))
