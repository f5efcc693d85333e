"""Reading for the API: plain values of the fields it publishes, always only what the token's person may see."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from bugintake.core.config import settings
from bugintake.core.db import db
from bugintake.core.forms import clean_line
from bugintake.intake import catalogue, further_lists
from bugintake.intake.models import Bug, OptionList, Report, Status
from bugintake.intake.queries import visible_to
from bugintake.loop.models import Announcement, Delivery, Message, MessageState
from bugintake.team.models import User
from bugintake.triage import elsewhere, history, linking, narrowing
from bugintake.triage import queries as triage_queries
from bugintake.triage.filters import Filters
from bugintake.triage.queries import Card


def in_utc(at: datetime | None) -> str | None:
    """Write an instant as the API does: UTC, with Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None


def url_of(ref: str) -> str:
    """Return the address of a bug's page."""
    return f"{settings().base_url}/bugs/{ref}"


def bug_facts(bug: Bug) -> dict[str, Any]:
    """Say what a report's answer tells about its bug."""
    facts = {"ref": bug.ref, "url": url_of(bug.ref), "status": bug.status, "title": bug.title}
    return {**facts, "people_waiting": bug.waiting_count}


def whole_bug(bug: Bug) -> dict[str, Any]:
    """Say all that is published about a bug."""
    first = db.session.scalar(sa.select(Report).where(Report.bug_id == bug.id).order_by(Report.id).limit(1))
    texts = {name: getattr(first, name) if first else "" for name in ("steps", "actual", "expected")}
    further = further_lists.chosen_in([first.id]).get(first.id, ()) if first else ()
    events = [
        {
            "kind": entry.kind,
            "at": entry.at,
            "actor": entry.actor,
            "before": entry.before,
            "after": entry.after,
        }
        for entry in history.history(bug)
    ]
    return {
        **bug_facts(bug),
        **texts,
        "choices": {chosen.list: chosen.choice for chosen in further},
        "area": bug.area.label,
        "symptom": bug.symptom.label,
        "impact": bug.impact.label,
        "owner": bug.owner.name if bug.owner else None,
        "version": bug.release.label if bug.release else None,
        "is_restricted": bug.is_restricted,
        "is_pinned": bug.is_pinned,
        "generation": bug.generation,
        "filed_at": in_utc(bug.filed_at),
        "changed_at": in_utc(bug.changed_at),
        "customer_note": bug.customer_notes,
        "workaround": bug.workarounds,
        "links": [
            {"kind": elsewhere.place_of(link.url).kind, "url": link.url, "title": link.title, "state": link.state}
            for link in linking.links_of(bug)
        ],
        "history": events,
    }


def bugs(
    actor: User, *, status: Status | None, area: str | None, owner: str | None, q: str, after: int | None, limit: int
) -> tuple[Sequence[dict[str, Any]], str | None]:
    """List bugs, the newest first, and the cursor of the next part. Raises Invalid for an unknown area."""
    values = narrowing.of_list(Filters(text=clean_line(q)), actor)
    conditions = narrowing.conditions(frozenset(values))
    if status is not None:
        conditions.append(Bug.status == status)
    if area:
        conditions.append(Bug.area_id == catalogue.choose(OptionList.AREA, area).id)
    if owner:
        conditions.append(Bug.owner_id.in_(sa.select(User.id).where(User.email == owner.lower())))
    if after is not None:
        conditions.append(Bug.id < after)
    query = triage_queries.cards(*conditions).order_by(Bug.id.desc()).limit(limit + 1)
    found = triage_queries.read_cards(query, **values)
    return [_row(card) for card in found[:limit]], _cursor(found, limit)


def _row(card: Card) -> dict[str, Any]:
    return {
        "ref": card.ref,
        "url": url_of(card.ref),
        "status": card.status,
        "title": card.title,
        "people_waiting": card.waiting,
        "area": card.area,
        "impact": card.impact,
        "owner": card.owner,
        "version": card.release,
        "is_restricted": card.is_restricted,
        "is_pinned": card.is_pinned,
        "filed_at": in_utc(card.filed_at),
        "changed_at": in_utc(card.changed_at),
    }


def _is_held() -> sa.ColumnElement[bool]:
    return sa.or_(Announcement.held_at.is_not(None), Announcement.worder_id.is_not(None))


def announcements(actor: User, *, state: str | None, after: int | None, limit: int) -> tuple[list[Any], str | None]:
    """List announcements of bugs that a person may see, the newest first, with how many people stand where."""
    query = sa.select(Announcement).join(Bug, Bug.id == Announcement.bug_id).where(visible_to(actor))
    states = {
        "cancelled": Announcement.cancelled_at.is_not(None),
        "sent": sa.and_(Announcement.cancelled_at.is_(None), Announcement.released_at.is_not(None)),
        "held": sa.and_(_is_open(), _is_held()),
        "open": sa.and_(_is_open(), ~_is_held()),
    }
    if state is not None:
        query = query.where(states[state])
    if after is not None:
        query = query.where(Announcement.id < after)
    found = db.session.scalars(query.order_by(Announcement.id.desc()).limit(limit + 1)).all()
    people = _people([announcement.id for announcement in found[:limit]])
    rows = [announcement_facts(announcement, people.get(announcement.id, {})) for announcement in found[:limit]]
    return rows, _cursor(found, limit)


def announcement_facts(announcement: Announcement, people: dict[str, int] | None = None) -> dict[str, Any]:
    """Say what is published about an announcement."""
    if announcement.cancelled_at is not None:
        state = "cancelled"
    elif announcement.released_at is not None:
        state = "sent"
    else:
        is_held = announcement.held_at is not None or announcement.worder_id is not None
        state = "held" if is_held else "open"
    return {
        "id": announcement.id,
        "kind": announcement.kind,
        "bug": f"BUG-{announcement.bug_id}",
        "state": state,
        "due_at": in_utc(announcement.due_at),
        "people": people if people is not None else _people([announcement.id]).get(announcement.id, {}),
    }


def messages(
    actor: User, *, state: MessageState | None, after: int | None, limit: int
) -> tuple[list[dict[str, Any]], str | None]:
    """List what people are owed about bugs that a person may see, the newest first."""
    query = (
        sa.select(Message, Delivery.attempts, Delivery.last_error)
        .join(Announcement, Announcement.id == Message.announcement_id)
        .join(Bug, Bug.id == Announcement.bug_id)
        .outerjoin(Delivery, Delivery.id == Message.delivery_id)
        .where(visible_to(actor))
        .options(joinedload(Message.customer), joinedload(Message.announcement))
    )
    if state is not None:
        query = query.where(Message.state == state)
    if after is not None:
        query = query.where(Message.id < after)
    found = db.session.execute(query.order_by(Message.id.desc()).limit(limit + 1)).all()
    rows = [
        {
            "id": message.id,
            "kind": message.announcement.kind,
            "bug": f"BUG-{message.announcement.bug_id}",
            "state": message.state,
            "recipient": message.customer.email_for(actor),
            "language": message.language,
            "attempts": attempts or 0,
            "last_error": error or "",
        }
        for message, attempts, error in found[:limit]
    ]
    return rows, str(rows[-1]["id"]) if len(found) > limit else None


def announcement_of(announcement_id: int, actor: User) -> Announcement | None:
    """Load an announcement of a bug that a person may see."""
    query = sa.select(Announcement).join(Bug, Bug.id == Announcement.bug_id)
    return db.session.scalar(query.where(Announcement.id == announcement_id, visible_to(actor)))


def _is_open() -> sa.ColumnElement[bool]:
    return sa.and_(Announcement.cancelled_at.is_(None), Announcement.released_at.is_(None))


def _people(ids: Sequence[int]) -> dict[int, dict[str, int]]:
    query = sa.select(Message.announcement_id, Message.state, sa.func.count())
    counted: dict[int, dict[str, int]] = {}
    grouped = query.where(Message.announcement_id.in_(ids)).group_by(Message.announcement_id, Message.state)
    for announcement_id, state, count in db.session.execute(grouped):
        counted.setdefault(announcement_id, {})[state.value] = count
    return counted


def _cursor(found: Sequence[Any], limit: int) -> str | None:
    return str(found[limit - 1].id) if len(found) > limit else None
