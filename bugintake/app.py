"""The factory: the only module that knows every room."""

from flask import Flask
from flask_babel import Babel

from bugintake import cli
from bugintake.api import views as api
from bugintake.core import access_log, config, db, errors, health, security, templating
from bugintake.core.config import Settings
from bugintake.duty import feed_slots, first_rotation
from bugintake.duty import views as duty
from bugintake.intake import views as intake
from bugintake.intake.catalogue import options_of
from bugintake.intake.models import OptionList
from bugintake.intake.packs import install_pack
from bugintake.loop import asking, duplicates, erasing, known, merging, outcomes, quiet, test_mail, updates, worker
from bugintake.loop import models as loop_models  # noqa: F401  # every table is known before a mapper is used
from bugintake.loop import views as loop
from bugintake.team import setup, start_page
from bugintake.team import views as team
from bugintake.triage import forgetting, returning, rules, said, snoozing
from bugintake.triage import views as triage

babel = Babel()


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application from settings, by default those of the environment. Raises BadSetting."""
    chosen = settings or config.from_environment()
    app = Flask(
        "bugintake",
        static_folder=str(templating.folder("static")),
        template_folder=str(templating.folder("templates")),
    )
    app.config["SQLALCHEMY_DATABASE_URI"] = chosen.database_url
    # What people wrote stays out of the log when a statement fails.
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"hide_parameters": True}
    config.keep(app, chosen)
    access_log.log_requests(app)
    db.connect(app)
    babel.init_app(app, default_translation_directories=str(templating.folder("core/translations")))
    security.secure(app, chosen)
    security.refuse_foreign_host(app, chosen)
    templating.dress(app)
    errors.answer_refusals(app)
    said.listen()
    snoozing.listen()
    returning.listen()  # before anybody is told that it is fixed
    outcomes.listen()
    asking.listen()
    updates.listen()
    known.listen()
    duplicates.listen()
    quiet.listen()
    merging.listen()
    erasing.listen()
    forgetting.listen()
    worker.listen()
    feed_slots.listen()
    rules.listen()
    team.attach(app)
    setup.register_catalogue(lambda areas, pack, actor: install_pack(pack, actor=actor, areas=areas))
    setup.register_duty(first_rotation.preview, first_rotation.begin)
    setup.register_test_mail(test_mail.send, test_mail.answer)
    setup.register_item("Your product's areas", "/setup/product", lambda: bool(options_of(OptionList.AREA)), position=2)
    setup.register_item("Bug duty", "/setup/duty", first_rotation.exists, position=3)
    start_page.register_start(first_rotation.start_of_whoever_is_on_duty)
    app.register_blueprint(duty.bp)
    app.register_blueprint(intake.bp)
    app.register_blueprint(triage.bp)
    loop.attach(app)
    api.init_app(app)
    health.answer_at_healthz(app, worker.last_pulse)
    cli.attach(app)
    return app
