"""Servers outside are asked, those inside never: with real sockets, and a resolver that says what the test wants.

127.0.0.1 stands for the internet and 127.0.0.2 for this network.
"""

import socket
import threading
from contextlib import contextmanager

import pytest

from bugintake.core import outside
from bugintake.core.outside import Refused, Unreachable, fetch, tell

PUBLIC, INSIDE = "127.0.0.1", "127.0.0.2"
PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@contextmanager
def serving(address, *chunks, port=0):
    """Answer every connection with some bytes, and collect what was asked."""
    asked, done = [], threading.Event()
    with socket.create_server((address, port)) as server:
        server.settimeout(0.05)

        def serve():
            while not done.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                with connection:
                    asked.append(connection.recv(4096))
                    for chunk in chunks:
                        try:
                            connection.sendall(chunk)
                        except OSError:
                            break
                        done.wait(0.05 if len(chunks) > 1 else 0)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1], asked
        finally:
            done.set()
            thread.join()


@pytest.fixture(autouse=True)
def _internet(monkeypatch):
    monkeypatch.setattr(outside, "is_public", lambda address: address == PUBLIC)


@pytest.fixture
def leads_to(monkeypatch):
    """Let every name lead to some addresses, at each question the next ones."""

    def lead(*answers):
        left = list(answers)
        monkeypatch.setattr(outside, "addresses_of", lambda _host, _port: left.pop(0) if len(left) > 1 else left[0])

    return lead


def test_a_server_outside_is_asked_under_its_name(leads_to):
    leads_to([PUBLIC])
    with serving(PUBLIC, PAGE) as (port, asked):
        answer = fetch(f"http://tracker.example:{port}/1?x=2", {"Accept": "application/json"})

    assert answer == (200, b"hi")
    assert asked[0].startswith(f"GET /1?x=2 HTTP/1.1\r\nHost: tracker.example:{port}\r\n".encode())
    assert b"\r\nAccept: application/json\r\n" in asked[0]


def test_a_server_outside_is_posted_to(leads_to):
    leads_to([PUBLIC])
    with serving(PUBLIC, PAGE) as (port, asked):
        answer = fetch(f"http://chat.example:{port}/hook", {"Content-Type": "application/json"}, b'{"text": "hi"}')

    assert answer == (200, b"hi")
    assert asked[0].startswith(b"POST /hook HTTP/1.1\r\n")
    assert b"\r\nContent-Length: 14\r\n" in asked[0]


@pytest.mark.parametrize("body", [b"hi", b"x" * 100_000])
def test_a_server_that_is_told_something_is_heard_for_its_status_and_wish_alone(leads_to, body):
    leads_to([PUBLIC])
    answer = b"HTTP/1.1 429 Busy\r\nRetry-After: 90\r\n\r\n" + body
    with serving(PUBLIC, answer) as (port, asked):
        assert tell(f"http://hooks.example:{port}/x", {"webhook-id": "msg_1"}, b"{}") == (429, "90")

    assert asked[0].startswith(b"POST /x HTTP/1.1\r\n")
    assert b"\r\nwebhook-id: msg_1\r\n" in asked[0]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (socket.gaierror(), "x.example does not answer: nobody knows its name."),
        (ConnectionRefusedError(), "x.example does not answer: nobody listens there."),
        (TimeoutError(), "x.example does not answer in time."),
        (OSError(), "x.example does not answer."),
    ],
)
def test_why_a_server_does_not_answer_is_said_in_words(monkeypatch, error, words):
    def fail(_host, _port):
        raise error

    monkeypatch.setattr(outside, "addresses_of", fail)
    with pytest.raises(Unreachable) as unreachable:
        fetch("http://x.example/")

    assert str(unreachable.value) == words


def test_whether_a_server_may_have_got_the_question_is_said(leads_to):
    leads_to([PUBLIC])
    with serving(PUBLIC, b"nonsense") as (port, _), pytest.raises(Unreachable) as cut_off:
        fetch(f"http://chat.example:{port}/", body=b"{}")
    with pytest.raises(Unreachable) as refused:
        fetch(f"http://chat.example:{port}/", body=b"{}")

    assert (cut_off.value.was_asked, refused.value.was_asked) == (True, False)


@pytest.mark.parametrize("addresses", [[INSIDE], [PUBLIC, INSIDE], [INSIDE, PUBLIC], []])
def test_a_name_that_leads_inside_is_refused_before_anything_is_sent(leads_to, addresses):
    leads_to(addresses)
    inside, refused = serving(INSIDE, PAGE), pytest.raises(Refused, match="leads into this network")
    with inside as (port, asked), serving(PUBLIC, PAGE, port=port) as (_, asked_outside), refused:
        fetch(f"http://tracker.example:{port}/")

    assert (asked, asked_outside) == ([], [])


def test_a_name_that_leads_inside_a_moment_later_is_asked_where_it_was_checked(leads_to):
    leads_to([PUBLIC], [INSIDE])
    with serving(INSIDE, PAGE) as (port, asked), serving(PUBLIC, PAGE, port=port) as (_, asked_outside):
        fetch(f"http://tracker.example:{port}/")

    assert (asked, len(asked_outside)) == ([], 1)


def test_each_question_is_checked_anew(leads_to):
    leads_to([PUBLIC], [INSIDE])
    with serving(PUBLIC, PAGE) as (port, asked):
        fetch(f"http://tracker.example:{port}/")
        with pytest.raises(Refused):
            fetch(f"http://tracker.example:{port}/")

    assert len(asked) == 1


def test_a_redirect_is_not_followed(leads_to):
    leads_to([PUBLIC])
    with serving(INSIDE, PAGE) as (port, asked):
        away = f"HTTP/1.1 302 Found\r\nLocation: http://{INSIDE}:{port}/\r\nContent-Length: 0\r\n\r\n".encode()
        with serving(PUBLIC, away, port=port):
            assert fetch(f"http://tracker.example:{port}/") == (302, b"")

    assert asked == []


@pytest.mark.parametrize(
    "url", ["ftp://x.example/", "file:///etc/passwd", "//x.example/", "http://", "https://user@x.example/"]
)
def test_what_is_no_plain_web_address_is_refused(leads_to, url):
    leads_to([PUBLIC])
    with pytest.raises(Refused):
        fetch(url)


def test_more_than_is_read_is_no_answer(leads_to, monkeypatch):
    leads_to([PUBLIC])
    monkeypatch.setattr(outside, "MOST_BYTES", 1)
    with serving(PUBLIC, PAGE) as (port, _), pytest.raises(Unreachable, match="more than is read"):
        fetch(f"http://tracker.example:{port}/")


def test_a_server_that_sends_a_byte_at_a_time_is_left(leads_to, monkeypatch):
    leads_to([PUBLIC])
    monkeypatch.setattr(outside, "SECONDS", 0.3)
    drops = [b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 90]
    with serving(PUBLIC, *drops) as (port, _), pytest.raises(Unreachable, match="does not answer"):
        fetch(f"http://tracker.example:{port}/")


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\n" + b"x" * 70_000])
def test_what_is_no_web_server_does_not_answer(leads_to, answer):
    leads_to([PUBLIC])
    with serving(PUBLIC, answer) as (port, _), pytest.raises(Unreachable):
        fetch(f"http://tracker.example:{port}/")


def test_https_wants_a_certificate(leads_to):
    leads_to([PUBLIC])
    with serving(PUBLIC, PAGE) as (port, asked), pytest.raises(Unreachable):
        fetch(f"https://tracker.example:{port}/")

    assert not asked[0].startswith(b"GET")


def test_nobody_there_does_not_answer(leads_to):
    leads_to([PUBLIC])
    with serving(PUBLIC, PAGE) as (port, _):
        pass
    with pytest.raises(Unreachable):
        fetch(f"http://tracker.example:{port}/")


class TestAddresses:
    """Which addresses are inside, as they are and in disguise."""

    @pytest.fixture(autouse=True)
    def _internet(self):
        """Ask the guard itself."""

    @pytest.mark.parametrize(
        "address",
        [
            *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "100.64.0.1", "169.254.169.254", "172.31.255.255"),
            *("192.168.1.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "::7f00:1", "::ffff:127.0.0.1"),
            *("64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::1", "fe80::1%eth0", "fec0::1", "fd00::1", "ff02::1"),
        ],
    )
    def test_inside(self, address):
        assert not outside.is_public(address)

    @pytest.mark.parametrize(
        "address", ["140.82.121.5", "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]
    )
    def test_outside(self, address):
        assert outside.is_public(address)

    @pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f000001", "127.1", "0", "localhost", "[::1]"])
    def test_what_the_resolver_reads_as_this_machine_is_refused(self, host):
        with serving("127.0.0.1", PAGE) as (port, asked), pytest.raises(Refused):
            fetch(f"http://{host}:{port}/")

        assert asked == []
