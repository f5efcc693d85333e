"""What the confirmation of a report says of how soon somebody looks."""

from typing import Any

from flask import render_template

from bugintake.core.templating import register_panel
from bugintake.triage import first_looks


def _usually(**_context: Any) -> str:
    minutes = first_looks.usual_minutes()
    return render_template("triage/first_look.html", minutes=minutes) if minutes is not None else ""


register_panel("filed.next", _usually)
