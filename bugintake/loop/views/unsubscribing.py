"""No more mail about a report: one click in the mail program, or one button on a page; opening it does nothing."""

from flask import render_template
from flask.typing import ResponseReturnValue

from bugintake.core.db import transaction
from bugintake.core.security import needs_no_form_token
from bugintake.intake.models import Report
from bugintake.loop import links, replies
from bugintake.loop.facts import own_words
from bugintake.loop.models import LinkPurpose
from bugintake.loop.views.blueprint import public
from bugintake.loop.views.customers import spoken
from bugintake.team.guards import customer_link
from bugintake.team.workspace import workspace


def _page(report: Report, language: str, token: str) -> ResponseReturnValue:
    words = own_words(report, language)
    return render_template(
        "loop/unsubscribe.html", report=report, words=words, company=workspace(), language=language, token=token
    )


@public.get("/<language>/unsubscribe/<token>")
@customer_link
@spoken
def ask(language: str, token: str) -> ResponseReturnValue:
    """Offer to stop mail about a report. Scanners open every link of a mail, so this changes nothing."""
    return _page(links.report_behind(token, LinkPurpose.UNSUBSCRIBE), language, token)


@public.post("/<language>/unsubscribe/<token>")
@customer_link
@needs_no_form_token
@spoken
def unsubscribe(language: str, token: str) -> ResponseReturnValue:
    """Stop mail about a report: from the page, or from a mail program with neither cookie nor origin (RFC 8058)."""
    report = links.report_behind(token, LinkPurpose.UNSUBSCRIBE)
    with transaction():
        replies.unsubscribe(report)
    return _page(report, language, token)


@public.post("/<language>/subscription/<token>")
@customer_link
@needs_no_form_token
@spoken
def resubscribe(language: str, token: str) -> ResponseReturnValue:
    """Take an unsubscription back."""
    report = links.report_behind(token, LinkPurpose.UNSUBSCRIBE)
    with transaction():
        replies.resubscribe(report)
    return _page(report, language, token)
