"""What a board and a list are narrowed to: each filter, as an address, for everybody who may see it."""

import html
import random
import re
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.intake import option_merging
from bugintake.intake.customers import adding, merging
from bugintake.intake.models import Bug, OptionList, Report, SettledBy, Status
from bugintake.team import passwords
from bugintake.team.models import Role
from bugintake.triage import editing, narrowing, queries
from bugintake.triage.filters import Filters
from bugintake.triage.sorting import Sort
from tests.counting import fewest, plans
from tests.factories import bring_to, make_bug, make_customer, make_option, make_report, make_user
from tests.visitors import visit

pytestmark = pytest.mark.usefixtures("company")

OF_FEW = ("ix_bugs_came_back", "ix_bugs_restricted")  # which hold no other bug
DAYS = ("Monday", "Tuesday", "Wednesday")


@pytest.fixture
def found(app, mira):
    """Name the bugs of a board and of a list with one address; both have to agree."""
    visitor = visit(app, mira)

    def found(address):
        board = set(re.findall(r'data-ref="(BUG-\d+)"', visitor.get(f"/board?{address}").text))
        listed = set(re.findall(r'<a href="/bugs/(BUG-\d+)"', visitor.get(f"/bugs?{address}").text))
        assert board == listed
        return board

    return found


def told(visitor, address):
    """Read what a page says about an address."""
    return re.findall(r'<p class="bar calm box" role="status">(.*?)</p>', visitor.get(address).text)


def chips(visitor, address):
    """Read what a page says it is narrowed to, with where each is taken away."""
    part = visitor.get(address).text.split('<ul class="chosen-filters"')[1].split("</ul>")[0]
    return dict(re.findall(r'<a class="filter" href="([^"]*)">(.*?) <span', part))


def test_each_choice_of_a_report_narrows(found):
    chrome = make_bug(platform="Chrome on Linux", version="4.1", impact="Looks off", area="Sign-in")
    other = make_bug()
    make_report(bug=other, platform="Firefox", version="4.1")

    for kind, label in (("area", "Sign-in"), ("impact", "Looks off"), ("platform", "Chrome on Linux")):
        assert found(f"{kind}={make_option(OptionList(kind), label).id}") == {chrome.ref}
    version, firefox = make_option(OptionList.VERSION, "4.1"), make_option(OptionList.PLATFORM, "Firefox")
    assert found(f"version={version.id}") == {chrome.ref, other.ref}
    assert found(f"version={version.id}&platform={firefox.id}") == {other.ref}
    both = f"{chrome.area_id}.{other.area_id}"
    assert found(f"area={both}") == {chrome.ref, other.ref}


def test_platform_and_version_are_asked_of_one_and_the_same_report(found):
    bug = make_bug(platform="Firefox", version="4.1")
    make_report(bug=bug, platform="Chrome on Linux", version="4.2")
    version, platform = make_option(OptionList.VERSION, "4.2"), make_option(OptionList.PLATFORM, "Firefox")

    assert found(f"version={version.id}") == found(f"platform={platform.id}") == {bug.ref}
    assert found(f"version={version.id}&platform={platform.id}") == set()


def test_people_narrow_by_number_as_me_and_as_nobody(found, mira):
    mine, lea = make_bug(Status.IN_PROGRESS, actor=mira), make_user(Role.AGENT, "Lea Agent")
    hers = make_bug(actor=lea)

    assert found(f"owner={mira.id}") == found("owner=me") == {mine.ref}
    assert found("owner=nobody") == {hers.ref}
    assert found(f"filed_by={lea.id}") == {hers.ref}
    assert found("filed_by=me") == {mine.ref}


def test_a_company_and_its_plan_narrow_to_what_its_people_told(found):
    hana = make_customer("Hana", company="Brightline")
    theirs, other = make_bug(waiting=[hana]), make_bug()
    with transaction():
        hana.account.plan = "Business"
    account = adding.account_called("Brightline")

    assert found(f"account={account.id}") == found(f"customer={hana.id}") == {theirs.ref}
    assert found("plan=Business") == {theirs.ref}
    make_report(make_customer("Ivo", company="Brightline"), bug=other)
    assert found("plan=Business") == {theirs.ref, other.ref}


def test_a_company_is_found_by_its_whole_name_without_a_script(app, mira):
    make_customer(company="Brightline")
    account = adding.account_called("Brightline")

    answer = visit(app, mira).get("/bugs?area=&company=brightline&waiting=&q=")

    assert (answer.status_code, answer.location) == (302, f"/bugs?account={account.id}")


@pytest.mark.parametrize("typed", ["Hana+Kos", "hana+kos,+brightline", "hana@example.com"])
def test_a_customer_is_found_by_name_or_whole_address_without_a_script(app, mira, typed):
    hana = make_customer("Hana Kos", email="hana@example.com", company="Brightline")
    make_customer("Hana Kosmač", email="other@example.com", company="Kosmos")

    answer = visit(app, mira).get(f"/bugs?area=&told_by={typed}&customer=&q=")

    assert (answer.status_code, answer.location) == (302, f"/bugs?customer={hana.id}")


def test_of_two_customers_of_one_name_the_one_who_was_picked_is_meant(app, mira):
    one, two = (make_customer("Hana Kos", company="Brightline") for _ in range(2))
    visitor = visit(app, mira)

    for picked in (one, two):
        answer = visitor.get(f"/bugs?told_by=Hana+Kos,+Brightline&customer={picked.id}")
        assert answer.location == f"/bugs?customer={picked.id}"
    assert told(visitor, "/bugs?told_by=Hana+Kos") == [
        "More than one customer is called “Hana Kos”. It narrows nothing."
    ]


def test_a_customer_whose_name_was_taken_out_of_the_field_or_changed_is_no_longer_asked_for(app, mira):
    hana, sam = make_customer("Hana"), make_customer("Sam")
    visitor = visit(app, mira)
    page = visitor.get(f"/bugs?customer={hana.id}").text
    assert 'name="told_by" maxlength="300" value="Hana"' in page
    assert f'name="customer" value="{hana.id}"' in page

    assert visitor.get(f"/bugs?told_by=&customer={hana.id}").location == "/bugs"
    assert visitor.get(f"/bugs?told_by=Sam&customer={hana.id}").location == f"/bugs?customer={sam.id}"
    assert told(visitor, f"/board?told_by=Nobody+At+All&customer={hana.id}") == [
        "No customer is called “Nobody At All”. It narrows nothing."
    ]


def test_a_customer_who_was_merged_is_followed(found, app, mira):
    hana, twin = make_customer("Hana"), make_customer("Hana Kos")
    bugs = [make_bug(waiting=[each]) for each in (hana, twin)]
    make_bug()
    with transaction():
        merging.merge(twin, hana, actor=make_user(Role.LEAD))

    both = {bug.ref for bug in bugs}
    assert found(f"customer={twin.id}") == found(f"customer={hana.id}") == both
    assert list(chips(visit(app, mira), f"/bugs?customer={twin.id}").values()) == ["Customer: Hana"]
    assert visit(app, mira).get(f"/bugs?told_by=Hana&customer={twin.id}").location == f"/bugs?customer={hana.id}"


def test_a_report_that_was_taken_back_no_longer_counts(found):
    bug = make_bug()
    spam = make_report(make_customer(company="Brightline"), bug=bug, platform="Firefox")
    with transaction():
        spam.settled_at, spam.settled_by = spam.filed_at, SettledBy.WITHDRAWN

    assert found(f"platform={make_option(OptionList.PLATFORM, 'Firefox').id}") == set()


def test_waiting_came_back_asked_and_restricted_narrow(found, mira):
    many, came = make_bug(waiting=[make_customer() for _ in range(3)]), make_bug()
    asked, secret = make_bug(Status.NEEDS_INFO), make_bug(actor=mira)
    with transaction():
        came.came_back_at = came.filed_at
        editing.restrict(secret, True, actor=mira)

    assert found("waiting=3") == {many.ref}
    assert found("came_back=1") == {came.ref}
    assert found("asked=1") == {asked.ref}
    assert found("restricted=1") == {secret.ref}
    with transaction():
        asked.snoozed_until, many.snoozed_until = date(2026, 3, 11), date(2026, 3, 10)
    assert found("snoozed=1") == {asked.ref}  # until tomorrow; the other one has slept its fill


def test_nobody_finds_a_restricted_bug_by_a_filter(app, mira):
    make_bug()
    lea, tin = make_user(Role.AGENT, "Lea"), make_user(Role.ENGINEER, "Tin")
    secret = make_bug(actor=lea, waiting=[make_customer(company="Brightline")], actual="Passwords leak.")
    with transaction():
        editing.assign(secret, tin, actor=tin)
        editing.restrict(secret, True, actor=tin)
    visitor, account = visit(app, mira), adding.account_called("Brightline")

    for path in ("/board", "/bugs"):
        for address in ("restricted=1", f"owner={tin.id}", f"filed_by={lea.id}", f"account={account.id}", "q=leak"):
            assert secret.ref not in visitor.get(f"{path}?{address}").text


def test_days_are_those_of_whoever_looks(app, clock):
    clock.set(datetime(2026, 3, 10, 23, 30, tzinfo=UTC))  # already the eleventh in Zagreb
    bug = make_bug()
    east = visit(app, make_user(Role.ENGINEER, zone="Europe/Zagreb"))
    west = visit(app, make_user(Role.ENGINEER, zone="UTC"))

    def has(visitor, address):
        return bug.ref in visitor.get(f"/bugs?{address}").text

    assert (has(east, "since=2026-03-11"), has(west, "since=2026-03-11")) == (True, False)
    assert (has(east, "until=2026-03-10"), has(west, "until=2026-03-10")) == (False, True)
    assert has(west, "since=0001-01-01&until=9999-12-31")


def test_several_statuses_narrow_both_and_the_columns_still_add_up(found, app, mira):
    new, fixed = make_bug(), make_bug(Status.FIXED)
    make_bug(Status.ACCEPTED)

    assert found("status=new&status=fixed") == {new.ref, fixed.ref}
    counts = re.findall(r'<span class="c">(\d+)</span>', visit(app, mira).get("/board?status=new&status=fixed").text)
    assert counts == ["1", "0", "0", "0", "1"]


def test_words_are_found_in_titles_and_in_what_reports_tell_whatever_their_form_and_accents(found):
    bug = make_bug(actual="Fakture nisu poslane. Račun nema poreza.", steps="Exporting an invoice")
    make_bug(actual="It is dark.", steps="Look.", expected="Light.")

    assert found("q=invoices+racun") == found("q=exported+RAČUN") == {bug.ref}
    assert found('q="račun nema"') == {bug.ref}
    assert found('q="nema račun"') == set()
    assert found("q=invoices+nothing") == set()


def test_what_a_duplicate_tells_finds_the_bug_that_stands_for_it(found, mira):
    whole, part = make_bug(), make_bug(actual="The kiosk is dark.", platform="Firefox")
    with transaction():
        part.merged_into_id = part.canonical_id = whole.id

    assert found("q=kiosk") == {whole.ref}
    assert found(f"platform={make_option(OptionList.PLATFORM, 'Firefox').id}") == {whole.ref}


def test_what_a_hidden_duplicate_tells_finds_nothing_for_who_may_not_see_it(found):
    whole, part = make_bug(), make_bug(actual="The kiosk is dark.")
    with transaction():
        part.merged_into_id = part.canonical_id = whole.id
        part.is_restricted = True

    assert found("q=kiosk") == set()


def test_both_ways_of_finding_find_the_same(found, monkeypatch):
    hana = make_customer("Hana", company="Brightline")
    bugs = [make_bug(actual=f"The kiosk is dark on {day}.", platform="Firefox", waiting=[hana]) for day in DAYS]
    make_bug(actual="All is light.")
    firefox, account = make_option(OptionList.PLATFORM, "Firefox"), adding.account_called("Brightline")
    told, dark = f"platform={firefox.id}&account={account.id}", 'q="dark+on+Tuesday"'

    for enough in (1, 100):
        monkeypatch.setattr(narrowing, "ENOUGH_REPORTS", enough)
        monkeypatch.setattr(narrowing, "ENOUGH_BUGS", enough)
        for sort in Sort:
            assert found(f"{told}&q=kiosk&sort={sort}") == {bug.ref for bug in bugs}
            assert found(f"{dark}&sort={sort}") == {bugs[1].ref}


def test_what_narrows_nothing_is_said_and_breaks_nothing(app, mira):
    bug, visitor = make_bug(), visit(app, mira)
    frequency = make_option(OptionList.FREQUENCY)

    for path in ("/board", "/bugs"):
        for address, sentence in {
            "area=999": "There is no area “999”, so it narrows nothing.",
            f"area={frequency.id}": f"There is no area “{frequency.id}”, so it narrows nothing.",
            "version=x": "There is no version “x”, so it narrows nothing.",
            "owner=99999999999999999999": "There is no person “99999999999999999999”, so it narrows nothing.",
            "filed_by=nobody": "There is no person “nobody”, so it narrows nothing.",
            "account=7777": "There is no company “7777”, so it narrows nothing.",
            "customer=7777": "There is no customer “7777”, so it narrows nothing.",
            "company=Nowhere": "There is no company “Nowhere”, so it narrows nothing.",
            "plan=Gold": "There is no plan “Gold”, so it narrows nothing.",
            "status=closed": "There is no status “closed”, so it narrows nothing.",
            "waiting=-1": "“-1” is no number of people from 1, so it narrows nothing.",
            "since=yesterday": "“yesterday” is no day such as 2026-03-10, so it narrows nothing.",
        }.items():
            assert told(visitor, f"{path}?{address}") == [sentence]
            assert bug.ref in visitor.get(f"{path}?{address}").text


def test_what_is_narrowed_stands_there_with_a_way_to_take_each_away(app, mira):
    make_customer(company="Brightline")
    account = adding.account_called("Brightline")
    area, other = make_option(OptionList.AREA, "Sign-in"), make_option(OptionList.AREA, "Invoices")
    visitor = visit(app, mira)

    areas = f"{area.id}.{other.id}"
    address = f"/bugs?area={areas}&owner=me&account={account.id}&waiting=3&since=2026-03-01&q=tax"
    assert {
        words: address.replace("&", "&amp;")
        for words, address in {
            "Words: tax": address.replace("&q=tax", ""),
            "Area: Sign-in": address.replace(areas, str(other.id)),
            "Area: Invoices": address.replace(areas, str(area.id)),
            "Owner: me": address.replace("&owner=me", ""),
            "Company: Brightline": address.replace(f"&account={account.id}", ""),
            "3 people or more waiting": address.replace("&waiting=3", ""),
            "Filed from Sun 1 Mar 2026": address.replace("&since=2026-03-01", ""),
        }.items()
    } == {words: address for address, words in chips(visitor, address).items()}


def test_the_form_keeps_what_is_asked_for(app, mira):
    old, into = make_option(OptionList.PLATFORM, "Old"), make_option(OptionList.PLATFORM, "New")
    with transaction():
        option_merging.merge(old, into, actor=mira)

    page = visit(app, mira).get(f"/board?platform={old.id}&status=fixed&owner=nobody&asked=1&sort=oldest&q=a+b").text

    assert re.findall(r'<option value="([^"]*)" selected', page) == ["fixed", "nobody", str(into.id)]
    assert 'name="asked" value="1" checked' in page
    assert '<input type="hidden" name="sort" value="oldest">' in page
    assert 'name="q" value="a b"' in page


def test_every_filter_survives_signing_in(app):
    asked = "/bugs?area=1.2&owner=me&status=new&status=fixed&plan=Gold+%26+more&since=2026-03-01&q=%22a+b%22+račun"
    make_user(Role.ENGINEER, email="tin@team.test", password_hash=passwords.hash_password("a long sentence 71"))
    browser = visit(app)

    page = browser.get(browser.get(asked).location).text
    after = html.unescape(re.search(r'name="next" value="([^"]*)"', page)[1])
    answer = browser.post("/login", {"email": "tin@team.test", "password": "a long sentence 71", "next": after})

    assert parse_qs(urlsplit(answer.location).query) == parse_qs(urlsplit(asked).query)


def test_filters_cost_the_same_number_of_statements_for_one_bug_and_for_many(app, mira):
    hana = make_customer("Hana", company="Brightline")
    bug = make_bug(waiting=[hana], actor=mira, platform="Firefox")
    account, visitor = adding.account_called("Brightline"), visit(app, mira)
    addresses = ["", f"area={bug.area_id}", f"account={account.id}", "q=line", "asked=1", "sort=longest", "filed_by=me"]
    addresses.append(f"platform={make_option(OptionList.PLATFORM, 'Firefox').id}&q=line&waiting=1&sort=worst")

    def costs():
        return {
            f"{path} {address}": fewest(lambda path=path, address=address: visitor.get(f"{path}?{address}"))
            for path in ("/board", "/bugs")
            for address in addresses
        }

    one = costs()
    for status in (*Status, Status.NEW):
        make_bug(status, waiting=[hana, make_customer()], actor=mira, platform="Firefox")

    assert costs() == one


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("sort", ["newest", "worst", "waiting", "longest"])
def test_what_few_bugs_have_is_found_by_an_index_and_never_by_reading_all(app, mira, sort):
    hana = make_customer("Hana", company="Brightline")
    make_bug(Status.NEEDS_INFO, waiting=[hana], platform="Firefox")
    firefox, visitor = make_option(OptionList.PLATFORM, "Firefox"), visit(app, mira)
    told = (f"platform={firefox.id}", f"account={hana.account_id}", "q=line", "asked=1")

    for asked_for in (*told, "owner=me", "filed_by=me", "waiting=1", "came_back=1", "restricted=1"):
        with plans("bugs") as found:
            visitor.get(f"/bugs?{asked_for}&sort={sort}")

        assert found != []
        steps = [step for plan in found for step in plan]
        whole = [step for step in steps if step.startswith("SCAN bugs") or "ix_bugs_merged_into_id" in step]
        assert [step for step in whole if not step.endswith(OF_FEW)] == []


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("sort", ["newest", "oldest", "changed"])
def test_what_most_bugs_are_is_read_in_its_order_and_never_sorted(app, mira, sort):
    make_bug(Status.LIVE)
    visitor = visit(app, mira)

    for asked_for in ("status=live", "status=live&status=declined"):
        with plans("bugs") as found:
            visitor.get(f"/bugs?{asked_for}&sort={sort}")

        steps = [step for plan in found for step in plan]
        assert [step for step in steps if "USING INDEX ix_bugs_" in step or step.startswith("SCAN bugs")] != []
        assert [step for step in steps if step.startswith("USE TEMP B-TREE FOR ORDER BY")] == []


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("kind", ["platform", "version"])
def test_a_board_looks_at_the_reports_of_each_bug_and_never_at_all_that_have_a_choice(app, mira, kind):
    make_bug()
    chosen, visitor = make_option(OptionList(kind)), visit(app, mira)

    with plans("bugs") as found:
        visitor.get(f"/board?{kind}={chosen.id}")

    steps = [step for plan in found for step in plan]
    assert [step for step in steps if "ix_reports_bug_settled" in step] != []
    assert [step for step in steps if f"ix_reports_{kind}_bug" in step] == []


def test_a_customer_of_a_merged_company_is_found_by_either_number(found, app, mira):
    hana = make_customer("Hana", company="Brightline")
    bug = make_bug(waiting=[hana])
    with transaction():
        old = adding.account_named("Bright Line Ltd")
        old.merged_into_id = hana.account_id

    assert found(f"account={old.id}") == {bug.ref}


def test_a_bug_is_asked_for_until_its_question_is_answered(found, mira):
    bug = make_bug(Status.NEEDS_INFO)
    bring_to(bug, Status.ACCEPTED, actor=mira)

    assert found("asked=1") == {bug.ref}
    assert db.session.scalar(sa.select(sa.func.count(Report.id))) == 1


WAYS = {
    Sort.WORST: lambda bug: (not bug.is_pinned, bug.impact_rank, -bug.waiting_count, bug.filed_at, bug.id),
    Sort.WAITING: lambda bug: (-bug.waiting_count, bug.id),
    Sort.OLDEST: lambda bug: bug.id,
    Sort.NEWEST: lambda bug: -bug.id,
    Sort.CHANGED: lambda bug: (-bug.changed_at.timestamp(), -bug.id),
    Sort.LONGEST: lambda bug: (bug.status_since_at, bug.id),
}


def test_each_page_of_each_order_goes_on_where_the_last_one_ended(app, mira, clock):
    bugs, visitor = many_bugs(clock.now(), 120), visit(app, mira)

    for sort, way in WAYS.items():
        assert (sort, walk(visitor, f"/bugs?sort={sort}")) == (sort, [bug.ref for bug in sorted(bugs, key=way)])
    by_day = sorted(bugs, key=lambda bug: (bug.filed_at, bug.id))
    assert walk(visitor, "/bugs?sort=oldest&since=2020-01-01") == [bug.ref for bug in by_day]


def many_bugs(now, count):
    """Write many bugs that share few values, so that every tie there is has to be broken."""
    first, chosen = make_bug(), random.Random(4)
    same = {column.key: getattr(first, column.key) for column in sa.inspect(Bug).mapper.column_attrs}
    with transaction():
        for number in range(1, count):
            times = {name: now - timedelta(hours=chosen.randrange(5)) for name in ("filed_at", "changed_at")}
            times["status_since_at"] = now - timedelta(microseconds=chosen.randrange(3))
            status = chosen.choice([status for status in Status if status != Status.DECLINED])
            ranks = {"impact_rank": chosen.randrange(1, 4), "waiting_count": chosen.randrange(3)}
            ranks["is_pinned"] = status.is_open and chosen.random() < 0.7
            own = {"id": first.id + number, "canonical_id": None, "status": status}
            db.session.add(Bug(**{**same, **times, **ranks, **own}))
    return list(db.session.scalars(sa.select(Bug)))


def walk(visitor, address):
    """Read a list to its end."""
    refs = []
    while address:
        page = visitor.get(address).text
        refs += re.findall(r'<a href="/bugs/(BUG-\d+)"', page)
        following = re.search(r'href="(/bugs\?after=[^"]*)"', page)
        address = following[1].replace("&amp;", "&") if following else ""
    return refs


def test_a_page_goes_on_right_also_when_the_bug_it_ended_with_has_changed_since(app, mira, clock):
    bugs, visitor = sorted(many_bugs(clock.now(), 60), key=WAYS[Sort.WAITING]), visit(app, mira)
    page = visitor.get("/bugs?sort=waiting").text
    with transaction():
        db.session.get_one(Bug, bugs[49].id).waiting_count = 1000

    following = re.search(r'href="(/bugs\?after=[^"]*)"', page)[1].replace("&amp;", "&")
    assert walk(visitor, following) == [bug.ref for bug in bugs[50:]]


@pytest.mark.parametrize("after", ["x", "1", "1.2.3.4.5", "-1.2", "9" * 30, "1.٣", "2147483648.1", "."])
def test_a_position_that_cannot_be_is_the_first_page(app, mira, after):
    bug = make_bug()

    assert bug.ref in visit(app, mira).get(f"/bugs?sort=waiting&after={after}").text


def test_the_board_is_in_the_order_that_is_asked_for_with_its_rule_beside_it(app, mira):
    few, many = make_bug(waiting=[make_customer()]), make_bug(waiting=[make_customer(), make_customer()])
    visitor = visit(app, mira)

    for sort, refs, rule in (
        ("waiting", [many.ref, few.ref], "Most people waiting first, pinned or not, then the lowest number"),
        ("oldest", [few.ref, many.ref], "The oldest first, pinned or not"),
        ("nonsense", [many.ref, few.ref], "Pinned by a lead first, then worst, then most waiting, then oldest"),
    ):
        page = visitor.get(f"/board?sort={sort}").text
        assert re.findall(r'data-ref="(BUG-\d+)"', page) == refs
        assert f'<span class="muted soft">{rule}</span>' in page


def test_density_is_kept_for_the_person_and_comes_back_to_the_board(app, mira):
    visitor = visit(app, mira)
    before = visitor.get("/board?waiting=3")

    answer = visitor.post("/settings/density", {"density": "compact", "next": "/board?waiting=3"})
    after = visitor.get("/board?waiting=3", headers={"If-None-Match": before.headers["ETag"]})

    assert (answer.status_code, answer.location) == (302, "/board?waiting=3")
    assert ('data-density="compact"' in before.text, 'data-density="compact"' in after.text) == (False, True)
    assert visitor.post("/settings/density", {"density": "huge"}).status_code == 422
    visitor.post("/settings/density", {"density": ""})
    assert 'data-density="compact"' not in visitor.get("/bugs").text


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("sort", [None, Sort.OLDEST, Sort.CHANGED])
def test_several_areas_are_read_in_the_order_of_the_page_where_many_bugs_are_in_one_of_them(
    app, mira, monkeypatch, sort
):
    bugs = [make_bug(Status.LIVE, area=area) for area in ("Sign-in", "Search")]
    areas = tuple(bug.area_id for bug in bugs)
    monkeypatch.setattr(narrowing, "ENOUGH_BUGS", 1)

    def sorted_ones(enough):
        monkeypatch.setattr(narrowing, "ENOUGH_REPORTS", enough)
        for also in ({}, {"status": (Status.LIVE,)}, {"text": "line"}):
            with plans("bugs") as found:
                cards = queries.listed(Filters(area=areas, sort=sort, **also), mira)
            assert {card.id for card in cards} == {bug.id for bug in bugs}
            yield any("TEMP B-TREE" in step for step in found[-1])

    assert list(sorted_ones(2)) == [False] * 3
    assert any(sorted_ones(3))
