"""What people may type about themselves, each other and the workspace, and in which shape."""

from datetime import date

from wtforms import (
    BooleanField,
    Field,
    HiddenField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    ValidationError,
)
from wtforms.validators import Length, NumberRange, Optional

from bugintake.core.forms import Form, LineField, TextField
from bugintake.team import tokens
from bugintake.team.fields import (
    Address,
    ClockField,
    DayField,
    MinutesField,
    MonthsField,
    ZoneField,
    choices,
    language_field,
    name_field,
    needed,
    password_field,
    whole,
)
from bugintake.team.models import LANGUAGES, Role

ROLES = {
    Role.AGENT: "Agent: files bugs and tells customers",
    Role.ENGINEER: "Engineer: also triages and takes bug duty",
    Role.LEAD: "Lead: also plans the rotation and the catalogue",
    Role.ADMIN: "Admin: also runs the installation",
}
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
PACKS = {"web": "A web app", "mobile": "A mobile app", "api": "An API"}
THEMES = {"": "As the system says", "light": "Light", "dark": "Dark"}
BY_HAND = "by_hand"
IN_TIME = "in_time"


class SignInForm(Form):
    """An address and its password."""

    email = LineField("E-mail", [needed("Enter your e-mail address.")])
    password = PasswordField("Password", [needed("Enter your password.")])
    next = HiddenField()


class ResetRequestForm(Form):
    """Whose password is forgotten."""

    email = LineField("E-mail", [needed("Enter your e-mail address."), Address()])


class NewPasswordForm(Form):
    """A password chosen by a link."""

    password = password_field("New password")


class ChangePasswordForm(Form):
    """A new password, with the one until now."""

    current = PasswordField("Password until now", [needed("Enter your password until now.")])
    password = password_field("New password")


class ProfileForm(Form):
    """How a person is called, and where they are."""

    name = name_field("Name", "Enter your name.")
    zone = ZoneField()
    language = language_field("Language")


class ThemeForm(Form):
    """Light or dark."""

    theme = RadioField("Theme", choices=choices(THEMES.items()))


class DensityForm(Form):
    """How close together bugs stand."""

    density = RadioField("Density", choices=choices({"": "Comfortable", "compact": "Compact"}.items()))


class KeysForm(Form):
    """Whether single keys act."""

    keys = BooleanField("Single keys act, such as j, k, 1 and z")


class InvitationForm(Form):
    """Somebody who will work here."""

    email = LineField("E-mail", [needed("Enter their e-mail address."), Address()])
    name = name_field("Name", "Enter their name.")
    role = RadioField(
        "Role", [needed("Choose a role.")], choices=choices((role.value, text) for role, text in ROLES.items())
    )


class RoleForm(Form):
    """What somebody may do from now on."""

    role = SelectField("Role", choices=choices((role.value, role.value.capitalize()) for role in Role))


class TokenForm(Form):
    """Whom a program acts as, and what it may do."""

    user = SelectField("Acts as", [needed("Choose whom the token acts as.")], coerce=whole)
    scopes = SelectMultipleField(
        "May",
        [needed("Choose at least one thing the token may do.")],
        choices=choices((scope, f"{scope}: {text}") for scope, text in tokens.SCOPES.items()),
    )


class GroupForm(Form):
    """One group of settings; `seen` tells whether somebody changed it meanwhile."""

    seen = HiddenField()


class NamesForm(GroupForm):
    """How customers know us."""

    name = name_field("Name", "Enter a name.")
    sender_name = LineField(
        "Sender of mail", [Length(max=200, message="Use at most 200 characters.")], description="Empty: the name above."
    )
    reply_address = LineField(
        "Answers go to", [Optional(), Address()], description="Where a customer's answer to a mail arrives."
    )


class HoursForm(GroupForm):
    """When somebody works here."""

    zone = ZoneField()
    working_days = SelectMultipleField(
        "Working days",
        [needed("Choose at least one working day.")],
        choices=choices(enumerate(WEEKDAYS)),
        coerce=whole,
    )
    opens_at = ClockField("From", [needed("Enter when work begins, like 09:00.")])
    closes_at = ClockField("Until", [needed("Enter when work ends, like 17:00.")])


class TellingForm(GroupForm):
    """How a fix reaches customers."""

    goes_live_at_once = BooleanField(
        "What is fixed is live at once",
        description="For products without releases: customers hear as soon as it is fixed.",
    )
    confirms_reports = BooleanField(
        "Write to customers that we have their report",
        description="A mail with their own words and the link to follow it, a minute after it is filed.",
    )
    has_public_list = BooleanField(
        "Publish a list of known problems",
        description="At /s, for everybody: only what an agent published of a bug, in a sentence written for it.",
    )
    review = RadioField(
        "Mail goes out",
        choices=choices([(IN_TIME, "by itself, after a review window"), (BY_HAND, "when somebody sends it")]),
    )
    review_minutes = MinutesField(
        "Review window, in working minutes",
        [Optional(), NumberRange(0, 10000, message="Use 0 to 10000 minutes.")],
        description="Until then an agent can edit, hold or send. 0 sends at once.",
    )
    fallback_owner_id = SelectField("Owner where nobody is on duty", coerce=whole)


class LanguagesForm(GroupForm):
    """What customers read."""

    languages = SelectMultipleField(
        "Customers are written to in", [needed("Choose at least one language.")], choices=choices(LANGUAGES.items())
    )
    language = language_field("Where a customer's language is not known")


class DataForm(GroupForm):
    """How long what customers told us is kept."""

    retention_months = MonthsField(
        "Erase customers after",
        [Optional(), NumberRange(1, 240, message="Use 1 to 240 months.")],
        description="Months since everything they told us was closed. Empty: they are kept until somebody erases them.",
    )


class YouForm(Form):
    """The first admin."""

    name = name_field("Your name", "Enter your name.")
    email = LineField("E-mail", [needed("Enter your e-mail address."), Address()])
    password = password_field("Password")
    zone = ZoneField()
    language = language_field("Language", description="What most of your customers read.")


class ProductForm(Form):
    """What the bugs are about."""

    name = name_field(
        "Name",
        "Enter a name.",
        description="Your company or product, as customers know it.",
    )
    pack = RadioField("Lists to start from", choices=choices(PACKS.items()), default="web")
    areas = TextField(
        "Areas, one per line",
        [Length(max=20000, message="Use at most 20000 characters.")],
        description="For example Invoices › PDF export. They replace those of the list. More can follow any time.",
    )


class DutyForm(Form):
    """Who takes bug duty when."""

    members = TextField(
        "People, in turn, one per line",
        [needed("Name at least one person."), Length(max=20000, message="Use at most 20000 characters.")],
        description="Name and address: Mira Novak mira@example.com. Who is not here yet gets an invitation.",
    )
    working_days = SelectMultipleField(
        "Days", [needed("Choose at least one day.")], choices=choices(enumerate(WEEKDAYS)), coerce=whole
    )
    opens_at = ClockField("From", [needed("Enter when duty begins, like 09:00.")])
    closes_at = ClockField("Until", [needed("Enter when duty ends, like 17:00.")])
    first_on = DayField("First day", [needed("Enter the first day.")])

    def validate_closes_at(self, field: Field) -> None:
        """Refuse a day that ends before it begins."""
        if self.opens_at.data and field.data and field.data <= self.opens_at.data:
            raise ValidationError("The day has to end after it begins.")

    def validate_first_on(self, field: Field) -> None:
        """Refuse years nobody means."""
        if field.data and not date(2000, 1, 1) <= field.data <= date(2200, 1, 1):
            raise ValidationError("Choose a day in this century.")
