"""The fault stories. Each fails with an AssertionError where a promise is broken; the mutants break one each."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import current_app

from bugintake.core.config import Settings
from bugintake.core.db import db, transaction
from bugintake.intake.models import Bug, Report, Status
from bugintake.loop import attempts, envelopes, notices, outbox
from tests.factories import bring_to, make_bug, make_customer, make_user
from tests.faults.rig import broken_invariants, message_states, states, work
from tests.faults.server import FaultServer

LAUNCHER = Path(__file__).with_name("run_worker.py")
PEOPLE = 3
LEASE_IS_OVER = timedelta(minutes=16)


class Launcher:
    """Starts workers that end badly, each a process of its own."""

    def __init__(self) -> None:
        command = [sys.executable, str(LAUNCHER)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(self, **order: Any) -> int:
        """Start one and return its process id."""
        return self._ask(order)

    def wait(self, pid: int) -> int:
        """Return how a worker stopped or ended, as os.waitpid() does."""
        return self._ask({"wait": pid})

    def close(self) -> None:
        """Start no more."""
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()

    def _ask(self, order: dict[str, Any]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@dataclass
class Rig:
    """What a fault story plays on."""

    settings: Settings
    sink: FaultServer
    clock: Any
    launcher: Launcher
    mutant: str = ""

    def start_worker(self, point: str) -> int:
        """Start a worker that does what its point says."""
        environment = {
            "BUGINTAKE_DATA": str(self.settings.data),
            "BUGINTAKE_DATABASE_URL": self.settings.database_url,
            "BUGINTAKE_SMTP_URL": self.settings.smtp_url,
            "BUGINTAKE_SECRET_KEY": self.settings.secret_key,
            "BUGINTAKE_BASE_URL": self.settings.base_url,
        }
        at = self.clock.now().isoformat()
        return self.launcher.start(point=point, at=at, environment=environment, mutant=self.mutant)

    def kill_worker(self, point: str) -> None:
        """Let a worker die at a point."""
        db.session.rollback()
        assert self.launcher.wait(self.start_worker(point)) == signal.SIGKILL

    def outlast_leases(self) -> None:
        """Let other workers go on until whatever the dead one held has come back."""
        for _ in range(3):
            self.clock.advance(LEASE_IS_OVER)
            work()

    def holds(self) -> None:
        """Check that nobody was told twice and nobody was forgotten."""
        assert broken_invariants(self.sink) == []
        assert set(states()) <= {"sent", "uncertain"}
        assert states().get("uncertain", 0) <= 1
        assert states() == message_states()


def people_wait(count: int = 1) -> Bug:
    """Let a bug that some people wait for become live."""
    return make_bug(Status.LIVE, waiting=[make_customer() for _ in range(count)])


def killed_after_claim(rig: Rig) -> None:
    """F-W1."""
    people_wait(PEOPLE)
    rig.kill_worker("after_claim")
    assert (states(), rig.sink.recipients) == ({"claimed": PEOPLE}, [])
    rig.outlast_leases()
    rig.holds()
    assert states() == {"sent": PEOPLE}


def killed_after_rcpt(rig: Rig) -> None:
    """F-W2: nothing was handed over, so nothing is uncertain."""
    people_wait()
    rig.kill_worker("after_rcpt")
    assert (len(rig.sink.recipients), rig.sink.accepted) == (1, [])
    assert "sending" not in states()
    rig.outlast_leases()
    rig.holds()


def killed_before_data(rig: Rig) -> None:
    """F-W3: nobody can know, so nobody claims to."""
    people_wait()
    rig.kill_worker("before_data")
    assert rig.sink.accepted == []
    rig.outlast_leases()
    rig.holds()


def killed_after_250(rig: Rig) -> None:
    """F-W4: the server has it, and nobody wrote that down."""
    people_wait()
    rig.kill_worker("after_250")
    assert len(rig.sink.accepted) == 1
    rig.outlast_leases()
    rig.holds()


def killed_after_commit(rig: Rig) -> None:
    """F-W5."""
    people_wait()
    rig.kill_worker("after_commit")
    assert len(rig.sink.accepted) == 1
    rig.outlast_leases()
    rig.holds()


def killed_in_recovery(rig: Rig) -> None:
    """F-W6: one was being sent when its worker died, and whoever takes it back dies too."""
    people_wait()
    with transaction():
        envelopes.open_due()
    first, *_ = outbox.claim()
    assert attempts.begin_sending(first)
    rig.clock.advance(LEASE_IS_OVER)
    rig.kill_worker("in_recovery")
    rig.outlast_leases()
    assert broken_invariants() == []
    assert max(rig.sink.count.values(), default=0) <= 1
    assert states() == message_states()


def stands_still_beyond_its_lease(rig: Rig) -> None:
    """F-W8: a worker that was only slow wakes up when others have sent what it held."""
    people_wait(PEOPLE)
    with transaction():
        notices.queue_test(make_user())
    slow = rig.start_worker("slow_at_rcpt")
    assert os.WIFSTOPPED(rig.launcher.wait(slow))
    rig.outlast_leases()
    assert states() == {"sent": PEOPLE + 1}
    os.kill(slow, signal.SIGCONT)
    while os.WIFSTOPPED(rig.launcher.wait(slow)):  # at the next recipient of its old claim
        os.kill(slow, signal.SIGCONT)
    assert broken_invariants(rig.sink) == []
    assert states() == {"sent": PEOPLE + 1}


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
    """D5: eight threads read a number and write the next one; none is lost and none fails."""
    made = make_bug(waiting=[])
    bug_id, start = made.id, made.impact_rank
    app: Any = current_app._get_current_object()  # type: ignore[attr-defined]
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
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    assert failed == []
    found = db.session.scalar(sa.select(Bug.impact_rank).where(Bug.id == bug_id))
    assert found == start + 80


def scanners_open_every_link(rig: Rig) -> None:
    """A-27: a mail scanner opens each link twice and asks for its headers; nobody unsubscribed. A-28: a click does."""
    people_wait()
    work()
    client = current_app.test_client()
    mail = rig.sink.accepted[0][1]
    urls = re.findall(r"https?://\S+", mail.get_body(("plain",)).get_content())
    one_click = str(mail["List-Unsubscribe"]).strip("<>")
    assert one_click in urls
    before = _everything()
    for url in urls:
        path = url.removeprefix(rig.settings.base_url)
        answers = [client.get(path), client.get(path), client.head(path, headers={"Purpose": "prefetch"})]
        assert {answer.status_code for answer in answers} <= {200, 303}
    assert _everything() == before
    path, body = one_click.removeprefix(rig.settings.base_url), {"List-Unsubscribe": "One-Click"}
    for _ in range(2):
        assert client.post(path, data=body, headers={"Origin": "https://mail.example.net"}).status_code == 200
    asked = sa.select(sa.func.count()).where(Report.unsubscribed_at.is_not(None))
    assert db.session.scalar(asked) == 1


def _everything() -> dict[str, list[Any]]:
    db.session.rollback()
    return {table.name: sorted(map(repr, db.session.execute(sa.select(table)))) for table in db.metadata.sorted_tables}


SCENARIOS: dict[str, Callable[[Rig], None]] = {
    "F-W1": killed_after_claim,
    "F-W2": killed_after_rcpt,
    "F-W3": killed_before_data,
    "F-W4": killed_after_250,
    "F-W5": killed_after_commit,
    "F-W6": killed_in_recovery,
    "F-W8": stands_still_beyond_its_lease,
    "F-S3": drops_after_the_dot,
    "F-WAL": power_fails,
    "D5": eight_count_at_once,
    "A-27": scanners_open_every_link,
}
ON_SQLITE_ALONE = {"F-WAL"}


def four_workers_at_once(rig: Rig) -> None:
    """F-W8: as many workers as you like tell everybody once."""
    make_bug(Status.LIVE, waiting=[make_customer() for _ in range(20)])
    with transaction():
        envelopes.open_due()
    workers = [rig.start_worker("never") for _ in range(4)]
    assert [rig.launcher.wait(worker) for worker in workers] == [0, 0, 0, 0]
    assert states() == {"sent": 20}
    rig.holds()


SCENARIOS["F-W8, four workers"] = four_workers_at_once
