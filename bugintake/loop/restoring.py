"""What must not be believed after a restore: that mail has not left since, and that who was signed in still may."""

from datetime import datetime

import sqlalchemy as sa

from bugintake.core import clock
from bugintake.core.backup import Backup
from bugintake.core.db import db, transaction
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.duty.channel_models import ChannelPost, PostState
from bugintake.loop import asking
from bugintake.loop.models import Announcement, Delivery, DeliveryState, HeldBecause, Message, MessageState
from bugintake.loop.patience import latest_start
from bugintake.loop.webhooks.models import SendingState, WebhookDelivery
from bugintake.loop.worker import BY_THE_CLOCK
from bugintake.team.models import Pass, SignIn
from bugintake.team.workspace import is_set_up

NOT_LEFT = (DeliveryState.PENDING, DeliveryState.CLAIMED)
FREE = {"lease_owner": None, "lease_until": None}
RESTORED = "A backup was restored."


def distrust(backup: Backup, connection: sa.Connection) -> None:
    """Hold everything that had not been sent when a backup was made, until a person lets it go; end all sign-ins.

    Part of the restore's own transaction. What was right then being sent is uncertain. What a server had accepted is
    left to the worker, who notes who was told. Webhooks and channels are not told at all. Links that let somebody in
    once may have been used since, so they stop working. Records backup.restored.
    """
    at = clock.now()
    connection.execute(sa.delete(SignIn))
    connection.execute(sa.delete(Pass).where(Pass.used_at.is_(None)))
    in_flight = sa.select(Delivery.id).where(Delivery.state == DeliveryState.SENDING).scalar_subquery()
    leaving = sa.update(Message).where(Message.state == MessageState.PENDING, Message.delivery_id.in_(in_flight))
    connection.execute(leaving.values(state=MessageState.UNCERTAIN, state_at=at))
    sending = sa.update(Delivery).where(Delivery.state == DeliveryState.SENDING)
    connection.execute(sending.values(state=DeliveryState.UNCERTAIN, **FREE))
    posting = sa.update(ChannelPost).where(ChannelPost.state == PostState.SENDING)
    connection.execute(posting.values(state=PostState.UNCERTAIN, trouble=RESTORED))
    held = _hold(connection, at)
    about = {"made_at": backup.made_at.isoformat(), "version": backup.version, "held": held}
    connection.execute(sa.insert(Event).values(kind=EventKind.BACKUP_RESTORED, at=at, details=about))


def catch_up(now: datetime) -> None:
    """Let the clock bring what it brought between a backup and its restore, and hold that too: it left long ago.

    Whoever was asked long before was reminded, and was told that their bug is paused, both. Whoever filed what ended
    has heard of it.
    """
    if not is_set_up():
        return
    asking.follow_up(latest_start(now))
    for bring in BY_THE_CLOCK:
        bring(now)
    with transaction():
        connection = db.session.connection()
        has_left = sa.or_(Announcement.released_at.is_not(None), Announcement.due_at <= now)
        connection.execute(sa.update(Announcement).where(has_left).values(team_owed_at=now))
        connection.execute(sa.update(Delivery).where(Delivery.is_for_team).values(is_for_team=False))
        _hold(connection, now)


def _hold(connection: sa.Connection, at: datetime) -> int:
    goes_on = (HeldBecause.QUIET, HeldBecause.UNFILLED)
    has_left = sa.exists().where(Delivery.id == Message.delivery_id, Delivery.state == DeliveryState.ACCEPTED)
    to_leave = sa.and_(Message.state == MessageState.PENDING, ~has_left)
    leaves_by_itself = sa.or_(to_leave, Message.held_because.in_(goes_on))
    restored = {"state": MessageState.HELD, "held_because": HeldBecause.RESTORED, "reason": "", "state_at": at}
    held = connection.execute(sa.update(Message).where(leaves_by_itself).values(**restored)).rowcount
    connection.execute(sa.update(Delivery).where(Delivery.state.in_(NOT_LEFT)).values(state=DeliveryState.HELD, **FREE))
    on_its_way = WebhookDelivery.state.in_((SendingState.PENDING, SendingState.SENDING))
    dropped = {"state": SendingState.DROPPED, "trouble": RESTORED, **FREE}
    connection.execute(sa.update(WebhookDelivery).where(on_its_way).values(**dropped))
    posts = sa.update(ChannelPost).where(ChannelPost.state == PostState.PENDING)
    connection.execute(posts.values(state=PostState.DROPPED, trouble=RESTORED))
    return held
