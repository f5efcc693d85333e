"""What a customer sees and does by private link, and what nobody else can do with it."""

import re
from dataclasses import replace
from datetime import timedelta
from gettext import GNUTranslations
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from bugintake.core.db import db, transaction
from bugintake.core.events import Event
from bugintake.intake.models import Bug, OptionList, Remark, Report, SettledBy, Status
from bugintake.loop import links
from bugintake.loop.models import CustomerLink, LinkPurpose, Message, MessageState
from bugintake.triage import transitions
from tests.architecture.code import ROOT
from tests.factories import make_bug, make_customer, make_option, make_report, make_user, make_workspace
from tests.visitors import visit

TOLD = "The VAT line is missing on the PDF. Only the total is there."


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace()


@pytest.fixture
def hana(app):
    return make_customer("Hana Kovač", email="hana@example.com", company="Brightline")


def link_to(report, purpose=LinkPurpose.REPORT, language="en"):
    with transaction():
        return urlsplit(links.make_link(report, purpose, language)[1]).path


def report_of(bug):
    return db.session.scalars(sa.select(Report).where(Report.bug_id == bug.id).order_by(Report.id)).first()


def opened(app, report, language="en"):
    """A browser in which a customer has opened their link."""
    browser = visit(app)
    assert browser.get(link_to(report, language=language)).status_code == 303
    return browser


def page_of(app, bug, language="en"):
    """What the page says, without markup and in one line."""
    return words_of(opened(app, report_of(bug)).get(f"/s/{language}/report"))


def words_of(page):
    assert page.status_code in (200, 422), page.text
    main = page.text.split('<main id="main"')[1].split("</main>")[0].partition(">")[2]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def send(browser, report, action, language="en", **given):
    return browser.post(f"/s/{language}/report/{action}", {"report": str(report.id), **given})


def rows():
    """Everything that could change when a page is opened."""
    counted = [
        sa.select(sa.func.count()).select_from(table) for table in (Event, Report, Message, CustomerLink, Remark)
    ]
    stamps = sa.select(Report.settled_at, Report.unsubscribed_at).order_by(Report.id)
    return [db.session.scalar(count) for count in counted], [tuple(row) for row in db.session.execute(stamps)]


# --- The link ---------------------------------------------------------------------------------------------


def test_a_link_becomes_a_cookie_and_an_address_that_gives_nothing_away(app, hana):
    path = link_to(report_of(make_bug(waiting=[hana])))

    answer = visit(app).get(path)

    assert (answer.status_code, answer.location) == (303, "/s/en/report")
    secret = path.rpartition("/")[2]
    assert answer.headers["Set-Cookie"] == f"report={secret}; HttpOnly; Path=/; SameSite=Lax"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"


def test_behind_https_no_other_host_can_set_the_cookie(app, hana):
    app.extensions["bugintake"] = replace(app.extensions["bugintake"], base_url="https://bugs.example.com")

    answer = visit(app).get(link_to(report_of(make_bug(waiting=[hana]))))

    assert answer.headers["Set-Cookie"].startswith("__Host-report=")
    assert "; Secure; HttpOnly; Path=/; SameSite=Lax" in answer.headers["Set-Cookie"]


def test_scanners_may_open_every_link_any_number_of_times_and_nothing_changes(app, hana):
    report = report_of(make_bug(Status.LIVE, waiting=[hana]))
    paths = [link_to(report), link_to(report, LinkPurpose.UNSUBSCRIBE)]
    before = rows()

    for path in paths * 2:
        for method in ("GET", "HEAD"):
            assert visit(app).client.open(path, method=method, headers={"Purpose": "prefetch"}).status_code in (
                200,
                303,
            )

    assert rows() == before
    assert visit(app).get(paths[0]).status_code == 303


def test_only_the_fingerprint_of_a_link_is_kept(app, hana):
    secret = link_to(report_of(make_bug(waiting=[hana]))).rpartition("/")[2]

    kept = db.session.scalars(sa.select(CustomerLink.secret_hash)).one()
    assert len(secret) >= 43
    assert secret not in kept


def gone(answer):
    """What is the same about every link that opens nothing."""
    assert answer.status_code == 404
    return re.sub(r"[\w-]{43}", "", answer.text), sorted(name for name, _ in answer.headers)


def test_every_link_that_opens_nothing_answers_the_same(app, clock, hana):
    bug = make_bug(waiting=[hana, make_customer("Sam")])
    report = report_of(bug)
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


def test_the_links_of_an_address_that_changed_hands_die(app, hana):
    report = report_of(make_bug(waiting=[hana]))
    browser, path = opened(app, report), link_to(report)
    with transaction():
        links.revoke_links(hana)

    assert browser.get("/s/en/report").status_code == 404
    assert visit(app).get(path).status_code == 404


def test_nothing_of_anybody_else_is_on_the_page(app, hana):
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
    browser = opened(app, report_of(make_bug(waiting=[hana])))

    assert [browser.get(f"/s/{language}/report").status_code for language in ("xx", "EN", "de-CH")] == [404] * 3


def test_before_the_first_run_there_is_no_page(app):
    with transaction():
        db.session.execute(sa.text("DELETE FROM workspaces"))

    assert visit(app).get("/s/en").status_code == 404


# --- Where it stands: every sentence rests on a fact ---------------------------------------------------------


def test_a_new_report_is_only_with_us(app, hana):
    said = page_of(app, make_bug(waiting=[hana], actual=TOLD))

    assert said.startswith("Fakturo support, for Hana The VAT line is missing on the PDF")
    assert "We have your report (done) Tuesday 10 March, 09:00 We look into it We decide what to do about it" in said
    assert "We write to you English, to h•••@example.com" in said
    assert "saw it happen" not in said
    assert "It works for me now" in said


def test_we_saw_it_happen_only_where_somebody_ticked_it(app, clock, hana):
    bug = make_bug(Status.ACCEPTED, waiting=[hana])
    assert "We looked into it (done) Tuesday 10 March, 09:00 We are going to fix it Decided on" in page_of(app, bug)
    with transaction():
        db.session.get_one(Bug, bug.id).reproduced_at = clock.now()

    said = page_of(app, bug)
    assert "We saw it happen too (done)" in said
    assert "We looked into it" not in said


def test_how_many_wait_is_said_unless_the_bug_is_restricted(app, hana):
    bug = make_bug(Status.IN_PROGRESS, waiting=[hana, make_customer(), make_customer()])
    assert "We are fixing it Started on Tuesday 10 March. You are one of 3 people waiting." in page_of(app, bug)
    with transaction():
        db.session.get_one(Bug, bug.id).is_restricted = True

    assert "people waiting" not in page_of(app, bug)


def test_a_fix_names_the_version_it_reaches_the_customer_with(app, hana):
    said = page_of(app, make_bug(Status.FIXED, waiting=[hana]))

    assert "The fix is ready It reaches you with version 4.13.0." in said
    assert "It works for everyone" not in said


def test_a_live_fix_says_since_when_and_asks_whether_it_works(app, hana):
    said = page_of(app, make_bug(Status.LIVE, waiting=[hana]))

    assert "We fixed it (done)" in said
    assert "It works for everyone (done) Since Tuesday 10 March, in version 4.13.0." in said
    assert "We wrote to you" not in said
    assert "What is different now The VAT line is back." in said
    assert "Does it work for you now? Yes, it works No, it still happens" in said


def test_we_wrote_only_when_the_mail_has_left(app, hana):
    bug = make_bug(Status.LIVE, waiting=[hana])
    with transaction():
        db.session.scalars(sa.select(Message)).one().state = MessageState.SENT

    assert "We wrote to you on Tuesday 10 March." in page_of(app, bug)


def test_a_decline_has_its_reason_explanation_and_way_round(app, hana):
    bug = make_bug(waiting=[hana])
    with transaction():
        reason = make_option(OptionList.DECLINE_REASON, labels={"de": "Funktioniert wie gedacht"})
        notes, ways = {"en": "It must show CHF."}, {"en": "Print it instead."}
        transitions.decline(bug, reason, notes, ways, actor=make_user())

    said = page_of(app, bug)
    assert "We are leaving it as it is Tuesday 10 March, 09:00" in said
    assert "The reason Works as intended It must show CHF. What you can do instead Print it instead." in said
    german = page_of(app, bug, "de")
    assert (
        "Der Grund Funktioniert wie gedacht Wir haben es bisher in einer anderen Sprache geschrieben: English" in german
    )
    assert "CHF" not in german


def test_a_decline_without_a_way_round_says_so(app, hana):
    said = page_of(app, make_bug(Status.DECLINED, waiting=[hana]))

    assert "There is no good way round it today, and I am sorry about that." in said


def test_a_bug_that_came_back_says_so(app, hana):
    bug = make_bug(Status.LIVE, waiting=[hana])
    with transaction():
        transitions.come_back(bug, actor=None)

    assert "It came back, and we are going to fix it" in page_of(app, bug)


def test_the_way_round_is_shown_only_in_the_language_it_was_written_in(app, hana):
    bug = make_bug(waiting=[hana])
    with transaction():
        bug.workarounds = {"en": "Choose Print."}

    assert "Until then Choose Print." in page_of(app, bug)
    assert "Choose Print." not in page_of(app, bug, "es")


def test_a_report_under_a_merged_bug_shows_the_canonical_one(app, hana):
    bug, other = make_bug(Status.LIVE, waiting=[]), make_bug(waiting=[hana])
    with transaction():
        other.merged_into_id = other.canonical_id = bug.id

    assert "It works for everyone" in page_of(app, other)


def test_without_words_the_title_is_made_of_the_choices_in_their_language(app, hana):
    bug = make_bug(waiting=[hana])
    with transaction():
        report_of(bug).actual = ""
        report_of(bug).area.labels = {"de": "Rechnungen › PDF"}
        report_of(bug).symptom.labels = {"de": "zeigt etwas Falsches"}

    assert "Rechnungen › PDF: zeigt etwas Falsches Ihre Meldung ist bei uns" in page_of(app, bug, "de")


def test_times_are_the_customers_own(app, hana):
    bug = make_bug(waiting=[hana])
    with transaction():
        hana.zone = "Asia/Tokyo"

    assert "Dienstag, 10. März, 18:00" in page_of(app, bug, "de")


def test_the_page_has_no_script_no_index_and_its_language(app, hana):
    page = opened(app, report_of(make_bug(waiting=[hana]))).get("/s/es/report")

    assert "<script" not in page.text
    assert '<html lang="es" dir="ltr">' in page.text
    assert '<meta name="robots" content="noindex, nofollow">' in page.text
    assert '<a href="/s/de/report" lang="de" hreflang="de">Deutsch</a>' in page.text
    assert page.text.count("<h1") == 1


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("language", ["de", "es"])
def test_no_english_is_left_over_in_any_status(app, hana, status, language):
    english = {"We", "the", "your", "It", "You", "report", "fix", "mail", "people", "Since", "with"}

    said = page_of(app, make_bug(status, waiting=[hana, make_customer()], actual="x", expected="y"), language)

    assert english & set(re.findall(r"[A-Za-z]+", said.replace("Fakturo support", ""))) == set()
    assert not {"ticket", "issue", "resolved", "inconvenience", "{", "}"} & set(said.lower().split())


def test_hostile_words_are_shown_as_words(app):
    hostile = "\"'><svg onload=alert(1)>{{7*7}}"
    page = opened(app, report_of(make_bug(waiting=[make_customer(hostile)], actual=hostile))).get("/s/en/report")

    assert "<svg onload" not in page.text
    assert "{{7*7}}" in page.text


def test_every_sentence_that_customers_read_is_in_every_catalogue():
    python = ("progress", "letters", "views/customers", "views/unsubscribing")
    pages = ("core/public", "loop/_public", "loop/report", "loop/gone", "loop/start", "loop/unsubscribe")
    sources = [("python", ROOT / f"bugintake/loop/{name}.py") for name in python]
    sources += [("jinja2.ext:babel_extract", ROOT / f"templates/{name}.html") for name in pages]
    said = {
        message
        for method, path in sources
        for _, message, _, _ in extract_from_file(method, str(path), {"_": None, "gettext": None, "ngettext": (1, 2)})
    }

    for language in ("en", "de", "es"):
        path = ROOT / f"bugintake/core/translations/{language}/LC_MESSAGES/messages.po"
        catalogue = read_po(path.open("rb"))
        known = {m.id for m in catalogue if m.id and (language == "en" or (m.string and all(m.string)))}
        assert {message for message in said if message not in known} == set()
        assert [error for message in catalogue for error in message.check(catalogue)] == []
        compiled = GNUTranslations(path.with_suffix(".mo").open("rb"))  # pybabel compile -d bugintake/core/translations
        singular = [(m.id, m.string) for m in catalogue if isinstance(m.id, str) and m.id and m.string]
        plural = [(m.id, m.string) for m in catalogue if not isinstance(m.id, str) and all(m.string)]
        assert [compiled.gettext(wanted) for wanted, _ in singular] == [string for _, string in singular]
        assert [(compiled.ngettext(*wanted, 1), compiled.ngettext(*wanted, 2)) for wanted, _ in plural] == [
            tuple(strings) for _, strings in plural
        ]


# --- What the customer says ----------------------------------------------------------------------------------


def test_it_works_now(app, hana):
    report = report_of(make_bug(Status.LIVE, waiting=[hana]))
    browser = opened(app, report)

    answer = send(browser, report, "confirmation")

    assert (answer.status_code, answer.location) == (303, "/s/en/report")
    said = words_of(browser.get("/s/en/report"))
    assert "Thank you for telling us. You will not get any more mail about it." in said
    assert "You told us that it works for you now." in said
    assert "It still happens" in said
    assert report_of(report.bug).settled_by == "works_now"


def test_it_still_happens(app, hana):
    report = report_of(make_bug(Status.LIVE, waiting=[hana]))
    browser = opened(app, report)

    answer = send(browser, report, "objection", text="Now it says 0 %.\r\n")

    assert answer.status_code == 303
    assert "We have noted that it still happens." in words_of(browser.get("/s/en/report"))
    bug = db.session.get_one(Bug, report.bug_id)
    assert (bug.status, bug.generation, bug.waiting_count) == ("accepted", 2, 1)
    assert db.session.scalars(sa.select(Remark.text)).one() == "Now it says 0 %."


def test_it_still_happens_needs_no_words(app, hana):
    report = report_of(make_bug(Status.LIVE, waiting=[hana]))

    assert send(opened(app, report), report, "objection").status_code == 303
    assert db.session.scalars(sa.select(Remark)).all() == []


def test_something_is_added(app, hana):
    report = report_of(make_bug(waiting=[hana]))
    browser = opened(app, report, "de")

    answer = send(browser, report, "remarks", "de", text="Auch auf dem Telefon.")

    assert answer.location == "/s/de/report"
    assert "Vielen Dank. Wir haben es Ihrer Meldung hinzugefügt." in words_of(browser.get("/s/de/report"))
    assert db.session.scalars(sa.select(Remark.text)).one() == "Auch auf dem Telefon."


@pytest.mark.parametrize("text", ["", " \n ", "x" * 4001, "\x00"])
def test_no_words_or_too_many_are_refused_and_kept(app, hana, text):
    report = report_of(make_bug(waiting=[hana]))

    page = send(opened(app, report), report, "remarks", text=text)

    assert page.status_code == 422
    assert "<details open>" in page.text
    assert 'aria-describedby="f-remark-e"' in page.text
    assert text.strip("\x00 \n") in page.text
    assert db.session.scalars(sa.select(Remark)).all() == []


def test_a_form_about_another_report_than_the_one_opened_last_is_refused(app, hana):
    first, second = report_of(make_bug(Status.LIVE, waiting=[hana])), report_of(make_bug(Status.LIVE, waiting=[hana]))
    browser = opened(app, first)
    browser.get(link_to(second))

    answer = send(browser, first, "objection", text="Still.")

    assert answer.status_code == 409
    assert "Nothing was changed." in answer.text
    assert db.session.scalars(sa.select(Bug.status)).all() == ["live", "live"]


def test_another_site_cannot_speak_for_a_customer(app, hana):
    report = report_of(make_bug(Status.LIVE, waiting=[hana]))
    browser = opened(app, report)

    assert browser.client.post("/s/en/report/confirmation", data={"report": report.id}).status_code == 400
    foreign = {"Sec-Fetch-Site": "cross-site"}
    answer = browser.post("/s/en/report/confirmation", {"report": report.id}, headers=foreign)
    assert answer.status_code == 403
    assert report_of(report.bug).settled_at is None


def test_opening_what_takes_forms_changes_nothing(app, hana):
    report = report_of(make_bug(waiting=[hana]))
    browser = opened(app, report)

    actions = ("confirmation", "objection", "remarks")
    assert [browser.get(f"/s/en/report/{action}").status_code for action in actions] == [405] * 3


# --- No more mail ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"List-Unsubscribe": "One-Click"}},
        {"data": {"List-Unsubscribe": "One-Click"}, "content_type": "multipart/form-data"},
        {"data": b"nonsense", "content_type": "text/plain"},
        {},
    ],
)
def test_one_click_needs_no_cookie_no_token_and_no_page_of_ours(app, hana, body):
    bug = make_bug(Status.LIVE, waiting=[hana])
    path = link_to(report_of(bug), LinkPurpose.UNSUBSCRIBE)
    foreign = {"Origin": "https://mail.example", "Sec-Fetch-Site": "cross-site"}

    answers = [app.test_client().post(path, headers=foreign, **body) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert report_of(bug).settled_by == "suppressed"
    assert db.session.scalars(sa.select(Message.state)).all() == ["suppressed"]
    assert db.session.scalars(sa.select(Event.kind).where(Event.kind == "customer.unsubscribed")).all() == [
        "customer.unsubscribed"
    ]


def test_the_page_asks_and_says_how_to_undo_it(app, hana):
    bug = make_bug(waiting=[hana], actual=TOLD)
    path = link_to(report_of(bug), LinkPurpose.UNSUBSCRIBE, "de")
    browser = visit(app)
    assert words_of(browser.get(path)).startswith("Fakturo support Keine weiteren Nachrichten dazu? The VAT line is")

    done = words_of(browser.post(path))

    assert "Sie erhalten dazu keine Nachrichten mehr" in done
    assert "Schreiben Sie mir doch dazu" in done
    assert "Sie wollten dazu keine Nachrichten" in page_of(app, bug, "de")
    again = browser.post(path.replace("/unsubscribe/", "/subscription/"))
    assert "Keine weiteren Nachrichten dazu?" in words_of(again)
    assert report_of(bug).unsubscribed_at is None


def test_it_concerns_this_report_alone(app, hana):
    first, second = make_bug(waiting=[hana]), make_bug(waiting=[hana])

    visit(app).post(link_to(report_of(first), LinkPurpose.UNSUBSCRIBE))

    assert report_of(second).unsubscribed_at is None


def test_out_of_mail_a_link_leads_for_ever(app, clock, hana):
    path = link_to(report_of(make_bug(waiting=[hana])), LinkPurpose.UNSUBSCRIBE)
    clock.advance(timedelta(days=4000))

    assert visit(app).post(path).status_code == 200


# --- Without a link -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "language"), [("de-CH,en;q=0.5", "de"), ("fr", "en"), ("", "en"), ("es", "es"), ("%%%", "en")]
)
def test_the_door_leads_to_the_language_the_browser_prefers(app, wanted, language):
    answer = visit(app).get("/s", headers={"Accept-Language": wanted})

    assert answer.location == f"/s/{language}"
    assert answer.vary.as_set() >= {"accept-language"}
    assert "Fakturo support" in words_of(visit(app).get(answer.location))
