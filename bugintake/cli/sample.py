"""The sample company: six weeks of Fakturo, told through the verbs that people use, and how it goes away again."""

import sqlalchemy as sa

from bugintake.cli import stories
from bugintake.cli.fakturo import PETRA
from bugintake.cli.fakturo_company import Company
from bugintake.core import clock
from bugintake.core.db import db
from bugintake.core.migrating import metadata
from bugintake.duty import told
from bugintake.intake.models import Report
from bugintake.loop import links
from bugintake.loop.models import LinkPurpose, Message
from bugintake.team.models import User

KEPT = frozenset({"alembic_version", "worker_pulses"})


def fill() -> User:
    """Bring the sample company into an empty installation, and return the admin to sign in as.

    Runs inside one transaction. Its times are relative to now; its mail never leaves.
    """
    company = Company()
    with clock.travel():
        for at, scene in sorted(stories.scenes(company, clock.now()), key=lambda entry: entry[0]):
            clock.freeze(at)
            scene()
            db.session.flush()
    for rotation in told.rotations(clock.now()):
        told.take_moves(rotation, clock.now())  # the company is six weeks old: everybody knows
    return company.users[PETRA]


def remove() -> None:
    """Take everything away that the sample company brought. Numbers go on counting, so that none is used again."""
    db.session.expunge_all()
    for table in reversed(metadata().sorted_tables):
        if table.name not in KEPT:
            db.session.execute(sa.delete(table))


def private_page() -> str | None:
    """Make a link to what one of the customers sees, in their language."""
    found = db.session.scalars(
        sa.select(Report).join(Message, Message.report_id == Report.id).where(Message.text != "").order_by(Report.id)
    ).first()
    if found is None or found.customer is None:
        return None
    _, page = links.make_link(found, LinkPurpose.REPORT, found.customer.language)
    return page
