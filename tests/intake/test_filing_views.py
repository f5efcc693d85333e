"""Filing a bug through its pages."""

import html
import re

import pytest
import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.intake.models import Bug, Customer, OptionList, Report
from tests.factories import make_bug, make_customer, make_report


def count(model):
    return db.session.scalar(sa.select(sa.func.count()).select_from(model))


def test_the_empty_form_offers_every_list_and_chooses_nothing(agent):
    page = agent.get("/new")

    assert page.status_code == 200
    assert re.findall(r'<option value="(\d+)" selected', page.text) == []
    assert "checked" not in page.text
    assert page.text.count('type="radio"') == 4


def test_a_filled_form_becomes_a_report_and_a_bug(agent, lea, filled):
    hana = make_customer("Hana Kovač", company="Brightline")

    answer = agent.post("/new", filled(customer="Hana Kovač, Brightline", customer_id=str(hana.id)))

    report = db.session.scalars(sa.select(Report)).one()
    assert (answer.status_code, answer.location) == (303, f"/bugs/{report.bug.ref}/filed?report={report.id}")
    assert (report.customer_id, report.filed_by_id, report.steps) == (
        hana.id,
        lea.id,
        "1. Open the search\n2. Type a name",
    )
    assert (report.bug.title, report.bug.waiting_count) == ("The list stays empty", 1)
