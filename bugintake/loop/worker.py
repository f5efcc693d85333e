"""The worker: releases what is due, sends it, and takes back what dead workers held. Any number may run.

Huey wakes it and gives it threads; rows decide. What the queue loses, the sweeper finds within seconds.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask import Flask, current_app

from bugintake.core import clock, events
from bugintake.core.config import Settings, settings
from bugintake.core.db import after_commit, db, transaction
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event, Subscriber
from bugintake.core.statistics import count_anew
from bugintake.duty import absence_calendars, channels, feed_slots
from bugintake.intake import drafts
from bugintake.intake.attachments import keeping
from bugintake.intake.customers import erasing
from bugintake.loop import (
    also_told,
    asked_words,
    asking,
    attempts,
    duty_notices,
    duty_week,
    handoff_letters,
    notices,
    outbox,
    post,
    quiet,
    swap_notices,
    unfilled,
)
from bugintake.loop.envelopes import is_ready, open_due
from bugintake.loop.inbound import mailbox
from bugintake.loop.models import Announcement, Message
from bugintake.loop.pulse_models import WorkerPulse
from bugintake.loop.webhooks import happenings, outgoing, release_hooks, sending
from bugintake.team.workspace import is_sample, is_set_up
from bugintake.triage import linking

if TYPE_CHECKING:
    from huey.api import Huey, TaskWrapper  # loaded where it is used: the pages start without it

EXTENSION = "bugintake.queue"
NAME = "bugintake"
SENDERS = 2
SWEEP_SECONDS = 2.0
BREATH = 0.12  # whoever waits for SQLite in another process looks every tenth of a second
REMIND_EVERY = 15
PULSE_EVERY = 10
FORGET_EVERY = 43_200  # once a day
TIDY_EVERY = 300
MANY = 2000  # envelopes at once: others get their turn, and plans made for a few would not do any more
FORGET_PULSE_AFTER = timedelta(days=1)

BY_THE_CLOCK: tuple[Callable[[datetime], int], ...] = (
    duty_notices.queue_changes,
    duty_notices.queue_reminders,
    duty_notices.queue_gaps,
    duty_week.queue_weeks,
    swap_notices.queue_untaken,
    channels.queue_posts,
    handoff_letters.queue_unsent,
    notices.queue_overlooked,
    also_told.queue_outcomes,
    asking.follow_up,
)
"""What somebody hears because the time has come, in the order in which it is asked."""

log = logging.getLogger(__name__)


def work_task(app: Flask) -> TaskWrapper:
    """Return the one task of the app's queue, opened the first time: SQLite in the data folder, or by URL."""
    if EXTENSION not in app.extensions:
        with app.app_context():
            queue = _open_queue(settings())
        app.extensions[EXTENSION] = queue.task(name="work")(lambda: send(app))
    return app.extensions[EXTENSION]


def wake(_event: Event | None = None) -> None:
    """Let a worker look right after this transaction is kept. Where that fails, it looks within seconds by itself."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy hides it

    def ring() -> None:
        _ring(app, 1)

    after_commit(ring)


SUBSCRIPTIONS: list[tuple[EventKind, Subscriber]] = [
    *notices.SUBSCRIPTIONS,
    *asked_words.SUBSCRIPTIONS,
    *also_told.SUBSCRIPTIONS,
    *swap_notices.SUBSCRIPTIONS,
    *((kind, wake) for kind, _ in swap_notices.SUBSCRIPTIONS),
    *happenings.SUBSCRIPTIONS,
    (EventKind.PASSWORD_RESET_REQUESTED, wake),
    (EventKind.ANNOUNCEMENT_WORDING_ASKED, wake),
]


def listen() -> None:
    """Follow what has to be mailed to the team, and wake a worker when there is something to do."""
    for kind, subscriber in SUBSCRIPTIONS:
        events.subscribe(kind, subscriber)


def sweep(app: Flask, count: int = 0) -> bool:
    """Do what time brings: take leases back, remind, release; and tell whether there is mail to send.

    Each step has a context of its own, and one that fails does not keep the others from happening.
    """
    if count % PULSE_EVERY == 0:
        _guarded(app, beat)
    _guarded(app, attempts.recover)
    if count % REMIND_EVERY == 0:
        for bring in BY_THE_CLOCK:
            _guarded(app, partial(_bring, bring))
        _guarded(app, lambda: feed_slots.keep_up(clock.now()))
        _guarded(app, unfilled.let_go)
    if count % TIDY_EVERY == 0:
        _guarded(app, drafts.sweep)
        _guarded(app, keeping.sweep)
        _guarded(app, release_hooks.forget_old)
        _guarded(app, outgoing.forget_old)
    if count % FORGET_EVERY == 0:
        _guarded(app, _erase_the_forgotten)
        _guarded(app, count_anew)
    opened = 0
    while made := _guarded(app, _open_some):
        opened += made
        if opened > MANY:
            time.sleep(BREATH)
    if opened > MANY:
        _guarded(app, lambda: count_anew("messages", "deliveries"))
    return bool(_guarded(app, outbox.is_waiting))


def _bring(bring: Callable[[datetime], int]) -> int:
    return bring(clock.now())


def beat() -> None:
    """Leave a sign of life."""
    name = f"{socket.gethostname()[:40]}:{os.getpid()}"
    with transaction():
        db.session.execute(sa.delete(WorkerPulse).where(WorkerPulse.at < clock.now() - FORGET_PULSE_AFTER))
        pulse = db.session.get(WorkerPulse, name)
        if pulse is None:
            pulse = WorkerPulse(worker=name)
            db.session.add(pulse)
        pulse.at = clock.now()


def last_pulse() -> datetime | None:
    """Say when any worker was last alive, or nothing where none has been."""
    return db.session.scalar(sa.select(sa.func.max(WorkerPulse.at)))


def run_worker() -> None:
    """Work until told to stop by SIGTERM or SIGINT; then finish the mail at hand and give the rest back."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy hides it
    stop = threading.Event()
    app.extensions[f"{EXTENSION}.stop"] = stop
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    from huey.consumer import Consumer

    consumer = Consumer(work_task(app).huey, workers=SENDERS, periodic=False, max_delay=1.0)
    # Signals are ours: Huey drops the running task on SIGTERM, and on SIGHUP starts the program again.
    consumer._set_signal_handlers = _leave_signals_alone
    consumer.start()
    lookers = [threading.Thread(target=_look_elsewhere, args=(app, stop, looks), daemon=True) for looks in ELSEWHERE]
    for looker in lookers:
        looker.start()
    log.info("The worker has started")
    count = 0
    while not stop.is_set():
        if sweep(app, count) and not _ring(app, SENDERS):
            send(app)
        count += 1
        stop.wait(SWEEP_SECONDS)
    consumer.stop(graceful=True)
    for looker in lookers:
        looker.join()
    log.info("The worker has stopped")


def _leave_signals_alone() -> None:
    return None


def _guarded(app: Flask, step: Callable[[], Any]) -> Any:
    try:
        with app.app_context():
            return step()
    except Exception:  # whatever it was, the worker lives and tries again
        log.warning("A step of the worker failed; it is tried again", exc_info=True)
        return None


def _ring(app: Flask, times: int) -> bool:
    """Put calls to work into the queue unless some wait there; tell whether the queue took them."""
    try:
        task = work_task(app)
        for _ in range(times - task.huey.pending_count()):
            task()
    except Exception:  # whatever is wrong with the queue, nothing of it is needed for good
        log.warning("The queue cannot be reached", exc_info=True)
        return False
    return True


def send(app: Flask) -> None:
    """Send what is due until nothing is, or until this worker is told to stop."""
    _guarded(app, lambda: post.send_due(_stopping(app)))


def _stopping(app: Flask) -> Callable[[], bool]:
    stop: threading.Event | None = app.extensions.get(f"{EXTENSION}.stop")
    return stop.is_set if stop is not None else lambda: False


def _read_mail() -> bool:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy hides it
    return settings().imap_url is not None and mailbox.read_mailbox(_stopping(app)) > 0


# Each has a thread of its own, so that a server that is slow keeps neither the mail nor the others.
ELSEWHERE = (
    (linking.look_at_one, absence_calendars.read_one, channels.post_one),
    (sending.send_one,),
    (_read_mail,),
)


def _look_elsewhere(app: Flask, stop: threading.Event, looks: Sequence[Callable[[], bool]]) -> None:
    """Ask or tell other systems what is due, beside the mail."""
    while not stop.wait(SWEEP_SECONDS):
        for look in looks:
            while not stop.is_set() and _guarded(app, partial(_from_here, look)):
                pass


def _from_here(look: Callable[[], bool]) -> bool:
    """Look unless this is the sample company: nothing leaves it, and no other system is asked about it."""
    return is_set_up() and not is_sample() and look()


def _erase_the_forgotten() -> None:
    while is_set_up() and erasing.erase_the_forgotten():
        pass


def _open_some() -> int:
    if quiet.is_anything_over():
        with transaction():
            quiet.let_go()
    if not db.session.scalar(sa.select(sa.or_(_is_due(clock.now()), sa.select(Message.id).where(is_ready()).exists()))):
        return 0
    with transaction():
        return open_due()


def _is_due(at: datetime) -> sa.ColumnElement[bool]:
    stands = (Announcement.held_at.is_(None), Announcement.cancelled_at.is_(None))
    due = (Announcement.due_at <= at, Announcement.released_at.is_(None))
    return sa.select(Announcement.id).where(*due, *stands).exists()


def _open_queue(chosen: Settings) -> Huey:
    from huey import PostgresHuey, SqliteHuey
    from huey.serializer import SignedSerializer

    common: dict[str, Any] = {"results": False, "serializer": SignedSerializer(secret=chosen.secret_key)}
    if chosen.queue_url.startswith("sqlite:"):
        return SqliteHuey(NAME, filename=chosen.queue_url.removeprefix("sqlite:///"), fsync=True, **common)
    return PostgresHuey(NAME, dsn=chosen.queue_url, **common)
