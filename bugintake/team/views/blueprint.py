"""What the pages of this room share: their blueprint, and how a form carries a refusal."""

from flask import Blueprint
from wtforms import Form

from bugintake.core.errors import Refusal

bp = Blueprint("team", __name__)


def blame(form: Form, refusal: Refusal) -> None:
    """Show a refusal at the field it names, else above the form."""
    field = form._fields.get(getattr(refusal, "field", None) or "")
    if field is None:
        form.form_errors.append(refusal.sentence)
    else:
        field.errors = [*field.errors, refusal.sentence]
