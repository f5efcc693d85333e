"""`python -m bench.announcing`: a bug for which very many people wait goes live, and nobody else waits for that.

BENCH_PEOPLE (100000) wait for one bug, BENCH_MAILS (5000) of their mails are sent, BENCH_DATABASES (sqlite,postgres).
"""

import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event as Flag
from pathlib import Path

import psutil
import sqlalchemy as sa

from bench import mail, seeding
from bench.__main__ import database
from bench.client import Visitor
from bench.house import House, prepare, serving
from bugintake.app import create_app
from bugintake.core.config import Settings
from bugintake.core.db import db, transaction
from bugintake.core.statistics import count_anew
from bugintake.intake.models import Bug, OptionList, Status
from bugintake.intake.option_models import Option
from bugintake.loop import releases, worker
from bugintake.loop.models import Message
from bugintake.team.models import User
from bugintake.triage import pinning, transitions

PEOPLE = int(os.environ.get("BENCH_PEOPLE", "100000"))
MAILS = int(os.environ.get("BENCH_MAILS", "5000"))
DATABASES = os.environ.get("BENCH_DATABASES", "sqlite,postgres").split(",")
PREPARED_IN, OTHERS_WAIT, RATIO, GROWS = 10.0, 1.0, 0.8, 20.0  # seconds, seconds, of a bare loop, MiB
NOTE = dict.fromkeys(seeding.LANGUAGES, "The VAT line is printed again.")


def main() -> None:
    """Measure on each database, and print what missed its goal."""
    missed: list[str] = []
    for kind in DATABASES:
        with tempfile.TemporaryDirectory(prefix="bugintake-bench-") as name, database(kind, Path(name)) as url:
            house = prepare(Path(name), url, 1000)
            missed += [f"{kind}: {each}" for each in measure_preparing(house)]
            measure_page(house)
            missed += [f"{kind}: {each}" for each in measure_sending(house)]
    print("\nEvery goal was reached." if not missed else "\nMissed:\n  " + "\n  ".join(missed))


def measure_preparing(house: House) -> list[str]:
    """Let the release of one bug go live, while somebody else writes all the time."""
    app = create_app(house.settings)
    with app.app_context():
        bug_id, version_id = wait_for_one_bug()
        with others_writing(house.settings) as waits:
            started = time.perf_counter()
            with transaction():
                releases.release_live(db.session.get_one(Option, version_id), actor=db.session.get_one(User, 2))
            announced = time.perf_counter() - started
            worker.sweep(app)
            taken = time.perf_counter() - started
        longest = max(waits)
        carried = db.session.scalar(sa.select(sa.func.count()).where(Message.delivery_id.is_not(None)))
        if carried is None or carried < PEOPLE:
            raise RuntimeError(f"Only {carried} messages are in envelopes.")
        db.session.remove()
        db.engine.dispose()
    print(
        f"\n{house.settings.database_url.split(':')[0]}: {PEOPLE:,} people wait for BUG-{bug_id}\n"
        f"live with everybody owed a message in {announced:.2f} s, in envelopes after {taken:.2f} s"
        f" (goal < {PREPARED_IN:g})\nthe longest of {len(waits):,} other writes meanwhile took {longest:.2f} s"
        f" (goal ≤ {OTHERS_WAIT:g})"
    )
    found = [
        (taken >= PREPARED_IN, f"prepared in {taken:.2f} s"),
        (longest > OTHERS_WAIT, f"a write of {longest:.2f} s"),
    ]
    return [text for is_missed, text in found if is_missed]


def measure_page(house: House) -> None:
    """Open the page of the announcement, which reads as much of the messages as it shows."""
    with serving(house):
        visitor = Visitor(house.port)
        visitor.sign_in(seeding.EMAIL, seeding.PASSWORD)
        took = []
        for _ in range(11):
            started = time.perf_counter()
            visitor.fetch("GET", "/loop/1")
            took.append(time.perf_counter() - started)
    print(f"its page: {statistics.median(took) * 1000:.0f} ms")


def measure_sending(house: House) -> list[str]:
    """Let the worker send the first of the mails, beside the bare loop, and look at how much memory it takes."""
    sink = mail.Sink()
    try:
        bare = mail.bare_rate(sink, house, min(MAILS, 2000))
        sink.forget()
        early, late = 0.0, 0.0
        with mail.working(sink, house.environment) as sender:
            while sink.count.value < MAILS and sender.poll() is None:
                time.sleep(0.05)
                if sink.count.value < MAILS / 4:
                    early = resident(sender)
            late, rate = resident(sender), sink.rate()
    finally:
        sink.stop()
    ratio, grown = rate / bare, late - early
    print(
        f"mail: {rate:.0f}/s, a bare loop {bare:.0f}/s, ratio {ratio:.2f} (goal ≥ {RATIO:g})\n"
        f"worker: {early:.0f} MiB after a quarter of {MAILS:,} mails, {late:.0f} MiB after all (goal: {GROWS:g} more)"
    )
    found = [(ratio < RATIO, f"mail: ratio {ratio:.2f}"), (grown > GROWS, f"{grown:.0f} MiB more memory")]
    return [text for is_missed, text in found if is_missed]


def wait_for_one_bug() -> tuple[int, int]:
    """Let very many people wait for one bug that is fixed, and return its number and its version's."""
    version = db.session.scalars(
        sa.select(Option).where(Option.list == OptionList.VERSION, ~Option.is_unsure).order_by(Option.id)
    ).first()
    bug = db.session.scalars(sa.select(Bug).where(Bug.status == Status.NEW).order_by(Bug.id)).first()
    assert version is not None
    assert bug is not None
    bug_id, version_id = bug.id, version.id
    with transaction():
        seeding.wait(bug_id, PEOPLE)
        db.session.execute(sa.update(Bug).where(Bug.id == bug_id).values(waiting_count=Bug.waiting_count + PEOPLE))
    with transaction():
        bug, actor = db.session.get_one(Bug, bug_id), db.session.get_one(User, 2)
        transitions.fix(bug, NOTE, db.session.get_one(Option, version_id), actor=actor)
        db.session.execute(sa.text("UPDATE workspaces SET review_minutes = 0"))
    count_anew()
    return bug_id, version_id


@contextmanager
def others_writing(settings: Settings) -> Iterator[list[float]]:
    """Let another process pin a bug and unpin it all the time, and give how long each took, once it is over."""
    context = multiprocessing.get_context("spawn")
    stop, ready = context.Event(), context.Event()
    kept = context.Queue()
    other = context.Process(target=pin_all_the_time, args=(settings, stop, ready, kept))
    other.start()
    ready.wait()
    waits: list[float] = []
    try:
        yield waits
    finally:
        stop.set()
        waits += kept.get()
        other.join()


def pin_all_the_time(settings: Settings, stop: Flag, ready: Flag, kept: "multiprocessing.Queue[list[float]]") -> None:
    """Write something small again and again, each with its time in seconds."""
    waits: list[float] = []
    with create_app(settings).app_context():
        number = db.session.scalar(sa.select(sa.func.max(Bug.id)).where(Bug.status == Status.NEW))
        while not stop.is_set():
            started = time.perf_counter()
            with transaction():
                bug = db.session.get_one(Bug, number)
                pinning.pin(bug, not bug.is_pinned, actor=db.session.get_one(User, 1))
            waits.append(time.perf_counter() - started)
            ready.set()
            stop.wait(0.02)
    kept.put(waits)


def resident(process: "subprocess.Popen[bytes]") -> float:
    """Tell how much memory a process takes for itself, in MiB."""
    return float(psutil.Process(process.pid).memory_info().rss) / 2**20


if __name__ == "__main__":
    sys.exit(main())
