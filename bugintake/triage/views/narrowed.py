"""What board and list share: the form that narrows them, and searching from anywhere."""

import re
from typing import Any
from urllib.parse import urlencode

from flask import get_template_attribute, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from bugintake.core.errors import NotFound
from bugintake.core.forms import clean_line
from bugintake.core.kept import kept
from bugintake.core.templating import choose
from bugintake.intake.customers.queries import plans
from bugintake.intake.models import Status
from bugintake.intake.queries import bug_or_404
from bugintake.team.guards import signed_in, signed_in_user
from bugintake.team.people import names
from bugintake.triage.chips import chips, company_of, customer_of
from bugintake.triage.filters import LONGEST, number_in
from bugintake.triage.palette import EACH, found
from bugintake.triage.saved_views import views_of
from bugintake.triage.search import Asked
from bugintake.triage.sorting import Sort
from bugintake.triage.views import bp
from bugintake.triage.written import HELP, suggestions

_REF = re.compile(r"BUG-[1-9][0-9]{0,8}", re.IGNORECASE | re.ASCII)


@bp.get("/search")
@signed_in
def search() -> ResponseReturnValue:
    """Go to the bug that was named, else to the list of those that match."""
    typed = request.args.get("q", "")
    return redirect(place_of(typed) or url_for("triage.bugs", q=typed or None))


@bp.get("/search/suggestions")
@signed_in
def suggested() -> ResponseReturnValue:
    """Answer with how a search that is being typed may go on."""
    typed = request.args.get("q", "")
    found = suggestions(clean_line(typed), signed_in_user()) if not typed.endswith(" ") else []
    return jsonify(items=[each._asdict() for each in found])


@bp.get("/palette")
@signed_in
def palette() -> ResponseReturnValue:
    """Answer with what may be meant by what is typed at the top of a page; `opened` numbers the bugs opened last."""
    typed = clean_line(request.args.get("q", ""))[:LONGEST]
    opened = [number for part in request.args.get("opened", "").split(".") if (number := number_in(part))]
    groups = found(typed, opened[:EACH], signed_in_user())
    return jsonify(groups=[{"name": group.name, "rows": [row._asdict() for row in group.rows]} for group in groups])


def place_of(typed: str) -> str | None:
    """Return the address of the bug that was named and nothing else, if there is one for this person."""
    ref = clean_line(typed)
    try:
        bug = bug_or_404(ref, signed_in_user()) if _REF.fullmatch(ref) else None
    except NotFound:
        return None
    return url_for("triage.show", ref=bug.ref) if bug is not None else None


def narrowed(endpoint: str, asked: Asked) -> dict[str, Any]:
    """Say what the form shows that board and list share."""
    ref = asked.filters.text
    told = chips(asked.filters)
    unknown = [f"There is no {ref.upper()}, or you may not see it."] if _REF.fullmatch(ref) else []
    return {
        "endpoint": endpoint,
        "filters": asked.filters,
        "company": company_of(asked.filters),
        "told_by": customer_of(asked.filters),
        "said": unknown + asked.said,
        "chips": told,
        "me": signed_in_user(),
        "shown": (tuple(Status), tuple(HELP.items()), tuple(chip.words for chip in told)),
        "sorts": list(Sort),
        "views": views_of(signed_in_user().id),
        "asked_for": urlencode(asked.filters.address(), doseq=True),
    }


@bp.app_template_global()
def people_options(chosen: str) -> Markup:
    """Draw everybody who works here or did, for a select, one of them chosen."""
    return choose(_people(), chosen)


@kept
def _people() -> str:
    return str(get_template_attribute("triage/_filters.html", "people")(list(names().values())))


@bp.app_template_global()
def plan_options(chosen: str) -> Markup:
    """Draw the plans that companies have, for a select, one of them chosen."""
    return choose(_plans(), chosen)


@kept
def _plans() -> str:
    return str(get_template_attribute("triage/_filters.html", "plans")(plans()))
