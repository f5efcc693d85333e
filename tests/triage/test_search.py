"""Searching by words and by fields: what is typed, what it means, and that nothing typed breaks anything."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bugintake.core.db import db, transaction
from bugintake.core.forms import clean_line
from bugintake.intake.customers import adding
from bugintake.intake.models import OPEN, OptionList, Status
from bugintake.team.models import Role, User
from bugintake.team.people import names
from bugintake.triage import editing, search
from bugintake.triage.filters import LISTS, Filters
from bugintake.triage.sorting import Sort
from bugintake.triage.written import HELP, suggestions, written
from tests import apps
from tests.factories import make_bug, make_customer, make_option, make_user, make_workspace
from tests.visitors import visit


@pytest.fixture
def words(app, clock):
    """A catalogue, people and companies to search by."""
    make_workspace()
    for label in ("Invoices › PDF export", "Invoices › Reminders", "Sign-in", 'The "big" › one'):
        make_option(OptionList.AREA, label)
    make_option(OptionList.PLATFORM, "Chrome on Windows", aliases=["win"])
    make_option(OptionList.VERSION, "4.12.1")
    make_option(OptionList.IMPACT, "Cannot work")
    make_user(Role.ENGINEER, "Mira Kos")
    make_user(Role.ENGINEER, "Tin Jurić")
    make_user(Role.AGENT, "Tin Tan")
    hana = make_customer("Hana", company="Brightline Čakovec")
    with transaction():
        hana.account.plan = "Business Plus"


def number_of(kind, label):
    return make_option(kind, label).id


def changes(text):
    """Read a search that is understood whole."""
    found = search.typed(text)
    assert (found.rest, found.said) == ("", [])
    return found.changes


def test_a_field_of_the_catalogue_takes_labels_other_names_beginnings_and_numbers(words):
    pdf, reminders, sign_in, big = (each.id for each in areas())

    assert changes('area:"Invoices › PDF export"') == {"area": (pdf,)}
    assert changes("area:invoices") == {"area": (pdf, reminders)}
    assert changes("area:inv AREA:sign") == {"area": (pdf, reminders, sign_in)}
    assert changes('area:"the ""big"" › one"') == {"area": (big,)}
    assert changes(f"area:#{sign_in}") == {"area": (sign_in,)}
    assert changes("platform:win version:4.12.1") == {
        "platform": (number_of(OptionList.PLATFORM, "Chrome on Windows"),),
        "version": (number_of(OptionList.VERSION, "4.12.1"),),
    }


def areas():
    return [make_option(OptionList.AREA, label) for label in LABELS]


LABELS = ("Invoices › PDF export", "Invoices › Reminders", "Sign-in", 'The "big" › one')


def test_people_companies_and_plans_are_named(words):
    mira, account = make_number("Mira Kos"), adding.account_called("Brightline Čakovec").id

    assert changes("owner:mira by:me") == {"owner": mira, "filed_by": "me"}
    assert changes("owner:nobody") == {"owner": "nobody"}
    assert changes('owner:"Tin Juric"') == {"owner": make_number("Tin Jurić")}
    assert changes("customer:han") == changes("customer:#1") == {"customer": 1}
    assert changes("account:cakov") == changes('account:"brightline cakovec"') == {"account": account}
    assert changes('plan:"business plus"') == {"plan": "Business Plus"}


def make_number(name):
    return next(str(each.id) for each in names().values() if each.name == name)


def test_counts_days_marks_statuses_and_orders_are_read(words):
    assert changes("waiting:>10") == {"waiting": 11}
    assert changes("waiting:>=10") == changes("waiting:10") == {"waiting": 10}
    assert changes("filed:2026-03-10") == {"since": date(2026, 3, 10), "until": date(2026, 3, 10)}
    assert changes("filed:>2026-03-10") == {"since": date(2026, 3, 11)}
    assert changes("filed:>=2026-03-01 filed:<2026-03-10") == {"since": date(2026, 3, 1), "until": date(2026, 3, 9)}
    assert changes("filed:2026-03-01..2026-03-10") == {"since": date(2026, 3, 1), "until": date(2026, 3, 10)}
    assert changes("is:came-back is:restricted is:asked") == {"came_back": True, "restricted": True, "asked": True}
    assert changes("is:open") == {"status": OPEN}
    assert changes("status:fixed status:needs-info") == {"status": (Status.NEEDS_INFO, Status.FIXED)}
    assert changes('status:"won\'t fix" sort:waiting') == {"status": (Status.DECLINED,), "sort": Sort.WAITING}


LEAST = "Say how many people wait at the least, as in waiting:10 or waiting:>10."
A_DAY = "Say a day, as in filed:2026-03-10, filed:>=2026-03-10 or filed:2026-03-01..2026-03-10."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("area:nowhere", "No area is called “nowhere”. “area:nowhere” is searched for as words."),
        ("colour:red", "There is no field “colour”; it is searched for as words."),
        ("owner:tin", "More than one person is called “tin”. “owner:tin” is searched for as words."),
        ("by:nobody", "Nobody is called “nobody”. “by:nobody” is searched for as words."),
        ("customer:nix", "No customer is called “nix”. “customer:nix” is searched for as words."),
        ("account:nix", "No company is called “nix”. “account:nix” is searched for as words."),
        ("plan:gold", "No plan is called “gold”. “plan:gold” is searched for as words."),
        ("status:closed", "No status is called “closed”. “status:closed” is searched for as words."),
        (
            "waiting:many",
            f"{LEAST} “waiting:many” is searched for as words.",
        ),
        (
            "filed:monday",
            f"{A_DAY} “filed:monday” is searched for as words.",
        ),
        ("is:red", "A bug can be came-back, asked, snoozed, restricted or open. “is:red” is searched for as words."),
        (
            "sort:up",
            "The orders are worst, waiting, oldest, newest, changed, longest. “sort:up” is searched for as words.",
        ),
        ("the and of", "“the and of” stands in nearly every report, so it narrows nothing."),
        ("!? %_", "“!? %_” stands in nearly every report, so it narrows nothing."),
        ('"tax line', "A quotation mark is never closed, so all that follows it is one phrase."),
        ("one two3 tree four five six seven eight nine ten eleven twelf", "Only the first 10 words count."),
    ],
)
def test_what_is_not_understood_is_said_and_searched_for_as_words(words, text, said):
    found = search.typed(text)

    assert (found.changes, found.rest, found.said) == ({}, text, [said])


def test_a_search_of_ten_thousand_characters_is_answered_with_a_sentence(words, app):
    answer = visit(app, make_user()).get("/search", query_string={"q": "invoice " * 1250}, follow_redirects=True)

    assert answer.status_code == 200
    assert "Only the first 1000 characters of it are searched for." in answer.text


def test_a_search_is_a_filter_with_an_address(words, app):
    pdf, reminders, *_ = areas()
    visitor = visit(app, make_user())

    first = visitor.get('/search?q=area:invoices waiting:>10 "tax line" vat')
    second = visitor.get(first.location)
    page = visitor.get(second.location)

    assert second.location == f"/bugs?area={pdf.id}.{reminders.id}&waiting=11&q=%22tax+line%22+vat"
    assert 'value="&#34;tax line&#34; vat"' in page.text


def test_the_number_of_a_bug_leads_to_it_and_to_nobody_who_may_not_see_it(words, app):
    bug, mira = make_bug(), make_user(Role.ENGINEER)
    secret = make_bug()
    with transaction():
        editing.restrict(secret, True, actor=secret.filed_by)
    visitor = visit(app, mira)

    for address in ("/search?q={}", "/bugs?q={}"):
        assert visitor.get(address.format(bug.ref.lower())).location == f"/bugs/{bug.ref}"
    for ref in (secret.ref, "BUG-99999"):
        page = visitor.get(visitor.get(f"/search?q={ref}").location)
        assert page.status_code == 200
        assert f"There is no {ref}, or you may not see it." in page.text


def test_each_field_is_explained_where_no_script_suggests_it(words, app):
    page = visit(app, make_user()).get("/bugs").text

    assert re.findall(r"<code>([a-z]+):</code>", page) == list(search.FIELDS)
    assert list(HELP) == list(search.FIELDS)


def test_what_is_being_typed_is_gone_on_with(words, app):
    mira = visit(app, make_user(Role.AGENT))

    def found(text):
        items = mira.get("/search/suggestions", query_string={"q": text}).get_json()["items"]
        return [(item["value"], item["label"]) for item in items]

    assert found("tax ar") == [("tax area:", "area:")]
    assert found("tax area:rem") == [('tax area:"Invoices › Reminders"', 'area:"Invoices › Reminders"')]
    assert found('area:"the') == [('area:"The ""big"" › one"', 'area:"The ""big"" › one"')]
    assert found("owner:m") == [("owner:me", "owner:me"), ('owner:"Mira Kos"', 'owner:"Mira Kos"')]
    assert found("account:bright") == [('account:"Brightline Čakovec"', 'account:"Brightline Čakovec"')]
    assert found("customer:ha") == [("customer:#1", "customer:#1")]
    assert found("plan:") == [('plan:"Business Plus"', 'plan:"Business Plus"')]
    assert found("is:c") == [("is:came-back", "is:came-back")]
    assert found("status:need") == [("status:needs-info", "status:needs-info")]
    assert found("area:rem ") == found("") == found("xyz") == found("colour:r") == []


def test_bugs_that_are_meant_by_what_is_typed_are_offered_too(words, app):
    bug, secret = make_bug(actual="The levy is wrong"), make_bug(actual="The levy is secret")
    with transaction():
        editing.restrict(secret, True, actor=secret.filed_by)
    mira = visit(app, make_user(Role.ENGINEER))

    (offered,) = mira.get("/search/suggestions?q=wrong+lev").get_json()["items"]
    assert offered == {"value": bug.ref, "label": f"{bug.ref} {bug.title}", "hint": "New"}
    assert [each["value"] for each in mira.get("/search/suggestions?q=levy").get_json()["items"]] == [bug.ref]


# --- Whatever is typed -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def house(sqlite_template, tmp_path_factory):
    """One catalogue for every example: searching changes nothing."""
    folder = tmp_path_factory.mktemp("search")
    with sqlite_template.copy(folder) as url, apps.opened(apps.make_settings(folder, url)) as app:
        make_workspace()
        made = {kind: [make_option(kind, label).id for label in LABELS] for kind in LISTS}
        people = [str(make_user(name=name).id) for name in ("Mira Kos", "Mira Kos", "me", "Tin Jurić", 'A "B" C')]
        hana = make_customer(company='"Quoted" & more')
        with transaction():
            hana.account.plan = 'Gold "plus"'
        yield app, made, people, hana.account_id


PIECES = st.sampled_from(
    ['"', '""', ":", " ", "area:", "waiting:>", "is:", "filed:", "..", "#1", "-", "the", "tax", "Invoices", "›", "\x00"]
)
TYPED = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=12).map("".join))


@given(TYPED)
def test_nothing_that_is_typed_raises_and_what_is_left_of_it_reads_as_itself(house, text):
    with house[0].app_context():
        found = search.typed(text)
        again = search.typed(found.rest)
        suggestions(clean_line(text), db.session.get_one(User, int(house[2][0])))

    assert (again.changes, again.rest) == ({}, found.rest)


@given(st.data())
def test_filters_written_as_a_search_read_back_as_the_same(house, data):
    app, made, people, account = house
    several = {
        kind.value: st.lists(st.sampled_from(made[kind]), max_size=3).map(lambda ids: tuple(sorted(set(ids))))
        for kind in LISTS
    }
    with app.app_context():
        given_filters = data.draw(
            st.builds(
                Filters,
                **several,
                status=st.sets(st.sampled_from(list(Status))).map(lambda some: tuple(s for s in Status if s in some)),
                owner=st.sampled_from(["", "me", "nobody", *people]),
                filed_by=st.sampled_from(["", "me", *people]),
                customer=st.sampled_from([None, 1]),
                account=st.sampled_from([None, account]),
                plan=st.sampled_from(["", 'Gold "plus"']),
                waiting=st.one_of(st.none(), st.integers(1, 999_999_999)),
                came_back=st.booleans(),
                asked=st.booleans(),
                snoozed=st.booleans(),
                restricted=st.booleans(),
                since=st.one_of(st.none(), st.dates()),
                until=st.one_of(st.none(), st.dates()),
                text=TYPED.map(lambda text: search.typed(text).rest),
                sort=st.one_of(st.none(), st.sampled_from(Sort)),
            )
        )
        found = search.typed(written(given_filters))

    assert Filters(**found.changes, text=found.rest) == given_filters
