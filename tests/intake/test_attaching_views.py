"""Attaching a customer to a known bug, the confirmation, and taking a report back, through their pages."""

import html
import re

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Bug, OptionList, Remark, Report, SettledBy, Status
from bugintake.team.models import Role
from tests.counting import asked
from tests.factories import make_bug, make_customer, make_report, make_user
from tests.visitors import visit

pytestmark = pytest.mark.long_on("postgres")


@pytest.fixture
def hana(company):
    return make_customer("Hana Kovač", email="hana@brightline.de", company="Brightline", language="de")


@pytest.fixture
def bug(company, lea):
    return make_bug(area="Search", symptom="Looks wrong")


def text_of(page):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page.text)))


def last_report():
    return db.session.scalars(sa.select(Report).order_by(Report.id.desc())).first()


def merge(bug, into):
    """Merge by hand: the verb belongs to a later room."""
    with transaction():
        bug.merged_into_id = bug.canonical_id = into.id


def test_the_page_names_the_bug_and_the_customer_from_the_address(agent, bug, hana):
    make_report(hana, platform="Firefox", version="4.12.0")

    page = agent.get(f"/bugs/{bug.ref}/attach?customer=hana@brightline.de")

    assert "Attach Hana Kovač, Brightline to BUG-1?" in text_of(page)
    assert "1 person waits" in text_of(page)
    assert re.findall(r'value="\d+" selected>([^<]+)<', page.text) == ["Firefox", "4.12.0"]
    assert "autofocus>Attach" in page.text


def test_what_was_typed_into_the_form_comes_along_and_is_shown_before_it_counts(agent, bug, hana, filled):
    sent = filled(customer="Hana Kovač, Brightline", customer_id=str(hana.id), bug=bug.ref, actual="<b>Mine</b> too.")

    page = agent.post(f"/bugs/{bug.ref}/attach", sent)

    assert (page.status_code, bug.waiting_count) == (200, 1)
    assert "&lt;b&gt;Mine&lt;/b&gt; too.</textarea>" in page.text
    answer = agent.post(f"/bugs/{bug.ref}/attach", {**sent, "confirmed": "1"})
    report = last_report()
    assert answer.location == f"/bugs/{bug.ref}/filed?report={report.id}"
    assert (report.bug_id, report.customer_id, report.actual) == (bug.id, hana.id, "<b>Mine</b> too.")
    assert db.session.get_one(Bug, bug.id).waiting_count == 2


def test_the_form_itself_attaches_where_it_names_a_bug(agent, bug, hana, filled):
    sent = filled(customer="Hana Kovač", bug=bug.ref.lower())

    first, second = agent.post("/new", sent), agent.post("/new", sent)

    assert first.location == second.location == f"/bugs/{bug.ref}/filed?report=2"
    assert last_report().bug_id == bug.id


def test_only_the_customer_is_needed_and_the_rest_is_the_bugs_own_or_not_sure(agent, bug, hana):
    answer = agent.post(f"/bugs/{bug.ref}/attach", {"confirmed": "1", "customer": "hana kovac"})

    report = last_report()
    assert answer.status_code == 303
    labels = [report.area.label, report.symptom.label, report.impact.label, report.platform.label, report.version.label]
    assert labels == ["Search", "Looks wrong", "Hard to work", "Not sure", "Not sure"]
    assert (report.steps, report.actual, report.expected) == ("", "", "")


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({}, "customer", "Choose the customer who waits for it."),
        ({"customer": "nobody"}, "customer", "Nobody is called that."),
        ({"customer": "a@b.de"}, "new_name", "a@b.de is new to us."),
        ({"customer": "hana kovac", "platform": "Fax"}, "platform", "Choose the platform. The list of platform"),
        ({"customer": "hana kovac", "actual": "x" * 20_001}, "actual", "That is longer than 20,000 characters."),
    ],
)
def test_a_refused_attachment_says_why_at_the_field_and_keeps_the_words(agent, bug, hana, changes, field, sentence):
    page = agent.post(f"/bugs/{bug.ref}/attach", {"confirmed": "1", "expected": "  kept ", **changes})

    assert page.status_code == 422
    assert "<title>Error: " in page.text
    assert re.search(rf'id="f-{field}-e">.*?</span>{re.escape(sentence)}', page.text, re.DOTALL)
    assert "  kept </textarea>" in page.text
    assert db.session.get_one(Bug, bug.id).waiting_count == 1


@pytest.mark.parametrize("ref", ["BUG-999", "BUG-99999999999999999999", "x", "0", "-1", "1e3", "٣", "BUG-1%00"])
def test_a_bug_that_does_not_exist_takes_nobody(agent, company, ref):
    assert agent.get(f"/bugs/{ref}/attach").status_code == 404
    assert agent.post(f"/bugs/{ref}/attach", {"confirmed": "1"}).status_code == 404
    assert agent.get(f"/bugs/{ref}/filed").status_code == 404
    assert agent.post("/new", {"bug": ref}).status_code == 404


def test_a_restricted_bug_takes_customers_only_from_who_may_see_it(app, agent, company):
    filer = make_user(Role.AGENT)
    bug = make_bug(actor=filer)
    with transaction():
        bug.is_restricted = True

    for visitor, status in ((agent, 404), (visit(app, filer), 200), (visit(app, make_user(Role.LEAD)), 200)):
        assert visitor.get(f"/bugs/{bug.ref}/attach").status_code == status
        assert visitor.get(f"/bugs/{bug.ref}/filed").status_code == status
    assert agent.post("/new", {"bug": bug.ref, "customer": "x"}).status_code == 404
    assert agent.get("/reports/1/withdrawal").status_code == 404
    assert agent.post("/reports/1/withdrawal").status_code == 404


def test_a_merged_bug_leads_to_its_canonical_one(agent, bug, hana):
    merged = make_bug()
    merge(merged, into=bug)

    assert agent.get(f"/bugs/{merged.ref}/attach").location == f"/bugs/{bug.ref}/attach"
    answer = agent.post(f"/bugs/{merged.ref}/attach", {"confirmed": "1", "customer": "hana kovac"})
    assert answer.location.startswith(f"/bugs/{bug.ref}/filed")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status.LIVE, "Fixed in 4.13.0, live since"),
        (Status.DECLINED, "We leave it as it is: Works as intended."),
        (Status.NEEDS_INFO, "You may have the missing piece: Which browser?"),
    ],
)
def test_the_page_says_what_became_of_the_bug(agent, company, status, words):
    bug = make_bug(status)

    assert words in text_of(agent.get(f"/bugs/{bug.ref}/attach"))


def test_the_confirmation_words_it_in_the_customers_language_and_in_english(agent, bug, hana):
    with transaction():
        bug.area.labels, bug.symptom.labels = {"de": "Suche"}, {"de": "Sieht falsch aus"}
    make_report(hana, bug=bug, area=bug.area, symptom=bug.symptom)

    page = text_of(agent.get(f"/bugs/{bug.ref}/filed?report=2"))

    assert "Attached to BUG-1" in page
    assert (
        "Hallo Hana, danke, dass Sie uns das gesagt haben. Wir haben es aufgenommen: "
        "„Suche: Sieht falsch aus“. Unsere Nummer dafür ist BUG-1. Sie hören von uns, wie es ausgeht."
    ) in page
    assert "They read German. In English: Hello Hana, thank you for telling us." in page
    assert "2 people wait for this bug." in page


def test_the_confirmation_tells_only_what_is_recorded(agent, company):
    live = make_bug(Status.LIVE)
    declined = make_bug(Status.DECLINED)
    with transaction():
        declined.workarounds = {"en": "Print it.", "de": "Drucken Sie es."}

    assert "it has been fixed since version 4.13.0" in text_of(agent.get(f"/bugs/{live.ref}/filed"))
    page = text_of(agent.get(f"/bugs/{declined.ref}/filed"))
    assert "decided to leave it as it is: Works as intended. Until then: Print it." in page
    assert "Drucken" not in page


def test_the_confirmation_of_our_own_finding_has_nobody_to_tell(agent, company, filled):
    agent.post("/new", filled(found_by_us="y"))

    page = text_of(agent.get("/bugs/BUG-1/filed"))

    assert "Filed as BUG-1" in page
    assert "We found it ourselves, so no customer waits for it." in page


def test_the_confirmation_of_a_customer_without_an_address_says_by_hand(agent, company):
    bug = make_bug(waiting=[make_customer("Petra", email="")])

    assert "Petra has no address with us: somebody tells them by hand." in text_of(agent.get(f"/bugs/{bug.ref}/filed"))


@pytest.mark.parametrize("report", ["2", "999", "9" * 30, "0", "-1"])
def test_the_confirmation_shows_no_report_of_another_bug(agent, bug, report):
    make_bug()

    assert agent.get(f"/bugs/{bug.ref}/filed?report={report}").status_code == 404


def test_taking_back_asks_first_and_then_settles_without_a_word(agent, bug):
    page = agent.get("/reports/1/withdrawal")
    assert "Nobody is written to about it." in text_of(page)
    assert db.session.get_one(Report, 1).settled_by is None

    answer = agent.post("/reports/1/withdrawal")

    assert (answer.status_code, answer.location) == (303, "/new")
    assert db.session.get_one(Report, 1).settled_by == SettledBy.WITHDRAWN
    assert "The report is taken back, and BUG-1 with it." in text_of(agent.get("/new"))
    assert agent.post("/reports/1/withdrawal").status_code == 409
    assert "cannot be taken back" in text_of(agent.get("/reports/1/withdrawal"))
    assert agent.get(f"/bugs/{bug.ref}/attach").status_code == 409


def test_taking_back_one_of_several_leads_to_the_bug(agent, bug):
    make_report(bug=bug)

    assert agent.post("/reports/2/withdrawal").location == "/bugs/BUG-1"


@pytest.mark.parametrize("url", ["/reports/99/withdrawal", "/reports/99999999999/withdrawal", "/customers/99999999999"])
def test_what_does_not_exist_is_not_found(agent, company, url):
    assert agent.get(url).status_code == 404


def test_suggestions_name_the_customer_and_what_to_fill_in(agent, hana):
    make_report(hana, platform="Firefox", version="4.12.0")

    (item,) = agent.get("/customers/suggestions?q=kova").json["items"]

    options = last_report()
    assert item == {
        "value": str(hana.id),
        "label": "Hana Kovač, Brightline",
        "hint": "hana@brightline.de",
        "note": "Writes in German, 1 open report. Last report from Firefox 4.12.0.",
        "platform": str(options.platform_id),
        "version": str(options.version_id),
    }
    assert agent.get("/customers/suggestions?q=%00%ff").json == {"items": []}


def test_engineers_read_addresses_masked(engineer, hana):
    (item,) = engineer.get("/customers/suggestions?q=hana").json["items"]
    (whole,) = engineer.get("/customers/suggestions?q=Hana@brightline.de").json["items"]
    page = engineer.get(f"/customers/{hana.id}")

    assert (item["hint"], "email" in item) == ("h•••@brightline.de", False)
    assert whole["email"] == "hana@brightline.de"
    assert "h•••@brightline.de" in page.text
    assert "hana@brightline.de" not in page.text
    make_report(hana)
    for url in ("/bugs/BUG-1/attach?customer=hana+kovac", "/bugs/BUG-1/filed", f"/new?customer_id={hana.id}"):
        found = engineer.get(url)
        assert ("Hana Kovač" in found.text, "hana@brightline.de" in found.text) == (True, False)


def test_a_customers_page_lists_what_they_told_us_as_far_as_the_reader_may_see(agent, hana):
    make_bug(waiting=[hana], actual="Grey on grey.")
    hidden = make_bug(waiting=[hana], actual="A secret hole.")
    with transaction():
        hidden.is_restricted = True

    page = text_of(agent.get(f"/customers/{hana.id}"))

    assert "Grey on grey BUG-1 · New" in page
    assert "secret" not in page
    assert "BUG-2" not in page


def test_a_customers_page_asks_the_database_as_often_for_three_reports_as_for_one(agent, hana):
    make_bug(waiting=[hana])
    address = f"/customers/{hana.id}"
    agent.get(address)
    with asked() as for_one:
        agent.get(address)
    for _number in range(2):
        make_bug(waiting=[hana])
    agent.get(address)
    with asked() as for_three:
        agent.get(address)

    assert len(for_three) == len(for_one)


def test_the_confirmation_asks_the_database_as_often_for_three_who_wait_as_for_one(agent, bug):
    address = f"/bugs/{bug.ref}/filed"
    agent.get(address)
    with asked() as for_one:
        agent.get(address)
    for _number in range(2):
        make_report(bug=bug)
    agent.get(address)
    with asked() as for_three:
        agent.get(address)

    assert len(for_three) == len(for_one)


def test_nobody_reads_customers_without_signing_in(app, hana):
    stranger = visit(app)

    for url in (f"/customers/{hana.id}", "/customers/suggestions?q=hana", "/reports/1/withdrawal"):
        assert stranger.get(url).status_code == 302
    assert stranger.post("/reports/1/withdrawal").status_code == 401
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Customer)) == 1


@pytest.fixture
def live(company):
    return make_bug(Status.LIVE, area="Search", waiting=[make_customer(email="first@example.com")])


def send(agent, bug, **values):
    agent.post(f"/bugs/{bug.ref}/attach", {"confirmed": "1", **values})
    return db.session.get_one(Bug, bug.id, populate_existing=True)


def test_the_page_of_a_live_bug_asks_for_the_version_and_takes_none_from_an_earlier_report(agent, live, hana):
    make_report(hana, platform="Firefox", version="4.12.0")

    page = agent.get(f"/bugs/{live.ref}/attach?customer=hana@brightline.de")
    refused = agent.post(f"/bugs/{live.ref}/attach", {"confirmed": "1", "customer": "hana kovac"})

    assert "Which version does the customer have?" in text_of(page)
    assert re.findall(r'value="\d+" selected>([^<]+)<', page.text) == ["Firefox"]
    assert "autofocus>Attach" not in page.text
    assert refused.status_code == 422
    assert 'id="f-version-e"' in refused.text
    assert "Choose the version the customer has: it decides whether the bug came back." in text_of(refused)


def test_whose_version_is_older_than_the_fix_is_told_to_update(agent, live, hana):
    bug = send(agent, live, customer="hana kovac", version="4.12.0")

    page = text_of(agent.get(f"/bugs/{bug.ref}/filed"))
    assert (bug.status, bug.waiting_count) == (Status.LIVE, 2)
    assert "They have 4.12.0, and it is fixed since 4.13.0: tell them to update." in page
    assert "You use 4.12.0: please update to 4.13.0." in page
    assert "You will hear from us how it ends." not in page
    assert "It came back" not in page


@pytest.mark.parametrize("version", ["4.13.0", "Not sure"])
def test_a_live_bug_comes_back_with_whoever_has_the_fix_or_cannot_say(agent, live, hana, version):
    bug = send(agent, live, customer="hana kovac", version=version)

    page = text_of(agent.get(f"/bugs/{bug.ref}/filed"))
    assert (bug.status, bug.generation, bug.waiting_count) == (Status.ACCEPTED, 2, 2)
    assert "It came back: it is open again, in the queue of whoever is on duty." in page
    assert "You will hear from us how it ends." in page


def test_a_live_bug_comes_back_with_a_customer_who_was_there(agent, live):
    bug = send(agent, live, customer="first@example.com", version="4.13.0", actual="Again.")

    assert (bug.status, bug.waiting_count) == (Status.ACCEPTED, 1)


def test_what_was_added_to_a_report_is_said_and_taken_back_without_the_report(agent, bug, hana):
    make_report(hana, bug=bug)
    answer = agent.post(f"/bugs/{bug.ref}/attach", {"confirmed": "1", "customer": "hana kovac", "actual": "More."})

    page = agent.get(answer.location)
    undo = re.search(r'action="(/reports/2/tellings/\d+/undo)"', page.text)[1]
    assert "Hana Kovač, Brightline" not in text_of(page)
    assert "Hana Kovač told us of it before. What you typed is added to their report." in text_of(page)
    assert "Take this report back" not in page.text
    assert 'data-key="u"' in page.text
    agent.post(undo)

    report = db.session.get_one(Report, 2)
    assert (report.settled_by, db.session.scalars(sa.select(Remark)).all()) == (None, [])
    assert db.session.get_one(Bug, bug.id).waiting_count == 2
    assert "Taken back. Nobody is written to about it." in text_of(agent.get("/new"))


def test_undo_takes_a_customer_away_who_was_new_to_the_bug(agent, bug, hana):
    answer = agent.post(f"/bugs/{bug.ref}/attach", {"confirmed": "1", "customer": "hana kovac"})
    page = agent.get(answer.location)
    assert "Attached. 2 people wait." in text_of(page)

    undo = re.search(r'action="(/reports/2/tellings/\d+/undo)"', page.text)[1]
    agent.post(undo)

    assert db.session.get_one(Report, 2).settled_by == SettledBy.WITHDRAWN
    assert agent.post(undo).status_code == 409
    assert agent.post("/reports/1/tellings/1/undo").status_code == 404


def test_undo_says_that_a_bug_which_came_back_is_live_as_before(agent, live, hana):
    sent = {"confirmed": "1", "customer": "hana kovac", "version": "4.13.0"}
    answer = agent.post(f"/bugs/{live.ref}/attach", sent)
    undo = re.search(r'action="(/reports/\d+/tellings/\d+/undo)"', agent.get(answer.location).text)[1]

    agent.post(undo)

    assert "BUG-1 had come back with it, and is live as before." in text_of(agent.get("/new"))
    assert db.session.get_one(Bug, live.id).status == Status.LIVE


def test_undo_says_that_a_bug_stays_open_where_somebody_else_still_sees_it(agent, live, hana):
    answer = agent.post(f"/bugs/{live.ref}/attach", {"confirmed": "1", "customer": "hana kovac", "version": "4.13.0"})
    undo = re.search(r'action="(/reports/\d+/tellings/\d+/undo)"', agent.get(answer.location).text)[1]
    agent.post(f"/bugs/{live.ref}/attach", {"confirmed": "1", "customer": "first@example.com", "version": "4.13.0"})

    agent.post(undo)

    assert "BUG-1 came back with it, and stays open until an engineer looks." in text_of(agent.get("/new"))
    assert db.session.get_one(Bug, live.id).status == Status.ACCEPTED


def test_many_at_once_say_which_version_they_have_of_a_live_bug(agent, live, option):
    people = ["a@b.com", "c@d.com"]
    sent = {"addresses": ", ".join(people), "key": "many", "address": people}
    older, newer = (str(option(OptionList.VERSION, label).id) for label in ("4.12.0", "4.13.0"))
    url = f"/bugs/{live.ref}/attach/many"

    assert "it decides whether the bug came back" in text_of(agent.post(url, sent))
    assert f'name="version" value="{older}"' in agent.post(url, {**sent, "version": older}).text
    agent.post(url, {**sent, "version": older, "confirmed": "1"})
    assert db.session.get_one(Bug, live.id, populate_existing=True).status == Status.LIVE
    more = {"addresses": "e@f.com, g@h.com", "address": ["e@f.com", "g@h.com"], "key": "more"}
    agent.post(url, {**more, "version": newer, "confirmed": "1"})

    bug = db.session.get_one(Bug, live.id, populate_existing=True)
    assert (bug.status, bug.generation, bug.waiting_count) == (Status.ACCEPTED, 2, 5)
