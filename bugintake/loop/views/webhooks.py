"""Webhooks that are told what happens here, for leads: made, looked after, and what each was told."""

from flask import flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.chats import Chat
from bugintake.core.db import transaction
from bugintake.core.errors import Invalid
from bugintake.loop.views.blueprint import bp
from bugintake.loop.webhooks import outgoing
from bugintake.loop.webhooks.forms import TOPICS, TopicsForm, WebhookForm
from bugintake.loop.webhooks.letters import why_off
from bugintake.loop.webhooks.models import OffBecause, Webhook
from bugintake.team.guards import lead_required, signed_in_user
from bugintake.team.workspace import is_sample

ONE = "/admin/webhooks/<int:webhook_id>"


@bp.get("/admin/webhooks")
@lead_required
def list_webhooks() -> ResponseReturnValue:
    """List the webhooks there are."""
    return _list(WebhookForm(formdata=None))


@bp.post("/admin/webhooks")
@lead_required
def make_webhook() -> ResponseReturnValue:
    """Make a webhook, and show its secret this once where there is one to check."""
    form = WebhookForm()
    try:
        if not form.validate():
            return _list(form, 422)
        with transaction():
            chat = Chat(form.chat.data) if form.chat.data else None
            webhook = outgoing.make(form.url.data or "", form.topics.data or [], chat, actor=signed_in_user())
    except Invalid as refusal:
        form.refuse(refusal.sentence, refusal.field)
        return _list(form, 422)
    return _one(webhook, secret=webhook.secret) if webhook.chat is None else _back(webhook)


@bp.get(ONE)
@lead_required
def show_webhook(webhook_id: int) -> ResponseReturnValue:
    """Show a webhook, and what it was told last."""
    return _one(outgoing.webhook_or_404(webhook_id))


@bp.post(ONE)
@lead_required
def choose_topics(webhook_id: int) -> ResponseReturnValue:
    """Change what a webhook is told."""
    webhook, form = outgoing.webhook_or_404(webhook_id), TopicsForm()
    try:
        if not form.validate():
            return _one(webhook, form)
        with transaction():
            outgoing.choose(webhook, form.topics.data or [], actor=signed_in_user())
    except Invalid as refusal:
        form.refuse(refusal.sentence, refusal.field)
        return _one(webhook, form)
    flash(_("Saved."))
    return _back(webhook)


@bp.post(f"{ONE}/secret")
@lead_required
def renew_webhook_secret(webhook_id: int) -> ResponseReturnValue:
    """Give a webhook another secret, and show it this once."""
    webhook = outgoing.webhook_or_404(webhook_id)
    with transaction():
        outgoing.renew_secret(webhook, actor=signed_in_user())
    return _one(webhook, secret=webhook.secret)


@bp.post(f"{ONE}/test")
@lead_required
def test_webhook(webhook_id: int) -> ResponseReturnValue:
    """Send a webhook a sample."""
    webhook = outgoing.webhook_or_404(webhook_id)
    with transaction():
        outgoing.queue_test(webhook)
    stays = _("Nothing leaves the sample company: it waits below.")
    flash(stays if is_sample() else _("It is sent within seconds. Below stands what became of it."))
    return _back(webhook)


@bp.post(f"{ONE}/disabling")
@lead_required
def switch_webhook_off(webhook_id: int) -> ResponseReturnValue:
    """Tell a webhook nothing more."""
    webhook = outgoing.webhook_or_404(webhook_id)
    with transaction():
        outgoing.switch_off(webhook, OffBecause.BY_HAND, actor=signed_in_user())
    return _back(webhook)


@bp.post(f"{ONE}/enabling")
@lead_required
def switch_webhook_on(webhook_id: int) -> ResponseReturnValue:
    """Tell a webhook again what happens."""
    webhook = outgoing.webhook_or_404(webhook_id)
    with transaction():
        outgoing.switch_on(webhook, actor=signed_in_user())
    flash(_("It is told what happens from now on."))
    return _back(webhook)


@bp.post(f"{ONE}/removal")
@lead_required
def remove_webhook(webhook_id: int) -> ResponseReturnValue:
    """Take a webhook away."""
    webhook = outgoing.webhook_or_404(webhook_id)
    with transaction():
        outgoing.remove(webhook, actor=signed_in_user())
    flash(_("The webhook is taken away with its log."))
    return redirect(url_for(".list_webhooks"))


@bp.post(f"{ONE}/deliveries/<int:sending_id>/sending")
@lead_required
def send_webhook_again(webhook_id: int, sending_id: int) -> ResponseReturnValue:
    """Tell a webhook something once more."""
    webhook = outgoing.webhook_or_404(webhook_id)
    with transaction():
        outgoing.send_again(outgoing.delivery_or_404(webhook, sending_id))
    flash(_("It is sent again within seconds, under the same number."))
    return _back(webhook)


def _back(webhook: Webhook) -> ResponseReturnValue:
    return redirect(url_for(".show_webhook", webhook_id=webhook.id))


def _list(form: WebhookForm, status: int = 200) -> ResponseReturnValue:
    page = render_template("loop/webhooks.html", form=form, webhooks=outgoing.webhooks(), topics=TOPICS)
    return make_response(page, status)


def _one(webhook: Webhook, refused: TopicsForm | None = None, secret: str = "") -> ResponseReturnValue:
    form = refused or TopicsForm(formdata=None, topics=webhook.topics)
    words = {
        "form": form,
        "webhook": webhook,
        "log": outgoing.log_of(webhook),
        "secret": secret,
        "owed": outgoing.owed_count(webhook),
        "why_off": why_off(webhook),
    }
    return make_response(render_template("loop/webhook.html", **words), 422 if refused else 200)
