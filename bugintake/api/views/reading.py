"""The catalogue, look-alikes, the API's document, and a page to read it."""

from typing import Any

from flask import current_app, jsonify, render_template
from flask.typing import ResponseReturnValue

from bugintake.api import arguments, schemas
from bugintake.api.queries import bug_facts
from bugintake.api.views.blueprint import api, bp, pages
from bugintake.intake import catalogue, further_lists, similar
from bugintake.intake.models import OptionList
from bugintake.team.guards import public, signed_in_user, token_required
from bugintake.team.tokens import READ


@bp.route("/catalogue")
@token_required(READ)
@bp.response(200, schemas.CatalogueSchema)
def show_catalogue() -> dict[str, Any]:
    """List the choices of every list that new reports may use."""
    choices = catalogue.choices()
    names = [*OptionList, *(each.name for each in further_lists.lists())]
    return {str(name): choices.get(name, []) for name in names}


@bp.route("/similar")
@token_required(READ)
@bp.arguments(arguments.SimilarArgs, location="query")
@bp.response(200, schemas.SimilarSchema)
def show_similar(args: dict[str, Any]) -> dict[str, Any]:
    """List known bugs that may be the same one, and why."""
    area = catalogue.choose(OptionList.AREA, args["area"])
    symptom = catalogue.choose(OptionList.SYMPTOM, args["symptom"]) if args["symptom"] else None
    found = similar.look_alikes(area, symptom, args["text"], actor=signed_in_user())
    return {"items": [{"bug": bug_facts(like.bug), "why": like.why, "score": like.score} for like in found]}


@bp.route("/openapi.json")
@public
def openapi() -> ResponseReturnValue:
    """Give the API's document, OpenAPI 3.1."""
    return jsonify(document())


def document() -> dict[str, Any]:
    """Build the API's document from the routes and schemas."""
    spec: dict[str, Any] = api.spec.to_dict()
    spec["paths"].pop("/api/v1/openapi.json", None)
    return spec


@pages.get("/api/docs")
@public
def docs() -> ResponseReturnValue:
    """Show the API's document as a page."""
    spec = document()
    calls = [
        {"method": method.upper(), "path": path, **call}
        for path, methods in sorted(spec["paths"].items())
        for method, call in methods.items()
        if method != "parameters"
    ]
    return render_template("api/docs.html", spec=spec, calls=calls, version=current_app.config["API_VERSION"])
