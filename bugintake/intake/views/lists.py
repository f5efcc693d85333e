"""Further lists: which there are, of whom they are asked, and in which order."""

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import transaction
from bugintake.core.errors import Conflict, Invalid, NotFound
from bugintake.core.paging import page_number, page_start
from bugintake.core.templating import toast
from bugintake.intake import catalogue, further_lists, option_queries
from bugintake.intake.catalogue_forms import ListForm
from bugintake.intake.list_models import FurtherList
from bugintake.intake.models import Option, OptionList
from bugintake.intake.views import bp
from bugintake.intake.views.catalogue import tabs
from bugintake.team.guards import lead_required, signed_in_user


@bp.get("/admin/catalogue/lists")
@lead_required
def further() -> ResponseReturnValue:
    """Show the further lists in the order in which the form asks for them; the address may begin a new one."""
    return _lists_page(_form(request.args or None))


@bp.post("/admin/catalogue/lists")
@lead_required
def add_list() -> ResponseReturnValue:
    """Add a list, and go on to its choices."""
    form = _form(request.form)
    try:
        with transaction():
            found = further_lists.add_list(form.terms(_areas(None)), actor=signed_in_user())
    except (Invalid, Conflict) as refusal:
        form.refuse(refusal.sentence, getattr(refusal, "field", None) or "label")
        return _lists_page(form, refusal.status)
    flash(_("%(label)s is added. Now give it its choices.", label=found.label))
    return redirect(url_for(".options", name=found.name), 303)


@bp.get("/admin/catalogue/lists/<list_name>")
@lead_required
def further_list(list_name: str) -> ResponseReturnValue:
    """Show what is asked with one list, and of whom."""
    found = _found(list_name)
    form = _form(None, found)
    form.show(found)
    return _list_page(found, form)


@bp.post("/admin/catalogue/lists/<list_name>")
@lead_required
def change_list(list_name: str) -> ResponseReturnValue:
    """Change what is asked with one list, and of whom."""
    form = _form(request.form, _found(list_name))
    try:
        with transaction():
            found = _found(list_name)
            further_lists.change_list(found, form.terms(_areas(found)), actor=signed_in_user())
    except (Invalid, Conflict) as refusal:
        form.refuse(refusal.sentence, getattr(refusal, "field", None) or "label")
        return _list_page(_found(list_name), form, refusal.status)
    flash(_("%(label)s is saved.", label=found.label))
    return redirect(url_for(".further"), 303)


@bp.get("/admin/catalogue/lists/<list_name>/history")
@lead_required
def list_history(list_name: str) -> ResponseReturnValue:
    """Show everything that happened to a list itself, the latest first."""
    found = _found(list_name)
    size = option_queries.ROWS_SHOWN
    lines = option_queries.history_of_list(found, start=page_start(size), size=size + 1)
    return render_template(
        "intake/catalogue_history.html",
        label=found.label,
        above=(url_for(".further"), _("Further lists")),
        address=url_for(".further_list", list_name=found.name),
        lines=lines[:size],
        has_more=len(lines) > size,
        page=page_number(),
        names={"list_name": found.name},
    )


@bp.post("/admin/catalogue/lists/<list_name>/rise")
@lead_required
def move_list_up(list_name: str) -> ResponseReturnValue:
    """Ask for a list before the one that stands before it."""
    with transaction():
        further_lists.move_up(_found(list_name), actor=signed_in_user())
    return redirect(url_for(".further"), 303)


@bp.post("/admin/catalogue/lists/<list_name>/retirement")
@lead_required
def retire_list(list_name: str) -> ResponseReturnValue:
    """Ask for a list no longer."""
    with transaction():
        found = _found(list_name)
        further_lists.retire_list(found, actor=signed_in_user())
    undo = url_for(".ask_again", list_name=found.name)
    toast(_("%(label)s is no longer asked for.", label=found.label), undo=undo)
    return redirect(url_for(".further"), 303)


@bp.post("/admin/catalogue/lists/<list_name>/offer")
@lead_required
def ask_again(list_name: str) -> ResponseReturnValue:
    """Ask for a retired list again."""
    with transaction():
        found = _found(list_name)
        further_lists.ask_again(found, actor=signed_in_user())
    flash(_("%(label)s is asked for again.", label=found.label))
    return redirect(url_for(".further"), 303)


def _areas(found: FurtherList | None) -> list[Option]:
    """List what may be chosen; a list keeps an area that was retired, else it would be asked for all of them."""
    every = catalogue.options_of(OptionList.AREA, with_retired=True)
    return [each for each in every if each.retired_at is None or (found is not None and each.id in found.area_ids)]


def _form(given: object, found: FurtherList | None = None) -> ListForm:
    form = ListForm(formdata=given)
    form.offer(_areas(found))
    return form


def _found(list_name: str) -> FurtherList:
    found = further_lists.list_named(list_name)
    if found is None:
        raise NotFound()
    return found


def _lists_page(form: ListForm, status: int = 200) -> ResponseReturnValue:
    every = further_lists.lists(with_retired=True)
    choices = catalogue.choices()
    page = render_template(
        "intake/lists.html",
        form=form,
        tabs=tabs(),
        asked=[each for each in every if each.retired_at is None],
        retired=[each for each in every if each.retired_at is not None],
        counts={each.name: len(choices.get(each.name, ())) for each in every},
        areas={each.id: each.label for each in catalogue.options_of(OptionList.AREA, with_retired=True)},
    )
    return make_response(page, status)


def _list_page(found: FurtherList, form: ListForm, status: int = 200) -> ResponseReturnValue:
    return make_response(render_template("intake/list.html", found=found, form=form), status)
