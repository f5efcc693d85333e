"""What a mail that came in is: told from what mail servers, machines and people really write."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bugintake.loop.inbound.parts import text_of_html
from bugintake.loop.inbound.reading import read
from bugintake.loop.inbound.returned import Why
from bugintake.loop.inbound_models import InboundKind as Kind
from tests.loop.inbound.mails import answered, returned

LABELS = {
    "hard-bounce": {Kind.HARD_BOUNCE},
    "soft-or-policy-bounce": {Kind.SOFT_BOUNCE},
    "mixed-bounce": {Kind.HARD_BOUNCE, Kind.SOFT_BOUNCE},
    "bounce": {Kind.HARD_BOUNCE, Kind.SOFT_BOUNCE},
    "bounce-unclassified": {Kind.HARD_BOUNCE, Kind.SOFT_BOUNCE},
    "delay-notice": {Kind.SOFT_BOUNCE},
    "feedback-report": {Kind.AUTOMATIC},
    "read-receipt": {Kind.AUTOMATIC},
    "delivery-ok": {Kind.AUTOMATIC},
    "auto-reply": {Kind.AUTOMATIC},
    "real-reply": {Kind.HUMAN},
    "not-a-bounce": {Kind.HUMAN},
}
HUMAN = {"real-reply", "not-a-bounce"}
LEAST_RIGHT = 0.98


def labelled(shared: Path) -> list[tuple[str, str, Kind]]:
    folder = shared / "data" / "mail"
    entries = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    return [(entry["file"], entry["label"], read((folder / entry["file"]).read_bytes()).kind) for entry in entries]


@pytest.mark.shared
def test_mail_that_others_collected_is_told_apart(shared: Path) -> None:
    found = labelled(shared)
    wrong = [f"{label} read as {kind}: {file}" for file, label, kind in found if kind not in LABELS[label]]
    bounces = [(label, kind) for _, label, kind in found if label in ("hard-bounce", "soft-or-policy-bounce")]
    right = sum(kind in LABELS[label] for label, kind in bounces) / len(bounces)
    figures = f"{right:.1%} of {len(bounces)} bounces are right.\n" + "\n".join(wrong)

    assert [(label, kind) for _, label, kind in found if label in HUMAN and kind is not Kind.HUMAN] == [], figures
    taken_for_human = Counter(label for _, label, kind in found if label not in HUMAN and kind is Kind.HUMAN)
    # One of the hard bounces was sent by a person, who forwarded it.
    assert taken_for_human == {"hard-bounce": 1}, figures
    assert right >= LEAST_RIGHT, figures


@pytest.mark.parametrize(
    ("status", "said", "why"),
    [
        ("5.1.1", "550 5.1.1 <grace@example.org>... User unknown", Why.NO_ADDRESS),
        ("5.0.0", "550 5.1.1 No such user here", Why.NO_ADDRESS),
        ("5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", Why.NO_ADDRESS),
        ("5.1.1", "", Why.NO_ADDRESS),
        ("5.2.1", "", Why.NO_ADDRESS),
        ("5.4.4", "Host or domain name not found. Host not found", Why.NO_DOMAIN),
        ("5.1.2", "", Why.NO_DOMAIN),
        ("5.1.1", "552 5.2.2 Mailbox full", Why.FULL_OR_CLOSED),
        ("5.2.1", "550 5.2.1 The email account that you tried to reach is disabled", Why.FULL_OR_CLOSED),
        ("5.7.1", "550 5.7.1 Message rejected as spam by content filter", Why.POLICY),
        ("5.1.8", "501 5.1.8 Sender address rejected", Why.POLICY),
        ("5.1.8", "550 5.1.8 Sender address rejected: Domain not found", Why.POLICY),
        ("5.0.0", "550 Sender verify failed: no such user", Why.POLICY),
        ("5.0.0", "550 User unknown", Why.POLICY),
        ("5.0.0", "The domain nowhere.example.org couldn't be found", Why.NO_DOMAIN),
        ("4.4.1", "connect to mx.example.org[192.0.2.1]:25: Connection timed out", Why.NOT_NOW),
        ("5.9.9", "", Why.UNKNOWN),
    ],
)
def test_words_and_codes_say_why_a_mail_came_back(status, said, why):
    mail = read(returned(status=status, said=said))

    assert [failure.why for failure in mail.failures] == [why]
    assert mail.kind is (Kind.HARD_BOUNCE if why.is_hard else Kind.SOFT_BOUNCE)


def test_a_server_that_refused_the_recipient_knows_them_better_than_its_code():
    said = "550 User unknown (in reply to RCPT TO command)"

    assert read(returned(status="5.0.0", said=said, prose=f"<grace@example.org>: {said}")).kind is Kind.HARD_BOUNCE


def test_a_delay_is_no_end():
    mail = read(returned(status="4.4.7", said="451 4.4.7 try again later", action="delayed"))

    assert (mail.kind, mail.failures[0].is_final) == (Kind.SOFT_BOUNCE, False)


def test_each_recipient_of_a_bounce_in_prose_has_a_fate_of_their_own():
    mail = read(
        b"Return-Path: <>\r\nFrom: MAILER-DAEMON@a.example\r\nSubject: failure notice\r\n\r\n"
        b"I wasn't able to deliver your message to the following addresses.\r\n\r\n"
        b"<ada@example.org>:\r\n192.0.2.1 does not like recipient.\r\nRemote host said: 550 5.1.1 User unknown\r\n\r\n"
        b"<eve@example.org>:\r\nRemote host said: 552 5.2.2 Mailbox full\r\n\r\n"
        b"--- Below this line is a copy of the message.\r\n\r\nSubject: Hello\r\n"
    )

    fates = [(failure.addresses, failure.why, failure.code) for failure in mail.failures]
    assert fates == [
        (("ada@example.org",), Why.NO_ADDRESS, "5.1.1"),
        (("eve@example.org",), Why.FULL_OR_CLOSED, "5.2.2"),
    ]


@pytest.mark.parametrize(
    "headers",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated (vacation)",
        "Precedence: bulk",
        "X-Autoreply: yes",
        "X-Auto-Response-Suppress: All",
        "List-Id: <everybody.example.org>",
        "Return-Path: <>",
    ],
)
def test_a_machine_that_answers_is_no_person(headers):
    assert read(answered("I am away until Monday.", headers=headers)).kind is Kind.AUTOMATIC


@pytest.mark.parametrize(
    "subject", ["Automatic reply: Fixed", "Abwesenheitsnotiz: Behoben", "Respuesta automática: Listo"]
)
def test_a_subject_gives_a_machine_away(subject):
    mail = answered("I am away until Monday.").replace(
        b"Subject: Re: Fixed: the VAT line", f"Subject: {subject}".encode()
    )

    assert read(mail).kind is Kind.AUTOMATIC


def test_a_person_who_writes_about_bounces_is_a_person():
    text = "Delivery failed permanently for us, the server said: 550 5.1.1 User unknown. Mailbox not found!"

    mail = read(answered(text, headers="Auto-Submitted: no"))

    assert (mail.kind, mail.words) == (Kind.HUMAN, text)


WORDS = "Thanks, that helped,\nbut the export still fails:\n- as PDF\n- as CSV"


@pytest.mark.parametrize(
    "rest",
    [
        "On Mon, 9 Mar 2026 at 10:00, Fakturo <help@fakturo.example>\nwrote:\n\n> It has been fixed.\n> Thank you,",
        "Am 09.03.2026 um 10:00 schrieb Fakturo:\n> Es ist behoben.",
        "El lun, 9 mar 2026 a las 10:00, Fakturo (<help@fakturo.example>)\nescribió:\n\n> Está resuelto.",
        "On 9 Mar 2026, at 10:00, Fakturo <help@fakturo.example> wrote:\n\nIt has been fixed.",
        "__________\nFrom: Fakturo <help@fakturo.example>\nSent: Monday\nTo: Grace\n\nIt is fixed.",
        "Von: Fakturo\nGesendet: Montag, 9. März 2026 10:00\nAn: Grace\nBetreff: Behoben\n\nEs ist behoben.",
        "Em seg., 9 de mar. de 2026 às 10:00, Fakturo <help@fakturo.example> escreveu:\n> Está resolvido.",
        "Le lun. 9 mars 2026 à 10:00, Fakturo <help@fakturo.example> a écrit :\n\n> C'est réglé.",
        "Fakturo <help@fakturo.example>, 9 Mar 2026 Pzt, 10:00 tarihinde şunu yazdı:\n> Giderildi.",
        "在 2026年3月9日 10:00，Fakturo <help@fakturo.example> 写道：\n> 已经修复。",
        "في 9 مارس 2026 في 10:00 تمت كتابة ما يلي بواسطة Fakturo <help@fakturo.example>:\n> تم الإصلاح.",
        "发件人： Fakturo\n发送时间： 2026年3月9日\n收件人： Grace\n主题： 已修复\n\n已经修复。",
        "-----Original Message-----\nFrom: Fakturo\n\nIt is fixed.",
        "-- \nGrace Hopper\nAccounts",
        "Sent from my iPhone",
    ],
)
def test_only_the_new_words_of_an_answer_are_kept(rest):
    assert read(answered(f"{WORDS}\n\n{rest}")).words == WORDS


def test_answers_between_quoted_lines_are_kept():
    text = "Am 09.03.2026 schrieb Fakturo:\n> Welcher Browser?\nFirefox 140.\n> Seit wann?\nSeit gestern."

    assert read(answered(text)).words == "Firefox 140.\nSeit gestern."


def test_words_that_only_look_like_a_quote_stay():
    text = "From: the list:\nOn 4 of them it is bad:\n- write to a@example.org: nothing\n- 5:\nThat is all."

    assert read(answered(text)).words == text


def test_words_come_out_of_html_where_there_is_nothing_else():
    html = (
        "<html><head><style>p {color: red}</style></head><body><p>It still fails &amp; I have to stop.<br>Grace</p>"
        '<div class="gmail_quote">On Monday Fakturo wrote:<blockquote>It is fixed.</blockquote></div></body></html>'
    )

    assert text_of_html(html) == "It still fails & I have to stop.\nGrace"


def nested(levels: int) -> bytes:
    return b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(levels))


MAILER = b"Return-Path: <>\r\nFrom: MAILER-DAEMON@a.example\r\nSubject: failure notice\r\n"
REPORT = b"Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
HOSTILE = {
    "nested mails": MAILER + b"Content-Type: message/rfc822\r\n\r\n" * 5000,
    "nested parts": MAILER + nested(59) + b"a\r\n" * 500_000,
    "deeper than any recursion": MAILER + nested(5000),
    "a report without end": MAILER
    + b"Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n--x\r\n"
    + b"Content-Type: message/delivery-status\r\n\r\n"
    + REPORT * 100_000,
    "brackets": b"Content-Type: text/plain " + b"(" * 400_000 + b"\r\n\r\nhi",
    "encoded words": b"Subject: " + b"=?utf-8?q?=41?= " * 30_000 + b"\r\n\r\nhi",
    "headers": b"a: b\r\n" * 100_000 + b"\r\nhi",
    "one line": MAILER + b"\r\n" + b"user@" * 200_000,
    "tags": b"Content-Type: text/html\r\n\r\n" + b"<a \n" * 150_000,
    "attributes": b"Content-Type: text/html\r\n\r\n" + b"<a b=\n" * 100_000,
    "wrote": b"\r\n" + b"On 1 \n" * 100_000,
    "from": b"\r\n" + b"From: a\n" * 100_000,
    "rules": b"\r\n" + b"__________\n" * 50_000,
    "no mail at all": b"",
    "zeros": b"\0" * 1000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_mail_is_read_in_a_moment_and_never_raises(name):
    begun = time.process_time()

    read(HOSTILE[name])

    assert time.process_time() - begun < 5


@pytest.mark.parametrize("charset", ["utf-16", "idna", "punycode", "base64", "rot13", "utf-7", "unicode_escape", "\0x"])
def test_words_in_whatever_charset_can_be_stored(charset):
    raw = f"Content-Type: text/plain; charset={charset}\r\n\r\n".encode() + b"\\ud800 +2AA- \0\xff\xed\xa0\x80 words"

    words = read(raw).words

    assert "\0" not in words
    assert words.encode("utf-8").decode("utf-8") == words


@given(st.binary(max_size=2000))
def test_any_bytes_are_read(raw):
    assert read(raw).kind in Kind
    assert read(MAILER + raw).kind in Kind
