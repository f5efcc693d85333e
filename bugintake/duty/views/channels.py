"""The channel of a rotation's team, for leads: connect it, try it, and see what was posted."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core import clock
from bugintake.core.chats import Chat
from bugintake.core.db import transaction
from bugintake.core.errors import Invalid, NotFound
from bugintake.duty import channels, queries
from bugintake.duty.forms import ChannelForm
from bugintake.duty.models import Rotation
from bugintake.duty.views import bp
from bugintake.team.guards import lead_required, signed_in_user
from bugintake.team.workspace import is_sample


@bp.get("/duty/rotations/<int:rotation_id>/channel")
@lead_required
def channel(rotation_id: int) -> ResponseReturnValue:
    """Show where a rotation is told of, and what became of the latest posts."""
    return _page(queries.rotation_or_404(rotation_id), ChannelForm(formdata=None))


@bp.post("/duty/rotations/<int:rotation_id>/channel")
@lead_required
def connect_channel(rotation_id: int) -> ResponseReturnValue:
    """Let a channel hear of a rotation, with a first post as a test."""
    rotation, form = queries.rotation_or_404(rotation_id), ChannelForm()
    if not form.validate():
        return _page(rotation, form), 422
    try:
        with transaction():
            channels.connect(rotation, form.url.data or "", Chat(form.chat.data), actor=signed_in_user())
            channels.queue_test(rotation)
    except Invalid as refusal:
        form.refuse(refusal.sentence, refusal.field)
        return _page(rotation, form), 422
    stays = _("Connected. Nothing leaves the sample company: a first post waits below.")
    flash(stays if is_sample() else _("Connected. A first post says so in the channel within seconds."))
    return redirect(url_for("duty.channel", rotation_id=rotation.id))


@bp.post("/duty/rotations/<int:rotation_id>/channel/test")
@lead_required
def try_channel(rotation_id: int) -> ResponseReturnValue:
    """Post once more that the channel is connected."""
    rotation = queries.rotation_or_404(rotation_id)
    if channels.channel_of(rotation) is None:
        raise NotFound
    with transaction():
        channels.queue_test(rotation)
    stays = _("Nothing leaves the sample company: it waits below.")
    flash(stays if is_sample() else _("It is posted within seconds. Below stands what became of it."))
    return redirect(url_for("duty.channel", rotation_id=rotation.id))


@bp.post("/duty/rotations/<int:rotation_id>/channel/removal")
@lead_required
def disconnect_channel(rotation_id: int) -> ResponseReturnValue:
    """Tell a channel nothing more."""
    rotation = queries.rotation_or_404(rotation_id)
    with transaction():
        channels.disconnect(rotation, actor=signed_in_user())
    flash(_("The channel hears nothing more. Mail goes on."))
    return redirect(url_for("duty.channel", rotation_id=rotation.id))


def _page(rotation: Rotation, form: ChannelForm) -> str:
    return render_template(
        "duty/channel.html",
        rotation=rotation,
        channel=channels.channel_of(rotation),
        posts=channels.posts_of(rotation),
        form=form,
        now=clock.now(),
    )
