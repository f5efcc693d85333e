"""What must not be believed after a restore: that mail has not left since, and that who was signed in still may."""

import sqlalchemy as sa

from bugintake.core import clock
from bugintake.core.backup import Backup
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.loop.models import Delivery, DeliveryState, HeldBecause, Message, MessageState
from bugintake.loop.webhooks.models import SendingState, WebhookDelivery
from bugintake.team.models import Pass, SignIn

NOT_LEFT = (DeliveryState.PENDING, DeliveryState.CLAIMED)


def distrust(backup: Backup, connection: sa.Connection) -> None:
    """Hold everything that had not been sent when a backup was made, until a person lets it go; end all sign-ins.

    Part of the restore's own transaction. What was right then being sent is uncertain; webhooks are not told at all.
    Links that let somebody in once may have been used since, so they stop working. Records backup.restored.
    """
    at = clock.now()
    connection.execute(sa.delete(SignIn))
    connection.execute(sa.delete(Pass).where(Pass.used_at.is_(None)))
    in_flight = sa.select(Delivery.id).where(Delivery.state == DeliveryState.SENDING).scalar_subquery()
    pending = sa.update(Message).where(Message.state == MessageState.PENDING)
    goes_on = (HeldBecause.QUIET, HeldBecause.UNFILLED)
    leaves_by_itself = sa.or_(Message.state == MessageState.PENDING, Message.held_because.in_(goes_on))
    connection.execute(
        pending.where(Message.delivery_id.in_(in_flight)).values(state=MessageState.UNCERTAIN, state_at=at)
    )
    held = connection.execute(
        sa.update(Message)
        .where(leaves_by_itself)
        .values(state=MessageState.HELD, held_because=HeldBecause.RESTORED, reason="", state_at=at)
    ).rowcount
    free = {"lease_owner": None, "lease_until": None}
    connection.execute(
        sa.update(Delivery).where(Delivery.state == DeliveryState.SENDING).values(state=DeliveryState.UNCERTAIN, **free)
    )
    connection.execute(sa.update(Delivery).where(Delivery.state.in_(NOT_LEFT)).values(state=DeliveryState.HELD, **free))
    dropped = {"state": SendingState.DROPPED, "trouble": "A backup was restored.", **free}
    on_its_way = WebhookDelivery.state.in_((SendingState.PENDING, SendingState.SENDING))
    connection.execute(sa.update(WebhookDelivery).where(on_its_way).values(**dropped))
    about = {"made_at": backup.made_at.isoformat(), "version": backup.version, "held": held}
    connection.execute(sa.insert(Event).values(kind=EventKind.BACKUP_RESTORED, at=at, details=about))
