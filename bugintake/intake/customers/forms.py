"""The forms of customers: what is known of a person and of a company, and a note on either."""

from collections.abc import Sequence
from typing import Any

from wtforms import BooleanField, HiddenField, SelectField

from bugintake.core.forms import Form, KeptLine, KeptText, zone_names
from bugintake.intake.customers.changing import NO, YES
from bugintake.intake.customers.models import NO_MASK
from bugintake.team.fields import choices
from bugintake.team.models import LANGUAGES, User

IDS = "One in a line, the system first: crm: 4711"
QUIET = "No mail leaves before this day; what is owed waits, and leaves by itself then."


class _Details(Form):
    form_errors: list[str]

    def show(self, shown: dict[str, Any]) -> None:
        """Fill in what is known now."""
        for field in self:
            field.data = shown[field.name] == YES if isinstance(field, BooleanField) else shown[field.name]

    def typed(self) -> dict[str, str]:
        """Return what was typed, by field."""
        said = {True: YES, False: NO}
        return {field.name: said[field.data] if isinstance(field, BooleanField) else field.data or "" for field in self}

    def refuse(self, sentence: str, name: str | None = None) -> None:
        """Put a sentence at a field, or at the top where it belongs to none."""
        if name in self:
            self[name].errors = [*self[name].errors, sentence]
        else:
            self.form_errors = [*self.form_errors, sentence]


class CustomerForm(_Details):
    """What is known of a person. Who reads addresses masked does not change them."""

    name = KeptLine("Name")
    email = KeptLine("E-mail", description="A new address ends the private links that were sent to the old one.")
    company = KeptLine("Company")
    language = SelectField("Writes in", choices=lambda: choices(LANGUAGES.items()))
    zone = SelectField("Time zone", validate_choice=False)
    quiet_until = KeptLine("Quiet until", description=QUIET)
    ids = KeptText("Numbers in other systems", description=IDS)

    def open_to(self, viewer: User) -> "CustomerForm":
        """Leave out what this person reads masked."""
        self.zone.choices = choices([("", "Not known"), *((name, name.replace("_", " ")) for name in zone_names())])
        if viewer.role not in NO_MASK:
            del self.email
        return self


class AccountForm(_Details):
    """What is known of a company."""

    name = KeptLine("Name")
    plan = KeptLine("Plan")
    own_version = BooleanField(
        "They run a version of their own",
        description="They have a fix only once they have updated, so they are told which version it is in.",
    )
    owner = SelectField(
        "Looked after by",
        validate_choice=False,
        description="Gets a mail when its people are told how a bug ended, and when mail does not reach them.",
    )
    quiet_until = KeptLine("Quiet until", description=QUIET)
    ids = KeptText("Numbers in other systems", description=IDS)

    def offering(self, colleagues: Sequence[User]) -> "AccountForm":
        """Offer these colleagues as who looks after the company."""
        self.owner.choices = choices([("", "Nobody"), *((person.email, person.name) for person in colleagues)])
        return self


class NoteForm(Form):
    """A note for the team."""

    text = KeptText("Write a note", description="For the team: no customer reads it.")


class CrowdForm(_Details):
    """Many customers at once: addresses, or a company, and what all of them saw."""

    key = HiddenField()
    addresses = KeptText(
        "Addresses", description="In lines or with commas, also as Hana Kovač <hana@example.com>. At most 500."
    )
    company = KeptLine("Or everybody of a company")
    version = SelectField("Version all of them have", choices=[], validate_choice=False, default="")
    actual = KeptText("What happened to all of them")

    def who(self) -> tuple[str, str]:
        """Return the addresses and the company as typed."""
        return self.addresses.data or "", self.company.data or ""


class LinkForm(_Details):
    """A link to another system."""

    label = KeptLine("Name")
    system = KeptLine("System", description="As it stands in the numbers: crm")
    url = KeptLine("Address", description="https://crm.example.com/people/{external_id}")
