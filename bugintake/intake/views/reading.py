"""What a request says about a form: sent, begun before, or filled in by the address."""

from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict

from bugintake.core.errors import Invalid
from bugintake.intake import catalogue, drafts, filing, further_lists
from bugintake.intake.customers import adding
from bugintake.intake.customers.queries import KnownCustomer, known_customer
from bugintake.intake.filing import Typed
from bugintake.intake.forms import ReportForm, report_form
from bugintake.intake.models import OptionList
from bugintake.intake.views import chosen_files
from bugintake.team.guards import NotSignedIn, signed_in_user

GONE = "What was begun is not here any more: it was filed or discarded, or two weeks have passed."
ANOTHERS = "This form was begun by somebody else, so nothing of it was done."


def sent() -> ReportForm:
    """Read the form that was sent, and keep the files in it. Raises NotSignedIn as check_owner."""
    check_owner()
    form = _form(request.form)
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
        form, known = _prefilled()
        form.notes = [GONE] if number is not None else []
        return form, known
    form = _form(MultiDict(draft.fields))
    form.revision.data = str(draft.revision)
    return form, None


def known_in(form: ReportForm) -> KnownCustomer | None:
    """Say what is known about the customer whom a form names."""
    try:
        customer = filing.customer_picked(form.typed())
    except Invalid:
        return None
    return known_customer(customer, signed_in_user()) if customer is not None else None


def _form(given: MultiDict[str, str] | None, **values: Any) -> ReportForm:
    offered = catalogue.names().offered
    form = report_form(further_lists.asked(offered), offered, given, values)
    sent = {name: value for name, value in (given or {}).items() if name.startswith("list_") and name not in form}
    form.strays = [name.removeprefix("list_")[:60] for name, value in sent.items() if value]
    return form


def _prefilled() -> tuple[ReportForm, KnownCustomer | None]:
    given = {name: request.args.get(name, "") for name in ReportForm.PREFILLED}
    chosen = {kind.value: _chosen(kind) for kind in filing.ASKED}
    known = None
    if given["customer"] or request.args.get("customer_id"):
        picked = filing.customer_picked(Typed(customer_id=request.args.get("customer_id", "")))
        called = [picked] if picked is not None else adding.customers_called(given["customer"])
        if len(called) == 1:
            known = known_customer(called[0], signed_in_user())
            given |= {"customer": called[0].full_name, "customer_id": str(called[0].id)}
            used = {"platform": known.platform, "version": known.version}
            chosen |= {name: str(option.id) for name, option in used.items() if option and not chosen[name]}
    source = request.args.get("ref", "") or request.args.get("source", "")
    return _form(None, **given, **chosen, source=source, key=drafts.new_key(signed_in_user())), known


def _chosen(kind: OptionList) -> str:
    given = request.args.get(kind.value, "")
    try:
        return str(catalogue.choose(kind, given).id) if given else ""
    except Invalid:
        return given
