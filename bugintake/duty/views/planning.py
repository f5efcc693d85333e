"""Planning a month on one page: it proposes, a lead adjusts, sees what that means, and saves."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core import clock
from bugintake.core.db import transaction
from bugintake.core.errors import Invalid
from bugintake.core.forms import zone_or_utc
from bugintake.core.pages import register_page
from bugintake.core.templating import plural, say
from bugintake.duty import queries
from bugintake.duty.fairness import Fairness, amount, balance_in_words, days_in_words, month_name, reason
from bugintake.duty.models import Rotation
from bugintake.duty.planning import FARTHEST, Month, Slot, SlotsRefused, Wish, check, lay, open_month
from bugintake.duty.proposals import TOLERATED, propose
from bugintake.duty.timetable import changes
from bugintake.duty.views import bp
from bugintake.duty.views.plan import number
from bugintake.team.guards import is_lead, lead_required, signed_in_user
from bugintake.team.models import User
from bugintake.team.workspace import workspace

Wishes = Mapping[str, Wish]
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)


@dataclass(frozen=True)
class Row:
    """What the page shows of a slot: whom it offers, who is chosen, and why that is fair where it is a change."""

    slot: Slot
    inside: list[tuple[int, str]]
    outside: list[tuple[int, str]]
    chosen_id: int
    why: str
    refusal: str


@bp.get("/duty/plan")
@lead_required
def plan_month() -> ResponseReturnValue:
    """Show the slots of a month, and who could have them."""
    rotation = _rotation(request.args.get("rotation"))
    if rotation is None:
        return render_template("duty/none.html")
    month = open_month(rotation, _month(request.args.get("month")))
    return _page(month, propose(month))


@bp.post("/duty/plan")
@lead_required
def save_month() -> ResponseReturnValue:
    """Show what the choices mean for whom, or let them hold."""
    rotation = _rotation(request.form.get("rotation"))
    if rotation is None:
        return render_template("duty/none.html")
    first, wishes = _month(request.form.get("month")), _wishes()
    try:
        if "preview" in request.form:
            month = open_month(rotation, first)
            return _page(month, check(month, wishes), is_preview=True)
        with transaction():
            count = lay(rotation, first, wishes, actor=signed_in_user())
    except SlotsRefused as refusal:
        month = open_month(rotation, first)
        return make_response(_page(month, _shown(month, wishes), refusal.sentences), refusal.status)
    said = plural(count, _("slot has changed hands."), _("slots have changed hands."))
    flash(_("Saved: %(said)s", said=said) if count else _("Nothing was changed."))
    address: dict[str, Any] = {"rotation": rotation.id, "from": first}
    return redirect(url_for("duty.schedule", **address))


def _page(
    month: Month, choices: Mapping[str, User], refused: Mapping[str, str] | None = None, *, is_preview: bool = False
) -> str:
    refused, found, before = refused or {}, month.spread(choices), month.spread({})
    zone = month.plan.zone_at(queries.day_start(month.first, zone_or_utc("UTC")))
    since, to = (queries.day_start(day, zone) for day in (month.first, month.last + timedelta(days=1)))
    return render_template(
        "duty/plan.html",
        month=month,
        rotation=month.plan.rotation,
        rotations=queries.rotations(),
        zone=zone,
        rows=[
            _row(month, slot, choices.get(slot.key), found, before, refused.get(slot.key, "")) for slot in month.slots
        ],
        is_proposal=request.method != "POST",
        refused=list(dict.fromkeys(refused.values())),
        change_count=len(choices),
        moved=changes(month.plan, month.with_choices(choices), since, to) if is_preview else None,
        counts=[(each, before.of(each.person).in_month(month.first)) for each in found.standings],
        tolerated=TOLERATED,
        earlier=(month.first - timedelta(days=1)).replace(day=1),
        later=month.last + timedelta(days=1),
        today=clock.today(zone),
        farthest=clock.now().date() + FARTHEST,
        spread=found,
        amount=amount,
        in_days=days_in_words,
        in_words=balance_in_words,
        month_name=month_name,
    )


def _row(month: Month, slot: Slot, chosen: User | None, found: Fairness, before: Fairness, refusal: str) -> Row:
    inside, outside = month.ranked(slot, found)
    fairest = next(iter([*inside, *outside]), None)
    if chosen is not None and chosen not in slot.free:
        inside = [*inside, chosen]

    def offered(people: Sequence[User]) -> list[tuple[int, str]]:
        praised = fairest if fairest is not chosen else None  # of whom is chosen, the line below says it
        return [(person.id, _label(person, found, slot) if person is praised else person.name) for person in people]

    why = reason(before.of(chosen), slot.planned.on) if chosen else ""
    return Row(slot, offered(inside), offered(outside), chosen.id if chosen else slot.person_id, why, refusal)


def _label(fairest: User, found: Fairness, slot: Slot) -> str:
    why = reason(found.of(fairest), slot.planned.on)
    return say("%(name)s (fairest: %(why)s)", name=fairest.name, why=why)


def _shown(month: Month, wishes: Wishes) -> dict[str, User]:
    """Pick what was chosen, possible or not, so that the page shows it again; what was left as shown is as it is."""
    shown: dict[str, User] = {}
    for slot in month.slots:
        wish = wishes.get(slot.key)
        if wish is not None and wish.is_change and wish.person_id in month.people.keys() - {slot.person_id}:
            shown[slot.key] = month.people[wish.person_id]
    return shown


def _wishes() -> dict[str, Wish]:
    keys = [name.removeprefix("slot-") for name in request.form if name.startswith("slot-")]
    return {key: Wish(number(request.form.get(f"slot-{key}")), request.form.get(f"seen_{key}", "")) for key in keys}


def _rotation(asked: str | None) -> Rotation | None:
    return queries.rotation_or_404(number(asked)) if asked else queries.default_rotation()


def _month(text: str | None) -> date:
    """Read a month like 2026-10; without one it is the next. Raises Invalid."""
    if not text:
        today = clock.today(zone_or_utc(workspace().zone))
        return (today.replace(day=1) + timedelta(days=31)).replace(day=1)
    match = _MONTH.fullmatch(text)
    try:
        year, month = (int(part) for part in match.groups()) if match else (0, 0)
        first = date(year, month, 1)
    except ValueError:
        raise Invalid(_("Write the month like 2026-10."), "month") from None
    queries.day_start(first, zone_or_utc("UTC"))
    return first


register_page("Plan a month of duty", "duty.plan_month", is_lead)
