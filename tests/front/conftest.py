"""The parts of the front end on pages of their own: real templates, styles, scripts and headers, no product behind."""

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, Response, flash, jsonify, render_template, request
from flask_babel import Babel
from flask_wtf.csrf import CSRFProtect
from jinja2 import StrictUndefined
from werkzeug.serving import make_server
from wtforms import HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Optional

from bugintake.core import templating
from bugintake.core.forms import Form
from bugintake.core.security import HEADERS
from bugintake.intake.models import Status
from bugintake.team.models import Role, User

PEOPLE = ["Hana Kovač", "Hannes Vogt", "Ivana Marić", "Sam Okafor", "Jelena Petrović"]
AREAS = [
    SelectChoice("1", "Invoices › PDF export", {"data-a": "print,bill,račun", "data-k": "38 in 90 days"}),
    SelectChoice("2", "Invoices › Sending by e-mail"),
    SelectChoice("3", "Sign-in › Password reset", {"data-a": "pwd,rst"}),
    SelectChoice("4", "Straße & <b>Łódź</b>"),
    *(SelectChoice(str(n), f"Module {n} › Page {n}") for n in range(5, 201)),
]
SYMPTOMS = [
    SelectChoice("1", "Shows an error message"),
    SelectChoice("2", "Shows or saves the wrong thing"),
    SelectChoice("3", "Looks wrong"),
]
IMPACTS = [
    SelectChoice("1", "Cannot work", {"data-rank": 1, "data-d": "Main job blocked, no way round"}),
    SelectChoice("2", "Hard to work", {"data-rank": 2, "data-d": "Blocked, but there is a way round"}),
    SelectChoice("3", "Annoying", {"data-rank": 3, "data-d": "Slower or confusing"}),
    SelectChoice("4", "Looks off", {"data-rank": 4, "data-d": "Cosmetic only"}),
]
FREQUENCIES = [SelectChoice("1", "Always"), SelectChoice("2", "Sometimes"), SelectChoice("3", "Not sure")]
PLATFORMS = [SelectChoice("1", "Chrome on Windows"), SelectChoice("2", "Safari on Mac")]
VERSIONS = [SelectChoice("1", "4.12.1"), SelectChoice("2", "4.12.0")]


TAKEN = "<!doctype html><html lang=en><title>taken</title><link rel=icon href=/static/favicon.svg><h1>taken</h1>"


class Sample(Form):
    """The form to file a bug, as far as the parts are concerned."""

    customer = StringField("Customer")
    customer_id = HiddenField()
    area = SelectField("Where", [InputRequired("Choose where it happens")], choices=AREAS)
    symptom = SelectField("What goes wrong", [InputRequired("Choose what goes wrong")], choices=SYMPTOMS)
    impact = RadioField("How bad is it for the customer?", [InputRequired("Choose how bad it is")], choices=IMPACTS)
    frequency = SelectField("How often", choices=FREQUENCIES)
    platform = SelectField("Platform", choices=PLATFORMS)
    version = SelectField("Version", [Optional()], choices=VERSIONS)
    steps = TextAreaField("Steps to see it")
    actual = TextAreaField("What happened", [InputRequired("Write what happened instead")])
    expected = TextAreaField("What should have happened")


class Site:
    """The address of the sample pages, and what they posted."""

    def __init__(self) -> None:
        self.url = ""
        self.posted: list[tuple[str, dict[str, str]]] = []
        self.chosen: list[str] = []
        self.drafts: list[dict[str, str]] = []
        self.delay = threading.Event()
        self.delay.set()
        self.board = [("BUG-1", "new", "1"), ("BUG-2", "new", "1"), ("BUG-3", "accepted", "1")]
        self.etag = '"one"'
        self.found: dict[str, list[dict[str, Any]]] = {}


def _app(site: Site) -> Flask:
    app = Flask("samples", template_folder=str(Path(__file__).parent / "pages"))
    app.static_folder = str(templating.folder("static"))
    app.jinja_loader.searchpath.append(str(templating.folder("templates")))  # type: ignore[union-attr]
    app.config.update(SECRET_KEY="for samples", WTF_CSRF_CHECK_DEFAULT=False)
    templating.dress(app)
    app.jinja_env.undefined = StrictUndefined
    Babel(app)
    CSRFProtect(app)
    person = User(id=1, email="tin@example.com", name="Tin Jurić", role=Role.ADMIN, has_keys=True)
    app.jinja_env.globals.update(
        current_user=person,
        workspace_is_sample=True,
        nav_items=lambda: [
            SimpleNamespace(label="Board", url="/page/board.html", key="b", count=None, is_current=True),
            SimpleNamespace(label="Duty", url="/page/toast.html", key="d", count=None, is_current=False),
            SimpleNamespace(label="Loop", url="/page/loop.html", key="l", count=lambda: 3, is_current=False),
        ],
        Status=Status,
        bugs=lambda: site.board,
        panels=lambda place, **context: "",
    )

    @app.get("/files")
    def files() -> Response:
        return jsonify(items=[])

    @app.get("/page/<name>")
    def show(name: str) -> Response:
        form = Sample(request.args)
        if name == "toast.html":
            flash({"text": "BUG-12 is accepted.", "undo": "/bugs/BUG-12/undo"})
        if "refused" in request.args:
            form.validate()
        response = app.make_response(render_template(name, form=form))
        if name == "board.html":
            response.set_etag(site.etag.strip('"'))
        return response.make_conditional(request)

    @app.post("/page/<name>")
    @app.post("/bugs/<name>/<verb>")
    def take(name: str, verb: str = "") -> Response:
        site.posted.append((request.path, request.form.to_dict()))
        site.chosen = request.form.getlist("bug")
        return app.make_response(TAKEN)

    @app.post("/drafts")
    def drafts() -> Response:
        site.drafts.append(request.form.to_dict())
        return jsonify(sentence="Draft saved 10:42", key=request.form["key"], revision=str(len(site.drafts)))

    @app.get("/customers")
    def customers() -> Response:
        site.delay.wait(5)
        words = request.args["q"].lower()
        found = [(n, name) for n, name in enumerate(PEOPLE, 1) if words in name.lower()]
        return jsonify(
            items=[{"value": str(n), "label": f"{name}, Brightline", "hint": "Business"} for n, name in found]
        )

    @app.get("/similar")
    def similar() -> Response:
        item = {"status": "in_progress", "status_label": "In progress", "people_waiting": 12, "age": "9 d"}
        refs = ("BUG-142", "BUG-131") if request.args["area"] == "1" else ()
        return jsonify(
            items=[
                {
                    **item,
                    "ref": ref,
                    "title": "Tax line is <missing>",
                    "why": "Same area and symptom",
                    "attach_url": f"/bugs/{ref}/attach",
                }
                for ref in refs
            ]
        )

    for endpoint in ("intake.new", "team.settings"):
        app.add_url_rule(f"/{endpoint}", endpoint, lambda: "")
    for endpoint in ("team.sign_out", "team.remove_sample"):
        app.add_url_rule(f"/{endpoint}", endpoint, lambda: "", methods=["POST"])
    app.add_url_rule("/search", "triage.search", lambda: TAKEN.replace("taken", request.args["q"]))
    app.add_url_rule("/palette", "triage.palette", lambda: jsonify(groups=site.found.get(request.args["q"], [])))
    app.add_url_rule("/bugs/<ref>", "triage.show", lambda ref: TAKEN.replace("taken", ref))
    app.after_request(lambda response: (response.headers.extend(HEADERS), response)[1])
    return app


@pytest.fixture(scope="session")
def _served() -> Iterator[Site]:
    site = Site()
    server = make_server("127.0.0.1", 0, _app(site), threaded=True)
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def site(_served: Site) -> Site:
    """The served samples, as if nobody had used them."""
    fresh = Site()
    fresh.url = _served.url
    _served.__dict__.update({**fresh.__dict__, "url": _served.url})
    return _served


@pytest.fixture
def visit(page: Any, site: Site) -> Any:
    """Open a sample page."""

    def open_page(name: str) -> Any:
        page.goto(f"{site.url}/page/{name}")
        return page

    return open_page
