"""A client that costs next to nothing, so that the server is measured and not its visitor."""

import http.client
import multiprocessing
import re
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from statistics import quantiles
from urllib.parse import urlencode

Requests = Callable[[int], Iterator[bytes]]


@dataclass(frozen=True)
class Measured:
    """What came of some seconds of asking."""

    latencies: list[float]
    failed: int
    seconds: float

    @property
    def per_second(self) -> float:
        """How many requests were answered as they should, each second."""
        return len(self.latencies) / self.seconds

    def percentile(self, percent: int) -> float:
        """Milliseconds within which so many percent were answered."""
        if len(self.latencies) < 2:
            return self.latencies[0] * 1000 if self.latencies else float("nan")
        return quantiles(self.latencies, n=100, method="inclusive")[percent - 1] * 1000


def together(rounds: Sequence[Measured]) -> Measured:
    """Take several rounds of the same for one."""
    latencies = [each for found in rounds for each in found.latencies]
    return Measured(latencies, sum(found.failed for found in rounds), sum(found.seconds for found in rounds))


class Line:
    """One kept-open connection that speaks just enough HTTP."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket = self._open()

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request and return the status and the body."""
        try:
            self._socket.sendall(request)
            return self._read()
        except (OSError, ValueError):
            self._socket.close()
            self._socket = self._open()
            return 0, b""

    def _open(self) -> socket.socket:
        opened = socket.create_connection(("127.0.0.1", self._port), timeout=30)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened

    def _read(self) -> tuple[int, bytes]:
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._more()
        head, body = received[:end].lower(), received[end + 4 :]
        status = int(head[9:12])
        if b"transfer-encoding: chunked" in head:
            while not body.endswith(b"0\r\n\r\n"):
                body += self._more()
            return status, body
        found = re.search(rb"content-length: (\d+)", head)
        length = int(found[1]) if found and status != 304 else 0
        while len(body) < length:
            body += self._more()
        return status, body

    def _more(self) -> bytes:
        found = self._socket.recv(1 << 18)
        if not found:
            raise ConnectionError
        return found


class Visitor:
    """Somebody signed in, who can put requests together."""

    def __init__(self, port: int, cookie: str = "") -> None:
        self.port, self.cookie, self.token = port, cookie, ""

    def sign_in(self, email: str, password: str) -> None:
        """Sign in as a browser does, and keep the cookie and a form token."""
        page = self.fetch("GET", "/login")[2]
        form = {"csrf_token": token_in(page), "email": email, "password": password}
        status, _, page = self.fetch("POST", "/login", form)
        if status not in (302, 303):
            raise RuntimeError(f"Signing in answered {status}: {page[:500]}")
        self.token = token_in(self.fetch("GET", "/new")[2])

    def fetch(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, dict[str, str], str]:
        """Make one request in the ordinary way."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            body = urlencode(form) if form is not None else None
            headers = {"Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded"}
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            kept = dict(pair.split("=", 1) for pair in self.cookie.split("; ") if pair)
            for name, value in answer.getheaders():
                if name.lower() == "set-cookie":
                    key, _, rest = value.partition("=")
                    kept[key] = rest.split(";", 1)[0]
            self.cookie = "; ".join(f"{name}={value}" for name, value in kept.items())
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()

    def get(self, path: str, **headers: str) -> bytes:
        """Put a GET together."""
        more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nCookie: {self.cookie}\r\n{more}\r\n".encode()

    def post(self, path: str, form: dict[str, str]) -> bytes:
        """Put a POST with its form token together."""
        body = urlencode({"csrf_token": self.token, **form}).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nCookie: {self.cookie}\r\n"
            f"Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def token_in(page: str) -> str:
    """Find the form token of a page."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    return found[1] if found else ""


def measure(port: int, requests: Requests, good: set[int], clients: range, seconds: float) -> Measured:
    """Let the clients of these numbers ask for some seconds, each in a process of its own, after a short warm-up."""
    context = multiprocessing.get_context("fork")
    pipes, children = [], []
    for number in clients:
        mine, theirs = context.Pipe(duplex=False)
        child = context.Process(target=_ask, args=(port, requests(number), good, seconds, theirs))
        child.start()
        theirs.close()
        pipes.append(mine)
        children.append(child)
    latencies, failed = [], 0
    for pipe, child in zip(pipes, children, strict=True):
        found, lost = pipe.recv()
        latencies += found
        failed += lost
        child.join()
    return Measured(latencies, failed, seconds)


def _ask(port: int, requests: Iterator[bytes], good: set[int], seconds: float, answer: Pipe) -> None:
    line = Line(port)
    latencies: list[float] = []
    failed = 0
    warm_until = time.perf_counter() + min(0.5, seconds / 4)
    for request in requests:
        line.ask(request)
        if time.perf_counter() > warm_until:
            break
    end = time.perf_counter() + seconds
    for request in requests:
        start = time.perf_counter()
        if start >= end:
            break
        status, _ = line.ask(request)
        if status in good:
            latencies.append(time.perf_counter() - start)
        else:
            failed += 1
    answer.send((latencies, failed))
