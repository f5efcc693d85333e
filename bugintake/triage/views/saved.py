"""Saved views: the page that keeps them in order, and saving the one that is looked at."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bugintake.core.db import transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.pages import register_page
from bugintake.team.guards import signed_in, signed_in_user
from bugintake.triage import saved_views
from bugintake.triage.forms import ViewForm
from bugintake.triage.views import bp


@bp.get("/views")
@signed_in
def saved() -> ResponseReturnValue:
    """List my views and the team's."""
    return _page()


@bp.post("/views")
@signed_in
def save_view() -> ResponseReturnValue:
    """Save what a board or list is narrowed to under a name, and show it again."""
    form, me = ViewForm(), signed_in_user()
    is_board = form.page.data == "board"
    try:
        with transaction():
            view = saved_views.save(
                form.name.data or "",
                form.address.data or "",
                is_board=is_board,
                for_team=bool(form.for_team.data),
                actor=me,
            )
    except (Invalid, Conflict) as refusal:
        form.refuse(refusal.sentence, "name")
        return _page(saving=form), 422
    flash(f"Saved as {view.name}.")
    return redirect(next(each.url for each in saved_views.views_of(me.id) if each.id == view.id))


@bp.post("/views/<int(max=2147483647):view_id>")
@signed_in
def rename_view(view_id: int) -> ResponseReturnValue:
    """Call a view otherwise."""
    view = saved_views.view_or_404(view_id, signed_in_user())
    try:
        with transaction():
            saved_views.rename(view, request.form.get("name", ""), actor=signed_in_user())
    except (Invalid, Conflict) as refusal:
        return _page(refused=(view_id, request.form.get("name", ""), refusal.sentence)), 422
    return redirect(url_for(".saved"))


@bp.post("/views/<int(max=2147483647):view_id>/rise")
@signed_in
def raise_view(view_id: int) -> ResponseReturnValue:
    """Put a view one place up."""
    with transaction():
        saved_views.rise(saved_views.view_or_404(view_id, signed_in_user()), actor=signed_in_user())
    return redirect(url_for(".saved"))


@bp.post("/views/<int(max=2147483647):view_id>/removal")
@signed_in
def remove_view(view_id: int) -> ResponseReturnValue:
    """Remove a view."""
    with transaction():
        view = saved_views.view_or_404(view_id, signed_in_user())
        name = view.name
        saved_views.remove(view, actor=signed_in_user())
    flash(f"{name} is removed.")
    return redirect(url_for(".saved"))


def _page(saving: ViewForm | None = None, refused: tuple[int, str, str] | None = None) -> str:
    me = signed_in_user()
    views = saved_views.views_of(me.id)
    return render_template("triage/views.html", views=views, me=me, saving=saving, refused=refused)


register_page("Saved views", "triage.saved")
