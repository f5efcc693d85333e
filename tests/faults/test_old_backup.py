"""F-B2: an old backup is restored. Whatever was on its way then, or due since, stays here until a person lets it go."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bugintake.core import backup as backups
from bugintake.core.backup import Backup
from bugintake.core.config import Settings
from bugintake.core.db import db, transaction
from bugintake.duty.channel_models import ChannelPost, PostState
from bugintake.intake.customers.models import Customer
from bugintake.loop import messages, post, restoring, worker
from bugintake.loop.models import (
    Announcement,
    AnnouncementKind,
    Delivery,
    DeliveryKind,
    DeliveryState,
    HeldBecause,
    Message,
    MessageState,
)
from bugintake.loop.webhooks.models import SendingState, WebhookDelivery
from bugintake.team.models import Role, User
from tests.factories import make_customer
from tests.faults.rig import work
from tests.faults.scanners import kinds_sent
from tests.faults.server import FaultServer
from tests.loop.every_mail import Company
from tests.loop.reading import words_of
from tests.visitors import visit

GOES = (DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.SENDING)


class GoOn(Exception):
    """Nothing was restored after all."""


@pytest.fixture
def settings(settings: Settings, sink: FaultServer) -> Settings:
    return replace(settings, smtp_url=f"smtp://127.0.0.1:{sink.port}")


def leaving() -> set[str]:
    """Name what would leave by itself: kinds of mail, of what customers are told, webhooks and posts."""
    told = sa.select(Announcement.kind).join(Message).where(Message.state == MessageState.PENDING)
    waits = sa.select(Message.held_because).where(Message.held_because.in_((HeldBecause.QUIET, HeldBecause.UNFILLED)))
    going = sa.select(Delivery.kind).where(Delivery.state.in_(GOES))
    hooks = WebhookDelivery.state.in_((SendingState.PENDING, SendingState.SENDING))
    posts = ChannelPost.state.in_((PostState.PENDING, PostState.SENDING))
    found = {str(each) for query in (told, waits, going) for each in db.session.scalars(query)}
    found |= {"webhooks"} if db.session.scalar(sa.select(WebhookDelivery.id).where(hooks).limit(1)) else set()
    return found | ({"posts"} if db.session.scalar(sa.select(ChannelPost.id).where(posts).limit(1)) else set())


@pytest.mark.fault("F-B2")
def test_whatever_is_on_its_way_when_a_backup_is_made_is_held_once_that_is_restored(app: Any, clock: Any) -> None:
    seen = set()
    for _ in Company(clock).days():
        worker.sweep(app)
        db.session.rollback()
        seen |= leaving()
        with suppress(GoOn), transaction():
            restoring.distrust(Backup("1", "0001", clock.now(), {}, {}, {}), db.session.connection())
            assert leaving() == set()
            raise GoOn
        post.send_due()

    assert {*AnnouncementKind, *DeliveryKind, "webhooks", "posts"} - seen == set()


@pytest.mark.fault("F-B2")
@pytest.mark.parametrize("stop", [0, 3, 7])
def test_nothing_that_left_since_is_sent_again(
    app: Any, clock: Any, sink: FaultServer, tmp_path: Path, stop: int
) -> None:
    file, told = tmp_path / "backup.zip", Company(clock)
    for number, _ in enumerate(told.days()):
        worker.sweep(app)
        if number == stop:
            backups.write(file)
        work()
    assert kinds_sent() == (set(AnnouncementKind), set(DeliveryKind))
    make_customer("Newer Than It", email="newer@example.com")
    sink.accepted.clear()
    db.session.remove()

    result = app.test_cli_runner().invoke(args=["restore", str(file), "--replace"])
    assert (result.exit_code, "due since, is held" in result.output) == (0, True)
    for _ in range(3):
        work()
        clock.advance(timedelta(seconds=30))

    assert ([to for to, _ in sink.accepted], leaving()) == ([], set())
    assert db.session.scalar(sa.select(Customer.id).where(Customer.email == "newer@example.com")) is None


@pytest.mark.fault("F-B2")
def test_the_loop_says_so_and_a_person_lets_it_go(app: Any, clock: Any, sink: FaultServer, tmp_path: Path) -> None:
    file, company = tmp_path / "backup.zip", Company(clock)
    company.write_texts()
    next(company.days())
    worker.sweep(app)
    backups.write(file)
    db.session.remove()
    assert app.test_cli_runner().invoke(args=["restore", str(file), "--replace"]).exit_code == 0
    petra = db.session.scalars(sa.select(User).where(User.role == Role.LEAD)).one()

    page = words_of(visit(app, petra).get("/loop"))
    held = db.session.scalar(sa.select(sa.func.count()).where(Message.state == MessageState.HELD))
    assert f"A backup was restored. {held} messages are held: they may have been sent before." in page
    assert page.count("A backup was restored: this may have been sent before.") == stuck()

    with transaction():
        assert messages.release_restored(actor=petra) == held
    work()
    told = set(db.session.scalars(sa.select(Announcement.kind).join(Message).where(Message.state == MessageState.SENT)))
    assert told == {AnnouncementKind.LIVE, AnnouncementKind.DECLINED, AnnouncementKind.WORKAROUND}
    [live] = [mail for _, mail in sink.accepted if str(mail["Subject"]).startswith("News of ")]
    said = " ".join(live.get_body(("plain",)).get_content().split())
    assert "Thank you for your patience." in said and "We have news: Export the invoice again" in said


def stuck() -> int:
    """Count the mail to the team that waits; a test mail shows on its own page."""
    team = (Delivery.user_id.is_not(None), Delivery.state == DeliveryState.HELD, Delivery.kind != DeliveryKind.TEST)
    return db.session.scalar(sa.select(sa.func.count(Delivery.id)).where(*team)) or 0
