"""What people do, as requests: with a person signed in, and as a bare route over the same rows."""

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count as counting
from itertools import cycle
from urllib.parse import quote_plus, urlencode

from bench import seeding
from bench.client import Requests, Visitor

CLIENTS = 8


@dataclass(frozen=True)
class Operation:
    """Something people do, what is hoped for, and the bare route it is held against.

    `goal_times` is what its p95 may be of `empty`, which writes the same rows through the same models and asks
    nothing. Ranking alone may cost more with more bugs.
    """

    name: str
    requests: Requests
    limit: Requests | None = None
    good: tuple[int, ...] = (200,)
    goal_ms: float | None = None
    goal_rate: float | None = None
    goal_ratio: float | None = None
    empty: Requests | None = None
    goal_times: float | None = None
    goal_p95_ms: float | None = None
    grows: bool = True


def operations(seeded: seeding.Seeded, visitor: Visitor) -> list[Operation]:
    """List what is measured, the growing ones last."""
    listed, board = f"/bugs?area={seeded.area_id}", f"/board?area={seeded.area_id}"
    tag = visitor.fetch("GET", "/board")[1].get("etag", "")
    whole = "/board?" + "&".join(f"more={status}:1000" for status in seeding.OPEN)
    chosen = f"/new/similar?area={seeded.area_id}&symptom={seeded.choices['symptom']}"
    told = [seeding.title_of(bug).rpartition(" (")[0] for bug in seeded.open_bugs[:100]]
    look_alikes = [f"{chosen}&text={quote_plus(text)}" for text in told]
    names = [seeding.name_of(number) for number in range(1, seeded.customers, max(1, seeded.customers // 100))]
    beginnings = [name[: 3 + place % 7] for place, name in enumerate(names)]  # from "Bad" to "Badego Mi"
    typed = [f"/customers/suggestions?q={quote_plus(each)}" for each in beginnings]
    words = "/bugs?q=VAT+line"
    areas = ".".join(str(seeded.area_id + number) for number in range(20))  # so many that they fill a page at any size
    fields = f"/bugs?area={areas}&status=live&q=%22vat+line%22"
    together = f"/bugs?platform={seeded.choices['platform']}&account=1"
    suggested = [f"/search/suggestions?q={text}" for text in ("tax", "area:are", "account:be", "vat+li")]
    name = seeding.name_of(seeded.customers // 2).split()
    begun = [f"/palette?q={quote_plus(text)}" for text in ("v", "vat", "vat li", "142", name[0], " ".join(name)[:-1])]
    allowed = 120 if seeded.count <= 50_000 else 300
    rows = f"/rows/list/{seeded.area_id}"
    return [
        Operation("board of one area, 50 cards", asks(visitor, board), asks(None, rows), (200,), 5, 500, 0.25),
        Operation("list of one area, 50 bugs", asks(visitor, listed), asks(None, rows), (200,), 5, 500, 0.25),
        Operation(
            "search for words in titles",
            asks(visitor, words),
            asks(None, "/rows/titles/0"),
            (200,),
            8,
            300,
            0.15,
            goal_p95_ms=100,
        ),
        Operation("search for a phrase and by fields", asks(visitor, fields), None, (200,), goal_p95_ms=100),
        Operation("list of what is live", asks(visitor, "/bugs?status=live"), None, (200,), goal_p95_ms=100),
        Operation("list of one platform and company", asks(visitor, together), None, (200,), goal_p95_ms=100),
        Operation("search suggestions", asks(visitor, *suggested), None, (200,), goal_p95_ms=100),
        Operation("palette while typing", asks(visitor, *begun), None, (200,), goal_p95_ms=50),
        Operation("board with 500 cards", asks(visitor, whole), asks(None, "/rows/board/500"), (200,), 25),
        Operation("unchanged board (304)", asks(visitor, "/board", tag=tag), None, (304,), 2),
        Operation(
            "bug page with 20 reports",
            asks(visitor, f"/bugs/BUG-{seeded.big_bug}"),
            asks(None, f"/rows/reports/{seeded.big_bug}"),
            (200,),
            4,
            600,
            0.3,
        ),
        Operation("search for a customer", asks(visitor, *typed), None, (200,), goal_p95_ms=50, grows=False),
        Operation("look-alikes", asks(visitor, *look_alikes), None, (200,), goal_p95_ms=allowed, grows=False),
        Operation("change a status", moves(seeded, visitor), commits(2), (302, 303), 6, 400, 0.2),
        # A bug, its report, its event and its words.
        Operation(
            "file a bug", filings(seeded, visitor), commits(4), (302, 303), 6, 400, 0.2, empty_filings(seeded), 3
        ),
    ]


def asks(visitor: Visitor | None, *paths: str, tag: str = "") -> Requests:
    """Ask for the same pages again and again."""
    if visitor is None:
        each = [f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode() for path in paths]
    else:
        each = [visitor.get(path, If_None_Match=tag) if tag else visitor.get(path) for path in paths]

    def requests(_number: int) -> Iterator[bytes]:
        return cycle(each)

    return requests


def moves(seeded: seeding.Seeded, visitor: Visitor) -> Requests:
    """Begin to work on bugs of one's own, and put them down again."""

    def requests(number: int) -> Iterator[bytes]:
        everybody = CLIENTS + 1
        mine = [bug for bug in seeded.open_bugs if bug // 3 % everybody == number and bug % 3]
        while True:
            for bug in mine:
                verbs = ("work", "rest") if bug % 3 == 1 else ("rest", "work")
                for verb in verbs:
                    yield visitor.post(f"/bugs/BUG-{bug}/{verb}", {})

    return requests


def filings(seeded: seeding.Seeded, visitor: Visitor) -> Requests:
    """File one new bug after the other."""

    def requests(number: int) -> Iterator[bytes]:
        for each in counting():
            customer = (number * 7919 + each) % seeded.customers + 1
            choices = {name: str(value) for name, value in seeded.choices.items() if name != "decline_reason"}
            texts = {"steps": "1. Open it\n2. Look", "actual": f"It fails, {each}.", "expected": "It works."}
            told = {"customer": f"c{customer}@customer.example", "customer_id": str(customer)}
            key = f"bench-{os.getpid()}-{number}-{each}-{time.time_ns()}"
            yield visitor.post("/new", {**told, **choices, **texts, "key": key})

    return requests


def empty_filings(seeded: seeding.Seeded) -> Requests:
    """Write the rows of one new bug after the other."""
    return posts("/filings", {"text": "It fails when one opens it.", **seeded.choices})


def commits(rows: int) -> Requests:
    """Commit so many rows, and do nothing else."""
    return posts(f"/commits/{rows}", {"text": "x" * 300})


def posts(path: str, told: Mapping[str, str | int]) -> Requests:
    """Send the same form to the bare app again and again."""
    body = urlencode(told).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def requests(_number: int) -> Iterator[bytes]:
        while True:
            yield request

    return requests
