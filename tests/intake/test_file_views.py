"""Files through their pages: chosen with and without a script, handed out, and never lost with a refused form."""

import errno
import io
import os
from functools import partial

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.intake.attachments import keeping, storage
from bugintake.intake.attachments.models import Attachment
from bugintake.intake.models import Report
from tests.counting import asked
from tests.factories import make_attachment, make_bug, make_customer, make_picture
from tests.visitors import visit

pytestmark = pytest.mark.long_on("postgres")

LOG = b"10:42 no VAT line\n"


@pytest.fixture
def filled(filled):
    """Fill the form in for Hana."""
    make_customer("Hana Kovač", email="hana@brightline.hr")
    return partial(filled, customer="hana@brightline.hr")


def upload(name="app.log", data=LOG):
    return (io.BytesIO(data), name)


def filed_files():
    query = sa.select(Attachment.name, Attachment.report_id).order_by(Attachment.id)
    return [tuple(row) for row in db.session.execute(query)]


def choose(visitor, key, name="app.log", data=LOG):
    return visitor.post("/new/files", {"key": key, "files": upload(name, data)})


def test_a_file_is_chosen_before_the_form_is_sent_and_goes_with_it(agent, filled):
    answer = choose(agent, "k1", "screen.png", make_picture())
    assert answer.status_code == 201
    assert answer.json == {
        "id": 1,
        "name": "screen.png",
        "size": db.session.scalars(sa.select(Attachment)).one().size,
        "url": "/attachments/1",
        "thumbnail": "/attachments/1/thumbnail",
        "removal": "/new/files/1/removal",
    }

    agent.post("/new", filled(key="k1"))

    report = db.session.scalars(sa.select(Report)).one()
    assert filed_files() == [("screen.png", report.id)]
    page = agent.get(f"/bugs/{report.bug.ref}").text
    assert page.count('href="/attachments/1"') == 2  # with what was reported first, and with the report
    assert "Take out" not in page


def test_without_a_script_files_are_sent_with_the_form(agent, filled):
    agent.post("/new", {**filled(key="k1"), "files": [upload(), upload("screen.png", make_picture()), upload("", b"")]})

    report = db.session.scalars(sa.select(Report)).one()
    assert filed_files() == [("app.log", report.id), ("screen.png", report.id)]


def test_a_refused_form_keeps_its_files_and_says_which_was_not_taken(agent, filled):
    sent = {
        **filled(key="k1", actual=""),
        "files": [upload(), upload("tool.exe", b"MZ\x90\0"), upload("d.svg", b"<svg>")],
    }

    page = agent.post("/new", sent)

    assert page.status_code == 422
    assert page.text.count('id="file-') == 1
    assert [page.text.count(f"{name} is ") for name in ("tool.exe", "d.svg")] == [2, 1]  # the summary has the first
    assert 'name="key" value="k1"' in page.text
    agent.post("/new", filled(key="k1"))
    assert filed_files() == [("app.log", db.session.scalars(sa.select(Report.id)).one())]


def test_a_file_alone_that_is_not_taken_stops_the_form(agent, filled):
    assert agent.post("/new", {**filled(), "files": [upload("tool.exe", b"MZ\x90\0")]}).status_code == 422
    assert db.session.scalars(sa.select(Report)).all() == []


def test_without_a_script_a_file_is_taken_out_and_the_words_stay(agent, filled):
    choose(agent, "k1")

    page = agent.post("/new/files/1/removal", {**filled(key="k1", actual="Kept words."), "files": [upload("b.log")]})

    assert page.status_code == 200
    assert "Kept words." in page.text
    assert [row[0] for row in filed_files()] == ["b.log"]
    assert page.text.count('id="file-') == 1


def test_a_script_takes_a_file_out_and_gets_no_page(agent):
    choose(agent, "k1")

    answer = agent.post("/new/files/1/removal", headers={"Accept": "application/json"})

    assert (answer.status_code, answer.text, filed_files()) == (204, "", [])


def test_files_come_along_to_a_known_bug_and_can_be_added_there(agent, filled):
    bug = make_bug()
    choose(agent, "k1")

    page = agent.post(f"/bugs/{bug.ref}/attach", filled(key="k1"))
    assert page.text.count('id="file-') == 1
    assert f'formaction="/new/files/1/removal?bug={bug.ref}"' in page.text
    agent.post(f"/bugs/{bug.ref}/attach", {**filled(key="k1"), "confirmed": "1", "files": [upload("b.log")]})

    report = db.session.scalars(sa.select(Report).order_by(Report.id.desc())).first()
    assert filed_files() == [("app.log", report.id), ("b.log", report.id)]


def test_taking_a_file_out_of_the_other_form_comes_back_to_it(agent, filled):
    bug = make_bug()
    choose(agent, "k1")

    page = agent.post(f"/new/files/1/removal?bug={bug.ref}", filled(key="k1"))

    assert f"Attach a customer to {bug.ref}" in page.text
    assert filed_files() == []


def test_the_question_without_a_script_carries_the_files(agent, filled):
    make_bug(area="Search", symptom="Looks wrong")
    sent = filled(key="k1", area="Search", symptom="Looks wrong", ask="1")

    page = agent.post("/new", {**sent, "files": [upload()]})
    assert "Is it one of these?" in page.text
    assert page.text.count('class="file"') == 1
    agent.post("/new/similar", {**sent, "choice": "none"})

    report = db.session.scalars(sa.select(Report).order_by(Report.id.desc())).first()
    assert filed_files() == [("app.log", report.id)]


def test_the_same_form_sent_twice_has_its_files_once(agent, filled):
    for _ in range(2):
        agent.post("/new", {**filled(key="k1"), "files": [upload()]})

    assert filed_files() == [("app.log", db.session.scalars(sa.select(Report.id)).one())]


def test_a_form_that_was_sent_with_other_words_takes_its_new_files_along(agent, filled):
    agent.post("/new", filled(key="k1"))

    page = agent.post("/new", {**filled(key="k1", actual="Another bug."), "files": [upload()]})

    assert page.status_code == 409
    assert page.text.count('id="file-') == 1
    key = page.text.partition('name="key" value="')[2].partition('"')[0]
    agent.post("/new", filled(key=key, actual="Another bug."))
    assert [row[1] for row in filed_files()] == [db.session.scalars(sa.select(sa.func.max(Report.id))).one()]


def test_a_key_of_somebody_else_opens_nothing(agent, engineer, filled):
    choose(agent, "k1")

    assert engineer.get("/new/files?key=k1").json == {"items": []}
    engineer.post("/new", filled(key="k1"))
    assert filed_files() == [("app.log", None)]
    assert [each["name"] for each in agent.get("/new/files?key=k1").json["items"]] == ["app.log"]


@pytest.mark.parametrize("sent", [dict, lambda: {"key": "k1"}, lambda: {"files": upload()}])
def test_a_file_without_its_form_is_refused(agent, sent):
    assert agent.post("/new/files", sent()).status_code == 422


def test_a_file_that_is_not_taken_is_answered_with_why(agent):
    answer = choose(agent, "k1", "d.svg", b"<svg/>")

    sentence = "d.svg is a web page or a drawing (HTML, SVG, XML), which can carry code."
    assert (answer.status_code, answer.json) == (422, {"refused": sentence})


def test_a_file_that_is_too_large_costs_no_words(agent, filled):
    page = agent.post("/new", {**filled(actual="Kept words."), "files": [upload(data=b"x" * 13_000_000)]})

    assert page.status_code == 422
    assert "app.log is larger than 10 MB." in page.text
    assert "Kept words." in page.text


@pytest.mark.parametrize(("url", "megabytes"), [("/new", 65), ("/new/files", 13), ("/settings/profile", 13)])
def test_f_a1_more_than_fits_is_refused_before_it_is_read(agent, url, megabytes):
    size = {"CONTENT_LENGTH": str(megabytes * 1024 * 1024)}

    assert agent.post(url, {"files": upload()}, environ_overrides=size).status_code == 413


def test_a_stranger_may_send_no_more_than_any_form_holds(app, agent):
    size = {"CONTENT_LENGTH": str(13 * 1024 * 1024)}

    assert visit(app).post("/new", {"files": upload()}, environ_overrides=size).status_code == 413


def test_more_files_than_a_report_takes_are_not_even_looked_at(agent, filled):
    page = agent.post("/new", {**filled(key="k1"), "files": [upload(data=b"%d" % number) for number in range(11)]})

    assert (page.status_code, filed_files()) == (422, [])
    assert "A report takes up to 10 files." in page.text


def test_files_come_whole_with_a_request_that_is_answered_again(agent, filled, deadlock):
    ended = deadlock("bugs")

    agent.post("/new", {**filled(key="k1"), "files": [upload(data=b"%d" % number) for number in range(10)]})

    assert ended == ["bugs"]
    assert filed_files() == [("app.log", db.session.scalars(sa.select(Report.id)).one())] * 10


# --- Handing out -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "media_type", "disposition"),
    [
        ("app.log", LOG, "text/plain; charset=utf-8", "attachment; filename=app.log"),
        ("a.png.html", b"%PDF-1.7", "application/pdf", "attachment; filename=a.png.html.pdf"),
        ("a b;c.txt", LOG, "text/plain; charset=utf-8", 'attachment; filename="a b;c.txt"'),
        (
            'x"ž.log',
            LOG,
            "text/plain; charset=utf-8",
            'attachment; filename="x\\"z.log"; filename*=UTF-8\'\'x%22%C5%BE.log',
        ),
    ],
)
def test_a_35_a_file_is_saved_and_never_shown_as_a_page(agent, name, data, media_type, disposition):
    found = make_attachment(make_bug(), name, data)

    for answer in (agent.get(f"/attachments/{found.id}"), agent.client.head(f"/attachments/{found.id}")):
        assert {key: answer.headers[key] for key in SAFE} == {
            **SAFE,
            "Content-Type": media_type,
            "Content-Disposition": disposition,
            "Content-Length": str(len(data)),
        }
    assert agent.get(f"/attachments/{found.id}").data == data


SAFE = {
    "Content-Type": "",
    "Content-Disposition": "",
    "Content-Length": "",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def test_only_our_own_small_copy_is_shown_in_a_page(agent):
    picture, log = make_attachment(make_bug()), make_attachment(make_bug(), "app.log", LOG)

    answer = agent.get(f"/attachments/{picture.id}/thumbnail")

    assert (answer.headers["Content-Type"], answer.headers["Content-Disposition"]) == (
        "image/webp",
        "inline; filename=thumbnail.webp",
    )
    assert answer.data == storage.thumbnail_of(picture.stored_as).read_bytes()
    assert agent.get(f"/attachments/{log.id}/thumbnail").status_code == 404


def test_a_file_that_is_gone_from_the_disk_is_not_found(agent):
    found = make_attachment(make_bug())
    storage.drop(found.stored_as)

    assert [agent.get(f"/attachments/{found.id}{part}").status_code for part in ("", "/thumbnail")] == [404, 404]


def test_a_bug_page_asks_once_for_the_files_of_all_its_reports(agent):
    bug = make_bug(waiting=[make_customer() for _ in range(3)])
    first, *others = db.session.scalars(sa.select(Report)).all()
    agent.get(f"/bugs/{bug.ref}")  # what every page reads is read once
    counts = []
    for few in ([first], others):
        for report in few:
            keeping.choose(f"form {report.id}", "app.log", LOG, actor=report.filed_by)
            with transaction():
                keeping.attach(f"form {report.id}", report)
        with asked() as statements:
            page = agent.get(f"/bugs/{bug.ref}")
        counts.append(len(statements))

    assert page.text.count('class="file"') == 4
    assert counts[0] == counts[1]


# --- No room -----------------------------------------------------------------------------------------------------


@pytest.fixture
def full_disk(monkeypatch):
    """A disk that fills up in the middle of a file."""
    write = os.fsync

    def fill(descriptor):
        write(descriptor)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("bugintake.intake.attachments.storage.os.fsync", fill)


def test_f_d2_a_full_disk_leaves_no_half_file_and_keeps_the_words(agent, filled, full_disk):
    answer = agent.post(
        "/new", {**filled(key="k1", actual="Kept words that are long enough to see."), "files": [upload()]}
    )

    assert answer.status_code == 507
    assert "The disk is full" in answer.text
    assert "Kept words that are long enough to see." in answer.text
    assert (filed_files(), list(storage.folder().iterdir())) == ([], [])
    assert choose(agent, "k1", "screen.png", make_picture()).status_code == 507
    assert list(storage.folder().iterdir()) == []
    assert agent.get("/new").status_code == 200
