"""The channel of a rotation's team: connected by a lead, told each thing once, and what became of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from bugintake.core import chats, clock, events, outside, resting
from bugintake.core.chats import Chat
from bugintake.core.db import db, one_at_a_time, transaction, update_one
from bugintake.core.errors import Invalid, NotFound
from bugintake.core.event_kinds import EventKind
from bugintake.core.forms import clean_line
from bugintake.duty.channel_models import ChannelPost, PostState, TeamChannel
from bugintake.duty.channel_words import coming
from bugintake.duty.models import Rotation
from bugintake.team.models import User

MOST_ATTEMPTS = 5
LOST_AFTER = timedelta(minutes=10)
SHOWN = 20


def connect(rotation: Rotation, url: str, chat: Chat = Chat.SLACK, *, actor: User) -> None:
    """Let a channel hear of a rotation; it replaces the one before. Records channel.connected. Raises Invalid."""
    url = clean_line(url)
    try:
        outside.check(url, ["https"])
    except outside.Refused as why:
        raise Invalid(str(why), "url") from why
    one_at_a_time(f"channel of {rotation.id}")
    db.session.execute(sa.delete(TeamChannel).where(TeamChannel.rotation_id == rotation.id))
    db.session.add(TeamChannel(rotation_id=rotation.id, url=url, chat=chat, made_by_id=actor.id))
    db.session.flush()
    events.record(EventKind.CHANNEL_CONNECTED, actor=actor, after=rotation.name, rotation_id=rotation.id)


def disconnect(rotation: Rotation, *, actor: User) -> None:
    """Tell the channel nothing more. Records channel.disconnected. Raises NotFound where there is none."""
    one_at_a_time(f"channel of {rotation.id}")
    channel = channel_of(rotation)
    if channel is None:
        raise NotFound
    db.session.delete(channel)
    db.session.flush()
    events.record(EventKind.CHANNEL_DISCONNECTED, actor=actor, before=rotation.name, rotation_id=rotation.id)


def channel_of(rotation: Rotation) -> TeamChannel | None:
    """Return the channel that hears of a rotation."""
    return db.session.scalars(sa.select(TeamChannel).where(TeamChannel.rotation_id == rotation.id)).first()


def posts_of(rotation: Rotation) -> Sequence[ChannelPost]:
    """List what was posted last, the latest first."""
    found = sa.select(ChannelPost).where(ChannelPost.rotation_id == rotation.id)
    return db.session.scalars(found.order_by(ChannelPost.id.desc()).limit(SHOWN)).all()


def queue_test(rotation: Rotation) -> None:
    """Post that the channel is connected, also where it rests."""
    awake = sa.update(TeamChannel).where(TeamChannel.rotation_id == rotation.id)
    db.session.execute(awake.values(rests_until=None))
    db.session.add(ChannelPost(key=f"test:{rotation.id}:{uuid4().hex}", rotation_id=rotation.id))


def queue_posts(now: datetime) -> int:
    """Owe every channel what is due by now, once, and tell how much that is. Two workers at once owe it once."""
    connected = set(db.session.scalars(sa.select(TeamChannel.rotation_id)))
    if not connected:
        return 0
    found = coming(now).items()
    due = {key: each.rotation_id for key, each in found if each.rotation_id in connected and each.due_at <= now}
    known = set(db.session.scalars(sa.select(ChannelPost.key).where(ChannelPost.key.in_(due))))
    fresh = [ChannelPost(key=key, rotation_id=number) for key, number in due.items() if key not in known]
    if not fresh:
        return 0
    try:
        with transaction():
            db.session.add_all(fresh)
    except IntegrityError:
        return 0
    return len(fresh)


def post_one() -> bool:
    """Post one thing that is due, outside any transaction; tell whether there was one.

    What was being posted when its worker died, or was cut off after it was asked, is uncertain and is not repeated.
    """
    now = clock.now()
    is_lost = sa.and_(ChannelPost.state == PostState.SENDING, ChannelPost.not_before < now - LOST_AFTER)
    is_due = sa.and_(ChannelPost.state == PostState.PENDING, ChannelPost.not_before <= now)
    rests = sa.select(TeamChannel.id).where(TeamChannel.rotation_id == ChannelPost.rotation_id)
    is_awake = ~rests.where(TeamChannel.rests_until > now).exists()
    found = sa.select(ChannelPost).where(sa.or_(is_lost, sa.and_(is_due, is_awake))).order_by(ChannelPost.id)
    post = db.session.scalars(found.limit(1)).first()
    if post is None:
        return False
    if post.state is PostState.SENDING:
        with transaction():
            lost = sa.update(ChannelPost).where(ChannelPost.id == post.id, is_lost)
            db.session.execute(lost.values(state=PostState.UNCERTAIN, trouble="The worker was stopped meanwhile."))
        return True
    number, attempts, channel, text = post.id, post.attempts + 1, channel_of(post.rotation), _written(post, now)
    claim = sa.update(ChannelPost).where(ChannelPost.id == number, ChannelPost.state == PostState.PENDING)
    state = PostState.SENDING if channel is not None and text else PostState.DROPPED
    with transaction():
        is_ours = update_one(claim.values(state=state, attempts=attempts, not_before=now, text=text))
    if is_ours and channel is not None and text:
        channel_id, failures = channel.id, channel.failures
        values, wanted = _asked(channel, text, attempts)
        rest = None if wanted is None else now + max(resting.pause_after(failures + 1), wanted)
        with transaction():
            db.session.execute(sa.update(ChannelPost).where(ChannelPost.id == number).values(**values))
            rested = sa.update(TeamChannel).where(TeamChannel.id == channel_id)
            db.session.execute(rested.values(failures=failures + 1 if rest else 0, rests_until=rest))
    return True


def _asked(channel: TeamChannel, text: str, attempts: int) -> tuple[dict[str, object], timedelta | None]:
    """Post to a channel, and say what becomes of the post; where the channel is to rest, for how long it wants to."""
    body = chats.written(channel.chat, text)
    try:
        answer = outside.tell(channel.url, {"Content-Type": "application/json"}, body)
    except outside.Refused as refusal:
        return {"state": PostState.FAILED, "trouble": str(refusal)[:200]}, None
    except outside.Unreachable as failure:
        if failure.was_asked:
            return {"state": PostState.UNCERTAIN, "trouble": str(failure)[:200]}, timedelta(0)
        return _again(str(failure), attempts), timedelta(0)
    if answer.status < 300:
        return {"state": PostState.SENT, "trouble": ""}, None
    trouble = f"{channel.host} answers {answer.status}."
    if answer.status == 429 or answer.status >= 500:
        return _again(trouble, attempts), resting.wanted(answer.status, answer.retry_after, clock.now())
    return {"state": PostState.FAILED, "trouble": trouble[:200]}, None


def _again(trouble: str, attempts: int) -> dict[str, object]:
    is_over = attempts >= MOST_ATTEMPTS
    return {"state": PostState.FAILED if is_over else PostState.PENDING, "trouble": trouble[:200]}


def _written(post: ChannelPost, now: datetime) -> str:
    """Write a post, or nothing where it is no longer true."""
    if post.key.startswith("test:"):
        return (
            f"This channel hears of {post.rotation.name}: whose turn comes, where nobody is there, the week on Mondays."
        )
    found = coming(now).get(post.key)
    return found.words if found is not None else ""
