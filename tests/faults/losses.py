"""What else goes wrong around a worker: the server hangs up, power fails, many write at once."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import sqlalchemy as sa
from flask import current_app

from bugintake.core import db as database
from bugintake.core.db import db, transaction
from bugintake.intake.models import Bug, Status
from tests.factories import bring_to, make_bug, make_customer, make_user
from tests.faults.kills import PEOPLE
from tests.faults.launching import Rig
from tests.faults.rig import states, work


def drops_after_the_dot(rig: Rig) -> None:
    """F-S3: the server takes the mail and hangs up before it says so."""
    make_bug(Status.LIVE, waiting=[make_customer(email="dropdot@example.com")])
    for _ in range(3):
        work()
        rig.clock.advance(timedelta(hours=2))
    rig.holds()
    assert states() == {"uncertain": 1}


def power_fails(rig: Rig) -> None:
    """F-WAL: the write-ahead log ends at any frame, or in the middle of one."""
    bug = make_bug(waiting=[make_customer() for _ in range(PEOPLE)])
    declined = make_bug(waiting=[make_customer()])
    path = Path(str(db.engine.url.database))
    db.session.rollback()
    with db.engine.connect() as connection:
        connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
    mira = make_user()
    for number, status in ((bug.id, Status.LIVE), (declined.id, Status.DECLINED)):
        bring_to(db.session.get_one(Bug, number), status, actor=mira)
        work()
    wal = path.with_name(path.name + "-wal").read_bytes()
    page = int.from_bytes(wal[8:12], "big")
    frames = (len(wal) - 32) // (24 + page)
    assert frames > 40
    found = [
        cut for step in range(2 * frames + 1) for cut in _after_power_loss(path, wal, 32 + step * (24 + page) // 2)
    ]
    assert found == []


TOLD = """
SELECT bugs.id, reports.customer_id, (
    SELECT count(*) FROM messages JOIN announcements ON announcements.id = messages.announcement_id
    WHERE announcements.bug_id = bugs.id AND announcements.generation = bugs.generation
    AND messages.customer_id = reports.customer_id
) AS told FROM bugs JOIN reports ON reports.bug_id = bugs.id
WHERE (bugs.status IN ('live', 'declined')) <> (told = 1)
"""
SETTLED = """
SELECT messages.id FROM messages JOIN reports ON reports.id = messages.report_id
WHERE (messages.state = 'sent') <> (reports.settled_by IS 'told')
"""


def _after_power_loss(path: Path, wal: bytes, length: int) -> list[str]:
    copy = path.with_name("cut.db")
    shutil.copyfile(path, copy)
    copy.with_name("cut.db-wal").write_bytes(wal[:length])
    connection = sqlite3.connect(copy)
    try:
        broken = [f"{length}: {row}" for query in (TOLD, SETTLED) for row in connection.execute(query)]
        sound = connection.execute("PRAGMA quick_check").fetchall()
        return broken + ([] if sound == [("ok",)] else [f"{length}: {sound}"])
    finally:
        connection.close()
        for end in ("", "-wal", "-shm"):
            copy.with_name(f"cut.db{end}").unlink(missing_ok=True)


def eight_count_at_once(rig: Rig) -> None:
    """D5: eight threads, as if each were a process, read a number and write the next; none is lost and none fails."""
    made = make_bug(waiting=[])
    bug_id, start = made.id, made.impact_rank
    app: Any = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy hides it
    failed: list[BaseException] = []

    def count() -> None:
        try:
            for _ in range(10):
                with app.app_context(), transaction():
                    bug = db.session.execute(sa.select(Bug).where(Bug.id == bug_id).with_for_update()).scalar_one()
                    bug.impact_rank += 1
        except Exception as error:  # a thread cannot raise into the test
            failed.append(error)

    threads = [threading.Thread(target=count) for _ in range(8)]
    with mock.patch.object(database, "_turn"):  # what the threads of one process wait for
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    db.session.rollback()
    assert failed == []
    found = db.session.scalar(sa.select(Bug.impact_rank).where(Bug.id == bug_id))
    assert found == start + 80
