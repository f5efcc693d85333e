"""Laws of the house that no type checker knows: who commits, who writes a status, who asks the time."""

import ast
import re

import pytest

from bugintake.core.db import db
from bugintake.core.event_kinds import EventKind
from tests.architecture.code import ROOT, breaks_outside, dotted, modules, name, offences

MOMENTS = ("now", "utcnow", "today", "fromtimestamp", "utcfromtimestamp")
CLOCKS = ("time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.ctime", "time.strftime")
NOW_IN_SQL = ("current_timestamp", "current_date", "localtimestamp", "now")


def commits(node: ast.AST) -> str | None:
    """Find what ends or opens a transaction."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        method, on = node.func.attr, dotted(node.func.value).lower()
        if method == "commit":
            return f"{dotted(node.func)}()"
        if method == "begin" and any(word in on for word in ("session", "engine", "connection")):
            return f"{dotted(node.func)}()"
    return None


def writes_status(node: ast.AST) -> str | None:
    """Find what gives a bug a status: an assignment, setattr(), values(), a constructor."""
    if isinstance(node, ast.Attribute) and node.attr == "status" and isinstance(node.ctx, ast.Store):
        return f"{dotted(node)} = …"
    if not isinstance(node, ast.Call):
        return None
    called = dotted(node.func)
    constants = [part.value for part in node.args if isinstance(part, ast.Constant)]
    if called == "setattr" and "status" in constants:
        return "setattr(…, 'status', …)"
    if called.rpartition(".")[2] in ("values", "update", "Bug", "insert"):
        keys = [keyword.arg for keyword in node.keywords]
        for part in node.args:
            if isinstance(part, ast.Dict):
                keys += [key.value for key in part.keys if isinstance(key, ast.Constant)]
                keys += [key.attr for key in part.keys if isinstance(key, ast.Attribute)]
        if "status" in keys:
            return f"{called}(status=…)"
    return None


def asks_the_time(node: ast.AST) -> str | None:
    """Find what asks any clock but the one of the house; measuring how long something takes is no question of time."""
    if isinstance(node, ast.ImportFrom) and node.module == "time":
        names = [f"time.{alias.name}" for alias in node.names if f"time.{alias.name}" in CLOCKS]
        return ", ".join(names) or None
    if not isinstance(node, ast.Call):
        return None
    called = dotted(node.func)
    owner, _, method = called.rpartition(".")
    if called in CLOCKS:
        return f"{called}()"
    if method in MOMENTS and owner.rpartition(".")[2] in ("datetime", "date"):
        return f"{called}()"
    if owner.rpartition(".")[2] == "func" and method.lower() in NOW_IN_SQL:
        return f"{called}()"
    if method == "text" and any(isinstance(part, ast.Constant) and _has_now(part.value) for part in node.args):
        return f"{called}('… now …')"
    return None


def _has_now(sql: object) -> bool:
    return isinstance(sql, str) and any(word in sql.lower() for word in ("current_timestamp", "now()", "'now'"))


def test_only_the_database_module_commits():
    outside_any_session = (
        "bugintake/core/connections.py",  # what only reads
        "bugintake/core/backup.py",  # the whole database, below the tables
        "bugintake/core/restoring.py",
        "bugintake/core/statistics.py",  # ANALYZE
    )
    assert breaks_outside(commits, "bugintake/core/db.py", *outside_any_session) == []


def test_only_transitions_write_a_status():
    assert breaks_outside(writes_status, "bugintake/triage/transitions.py") == []


def test_only_the_clock_asks_the_time():
    assert breaks_outside(asks_the_time, "bugintake/core/clock.py") == []


def test_every_kind_of_event_is_recorded_by_something():
    told = ("bugintake/core/events.py", "bugintake/triage/history.py")
    code = "".join(path.read_text(encoding="utf-8") for path in modules() if name(path) not in told)
    assert [kind.name for kind in EventKind if f"EventKind.{kind.name}" not in code] == []


def test_every_column_is_used_by_something_besides_its_table():
    places = [path for path in modules() if path.name != "models.py"] + sorted((ROOT / "templates").rglob("*.*"))
    used = {word for path in places for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))}
    used |= {f"{word}_id" for word in used}  # read through its relationship
    columns = [column for table in db.metadata.tables.values() for column in table.columns]
    assert [f"{column.table.name}.{column.name}" for column in columns if column.name not in used] == []


def knows_the_product(node: ast.AST) -> str | None:
    """Find what imports the product."""
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
    names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
    return next((found for found in names if found.partition(".")[0] == "bugintake"), None)


def test_the_journeys_know_the_product_from_outside_alone():
    told_by = [*(ROOT / "tests" / "journeys").glob("*.py"), ROOT / "tests" / "faults" / "server.py"]
    found = {name(path): list(offences(knows_the_product, path.read_text(encoding="utf-8"))) for path in told_by}
    assert len(found) > 4
    assert {path: imports for path, imports in found.items() if imports} == {}


def test_no_file_is_longer_than_300_lines():
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()}
    assert {path: length for path, length in lengths.items() if length > 300} == {}


@pytest.mark.parametrize(
    ("law", "broken"),
    [
        (commits, "db.session.commit()"),
        (commits, "with db.engine.begin() as connection: pass"),
        (commits, "with connection.begin(): pass"),
        (writes_status, "bug.status = Status.LIVE"),
        (writes_status, "bug.status, other = pair"),
        (writes_status, "setattr(bug, 'status', found)"),
        (writes_status, "sa.update(Bug).values(status='live')"),
        (writes_status, "sa.update(Bug).values({'status': 'live'})"),
        (writes_status, "sa.update(Bug).values({Bug.status: 'live'})"),
        (writes_status, "Bug(title='x', status=Status.LIVE)"),
        (asks_the_time, "datetime.now(UTC)"),
        (asks_the_time, "datetime.datetime.utcnow()"),
        (asks_the_time, "date.today()"),
        (asks_the_time, "time.time()"),
        (asks_the_time, "from time import time"),
        (asks_the_time, "sa.func.now()"),
        (asks_the_time, "sa.text('SELECT CURRENT_TIMESTAMP')"),
        (knows_the_product, "from bugintake.core import clock"),
        (knows_the_product, "import json, bugintake"),
    ],
)
def test_a_law_finds_what_breaks_it(law, broken):
    assert [line for line, _ in offences(law, broken)] == [1]


@pytest.mark.parametrize(
    ("law", "kept"),
    [
        (commits, "with transaction(): pass"),
        (writes_status, "if bug.status == Status.LIVE: pass"),
        (writes_status, "render_template('x.html', status=404)"),
        (asks_the_time, "clock.now()"),
        (asks_the_time, "time.monotonic()"),
        (asks_the_time, "clock.today(zone)"),
    ],
)
def test_a_law_leaves_alone_what_keeps_it(law, kept):
    assert list(offences(law, kept)) == []
