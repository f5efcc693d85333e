"""The pages of texts, and what an announcement's page says of whom its text does not fit."""

import re

import pytest

from bugintake.core.forms import fingerprint
from bugintake.intake.models import Status
from bugintake.loop import shipped
from bugintake.loop.doubts import doubts_about
from bugintake.loop.models import HeldBecause, MessageState
from bugintake.loop.text_models import TextKind
from bugintake.team.models import Role
from tests.counting import fewest
from tests.factories import bring_to, make_bug, make_customer, make_report, make_user, make_workspace
from tests.loop.reading import words_of
from tests.loop.rows import announcement_of, one_message, put
from tests.loop.wording import nameless, versions, write
from tests.visitors import visit

pytestmark = pytest.mark.long_on("postgres")

LIVE = TextKind.LIVE
PAGE = "/admin/texts/live/en"


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace(languages=["en", "de"])


@pytest.fixture
def luka(app):
    return visit(app, make_user(Role.LEAD, "Luka Lead"))


def test_the_list_says_what_is_ours_and_who_wrote_what_is_not(luka):
    write(LIVE, "{{ note }}")
    said = words_of(luka.get("/admin/texts"))
    assert "Fixed Fixed, English, version 1, Luka, Tue 10 Mar" in said
    assert "Declined Declined, English Declined, German" in said


def test_a_text_begins_with_our_own_words_and_is_saved(luka):
    page = luka.get(PAGE)
    assert "It has been fixed since {{ live_since }}, in version {{ version }}." in page.text
    assert "Nobody waits for a mail with it now. This one is made up." in words_of(page)

    answer = luka.post(PAGE, {"subject": "Done", "body": "{{ note }}\r\n\r\nBye."})

    assert (answer.status_code, versions()) == (302, [(1, "Done", "{{ note }}\n\nBye.")])
    said = words_of(luka.get(PAGE))
    assert "Version 1 is in force." in said
    assert "Done To nobody Hello Hana, The VAT line is back on every PDF. Bye." in said


def test_what_is_refused_keeps_what_was_typed(luka):
    answer = luka.post(PAGE, {"subject": "Done", "body": "It works, {{ first }}."})
    assert (answer.status_code, versions()) == (422, [])
    assert "There is no {{ first }} in this text." in words_of(answer)
    assert "It works, {{ first }}." in answer.text


def test_a_look_before_saving_saves_nothing_and_keeps_what_was_seen(luka):
    answer = luka.post(f"{PAGE}/preview", {"subject": "Done", "body": "Your ticket: {{ note }}", "seen_body": "older"})
    said = words_of(answer)
    assert "How it would read, not saved yet" in said
    assert "Done To nobody Hello Hana, Your ticket: The VAT line is back on every PDF." in said
    assert "It says “ticket”, no word of a customer." in said
    assert ('name="seen_body" value="older"' in answer.text, versions()) == (True, [])
    assert luka.post(f"{PAGE}/preview", {"body": "{{ x }}"}).status_code == 422


def test_a_text_that_names_a_customer_says_so(luka):
    make_customer("Hana Kos", company="Brightline")
    said = words_of(luka.post(f"{PAGE}/preview", {"body": "{{ note }} Thank you, hana kos of Brightline."}))
    assert "It names Brightline, and every customer reads it. It names Hana Kos, and every customer reads it." in said


def test_a_placeholder_is_no_word_of_a_trade(luka):
    write(TextKind.WORKAROUND, "{{ workaround }}")
    assert "no word of a customer" not in words_of(luka.get("/admin/texts/workaround/en"))


def test_the_preview_is_of_whom_the_text_fits_worst_among_those_who_wait(luka):
    long, short = "The VAT line " + "is missing " * 10, "No VAT"
    bug = make_bug(Status.LIVE, waiting=[make_customer("Ann")], actual=short)
    make_report(make_customer("Bob"), bug=bug, actual=long)

    assert "To Bob" in words_of(luka.get(PAGE))
    write(LIVE, "{{ note }} {{ first_name }}")
    make_report(nameless(), bug=bug, actual=short)
    said = words_of(luka.get(PAGE))
    assert "It has no words for 1 of the 3 whom it fits worst" in said
    assert "There is nothing to put in its place for: {{ first_name }}" in said
    write(LIVE, "{{ note }} {{ first_name | dear }}")
    said = words_of(luka.get(PAGE))
    assert "Of those who wait for it, whom it fits worst." in said
    assert "The VAT line is back. dear" in said and "Something else stands in place of: {{ first_name }}" in said


def test_a_version_shows_what_it_changed_and_can_be_taken_again(luka):
    write(LIVE, "One {{ note }}")
    write(LIVE, "Two {{ note }}")
    page = luka.get(PAGE)
    assert "<del>One</del><ins>Two</ins> {{ note }}" in page.text

    luka.post(
        f"{PAGE}/versions/1/recall", {"seen_subject": fingerprint(""), "seen_body": fingerprint("Two {{ note }}")}
    )

    assert [body for _, _, body in versions()] == ["One {{ note }}", "Two {{ note }}", "One {{ note }}"]
    stale = luka.post(f"{PAGE}/versions/2/recall", {"seen_body": fingerprint("Two {{ note }}x")})
    assert (stale.status_code, "wrote version 3" in words_of(stale)) == (409, True)
    luka.post(f"{PAGE}/versions/0/recall")
    assert "our own words" in words_of(luka.get(PAGE))


def test_a_second_save_of_an_old_page_shows_both_texts(luka):
    seen = {f"seen_{name}": fingerprint(text) for name, text in shipped.as_text(LIVE, "en").items()}
    luka.post(PAGE, {"subject": "", "body": "Hers {{ note }}", **seen})
    answer = luka.post(PAGE, {"subject": "", "body": "His {{ note }}", **seen})
    assert (answer.status_code, len(versions())) == (409, 1)
    assert "Hers {{ note }}" in answer.text and "His {{ note }}" in answer.text


def test_arabic_is_read_and_written_from_the_right(luka):
    page = luka.get("/admin/texts/opening/ar")
    (area,) = re.findall("<textarea[^>]*f-body[^>]*>", page.text)
    assert ('lang="ar"' in area, 'dir="rtl"' in area) == (True, True)
    assert "f-subject" not in page.text


def test_an_announcement_says_before_it_leaves_who_will_be_held(app, luka):
    write(LIVE, "{{ note }} {{ first_name }}")
    bug = make_bug(Status.LIVE, waiting=[make_customer("Ann"), nameless(), nameless()])
    address = f"/loop/{announcement_of(bug).id}"

    said = words_of(luka.get(address))
    assert "In English the text has no words for 2 people, who will be held: {{ first_name }} Change the text" in said
    assert "There is nothing to put in its place for: {{ first_name }}" in said
    agent = visit(app, make_user(Role.AGENT))
    assert ("who will be held" in words_of(agent.get(address)), PAGE in agent.get(address).text) == (True, False)


def test_a_message_that_is_held_leads_to_the_text(luka):
    bug = make_bug(Status.LIVE, waiting=[nameless()])
    put(
        one_message(bug),
        MessageState.HELD,
        held_because=HeldBecause.UNFILLED,
        reason="There is no {{ days }} for them.",
    )
    page = luka.get(f"/loop/{announcement_of(bug).id}")
    assert "There is no {{ days }} for them. Change the text" in words_of(page)
    assert (f'href="{PAGE}"' in page.text, "Let it go" in page.text) == (True, False)
    write(TextKind.CLOSING, "{{ signer }}")
    put(one_message(bug), MessageState.HELD, reason="There is no {{ signer }} for them.")
    assert 'href="/admin/texts/closing/en"' in luka.get(f"/loop/{announcement_of(bug).id}").text


def test_an_announcement_leads_to_the_text_that_lacks_a_word(luka):
    write(LIVE, "{{ note }} {{ first_name | dear }}")
    write(TextKind.OPENING, "Dear {{ first_name }},")
    bug = make_bug(Status.LIVE, waiting=[nameless()])
    assert 'href="/admin/texts/opening/en"' in luka.get(f"/loop/{announcement_of(bug).id}").text


def test_an_announcement_shows_the_mail_of_whom_it_fits_worst_of_each_language(luka):
    words = {"Ann": "No VAT", "Bob": "The VAT line " + "is missing " * 9, "Eve": "No VAT line"}
    bug = make_bug()
    for name, actual in words.items():
        make_report(make_customer(name), bug=bug, actual=actual)
    make_report(make_customer("Urs", language="de"), bug=bug, actual="Nichts")
    bring_to(bug, Status.LIVE, actor=make_user())
    said = words_of(luka.get(f"/loop/{announcement_of(bug).id}"))
    shown = [name for name in ("Ann", "Bob", "Eve", "Urs") if f"To {name} " in said]
    assert shown == ["Bob", "Urs"]


def test_an_announcement_of_a_text_with_words_of_a_trade_says_so(luka):
    write(LIVE, "Your ticket is done: {{ note }}")
    bug = make_bug(Status.LIVE)
    assert doubts_about(announcement_of(bug)) == ["In English it says “ticket”, no word of a customer."]


@pytest.mark.parametrize("address", ["/admin/texts", PAGE])
def test_the_pages_ask_the_same_for_one_and_for_many(luka, address):
    write(LIVE, "One {{ note }}")
    make_bug(Status.LIVE)
    few = fewest(lambda: luka.get(address))
    for number in range(3):
        write(LIVE, f"{number} {{{{ note }}}}")
    make_bug(Status.LIVE, waiting=[make_customer(company=f"C {number}") for number in range(4)])
    assert fewest(lambda: luka.get(address)) == few
