"""`python -m bench.promptness`: how soon single mails reach the mail server once they are due.

BENCH_MAILS (200) outcomes of one person each come due one after the other over BENCH_SPREAD (60) seconds, while a
worker with its defaults runs. BENCH_DATABASES (sqlite,postgres).
"""

import multiprocessing
import os
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles

import sqlalchemy as sa

from bench import mail, seeding
from bench.__main__ import database
from bench.house import House, prepare
from bugintake.app import create_app
from bugintake.core import clock
from bugintake.core.db import db, transaction
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Bug, Status
from bugintake.loop import announcements
from bugintake.loop.models import Announcement, AnnouncementKind

MAILS = int(os.environ.get("BENCH_MAILS", "200"))
SPREAD = float(os.environ.get("BENCH_SPREAD", "60"))
DATABASES = os.environ.get("BENCH_DATABASES", "sqlite,postgres").split(",")
BUGS = 10_000
SOON = 10.0  # seconds, for 95 of 100
START_UP = timedelta(seconds=5)  # until the worker runs
NOTE = dict.fromkeys(seeding.LANGUAGES, "The VAT line is printed again.")


class TimingSink(mail.Sink):
    """A mail server that knows when the mail to each address came."""

    def __init__(self) -> None:
        self._came = multiprocessing.get_context("fork").SimpleQueue()
        super().__init__()

    def note(self, recipient: str) -> None:
        """Count a mail, and keep when it came."""
        super().note(recipient)
        self._came.put((recipient, time.time()))

    def came(self) -> dict[str, datetime]:
        """Tell when the first mail to each address came."""
        found: dict[str, datetime] = {}
        while not self._came.empty():
            recipient, at = self._came.get()
            found.setdefault(recipient, datetime.fromtimestamp(at, UTC))
        return found


def main() -> None:
    """Measure on each database, and print what missed its goal."""
    missed: list[str] = []
    for kind in DATABASES:
        with tempfile.TemporaryDirectory(prefix="bugintake-bench-") as name, database(kind, Path(name)) as url:
            missed += [f"{kind}: {each}" for each in measure(kind, prepare(Path(name), url, BUGS))]
    print("\nEvery goal was reached." if not missed else "\nMissed:\n  " + "\n  ".join(missed))


def measure(kind: str, house: House) -> list[str]:
    """Let a worker send what comes due meanwhile, and print how late each mail was."""
    with create_app(house.settings).app_context():
        due_at = owe_one_by_one(clock.now() + START_UP)
        db.session.remove()
        db.engine.dispose()
    sink = TimingSink()
    came: dict[str, datetime] = {}
    end = time.monotonic() + START_UP.total_seconds() + SPREAD + 60
    try:
        with mail.working(sink, house.environment) as worker:
            while len(came) < MAILS and worker.poll() is None and time.monotonic() < end:
                time.sleep(0.2)
                came |= {address: at for address, at in sink.came().items() if address not in came}
    finally:
        sink.stop()
    late = [(came[address] - at).total_seconds() for address, at in due_at.items() if address in came]
    if len(late) < MAILS:
        return [f"{MAILS - len(late)} of {MAILS} mails did not come"]
    shares = quantiles(late, n=100, method="inclusive")
    print(
        f"{kind}, {BUGS:,} bugs: {MAILS} single mails over {SPREAD:g} s reached the server after they were due in"
        f" p50 {shares[49]:.2f} s, p95 {shares[94]:.2f} s (goal ≤ {SOON:g} s), the latest {max(late):.2f} s",
        flush=True,
    )
    return [f"p95 {shares[94]:.2f} s"] if shares[94] > SOON else []


def owe_one_by_one(start: datetime) -> dict[str, datetime]:
    """Owe one person the outcome of one bug each, and tell when the mail to each address is due."""
    bugs = sa.select(Bug.id).where(Bug.status == Status.LIVE).order_by(Bug.id).limit(MAILS)
    due_at = {}
    for place, bug_id in enumerate(db.session.scalars(bugs).all()):
        at = start + timedelta(seconds=SPREAD * place / MAILS)
        with transaction():
            seeding.wait(bug_id, 1)
            known = {"kind": AnnouncementKind.LIVE, "bug_id": bug_id, "generation": 1, "notes": NOTE, "due_at": at}
            announcement = Announcement(**known)
            db.session.add(announcement)
            db.session.flush()
            announcements.owe(announcement)
            due_at[db.session.scalars(sa.select(Customer.email).order_by(Customer.id.desc())).first() or ""] = at
    return due_at


if __name__ == "__main__":
    sys.exit(main())
