"""What a person decides about one message: told by hand, not told, let go, arrived, again."""

from collections.abc import Callable

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from bugintake.core.db import transaction
from bugintake.core.errors import Invalid
from bugintake.core.forms import Seen
from bugintake.core.templating import toast
from bugintake.loop import messages, personal_lines, queries
from bugintake.loop.forms import JudgementForm, LineForm, ReasonForm
from bugintake.loop.models import Message
from bugintake.loop.views.announcements import page
from bugintake.loop.views.blueprint import bp
from bugintake.team.guards import signed_in, signed_in_user


def _decide(message_id: int, change: Callable[[Message], None], done: str) -> ResponseReturnValue:
    message = queries.message_or_404(message_id, signed_in_user())
    announcement_id = message.announcement_id
    with transaction():
        change(message)
    toast(done)
    return redirect(url_for("loop.show", announcement_id=announcement_id))


@bp.post("/loop/messages/<int:message_id>/telling")
@signed_in
def tell_by_hand(message_id: int) -> ResponseReturnValue:
    """Note that somebody was told another way."""
    me = signed_in_user()
    return _decide(message_id, lambda it: messages.tell_by_hand(it, actor=me), _("Noted: told by hand."))


@bp.post("/loop/messages/<int:message_id>/suppression")
@signed_in
def do_not_tell(message_id: int) -> ResponseReturnValue:
    """Leave somebody untold, with a reason."""
    me, form = signed_in_user(), ReasonForm()
    message = queries.message_or_404(message_id, me)
    if not form.validate():
        return page(queries.summary_or_404(message.announcement_id, me), 422, reason=form, refused=message.id)
    reason = str(form.reason.data)
    return _decide(message_id, lambda it: messages.do_not_tell(it, reason, actor=me), _("Noted: not told."))


@bp.post("/loop/messages/<int:message_id>/release")
@signed_in
def release_message(message_id: int) -> ResponseReturnValue:
    """Let a held message go, in its own language or in the one that was chosen."""
    me, language = signed_in_user(), request.form.get("language") or None
    done = _("It goes out with the others.")
    return _decide(message_id, lambda it: messages.release_held(it, actor=me, language=language), done)


@bp.post("/loop/messages/<int:message_id>/line")
@signed_in
def write_line(message_id: int) -> ResponseReturnValue:
    """Write what one person alone reads, and show their mail."""
    me, form = signed_in_user(), LineForm()
    message = queries.message_or_404(message_id, me)
    announcement_id = message.announcement_id
    try:
        with transaction():
            personal_lines.write(message, form.personal_line.data or "", Seen.on(request.form), actor=me)
    except Invalid as refusal:
        form.refuse(refusal.sentence, refusal.field)
        return page(queries.summary_or_404(announcement_id, me), refusal.status, line=form, lined=message_id)
    toast(_("Saved. It stands in their mail alone."))
    return redirect(url_for("loop.show", announcement_id=announcement_id, person=message_id))


@bp.post("/loop/messages/<int:message_id>/judgement")
@signed_in
def judge(message_id: int) -> ResponseReturnValue:
    """Say whether an uncertain mail arrived, or is to be sent again."""
    me, form = signed_in_user(), JudgementForm()
    queries.message_or_404(message_id, me)
    if not form.validate():
        raise Invalid(_("Say whether it arrived."), "arrived")
    arrived = form.arrived.data == "yes"
    done = _("Noted: it arrived.") if arrived else _("It is sent again.")
    return _decide(message_id, lambda it: messages.judge_uncertain(it, arrived=arrived, actor=me), done)


@bp.post("/loop/messages/<int:message_id>/repeat")
@signed_in
def send_again(message_id: int) -> ResponseReturnValue:
    """Try a mail that failed once more."""
    me = signed_in_user()
    return _decide(message_id, lambda it: messages.send_again(it, actor=me), _("It is tried again."))


@bp.post("/loop/restored/release")
@signed_in
def release_restored() -> ResponseReturnValue:
    """Let everything go that a restored backup held."""
    with transaction():
        count = messages.release_restored(actor=signed_in_user())
    toast(ngettext("%(num)d message goes out.", "%(num)d messages go out.", count))
    return redirect(url_for("loop.index"))
