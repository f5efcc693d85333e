"""A customer's private link: whom it lets in, and to what."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict
from bugintake.intake import reports
from bugintake.intake.models import Report, SettledBy
from bugintake.loop import links
from bugintake.loop.models import CustomerLink, LinkPurpose
from bugintake.team.models import Role
from tests.factories import make_bug, make_customer, make_report, make_user, make_workspace
from tests.loop.reading import first_report, gone, link_to, opened
from tests.loop.rows import last_event
from tests.visitors import visit

TOLD = "The VAT line is missing on the PDF. Only the total is there."


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace()


@pytest.fixture
def hana(app):
    return make_customer("Hana Kovač", email="hana@example.com", company="Brightline")


def test_a_16_a_link_becomes_a_cookie_and_an_address_that_gives_nothing_away(app, hana):
    path = link_to(first_report(make_bug(waiting=[hana])))

    answer = visit(app).get(path)

    assert (answer.status_code, answer.location) == (303, "/s/en/report")
    secret = path.rpartition("/")[2]
    assert answer.headers["Set-Cookie"] == f"report={secret}; HttpOnly; Path=/; SameSite=Lax"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"


def test_behind_https_no_other_host_can_set_the_cookie(app, hana):
    app.extensions["bugintake"] = replace(app.extensions["bugintake"], base_url="https://bugs.example.com")

    answer = visit(app).get(link_to(first_report(make_bug(waiting=[hana]))))

    assert answer.headers["Set-Cookie"].startswith("__Host-report=")
    assert "; Secure; HttpOnly; Path=/; SameSite=Lax" in answer.headers["Set-Cookie"]


def test_a_15_only_the_fingerprint_of_a_link_is_kept(app, hana):
    secret = link_to(first_report(make_bug(waiting=[hana]))).rpartition("/")[2]

    kept = db.session.scalars(sa.select(CustomerLink.secret_hash)).one()
    assert len(secret) >= 43
    assert secret not in kept


def test_a_15_every_link_that_opens_nothing_answers_the_same(app, clock, hana):
    bug = make_bug(waiting=[hana, make_customer("Sam")])
    report = first_report(bug)
    good, unsubscribe = link_to(report), link_to(report, LinkPurpose.UNSUBSCRIBE)
    other = make_report(hana)
    old, revoked, unlinked, withdrawn = (link_to(it) for it in (report, report, other, make_report(hana)))
    with transaction():
        found = {row.secret_hash: row for row in db.session.scalars(sa.select(CustomerLink))}
        row_of = lambda path: found[links.hash_secret(path.rpartition("/")[2])]  # noqa: E731
        row_of(old).made_at = clock.now() - timedelta(days=401)
        row_of(revoked).revoked_at = clock.now()
        other.customer_id = make_customer("Somebody else").id
        taken_back = db.session.get_one(Report, row_of(withdrawn).report_id)
        taken_back.settled_at, taken_back.settled_by = clock.now(), SettledBy.WITHDRAWN
    wrong = [
        good[:-1],
        f"{good}x",
        f"/s/en/r/{'x' * 43}",
        "/s/en/r/%00",
        f"/s/en/r/{unsubscribe.rpartition('/')[2]}",
        old,
        revoked,
        unlinked,
        withdrawn,
        f"/s/en/unsubscribe/{good.rpartition('/')[2]}",
    ]

    answers = [gone(visit(app).get(path)) for path in wrong]

    assert all(answer == answers[0] for answer in answers)
    assert "This link opens nothing" in answers[0][0]


def test_no_cookie_an_empty_one_and_one_that_opens_nothing_are_refused(app, hana):
    make_bug(waiting=[hana])
    for cookie in (None, "", "x" * 43, "\N{SNOWMAN}"):
        browser = visit(app)
        if cookie is not None:
            browser.client.set_cookie("report", cookie)
        assert browser.get("/s/en/report").status_code == 404
        assert browser.post("/s/en/report/confirmation", {"report": "1"}).status_code == 404


def test_a_15_a_renewed_link_ends_the_old_ones_everywhere_and_no_way_out_of_mail(app, hana):
    report, other = (first_report(make_bug(waiting=[hana])) for _ in range(2))
    browser, old, leave = opened(app, report), link_to(report), link_to(report, LinkPurpose.UNSUBSCRIBE)
    untouched = link_to(other)
    page = visit(app, make_user(Role.AGENT)).post(f"/reports/{report.id}/link")

    new = re.search(r"http://[^/]+(/s/en/r/[\w-]{43})", page.text)[1]
    assert page.headers["Cache-Control"] == "no-store"
    assert [visit(app).get(path).status_code for path in (new, untouched, old, leave)] == [303, 303, 404, 200]
    assert gone(visit(app).get(old)) == gone(visit(app).get("/s/en/r/" + "x" * 43))
    assert browser.get("/s/en/report").status_code == 404
    assert visit(app).client.post(leave, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert db.session.get_one(Report, report.id, populate_existing=True).unsubscribed_at is not None
    assert last_event() == "customer.unsubscribed"
    assert last_event("report.link_renewed") == "report.link_renewed"


def test_the_customers_page_offers_to_renew_what_a_link_opens_and_nothing_hidden(app, hana):
    seen, hidden, unlinked = (first_report(make_bug(waiting=[hana])) for _ in range(3))
    link_to(seen), link_to(hidden), link_to(unlinked, LinkPurpose.UNSUBSCRIBE)
    with transaction():
        hidden.bug.is_restricted = True
    page = visit(app, make_user(Role.AGENT)).get(f"/customers/{hana.id}")

    assert re.findall(r'action="(/reports/\d+/link)"', page.text) == [f"/reports/{seen.id}/link"]
    assert visit(app, make_user(Role.AGENT)).post(f"/reports/{hidden.id}/link").status_code == 404


def test_a_report_that_no_link_opens_has_none_to_renew(app, hana):
    taken_back, nobodys = first_report(make_bug(waiting=[hana])), first_report(make_bug(waiting=[]))
    lea = make_user(Role.AGENT)
    with transaction():
        reports.withdraw(taken_back, actor=lea)
    for report in (taken_back, nobodys):
        with pytest.raises(Conflict, match="none to renew"), transaction():
            links.renew_link(report, actor=lea)


def test_a_14_nothing_of_anybody_else_is_on_the_page(app, hana):
    bug = make_bug(waiting=[make_customer("Zebra Person", email="zebra@example.com", company="Zebra Ltd")])
    make_report(hana, bug=bug, actual="Mine.")
    with transaction():
        bug.title = "Internal zebra title"
        bug.owner_id = make_user(name="Zebra Owner").id
    mine = db.session.scalars(sa.select(Report).where(Report.customer_id == hana.id)).one()

    page = opened(app, mine).get("/s/en/report")

    assert "zebra" not in page.text.lower()
    assert "BUG-" not in page.text
    assert "hana@example.com" not in page.text


def test_a_language_that_nobody_writes_does_not_exist(app, hana):
    browser = opened(app, first_report(make_bug(waiting=[hana])))

    assert [browser.get(f"/s/{language}/report").status_code for language in ("xx", "EN", "de-CH")] == [404] * 3


def test_before_the_first_run_there_is_no_page(app):
    with transaction():
        db.session.execute(sa.text("DELETE FROM workspaces"))

    assert visit(app).get("/s/en").status_code == 404
