"""What Fakturo did to its form, and what it wrote down about its customers."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

from bugintake.cli import fakturo
from bugintake.cli.fakturo import ANA, DIEGO, JONAS, LEA, LUKA, MIRA, PETRA, TIN, Calendar, Person, Scene
from bugintake.cli.fakturo_company import Company
from bugintake.core import clock
from bugintake.core.db import db
from bugintake.core.forms import Seen
from bugintake.intake import catalogue, crowds, further_lists, option_editing, proposals
from bugintake.intake.customers import adding, changing, link_templates
from bugintake.intake.customers.models import Account, Customer
from bugintake.intake.further_lists import Terms
from bugintake.intake.models import Option, OptionList
from bugintake.loop import known
from bugintake.team import workspace as settings

OWNERS = {
    "Invoices › PDF export": MIRA,
    "Invoices › Numbering": MIRA,
    "Payments › Bank import": TIN,
    "Sign-in › Single sign-on": TIN,
    "Taxes › VAT return": JONAS,
    "Integrations › Web shop": ANA,
}
MEANT = {
    "Invoices › PDF export": "The frame of the logo always has one shape, so that the address stays in the window of "
    "the envelope. Colours are printed as CMYK.",
    "Invoices › Numbering": "The number of an invoice that was sent never changes: the tax office asks for it.",
    "Payments › Bank import": "Reads CSV, CAMT.053 and Norma 43. A statement in PDF is for reading.",
}
HELP_DESK = {"Hana": "4812", "Jürgen": "4790", "Lucía": "4835", "Ole": "4901", "Grace": "4877", "Mateo": "4766"}


OUTAGE = {
    "en": "Signing in with a company account does not work for some companies.",
    "de": "Die Anmeldung mit dem Firmenkonto funktioniert bei einigen Firmen nicht.",
    "es": "El inicio de sesión con la cuenta de empresa no funciona en algunas empresas.",
}


def form(c: Company, when: Calendar) -> Iterator[Scene]:
    """Tell how the form grew: owners, what is meant to be so, words that were missing, and a further list."""
    yield when.day(30, "11:00"), partial(_give_areas, c)
    yield when.day(17, "09:20"), partial(_write_what_is_meant, c)
    yield when.day(16, "14:00"), partial(_ask_for_template, c)
    yield when.day(25, "09:15"), partial(_decide, c, "Internet Explorer 11")
    yield when.day(13, "09:30"), partial(_decide, c, "Opera on Windows", label="Opera")
    yield when.day(12, "09:10"), partial(_decide, c, "Galaxy tablet", into=fakturo.ANDROID)


def customers(c: Company, when: Calendar) -> Iterator[Scene]:
    """Tell what is known of customers: their numbers elsewhere, what was agreed with them, and who is away."""
    yield when.day(30, "12:00"), partial(_link_systems, c)
    yield (
        when.day(20, "15:05"),
        partial(_note, c, DIEGO, "Óptica Luz", "Calls our dashboard “the screen in the shop”. Ask for Inés first."),
    )
    yield (
        when.day(10, "09:45"),
        partial(
            _note, c, LEA, "Steinbach Logistik", "Their IT answers for all branches: call Kathrin, not the branch."
        ),
    )
    yield (
        when.day(4, "16:40"),
        partial(_note, c, LEA, "Gärtnerei Lenz", "Planting season. They read mail in the evening."),
    )
    yield when.day(2, "11:10"), partial(_quiet, c, LEA, "Heike", 12, "On holiday. Gudrun decides meanwhile.")
    yield when.day(1, "09:05"), partial(_quiet, c, DIEGO, "Huerta Verde", 20, "Harvest: no mail before it is in.")


def outage(c: Company, when: Calendar) -> Iterator[Scene]:
    """Tell of an outage: everybody who called waits for the same bug at once."""
    people = ["Ruth", "Dev", "Amara", "Chloe"]
    yield when.ago(12), partial(_attach_all, c, "sso", people, "Steinbach Logistik")


def known_problems(c: Company, when: Calendar) -> Iterator[Scene]:
    """Tell what is published for everybody, so that not everybody calls."""
    yield when.ago(11), partial(_publish, c, "sso", OUTAGE)


STORIES = (form, customers, outage, known_problems)


def _give_areas(c: Company) -> None:
    for label, person in OWNERS.items():
        _edit(c, label, {"owner": c.users[person]})


def _write_what_is_meant(c: Company) -> None:
    for label, note in MEANT.items():
        _edit(c, label, {"intended": note})


def _edit(c: Company, area: str, typed: Mapping[str, object]) -> None:
    option_editing.edit(c.options[OptionList.AREA][area], typed, Seen(), actor=c.users[LUKA])


def _ask_for_template(c: Company) -> None:
    areas = [c.options[OptionList.AREA]["Invoices › PDF export"]]
    labels = {"en": "Invoice template", "de": "Rechnungsvorlage", "es": "Plantilla de factura"}
    terms = Terms(label=labels["en"], labels=labels, is_required=True, grows=True, areas=areas)
    found = further_lists.add_list(terms, actor=c.users[LUKA])
    for label in ("Classic", "Modern", "Letterhead"):
        catalogue.add_option(found.name, label, actor=c.users[LUKA])
    catalogue.add_option(found.name, "Not sure", actor=c.users[LUKA], is_unsure=True)


def _decide(c: Company, word: str, label: str = "", into: str = "") -> None:
    """Put a word on the list of platforms, say what it is another name of, or turn it down."""
    platforms, luka = c.options[OptionList.PLATFORM], c.users[LUKA]
    proposed = _proposed(word)
    if label:
        proposals.accept(proposed, label, actor=luka)
        platforms[label] = proposed
    elif into:
        proposals.make_alias(proposed, platforms[into], actor=luka)
    else:
        proposals.decline(proposed, None, actor=luka)


def _proposed(word: str) -> Option:
    found = catalogue.option_labelled(OptionList.PLATFORM, word)
    assert found is not None
    return found


OF_LEA = ("Steinbach Logistik", "Gärtnerei Lenz")


def _link_systems(c: Company) -> None:
    petra = c.users[PETRA]
    link_templates.add("CRM", "crm", "https://crm.fakturo.example/companies/{external_id}", actor=petra)
    link_templates.add("Help desk", "desk", "https://help.fakturo.example/people/{external_id}", actor=petra)
    for number, company in enumerate(fakturo.ACCOUNTS, 1001):
        changing.change_account(adding.account_named(company), {"ids": f"crm: {number}"}, Seen(), actor=petra)
    for company in OF_LEA:
        changing.change_account(adding.account_named(company), {"owner": c.users[LEA].email}, Seen(), actor=petra)
    for caller, desk in HELP_DESK.items():
        changing.change_customer(c.callers[caller], {"ids": f"desk: {desk}"}, Seen(), actor=petra)


def _note(c: Company, by: Person, about: str, text: str) -> None:
    changing.write_note(_record(c, about), text, actor=c.users[by])


def _quiet(c: Company, by: Person, about: str, days: int, why: str) -> None:
    record = _record(c, about)
    until = clock.today(ZoneInfo(fakturo.ZONE)) + timedelta(days=days)
    changes = {"quiet_until": until.isoformat()}
    if isinstance(record, Customer):
        changing.change_customer(record, changes, Seen(), actor=c.users[by])
    else:
        changing.change_account(record, changes, Seen(), actor=c.users[by])
    changing.write_note(record, why, actor=c.users[by])


def _record(c: Company, about: str) -> Customer | Account:
    return c.callers.get(about) or adding.account_named(about)


def _attach_all(c: Company, key: str, people: list[str], company: str) -> None:
    db.session.flush()
    addresses = "\n".join(c.callers[name].email or "" for name in people)
    crowd = crowds.meant(c.bug(key), addresses, company)
    crowds.attach_all(c.bug(key), crowd, words="", languages={}, actor=c.users[LEA], key="outage")


def _publish(c: Company, key: str, sentences: Mapping[str, str]) -> None:
    settings.change(settings.workspace(), {"has_public_list": True}, actor=c.users[PETRA])
    known.publish(c.bug(key), sentences, actor=c.users[LEA])
