"""Receivers that misbehave, over real connections with TLS: each is left in time, and none of it is shown (F-H1)."""

import gzip
import time
from datetime import timedelta

import pytest
import trustme

from bugintake.core import outside
from bugintake.core.db import transaction
from bugintake.loop.webhooks import outgoing, sending
from tests.factories import make_bug
from tests.loop.webhooks.receiver import deliveries, server_context, serving, states, work

pytestmark = pytest.mark.long_on("postgres")

HOST = "hooks.example.com"
SECONDS = 1.0


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def internet(monkeypatch, tmp_path, authority):
    """127.0.0.1 stands for the internet, where every name leads, and 127.0.0.2 for this network."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setattr(outside, "SECONDS", SECONDS)
    monkeypatch.setattr(outside, "is_public", lambda address: address == "127.0.0.1")
    monkeypatch.setattr(outside, "addresses_of", lambda _host, _port: ["127.0.0.1"])


def http(status, body=b"", headers=""):
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def says(answer):
    return lambda connection, _done: connection.sendall(answer)


def late(connection, done):
    done.wait(29)


def endless(connection, done):
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not done.is_set():
        endless.sent += len(b"x" * 8192)
        connection.sendall(b"x" * 8192)


def endless_headers(connection, done):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not done.wait(0.05):
        connection.sendall(b"X: y\r\n")


def slow_body(connection, done):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n")
    while not done.wait(0.05):
        connection.sendall(b"x")


BOMB = gzip.compress(b"\0" * 50_000_000)
TAKEN, TRIED_AGAIN = "sent", "pending"


@pytest.mark.fault("F-H1")
@pytest.mark.parametrize(
    ("answer", "ended"),
    [
        (late, (TRIED_AGAIN, None, f"{HOST} does not answer in time.")),
        (says(http(200)), (TAKEN, 200, "")),
        (says(http(301, headers="Location: https://127.0.0.1:1/\r\n")), (TRIED_AGAIN, 301, "")),
        (says(http(410)), ("failed", 410, "")),
        (says(http(429, headers="Retry-After: 3600\r\n")), (TRIED_AGAIN, 429, "")),
        (says(http(500, b"secret-body")), (TRIED_AGAIN, 500, "")),
        (says(http(200, BOMB, "Content-Encoding: gzip\r\n")), (TAKEN, 200, "")),
        (endless, (TAKEN, 200, "")),
        (endless_headers, (TRIED_AGAIN, None, f"{HOST} does not answer in time.")),
        (slow_body, (TAKEN, 200, "")),
        (says(b""), (TRIED_AGAIN, None, f"{HOST} does not answer.")),
        (says(b"SSH-2.0-OpenSSH\r\n"), (TRIED_AGAIN, None, f"{HOST} does not answer.")),
        (
            says(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n"),
            (TRIED_AGAIN, None, f"{HOST} does not answer."),
        ),
    ],
    ids=lambda it: getattr(it, "__name__", None) or str(it[:2]),
)
def test_f_h1_a_receiver_is_left_in_time_and_what_it_says_is_kept_by_its_number_alone(
    internet, make_webhook, authority, answer, ended
):
    endless.sent = 0
    with serving(server_context(authority, HOST), answer) as (port, got):
        make_webhook("bug.filed", url=f"https://{HOST}:{port}/secret-part")
        make_bug()
        started = time.monotonic()
        work()
        took = time.monotonic() - started

    assert states() == [ended]
    assert took < SECONDS + 2
    assert len(got) == 1
    assert got[0].startswith(b"POST /secret-part HTTP/1.1\r\n")
    assert endless.sent < 4_000_000  # what lies in the buffers of both ends counts too


@pytest.mark.fault("F-H1")
def test_f_h1_ten_times_500_is_one_number_and_then_taken(internet, make_webhook, authority, clock):
    answers = [http(500)] * 10 + [http(200)]
    with serving(server_context(authority, HOST), lambda it, _: it.sendall(answers.pop(0))) as (port, got):
        make_webhook("bug.filed", url=f"https://{HOST}:{port}/")
        make_bug()
        for _ in range(11):
            work()
            clock.advance(timedelta(hours=2))

    numbers = {line for each in got for line in each.split(b"\r\n") if line.lower().startswith(b"webhook-id:")}
    assert (len(got), len(numbers), states()) == (11, 1, [("sent", 200, "")])


@pytest.mark.fault("F-H1")
@pytest.mark.parametrize("host", ["other.example.com", HOST])
def test_f_h1_whoever_does_not_prove_who_it_is_is_told_nothing(internet, make_webhook, authority, host):
    """Another's certificate, and one that nobody vouches for."""
    context = server_context(authority if host != HOST else trustme.CA(), host)
    with serving(context, says(http(200))) as (port, got):
        make_webhook("bug.filed", url=f"https://{HOST}:{port}/")
        make_bug()
        work()

    assert (got, states()) == ([], [("pending", None, f"{HOST} does not answer: its certificate is not valid.")])


@pytest.mark.fault("F-H1")
def test_f_h1_where_nobody_listens_any_more_it_is_tried_again(internet, make_webhook, authority):
    with serving(server_context(authority, HOST), says(http(200))) as (port, got):
        pass
    make_webhook("bug.filed", url=f"https://{HOST}:{port}/")
    make_bug()
    work()

    assert (got, states()) == ([], [("pending", None, f"{HOST} does not answer: nobody listens there.")])


def test_a_44_a_name_that_leads_inside_by_now_is_told_nothing(internet, make_webhook, authority, monkeypatch):
    with serving(server_context(authority, HOST), says(http(200))) as (port, got):
        make_webhook("bug.filed", url=f"https://{HOST}:{port}/")
        monkeypatch.setattr(outside, "addresses_of", lambda _host, _port: ["127.0.0.1", "127.0.0.2"])
        make_bug()
        work()

    assert (got, states()) == ([], [("pending", None, f"{HOST} leads into this network, so it is not asked.")])


def test_while_one_is_told_no_transaction_is_open(app, internet, make_webhook, authority):
    """Somebody who is slow keeps nobody from writing: the receiver itself has something queued before it answers."""

    def queues(connection, _done):
        with app.app_context(), transaction():
            outgoing.queue_test(outgoing.webhook_or_404(number))
        connection.sendall(http(200))

    with serving(server_context(authority, HOST), queues) as (port, got):
        number = make_webhook("bug.filed", url=f"https://{HOST}:{port}/").id
        make_bug()
        sending.send_one()

    assert (len(got), [each.topic.value for each in deliveries()]) == (1, ["bug.filed", "test"])
