"""Who wants no mail yet: until a day that stands with a person or with their company."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bugintake.core import clock
from bugintake.intake.customers.models import Account, Customer
from bugintake.team.workspace import workspace


def open_day() -> date:
    """Return the last day on which the company has opened: whoever is quiet until a later one gets no mail now."""
    company = workspace()
    local = clock.now().astimezone(ZoneInfo(company.zone))
    return local.date() if local.time() >= company.opens_at else local.date() - timedelta(days=1)


def is_quiet(day: date | sa.BindParameter[date]) -> sa.ColumnElement[bool]:
    """Select the customers who are quiet on this open_day."""
    company = sa.exists().where(Account.id == Customer.account_id, Account.quiet_until_on > day)
    return sa.or_(sa.and_(Customer.quiet_until_on.is_not(None), Customer.quiet_until_on > day), company)


def quiet_until(customer: Customer) -> date | None:
    """Say until which day somebody is quiet, they or their company; nothing where mail may leave."""
    days = [customer.quiet_until_on, customer.account.quiet_until_on if customer.account else None]
    latest = max((day for day in days if day is not None), default=None)
    return latest if latest is not None and latest > open_day() else None
