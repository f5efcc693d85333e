"""Asking an agent to word an announcement, and asking nobody any more."""

import re

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.loop import asked_words
from bugintake.loop.models import Announcement
from bugintake.loop.views.announcements import act
from bugintake.loop.views.blueprint import bp
from bugintake.team.guards import signed_in
from bugintake.team.models import User


@bp.post("/loop/<int:announcement_id>/wording")
@signed_in
def ask_to_word(announcement_id: int) -> ResponseReturnValue:
    """Ask an agent to word it."""
    given = request.form.get("person", "")
    person_id = int(given) if re.fullmatch(r"[0-9]{1,9}", given) else 0
    undo = url_for("loop.take_wording_back", announcement_id=announcement_id)

    def ask(announcement: Announcement, *, actor: User) -> None:
        asked_words.ask_to_word(announcement, person_id, actor=actor)

    return act(announcement_id, ask, _("They are asked. Nothing leaves until somebody has changed the words."), undo)


@bp.post("/loop/<int:announcement_id>/wording/undoing")
@signed_in
def take_wording_back(announcement_id: int) -> ResponseReturnValue:
    """Ask nobody any more."""
    return act(
        announcement_id, asked_words.take_back, _("Nobody is asked any more: the time to look at it begins anew.")
    )
