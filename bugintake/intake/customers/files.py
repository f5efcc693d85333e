"""Customers as a CSV file: taking one in, all of it or nothing, and writing one that no spreadsheet runs."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.forms import Seen, clean_line
from bugintake.intake.customers import adding, changing, queries
from bugintake.intake.customers.models import Account, Customer, ExternalId
from bugintake.team.models import LANGUAGES, User
from bugintake.team.workspace import workspace

COLUMNS = ("external_ids", "email", "name", "company", "language", "time_zone", "quiet_until")
FIELDS = {"email": "email", "name": "name", "company": "company", "language": "language"}
FIELDS |= {"time_zone": "zone", "quiet_until": "quiet_until"}
OTHER_NAMES = {"e_mail": "email", "mail": "email", "address": "email", "zone": "time_zone", "account": "company"}
MOST = 2000
LARGEST = 2_000_000
# What a spreadsheet takes for a formula at the beginning of a cell, also in the wide letters of East Asia.
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_WORD = re.compile(r"[^a-z]+")


@dataclass(frozen=True)
class Line:
    """What becomes of one line of a file."""

    number: int
    sentence: str
    is_refused: bool = False


@dataclass(frozen=True)
class Outcome:
    """What becomes of a file: each line's sentence, and the columns that mean nothing here."""

    lines: Sequence[Line]
    left_out: Sequence[str]
    is_kept: bool

    @property
    def refused(self) -> Sequence[Line]:
        """The lines that cannot be taken in."""
        return [line for line in self.lines if line.is_refused]


class _NothingKept(Exception):
    pass


def take_in(text: str, *, dry_run: bool, actor: User | None) -> Outcome:
    """Add and change customers as a file says, found by external id or address; an empty cell changes nothing.

    Opens its own transaction. Where one line is refused, and in a dry run, nothing of it is kept. Records what adding
    and changing record. Raises Invalid for what is no such file.
    """
    rows, left_out = _rows(text)
    lines: list[Line] = []
    try:
        with transaction():
            for number, row in rows:
                try:
                    with db.session.begin_nested():
                        lines.append(Line(number, _take(row, actor)))
                except (Invalid, Conflict) as refusal:
                    lines.append(Line(number, refusal.sentence, is_refused=True))
            if dry_run or any(line.is_refused for line in lines):
                raise _NothingKept
    except _NothingKept:
        return Outcome(lines, left_out, is_kept=False)
    return Outcome(lines, left_out, is_kept=True)


def written_out() -> str:
    """Write every customer as a file that `take_in` reads; what was merged or erased is not there."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    ids: dict[int | None, list[str]] = {}
    for owner, system, value in db.session.execute(
        sa.select(ExternalId.customer_id, ExternalId.system, ExternalId.value)
        .where(ExternalId.customer_id.is_not(None))
        .order_by(ExternalId.system, ExternalId.value)
    ):
        ids.setdefault(owner, []).append(f"{system}: {value}")
    query = (
        sa.select(
            Customer.id,
            Customer.email,
            Customer.name,
            Account.name,
            Customer.language,
            Customer.zone,
            Customer.quiet_until_on,
        )
        .outerjoin(Account, Account.id == Customer.account_id)
        .where(Customer.erased_at.is_(None), Customer.merged_into_id.is_(None))
    )
    for number, *cells in db.session.execute(query.order_by(Customer.id)):
        writer.writerow([guarded(str(cell or "")) for cell in ("; ".join(ids.get(number, [])), *cells)])
    return out.getvalue()


def guarded(cell: str) -> str:
    """Keep a spreadsheet from running a cell as a formula; `take_in` takes the mark off again."""
    return f"'{cell}" if cell.startswith(_RUNS) else cell


def _rows(text: str) -> tuple[list[tuple[int, dict[str, str]]], list[str]]:
    if len(text) > LARGEST:
        raise Invalid("That is more than 2 MB. Take it in in parts.", "text")
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    first = text.split("\n", 1)[0]
    mark = max(",;\t", key=first.count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
        header = [_column(cell) for cell in next(reader, [])]
        found = [
            (reader.line_num, dict(zip(header, map(_plain, cells), strict=False))) for cells in reader if any(cells)
        ]
    except csv.Error as error:
        raise Invalid(f"Line {reader.line_num} is no line of a CSV file: {error}.", "text") from error
    if not {"external_ids", "email", "name"} & set(header):
        raise Invalid(f"The first line names the columns: {', '.join(COLUMNS)}.", "text")
    if len(found) > MOST:
        raise Invalid(f"That is more than {MOST:,} lines. Take it in in parts.", "text")
    return found, [name for name in header if name not in COLUMNS]


def _column(cell: str) -> str:
    name = _WORD.sub("_", cell.strip().lower()).strip("_")
    return OTHER_NAMES.get(name, name)


def _plain(cell: str) -> str:
    cell = cell.removeprefix("'") if cell[:1] == "'" and cell[1:].startswith(_RUNS) else cell
    return clean_line(cell)


def _take(row: Mapping[str, str], actor: User | None) -> str:
    ids = changing.ids_in(row.get("external_ids", ""))
    email = adding.normalise_address(row["email"]) if row.get("email") else None
    customer = _known(ids, email)
    typed: dict[str, Any] = {field: row[name] for name, field in FIELDS.items() if row.get(name)}
    if "language" in typed:
        typed["language"] = _language(typed["language"])
    is_found_by_it = customer is not None and email is not None and adding.customer_with(email) is customer
    if email is None or is_found_by_it:
        typed.pop("email", None)  # they are found by it, perhaps by the one of a record that became theirs
    else:
        typed["email"] = email
    is_new = customer is None
    if customer is None:
        language = typed.get("language") or adding.language_of(email or "", workspace().language)
        customer = adding.add_customer(email=email, name=typed.get("name", ""), language=language, actor=actor)
    if ids:
        mine = {(each.system, each.value) for each in queries.external_ids(customer)}
        typed["ids"] = "\n".join(f"{system}: {value}" for system, value in sorted(mine | set(ids)))
    before = changing.shown_of_customer(customer)
    changes = [name for name, value in typed.items() if value != before[name]]
    changing.change_customer(customer, typed, Seen(), actor=actor)
    if is_new:
        return f"{customer.name} is added."
    return f"{customer.name}: {_listed(changes)} changed." if changes else f"{customer.name} stays as it is."


def _known(ids: changing.Ids, email: str | None) -> Customer | None:
    found = {
        db.session.get_one(Customer, number)
        for system, value in ids
        for number in db.session.scalars(
            sa.select(ExternalId.customer_id).where(
                ExternalId.system == system, ExternalId.value == value, ExternalId.customer_id.is_not(None)
            )
        )
    }
    by_address = adding.customer_with(email) if email is not None else None
    if by_address is not None and not found:
        return by_address
    if len(found) > 1 or (by_address is not None and by_address not in found):
        raise Conflict("Its numbers and its address are those of several customers. Merge them first.")
    return next(iter(found), None)


def _language(text: str) -> str:
    code = text.lower().replace("_", "-").partition("-")[0]
    named = {name.lower(): code for code, name in LANGUAGES.items()}
    return named.get(text.lower(), code)


def _listed(names: Iterable[str]) -> str:
    words = {"ids": "numbers", "zone": "time zone", "quiet_until": "quiet until", "email": "address"}
    return ", ".join(words.get(name, name) for name in names)
