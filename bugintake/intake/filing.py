"""From what somebody typed or sent to a telling: the customer and the choices behind the words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from bugintake.core.db import db, one_at_a_time
from bugintake.core.errors import Invalid
from bugintake.core.forms import clean_line
from bugintake.intake import attaching, catalogue, drafts, further_lists, proposals, reports
from bugintake.intake.attachments import keeping
from bugintake.intake.customers import adding
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Bug, Option, OptionList, Report
from bugintake.intake.reports import Telling
from bugintake.team.models import User
from bugintake.team.workspace import workspace

ASKED = (
    OptionList.AREA,
    OptionList.SYMPTOM,
    OptionList.IMPACT,
    OptionList.FREQUENCY,
    OptionList.PLATFORM,
    OptionList.VERSION,
)
NOT_CHOSEN = {
    OptionList.AREA: "Choose where it happens.",
    OptionList.SYMPTOM: "Choose what goes wrong.",
    OptionList.IMPACT: "Choose how bad it is for the customer.",
    OptionList.FREQUENCY: "Choose how often it happens.",
    OptionList.PLATFORM: "Choose the platform.",
    OptionList.VERSION: "Choose the version.",
}
WHICH_VERSION = "Choose the version the customer has: it decides whether the bug came back."
UNKNOWN = "Nobody is called that. Type their e-mail address, or write the same as the name of a new customer below."
NOBODY = "Choose the customer, or say that we found it ourselves."


@dataclass(frozen=True, kw_only=True)
class Typed:
    """What was typed, before anybody looked whether it can be."""

    customer: str = ""
    customer_id: str = ""
    new_name: str = ""
    new_company: str = ""
    new_language: str = ""
    is_found_by_us: bool = False
    choices: Mapping[OptionList, str] = field(default_factory=dict)
    not_listed: Mapping[OptionList, str] = field(default_factory=dict)
    further: Mapping[str, int | str] = field(default_factory=dict)
    steps: str = ""
    actual: str = ""
    expected: str = ""
    source: str = ""


def submit(typed: Typed, bug: Bug | None, *, actor: User, key: str | None) -> Report:
    """File what was typed as a new bug, or attach it to a known one; `key` names the form it was typed into.

    The files that were chosen in that form go with it, and its draft goes.

    Raises Invalid with the field that is wrong, Conflict as file_report and attach.
    """
    own_key = keeping.form_of(actor, key) if key else None
    customer = None
    if not typed.is_found_by_us or bug is not None:
        customer = customer_meant(typed, actor=actor, key=own_key)
    chosen = options_chosen(typed, bug)
    telling = Telling(
        customer=customer,
        area=chosen[OptionList.AREA],
        symptom=chosen[OptionList.SYMPTOM],
        impact=chosen[OptionList.IMPACT],
        frequency=chosen[OptionList.FREQUENCY],
        platform=chosen[OptionList.PLATFORM],
        version=chosen[OptionList.VERSION],
        steps=typed.steps,
        actual=typed.actual,
        expected=typed.expected,
        source=typed.source,
        took_seconds=drafts.seconds_since_made(key) if key and bug is None else None,
        choices=further_lists.chosen(typed.further, chosen[OptionList.AREA], is_complete=bug is None),
    )
    if bug is not None:
        report = attaching.attach(bug, telling, actor=actor, key=own_key)
    else:
        report = reports.file_report(telling, actor=actor, key=own_key)
    if own_key is not None:
        keeping.attach(own_key, report)
        drafts.remove(own_key)
    return report


def options_chosen(typed: Typed, bug: Bug | None = None) -> dict[OptionList, Option]:
    """Find every choice by id, label or alias; a word that is not listed is proposed.

    Who attaches to a bug may leave choices out: the bug's own stand for where, what and how bad, "Not sure" for the
    rest; of a live one the version decides whether it came back, so that is not left out. Raises Invalid, naming the
    list, for one that is missing, unknown or retired.
    """
    _held = _read_together(typed.choices)
    return {kind: _option(kind, typed, bug) for kind in ASKED}


def option_known(typed: Typed, kind: OptionList) -> Option | None:
    """Find one choice without proposing anything; nothing where it is a word that nobody used so far.

    Raises Invalid as options_chosen.
    """
    word = typed.not_listed.get(kind)
    return proposals.known(kind, word) if word else _option(kind, typed, None)


def customer_meant(typed: Typed, *, actor: User, key: str | None = None) -> Customer:
    """Find the customer who was picked or typed, adding them where name, company and language were filled in.

    What stands in the field counts, not what was picked before; whom the same submission added already is not added
    again. Raises Invalid where nobody or several are meant.
    """
    known = _customer_known(typed, key)
    return known if known is not None else _added(typed, actor)


def check_customer(typed: Typed, *, key: str | None = None) -> None:
    """Raise Invalid as customer_meant, adding nobody: so that everything wrong with a form is said at once."""
    if _customer_known(typed, key) is None:
        _check_new(typed)


def _customer_known(typed: Typed, key: str | None) -> Customer | None:
    picked = customer_picked(typed)
    if picked is not None:
        return picked
    if not typed.customer and not typed.new_name:
        raise Invalid(NOBODY, "customer")
    called = adding.customers_called(typed.customer)
    if len(called) > 1:
        raise Invalid(f"{len(called)} customers are called that. Pick one, or type the address.", "customer")
    if called:
        return called[0]
    earlier = reports.filed_as(key) if key is not None else None
    if earlier is not None and earlier.customer is not None and earlier.customer.name == typed.new_name:
        return earlier.customer
    return None


def customer_picked(typed: Typed) -> Customer | None:
    """Return the customer who was picked from the list, while their name still stands in the field.

    A record that was merged meanwhile leads to the one that stands for it; nobody picks one that was erased.
    """
    if not (typed.customer_id.isascii() and typed.customer_id.isdigit() and len(typed.customer_id) < 10):
        return None
    customer = db.session.get(Customer, int(typed.customer_id))
    if customer is None or typed.customer not in ("", clean_line(customer.full_name), customer.email):
        return None
    return adding.standing_for(customer) if customer.erased_at is None else None


def _check_new(typed: Typed) -> None:
    if "@" in typed.customer:
        address = adding.normalise_address(typed.customer)
        if not typed.new_name:
            raise Invalid(f"{address} is new to us. Give the name, and they are added.", "name")
    elif not typed.new_name or typed.customer not in ("", typed.new_name):
        raise Invalid(UNKNOWN, "customer")
    elif adding.customers_called(typed.new_name):
        raise Invalid(f"There is already a customer called {typed.new_name}: type the name here.", "customer")


def _added(typed: Typed, actor: User) -> Customer:
    if "@" not in typed.customer:
        one_at_a_time(f"customer {typed.new_name}")
    _check_new(typed)
    if "@" in typed.customer:
        return adding.known_or_new(
            typed.customer,
            name=typed.new_name,
            language=typed.new_language,
            company=typed.new_company,
            default=workspace().language,
            actor=actor,
        )
    account = adding.account_named(typed.new_company) if typed.new_company else None
    language = typed.new_language or workspace().language
    return adding.add_customer(email=None, name=typed.new_name, language=language, actor=actor, account=account)


def _read_together(given: Mapping[OptionList, str]) -> Sequence[Option]:
    """Read the choices given by id with one query; while they are held, choose() finds them without asking.

    Whoever merges one of them waits until this transaction ends, so that the report follows too.
    """
    ids = [int(each) for each in given.values() if each.isascii() and each.isdigit() and len(each) < 10]
    return db.session.scalars(_TOGETHER, {"ids": ids}).all() if ids else []


_TOGETHER = sa.select(Option).where(Option.id.in_(sa.bindparam("ids", expanding=True)))
_TOGETHER = _TOGETHER.order_by(Option.id).with_for_update(read=True, key_share=True)


def _option(kind: OptionList, typed: Typed, bug: Bug | None) -> Option:
    if typed.choices.get(kind):
        return catalogue.choose(kind, typed.choices[kind])
    if typed.not_listed.get(kind):
        return proposals.propose(kind, typed.not_listed[kind])
    if bug is not None and kind == OptionList.VERSION and attaching.asks_version(bug):
        raise Invalid(WHICH_VERSION, kind.value)
    if bug is not None:
        own = {OptionList.AREA: bug.area, OptionList.SYMPTOM: bug.symptom, OptionList.IMPACT: bug.impact}
        stands_in = own.get(kind) or catalogue.not_sure(kind)
        if stands_in is not None:
            return stands_in
    raise Invalid(NOT_CHOSEN[kind], kind.value)
