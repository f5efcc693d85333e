"""Mail as bytes: whatever a title or a name holds, the headers are the intended ones and one person gets it."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bugintake.loop.mail import (
    Letter,
    Line,
    Sender,
    UnsafeMail,
    compose,
    display_name,
    header_text,
    plain_address,
    sender_of,
)

pytestmark = [pytest.mark.only_on("sqlite"), pytest.mark.usefixtures("app")]

AT = datetime(2026, 9, 14, 12, 0, tzinfo=UTC)
SENDER = Sender("support@fakturo.example.com", "Fakturo support", "help@fakturo.example.com")
URL = "https://bugs.example.com/s/de/r/0123456789012345678901234567890123456789012"
HEADERS = [
    "auto-submitted",
    "content-language",
    "content-type",
    "date",
    "from",
    "in-reply-to",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "message-id",
    "mime-version",
    "references",
    "reply-to",
    "subject",
    "to",
]


def letter(**changes: object) -> Letter:
    values: dict[str, object] = {
        "recipient": "hana@brightline.example.com",
        "recipient_name": "Hana Kovač",
        "language": "de",
        "subject": "Behoben: Die Steuerzeile fehlt auf exportierten PDFs",
        "lines": (Line("Hallo Hana,"), Line("Die Zeile fehlt.\n.und ein Punkt", "quote"), Line("Ansehen:", url=URL)),
        "thread": ("<report-7@bugs.example.com>",),
        "unsubscribe_url": "https://bugs.example.com/s/de/unsubscribe/01234567890123456789012345678901234567890_-",
    }
    return Letter(**(values | changes))  # type: ignore[arg-type]


def composed(**changes: object) -> EmailMessage:
    content = compose(letter(**changes), SENDER, "<abc@bugs.example.com>", AT)
    found = message_from_bytes(content, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def names(mail: EmailMessage) -> list[str]:
    return sorted(name.lower() for name in mail)


def test_a_mail_has_exactly_the_headers_a_machine_and_a_reader_need() -> None:
    mail = composed()

    assert names(mail) == HEADERS
    assert mail["From"] == "Fakturo support <support@fakturo.example.com>"
    assert mail["To"] == "Hana Kovač <hana@brightline.example.com>"
    assert mail["Subject"] == "Behoben: Die Steuerzeile fehlt auf exportierten PDFs"
    assert mail["Message-ID"] == "<abc@bugs.example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Content-Language"] == "de"
    assert mail["Reply-To"] == "help@fakturo.example.com"
    assert mail["In-Reply-To"] == mail["References"] == "<report-7@bugs.example.com>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_long_unsubscribe_address_is_never_encoded() -> None:
    content = compose(letter(), SENDER, "<abc@bugs.example.com>", AT)

    wanted = (
        b"\r\nList-Unsubscribe: <https://bugs.example.com/s/de/unsubscribe/01234567890123456789012345678901234567890_->"
    )
    assert content.count(wanted) == 1


def test_a_mail_is_text_first_and_its_html_twin_says_the_same() -> None:
    text, html = composed().iter_parts()

    assert text.get_content_type() == "text/plain"
    assert text.get_content().splitlines() == [
        "Hallo Hana,",
        "",
        "> Die Zeile fehlt.",
        "> .und ein Punkt",
        "",
        "Ansehen:",
        URL,
    ]
    assert html.get_content_type() == "text/html"
    assert '<blockquote dir="auto">Die Zeile fehlt.<br>.und ein Punkt' in html.get_content()
    assert f'<a href="{URL}">Ansehen</a>' in html.get_content()


def test_nothing_in_the_html_twin_is_fetched_from_elsewhere() -> None:
    html = list(composed().iter_parts())[1].get_content()

    assert not any(word in html for word in ("<img", "<link", "<script", "<style", "src=", "@import"))


def test_a_33_what_somebody_typed_is_text_in_the_html_twin_and_never_a_template() -> None:
    words = "\"'><svg onload=alert(1)> {{7*7}} {% raw %} <a href='javascript:x'>y</a>"

    text, html = composed(lines=(Line(words), Line(words, "quote"), Line(words, "small"))).iter_parts()

    assert text.get_content().count(words) == 3
    assert "<svg" not in html.get_content()
    assert "<a href" not in html.get_content()
    assert html.get_content().count("{{7*7}}") == 3


@pytest.mark.parametrize(
    "title",
    [
        "=?utf-8?q?Fixed=0d=0aBcc:_evil=40x.test?=",
        "=?utf-8?q?Fixed=0d=0a=0d=0abody?=",
        "Fixed\r\nBcc: evil@x.test",
        "Fixed\nBcc: evil@x.test",
        "Fixed\x85Bcc: evil@x.test",
        "Fixed\u2028Bcc: evil@x.test",
        "=\x00?utf-8?q?=0d=0aBcc:_evil=40x.test?=",
        "=?utf-8?q?a=0d=0a?= =?utf-8?q?Bcc:_evil=40x.test?=",
        "==??utf-8?b?DQpCY2M6IGV2aWxAeC50ZXN0?=",
        "ü=?utf-8?q?=0d=0aBcc:_evil=40x.test?=",
        "Fixed \udc80 half",
        "\u202eFixed",
    ],
)
def test_a_29_a_title_never_becomes_a_header(title: str) -> None:
    mail = composed(subject=title, recipient_name=title)

    assert names(mail) == HEADERS
    assert mail["Bcc"] is None
    assert [address.addr_spec for address in mail["To"].addresses] == ["hana@brightline.example.com"]
    assert not any(c in mail["Subject"] for c in "\r\n\u2028\x85\x00\udc80\u202e")


def test_a_hostile_title_arrives_readable() -> None:
    assert composed(subject="=?utf-8?q?Fixed=0d=0aBcc:_x?=")["Subject"] == "= ?utf-8?q?Fixed=0d=0aBcc:_x?="


@pytest.mark.parametrize(
    "name", ["a@b.test, c@d.test", '"', 'Eve" <eve@x.test>, "', "(comment", "<x@y.test>", "ü, x@y.z", ""]
)
def test_a_29_a_name_never_becomes_a_second_address(name: str) -> None:
    mail = composed(recipient_name=name)

    assert [address.addr_spec for address in mail["To"].addresses] == ["hana@brightline.example.com"]


texts = st.one_of(
    st.text(max_size=300),
    st.text(alphabet='=?utf-8qb_AB0daoc:@\r\n\x85\u2028, <>"\\;()', max_size=120),
    st.builds("=?utf-8?q?{}=0d=0aBcc:_{}?=".format, st.text(max_size=20), st.text(max_size=20)),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(subject=texts, name=texts, sender=texts, words=texts)
def test_a_29_no_text_whatever_changes_the_headers_or_the_recipient(
    app: Flask, subject: str, name: str, sender: str, words: str
) -> None:
    from_whom = Sender(SENDER.address, sender, SENDER.reply_to)
    hostile = letter(subject=subject, recipient_name=name, lines=(Line(words), Line(words, "quote")))

    content = compose(hostile, from_whom, "<abc@bugs.example.com>", AT)

    for one in (policy.compat32, policy.default):
        mail = message_from_bytes(content, policy=one)
        assert sorted(header.lower() for header in mail) == HEADERS
        assert [part.get_content_type() for part in mail.get_payload()] == ["text/plain", "text/html"]  # type: ignore[union-attr]
    assert [address.addr_spec for address in mail["To"].addresses] == ["hana@brightline.example.com"]  # type: ignore[union-attr]
    assert [address.addr_spec for address in mail["From"].addresses] == [SENDER.address]  # type: ignore[union-attr]
    assert all(len(row) <= 998 and b"\r" not in row for row in content.split(b"\r\n"))
    assert b"\n" not in content.replace(b"\r\n", b"")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=texts)
def test_a_header_text_is_one_line_without_encoded_words(app: Flask, text: str) -> None:
    for made in (header_text(text, 150), display_name(text)):
        assert "=?" not in made
        assert "".join(made.split("\n")) == made
        assert made == made.strip()
        made.encode()


def test_mail_whose_bytes_are_not_as_intended_never_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bugintake.loop.mail.header_text", lambda text, limit: text)
    monkeypatch.setattr("bugintake.loop.mail._encoded", lambda header, text: text)

    with pytest.raises(UnsafeMail, match="would have become a header"):
        composed(subject="Fixed\r\nBcc: evil@x.test", recipient_name="Hana")
    with pytest.raises(UnsafeMail, match="would have become a header"):
        composed(subject="Fixed\r\n\r\nbody", recipient_name="Hana")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "hana",
        "hana@",
        "@example.com",
        "a@b.test, c@d.test",
        "a@b.test;c@d.test",
        "a b@c.test",
        '"a b"@c.test',
        "a@b.test\r\nRCPT TO:<c@d.test>",
        "a@b.test\n",
        "a\x00@b.test",
        "a%0a@b.test ",
        "<a@b.test>",
        "a@b@c.test",
        "a@[127.0.0.1]",
        "a..b@c.test",
        ".a@c.test",
        "ü@c.test",
        "a@-b.test",
        "a@b..test",
        "a" * 65 + "@c.test",
        "a@" + "b" * 64 + ".test",
        "a" * 60 + "@" + ".".join(["b" * 60] * 4) + ".test",
        "=?utf-8?q?a?=@c.test",
    ],
)
def test_a_30_an_address_that_could_mean_something_else_is_refused(address: str) -> None:
    with pytest.raises(UnsafeMail):
        plain_address(address)
    with pytest.raises(UnsafeMail):
        composed(recipient=address)


@pytest.mark.parametrize(
    ("address", "plain"),
    [
        ("hana.kovac+bugs@example.com", "hana.kovac+bugs@example.com"),
        ("o'brien@example.com", "o'brien@example.com"),
        ("root@localhost", "root@localhost"),
        ("hana@bücher.example", "hana@xn--bcher-kva.example"),
    ],
)
def test_an_address_that_means_one_mailbox_is_used_in_ascii(address: str, plain: str) -> None:
    assert plain_address(address) == plain
    assert [found.addr_spec for found in composed(recipient=address)["To"].addresses] == [plain]


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://x.test/ y", "https://x.test/\r\nBcc: a@b.c", "ftp://x"]
)
def test_a_33_a_link_that_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(UnsafeMail):
        composed(lines=(Line("Look:", url=url),))
    with pytest.raises(UnsafeMail):
        composed(unsubscribe_url=url)


def test_a_mail_larger_than_a_megabyte_is_refused() -> None:
    with pytest.raises(UnsafeMail, match="1 MB"):
        composed(lines=(Line("x" * 10_000_000),))


@pytest.mark.parametrize(
    ("mail_from", "sender"),
    [
        ("bugs@example.com", Sender("bugs@example.com", "Fakturo")),
        ("Our bugs <bugs@example.com>", Sender("bugs@example.com", "Our bugs")),
    ],
)
def test_the_sender_may_carry_a_name_of_its_own(mail_from: str, sender: Sender) -> None:
    assert sender_of(mail_from, "Fakturo", None) == sender


def test_a_sender_that_is_no_address_is_refused() -> None:
    with pytest.raises(UnsafeMail):
        sender_of("Our bugs", "Fakturo", None)


def test_a_31_a_mail_of_the_house_answers_no_mail_and_asks_for_no_answer_by_machines() -> None:
    mail = composed()

    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Return-Receipt-To"] is None
