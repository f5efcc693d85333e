"""The catalogue: the lists that a report is chosen from, as leads keep them."""

import re
from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid, NotFound, Stale
from bugintake.core.forms import Seen, clean_line, fingerprint
from bugintake.core.paging import page_number, page_start
from bugintake.core.templating import toast
from bugintake.intake import (
    catalogue,
    further_lists,
    option_editing,
    option_merging,
    option_queries,
    option_use,
    packs,
    proposals,
)
from bugintake.intake.catalogue import SENTENCE_LENGTH
from bugintake.intake.catalogue_forms import OptionForm
from bugintake.intake.models import Option, OptionList
from bugintake.intake.option_models import SentenceList
from bugintake.intake.option_queries import Wanted
from bugintake.intake.views import bp
from bugintake.team import people
from bugintake.team.guards import lead_required, signed_in_user
from bugintake.team.workspace import workspace

FILTERED = (OptionList.AREA, OptionList.IMPACT, OptionList.PLATFORM, OptionList.VERSION)  # what bugs are filtered by
LISTS: dict[str, tuple[str, str]] = {
    "areas": (OptionList.AREA, "Where"),
    "symptoms": (OptionList.SYMPTOM, "What goes wrong"),
    "impacts": (OptionList.IMPACT, "How bad"),
    "frequencies": (OptionList.FREQUENCY, "How often"),
    "platforms": (OptionList.PLATFORM, "Platforms"),
    "versions": (OptionList.VERSION, "Versions"),
    "reasons": (OptionList.DECLINE_REASON, "Reasons not to fix"),
    "fixed": (SentenceList.FIXED, "Sentences: fixed"),
    "declined": (SentenceList.DECLINED, "Sentences: won't fix"),
    "questions": (SentenceList.ASKED, "Sentences: questions"),
}


@bp.get("/admin/catalogue")
@lead_required
def lists() -> ResponseReturnValue:
    """Begin at the areas."""
    return redirect(url_for(".options", name="areas"))


@bp.get("/admin/catalogue/<name>")
@lead_required
def options(name: str) -> ResponseReturnValue:
    """Show one list: every choice, what customers read for it, and how often it was taken."""
    return _list_page(name, OptionForm(formdata=None))


@bp.post("/admin/catalogue/<name>")
@lead_required
def add_option(name: str) -> ResponseReturnValue:
    """Add a choice to a list."""
    kind, _label = _list(name)
    form = OptionForm(request.form)
    try:
        with transaction():
            option = catalogue.add_option(kind, actor=signed_in_user(), **form.values())
    except (Invalid, Conflict) as refusal:
        form.refuse(refusal.sentence, getattr(refusal, "field", None) or "label")
        return _list_page(name, form, refusal.status)
    flash(_("%(label)s is on the list.", label=option.label))
    return redirect(url_for(".options", name=name), 303)


@bp.post("/admin/catalogue/<name>/pack")
@lead_required
def fill_list(name: str) -> ResponseReturnValue:
    """Fill an empty list with what products like this one begin with."""
    kind, label = _list(name)
    if name not in LISTS:
        raise NotFound()
    with transaction():
        packs.fill_list(kind, request.form.get("pack", ""), actor=signed_in_user())
    flash(_("%(list)s is filled. Retire what your product does not have.", list=label))
    return redirect(url_for(".options", name=name), 303)


@bp.get("/admin/catalogue/<name>/<int:option_id>")
@lead_required
def option(name: str, option_id: int) -> ResponseReturnValue:
    """Show one choice with all its words."""
    found = option_or_404(name, option_id)
    form = OptionForm(formdata=None)
    form.show(found)
    return _option_page(name, found, form)


@bp.post("/admin/catalogue/<name>/<int:option_id>")
@lead_required
def change_option(name: str, option_id: int) -> ResponseReturnValue:
    """Change what was typed of a choice; who changed the same field meanwhile is shown beside it."""
    form = OptionForm(request.form)
    try:
        with transaction():
            found = option_or_404(name, option_id)
            typed = form.typed(found, people.names())
            option_editing.edit(found, typed, Seen.on(request.form), actor=signed_in_user())
    except Stale:
        raise
    except (Invalid, Conflict) as refusal:
        form.refuse(refusal.sentence, getattr(refusal, "field", None) or "label")
        return _option_page(name, option_or_404(name, option_id), form, refusal.status)
    flash(_("%(label)s is saved.", label=found.label))
    return redirect(url_for(".options", name=name), 303)


@bp.get("/admin/catalogue/<name>/<int:option_id>/history")
@lead_required
def option_history(name: str, option_id: int) -> ResponseReturnValue:
    """Show everything that happened to one choice, the latest first."""
    found = option_or_404(name, option_id)
    size = option_queries.ROWS_SHOWN
    lines = option_queries.history(found, start=page_start(size), size=size + 1)
    return render_template(
        "intake/catalogue_history.html",
        label=found.label,
        above=(url_for(".options", name=name), label_of(name)),
        address=url_for(".option", name=name, option_id=found.id),
        lines=lines[:size],
        has_more=len(lines) > size,
        page=page_number(),
        names={"name": name, "option_id": found.id},
    )


@bp.post("/admin/catalogue/<name>/<int:option_id>/place")
@lead_required
def place_option(name: str, option_id: int) -> ResponseReturnValue:
    """Put a choice at another place of its list."""
    given = request.form.get("to", "")
    with transaction():
        found = option_or_404(name, option_id)
        to = int(given) if re.fullmatch(r"[0-9]{1,6}", given) else 0
        option_editing.place(found, to, actor=signed_in_user())
    flash(_("%(label)s is at place %(number)s.", label=found.label, number=to))
    page = (to - 1) // option_queries.ROWS_SHOWN + 1
    return redirect(url_for(".options", name=name, page=page if page > 1 else None, _anchor=f"o-{found.id}"), 303)


@bp.post("/admin/catalogue/<name>/<int:option_id>/retirement")
@lead_required
def retire_option(name: str, option_id: int) -> ResponseReturnValue:
    """Hide a choice from new reports."""
    with transaction():
        found = option_or_404(name, option_id)
        catalogue.retire(found, actor=signed_in_user())
    undo = url_for(".offer_option", name=name, option_id=found.id)
    toast(_("%(label)s is no longer offered.", label=found.label), undo=undo)
    return redirect(url_for(".options", name=name), 303)


@bp.post("/admin/catalogue/<name>/<int:option_id>/offer")
@lead_required
def offer_option(name: str, option_id: int) -> ResponseReturnValue:
    """Offer a retired choice again."""
    with transaction():
        found = option_or_404(name, option_id)
        catalogue.offer_again(found, actor=signed_in_user())
    flash(_("%(label)s is offered again.", label=found.label))
    return redirect(url_for(".options", name=name), 303)


def tabs() -> dict[str, str]:
    """Name every list whose choices can be kept, by the name in its address."""
    built_in = {name: words for name, (_kind, words) in LISTS.items()}
    proposed = {"proposals": _("Proposed by agents (%(count)s)", count=proposals.count())}
    return built_in | {each.name: each.label for each in further_lists.lists()} | proposed


def labels() -> dict[str, str]:
    """Name every list as pages do, by what its choices carry."""
    built_in = dict(LISTS.values())
    return built_in | {each.name: each.label for each in further_lists.lists(with_retired=True)}


def name_of(kind: str) -> str:
    """Return the name of a list in its address."""
    return next((name for name, (each, _words) in LISTS.items() if each == kind), kind)


def label_of(name: str) -> str:
    """Name a list in words. Raises NotFound."""
    return _list(name)[1]


def kind_of(name: str) -> str:
    """Return what the choices of a list carry. Raises NotFound."""
    return _list(name)[0]


def _list(name: str) -> tuple[str, str]:
    if name in LISTS:
        return LISTS[name]
    further = further_lists.list_named(name)
    if further is None:
        raise NotFound()
    return further.name, further.label


def _use_of(kind: str) -> dict[int, int] | None:
    """Count how often choices were taken; what starts from a sentence is not counted."""
    if kind in set(SentenceList):
        return None
    further = further_lists.list_named(kind)
    return option_use.use_of_further(further) if further is not None else option_use.use_of(OptionList(kind))


def option_or_404(name: str, option_id: int) -> Option:
    """Load a choice of a list. Raises NotFound."""
    kind, _label = _list(name)
    found = db.session.get(Option, option_id) if 0 < option_id < 2**31 else None
    if found is None or found.list != kind:
        raise NotFound()
    return found


def _list_page(name: str, form: OptionForm, status: int = 200) -> ResponseReturnValue:
    kind, label = _list(name)
    languages, size = workspace().languages, option_queries.ROWS_SHOWN
    lacks = languages if request.args.get("lacks") else ()
    wanted = Wanted(clean_line(request.args.get("q", ""))[:SENTENCE_LENGTH], lacks)
    found = option_queries.offered(kind, wanted, start=page_start(size), size=size + 1)
    page = render_template(
        "intake/catalogue.html",
        name=name,
        label=label,
        tabs=tabs(),
        further=further_lists.list_named(name),
        offered=found[:size],
        has_more=len(found) > size,
        page=page_number(),
        wanted=wanted,
        lacking=option_queries.lacking_count(kind, languages),
        retired=option_queries.retired(kind, size=size),
        merges=option_merging.undoable(kind),
        used=_use_of(kind),
        form=form,
        kind=kind,
        FILTERED=FILTERED,
        has_deadline=kind == OptionList.IMPACT,
        is_sentences=kind in set(SentenceList),
        languages=languages,
        people=people.names(),
        packs=packs.PACK_LABELS if name in LISTS else {},
    )
    return make_response(page, status)


def _option_page(name: str, option: Option, form: OptionForm, status: int = 200) -> ResponseReturnValue:
    form.offer(people.names().values())
    stands = option_editing.shown(option)
    seen = {field: request.form.get(f"seen_{field}") or fingerprint(value) for field, value in stands.items()}
    words: dict[str, Any] = {"name": name, "label": label_of(name), "option": option, "form": form, "seen": seen}
    words["is_sentence"] = option.list in set(SentenceList)
    return make_response(render_template("intake/option.html", **words), status)
