"""The page of a customer's own report, by private link: no account, no script, and nothing of anybody else."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _

from bugintake.core.config import settings
from bugintake.core.db import transaction
from bugintake.core.errors import Conflict, NotFound, Refusal
from bugintake.core.security import cookie_name, limiter
from bugintake.intake.models import Report
from bugintake.loop import known, links, replies
from bugintake.loop.dates import LOCALES, day_in_words
from bugintake.loop.facts import own_words
from bugintake.loop.forms import RemarkForm, StillForm
from bugintake.loop.known import grouped, named
from bugintake.loop.models import LinkPurpose
from bugintake.loop.progress import progress_of
from bugintake.loop.views.blueprint import public
from bugintake.team import guards
from bugintake.team.models import OWN_NAMES
from bugintake.team.workspace import is_set_up, workspace
from bugintake.triage import splitting

View = TypeVar("View", bound=Callable[..., Any])

COOKIE = "report"
ADDITIONS = "30 per hour"


def spoken(view: View) -> View:
    """Speak the language that the address names; one that nobody here writes does not exist."""

    @wraps(view)
    def in_language(language: str, **values: Any) -> Any:
        if language not in LOCALES or not is_set_up():
            raise NotFound()
        with force_locale(LOCALES[language]):
            return view(language=language, **values)

    return cast(View, in_language)


@public.errorhandler(Refusal)
def refuse(refusal: Refusal) -> ResponseReturnValue:
    """Say in the customer's language that a link opens nothing, or that something stood in the way."""
    language = str((request.view_args or {}).get("language", ""))
    language = language if language in LOCALES else "en"
    with force_locale(LOCALES[language]):
        page = render_template("loop/gone.html", language=language, is_gone=refusal.status == 404)
    return make_response(page, refusal.status)


@public.get("")
@guards.public
def door() -> ResponseReturnValue:
    """Send somebody on to the page in the language their browser prefers."""
    offered = workspace().languages if is_set_up() else ["en"]
    # Whoever prefers de-CH to en reads de before en, which best_match would not say.
    preferred = [name.partition("-")[0].lower() for name, _ in request.accept_languages]
    language = next((name for name in preferred if name in offered), offered[0])
    answer = make_response(redirect(url_for("customers.start", language=language)))
    answer.headers["Vary"] = "Accept-Language"
    return answer


@public.get("/<language>")
@guards.public
@spoken
def start(language: str) -> ResponseReturnValue:
    """List the known problems where the company publishes them, and tell that one's own link is in our mail."""
    company = workspace()
    return render_template(
        "loop/start.html",
        language=language,
        company=company,
        languages=_languages("start"),
        has_list=company.has_public_list,
        groups=grouped(known.shown_in(language) if company.has_public_list else []),
        named=named,
        day=lambda at: day_in_words(at, company.zone, language),
    )


@public.get("/<language>/r/<token>")
@guards.customer_link
@spoken
def open_link(language: str, token: str) -> ResponseReturnValue:
    """Exchange a private link for a cookie, and go on to an address that gives nothing away."""
    links.report_behind(token, LinkPurpose.REPORT)
    answer = make_response(redirect(url_for("customers.report", language=language), 303))
    answer.set_cookie(
        cookie_name(COOKIE, settings()), token, path="/", httponly=True, samesite="Lax", secure=settings().is_https
    )
    return answer


@public.get("/<language>/report")
@guards.customer_link
@spoken
def report(language: str) -> ResponseReturnValue:
    """Show a customer where their report stands."""
    return _page(_report_of_cookie(), language)


def _page(report: Report, language: str, status: int = 200, **forms: Any) -> ResponseReturnValue:
    context = {
        "progress": progress_of(report, language),
        "title": own_words(report, language),
        "company": workspace(),
        "language": language,
        "languages": _languages("report"),
        "said": replies.last_said(report),
        "question": replies.open_question(report),
        "answer": RemarkForm(),
        "remark": RemarkForm(),
        "still": StillForm(),
        "other": StillForm(),
        "may_be_another": not splitting.is_all(report),
    }
    return make_response(render_template("loop/report.html", **{**context, **forms}), status)


@public.post("/<language>/report/confirmation")
@guards.customer_link
@limiter.limit(ADDITIONS)
@spoken
def confirm(language: str) -> ResponseReturnValue:
    """Take down that it works now."""
    found = _report_of_form()
    with transaction():
        replies.works_now(found)
    flash(_("Thank you for telling us. You will not get any more mail about it."))
    return redirect(url_for("customers.report", language=language), 303)


@public.post("/<language>/report/objection")
@guards.customer_link
@limiter.limit(ADDITIONS)
@spoken
def object_to(language: str) -> ResponseReturnValue:
    """Take down that it still happens."""
    found, form = _report_of_form(), StillForm()
    if not form.validate():
        return _page(found, language, 422, still=form)
    with transaction():
        replies.still_happening(found, str(form.text.data or ""))
    flash(_("Thank you. We have noted that it still happens."))
    return redirect(url_for("customers.report", language=language), 303)


@public.post("/<language>/report/parting")
@guards.customer_link
@limiter.limit(ADDITIONS)
@spoken
def part_from(language: str) -> ResponseReturnValue:
    """Take down that what became of it is not about their problem."""
    found, form = _report_of_form(), StillForm()
    if not form.validate():
        return _page(found, language, 422, other=form)
    with transaction():
        replies.not_my_problem(found, str(form.text.data or ""))
    flash(_("Thank you. We look at your problem by itself now, and write to you how it ends."))
    return redirect(url_for("customers.report", language=language), 303)


@public.post("/<language>/report/mail")
@guards.customer_link
@limiter.limit(ADDITIONS)
@spoken
def choose_mail(language: str) -> ResponseReturnValue:
    """Stop mail about a report, or let it go on."""
    found = _report_of_form()
    with transaction():
        if request.form.get("wanted") == "no":
            replies.unsubscribe(found)
        else:
            replies.resubscribe(found)
    return redirect(url_for("customers.report", language=language), 303)


@public.post("/<language>/report/remarks")
@guards.customer_link
@limiter.limit(ADDITIONS)
@spoken
def remark(language: str) -> ResponseReturnValue:
    """Take down something more about a report."""
    found, form = _report_of_form(), RemarkForm()
    if not form.validate():
        return _page(found, language, 422, remark=form)
    with transaction():
        replies.add_remark(found, str(form.text.data))
    flash(_("Thank you. We have added it to your report."))
    return redirect(url_for("customers.report", language=language), 303)


@public.post("/<language>/report/answer")
@guards.customer_link
@limiter.limit(ADDITIONS)
@spoken
def answer(language: str) -> ResponseReturnValue:
    """Take down the answer to our question."""
    found, form = _report_of_form(), RemarkForm()
    if not form.validate():
        return _page(found, language, 422, answer=form)
    with transaction():
        replies.answer(found, str(form.text.data))
    flash(_("Thank you for your answer. We go on with it now."))
    return redirect(url_for("customers.report", language=language), 303)


def _report_of_cookie() -> Report:
    return links.report_behind(request.cookies.get(cookie_name(COOKIE, settings()), ""), LinkPurpose.REPORT)


def _report_of_form() -> Report:
    """Return the report that the form was about; another tab may have opened another one since."""
    found = _report_of_cookie()
    if request.form.get("report", "") != str(found.id):
        raise Conflict("Another report was opened in this browser since.")
    return found


def _languages(endpoint: str) -> list[tuple[str, str, str]]:
    """Name the languages to switch to, each in itself, with its address: those on offer, and the one that is read."""
    offered = dict.fromkeys([*workspace().languages, str((request.view_args or {})["language"])])
    return [(code, OWN_NAMES[code], url_for(f"customers.{endpoint}", language=code)) for code in offered]
