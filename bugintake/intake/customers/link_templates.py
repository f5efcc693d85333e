"""Links to where other systems show a customer or account, made from the numbers that those systems give them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import sqlalchemy as sa

from bugintake.core import events
from bugintake.core.db import db
from bugintake.core.errors import Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.kept import apart, kept
from bugintake.intake import waiting
from bugintake.intake.customers.models import Customer, ExternalId, LinkTemplate
from bugintake.intake.models import Bug, Report
from bugintake.team.models import User

PLACE = "{external_id}"
MOST = 20
SHOWN = 20
_SYSTEM = re.compile(r"[a-z][a-z0-9_.-]{0,31}", re.ASCII)


@dataclass(frozen=True)
class Link:
    """One link on a page: where it leads, and what it is called."""

    label: str
    url: str


def add(label: str, system: str, url: str, *, actor: User | None) -> LinkTemplate:
    """Let pages link to another system. Records link_template.added.

    Raises Invalid for an address that is not http or https, has no place for the number, or has it in its host.
    """
    _check(label, system, url)
    if len(templates()) >= MOST:
        raise Invalid(f"There are {MOST} already. Take one away first.")
    template = LinkTemplate(label=label, system=system, url=url)
    db.session.add(template)
    db.session.flush()
    events.record(EventKind.LINK_TEMPLATE_ADDED, actor=actor, template_id=template.id)
    return template


def change(template: LinkTemplate, label: str, system: str, url: str, *, actor: User) -> None:
    """Change a link. Records link_template.changed with what it was and is. Raises Invalid as add."""
    _check(label, system, url)
    now = {"label": label, "system": system, "url": url}
    was = {name: getattr(template, name) for name in now}
    if now == was:
        return
    template.label, template.system, template.url = label, system, url
    events.record(EventKind.LINK_TEMPLATE_CHANGED, actor=actor, template_id=template.id, was=was, now=now)


def remove(template: LinkTemplate, *, actor: User) -> None:
    """Take a link away. Records link_template.removed."""
    was = {"label": template.label, "system": template.system, "url": template.url}
    events.record(EventKind.LINK_TEMPLATE_REMOVED, actor=actor, template_id=template.id, was=was)
    db.session.delete(template)


@kept
def templates() -> Sequence[LinkTemplate]:
    """List the links there are."""
    with apart() as session:
        return session.scalars(sa.select(LinkTemplate).order_by(LinkTemplate.label, LinkTemplate.id)).all()


def links_of(customers: Sequence[Customer], account_ids: Sequence[int] = ()) -> list[Link]:
    """Make the links to customers, their accounts and some more accounts; those of a bug's people are named."""
    by_system: dict[str, list[LinkTemplate]] = {}
    for template in templates():
        by_system.setdefault(template.system, []).append(template)
    if not by_system:
        return []
    names = {each.id: each.name for each in customers}
    accounts = {each.account_id: each.account.name for each in customers if each.account}
    owned = sa.or_(ExternalId.customer_id.in_(names), ExternalId.account_id.in_([*accounts, *account_ids]))
    query = sa.select(ExternalId).where(owned, ExternalId.system.in_(by_system))
    found = []
    for number in db.session.scalars(query.order_by(ExternalId.system, ExternalId.id)):
        name = names.get(number.customer_id or 0) or accounts.get(number.account_id, "")
        for template in by_system[number.system]:
            label = f"{template.label}: {name}" if name else template.label
            found.append(Link(label, template.url.replace(PLACE, quote(number.value, safe=""))))
    return found


def beginnings_of_pages(numbers: Sequence[ExternalId]) -> list[str]:
    """Say how the addresses begin that links are made of for some numbers: //crm.example/people/12."""
    return [
        template.url.partition(PLACE)[0].partition(":")[2] + quote(number.value, safe="")
        for number in numbers
        for template in templates()
        if template.system == number.system
    ]


def links_to_people_of(bug: Bug) -> list[Link]:
    """Make the links to the first twenty who wait for a bug; nothing is asked where no link is defined."""
    if not templates():
        return []
    people = waiting.unsettled_under(bug.id).join(Report.customer).with_only_columns(Customer).limit(SHOWN)
    return links_of(db.session.scalars(people.order_by(Report.id)).unique().all())


def _check(label: str, system: str, url: str) -> None:
    if not label or len(label) > 80:
        raise Invalid("Give it a name of 1 to 80 characters.", "label")
    if not _SYSTEM.fullmatch(system):
        raise Invalid("A system is called like in the numbers: crm.", "system")
    if not _is_safe(url):
        raise Invalid(f"An address begins with https:// or http:// and has {PLACE} after its host.", "url")


def _is_safe(url: str) -> bool:
    if len(url) > 500 or PLACE not in url or any(c.isspace() or not c.isprintable() for c in url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and PLACE not in f"{parts.scheme}{parts.netloc}"
