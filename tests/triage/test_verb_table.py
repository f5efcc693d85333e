"""Every verb is offered on every screen where its bug stands so, to those who may, and to nobody else."""

import re
from datetime import date
from html import unescape
from itertools import chain, combinations

import pytest

from bugintake.core.db import transaction
from bugintake.intake.models import OPEN, Bug, RaiseReason, Status
from bugintake.intake.queries import bug_or_404
from bugintake.team.models import Role
from bugintake.triage import editing, looking, pinning, raising, snoozing
from bugintake.triage.verbs import VERBS, Mark, marks_of
from bugintake.triage.views.many import AT_ONCE
from tests.factories import make_bug, make_user
from tests.visitors import visit

pytestmark = [pytest.mark.usefixtures("company"), pytest.mark.long_on("postgres")]
LISTS = ("/board", "/bugs", "/duty", "/snoozed?of=everybody", "/overlooked?list=owner")
ROLES = (Role.AGENT, Role.ENGINEER, Role.LEAD)


@pytest.fixture
def everything(app):
    """Open bugs and closed ones, and of each mark one that has it."""
    jonas = make_user(name="Jonas Sommer")
    bugs = {str(status): make_bug(status) for status in Status}
    with transaction():
        for status in ("accepted", "in_progress"):
            editing.assign(bugs[status], jonas, actor=jonas)
    for mark in (Mark.RAISED, Mark.SNOOZED, Mark.RESTRICTED, Mark.PINNED):
        bugs[mark] = make_bug()
    with transaction():
        raising.raise_bug(bugs[Mark.RAISED], RaiseReason.LEAVING, actor=jonas)
        snoozing.snooze(bugs[Mark.SNOOZED], date(2026, 3, 16), actor=jonas)
        editing.restrict(bugs[Mark.RESTRICTED], True, actor=jonas)
        pinning.pin(bugs[Mark.PINNED], True, actor=make_user(Role.LEAD))
    return bugs


def expected(bug: Bug, actor):
    """The verbs of the table that somebody has for a bug as it stands."""
    marks = marks_of(bug, actor.id, looking.today_of(actor))
    return {verb.label for verb in VERBS if actor.can(verb.role) and verb.is_of(bug.status, marks)}


def words(html):
    """What a link or a button says, without its key."""
    return unescape(re.sub(r"<kbd.*?</kbd>|<[^>]+>", "", html)).strip()


def offered_in_list(page):
    """By each bug of a list what its template offers for it, as board.js reads it."""
    template = page.split('<template id="verbs">')[1].split("</template>")[0]
    verbs = re.findall(r'<(?:a|form)([^>]*data-when="[^>]*)>(.*?)</(?:a|form)>', template, re.DOTALL)
    found = {}
    for place in re.split(r'(?=<(?:section|details)[^>]*data-status=")', page.partition('<template id="verbs">')[0]):
        column = re.match(r'<\w+[^>]*data-status="(\w+)"', place)
        for row in re.findall(r"<(?:li|tr)[^>]*data-ref=[^>]*>", place):
            fact = dict(re.findall(r'data-(\w+)="([^"]*)"', row))
            status, marks = fact.get("status") or column[1], fact.get("is", "").split()
            found[fact["ref"]] = set()
            for attributes, body in verbs:
                asks = dict(re.findall(r'data-(\w+)="([^"]*)"', attributes))
                is_so = status in asks["when"].split() and asks.get("unless") not in marks
                if is_so and ("only" not in asks or asks["only"] in marks):
                    found[fact["ref"]].add(words(body))
    return found


def offered_on_page(page):
    """What the page of a bug offers: its verbs, and what stands there as a field."""
    bar = page.split('<div class="verbs"')[1].split('<div class="bug-h">')[0]
    found = {words(each) for each in re.findall(r'<(?:a|button)[^>]*data-key="[^"]"[^>]*>.*?</(?:a|button)>', bar)}
    fields = {'id="comment"': "Comment…", 'id="edit"': "Edit"}
    fields |= {'name="restricted" value="1"': "Restrict", 'name="restricted" value="0"': "Show to everybody"}
    return (found - {"Copy link"}) | {label for sign, label in fields.items() if sign in page}


@pytest.mark.parametrize("address", LISTS)
@pytest.mark.parametrize("role", ROLES)
def test_a_list_offers_of_each_bug_what_the_table_says_and_no_more(app, everything, role, address):
    if address.startswith("/overlooked") and role is not Role.LEAD:
        return
    actor = make_user(role)

    offered = offered_in_list(visit(app, actor).get(address).text)

    assert offered
    assert offered == {ref: expected(bug_or_404(ref, actor), actor) for ref in offered}


@pytest.mark.parametrize("role", ROLES)
def test_the_page_of_a_bug_offers_what_the_table_says_and_no_more(app, everything, role):
    actor = make_user(role)
    visitor = visit(app, actor)
    seen = [bug for bug in everything.values() if not bug.is_restricted or actor.can(Role.LEAD)]

    offered = {bug.ref: offered_on_page(visitor.get(f"/bugs/{bug.ref}").text) for bug in seen}

    assert offered == {bug.ref: expected(bug, actor) for bug in seen}


@pytest.mark.parametrize("status", Status)
def test_no_key_means_two_things_for_one_bug(status):
    marks = chain.from_iterable(combinations(Mark, size) for size in range(len(Mark) + 1))
    for each in marks:
        keys = [verb.key for verb in VERBS if verb.key and verb.is_of(status, each)]
        assert len(keys) == len(set(keys))


@pytest.mark.parametrize("address", [*LISTS[:3], "/bugs/{ref}"])
@pytest.mark.parametrize("role", ROLES)
def test_the_sheet_of_keys_names_the_verbs_that_one_has_and_no_others(app, role, address):
    actor, bug = make_user(role), make_bug()

    page = visit(app, actor).get(address.format(ref=bug.ref)).text
    sheet = {unescape(word) for word in re.findall(r"<dd>(.*?)</dd>", page.split('class="keysheet"')[1])}

    has = expected(bug, actor) if "ref" in address else {verb.label for verb in VERBS if actor.can(verb.role)}
    assert sheet & {verb.label for verb in VERBS} == {verb.label for verb in VERBS if verb.key and verb.label in has}


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.label)
def test_every_verb_leads_somewhere_also_for_several(app, verb):
    routes = {(method, str(rule)) for rule in app.url_map.iter_rules() for method in rule.methods}

    if verb.address.startswith("/"):
        assert ("GET" if verb.asks else "POST", f"/bugs/<ref>{verb.address}") in routes
    if verb.is_for_many:
        assert ("POST", f"/bugs/many{verb.address}") in routes or verb.address[1:] in AT_ONCE
    assert set(verb.statuses) <= set(Status) and (verb.leads_to is None or verb.leads_to in (*OPEN, Status.DECLINED))
