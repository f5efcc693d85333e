"""A form that the address fills in: a link in a help desk, the side window, another report for the same customer."""

from typing import Any

from flask import request

from bugintake.core.errors import Invalid
from bugintake.core.forms import printable
from bugintake.intake import catalogue, drafts, filing, further_lists, platforms
from bugintake.intake.customers import adding
from bugintake.intake.customers.models import Customer
from bugintake.intake.customers.queries import KnownCustomer, known_customer
from bugintake.intake.filing import Typed
from bugintake.intake.forms import ReportForm, report_form
from bugintake.intake.reports import SOURCE_LENGTH
from bugintake.team.guards import signed_in_user
from bugintake.team.models import LANGUAGES
from bugintake.team.sign_in import browser_named

OWN = frozenset({"draft", "panel", "bug", "customer_id", "found_by_us", "source", "ref", "ua"})
BROWSERS = frozenset({"browser", "operating_system", "os", "device"})  # further lists that a browser's name may fill
SHOWN = 60
MOST = 5


def prefilled() -> tuple[ReportForm, KnownCustomer | None]:
    """Fill every field of the form as the address says, by id, label or alias, and note what could not be.

    Nobody and nothing is added: a customer who is not known stays a name in the field until the form is filed.
    """
    notes: list[str] = []
    values: dict[str, Any] = {name: printable(request.args.get(name, "")) for name in ReportForm.PREFILLED}
    values["found_by_us"] = request.args.get("found_by_us", "") not in ("", "0", "no", "false")
    if values["new_language"] and values["new_language"] not in LANGUAGES:
        notes.append(f"Customers are not written to in “{values['new_language'][:SHOWN]}”.")
        values["new_language"] = ""
    offered = catalogue.names().offered
    lists = further_lists.asked(offered)
    for kind in filing.ASKED:
        values[kind.value] = _chosen(kind, kind.value, notes)
    for further in lists:
        values[f"list_{further.name}"] = _chosen(further.name, f"list_{further.name}", notes, called=further.label)
    _read_browser(values, offered, [each.name for each in lists], notes)
    known = None
    customer = _customer(values["customer"], notes)
    if customer is not None:
        known = known_customer(customer, signed_in_user())
        values |= {"customer": customer.full_name, "customer_id": str(customer.id)}
        used = {"platform": known.platform, "version": known.version}
        filled = {name: str(option.id) for name, option in used.items() if option is not None and not values[name]}
        values |= {**filled, "filled": " ".join(filled)}
    source = printable(request.args.get("ref", "") or request.args.get("source", "")).strip()
    if len(source) > SOURCE_LENGTH:
        notes.append(f"The link to where it came from has more than {SOURCE_LENGTH} characters, so it is left out.")
        source = ""
    form = report_form(lists, offered, None, {**values, "source": source, "key": drafts.new_key(signed_in_user())})
    strange = [name for name in request.args if name not in OWN and name not in values]
    notes += [
        f"This form has no field “{printable(name)[:SHOWN]}”, so what came for it is left out." for name in strange
    ]
    form.notes = notes[:MOST]
    return form, known


def _chosen(kind: str, name: str, notes: list[str], called: str | None = None) -> str:
    given = printable(request.args.get(name, "")).strip()
    try:
        return str(catalogue.choose(kind, given, called=called).id) if given else ""
    except Invalid as refusal:
        notes.append(refusal.sentence)
        return ""


def _read_browser(values: dict[str, Any], offered: Any, lists: list[str], notes: list[str]) -> None:
    """Choose the platform by what a browser says of itself, unless the address chooses one."""
    agent = request.args.get("ua", "")
    if not agent:
        return
    names = {"platform": "platform"} | {name: f"list_{name}" for name in lists if name in BROWSERS}
    found = {field: platforms.meant_by(agent, offered.get(kind, ())) for kind, field in names.items()}
    for field, choice in found.items():
        if choice is not None and not values[field]:
            values[field] = str(choice.id)
    if found["platform"] is None and not values["platform"]:
        notes.append(f"The list of platforms has nothing for {browser_named(agent)}. Choose what comes nearest.")


def _customer(called: str, notes: list[str]) -> Customer | None:
    number = request.args.get("customer_id", "")
    if number:
        picked = filing.customer_picked(Typed(customer_id=number))
        if picked is not None:
            return picked
        notes.append(f"There is no customer with the number “{printable(number)[:SHOWN]}”.")
    if not called:
        return None
    found = adding.customers_called(called)
    if len(found) == 1:
        return found[0]
    if found:
        notes.append(f"{len(found)} customers are called “{called[:SHOWN]}”. Pick the one who is meant.")
    elif "@" in called:
        notes.append(f"{called[:SHOWN]} is new to us. Give the name, and they are added with this report.")
    else:
        notes.append(f"Nobody is called “{called[:SHOWN]}”. Type their e-mail address.")
    return None
