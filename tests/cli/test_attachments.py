"""Attachments in backups: back by their fingerprint, and missed in words where they are gone."""

import shutil

from bugintake.intake.attachments import storage
from bugintake.intake.attachments.queries import damaged
from tests.factories import make_attachment, make_bug, make_workspace


def test_attachments_come_back_from_a_backup_and_doctor_finds_each_whole(app, settings, run, run_json, tmp_path):
    make_workspace()
    found = make_attachment(make_bug())
    content = storage.path_of(found.stored_as).read_bytes()
    made = run_json("backup", str(tmp_path / "backup"))
    shutil.rmtree(storage.folder())

    run_json("restore", str(tmp_path / "backup"), "--replace")

    assert made["attachments"] == 2  # the picture and its small copy
    assert storage.path_of(found.stored_as).read_bytes() == content
    assert {oct(path.stat().st_mode & 0o777) for path in storage.folder().iterdir()} == {"0o600"}
    assert damaged() == []
    assert {row["subject"]: row["verdict"] for row in run_json("doctor")}["attachments"] == "ok"


def test_what_is_missing_or_damaged_is_said_by_doctor_and_at_every_backup(app, run, tmp_path):
    lost, spoilt = make_attachment(make_bug(), "lost.log", b"lost"), make_attachment(make_bug(), "spoilt.log", b"was")
    storage.drop(lost.stored_as)
    storage.path_of(spoilt.stored_as).write_bytes(b"is")

    doctor, backup = run("doctor"), run("backup", str(tmp_path / "backup"))

    assert doctor.exit_code == 1
    assert "2 are missing or damaged, among them" in doctor.stdout
    assert backup.exit_code == 0
    assert backup.stderr.splitlines() == [
        f"{each.name} ({each.stored_as}) is missing or damaged here, and so in the backup." for each in (lost, spoilt)
    ]
