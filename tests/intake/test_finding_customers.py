"""Customers by what is typed of their name, their company and their address."""

import re

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bugintake.core.db import db
from bugintake.intake.catalogue import key_of
from bugintake.intake.customers.finding import asked, matches
from bugintake.team.models import Role
from tests.factories import make_customer, make_user, make_workspace

NAMES = ["Ana", "Anne-Marie", "Márić", "Łukasz", "O'Neil", "Ana2", "Straßer"]
COMPANIES = ["", "Halden", "Annex, Halden AG"]
TYPED = [
    "a",
    "an",
    "ANNE",
    "mar",
    "marie",
    "luk",
    "hal",
    "strass",
    "ag,",
    "2",
    "x1@",
    "example.com",
    "neil",
    "o'n",
    "zz",
]


@pytest.fixture
def people(app):
    """Everybody there is: what each is called by, and their address."""
    make_workspace()
    return {}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3), min_size=1, max_size=3),
    company=st.sampled_from(COMPANIES),
    typed=st.lists(st.lists(st.sampled_from(TYPED), max_size=3), min_size=4, max_size=4),
)
def test_who_is_found_is_called_by_words_that_begin_with_each_word_typed(people, names, company, typed):
    """As going through everybody finds them; an engineer, who reads addresses masked, finds nobody by a part of one."""
    agent, engineer = make_user(Role.AGENT), make_user(Role.ENGINEER)
    for each in names:
        address = f"x{len(people)}@example.com"
        customer = make_customer(" ".join(each), email=address, company=company)
        people[customer.id] = parts(" ".join([*each, company])), {address, "example.com"}

    for words in typed:
        wanted = [key_of(word).strip(",") for word in words]
        called = {number for number, (own, address) in people.items() if fits(wanted, own | address)}
        masked = {number for number, (own, _) in people.items() if fits(wanted, own)}

        assert found(words, agent) == called
        assert found(words, engineer) == masked


def parts(name):
    """Split a name as a reader does."""
    key = key_of(name)
    return {*key.split(), *re.split(r"[^a-z0-9]+", key)} - {""}


def fits(wanted, own):
    return bool(wanted) and all(any(each.startswith(word) for each in own) for word in wanted)


def found(words, actor):
    given = asked(" ".join(words), actor)
    if given is None:
        return set()
    what, values = given
    return set(db.session.scalars(sa.select(matches(what).c.id), values))
