"""My reports: what became of what one filed."""

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user

from bugintake.core.paging import page_number, page_start
from bugintake.loop import asked_words, mine, words
from bugintake.loop.models import MessageState
from bugintake.loop.views.blueprint import bp
from bugintake.team.guards import signed_in, signed_in_user
from bugintake.team.models import Role


@bp.get("/mine")
@signed_in
def my_reports() -> ResponseReturnValue:
    """List the reports somebody filed or attached, those asked back or written about first."""
    me, page = signed_in_user(), page_number()
    found = mine.filed_by(me, start=page_start(mine.SHOWN))
    return render_template(
        "loop/mine.html",
        to_word=asked_words.to_word(me),
        asked=mine.asked_back(me),
        written=mine.written_back(me),
        rows=found[: mine.SHOWN],
        page=page,
        has_more=len(found) > mine.SHOWN,
        STATES=words.STATES,
        CHIPS=words.CHIPS,
        KINDS=words.KINDS,
        MessageState=MessageState,
        why=words.why,
    )


def is_agent() -> bool:
    """Whether the page is in the reader's top bar: whoever triages has the board for it."""
    return getattr(current_user, "role", None) is Role.AGENT
