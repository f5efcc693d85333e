"""Pages as their readers see them, and the links that customers come by."""

import re
from urllib.parse import urlsplit

import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.intake.models import Report
from bugintake.loop import links
from bugintake.loop.models import LinkPurpose
from tests.visitors import visit


def link_to(report, purpose=LinkPurpose.REPORT, language="en"):
    with transaction():
        return urlsplit(links.make_link(report, purpose, language)[1]).path


def first_report(bug):
    return db.session.scalars(sa.select(Report).where(Report.bug_id == bug.id).order_by(Report.id)).first()


def opened(app, report, language="en"):
    """A browser in which a customer has opened their link."""
    browser = visit(app)
    assert browser.get(link_to(report, language=language)).status_code == 303
    return browser


def page_of(app, bug, language="en"):
    """What the page says, without markup and in one line."""
    return words_of(opened(app, first_report(bug)).get(f"/s/{language}/report"))


def words_of(page):
    """What a page says, without markup and in one line."""
    main = re.sub(r"(?s)<(script|svg).*?</\1>", " ", page.text.split('<main id="main"')[1].split("</main>")[0])
    return " ".join(re.sub(r"<[^>]+>", " ", main.partition(">")[2]).split())


def send(browser, report, action, language="en", **given):
    return browser.post(f"/s/{language}/report/{action}", {"report": str(report.id), **given})


def gone(answer):
    """What is the same about every link that opens nothing."""
    assert answer.status_code == 404
    return re.sub(r"[\w-]{43}", "", answer.text), sorted(name for name, _ in answer.headers)
