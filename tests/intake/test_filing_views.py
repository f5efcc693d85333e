"""Filing a bug through its pages: what is kept, what is refused, who may."""

import html
import re

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.intake import catalogue
from bugintake.intake.catalogue import option_labelled
from bugintake.intake.customers.models import Account, Customer
from bugintake.intake.models import Bug, Option, OptionList, Report, Status
from bugintake.team.models import Role
from tests.counting import asked, fewest
from tests.factories import make_bug, make_customer, make_option, make_report, make_user
from tests.visitors import visit

pytestmark = pytest.mark.long_on("postgres")

REQUIRED = {
    "customer": "Choose the customer, or say that we found it ourselves.",
    "area": "Choose where it happens.",
    "symptom": "Choose what goes wrong.",
    "impact": "Choose how bad it is for the customer.",
    "frequency": "Choose how often it happens.",
    "platform": "Choose the platform.",
    "version": "Choose the version.",
    "steps": "Write the steps that lead to it.",
    "actual": "Write what happened instead.",
    "expected": "Write what should have happened.",
}


def count(model):
    return db.session.scalar(sa.select(sa.func.count()).select_from(model))


def errors(page):
    """Read the sentences at the fields, by field."""
    found = re.findall(r'id="f-(\w+)-e">.*?</span>(.*?)</span></p>', page.text, re.DOTALL)
    return {name: html.unescape(sentence) for name, sentence in found}


def summary(page):
    """Read the sentences of the summary on top."""
    part = re.search(r'<div class="err".*?</div>', page.text, re.DOTALL)
    return re.findall(r"<li>(?:<a[^>]*>)?(.*?)(?:</a>)?</li>", html.unescape(part[0])) if part else []


def values(page):
    """Read what the form would send again."""
    found = dict(
        re.findall(r'<input type="(?:hidden|text)" id="f-\w+" name="(\w+)" value="(.*?)"', page.text, re.DOTALL)
    )
    found |= dict(re.findall(r'<textarea id="f-\w+" name="(\w+)".*?>\n(.*?)</textarea>', page.text, re.DOTALL))
    for name, inner in re.findall(r'<select id="f-\w+" name="(\w+)".*?>(.*?)</select>', page.text, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', inner)
        found[name] = chosen[1] if chosen else ""
    found |= dict(re.findall(r'type="radio" name="(\w+)" value="(\w+)" id="[^"]*" checked', page.text))
    return {name: html.unescape(value) for name, value in found.items()}


@pytest.fixture
def hana(company):
    """A known customer."""
    return make_customer("Hana Kovač", email="hana@brightline.hr", company="Brightline", language="de")


@pytest.fixture
def form(filled, hana):
    """A form filled in for Hana, as picked from the list."""

    def fill(**changes):
        return filled(**{"customer": "Hana Kovač, Brightline", "customer_id": str(hana.id), **changes})

    return fill


def test_the_empty_form_offers_every_list_and_chooses_nothing(agent):
    page = agent.get("/new")

    assert page.status_code == 200
    assert re.findall(r'<option value="(\d+)" selected', page.text) == []
    assert page.text.count('type="radio"') == 4
    assert " checked" not in page.text
    assert 'name="title"' not in page.text


def test_areas_stand_by_how_often_they_were_chosen_lately_and_versions_from_the_newest(agent):
    make_report(area="Settings")
    make_report(area="Search")
    make_report(area="Search")

    page = agent.get("/new")

    areas = re.search(r'name="area".*?</select>', page.text, re.DOTALL)[0]
    assert re.findall(r">([^<>]+)</option>", areas)[1:3] == ["Search", "Settings"]
    assert re.findall(r">([^<>]+)</option>", areas)[-1] == "Not sure"
    versions = re.search(r'name="version".*?</select>', page.text, re.DOTALL)[0]
    assert re.findall(r">([^<>]+)</option>", versions)[1:] == ["4.12.1", "4.12.0", "Not sure"]


def test_a_filled_form_becomes_a_report_and_a_bug(agent, lea, form, hana):
    answer = agent.post("/new", form())

    report = db.session.scalars(sa.select(Report)).one()
    assert (answer.status_code, answer.location) == (303, f"/bugs/BUG-1/filed?report={report.id}")
    assert (report.customer_id, report.filed_by_id) == (hana.id, lea.id)
    assert report.steps == "1. Open the search\n2. Type a name"
    assert (report.area.label, report.version.label) == ("Search", "4.12.1")
    assert (report.bug.title, report.bug.waiting_count) == ("The list stays empty", 1)


def test_the_same_form_twice_gets_the_same_number(agent, form):
    first, second = agent.post("/new", form()), agent.post("/new", form())

    assert first.location == second.location
    assert (count(Report), count(Bug)) == (1, 1)


def test_a_form_that_was_sent_before_with_other_words_says_so_and_can_be_sent_again(agent, form):
    agent.post("/new", form())

    page = agent.post("/new", form(actual="Something else."))

    assert page.status_code == 409
    assert summary(page) == ["This form was sent before, and made BUG-1. Send it again if this is another bug."]
    fresh = re.search(r'name="key" value="([^"]+)"', page.text)[1]
    assert agent.post("/new", form(actual="Something else.", key=fresh)).location.startswith("/bugs/BUG-2/filed")


@pytest.mark.parametrize("field", REQUIRED)
def test_each_missing_part_is_named_and_everything_else_is_kept(agent, form, field):
    sent = form(**{field: "", **({"customer_id": ""} if field == "customer" else {})})
    sent["actual"] = sent["actual"] and "  Ünï\tcode <b>&amp;</b> \"quotes\" 'n' \r\n\r\n more  "

    page = agent.post("/new", sent)

    assert page.status_code == 422
    assert "<title>Error: File a bug" in page.text
    assert errors(page) == {field: REQUIRED[field]}
    assert summary(page) == [REQUIRED[field]]
    kept = {name: value.replace("\n", "\r\n") if "\r" not in value else value for name, value in values(page).items()}
    assert {name: kept.get(name, "") for name in sent if name != "key"} == {
        name: value for name, value in sent.items() if name != "key"
    }
    assert count(Report) == 0


def test_the_text_of_a_refused_form_keeps_the_key_that_makes_it_one_report(agent, form):
    page = agent.post("/new", form(steps="", key="my key"))

    assert re.search(r'name="key" value="([^"]+)"', page.text)[1] == "my key"


def test_a_forged_a_foreign_and_a_retired_option_are_refused_and_kept(agent, form, option):
    fax = make_option(OptionList.PLATFORM, "Fax")
    with transaction():
        catalogue.retire(fax, actor=make_user(Role.LEAD))
    symptom = option(OptionList.SYMPTOM, "Looks wrong")

    page = agent.post(
        "/new", form(area="Faxes & <more>", frequency=str(symptom.id), platform=str(fax.id), version="9" * 30)
    )

    assert page.status_code == 422
    assert errors(page) == {
        "area": "Choose where it happens. The list of area choices has no “Faxes & <more>”.",
        "frequency": f"Choose how often it happens. The list of frequency choices has no “{symptom.id}”.",
        "platform": "Choose the platform. Fax is no longer offered as platform.",
        "version": f"Choose the version. The list of version choices has no “{'9' * 30}”.",
    }
    kept = values(page)
    assert [kept["area"], kept["frequency"], kept["version"]] == ["Faxes & <more>", str(symptom.id), "9" * 30]


def test_a_choice_may_come_by_its_words(agent, form):
    agent.post("/new", form(area="search", frequency="ALWAYS"))

    assert db.session.scalars(sa.select(Report)).one().area.label == "Search"


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("a\x00b\x1b[31mc", "ab[31mc"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("e\u0301", "é"),
        ("=?utf-8?q?Fixed=0d=0aBcc:_x=40y.z?=", "=?utf-8?q?Fixed=0d=0aBcc:_x=40y.z?="),
    ],
)
def test_strange_text_is_cleaned_and_stored(agent, form, text, stored):
    answer = agent.post("/new", form(actual=text))

    assert answer.status_code == 303
    assert db.session.scalars(sa.select(Report.actual)).one() == stored


def test_a_megabyte_of_text_is_refused_in_a_sentence_and_kept(agent, form):
    page = agent.post("/new", form(actual="x" * 1_000_000))

    assert page.status_code == 422
    assert errors(page) == {"actual": "That is longer than 20,000 characters. Keep what shows the bug."}
    assert values(page)["actual"] == "x" * 1_000_000


def test_texts_of_nothing_but_blanks_are_missing(agent, form):
    page = agent.post("/new", form(steps=" \x00\t\r\n"))

    assert errors(page) == {"steps": REQUIRED["steps"]}


def test_a_form_of_lists_and_unknown_fields_is_read_by_its_first_values(agent, form):
    answer = agent.post("/new", {**form(), "area": [form()["area"], "nonsense"], "is_restricted": "1", "id": "9"})

    assert answer.status_code == 303
    assert db.session.scalars(sa.select(Bug.is_restricted)).one() is False


@pytest.mark.parametrize("typed", ["hana@brightline.hr", "HANA@BRIGHTLINE.HR", "hana kovac", "Hana Kovač, Brightline"])
def test_a_customer_may_be_typed_instead_of_picked(agent, form, hana, typed):
    agent.post("/new", form(customer=typed, customer_id=""))

    assert db.session.scalars(sa.select(Report.customer_id)).one() == hana.id


def test_what_stands_in_the_field_counts_and_not_what_was_picked_before(agent, form):
    sam = make_customer("Sam Okafor")

    agent.post("/new", form(customer="Sam Okafor"))

    assert db.session.scalars(sa.select(Report.customer_id)).one() == sam.id


def test_an_unknown_address_asks_for_the_name_and_then_adds_the_customer(agent, form):
    sent = form(customer="ines@otok.es", customer_id="")

    page = agent.post("/new", sent)
    assert errors(page) == {"new_name": "ines@otok.es is new to us. Give the name, and they are added."}
    assert count(Customer) == 1

    agent.post("/new", {**sent, "new_name": "Inés Marín", "new_company": "Otok"})
    added = db.session.scalars(sa.select(Report)).one().customer
    assert (added.email, added.full_name, added.language) == ("ines@otok.es", "Inés Marín, Otok", "es")


def test_the_guessed_language_can_be_changed(agent, form):
    agent.post("/new", form(customer="a@b.es", customer_id="", new_name="A", new_language="de"))

    assert db.session.scalars(sa.select(Report)).one().customer.language == "de"


def test_a_customer_is_not_added_where_the_form_is_refused(agent, form):
    sent = form(customer="ines@otok.es", customer_id="", new_name="Inés", new_company="Otok", area="nonsense")

    assert agent.post("/new", sent).status_code == 422
    assert agent.post("/new", {**sent, "area": form()["area"], "new_language": "hr"}).status_code == 422
    assert (count(Customer), count(Account)) == (1, 1)


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"customer": "not@an@address"}, "customer", "That is not an e-mail address that mail can reach."),
        ({"customer": "Hana Kovc"}, "customer", "Nobody is called that. Type their e-mail address, or write"),
        ({"customer": "x@y.de", "new_name": "x" * 201}, "new_name", "A name has at most 200 characters."),
        ({"customer": "x@y.de", "new_name": "x", "new_company": "x" * 201}, "new_company", "A company's name has 1"),
        ({"customer": "x@y.de", "new_name": "x", "new_language": "hr"}, "new_language", "Customers are written to in"),
        ({"customer": "", "new_name": "Hana Kovač"}, "customer", "There is already a customer called Hana Kovač"),
    ],
)
def test_a_customer_who_cannot_be_is_refused_at_the_field(agent, form, changes, field, sentence):
    page = agent.post("/new", form(**{"customer_id": "", **changes}))

    assert page.status_code == 422
    assert errors(page)[field].startswith(sentence)


def test_several_customers_of_one_name_are_not_guessed_among(agent, form):
    make_customer("Hana Kovač", email="other@example.com")

    page = agent.post("/new", form(customer="Hana Kovač", customer_id=""))

    assert errors(page) == {"customer": "2 customers are called that. Pick one, or type the address."}


def test_somebody_without_an_address_is_added_by_name_and_told_by_hand(agent, form):
    sent = form(customer="", customer_id="", new_name="Petra by phone")

    first, second = agent.post("/new", sent), agent.post("/new", sent)

    assert first.location == second.location
    assert db.session.scalars(sa.select(Report)).one().customer.email is None
    assert count(Customer) == 2


def test_a_bug_we_found_ourselves_makes_nobody_wait(agent, form):
    agent.post("/new", form(customer="", customer_id="", found_by_us="y"))

    report = db.session.scalars(sa.select(Report)).one()
    assert (report.customer, report.bug.waiting_count) == (None, 0)


def test_a_bug_is_either_a_customers_or_ours(agent, form):
    page = agent.post("/new", form(found_by_us="y"))

    assert errors(page) == {"customer": "Choose one of the two: a customer, or that we found it ourselves."}


def test_an_address_fills_the_form_in(agent, hana, option):
    make_report(hana, platform="Safari on Mac", version="4.12.0")

    page = agent.get("/new?customer=hana@brightline.hr&ref=ZD-81&area=search&symptom=Looks+wrong&steps=One%0ATwo")

    kept = values(page)
    assert (kept["customer"], kept["customer_id"], kept["steps"]) == (
        "Hana Kovač, Brightline",
        str(hana.id),
        "One\nTwo",
    )
    assert kept["area"] == str(option(OptionList.AREA, "Search").id)
    assert kept["platform"] == str(option(OptionList.PLATFORM, "Safari on Mac").id)
    assert "Last report from Safari on Mac 4.12.0." in page.text
    assert 'name="source" value="ZD-81"' in page.text
    assert agent.get("/new?area=%00&customer=%ff&version=" + "9" * 400).status_code == 200


def test_the_source_is_kept_with_the_report_and_has_its_limit(agent, form):
    agent.post("/new", form(source="ZD-81"))
    page = agent.post("/new", form(source="x" * 201, key="other"))

    assert db.session.scalars(sa.select(Report.source)).one() == "ZD-81"
    assert summary(page) == ["The link to where it came from has more than 200 characters."]


def test_the_form_asks_the_database_as_often_for_many_reports_as_for_one(agent):
    make_report()
    agent.get("/new")
    with asked() as for_one:
        agent.get("/new")
    for _number in range(2):
        make_report(area="Search")
    agent.get("/new")
    with asked() as for_three:
        agent.get("/new")

    assert len(for_three) == len(for_one)


def test_a_refused_form_asks_the_database_no_question_per_option(agent, form):
    def refuse():
        assert agent.post("/new", form(customer="nobody", customer_id="")).status_code == 422

    before = fewest(refuse)
    with transaction():
        for number in range(20):
            catalogue.add_option(OptionList.AREA, f"Area {number}", actor=None)

    assert fewest(refuse) == before


def test_known_bugs_come_as_json_with_where_to_attach(agent, option):
    make_bug(waiting=[make_customer(), make_customer()], area="Search", symptom="Looks wrong", actual="Grey on grey.")
    area, symptom = option(OptionList.AREA, "Search").id, option(OptionList.SYMPTOM, "Looks wrong").id

    answer = agent.get(f"/new/similar?area={area}&symptom={symptom}&text=grey")

    (item,) = answer.json["items"]
    assert item == {
        "ref": "BUG-1",
        "title": "Grey on grey",
        "url": "/bugs/BUG-1",
        "status": "new",
        "status_label": "New",
        "people_waiting": 2,
        "age": "now",
        "why": "Same area and symptom, 2 of 2 on 4.12.1.",
        "attach_url": "/bugs/BUG-1/attach",
    }


def test_what_is_meant_to_be_so_stands_beside_the_form_and_on_the_page_without_scripts(agent, form, mira):
    bug = make_bug(Status.DECLINED, area="Search", symptom="Nothing happens", actual="Finds no parts of words.")
    with transaction():
        area = option_labelled(OptionList.AREA, "Search")
        area.intended = "Finds whole <words> only."
        db.session.get_one(Option, bug.decline_reason_id).is_intended = True

    answer = agent.get(f"/new/similar?area={area.id}&symptom={bug.symptom_id}")
    page = agent.post("/new", form(ask="1"))

    declines = [{"title": "Finds no parts of words", "url": "/bugs/BUG-1"}]
    about = {"note": "Finds whole <words> only.", "declines": declines}
    assert answer.json["intended"] == {**about, "more": 0, "more_url": f"/bugs?status=declined&area={area.id}"}
    assert "<p>Finds whole &lt;words&gt; only.</p>" in page.text
    assert '<a class="link" href="/bugs/BUG-1">Finds no parts of words</a>' in page.text


def test_known_bugs_of_no_area_are_none(agent):
    for query in ("", "?area=9999", "?area=x&symptom=y", "?area=%00&text=%ff"):
        assert agent.get(f"/new/similar{query}").json == {"items": []}


def test_without_scripts_known_bugs_are_asked_about_before_anything_is_saved(agent, form):
    bug = make_bug(area="Search", symptom="Nothing happens")
    sent = form(ask="1", steps='1. <b>\r\n2. "x"')

    page = agent.post("/new", sent)

    assert (page.status_code, count(Report)) == (200, 1)
    assert re.findall(r'name="choice" value="([^"]+)"', page.text) == [bug.ref, "none"]
    carried = {
        name: html.unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="(.*?)">', page.text, re.DOTALL)
    }
    unanswered = agent.post("/new/similar", carried)
    assert (unanswered.status_code, summary(unanswered)) == (422, ["Choose one of these, or none of them."])
    assert agent.post("/new/similar", {**carried, "choice": "none"}).location == "/bugs/BUG-2/filed?report=2"
    assert db.session.get(Report, 2).steps == '1. <b>\n2. "x"'


def test_without_scripts_the_customer_can_be_attached_to_the_known_bug(agent, form, hana):
    bug = make_bug(area="Search", symptom="Nothing happens")

    answer = agent.post("/new/similar", {**form(), "choice": bug.ref})

    assert answer.location == f"/bugs/{bug.ref}/filed?report=2"
    assert db.session.get(Report, 2).bug_id == bug.id


def test_without_scripts_and_known_bugs_the_form_is_filed_at_once(agent, form):
    assert agent.post("/new", form(ask="1")).status_code == 303


def test_nobody_files_without_signing_in(app, form):
    stranger = visit(app)

    assert stranger.get("/new").status_code == 302
    assert stranger.post("/new", form()).status_code == 401
    assert stranger.get("/new/similar").status_code == 302
    assert count(Report) == 0


@pytest.mark.parametrize(
    ("customer", "field", "sentence"),
    [
        ("nobody", "customer", "Nobody is called that."),
        ("Sam", "customer", "2 customers are called that."),
        ("a@b.de", "new_name", "a@b.de is new to us."),
    ],
)
def test_a_customer_who_is_not_clear_is_refused_together_with_everything_else(agent, filled, customer, field, sentence):
    make_customer("Sam")
    make_customer("Sam")
    make_bug()
    for url, more in (("/new", {}), ("/bugs/BUG-1/attach", {"confirmed": "1"})):
        page = agent.post(url, filled(customer=customer, platform="Fax", **more))

        assert page.status_code == 422
        assert re.search(rf'id="f-{field}-e">.*?</span>{re.escape(sentence)}', page.text, re.DOTALL)
        assert len(re.findall(r'<li><a href="#f-', page.text)) == 2


AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36"


@pytest.mark.parametrize(
    "sent", [{"platform": "other", "platform_other": AGENT}, {"platform": "", "platform_new": AGENT}]
)
def test_what_a_browser_says_of_itself_is_read_as_a_platform(agent, filled, sent):
    agent.post("/new", filled(found_by_us="y", **sent))

    assert db.session.scalars(sa.select(Report)).one().platform.label == "Chrome on Windows"
    assert agent.get("/new/platform", query_string={"ua": "curl"}).json == {"value": None}


def test_filing_and_then_another_keeps_the_customer(agent, filled):
    sam = make_customer("Sam")

    answer = agent.post("/new", filled(customer="Sam", another="1"))

    assert answer.location == f"/new?customer_id={sam.id}"
    page = agent.get(answer.location)
    assert "Filed as BUG-1." in page.text
    assert 'value="Sam"' in page.text
