"""One person's data: all of it as a file, and erasing it after a look at what goes."""

from flask import flash, jsonify, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import db, transaction
from bugintake.intake.customers import erasing, queries
from bugintake.loop import personal_data
from bugintake.loop.erasing import count_messages
from bugintake.loop.views.blueprint import bp
from bugintake.team.guards import admin_required, signed_in_user
from bugintake.triage.forgetting import links_naming, views_naming


@bp.get("/customers/<int:customer_id>/data.json")
@admin_required
def customer_data(customer_id: int) -> ResponseReturnValue:
    """Give everything that is kept of one person."""
    answer = jsonify(personal_data.of(queries.customer_or_404(customer_id)))
    answer.headers["Content-Disposition"] = f'attachment; filename="customer-{customer_id}.json"'
    return answer


@bp.get("/customers/<int:customer_id>/erasure")
@admin_required
def erasure(customer_id: int) -> ResponseReturnValue:
    """Show what erasing a person takes away."""
    customer = queries.customer_or_404(customer_id)
    told, unsent = count_messages(queries.records_of(customer))
    records = db.session.scalars(queries.records_of(customer)).all()
    counts = {"extent": erasing.extent(customer), "told": told, "unsent": unsent}
    called = erasing.called_by(records)
    links = [link for link in links_naming(records, called) if link.url]
    counts |= {"views": len(views_naming(records, called)), "too_short": erasing.too_short(records)}
    return render_template("loop/erasure.html", customer=customer, links=links, **counts)


@bp.post("/customers/<int:customer_id>/erasure")
@admin_required
def erase(customer_id: int) -> ResponseReturnValue:
    """Erase a person."""
    with transaction():
        erasing.erase(queries.customer_or_404(customer_id), actor=signed_in_user())
    erasing.forget_words()
    flash(_("This person is erased. Their reports stay counted."))
    return redirect(url_for("intake.customer", customer_id=customer_id), 303)
