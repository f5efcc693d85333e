"""The first run: the single-use link that claims an installation, and the company that begins with it.

The catalogue, the rotation, mail and the sample company belong to later rooms: the app tells this one what to call.
"""

import hmac
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from sqlalchemy.exc import IntegrityError

from bugintake.core import clock, config, events
from bugintake.core.db import db
from bugintake.core.errors import Conflict
from bugintake.core.event_kinds import EventKind
from bugintake.core.security import hash_secret, new_secret
from bugintake.team import people
from bugintake.team.models import OFFERED_FIRST, Role, User, Workspace
from bugintake.team.workspace import is_set_up

LASTS = timedelta(hours=24)


@dataclass(frozen=True)
class Plan:
    """How bug duty begins: who in turn, on which days of the week (Monday = 0), which hours, from which day on."""

    zone: str
    days: frozenset[int]
    opens_at: time
    closes_at: time
    first_on: date


@dataclass(frozen=True)
class Item:
    """One line of the checklist that a new installation shows."""

    label: str
    address: str
    is_done: Callable[[], bool]
    position: int


FillCatalogue = Callable[[list[str], str, User | None], object]
PreviewDuty = Callable[[Plan, list[str]], list[tuple[date, str]]]
BeginDuty = Callable[[Plan, list[User], User], None]
FillSample = Callable[[], User]
RemoveSample = Callable[[], None]
SendTest = Callable[[User], None]
TestAnswer = Callable[[User], str | None]


@dataclass
class Hooks:
    """What later rooms do during the first run."""

    fill_catalogue: FillCatalogue | None = None
    preview_duty: PreviewDuty | None = None
    begin_duty: BeginDuty | None = None
    fill_sample: FillSample | None = None
    remove_sample: RemoveSample | None = None
    send_test: SendTest | None = None
    test_answer: TestAnswer | None = None


hooks = Hooks()
_items: dict[str, Item] = {}


def register_catalogue(fill: FillCatalogue) -> None:
    """Say who fills the lists: `fill(areas, pack, actor)` adds what is missing; own areas replace those of the pack."""
    hooks.fill_catalogue = fill


def register_duty(preview: PreviewDuty, begin: BeginDuty) -> None:
    """Say who plans duty: `preview(plan, names)` gives three weeks of days, `begin(plan, people, actor)` starts it."""
    hooks.preview_duty, hooks.begin_duty = preview, begin


def register_sample(fill: FillSample, remove: RemoveSample) -> None:
    """Say who brings the sample company, returning the admin to sign in as, and who takes it away."""
    hooks.fill_sample, hooks.remove_sample = fill, remove


def register_test_mail(send: SendTest, answer: TestAnswer) -> None:
    """Say who mails somebody a test, called inside a transaction, and who words what became of the last one."""
    hooks.send_test, hooks.test_answer = send, answer


def register_item(label: str, address: str, is_done: Callable[[], bool], *, position: int) -> None:
    """Add a line to the checklist of a new installation."""
    _items[label] = Item(label, address, is_done, position)


def checklist() -> list[Item]:
    """List what a new installation still wants, and what it has."""
    return sorted(_items.values(), key=lambda item: item.position)


def new_link() -> str:
    """Return a link that claims this empty installation within 24 hours; the one before stops working.

    Only its fingerprint is kept, in a file of the data folder that only its owner reads. Raises Conflict once set up.
    """
    if is_set_up():
        raise Conflict("This installation is set up already.")
    secret = new_secret()
    kept = {"hash": hash_secret(secret), "until": (clock.now() + LASTS).isoformat()}
    path = _path()
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        json.dump(kept, file)
    fresh.replace(path)
    return f"{config.settings().base_url}/setup?token={secret}"


def is_open_to(fingerprint: str | None) -> bool:
    """Whether a link's fingerprint may still claim this installation."""
    if not fingerprint:
        return False
    try:
        kept = json.loads(_path().read_text(encoding="ascii"))
        until = datetime.fromisoformat(kept["until"]).astimezone(UTC)
        fits = hmac.compare_digest(kept["hash"], fingerprint)
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return fits and clock.now() < until and not is_set_up()


def forget_link() -> None:
    """Make the link open nothing any more."""
    _path().unlink(missing_ok=True)


def found_company(
    name: str,
    *,
    admin_name: str,
    admin_email: str,
    password_hash: str | None,
    zone: str = "UTC",
    language: str = "en",
    areas: list[str] | None = None,
    pack: str | None = None,
) -> User:
    """Begin for real: the workspace, its first admin, and with a pack the lists to choose from. Returns the admin.

    Records workspace.set_up and user.added. Raises Conflict where the installation is set up already, Invalid.
    """
    if is_set_up():
        raise Conflict("This installation is set up already. Sign in instead.")
    offered = list(dict.fromkeys([*OFFERED_FIRST, language]))
    name = name or guessed_name(admin_email)
    company = Workspace(id=1, name=name, language=language, languages=offered, zone=zone)
    db.session.add(company)
    try:
        db.session.flush()
    except IntegrityError:
        raise Conflict("Somebody set this installation up a moment ago. Sign in instead.") from None
    admin = people.add_user(
        admin_email, admin_name, Role.ADMIN, actor=None, zone=zone, language=language, password_hash=password_hash
    )
    events.record(EventKind.WORKSPACE_SET_UP, actor=admin)
    if pack:
        fill_catalogue(areas or [], pack, actor=admin)
    return admin


def fill_catalogue(areas: list[str], pack: str, *, actor: User | None) -> None:
    """Fill the lists from a pack, with a product's own areas where it has some. Raises Invalid."""
    if hooks.fill_catalogue is not None:
        hooks.fill_catalogue(areas, pack, actor)


def guessed_name(email: str) -> str:
    """Guess a company's name from an address, until somebody gives it one."""
    domain = email.rpartition("@")[2].split(".")
    return (domain[-2] if len(domain) > 1 else domain[0]).capitalize() or "bugintake"


def _path() -> Path:
    return config.settings().data / "setup_link"
