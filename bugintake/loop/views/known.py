"""The public list of known problems: what everybody reads, its feed, and where an agent publishes a bug."""

from datetime import datetime
from xml.etree import ElementTree

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core import clock
from bugintake.core.config import settings
from bugintake.core.db import transaction
from bugintake.core.errors import NotFound
from bugintake.core.forms import clean_line
from bugintake.intake.models import Bug
from bugintake.intake.queries import bug_or_404
from bugintake.loop import known
from bugintake.loop.known import Shown, named
from bugintake.loop.views.blueprint import bp, public
from bugintake.loop.views.customers import spoken
from bugintake.team import guards
from bugintake.team.guards import signed_in, signed_in_user
from bugintake.team.models import LANGUAGES
from bugintake.team.workspace import workspace

ATOM = "http://www.w3.org/2005/Atom"


@public.get("/<language>/known.atom")
@guards.public
@spoken
def feed(language: str) -> ResponseReturnValue:
    """Give the list as an Atom feed (RFC 4287), each problem an entry of its own that changes with it."""
    if not workspace().has_public_list:
        raise NotFound()
    answer = Response(_atom(known.shown_in(language), language), content_type="application/atom+xml; charset=utf-8")
    answer.headers["Cache-Control"] = "public, max-age=300"
    answer.add_etag()
    return answer.make_conditional(request)


@bp.post("/bugs/<ref>/publication")
@signed_in
def publish(ref: str) -> ResponseReturnValue:
    """Publish a bug, or change what is said of it."""
    bug = bug_or_404(ref, signed_in_user())
    texts = {language: clean_line(request.form.get(f"sentence_{language}", "")) for language in LANGUAGES}
    with transaction():
        known.publish(bug, texts, actor=signed_in_user())
    flash(_("Published: everybody reads it on the public list."))
    return redirect(url_for("triage.show", ref=bug.ref))


@bp.post("/bugs/<ref>/publication/removal")
@signed_in
def take_down(ref: str) -> ResponseReturnValue:
    """Take a bug off the public list."""
    bug = bug_or_404(ref, signed_in_user())
    with transaction():
        known.take_down(bug, actor=signed_in_user())
    flash(_("It is off the public list."))
    return redirect(url_for("triage.show", ref=bug.ref))


def publication(bug: Bug, **_context: object) -> str:
    """Offer on a bug's page to publish it, where the company has a public list."""
    if not workspace().has_public_list or bug.merged_into_id is not None or bug.is_restricted:
        return ""
    problem = known.problem_of(bug)
    if problem is None and not bug.is_open:
        return ""
    languages = list(dict.fromkeys([*workspace().languages, *(problem.sentences if problem else ())]))
    return render_template(
        "loop/publication.html", bug=bug, problem=problem, languages=languages, most=known.SENTENCE_LENGTH
    )


def _atom(shown: list[Shown], language: str) -> bytes:
    page = url_for("customers.start", language=language)
    base = settings().base_url
    feed = ElementTree.Element("feed", {"xmlns": ATOM, "xml:lang": language})
    latest = max((each.changed_at for each in shown), default=workspace().set_up_at)
    _add(feed, "id", f"{base}{page}")
    _add(feed, "title", _("Known problems, %(company)s", company=workspace().signature))
    _add(feed, "updated", _stamp(latest))
    ElementTree.SubElement(_add(feed, "author", ""), "name").text = workspace().signature
    for rel, address in (("self", url_for("customers.feed", language=language)), ("alternate", page)):
        ElementTree.SubElement(feed, "link", {"rel": rel, "href": f"{base}{address}"})
    for each in shown:
        entry = ElementTree.SubElement(feed, "entry")
        _add(entry, "id", f"{base}{page}#p{each.number}")
        _add(entry, "title", f"{named(each.group)}: {each.sentence}")
        _add(entry, "updated", _stamp(each.changed_at))
        _add(entry, "published", _stamp(each.published_at))
        ElementTree.SubElement(entry, "link", {"rel": "alternate", "href": f"{base}{page}#p{each.number}"})
        words = each.sentence
        if each.workaround:
            words += "\n\n" + _("Until then: %(workaround)s", workaround=each.workaround)
        _add(entry, "content", words)
    return bytes(ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True))


def _add(parent: ElementTree.Element, name: str, text: str) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, name)
    child.text = text
    return child


def _stamp(at: datetime) -> str:
    return at.astimezone(clock.now().tzinfo).strftime("%Y-%m-%dT%H:%M:%SZ")
