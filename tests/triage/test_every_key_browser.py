"""Every key of the table of verbs, pressed on every screen that shows a bug, and the keys that walk there."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from bugintake.core.db import transaction
from bugintake.intake.models import News, Status
from bugintake.team.models import Role
from bugintake.triage import editing, pinning, snoozing
from bugintake.triage.looking import today_of
from bugintake.triage.verbs import VERBS, verbs_of
from tests.factories import make_bug, make_user

pytestmark = [pytest.mark.browser, pytest.mark.only_on("sqlite"), pytest.mark.usefixtures("company")]


@pytest.fixture
def bugs(app, mira):
    """One of each status, one that is snoozed and one that is pinned; Mira is a lead, who has all keys."""
    found = [make_bug(status) for status in Status]
    asleep, pinned = make_bug(), make_bug()
    with transaction():
        for bug in found:
            bug.news, bug.news_at = (News.ANSWERED, bug.changed_at) if bug.is_open else (None, None)
        mira.role = Role.LEAD
        pinning.pin(pinned, True, actor=mira)
        snoozing.snooze(asleep, today_of(mira).replace(month=4), actor=mira)
        editing.assign(found[2], make_user(name="Jonas Sommer"), actor=mira)
    return [*found, asleep, pinned]


def open_and_stay(page, address):
    """Open a page, and let no key lead away from it."""
    page.goto(address)
    page.route(
        "**/*", lambda route: route.fulfill(status=204) if route.request.is_navigation_request() else route.continue_()
    )


def asked_for(page, key):
    """What the browser asks for after a key, as method and path."""
    with page.expect_request(lambda request: request.is_navigation_request(), timeout=5000) as sent:
        page.keyboard.press(key)
    return sent.value.method, urlsplit(sent.value.url).path


def expected(verb, bug):
    return ("GET" if verb.asks else "POST", f"/bugs/{bug.ref}{verb.address.partition('#')[0]}")


def by_key(bug, actor):
    return [verb for verb in verbs_of(bug, actor) if verb.key]


@pytest.mark.parametrize("address", ["/board", "/bugs", "/duty", "/snoozed?of=everybody"])
def test_a_list_does_what_each_key_of_the_table_says(page, desk, bugs, mira, address):
    open_and_stay(page, desk + address)
    for fold in page.locator(".rails summary").all():
        fold.click()
    shown = [bug for bug in bugs if page.locator(f"[data-ref='{bug.ref}']").count()]
    pressed = set()

    for bug in shown:
        for verb in by_key(bug, mira):
            page.locator(f"[data-ref='{bug.ref}'] :is(.t, .tt)").focus()
            assert asked_for(page, verb.key) == expected(verb, bug), (
                bug.ref,
                verb.label,
            )
            pressed.add(verb.label)

    if address in ("/board", "/bugs"):
        assert pressed == {verb.label for verb in VERBS if verb.key}
    assert pressed


@pytest.mark.parametrize("number", range(len(Status) + 2))
def test_the_page_of_a_bug_does_what_each_key_of_the_table_says(page, desk, bugs, mira, number):
    bug = bugs[number]
    open_and_stay(page, f"{desk}/bugs/{bug.ref}")

    for verb in by_key(bug, mira):
        if verb.has_field:
            page.keyboard.press(verb.key)
            expect(
                page.get_by_label("Comment for the team" if verb.key == "c" else "Title for the team")
            ).to_be_focused()
            page.evaluate("document.activeElement.blur()")
        else:
            assert asked_for(page, verb.key) == expected(verb, bug), verb.label


@pytest.mark.parametrize("address", ["/board", "/bugs", "/duty"])
def test_keys_walk_choose_open_the_menu_and_copy_the_link(page, desk, context, address):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    first, second = make_bug(), make_bug()
    page.goto(desk + address)
    refs = page.evaluate("[...document.querySelectorAll('[data-ref]')].map((card) => card.dataset.ref)")
    assert set(refs) == {first.ref, second.ref}

    for keys, selected in (("j", 0), ("j", 1), ("k", 0), ("hl", 0)):
        for key in keys:
            page.keyboard.press(key)
        assert page.evaluate("document.activeElement.closest('[data-ref]').dataset.ref") == refs[selected]
    page.keyboard.press("y")
    expect(page.locator("#live")).to_have_text("Link copied.")
    assert page.evaluate("navigator.clipboard.readText()") == f"{desk}/bugs/{refs[0]}"
    for key in "m.":
        page.keyboard.press(key)
        expect(page.get_by_role("group", name=f"Actions for {refs[0]}")).to_be_visible()
        page.keyboard.press("Escape")
    page.keyboard.press("Shift+J")
    expect(page.get_by_text("2 chosen")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    expect(page.get_by_text("1 chosen")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("o")
    page.wait_for_url(f"**/bugs/{refs[1]}")


def test_the_page_of_a_bug_has_a_menu_its_link_and_its_neighbours(page, desk, context):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    bug = make_bug()
    page.goto(f"{desk}/bugs/{bug.ref}")

    for key in "m.":
        page.keyboard.press(key)
        expect(page.get_by_role("link", name="Assign to…")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("link", name="Assign to…")).to_be_hidden()
    page.keyboard.press("y")
    expect(page.locator("#live")).to_have_text("Link copied.")
    assert page.evaluate("navigator.clipboard.readText()") == f"{desk}/bugs/{bug.ref}"


@pytest.mark.parametrize("address", ["/board", "/bugs", "/duty", "/snoozed?of=everybody", "/overlooked?list=owner"])
def test_from_every_list_one_goes_on_to_its_next_and_previous_bug_and_back_to_it(page, desk, mira, address):
    with transaction():
        mira.role = Role.LEAD
    bugs = [make_bug(status) for status in (Status.NEW, Status.ACCEPTED, Status.NEW)]
    if address.startswith("/snoozed"):
        with transaction():
            for bug in bugs:
                snoozing.snooze(bug, today_of(mira).replace(month=4), actor=mira)
    page.goto(desk + address)
    refs = page.evaluate("[...document.querySelectorAll('main [data-ref]')].map((card) => card.dataset.ref)")
    assert sorted(refs) == [bug.ref for bug in bugs]

    page.locator(f"[data-ref='{refs[0]}'] :is(.t, .tt)").click()
    page.wait_for_url(f"**/bugs/{refs[0]}")
    expect(page.locator("[data-around]")).to_contain_text("1 / 3")
    expect(page.locator("[data-around] [data-key=K]")).to_have_count(0)
    for key, ref in (("J", refs[1]), ("J", refs[2]), ("K", refs[1])):
        page.keyboard.press(key)
        page.wait_for_url(f"**/bugs/{ref}")
    page.get_by_role("link", name="Previous").click()
    page.wait_for_url(f"**/bugs/{refs[0]}")
    page.locator("[data-back]").click()
    page.wait_for_url(desk + address)


@pytest.mark.parametrize("address", ["/board", "/bugs", "/duty", "/bugs/{ref}"])
def test_u_takes_the_last_change_back_after_its_message_is_gone(page, desk, address):
    bug = make_bug()
    page.goto(f"{desk}/bugs/{bug.ref}")
    page.keyboard.press("1")
    expect(page.get_by_text(f"{bug.ref} is accepted.").first).to_be_visible()
    page.goto(desk + address.format(ref=bug.ref))

    page.keyboard.press("u")

    expect(page.get_by_text(f"Undone: {bug.ref} is New again.").first).to_be_visible()
    assert urlsplit(page.url).path == address.format(ref=bug.ref)


def test_no_key_does_anything_once_they_are_switched_off(page, desk, mira):
    bug = make_bug()
    with transaction():
        mira.has_keys = False
    for address in ("/board", "/bugs", f"/bugs/{bug.ref}"):
        page.goto(desk + address)
        for key in ["j", "m", "x", *(verb.key for verb in VERBS if verb.key)]:
            page.keyboard.press(key)
        assert page.url == desk + address
        assert page.locator(":popover-open, .menu[open], #chosen:not([hidden])").count() == 0
