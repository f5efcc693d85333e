"""Everything that is kept of one person, as they may ask for it."""

from typing import Any

import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.intake.attachments.models import Attachment
from bugintake.intake.customers import queries
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Question, Remark, Report
from bugintake.loop.models import Message

CHOICES = ("area", "symptom", "impact", "frequency", "platform", "version")


def of(customer: Customer) -> dict[str, Any]:
    """Return a person's record, reports with what was asked and added, and what they were told; times in UTC."""
    records = queries.records_of(customer)
    reports = db.session.scalars(sa.select(Report).where(Report.customer_id.in_(records)).order_by(Report.id)).all()
    told = sa.select(Message).where(Message.customer_id.in_(records)).order_by(Message.id)
    return {
        "name": customer.name,
        "email": customer.email,
        "language": customer.language,
        "time_zone": customer.zone,
        "company": customer.account.name if customer.account else None,
        "also_known_as": [
            {"name": each.name, "email": each.email}
            for each in db.session.scalars(sa.select(Customer).where(Customer.merged_into_id == customer.id))
        ],
        "external_ids": [{"system": each.system, "value": each.value} for each in queries.external_ids(customer)],
        "notes": [{"text": each.text, "written_at": _time(each.written_at)} for each in queries.notes_on(customer)],
        "reports": [_report(report) for report in reports],
        "messages": [
            {
                "bug": message.announcement.bug.ref,
                "kind": message.announcement.kind,
                "state": message.state,
                "at": _time(message.state_at),
                "language": message.language,
                "text": message.text,
                "personal_line": message.personal_line,
            }
            for message in db.session.scalars(told)
        ],
    }


def _report(report: Report) -> dict[str, Any]:
    asked = sa.select(Question).where(Question.report_id == report.id).order_by(Question.id)
    said = sa.select(Remark).where(Remark.report_id == report.id).order_by(Remark.id)
    files = sa.select(Attachment).where(Attachment.report_id == report.id).order_by(Attachment.id)
    return {
        "bug": report.bug.ref,
        "filed_at": _time(report.filed_at),
        **{name: getattr(report, name).label for name in CHOICES},
        "steps": report.steps,
        "actual": report.actual,
        "expected": report.expected,
        "source": report.source,
        "questions": [
            {"text": each.text, "asked_at": _time(each.asked_at), "answer": each.answer}
            for each in db.session.scalars(asked)
        ],
        "remarks": [{"text": each.text, "said_at": _time(each.said_at)} for each in db.session.scalars(said)],
        "files": [{"name": each.name, "type": each.media_type} for each in db.session.scalars(files)],
    }


def _time(at: Any) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
