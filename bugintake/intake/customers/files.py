"""Customers and companies as a CSV file: taking one in, and writing one that no spreadsheet runs."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.forms import Seen, clean_line
from bugintake.intake.customers import adding, changing, queries
from bugintake.intake.customers.models import Account, Customer, ExternalId
from bugintake.team.models import LANGUAGES, User
from bugintake.team.workspace import workspace

OF_COMPANY = ("plan", "own_version", "company_looked_after_by", "company_ids", "company_quiet_until")
COLUMNS = ("external_ids", "email", "name", "company", "language", "time_zone", "quiet_until", *OF_COMPANY)
FIELDS = {"email": "email", "name": "name", "company": "company", "language": "language"}
FIELDS |= {"time_zone": "zone", "quiet_until": "quiet_until"}
OTHER_NAMES = {"e_mail": "email", "mail": "email", "address": "email", "zone": "time_zone", "account": "company"}
COMPANY_FIELDS = {
    "plan": "plan",
    "own_version": "own_version",
    "company_looked_after_by": "owner",
    "company_ids": "ids",
    "company_quiet_until": "quiet_until",
}
MOST = 2000  # lines on a page; a command may take any number
LARGEST = 2_000_000
BATCH = 100  # lines in a transaction, so that nobody who files waits for a whole file
BY_COMMAND = "Take it in in parts, or all of it by `bugintake import customers FILE`."
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
    """What becomes of a file: each line's sentence, the columns that mean nothing here, and whether it was kept.

    What was kept leaves out the lines that were refused only then.
    """

    lines: Sequence[Line]
    left_out: Sequence[str]
    is_kept: bool

    @property
    def refused(self) -> Sequence[Line]:
        """The lines that cannot be taken in."""
        return [line for line in self.lines if line.is_refused]


class _NothingKept(Exception):
    pass


def take_in(text: str, *, dry_run: bool, actor: User | None, most: int | None = MOST) -> Outcome:
    """Add and change customers and companies as a file says; an empty cell changes nothing.

    People are found by external id or address, companies by name. Opens transactions of its own, one for each hundred
    lines. All of them are tried first: where one is refused, and in a dry run, nothing is kept. Where somebody changes
    something in between, a line may be refused only then, and the others are kept. Records what adding and changing
    record. Raises Invalid for what is no such file, and for more than `most` lines.
    """
    rows, left_out = _rows(text, most)
    tried = _each(rows, actor, keeps=False)
    if dry_run or any(line.is_refused for line in tried):
        return Outcome(tried, left_out, is_kept=False)
    return Outcome(_each(rows, actor, keeps=True), left_out, is_kept=True)


def _each(rows: Sequence[tuple[int, dict[str, str]]], actor: User | None, *, keeps: bool) -> list[Line]:
    lines: list[Line] = []
    for start in range(0, len(rows), BATCH):
        with suppress(_NothingKept), transaction():
            lines += [_line(number, row, actor) for number, row in rows[start : start + BATCH]]
            if not keeps:
                raise _NothingKept
    return lines


def _line(number: int, row: Mapping[str, str], actor: User | None) -> Line:
    try:
        with db.session.begin_nested():
            return Line(number, _take(row, actor))
    except (Invalid, Conflict) as refusal:
        return Line(number, refusal.sentence, is_refused=True)


def written_out() -> str:
    """Write every customer and company as a file that `take_in` reads; what was merged or erased is not there."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    people, companies = _numbers(ExternalId.customer_id), _numbers(ExternalId.account_id)
    query = (
        sa.select(
            Customer.id,
            Customer.email,
            Customer.name,
            Account.name,
            Customer.language,
            Customer.zone,
            Customer.quiet_until_on,
            Account.plan,
            Account.runs_own_version,
            User.email,
            Account.id,
            Account.quiet_until_on,
        )
        .outerjoin(Account, Account.id == Customer.account_id)
        .outerjoin(User, User.id == Account.owner_id)
        .where(Customer.erased_at.is_(None), Customer.merged_into_id.is_(None))
    )
    for number, *cells, own, owner, account_id, quiet in db.session.execute(query.order_by(Customer.id)):
        own = changing.YES if own else ""
        _write(writer, people.get(number), *cells, own, owner, companies.get(account_id), quiet)
    has_people = sa.exists().where(
        Customer.account_id == Account.id, Customer.erased_at.is_(None), Customer.merged_into_id.is_(None)
    )
    alone = sa.select(Account).where(Account.merged_into_id.is_(None), ~has_people).order_by(Account.id)
    for each in db.session.scalars(alone.options(joinedload(Account.owner))):
        own, owner = changing.YES if each.runs_own_version else "", each.owner.email if each.owner else ""
        words = (each.name, None, None, None, each.plan, own, owner, companies.get(each.id), each.quiet_until_on)
        _write(writer, None, None, None, *words)
    return out.getvalue()


def _write(writer: Any, *cells: object) -> None:
    writer.writerow([guarded(str(cell or "")) for cell in cells])


def _numbers(owner: Any) -> dict[int, str]:
    query = sa.select(owner, ExternalId.system, ExternalId.value).where(owner.is_not(None))
    found: dict[int, list[str]] = {}
    for number, system, value in db.session.execute(query.order_by(ExternalId.system, ExternalId.value)):
        found.setdefault(number, []).append(f"{system}: {value}")
    return {number: "; ".join(ids) for number, ids in found.items()}


def guarded(cell: str) -> str:
    """Keep a spreadsheet from running a cell as a formula; `take_in` takes the mark off again."""
    return f"'{cell}" if cell.startswith(_RUNS) else cell


def _rows(text: str, most: int | None) -> tuple[list[tuple[int, dict[str, str]]], list[str]]:
    if most is not None and len(text) > LARGEST:
        raise Invalid(f"That is more than 2 MB. {BY_COMMAND}", "text")
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
    if not {"external_ids", "email", "name", "company"} & set(header):
        raise Invalid(f"The first line names the columns: {', '.join(COLUMNS)}.", "text")
    if most is not None and len(found) > most:
        raise Invalid(f"That is more than {most:,} lines. {BY_COMMAND}", "text")
    return found, [name for name in header if name not in COLUMNS]


def _column(cell: str) -> str:
    name = _WORD.sub("_", cell.strip().lower()).strip("_")
    return OTHER_NAMES.get(name, name)


def _plain(cell: str) -> str:
    cell = cell.removeprefix("'") if cell[:1] == "'" and cell[1:].startswith(_RUNS) else cell
    return clean_line(cell)


def _take(row: Mapping[str, str], actor: User | None) -> str:
    said = [_take_person(row, actor)] if any(row.get(name) for name in ("external_ids", "email", "name")) else []
    if not said or any(row.get(name) for name in OF_COMPANY):
        said.append(_take_company(row, actor))
    return " ".join(said)


def _take_company(row: Mapping[str, str], actor: User | None) -> str:
    name = row.get("company", "")
    is_new = bool(name) and adding.account_called(name) is None
    account = adding.account_named(name) if name else _company_of(row)
    typed = {field: row[column] for column, field in COMPANY_FIELDS.items() if row.get(column)}
    before = changing.shown_of_account(account)
    if "ids" in typed:
        typed["ids"] = _joined(account, changing.ids_in(typed["ids"]))
    changes = [field for field, value in typed.items() if value != before[field]]
    changing.change_account(account, typed, Seen(), actor=actor)
    if is_new:
        return f"{account.name} is added."
    return f"{account.name}: {_listed(changes)} changed." if changes else f"{account.name} stays as it is."


def _company_of(row: Mapping[str, str]) -> Account:
    email = adding.normalise_address(row["email"]) if row.get("email") else None
    person = _known(changing.ids_in(row.get("external_ids", "")), email)
    if person is None or person.account is None:
        raise Invalid("Name the company that this is about.", "company")
    return person.account


def _joined(owner: Customer | Account, ids: changing.Ids) -> str:
    """Write the numbers of an owner, those of a file among them."""
    mine = {(each.system, each.value) for each in queries.external_ids(owner)}
    return "\n".join(f"{system}: {value}" for system, value in sorted(mine | set(ids)))


def _take_person(row: Mapping[str, str], actor: User | None) -> str:
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
        company = workspace()
        language = typed.get("language") or adding.language_of(email or "", company.language, company.languages)
        customer = adding.add_customer(email=email, name=typed.get("name", ""), language=language, actor=actor)
    if ids:
        typed["ids"] = _joined(customer, ids)
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
    words = {"ids": "numbers", "zone": "time zone", "email": "address"}
    return ", ".join(words.get(name, name.replace("_", " ")) for name in names)
