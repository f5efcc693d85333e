"""Texts of mails: what a mail says in them, what they refuse, and that no version is ever lost."""

import threading

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Invalid, NotFound, Stale
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.forms import Seen, fingerprint
from bugintake.core.languages import direction
from bugintake.intake.models import Status
from bugintake.loop import letters, shipped, texts, writing
from bugintake.loop.facts import Facts, Outcome, example
from bugintake.loop.links import Links
from bugintake.loop.mail import Sender, compose
from bugintake.loop.models import AnnouncementKind, Message
from bugintake.loop.text_models import AROUND, TextKind
from bugintake.team.models import LANGUAGES, Role
from bugintake.team.workspace import workspace
from tests.counting import asked
from tests.factories import make_bug, make_customer, make_user, make_workspace
from tests.loop.rows import TUESDAY_9, announcement_of, one_message
from tests.loop.wording import nameless, said, versions, write

pytestmark = pytest.mark.long_on("postgres")

LIVE, DECLINED, OPENING, CLOSING = TextKind.LIVE, TextKind.DECLINED, TextKind.OPENING, TextKind.CLOSING


@pytest.fixture
def luka(app, clock):
    make_workspace()
    return make_user(Role.LEAD, "Luka Lead")


def letter_about(*bugs):
    links = Links("https://x.test/r", "https://x.test/u")
    return letters.outcome_letter([Outcome(one_message(bug), links) for bug in bugs], workspace())


# --- What a mail says ----------------------------------------------------------------------------------------------


def test_a_mail_says_the_text_of_its_kind_and_language_and_the_link_stays_ours(luka):
    write(
        LIVE,
        "You wrote:\n\n{{ their_words }}\n\n{{ note }}\nIt is in {{ version }}.",
        subject="Done: {{ their_words }}",
    )
    hana, urs = make_customer("Hana Kos"), make_customer("Urs", language="de")
    english, german = make_bug(Status.LIVE, waiting=[hana]), make_bug(Status.LIVE, waiting=[urs])

    letter = letter_about(english)

    assert letter.subject == "Done: The VAT line is missing"
    assert said(letter)[:4] == [
        "Hello Hana,",
        "You wrote:",
        "The VAT line is missing",
        "The VAT line is back.\nIt is in 4.13.0.",
    ]
    assert [line.kind for line in letter.lines][1:4] == ["words", "quote", "words"]
    assert [line.url for line in letter.lines if line.kind == "words" and line.url] == ["https://x.test/r"]
    assert letter_about(german).subject == "Behoben: The VAT line is missing"


def test_every_mail_begins_and_ends_once_whatever_it_tells(luka):
    write(OPENING, "Dear {{ first_name | customer }},")
    write(CLOSING, "Yours,\n{{ signer | }}\n{{ company }}")
    write(DECLINED, "It stays, because: {{ note }}")
    hana = nameless()
    fixed, declined = make_bug(Status.LIVE, waiting=[hana]), make_bug(Status.DECLINED, waiting=[hana], actor=luka)

    letter = letter_about(fixed, declined)

    assert (said(letter)[0], said(letter)[-1]) == ("Dear customer,", "Yours,\nEngineer\nFakturo support")
    assert (said(letter).count("Dear customer,"), "It stays, because: The VAT line is back." in said(letter)) == (
        1,
        True,
    )
    assert letter.subject == "About 2 things you told us"


def test_a_message_keeps_the_words_it_was_written_with(luka):
    write(LIVE, "{{ note }} Bye, {{ first_name }}.")
    make_bug(Status.LIVE, waiting=[make_customer("Hana Kos")])
    assert letters.text_of(Outcome(one_message(), Links("…", "…")), workspace()) == "The VAT line is back. Bye, Hana."


def test_a_subject_never_becomes_a_header_or_a_second_line(luka):
    write(LIVE, "{{ note }}", subject="=?utf-8?q?x=0D=0ABcc:_a@b.test?= {{ their_words }}")
    bug = make_bug(Status.LIVE, waiting=[make_customer()], actual="x\u2028Bcc: a@b.test")

    content = compose(letter_about(bug), Sender("a@b.test", "Fakturo"), "<x@y.test>", TUESDAY_9)

    head = content.split(b"\r\n\r\n")[0].lower()
    assert (b"\r\nbcc:" in head, b"=?utf-8?q?x" in head) == (False, False)


def test_what_is_put_into_a_text_from_the_right_turns_nothing_around_it(luka):
    write(LIVE, "{{ version }} {{ note }}", language="ar")
    bug = make_bug(Status.LIVE, waiting=[make_customer(language="ar")])
    with transaction():
        announcement_of(bug).notes = {"ar": "عاد السطر."}
    assert said(letter_about(bug))[1] == "\u20684.13.0\u2069 \u2068عاد السطر.\u2069"


@pytest.mark.parametrize("language", LANGUAGES)
def test_our_own_words_can_be_taken_as_a_text_to_begin_with_and_say_the_same(luka, language):
    facts = example(language, workspace())
    for kind in TextKind:
        text = shipped.as_text(kind, language)
        writing.check(kind, language, texts.Wording(**text))
        ours = in_letter(kind, language, facts, {})
        taken = in_letter(kind, language, facts, {(kind, language): texts.Wording(**text)})
        if kind is not TextKind.RECEIVED:  # which says a way round where there is one
            assert sorted(plain(ours)) == sorted(plain(taken)), kind
        assert direction(language) == "rtl" or ours[:1] == taken[:1]


def in_letter(kind, language, facts: Facts, written):
    told = AnnouncementKind.LIVE if kind in AROUND else AnnouncementKind(kind)
    return letters.made_up(told, language, workspace(), written).lines


def plain(lines):
    return [(line.text.replace("\u2068", "").replace("\u2069", ""), line.kind) for line in lines]


def test_a_subject_of_which_nothing_is_left_is_ours_and_several_lines_are_one(luka):
    bug = make_bug(Status.LIVE, waiting=[make_customer()])
    write(LIVE, "{{ note }}", subject="{{ days | }}")
    assert letter_about(bug).subject == "Fixed: The VAT line is missing"
    write(LIVE, "{{ note }}", subject="Done: {{ note }}")
    with transaction():
        announcement_of(bug).notes = {"en": "One.\n\nTwo."}
    assert letter_about(bug).subject == "Done: One. Two."


# --- What is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "subject", "body", "field", "sentence"),
    [
        (LIVE, "", "It works.", "body", "{{ note }} has to stand in it"),
        (LIVE, "{{ workaround }}", "{{ note }}", "subject", "There is no {{ workaround }} in this text."),
        (TextKind.WORKAROUND, "", "Here: {{ first_name }}", "body", "{{ workaround }} has to stand in it"),
        (TextKind.REMINDED, "", "Please answer.", "body", "{{ note }} has to stand in it"),
        (DECLINED, "", "It is fixed: {{ note }}", "body", "“fixed” cannot stand in it"),
        (DECLINED, "Resolved", "{{ note }}", "subject", "“Resolved” cannot stand in it"),
        (CLOSING, "", "All solved,\n{{ company }}", "body", "“solved” cannot stand in it"),
        (OPENING, "Hello", "Hello,", "subject", "Every kind of mail has a subject of its own."),
        (OPENING, "", "{{ their_words }}", "body", "There is no {{ their_words }} in this text."),
        (LIVE, "", "{{7*7}} {{ note }}", "body", "“{{7*7}}” is no placeholder."),
        (LIVE, "x" * 151, "{{ note }}", "subject", "at most 150 characters"),
        (LIVE, "", "{{ note }}" + "x" * 4000, "body", "at most 4000 characters"),
    ],
)
def test_what_no_mail_can_say_is_refused_with_its_field(luka, kind, subject, body, field, sentence):
    with pytest.raises(Invalid) as refusal:
        write(kind, body, subject=subject)
    assert (refusal.value.field, sentence in refusal.value.sentence) == (field, True)
    assert versions() == []


# --- Versions ------------------------------------------------------------------------------------------------------


def test_every_change_is_a_version_and_an_earlier_one_can_be_taken_again(luka):
    write(LIVE, "One {{ note }}", subject="First")
    write(LIVE, "Two {{ note }}")
    with transaction():
        writing.take_again(LIVE, "en", 1, actor=luka)
    with transaction():
        writing.take_again(LIVE, "en", 0, actor=luka)

    assert versions() == [
        (1, "First", "One {{ note }}"),
        (2, "", "Two {{ note }}"),
        (3, "First", "One {{ note }}"),
        (4, "", ""),
    ]
    assert texts.in_force() == {}
    told = [
        (event.details["text"], event.details["version"])
        for event in db.session.scalars(
            sa.select(Event).where(Event.kind == EventKind.MAIL_TEXT_WRITTEN).order_by(Event.id)
        )
    ]
    assert told == [("live", 1), ("live", 2), ("live", 3), ("live", 4)]
    with pytest.raises(NotFound), transaction():
        writing.take_again(LIVE, "en", 5, actor=luka)


def test_what_changes_nothing_is_no_version(luka):
    assert write(LIVE, **shipped.as_text(LIVE, "en")) is None
    assert write(LIVE, "") is None
    write(LIVE, "{{ note }}")
    assert write(LIVE, "{{ note }}") is None
    assert len(versions()) == 1


def test_somebody_who_was_slower_sees_both_texts_and_loses_nothing(luka):
    write(LIVE, "One {{ note }}", by=luka)
    seen = Seen({"subject": fingerprint(""), "body": fingerprint("One {{ note }}")})
    write(LIVE, "Two {{ note }}", by=luka)

    with pytest.raises(Stale) as refusal, transaction():
        writing.write(LIVE, "en", "Done", "Mine {{ note }}", seen=seen, actor=luka)

    (clash,) = refusal.value.clashes
    assert (clash.name, clash.theirs, clash.mine) == ("body", "Two {{ note }}", "Mine {{ note }}")
    assert clash.who.startswith("Luka wrote version 2 ")
    with transaction():
        writing.write(LIVE, "en", "Done", "Two {{ note }}", seen=seen, actor=luka)
    assert versions()[-1] == (3, "Done", "Two {{ note }}")


def test_two_who_save_at_once_make_two_versions_or_one_is_told(app, luka):
    start, told = threading.Barrier(2), []

    def save(number):
        with app.app_context():
            start.wait()
            try:
                seen = Seen({name: fingerprint(text) for name, text in shipped.as_text(LIVE, "en").items()})
                with transaction():
                    writing.write(LIVE, "en", "", f"{number} {{{{ note }}}}", seen=seen, actor=luka)
            except Stale as refusal:
                told.append(refusal.clashes[0].mine[:1])

    savers = [threading.Thread(target=save, args=(number,)) for number in range(2)]
    for each in savers:
        each.start()
    for each in savers:
        each.join()

    assert sorted([versions()[0][2][:1], *told]) == ["0", "1"]
    assert len(versions()) == 1


# --- What was prepared before --------------------------------------------------------------------------------------


def test_a_text_that_names_somebody_who_waits_stops_what_was_to_leave_by_itself(luka):
    bug = make_bug(Status.LIVE, waiting=[make_customer("Hana Kos"), make_customer("Sam")])
    other = make_bug(Status.LIVE, waiting=[make_customer("Eve Long")])
    declined = make_bug(Status.DECLINED, waiting=[make_customer("Hana Kos")])

    write(LIVE, "{{ note }} Thanks to Hana Kos.")

    leaves = [announcement_of(each).due_at is not None for each in (bug, other, declined)]
    assert leaves == [False, True, True]


def test_reading_the_texts_costs_one_question_for_any_number_of_mails(luka):
    write(LIVE, "{{ note }}")
    make_bug(Status.LIVE, waiting=[make_customer() for _ in range(3)])
    outcomes = [Outcome(each, Links("…", "…")) for each in db.session.scalars(sa.select(Message)).all()]
    with transaction(), asked() as statements:
        for outcome in outcomes:
            letters.written([outcome], workspace())
    assert sum("mail_texts" in each for each in statements) == 1
