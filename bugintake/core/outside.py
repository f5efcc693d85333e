"""Asking servers outside: never one inside, whatever a name leads to, for no longer and no more than is allowed."""

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple
from urllib.parse import urlsplit

SECONDS = 8.0
MOST_BYTES = 512 * 1024
MOST_OF_RECEIPT = 64 * 1024
LONGEST_ADDRESS = 1000
# `ipaddress.is_global` lets some of these through, and changes with Python: the table is ours.
INSIDE = [
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),  # Teredo, examples, 6to4, examples
    )
]
WHY: Mapping[type[Exception], str] = {
    socket.gaierror: ": nobody knows its name",
    ssl.SSLCertVerificationError: ": its certificate is not valid",
    ConnectionRefusedError: ": nobody listens there",
    TimeoutError: " in time",
}
PUBLIC_IPV6 = ipaddress.IPv6Network("2000::/3")
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Refused(Exception):
    """A server that is not asked, with the reason in words."""


class Unreachable(Exception):
    """A server that did not answer, or not as it should, with the reason in words.

    `was_asked` says whether it may have got the question.
    """

    def __init__(self, reason: str, *, was_asked: bool = False) -> None:
        super().__init__(reason)
        self.was_asked = was_asked


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    body: bytes


class Receipt(NamedTuple):
    """That a server was told something: its status, and when it may be asked again as it says that."""

    status: int
    retry_after: str


def check(url: str, schemes: Sequence[str] = ("https", "http")) -> None:
    """Refuse what is no address of a server, or says by itself that it leads inside; a name is not looked up yet.

    Raises Refused.
    """
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in schemes and parts.hostname and parts.port != 0 and parts.username is None
    except ValueError:
        is_address = False
    if not is_address or len(url) > LONGEST_ADDRESS or not url.isascii():
        raise Refused(f"Enter an address that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}.")
    if _says_inside(host := str(parts.hostname)):
        raise Refused(_leads_inside(host))


def fetch(url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> Answer:
    """Ask a server for a page, or post it something, and follow no redirect.

    The name is resolved once, every address it has is checked, and the one that was checked is connected to: a name
    that leads elsewhere a moment later changes nothing. Raises Refused for an address inside, Unreachable for a server
    that does not answer in SECONDS, answers more than MOST_BYTES or is not who it says.
    """
    with _asked(url, headers, body) as (answer, is_over):
        page = answer.read(MOST_BYTES + 1)
        if is_over():  # cut off, it looks like an answer that is complete
            raise TimeoutError
    if len(page) > MOST_BYTES:
        raise Unreachable(f"{urlsplit(url).hostname} answers more than is read.", was_asked=True)
    return Answer(answer.status, page)


def tell(url: str, headers: Mapping[str, str], body: bytes) -> Receipt:
    """Post something to a server that is asked for nothing: what it answers is read a little, and dropped.

    Connects and raises as fetch. Once its status is known, no answer is too long or too slow.
    """
    with _asked(url, headers, body) as (answer, _):
        with suppress(OSError, http.client.HTTPException):
            answer.read(MOST_OF_RECEIPT)
        return Receipt(answer.status, answer.headers.get("Retry-After", ""))


@contextmanager
def _asked(
    url: str, headers: Mapping[str, str] | None, body: bytes | None
) -> Iterator[tuple[http.client.HTTPResponse, Callable[[], bool]]]:
    """Ask a server, let what it answers be read until time is over, and tell whether it is."""
    check(url)
    parts = urlsplit(url)
    host, is_https = str(parts.hostname), parts.scheme == "https"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    asked = {"User-Agent": "bugintake", "Connection": "close", **(headers or {})}
    was_asked = False
    is_over: Callable[[], bool] = bool
    try:
        port = parts.port or (443 if is_https else 80)
        with _connected(_checked(host, port), port) as (plain, is_over):
            connection = http.client.HTTPConnection(host, port)
            secure = ssl.create_default_context()
            connection.sock = secure.wrap_socket(plain, server_hostname=host) if is_https else plain
            was_asked = True
            connection.request("GET" if body is None else "POST", target, body, headers=asked)
            answer = connection.getresponse()
            if is_over():  # cut off, its head looks complete
                raise TimeoutError
            yield answer, is_over
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(
            f"{host} does not answer{_why(TimeoutError() if is_over() else error)}.", was_asked=was_asked
        ) from error


def _why(error: Exception) -> str:
    """Say why a server does not answer, where that helps whoever looks after it."""
    found = (words for kind, words in WHY.items() if isinstance(error, kind))
    return next(found, "")


def is_public(address: str) -> bool:
    """Whether an address is one of the internet, and no way back into this network."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found in NAT64:
            return is_public(str(ipaddress.IPv4Address(found.packed[-4:])))
        if found.ipv4_mapped is not None:
            return is_public(str(found.ipv4_mapped))
        if found not in PUBLIC_IPV6:
            return False
    return not any(found in network for network in INSIDE if network.version == found.version)


def addresses_of(host: str, port: int) -> list[str]:
    """Ask the resolver where a name leads; it also reads what only looks like a name, such as 2130706433."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _checked(host: str, port: int) -> str:
    found = addresses_of(host, port)
    if not found or not all(is_public(address) for address in found):
        raise Refused(_leads_inside(host))
    return found[0]


def _says_inside(host: str) -> bool:
    """Whether a host is this machine's name, or a number of this network as the resolver reads numbers."""
    if f".{host.rstrip('.')}".endswith(".localhost"):
        return True
    try:
        found = socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)
    except OSError:
        return False
    return not all(is_public(str(each[4][0])) for each in found)


def _leads_inside(host: str) -> str:
    return f"{host} leads into this network, so it is not asked."


@contextmanager
def _connected(address: str, port: int) -> Iterator[tuple[socket.socket, Callable[[], bool]]]:
    """Connect for SECONDS in all, whatever trickles in, and tell whether they are over."""
    plain = socket.create_connection((address, port), timeout=SECONDS)
    same = plain.dup()  # TLS takes the other one over
    over = threading.Event()

    def cut() -> None:
        over.set()
        same.shutdown(socket.SHUT_RDWR)

    end = threading.Timer(SECONDS, cut)
    end.daemon = True
    end.start()
    try:
        yield plain, over.is_set
    finally:
        end.cancel()
        same.close()
        plain.close()
