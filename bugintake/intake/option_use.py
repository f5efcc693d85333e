"""How often choices were taken lately."""

from datetime import timedelta

import sqlalchemy as sa

from bugintake.core import clock
from bugintake.core.db import rows
from bugintake.intake.list_models import FurtherList, ReportChoice
from bugintake.intake.models import Bug, OptionList, Report, Status

LATELY = timedelta(days=90)
LATEST_REPORTS = 2000


def use_of(kind: OptionList, area_id: int | None = None) -> dict[int, int]:
    """Count how often each choice of a list was taken in the last 90 days, in all areas or in one.

    Reasons are counted by the bugs declined with them. Restricted bugs do not count: everybody reads these numbers.
    """
    if kind == OptionList.DECLINE_REASON:
        chosen, area = Bug.decline_reason_id, Bug.area_id
        query = sa.select(chosen, sa.func.count()).select_from(Bug)
        query = query.where(Bug.status == Status.DECLINED, Bug.status_since_at >= clock.now() - LATELY)
    else:
        chosen, area = getattr(Report, f"{kind.value}_id"), Report.area_id
        query = sa.select(chosen, sa.func.count()).select_from(Report).join(Bug, Bug.id == Report.bug_id)
        query = query.where(Report.filed_at >= clock.now() - LATELY)
    if area_id is not None:
        query = query.where(area == area_id)
    return dict(rows(query.where(Bug.is_restricted.is_(False)).group_by(chosen)))


def use_of_further(found: FurtherList, area_id: int | None = None) -> dict[int, int]:
    """Count how often each choice was taken in the last 90 days, as use_of does."""
    query = sa.select(ReportChoice.option_id, sa.func.count()).select_from(Report)
    query = query.join(Bug, Bug.id == Report.bug_id).join(ReportChoice, ReportChoice.report_id == Report.id)
    query = query.where(ReportChoice.list_id == found.id, Report.filed_at >= clock.now() - LATELY)
    if area_id is not None:
        query = query.where(Report.area_id == area_id)
    return dict(rows(query.where(Bug.is_restricted.is_(False)).group_by(ReportChoice.option_id)))


def latest_use_of_areas() -> dict[int, int]:
    """Count how often each area was chosen in the latest 2,000 reports of the last 90 days.

    So the form costs the same at any size.
    """
    return dict(rows(_LATEST_USE, since=clock.now() - LATELY))


_LATEST_AREAS = sa.select(Report.area_id, Report.filed_at).join(Bug, Bug.id == Report.bug_id)
_LATEST_AREAS = _LATEST_AREAS.where(Bug.is_restricted.is_(False)).order_by(Report.id.desc()).limit(LATEST_REPORTS)
_LATEST = _LATEST_AREAS.subquery()
_LATEST_USE = sa.select(_LATEST.c.area_id, sa.func.count()).where(_LATEST.c.filed_at >= sa.bindparam("since"))
_LATEST_USE = _LATEST_USE.group_by(_LATEST.c.area_id)
