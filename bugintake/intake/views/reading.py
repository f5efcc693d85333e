"""What a request says about a form: sent, begun before, or filled in by the address."""

from flask import request
from werkzeug.datastructures import MultiDict

from bugintake.core.errors import Invalid
from bugintake.intake import catalogue, drafts, filing, further_lists
from bugintake.intake.customers.queries import KnownCustomer, known_customer
from bugintake.intake.forms import ReportForm, report_form
from bugintake.intake.views import bp, chosen_files
from bugintake.intake.views.prefilling import prefilled
from bugintake.team.guards import NotSignedIn, signed_in_user

GONE = "What was begun is not here any more: it was filed or discarded, or two weeks have passed."
ANOTHERS = "This form was begun by somebody else, so nothing of it was done."


@bp.app_template_global()
def panel() -> str | None:
    """Say for addresses whether the form stands in a side window, which is narrow and has no navigation."""
    return "1" if request.args.get("panel") == "1" else None


def sent() -> ReportForm:
    """Read the form that was sent, and keep the files in it. Raises NotSignedIn as check_owner."""
    check_owner()
    form = form_of(request.form)
    form.key.data = form.key.data or drafts.new_key(signed_in_user())
    form.refused_files = chosen_files.keep_all(form.key.data)
    return form


def check_owner() -> None:
    """Let nobody send what somebody else typed at the same machine. Raises NotSignedIn where they would."""
    owner = drafts.owner_of(request.form.get("key", ""))
    if owner is not None and owner.id != signed_in_user().id:
        raise NotSignedIn(ANOTHERS)


def opened() -> tuple[ReportForm, KnownCustomer | None]:
    """Read a form that is opened: one that was begun before, or one that the address fills in."""
    number = request.args.get("draft", type=int)
    draft = drafts.draft_of(signed_in_user(), number) if number is not None else None
    if draft is None:
        form, known = prefilled()
        form.notes = [*([GONE] if number is not None else []), *form.notes]
        return form, known
    form = form_of(MultiDict(draft.fields))
    form.revision.data = str(draft.revision)
    return form, None


def known_in(form: ReportForm) -> KnownCustomer | None:
    """Say what is known about the customer whom a form names."""
    try:
        customer = filing.customer_picked(form.typed())
    except Invalid:
        return None
    return known_customer(customer, signed_in_user()) if customer is not None else None


def form_of(given: MultiDict[str, str]) -> ReportForm:
    """Read a form from what was sent or kept."""
    offered = catalogue.names().offered
    form = report_form(further_lists.asked(offered), offered, given, {})
    sent = {name: value for name, value in given.items() if name.startswith("list_") and name not in form}
    form.strays = [name.removeprefix("list_")[:60] for name, value in sent.items() if value]
    return form
