"""Phase by phase: what every misbehaviour of a mail server means for the mail."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import pytest
import trustme

from bugintake.loop.smtp import Channel, Envelope, Outcome, Phase, Security, Server, Timeouts, Verdict
from tests.faults.server import FaultServer

QUICK = Timeouts(connect=0.3, tls=0.3, hello=0.3, auth=0.3, mail=0.3, rcpt=0.3, data=0.3, content=0.3)


def mail_to(recipient: str, message_id: str = "<1@bugs.example.com>") -> Envelope:
    content = f"Message-ID: {message_id}\r\nTo: {recipient}\r\n\r\nHello\r\n.a dot\r\n".encode()
    return Envelope("support@example.com", recipient, content)


@pytest.fixture
def channel(sink: FaultServer) -> Iterator[Channel]:
    channel = Channel(Server("127.0.0.1", sink.port, Security.PLAIN), timeouts=QUICK)
    yield channel
    channel.close()


def always() -> bool:
    return True


@pytest.mark.fault("F-S2")
@pytest.mark.parametrize(
    ("mode", "verdict", "phase", "code", "enhanced"),
    [
        ("ok", Verdict.SENT, Phase.DATA, 250, "2.0.0"),
        ("okdrop", Verdict.SENT, Phase.DATA, 250, "2.0.0"),
        ("rcpt450", Verdict.RETRY, Phase.RCPT, 450, "4.2.1"),
        ("rcpt421", Verdict.RETRY, Phase.RCPT, 421, "4.3.2"),
        ("stallrcpt", Verdict.RETRY, Phase.RCPT, None, None),
        ("rcptgarbage", Verdict.RETRY, Phase.RCPT, None, None),
        ("unknown", Verdict.BOUNCED, Phase.RCPT, 550, "5.1.1"),
        ("disabled", Verdict.BOUNCED, Phase.RCPT, 550, "5.2.1"),
        ("badsender", Verdict.FAILED, Phase.RCPT, 550, "5.1.8"),
        ("bare550", Verdict.FAILED, Phase.RCPT, 550, None),
        ("policy", Verdict.FAILED, Phase.RCPT, 550, "5.7.1"),
        ("noroute", Verdict.FAILED, Phase.RCPT, 554, "5.4.4"),
        ("data451", Verdict.RETRY, Phase.DATA, 451, "4.3.0"),
        ("data554", Verdict.FAILED, Phase.DATA, 554, "5.4.4"),
        ("data571", Verdict.FAILED, Phase.DATA, 554, "5.7.1"),
        ("dot451", Verdict.RETRY, Phase.DATA, 451, "4.3.0"),
        ("dot554", Verdict.FAILED, Phase.DATA, 554, "5.7.1"),
        ("dot354", Verdict.UNCERTAIN, Phase.DATA, 354, None),
        ("garbage", Verdict.UNCERTAIN, Phase.DATA, None, None),
        ("dropdata", Verdict.UNCERTAIN, Phase.DATA, None, None),
        ("dropdot", Verdict.UNCERTAIN, Phase.DATA, None, None),
        ("stalldot", Verdict.UNCERTAIN, Phase.DATA, None, None),
    ],
)
def test_every_row_of_the_table_has_its_verdict(
    channel: Channel, mode: str, verdict: Verdict, phase: Phase, code: int | None, enhanced: str | None
) -> None:
    outcome = channel.deliver(mail_to(f"{mode}@example.com"), always)

    assert (outcome.verdict, outcome.phase, outcome.code, outcome.enhanced_code) == (verdict, phase, code, enhanced)


@pytest.mark.parametrize("mode", ["ok", "okdrop", "rcpt450", "rcpt421", "unknown", "data451", "dropdot", "garbage"])
def test_the_next_mail_leaves_whatever_happened_to_the_one_before(
    channel: Channel, sink: FaultServer, mode: str
) -> None:
    channel.deliver(mail_to(f"{mode}@example.com"), always)

    outcome = channel.deliver(mail_to("ok@example.com", "<2@bugs.example.com>"), always)

    assert outcome.verdict is Verdict.SENT
    assert sink.count["<2@bugs.example.com>"] == 1


def test_the_connection_is_kept_from_mail_to_mail(channel: Channel, sink: FaultServer) -> None:
    outcomes = [channel.deliver(mail_to("ok@example.com", f"<{n}@b.example.com>"), always).verdict for n in range(20)]

    assert outcomes == [Verdict.SENT] * 20
    assert sink.connections == 1


def test_a_kept_connection_is_renewed_after_a_hundred_mails(channel: Channel, sink: FaultServer) -> None:
    channel.mails_per_connection = 3

    for number in range(7):
        channel.deliver(mail_to("ok@example.com", f"<{number}@b.example.com>"), always)

    assert (sink.connections, len(sink.accepted)) == (3, 7)


def test_a_body_line_that_begins_with_a_dot_arrives_whole(channel: Channel, sink: FaultServer) -> None:
    channel.deliver(mail_to("ok@example.com"), always)

    assert sink.accepted[0][1].get_content().splitlines() == ["Hello", ".a dot"]


def test_nothing_is_handed_over_when_the_sender_lost_the_mail(channel: Channel, sink: FaultServer) -> None:
    outcome = channel.deliver(mail_to("ok@example.com"), lambda: False)

    assert (outcome.verdict, outcome.phase) == (Verdict.WITHDRAWN, Phase.RCPT)
    assert sink.accepted == []


def test_nothing_is_handed_over_when_the_intention_cannot_be_kept(channel: Channel, sink: FaultServer) -> None:
    def disk_is_full() -> bool:
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError):
        channel.deliver(mail_to("ok@example.com"), disk_is_full)

    assert sink.accepted == []
    assert channel.deliver(mail_to("ok@example.com"), always).verdict is Verdict.SENT


def test_the_intention_is_kept_after_the_recipient_is_accepted_and_before_anything_is_handed_over(
    channel: Channel, sink: FaultServer
) -> None:
    seen: list[tuple[list[str], int]] = []

    def note() -> bool:
        seen.append((list(sink.recipients), len(sink.accepted)))
        return True

    channel.deliver(mail_to("ok@example.com"), note)

    assert seen == [(["ok@example.com"], 0)]


@pytest.mark.fault("F-S1")
def test_a_refused_connection_is_tried_again(sink: FaultServer) -> None:
    with FaultServer().running() as gone:
        port = gone.port
    channel = Channel(Server("127.0.0.1", port, Security.PLAIN), timeouts=QUICK)

    outcome = channel.deliver(mail_to("ok@example.com"), always)

    assert (outcome.verdict, outcome.phase) == (Verdict.RETRY, Phase.CONNECT)


def test_a_host_nobody_knows_is_tried_again() -> None:
    channel = Channel(Server("mail.invalid", 25, Security.PLAIN), timeouts=QUICK)

    outcome = channel.deliver(mail_to("ok@example.com"), always)

    assert (outcome.verdict, outcome.phase) == (Verdict.RETRY, Phase.CONNECT)


@pytest.mark.fault("F-S1")
@pytest.mark.parametrize("greeting", [b"", b"421 4.3.2 too busy", b"554 not today", b"what?"])
def test_a_server_that_does_not_greet_is_tried_again(channel: Channel, sink: FaultServer, greeting: bytes) -> None:
    sink.greeting = greeting

    outcome = channel.deliver(mail_to("ok@example.com"), always)

    assert (outcome.verdict, outcome.phase) == (Verdict.RETRY, Phase.HELLO)


def test_a_connection_cut_between_two_mails_costs_nothing(channel: Channel, sink: FaultServer) -> None:
    channel.deliver(mail_to("ok@example.com"), always)
    sink.cut()

    outcome = channel.deliver(mail_to("ok@example.com", "<2@b.example.com>"), always)

    assert outcome.verdict is Verdict.SENT
    assert (sink.connections, len(sink.accepted)) == (2, 2)


def test_what_the_server_says_is_kept_without_addresses_and_line_breaks(channel: Channel) -> None:
    outcome = channel.deliver(mail_to("unknown@example.com"), always)

    assert outcome.error == "5.1.1 <…@…>: no such user"


def test_a_wrong_password_concerns_every_mail_and_is_not_repeated_in_the_error() -> None:
    with FaultServer(password="right-one").running() as sink:
        wrong = Server("127.0.0.1", sink.port, Security.PLAIN, "bugintake", "wrong-one")
        right = Server("127.0.0.1", sink.port, Security.PLAIN, "bugintake", "right-one")

        refused = Channel(wrong, timeouts=QUICK).deliver(mail_to("ok@example.com"), always)
        channel = Channel(right, timeouts=QUICK)
        accepted = channel.deliver(mail_to("ok@example.com"), always)
        channel.close()

    assert refused == Outcome(Verdict.CHANNEL, Phase.AUTH, 535, "5.7.8", "5.7.8 …: wrong password")
    assert accepted.verdict is Verdict.SENT
    assert "wrong-one" not in repr(wrong)


def test_sign_in_against_a_server_without_it_concerns_every_mail(sink: FaultServer) -> None:
    channel = Channel(Server("127.0.0.1", sink.port, Security.PLAIN, "bugintake", "x"), timeouts=QUICK)

    outcome = channel.deliver(mail_to("ok@example.com"), always)

    assert (outcome.verdict, outcome.phase) == (Verdict.CHANNEL, Phase.AUTH)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def certified(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.IMPLICIT])
def test_mail_leaves_over_a_certified_connection(authority: trustme.CA, security: Security) -> None:
    server = FaultServer(certified(authority, "127.0.0.1"), implicit=security is Security.IMPLICIT)
    with server.running() as sink:
        channel = Channel(Server("127.0.0.1", sink.port, security), timeouts=QUICK, tls=trusting(authority))
        outcome = channel.deliver(mail_to("ok@example.com"), always)
        channel.close()

    assert outcome.verdict is Verdict.SENT


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.IMPLICIT])
def test_a_certificate_of_another_name_or_authority_stops_all_mail(authority: trustme.CA, security: Security) -> None:
    foreign = FaultServer(certified(authority, "mail.example.com"), implicit=security is Security.IMPLICIT)
    unknown = FaultServer(certified(trustme.CA(), "127.0.0.1"), implicit=security is Security.IMPLICIT)
    for server in (foreign, unknown):
        with server.running() as sink:
            channel = Channel(Server("127.0.0.1", sink.port, security), timeouts=QUICK, tls=trusting(authority))
            outcome = channel.deliver(mail_to("ok@example.com"), always)

        assert (outcome.verdict, outcome.phase) == (Verdict.CHANNEL, Phase.TLS)
        assert sink.accepted == []


def test_a_server_that_offers_no_encryption_gets_no_mail(sink: FaultServer) -> None:
    channel = Channel(Server("127.0.0.1", sink.port, Security.STARTTLS), timeouts=QUICK)

    outcome = channel.deliver(mail_to("ok@example.com"), always)

    assert (outcome.verdict, outcome.phase) == (Verdict.CHANNEL, Phase.TLS)
    assert sink.accepted == []


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.com", Server("mail.example.com", 587, Security.STARTTLS)),
        ("smtps://mail.example.com", Server("mail.example.com", 465, Security.IMPLICIT)),
        ("smtp+plain://relay.lan", Server("relay.lan", 25, Security.PLAIN)),
        ("smtp://localhost:2525", Server("localhost", 2525, Security.PLAIN)),
        ("smtp://[::1]:2525", Server("::1", 2525, Security.PLAIN)),
        (
            "smtp://me%40here:a%2Fb@mail.example.com:26",
            Server("mail.example.com", 26, Security.STARTTLS, "me@here", "a/b"),
        ),
    ],
)
def test_an_address_says_where_and_how_securely(url: str, server: Server) -> None:
    assert Server.from_url(url) == server


@pytest.mark.parametrize(
    "url", ["mail.example.com", "http://mail.example.com", "smtp://", "smtp://h:99999", "smtp://h/x", "smtp://h?tls=no"]
)
def test_an_address_that_says_neither_is_refused_in_words(url: str) -> None:
    with pytest.raises(ValueError, match=r"^[A-Z].*\.$"):
        Server.from_url(url)


def test_a_connection_can_be_tried_without_a_mail(channel: Channel, sink: FaultServer) -> None:
    assert channel.check().verdict is Verdict.SENT

    sink.greeting = b"421 4.3.2 too busy"
    assert channel.check() == Outcome(Verdict.RETRY, Phase.HELLO, 421, "4.3.2", "4.3.2 too busy")
