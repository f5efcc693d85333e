"""The pages of intake: filing a bug, attaching a customer to a known one, customers, and the catalogue."""

import json
from typing import Any

from flask import Blueprint, get_template_attribute, render_template
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup

from bugintake.core.config import settings
from bugintake.core.kept import kept
from bugintake.core.pages import register_page
from bugintake.core.templating import choose, register_panel
from bugintake.intake import form_use as figures
from bugintake.intake.catalogue import names
from bugintake.intake.models import OptionList
from bugintake.intake.reports import SOURCE_LENGTH
from bugintake.team.guards import is_lead
from bugintake.team.models import Role

bp = Blueprint("intake", __name__)

from bugintake.intake.views import (  # noqa: E402, F401  # each adds its routes
    catalogue,
    confirming,
    crowds,
    customer_details,
    customer_files,
    customer_merging,
    customers,
    drafts,
    files,
    filing,
    form_use,
    github_forms,
    importing,
    link_templates,
    lists,
    merging,
    proposals,
)


@kept
def _offered(kind: OptionList) -> str:
    return str(get_template_attribute("core/macros.html", "options")(names().offered[kind]))


@kept
def _retired(kind: OptionList) -> str:
    every = [each for each in names().choices.values() if each.list == kind and each.merged_into_id is None]
    gone = [each._replace(label=_("%(label)s, not offered", label=each.label)) for each in every if each.is_retired]
    return str(get_template_attribute("core/macros.html", "options")(gone))


@bp.app_template_global()
def catalogue_options(kind: OptionList, chosen: int | None = None, with_retired: bool = False) -> Markup:
    """Draw the choices of a list for a select, one of them chosen; the rest is the same on every page, and kept.

    With `with_retired` those that are no longer offered come last, as old bugs have them.
    """
    return choose(_offered(kind) + (_retired(kind) if with_retired else ""), chosen)


def _menu(**_context: Any) -> str:
    role = current_user.can if current_user.is_authenticated else lambda _role: False
    to_decide = figures.to_decide().total if role(Role.LEAD) else 0
    words = {"keeps_lists": role(Role.LEAD), "is_admin": role(Role.ADMIN), "to_decide": to_decide}
    return render_template("intake/menu.html", **words)


BOOKMARK = (
    "javascript:(()=>{const u=new URL(%s);u.search=new URLSearchParams({panel:1,ref:location.href.slice(0,%d)});"
    "open(u,'bugintake','width=380,height=860')})()"
)


def _side_window(**_context: Any) -> str:
    address = json.dumps(f"{settings().base_url}/new")
    return render_template("intake/side_window.html", bookmark=BOOKMARK % (address, SOURCE_LENGTH))


register_panel("topbar.menu", _menu)
register_page("Take customers in from a file", "intake.import_customers")
register_page("Catalogue: proposed by agents", "intake.proposed", is_lead)
register_page("How the form does", "intake.form_use", is_lead)
register_page("Catalogue: further lists", "intake.further", is_lead)
register_panel("settings", _side_window)
register_panel("bug.told", link_templates.links_of_bug)
