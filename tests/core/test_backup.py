"""A backup holds everything as of one instant, comes back whole or not at all, and sends nothing again."""

import hashlib
import json
import os
import shutil
import stat
import threading
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from bugintake.app import create_app
from bugintake.core import backup as backups
from bugintake.core import migrating, restoring
from bugintake.core.backup import CannotBackUp, CannotRestore
from bugintake.core.config import Settings
from bugintake.core.db import db, transaction
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.intake.models import Bug, Report, Status
from bugintake.loop import outbox
from bugintake.loop.models import Delivery, DeliveryKind, DeliveryState, HeldBecause, Message, MessageState
from bugintake.loop.restoring import catch_up, distrust
from bugintake.loop.worker import sweep
from bugintake.team.models import SignIn, User
from tests.factories import make_bug, make_customer, make_user, make_workspace, merge


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the backup goes."""
    return tmp_path / "backup.zip"


@pytest.fixture
def other_database(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of the other kind."""
    if request.config.getoption("--db") != "both":
        pytest.skip("This test needs both databases.")
    if database.startswith("sqlite"):
        with request.getfixturevalue("postgres_template").copy() as url:
            yield url
    else:
        (tmp_path / "other-file").mkdir()
        with request.getfixturevalue("sqlite_template").copy(tmp_path / "other-file") as url:
            yield url


def rows() -> dict[str, list[Any]]:
    """Everything in the database, by table."""
    with db.engine.connect() as connection:
        return {
            table.name: sorted(
                json.dumps(list(row), default=str, sort_keys=True) for row in connection.execute(sa.select(table))
            )
            for table in migrating.metadata().sorted_tables
        }


def nothing(*_: Any) -> None:
    """Leave everything as restored."""


def restore(file: Path, *, replace: bool = False, then: Callable[..., None] = nothing) -> None:
    """Restore with nobody connected."""
    db.session.remove()
    restoring.restore(file, replace=replace, then=then)


def wipe() -> None:
    """Leave an installation as empty as on the first day."""
    db.session.remove()
    with migrating.alone(db.engine) as connection, connection.begin():
        restoring._drop_everything(connection)


def fill() -> Bug:
    """Have some of everything: people, reports, a merged bug, outcomes, unsent mail."""
    make_workspace(zone="Europe/Berlin")
    make_bug(Status.ACCEPTED, waiting=[])
    first = make_bug(Status.LIVE, waiting=[make_customer("José", language="es"), make_customer("Ånn – 漢字", email="")])
    second = make_bug(waiting=[make_customer(company="Brightline")])
    with transaction():
        first.merged_into_id = first.canonical_id = second.id  # a reference to a later row
    return second


def test_everything_comes_back_as_it_was(app: Flask, file: Path) -> None:
    fill()
    before = rows()

    backups.write(file)
    wipe()
    restore(file)

    assert rows() == before


def test_a_restored_installation_has_the_shape_the_code_expects(app: Flask, file: Path) -> None:
    backups.write(file)
    wipe()
    restore(file)

    assert migrating.is_current()
    assert migrating.upgrade() is False


def test_a_backup_moves_an_installation_to_the_other_database(
    app: Flask, settings: Settings, file: Path, tmp_path: Path, other_database: str
) -> None:
    fill()
    before = rows()
    backups.write(file)
    folder = tmp_path / "other"
    folder.mkdir()
    there = Settings(data=folder, database_url=other_database, queue_url="sqlite://", secret_key="x" * 40)

    with create_app(there).app_context():
        restore(file, replace=True)
        after = rows()
        next_bug = make_bug()
        db.session.remove()
        db.engine.dispose()

    assert after == before
    assert next_bug.id > max(db.session.scalars(sa.select(Bug.id)))


def test_numbers_of_bugs_that_are_gone_are_not_given_out_again(app: Flask, file: Path) -> None:
    last = fill()
    with db.engine.connect().execution_options(is_writing=True) as connection, connection.begin():
        for table in reversed(migrating.metadata().sorted_tables):
            connection.execute(sa.delete(table))
    db.session.remove()

    backups.write(file)
    wipe()
    restore(file)

    assert make_bug().id == last.id + 1


@pytest.mark.fault("F-B1")
def test_attachments_come_back_by_their_fingerprint(app: Flask, settings: Settings, file: Path) -> None:
    folder = settings.data / "attachments"
    contents = {"ab/one": os.urandom(200_000), "two": b"", "ü.txt": b"three"}
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)

    made = backups.write(file)
    wipe()
    shutil.rmtree(folder)
    restore(file)

    assert {name: (folder / name).read_bytes() for name in contents} == contents
    assert made.attachments["attachments/ab/one"] == hashlib.sha256(contents["ab/one"]).hexdigest()
    assert sorted(path.name for path in settings.data.iterdir() if path.name.startswith("attachments")) == [
        "attachments"
    ]


@pytest.mark.fault("F-B1")
def test_a_backup_made_while_people_write_is_of_one_instant_and_fresh(app: Flask, file: Path) -> None:
    make_workspace()
    actor_id = make_user().id
    stop = threading.Event()
    wrote_one = threading.Event()

    def write() -> None:
        with app.app_context():
            while not stop.is_set():
                make_bug(waiting=[make_customer()], actor=db.session.get_one(User, actor_id))
                wrote_one.set()

    writer = threading.Thread(target=write)
    writer.start()
    wrote_one.wait()
    marker = make_bug(waiting=[make_customer("The marker")])
    backups.write(file)
    stop.set()
    writer.join()
    db.session.remove()
    wipe()
    restore(file)

    assert db.session.scalars(sa.select(Report).where(Report.bug_id == marker.id)).one().customer is not None
    without_report = sa.select(Bug.id).where(~sa.exists().where(Report.bug_id == Bug.id))
    assert db.session.scalars(without_report).all() == []
    if db.engine.dialect.name == "sqlite":
        assert db.session.scalar(sa.text("PRAGMA integrity_check")) == "ok"
        assert db.session.execute(sa.text("PRAGMA foreign_key_check")).all() == []


def test_only_its_owner_reads_a_backup(app: Flask, file: Path) -> None:
    backups.write(file)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir() if "backup" in path.name] == ["backup.zip"]


def test_a_backup_that_cannot_be_written_says_so_and_leaves_nothing(app: Flask, tmp_path: Path) -> None:
    with pytest.raises(CannotBackUp, match="cannot be written: No such file or directory"):
        backups.write(tmp_path / "nowhere" / "backup.zip")


# --- Mail after a restore ------------------------------------------------------------------------------------------


@pytest.mark.fault("F-B2")
def test_mail_that_had_not_left_is_held_and_nothing_goes_out_again(app: Flask, file: Path, clock: Any) -> None:
    make_workspace(review_minutes=0)
    make_bug(Status.LIVE, waiting=[make_customer(), make_customer()])
    sweep(app)
    before = db.session.scalars(sa.select(Message.state)).all()
    assert before == [MessageState.PENDING] * 2

    backups.write(file)
    clock.advance(timedelta(hours=6))
    restore(file, replace=True, then=distrust)
    db.session.remove()
    catch_up(clock.now())
    for _ in range(3):
        sweep(app)

    held = [(m.state, m.held_because) for m in db.session.scalars(sa.select(Message))]
    assert held == [(MessageState.HELD, HeldBecause.RESTORED)] * 2
    assert DeliveryState.PENDING not in set(db.session.scalars(sa.select(Delivery.state)))
    assert not outbox.is_waiting()
    event = db.session.scalars(sa.select(Event).where(Event.kind == EventKind.BACKUP_RESTORED)).one()
    assert event.details["held"] == 2


def test_a_row_that_was_changed_after_those_that_point_to_it_is_restored(app: Flask, file: Path) -> None:
    whole, part = make_bug(), make_bug()
    merge(part, whole)
    with transaction():
        db.session.get_one(Bug, whole.id).impact_rank += 1  # PostgreSQL reads it behind its part now

    backups.write(file)
    restore(file, replace=True, then=distrust)
    db.session.remove()

    found = db.session.execute(sa.select(Bug.merged_into_id, Bug.canonical_id).order_by(Bug.id)).all()
    assert [tuple(row) for row in found] == [(None, whole.id), (whole.id, whole.id)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (DeliveryState.PENDING, DeliveryState.HELD),
        (DeliveryState.CLAIMED, DeliveryState.HELD),
        (DeliveryState.SENDING, DeliveryState.UNCERTAIN),
        (DeliveryState.ACCEPTED, DeliveryState.ACCEPTED),
        (DeliveryState.SENT, DeliveryState.SENT),
        (DeliveryState.FAILED, DeliveryState.FAILED),
    ],
)
def test_what_becomes_of_an_envelope(app: Flask, file: Path, before: DeliveryState, after: DeliveryState) -> None:
    user = make_user()
    with transaction():
        db.session.add(
            Delivery(key="k", kind=DeliveryKind.TEST, user_id=user.id, params={}, message_id="<m@x>", state=before)
        )
    backups.write(file)
    restore(file, replace=True, then=distrust)
    db.session.remove()

    assert db.session.scalars(sa.select(Delivery.state)).all() == [after]


def test_sign_ins_do_not_survive_a_restore(app: Flask, file: Path, clock: Any) -> None:
    user = make_user()
    with transaction():
        db.session.add(SignIn(secret_hash="x", user_id=user.id, expires_at=clock.now() + timedelta(days=1)))
    backups.write(file)
    restore(file, replace=True, then=distrust)
    db.session.remove()

    assert db.session.scalars(sa.select(SignIn)).all() == []


# --- What is refused, before anything is touched -------------------------------------------------------------------


def damage_truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-200])


def damage_flipped(file: Path) -> None:
    content = bytearray(file.read_bytes())
    middle = len(content) // 3
    content[middle : middle + 100] = bytes(byte ^ 0xFF for byte in content[middle : middle + 100])
    file.write_bytes(content)


def damage_not_ours(file: Path) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("holiday.txt", "photos")


def damage_not_a_zip(file: Path) -> None:
    file.write_text("select * from users")


def damage_emptied(file: Path) -> None:
    file.write_bytes(b"")


def damage_gone(file: Path) -> None:
    file.unlink()


def damage_changed_row(file: Path) -> None:
    rewrite(file, lambda name, content: content.replace(b"Fakturo", b"Faktura") if "workspaces" in name else content)


def damage_missing_table(file: Path) -> None:
    rewrite(file, lambda name, content: None if "reports" in name else content)


def damage_newer(file: Path) -> None:
    def raise_version(name: str, content: bytes) -> bytes:
        return content if name != "manifest.json" else json.dumps({**json.loads(content), "migration": "9999"}).encode()

    rewrite(file, raise_version)


def rewrite(file: Path, change: Callable[[str, bytes], bytes | None]) -> None:
    with zipfile.ZipFile(file) as archive:
        members = {name: change(name, archive.read(name)) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            if content is not None:
                archive.writestr(name, content)


DAMAGES = {
    damage_truncated: "is damaged, cut off, or not a backup of bugintake",
    damage_flipped: "is damaged, cut off, or not a backup of bugintake",
    damage_not_ours: "is damaged, cut off, or not a backup of bugintake",
    damage_not_a_zip: "is damaged, cut off, or not a backup of bugintake",
    damage_emptied: "is damaged, cut off, or not a backup of bugintake",
    damage_changed_row: "is damaged, cut off, or not a backup of bugintake",
    damage_missing_table: "is damaged, cut off, or not a backup of bugintake",
    damage_gone: "There is no file",
    damage_newer: "which is newer than this one",
}


@pytest.mark.fault("F-B3")
@pytest.mark.parametrize(("damage", "words"), DAMAGES.items(), ids=[damage.__name__ for damage in DAMAGES])
def test_a_file_that_cannot_be_used_is_refused_before_anything_is_touched(
    app: Flask, file: Path, damage: Callable[[Path], None], words: str
) -> None:
    fill()
    backups.write(file)
    damage(file)
    before = rows()

    with pytest.raises(CannotRestore, match=words):
        restore(file, replace=True)

    assert rows() == before


def test_work_that_is_there_is_not_replaced_unasked(app: Flask, file: Path) -> None:
    fill()
    backups.write(file)
    before = rows()

    with pytest.raises(CannotRestore, match="There is work in this installation already"):
        restore(file)

    assert rows() == before


def test_a_restore_that_fails_in_the_middle_changes_nothing(app: Flask, settings: Settings, file: Path) -> None:
    fill()
    backups.write(file)
    (settings.data / "attachments").mkdir()
    (settings.data / "attachments" / "new").write_text("since the backup")
    make_bug(waiting=[make_customer("Added since")])
    before = rows()

    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        restore(file, replace=True, then=fail)

    assert rows() == before
    assert (settings.data / "attachments" / "new").read_text() == "since the backup"


def test_a_restore_whose_last_step_fails_gives_the_files_back(app: Flask, settings: Settings, file: Path) -> None:
    fill()
    folder = settings.data / "attachments"
    folder.mkdir()
    (folder / "old").write_text("as of the backup")
    backups.write(file)
    (folder / "new").write_text("since the backup")

    def fail_to_commit(_connection: sa.Connection) -> None:
        raise OSError("The disk is full.")

    with pytest.raises(OSError, match="The disk is full"):
        restore(file, replace=True, then=lambda _backup, link: sa.event.listen(link, "commit", fail_to_commit))

    assert sorted(path.name for path in folder.iterdir()) == ["new", "old"]
    assert [path.name for path in settings.data.glob("attachments.*")] == []


def test_a_file_that_names_a_place_outside_is_refused(app: Flask, settings: Settings, file: Path) -> None:
    backups.write(file)
    evil = "attachments/../../evil"

    def name_outside(name: str, content: bytes) -> bytes:
        digest = hashlib.sha256(b"evil").hexdigest()
        if name == "manifest.json":
            return json.dumps({**json.loads(content), "attachments": {evil: digest}}).encode()
        return content

    rewrite(file, name_outside)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(evil, b"evil")

    with pytest.raises(CannotRestore, match="outside"):
        restore(file, replace=True)

    assert not (settings.data.parent / "evil").exists()
