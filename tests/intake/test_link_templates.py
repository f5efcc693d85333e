"""Links to other systems: safe addresses only, made from the numbers of customers and companies."""

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.forms import Seen
from bugintake.intake.customers import changing, link_templates
from bugintake.team.models import Role
from tests.counting import asked
from tests.factories import make_bug, make_customer, make_user, make_workspace
from tests.visitors import visit

CRM = "https://crm.example.com/p/{external_id}?tab=1"


@pytest.fixture(autouse=True)
def _company(app):
    make_workspace()


def add(url=CRM, label="CRM", system="crm"):
    with transaction():
        return link_templates.add(label, system, url, actor=None)


def numbered(customer, ids):
    with transaction():
        changing.change_customer(customer, {"ids": ids}, Seen(), actor=None)
    return customer


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert({external_id})",
        "data:text/html,{external_id}",
        "//crm.example.com/{external_id}",
        "https://{external_id}.example.com/",
        "https://{external_id}@example.com/{external_id}",
        "https://crm.example.com/",
        "https:///{external_id}",
        "https://[bad/{external_id}",
        "https://crm.example.com/ {external_id}",
        "ftp://crm.example.com/{external_id}",
        "https://crm.example.com/{external_id}" + "x" * 500,
        "",
    ],
)
def test_an_address_that_leads_elsewhere_or_nowhere_is_refused(url):
    with pytest.raises(Invalid) as refusal:
        add(url)

    assert refusal.value.field == "url"


@pytest.mark.parametrize(("label", "system", "field"), [("", "crm", "label"), ("CRM", "C R M", "system")])
def test_a_link_has_a_name_and_a_system(label, system, field):
    with pytest.raises(Invalid) as refusal:
        add(label=label, system=system)

    assert refusal.value.field == field


def test_a_number_is_encoded_whatever_stands_in_it():
    add()
    hana = numbered(make_customer("Hana"), "crm: a/b ?x=1&<ü>")

    assert [(link.label, link.url) for link in link_templates.links_of([hana])] == [
        ("CRM: Hana", "https://crm.example.com/p/a%2Fb%20%3Fx%3D1%26%3C%C3%BC%3E?tab=1")
    ]


def test_only_numbers_of_its_system_are_linked_and_those_of_the_company_too():
    add()
    hana = numbered(make_customer("Hana", company="Brightline"), "other: 1")
    with transaction():
        changing.change_account(hana.account, {"ids": "crm: 77"}, Seen(), actor=None)

    assert [link.label for link in link_templates.links_of([hana])] == ["CRM: Brightline"]


def test_the_page_of_a_bug_links_to_who_waits_and_asks_nothing_where_no_link_is_defined(agent):
    bug = make_bug(waiting=[numbered(make_customer("Hana"), "crm: 4711")])
    agent.get(f"/bugs/{bug.ref}")
    with asked() as without:
        agent.get(f"/bugs/{bug.ref}")
    add()

    page = agent.get(f"/bugs/{bug.ref}").text

    assert "https://crm.example.com/p/4711?tab=1" in page
    assert not any("external_ids" in statement for statement in without)


def test_an_admin_adds_and_takes_away_a_link(as_user):
    admin = as_user(make_user(Role.ADMIN))

    assert admin.post("/admin/customer-links", {"label": "CRM", "system": "crm", "url": CRM}).status_code == 303
    refused = admin.post("/admin/customer-links", {"label": "CRM", "system": "crm", "url": "javascript:1"})
    assert (refused.status_code, 'id="f-url-e"' in refused.text) == (422, True)
    number = link_templates.templates()[0].id
    admin.post(f"/admin/customer-links/{number}/removal", {})
    assert link_templates.templates() == []


def test_a_link_is_changed_and_its_history_says_what_it_was(app):
    petra = make_user(Role.ADMIN)
    template, admin = add(), visit(app, petra)
    address = f"/admin/customer-links/{template.id}"
    better = {"label": "Our CRM", "system": "crm", "url": "https://crm.example.org/{external_id}"}

    assert f'value="{CRM}"' in admin.get(address).text
    refused = admin.post(address, {**better, "url": "javascript:1"})
    assert (refused.status_code, 'id="f-url-e"' in refused.text) == (422, True)
    assert admin.post(address, better).status_code == 303
    admin.post(address, better)

    hana = numbered(make_customer("Hana"), "crm: 7")
    assert link_templates.links_of([hana]) == [link_templates.Link("Our CRM: Hana", "https://crm.example.org/7")]
    (changed,) = db.session.scalars(sa.select(Event).where(Event.kind == EventKind.LINK_TEMPLATE_CHANGED))
    assert (changed.details["was"]["url"], changed.details["now"]) == (CRM, better)


def test_the_links_of_a_customer_stand_beside_the_form(app):
    add()
    hana = numbered(make_customer("Hana"), "crm: 7")

    beside = visit(app, make_user(Role.AGENT)).get(f"/customers/{hana.id}/history").text

    assert '<a class="link" href="https://crm.example.com/p/7?tab=1"' in beside
