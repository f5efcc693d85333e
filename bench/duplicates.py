"""How well look-alikes find true duplicates: a public tracker's bugs filed one after the other, as they came in.

    python -m bench.duplicates

Each bug that is known to be a duplicate is looked for right before it is filed, so only earlier bugs can be found,
through the product's own function. The weights were tuned on the earlier half of the queries; the later half counts.
BENCH_DATABASES (sqlite,postgres), BUGINTAKE_SHARED (../shared) is where the bugs are.
"""

import gzip
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.__main__ import DATABASES, database
from bugintake.app import create_app
from bugintake.core import clock, migrating
from bugintake.core.config import Settings
from bugintake.core.db import db, transaction
from bugintake.core.forms import clean_line, clean_text
from bugintake.intake import catalogue
from bugintake.intake.models import Option, OptionList
from bugintake.intake.reports import TEXT_LENGTH, Telling, file_report
from bugintake.intake.similar import look_alikes
from bugintake.team import setup
from bugintake.team.models import User
from bugintake.triage import editing

DATA = Path(os.environ.get("BUGINTAKE_SHARED", "../shared")) / "data" / "duplicates"
SHOWN, LISTED = 3, 10
GOALS = {"half the title": 0.45, "title + 200 characters": 0.62}
Row = dict[str, Any]


@dataclass
class Score:
    """How often one of the true ones was among the first three, and the first ten."""

    shown: int = 0
    listed: int = 0
    asked: int = 0

    def count(self, found: Sequence[str], true: set[str]) -> None:
        """Add one query."""
        self.asked += 1
        self.shown += not true.isdisjoint(found[:SHOWN])
        self.listed += not true.isdisjoint(found)


@dataclass
class Figures:
    """What one run found: scores by half and kind of query, and how long each look took in ms."""

    scores: dict[tuple[str, str], Score] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)

    def percentile(self, share: int) -> float:
        """Return how long all but the slowest looks took."""
        return sorted(self.took)[len(self.took) * share // 100]


def main() -> int:
    """Measure each database and print its table; exit status 1 where a goal is missed or the data is not there."""
    if not (DATA / "titanium.jsonl.gz").exists():
        print(f"There are no bugs at {DATA}: BUGINTAKE_SHARED names the folder above.", file=sys.stderr)
        return 1
    with gzip.open(DATA / "titanium.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    queries = json.loads((DATA / "titanium_queries.json").read_text(encoding="utf-8"))
    is_missed = False
    for kind in DATABASES:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bugintake-duplicates-")))
            url = stack.enter_context(database(kind, folder))
            settings = Settings(data=folder, database_url=url, queue_url="sqlite://", secret_key="b" * 40)
            stack.enter_context(create_app(settings).app_context())
            stack.callback(db.engine.dispose)
            stack.enter_context(clock.travel())
            migrating.upgrade()
            is_missed |= show(kind, replay(rows, queries))
    return int(is_missed)


def replay(rows: Sequence[Row], queries: Sequence[Row]) -> Figures:
    """File all bugs in the order they came in, and look for each duplicate before it is filed."""
    with transaction():
        actor = setup.found_company("Bench", admin_name="Petra", admin_email="petra@bench.example", password_hash=None)
    options = add_options(rows, actor)
    halves = {each["query"]: "earlier" if place < len(queries) // 2 else "later" for place, each in enumerate(queries)}
    true = {each["query"]: set(each["targets"]) for each in queries}
    figures, names, batch = Figures(), dict[int, str](), list[Row]()
    for row in rows:
        if row["id"] in true:
            names |= file(batch, options, actor)
            batch = []
            clock.freeze(filed_at(row))
            for kind, text in told_so_far(row):
                begin = time.perf_counter()
                found = look_alikes(*choices(row, options), text, actor=actor, limit=LISTED)
                figures.took.append(1000 * (time.perf_counter() - begin))
                score = figures.scores.setdefault((halves[row["id"]], kind), Score())
                score.count([names[each.bug.id] for each in found], true[row["id"]])
            db.session.rollback()
        batch.append(row)
    return figures


def told_so_far(row: Row) -> Iterator[tuple[str, str]]:
    """Yield what an agent has typed at three moments."""
    title = row["title"] or ""
    words = title.split()
    yield "half the title", " ".join(words[: max(1, len(words) // 2)])
    yield "title", title
    yield "title + 200 characters", f"{title}\n{(row['description'] or '')[:200]}"


def add_options(rows: Sequence[Row], actor: User) -> dict[tuple[OptionList, str], Option]:
    """Make an area of each component and a symptom of each type; nothing else that a tracker may fill in later."""
    used = {(OptionList.AREA, named(row["component"])) for row in rows}
    used |= {(OptionList.SYMPTOM, named(row["type"])) for row in rows}
    rest = (OptionList.IMPACT, OptionList.FREQUENCY, OptionList.PLATFORM, OptionList.VERSION)
    with transaction():
        return {
            (kind, label): catalogue.add_option(kind, label, actor=actor, is_unsure=label == "Not sure")
            for kind, label in sorted(used | {(kind, "Not sure") for kind in rest})
        }


def named(value: str | None) -> str:
    """Name a choice as the catalogue does."""
    return value or "Not sure"


def choices(row: Row, options: dict[tuple[OptionList, str], Option]) -> tuple[Option, Option]:
    """Return where it happens and what goes wrong."""
    return options[OptionList.AREA, named(row["component"])], options[OptionList.SYMPTOM, named(row["type"])]


def file(batch: Sequence[Row], options: dict[tuple[OptionList, str], Option], actor: User) -> dict[int, str]:
    """File bugs at the times they were filed, and return their old names by number."""
    unsure = {kind.value: options.get((kind, "Not sure")) for kind in OptionList}
    rest = {name: unsure[name] for name in ("impact", "frequency", "platform", "version")}
    names = {}
    with transaction():
        for row in batch:
            clock.freeze(filed_at(row))
            area, symptom = choices(row, options)
            title = clean_line(row["title"] or "Untitled")[: editing.TITLE_LENGTH]
            telling = Telling(
                customer=None,
                area=area,
                symptom=symptom,
                **rest,
                steps=clean_text(row["steps"] or "-")[:TEXT_LENGTH],
                actual=clean_text(f"{title}\n{row['description'] or ''}")[:TEXT_LENGTH],
                expected=clean_text(row["expected"] or "-")[:TEXT_LENGTH],
            )
            bug = file_report(telling, actor=actor).bug
            editing.rename(bug, title, actor=actor)
            names[bug.id] = row["id"]
    return names


def filed_at(row: Row) -> datetime:
    """Read when it was filed."""
    return datetime.strptime(row["created"], "%Y-%m-%dT%H:%M:%S.%f%z")


def show(kind: str, figures: Figures) -> bool:
    """Print a table, and tell whether a goal was missed."""
    took = f"p50 {figures.percentile(50):.1f} ms, p95 {figures.percentile(95):.1f} ms"
    print(f"\n{kind}: {len(figures.took):,} looks, {took}")
    print(f"{'half':<10}{'typed so far':<26}{'queries':>8}{'recall@3':>10}{'recall@10':>11}  goal")
    is_missed = False
    for (half, typed), score in sorted(figures.scores.items()):
        recall = score.listed / score.asked
        goal = GOALS.get(typed) if half == "later" else None
        verdict = "" if goal is None else f"≥ {goal} {'reached' if recall >= goal else 'missed'}"
        is_missed |= goal is not None and recall < goal
        print(f"{half:<10}{typed:<26}{score.asked:>8}{score.shown / score.asked:>10.3f}{recall:>11.3f}  {verdict}")
    return is_missed


if __name__ == "__main__":
    sys.exit(main())
