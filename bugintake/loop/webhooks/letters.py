"""What mail about webhooks says."""

from flask_babel import gettext

from bugintake.core.config import settings
from bugintake.core.db import db
from bugintake.loop.mail import Line, Written
from bugintake.loop.models import Delivery
from bugintake.loop.webhooks.models import OffBecause, Webhook
from bugintake.team.models import User


def switched_off(delivery: Delivery, _user: User) -> Written | None:
    """Say that a webhook was switched off, while it is."""
    webhook = db.session.get(Webhook, delivery.params["webhook"])
    if webhook is None or webhook.off_at is None:
        return None
    subject = gettext("A webhook was switched off: %(host)s", host=webhook.host)
    words = gettext("it is told nothing any more. %(reason)s", reason=why_off(webhook))
    again = Line(
        gettext("See what failed, and switch it on again:"), url=f"{settings().base_url}/admin/webhooks/{webhook.id}"
    )
    return subject, [Line(words), again]


def why_off(webhook: Webhook) -> str:
    """Say why a webhook is off."""
    words: dict[OffBecause | None, str] = {
        OffBecause.GONE: gettext("%(host)s says that it is gone for good (410).", host=webhook.host),
        OffBecause.FAILED: gettext("Nothing reached %(host)s for five days.", host=webhook.host),
        OffBecause.BY_HAND: gettext("Somebody switched it off."),
    }
    return words.get(webhook.off_because, "")
