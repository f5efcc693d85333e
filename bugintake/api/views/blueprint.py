"""The blueprint of /api/v1 and what makes its document."""

from typing import Any

from flask import Blueprint as FlaskBlueprint
from flask import Flask, Request
from flask_smorest import Api, Blueprint
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest


class HouseParser(FlaskParser):
    """Reads what a program sent; JSON that is nested too deeply is refused as unreadable."""

    def load_json(self, req: Request, schema: Any) -> Any:
        """Read the body. Raises BadRequest."""
        try:
            return super().load_json(req, schema)
        except RecursionError:
            raise BadRequest from None


class HouseBlueprint(Blueprint):  # type: ignore[misc]  # flask-smorest has no types
    """A blueprint that reads with the parser of the house."""

    ARGUMENTS_PARSER = HouseParser()


pages = FlaskBlueprint("api_pages", __name__)


class HouseApi(Api):  # type: ignore[misc]  # flask-smorest has no types
    """The API without handlers of its own: refusals are answered in one place for pages and programs."""

    def _register_error_handlers(self) -> None:
        """Leave errors to core.errors."""


api = HouseApi()
bp = HouseBlueprint("api", "api", url_prefix="/api/v1", description="File, move and tell, as the pages do.")


def init_app(app: Flask) -> None:
    """Attach the API to an app."""
    app.config.update(API_TITLE="bugintake", API_VERSION="v1", OPENAPI_VERSION="3.1.0")
    security: dict[str, Any] = {"components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}}}
    app.json.sort_keys = False  # type: ignore[attr-defined]  # lists and fields come in their own order
    api.init_app(app, spec_kwargs={**security, "security": [{"token": []}]})
    api.register_blueprint(bp)
    app.register_blueprint(pages)
