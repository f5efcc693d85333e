"""The pages of customers and companies: finding them, reading and changing what is known of them, notes."""

import re

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.forms import Seen
from bugintake.intake import attaching, filing
from bugintake.intake.customers import adding, changing, merging, queries
from bugintake.intake.models import Bug, Report, Status
from bugintake.loop import customer_queries
from bugintake.loop.views import links
from bugintake.team.models import Role
from bugintake.triage import transitions
from tests.counting import asked
from tests.factories import make_bug, make_customer, make_telling, make_user

pytestmark = pytest.mark.long_on("postgres")


def test_customers_are_found_on_a_page_of_their_own(agent):
    make_customer("Hana Kovač", email="hana@new.hr", company="Brightline")

    page = agent.get("/customers?q=brig kov").text

    assert ("Hana Kovač" in page, "hana@new.hr" in page, "No customer is found" in page) == (True, True, False)


def test_the_page_asks_as_often_for_many_as_for_one(agent):
    make_customer("Ana One", company="A")
    with asked() as for_one:
        agent.get("/customers?q=ana")
    for name in ("Ana Two", "Ana Three"):
        make_customer(name, company=name)
    with asked() as for_three:
        agent.get("/customers?q=ana")

    assert len(for_three) == len(for_one)


def test_a_person_is_changed_and_the_page_says_so(agent):
    hana = make_customer("Hana", email="hana@new.hr")

    answer = agent.post(
        f"/customers/{hana.id}/details",
        {"name": "Hana Kovač", "email": "hana@new.hr", "language": "en", "ids": "crm: 4711"},
    )

    assert answer.status_code == 303
    page = agent.get(f"/customers/{hana.id}").text
    assert ("Hana Kovač is saved." in page, "<dt>crm</dt><dd>4711</dd>" in page) == (True, True)


def test_a_refused_form_keeps_what_was_typed_and_says_why_at_the_field(agent):
    hana = make_customer("Hana")

    answer = agent.post(f"/customers/{hana.id}/details", {"name": "Hana", "email": "nobody at all", "language": "en"})

    assert answer.status_code == 422
    assert 'value="nobody at all" aria-describedby="f-email-h f-email-e" aria-invalid="true"' in answer.text


def test_of_two_who_change_one_field_the_second_sees_both(agent):
    hana = make_customer("Hana")
    seen = {"seen_name": "0" * 12, "name": "Hanna", "email": hana.email, "language": "en"}

    answer = agent.post(f"/customers/{hana.id}/details", seen)

    assert answer.status_code == 409
    assert ('<dd class="words">Hana</dd>' in answer.text, ">\nHanna</textarea>" in answer.text) == (True, True)


@pytest.mark.parametrize(
    "path", ["/customers/{id}", "/customers/{id}/details", "/customers?q=hana", "/accounts/{account}"]
)
def test_an_engineer_reads_addresses_masked_on_every_page(as_user, mira, path):
    hana = make_customer("Hana", email="secretlocal@new.hr", company="Brightline")

    page = as_user(mira).get(path.format(id=hana.id, account=hana.account_id))

    assert (page.status_code, "secretlocal" in page.text) == (200, False)


def test_an_engineer_who_saves_a_person_leaves_the_address_as_it_is(as_user, mira):
    hana = make_customer("Hana", email="hana@new.hr")

    as_user(mira).post(f"/customers/{hana.id}/details", {"name": "Hana K", "email": "", "language": "en"})

    assert changing.shown_of_customer(queries.customer_or_404(hana.id))["email"] == "hana@new.hr"


def test_notes_on_the_person_and_on_the_company_stand_on_the_persons_page(agent):
    hana = make_customer("Hana", company="Brightline")
    agent.post(f"/customers/{hana.id}/notes", {"text": "On leave, answer in March."})
    agent.post(f"/accounts/{hana.account_id}/notes", {"text": "They say “folder” for project."})

    page = agent.get(f"/customers/{hana.id}").text

    assert ("On leave, answer in March." in page, "They say “folder” for project." in page) == (True, True)


def test_a_note_without_words_is_refused_at_its_field(agent):
    hana = make_customer("Hana", company="Brightline")

    answers = [
        agent.post(path, {"text": " "})
        for path in (f"/customers/{hana.id}/notes", f"/accounts/{hana.account_id}/notes")
    ]

    assert [(each.status_code, 'id="f-text-e"' in each.text) for each in answers] == [(422, True), (422, True)]


def test_a_note_is_taken_away(agent):
    hana, lea = make_customer("Hana"), make_user(Role.AGENT)
    with transaction():
        note = changing.write_note(hana, "Old.", actor=lea)

    assert agent.post(f"/customer-notes/{note.id}/removal", {}).location == f"/customers/{hana.id}"
    assert list(queries.notes_on(hana)) == []


def test_notes_and_what_they_told_us_stand_beside_the_form(agent, lea):
    hana = make_customer("Hana", company="Brightline")
    bug = make_bug(waiting=[hana])
    with transaction():
        changing.write_note(hana, "On leave, answer in March.", actor=lea)
        changing.change_account(hana.account, {"quiet_until": "2099-03-01"}, Seen(), actor=lea)

    pages = [agent.get(f"/new?customer_id={hana.id}").text, agent.get(f"/customers/{hana.id}/history").text]

    sought = ("On leave, answer in March.", f"{bug.ref} ", "Quiet until Sun 1 Mar 2099")
    assert [[words in page for words in sought] for page in pages] == [[True] * 3] * 2


def test_beside_the_form_stands_nothing_of_a_bug_that_the_reader_may_not_see(agent):
    hana = make_customer("Hana")
    bug = make_bug(waiting=[hana])
    with transaction():
        bug.is_restricted = True

    assert bug.ref not in agent.get(f"/customers/{hana.id}/history").text


def test_nothing_is_offered_for_a_person_who_was_erased(agent, clock):
    hana = make_customer("Hana")
    with transaction():
        hana.erased_at = clock.now()

    page = agent.get(f"/customers/{hana.id}").text

    assert [words in page for words in (f"/customers/{hana.id}/details", f"/new?customer_id={hana.id}")] == [
        False,
        False,
    ]


def test_a_record_that_was_merged_leads_to_the_one_that_stands_for_it(agent, lea):
    gone, into = make_customer("Hana K"), make_customer("Hana")
    with transaction():
        merging.merge(gone, into, actor=lea)

    assert agent.get(f"/customers/{gone.id}").location == f"/customers/{into.id}"
    assert filing.customer_picked(filing.Typed(customer_id=str(gone.id))) == into


def test_nobody_picks_a_person_who_was_erased(agent, clock):
    hana = make_customer("Hana")
    with transaction():
        hana.erased_at = clock.now()

    assert filing.customer_picked(filing.Typed(customer_id=str(hana.id))) is None


def test_companies_are_listed_and_found_those_without_people_too(agent):
    make_customer("Hana", company="Brightline")
    with transaction():
        adding.account_named("Halden Foods")

    page, found = agent.get("/accounts").text, agent.get("/accounts?q=halden").text

    assert ("Brightline" in page, "Halden Foods" in page) == (True, True)
    assert ("Brightline" in found, "Halden Foods" in found) == (False, True)
    assert "No company is called that." in agent.get("/accounts?q=nothing").text


def test_the_list_of_companies_costs_the_same_for_one_and_for_three(agent):
    make_customer("Hana", company="Brightline")
    agent.get("/accounts")
    with asked() as for_one:
        agent.get("/accounts")
    make_customer("Sam", company="Halden"), make_customer("Ole", company="Larkspur")
    agent.get("/accounts")
    with asked() as for_three:
        agent.get("/accounts")

    assert len(for_three) == len(for_one)


def test_the_page_has_what_was_told_later_and_what_was_asked_and_answered(app, agent):
    hana, mira = make_customer("Hana"), make_user(Role.ENGINEER)
    bug = make_bug(waiting=[hana])
    report = db.session.scalars(sa.select(Report).where(Report.customer_id == hana.id)).one()
    with transaction():
        again = make_telling(hana, actual="It is worse on Mondays.")
        attaching.attach(bug, again, actor=mira)
        asked_first = transitions.ask(bug, report, "Which browser?", actor=mira)
        transitions.answer(asked_first, "Firefox.", actor=mira)
        transitions.ask(db.session.get_one(Bug, bug.id), report, "Which version?", actor=mira)

    page = re.sub(r"<[^>]+>", "", agent.get(f"/customers/{hana.id}").text)

    assert "told us again: It is worse on Mondays." in page
    assert "asked “Which browser?” and answered “Firefox.”" in page
    assert "asked “Which version?” and not answered yet" in page


def test_what_somebody_was_told_goes_on_on_a_second_page(app, agent, monkeypatch):
    for module in (customer_queries, links):
        monkeypatch.setattr(module, "PEOPLE_SHOWN", 2)
    hana = make_customer("Hana", email="hana@b.com")
    refs = [make_bug(Status.DECLINED, waiting=[hana]).ref for _ in range(3)]

    first = agent.get(f"/customers/{hana.id}").text.split("What they were told")[1]
    second = agent.get(f"/customers/{hana.id}?page=2").text.split("What they were told")[1]

    assert [ref in first for ref in refs] == [False, True, True]
    assert ([ref in second for ref in refs], "Next page" in first) == ([True, False, False], True)
