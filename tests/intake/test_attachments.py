"""Files and their rows: chosen, attached, taken out, swept."""

import hashlib
import os
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Invalid, NotFound
from bugintake.intake.attachments import keeping, storage
from bugintake.intake.attachments.models import Attachment
from bugintake.intake.attachments.queries import attachment_or_404, chosen_in, files_of, unfiled_or_404
from bugintake.team.models import Role
from bugintake.triage import editing
from tests.factories import make_attachment, make_bug, make_customer, make_picture, make_report, make_user

LOG = b"10:42 no VAT line\n"


@pytest.fixture
def lea(app):
    return make_user(Role.AGENT, "Lea")


def files_on_disk():
    return sorted(path.name for path in storage.folder().iterdir()) if storage.folder().exists() else []


def rows():
    return list(db.session.scalars(sa.select(Attachment).order_by(Attachment.id)))


def chosen(lea, name="app.log", data=LOG, form="form"):
    return keeping.choose(form, name, data, actor=lea)


def test_a_file_lies_beside_the_database_under_a_name_that_says_nothing(lea):
    log, picture = chosen(lea), chosen(lea, "screen.png", make_picture())

    assert files_on_disk() == sorted([log.stored_as, picture.stored_as, f"{picture.stored_as}.small"])
    assert {len(each.stored_as) for each in (log, picture)} == {32}
    assert {oct(path.stat().st_mode & 0o777) for path in storage.folder().iterdir()} == {"0o600"}
    for each in (log, picture):
        content = storage.path_of(each.stored_as).read_bytes()
        assert (each.sha256, each.byte_count) == (hashlib.sha256(content).hexdigest(), len(content))


@pytest.mark.parametrize(
    ("count", "words"), [(999, "999 bytes"), (1_499, "1 kB"), (999_499, "999 kB"), (1_250_000, "1.2 MB")]
)
def test_a_size_is_said_for_people(count, words):
    assert Attachment(byte_count=count).size == words


def test_the_same_file_chosen_twice_is_kept_once_and_the_same_name_twice_is_two(lea):
    first, again = chosen(lea), chosen(lea)
    other = chosen(lea, data=b"another day\n")

    assert again.id == first.id
    assert [(each.id, each.name) for each in chosen_in("form")] == [(first.id, "app.log"), (other.id, "app.log")]
    assert files_on_disk() == sorted([first.stored_as, other.stored_as])


def test_the_same_file_chosen_at_once_by_a_double_click_is_kept_once(app, lea, together):
    assert len({each.id for each in together(lambda _: chosen(lea))}) == 1
    assert len(rows()) == len(files_on_disk()) == 1


def test_a_report_takes_ten_files(lea):
    for number in range(10):
        chosen(lea, data=b"%d" % number)

    with pytest.raises(Invalid, match=r"A report takes up to 10 files\."):
        chosen(lea, data=b"one more")

    assert len(files_on_disk()) == 10


def test_a_full_form_decodes_nothing_but_what_may_be_its_own_sent_again(lea, monkeypatch):
    first = chosen(lea, "0.png", make_picture(size=(1, 1)))
    for number in range(1, 10):
        chosen(lea, data=b"%d" % number)

    assert chosen(lea, "0.png", make_picture(size=(1, 1))).id == first.id
    monkeypatch.setattr("PIL.Image.open", None)
    with pytest.raises(Invalid, match=r"A report takes up to 10 files\."):
        chosen(lea, "another.png", make_picture(size=(2, 2)))


def test_files_go_with_the_report_of_their_form_and_with_no_other(lea):
    mine, other = chosen(lea), chosen(lea, form="another form")
    report = make_report(make_customer())

    with transaction():
        keeping.attach("form", report)

    assert {number: [each.id for each in found] for number, found in files_of([report.id]).items()} == {
        report.id: [mine.id]
    }
    assert [each.id for each in chosen_in("another form")] == [other.id]


def test_a_file_that_waits_exists_for_whoever_chose_it_alone(lea):
    waiting, admin = chosen(lea), make_user(Role.ADMIN)

    assert attachment_or_404(waiting.id, lea) is waiting
    for read in (attachment_or_404, unfiled_or_404):
        with pytest.raises(NotFound):
            read(waiting.id, admin)


def test_a_file_of_a_report_is_not_taken_out_again(lea):
    filed = make_attachment(make_bug(actor=lea))

    with pytest.raises(NotFound):
        unfiled_or_404(filed.id, lea)


def test_a_06_a_file_follows_its_bug_into_restriction_and_merging(lea):
    engineer, agent = make_user(Role.ENGINEER), make_user(Role.AGENT)
    hidden, part = make_bug(actor=engineer), make_bug(actor=engineer)
    own, merged = make_attachment(hidden), make_attachment(part)
    with transaction():
        editing.restrict(hidden, True, actor=engineer)
    with transaction():
        part.merged_into_id = part.canonical_id = hidden.id

    for each in (own, merged):
        assert attachment_or_404(each.id, engineer).id == each.id
        with pytest.raises(NotFound):
            attachment_or_404(each.id, agent)


def test_a_file_that_is_taken_out_leaves_nothing(lea):
    gone, stays = chosen(lea, "screen.png", make_picture()), chosen(lea)

    with transaction():
        keeping.remove(gone)

    assert [each.id for each in rows()] == [stays.id]
    assert files_on_disk() == [stays.stored_as]


def test_a_file_that_is_filed_while_it_is_taken_out_stays(lea):
    filed = chosen(lea)
    report = make_report(make_customer())
    seen = Attachment(id=filed.id, stored_as=filed.stored_as, report_id=None)
    with transaction():
        keeping.attach("form", report)

    with transaction():
        keeping.remove(seen)

    assert [each.report_id for each in rows()] == [report.id]
    assert files_on_disk() == [filed.stored_as]


def test_what_cannot_be_kept_in_the_database_leaves_no_file(lea):
    with pytest.raises(sa.exc.IntegrityError), transaction():
        keeping.choose(None, "app.log", LOG, actor=lea)

    assert (rows(), files_on_disk()) == ([], [])


def test_a_file_stays_where_the_answer_to_the_commit_was_lost(lea, monkeypatch):
    def commit_and_lose_the_answer(connection):
        connection.commit()
        raise ConnectionResetError

    with monkeypatch.context() as lost:
        lost.setattr(db.engine.dialect, "do_commit", commit_and_lose_the_answer)
        with pytest.raises(ConnectionResetError):
            chosen(lea)
    db.session.remove()

    [kept] = rows()
    assert files_on_disk() == [kept.stored_as]


def test_what_nobody_filed_within_a_week_is_swept(lea, clock):
    filed, waits = make_attachment(make_bug(actor=lea)), chosen(lea)
    clock.advance(timedelta(days=6, hours=23))
    keeping.sweep()
    assert [each.id for each in rows()] == [filed.id, waits.id]

    clock.advance(timedelta(hours=2))
    keeping.sweep()

    assert [each.id for each in rows()] == [filed.id]
    assert files_on_disk() == sorted([filed.stored_as, f"{filed.stored_as}.small"])


def test_a_file_without_a_row_is_swept_after_an_hour_and_not_before(lea, clock):
    kept = chosen(lea)
    for name, minutes in (("a" * 32, 61), (f"{'b' * 32}.small", 61), ("c" * 32, 59)):
        path = storage.folder() / name
        path.write_bytes(b"orphan")
        at = (clock.now() - timedelta(minutes=minutes)).timestamp()
        os.utime(path, (at, at))
    os.utime(storage.path_of(kept.stored_as), (0, 0))

    keeping.sweep()

    assert files_on_disk() == sorted(["c" * 32, kept.stored_as])


def test_the_sweep_leaves_alone_what_is_no_plain_file(lea, clock):
    chosen(lea)
    (storage.folder() / "lost+found").mkdir()
    (storage.folder() / "link").symlink_to("nowhere")
    os.utime(storage.folder() / "lost+found", (0, 0))
    before = files_on_disk()

    keeping.sweep()

    assert files_on_disk() == before


def test_a_file_that_goes_while_the_folder_is_read_is_passed_over(lea, clock):
    for each in (chosen(lea), chosen(lea, data=b"another day\n")):
        os.utime(storage.path_of(each.stored_as), (0, 0))
    names = storage.names_before(clock.now())
    next(names)
    for each in rows():
        storage.drop(each.stored_as)

    assert list(names) == []


def test_there_is_nothing_to_sweep_before_the_first_file(app):
    keeping.sweep()

    assert files_on_disk() == []
