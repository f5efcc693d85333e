"""The Loop page, and one announcement: what it says, to whom, and when it leaves."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from bugintake.core import clock
from bugintake.core.config import settings
from bugintake.core.db import transaction
from bugintake.core.errors import Invalid
from bugintake.core.forms import Seen, fingerprint
from bugintake.core.paging import page_number, page_start
from bugintake.core.templating import toast
from bugintake.intake.models import Bug
from bugintake.loop import (
    announcements,
    asked_words,
    duplicates,
    letters,
    pace,
    personal_lines,
    queries,
    readers,
    words,
)
from bugintake.loop.circuit import mail_circuit
from bugintake.loop.doubts import doubts_about
from bugintake.loop.envelopes import OWED
from bugintake.loop.facts import Outcome
from bugintake.loop.forms import PARTS, LineForm, ReasonForm, notes_form
from bugintake.loop.links import Links
from bugintake.loop.mail import Letter
from bugintake.loop.models import OUTCOMES, Announcement, Message, MessageState
from bugintake.loop.placeholders import names_in
from bugintake.loop.queries import PEOPLE_SHOWN, ROWS_SHOWN, Summary, Tab
from bugintake.loop.readers import Reader
from bugintake.loop.texts import Texts, in_force, naming
from bugintake.loop.views.blueprint import bp
from bugintake.team.guards import signed_in, signed_in_user
from bugintake.team.models import LANGUAGES
from bugintake.team.workspace import is_sample, workspace


@bp.get("/loop")
@signed_in
def index() -> ResponseReturnValue:
    """Show what is to be told, is on its way, was told, or failed."""
    me, start = signed_in_user(), page_start(ROWS_SHOWN)
    tab = Tab(request.args["tab"]) if request.args.get("tab") in set(Tab) else Tab.SEND
    found = queries.page_of_announcements(tab, me, start=start)
    return render_template(
        "loop/index.html",
        tab=tab,
        rows=found[:ROWS_SHOWN],
        page=page_number(),
        has_more=len(found) > ROWS_SHOWN,
        restored=queries.restored_count(me),
        notices=queries.stuck_notices(me),
        NOTICES=words.NOTICES,
        why_stuck=words.why_stuck,
        has_server=settings().smtp_url is not None,
        is_sample=is_sample(),
        circuit=mail_circuit(),
        slow=pace.paused(),
        now=clock.now(),
        MessageState=MessageState,
        STATES=words.STATES,
        CHIPS=words.CHIPS,
        KINDS=words.KINDS,
        OUTCOMES=OUTCOMES,
    )


@bp.get("/loop/<int:announcement_id>")
@signed_in
def show(announcement_id: int) -> ResponseReturnValue:
    """Show one announcement: the true mail in each language, and everybody it concerns."""
    return page(queries.summary_or_404(announcement_id, signed_in_user()))


def page(summary: Summary, status: int = 200, **forms: Any) -> ResponseReturnValue:
    """Draw the page of an announcement; a refused form comes in by name."""
    announcement, me = summary.announcement, signed_in_user()
    chosen = [MessageState(request.args["state"])] if request.args.get("state") in set(MessageState) else []
    start = page_start(PEOPLE_SHOWN)
    found = queries.page_of_messages(announcement, start=start, states=chosen)
    people = _readers(summary)
    context: dict[str, Any] = {
        "announcement": announcement,
        "bug": announcement.bug,
        "summary": summary,
        "owed": found[:PEOPLE_SHOWN],
        "has_more": len(found) > PEOPLE_SHOWN,
        "page": page_number(),
        "chosen": chosen[0] if chosen else None,
        "previews": [(found[0], preview(found[0], in_force())) for found in people.values()],
        "lacking": _lacking(people),
        "LOOKED_AT": readers.LOOKED_AT,
        "text_lacking": _text_lacking,
        "worded": letters.languages_worded(announcement),
        "form": form_of(announcement),
        "seen": _seen(announcement),
        "reason": ReasonForm(),
        "refused": None,
        "told_many": personal_lines.told_many([row.message.customer_id for row in found], me),
        "may_be_written": personal_lines.may_be_written,
        "line": LineForm(formdata=None),
        "lined": None,
        "has_server": settings().smtp_url is not None,
        "is_sample": is_sample(),
        "circuit": mail_circuit(),
        "slow": pace.paused(),
        "doubts": doubts_about(announcement) if announcement.released_at is None else [],
        "who_may_word": asked_words.who_may_word(announcement, me) if announcement.released_at is None else [],
        "is_outdated": announcement.generation != announcement.bug.generation,
        "now": clock.now(),
        "me": me,
        "why": words.why,
        "MessageState": MessageState,
        "STATES": words.STATES,
        "CHIPS": words.CHIPS,
        "KINDS": words.KINDS,
        "OUTCOMES": OUTCOMES,
        "OWED": OWED,
    }
    return make_response(render_template("loop/show.html", **{**context, **forms}), status)


def form_of(announcement: Announcement, **data: Any) -> Any:
    """Build the form for the words, in the languages that are offered, read by somebody it concerns, or written."""
    found = [*workspace().languages, *queries.languages_read(announcement), *announcement.notes]
    languages = [*dict.fromkeys(found)]
    parts = PARTS.get(announcement.kind, ("note",))
    return notes_form(languages, announcement.notes, announcement.bug.workarounds, parts=parts, **data)


def _seen(announcement: Announcement) -> dict[str, str]:
    """Say what the form shows of each text: what it showed when it was opened, where it was sent and refused."""
    stands = announcements.by_field(announcement.notes, announcement.bug.workarounds, LANGUAGES)
    return {name: request.form.get(f"seen_{name}") or fingerprint(text) for name, text in stands.items()}


def _readers(summary: Summary) -> Mapping[str, Sequence[Reader]]:
    asked_for = request.args.get("person", 0, type=int)
    return readers.of_announcement(
        summary.announcement, summary.by_language(), in_force(), asked_for if 0 < asked_for < 2**31 else 0
    )


def preview(reader: Reader, texts: Texts) -> Letter:
    """Write somebody's mail as it will be, but for the links that only they get."""
    links = Links(report_url="…", unsubscribe_url="…")
    return letters.outcome_letter([Outcome(reader.message, links)], workspace(), texts)


def _text_lacking(message: Message, names: Sequence[str] = ()) -> str:
    """Lead to the text that has no words for somebody: those named, else those of the reason why they are held."""
    part = naming(names or names_in(message.reason), message.announcement.kind, message.language)
    return url_for("loop.show_text", kind=part.value, language=message.language)


def _lacking(people: Mapping[str, Sequence[Reader]]) -> dict[str, list[Reader]]:
    """List by language those whom the texts have no words for, of those who would be written to."""
    lacking = {
        language: [each for each in found if each.missing and each.message.state is MessageState.PENDING]
        for language, found in people.items()
    }
    return {language: found for language, found in lacking.items() if found}


def act(announcement_id: int, verb: Any, done: str, undo: str | None = None) -> ResponseReturnValue:
    """Do something with an announcement, and come back to it."""
    summary = queries.summary_or_404(announcement_id, signed_in_user())
    with transaction():
        verb(summary.announcement, actor=signed_in_user())
    toast(done, undo=undo)
    return redirect(url_for("loop.show", announcement_id=announcement_id))


@bp.post("/loop/<int:announcement_id>/sending")
@signed_in
def send(announcement_id: int) -> ResponseReturnValue:
    """Send an announcement in a minute."""
    undo = url_for("loop.undo_send", announcement_id=announcement_id)
    return act(announcement_id, announcements.send, _("It leaves in a minute."), undo)


@bp.post("/loop/<int:announcement_id>/sending/undoing")
@signed_in
def undo_send(announcement_id: int) -> ResponseReturnValue:
    """Take the sending back."""
    return act(announcement_id, announcements.undo_send, _("It stays here."))


@bp.post("/loop/<int:announcement_id>/hold")
@signed_in
def hold(announcement_id: int) -> ResponseReturnValue:
    """Stop an announcement."""
    return act(announcement_id, announcements.hold, _("Held: nothing more of it leaves."))


@bp.post("/loop/<int:announcement_id>/resumption")
@signed_in
def resume(announcement_id: int) -> ResponseReturnValue:
    """Let a held announcement go on."""
    return act(announcement_id, announcements.resume, _("It goes on: the time to look at it begins anew."))


@bp.post("/loop/<int:announcement_id>/notes")
@signed_in
def edit_notes(announcement_id: int) -> ResponseReturnValue:
    """Change what an announcement says."""
    summary = queries.summary_or_404(announcement_id, signed_in_user())
    announcement = summary.announcement
    form = form_of(announcement)
    if not form.validate():
        return page(summary, 422, form=form)
    try:
        with transaction():
            notes, ways = form.texts("note"), form.texts("workaround")
            seen = Seen.on(request.form)
            announcements.edit_notes(announcement, notes, ways, seen=seen, actor=signed_in_user())
    except Invalid as refusal:
        if refusal.field not in form:
            raise
        form[refusal.field].errors = [refusal.sentence]
        return page(queries.summary_or_404(announcement_id, signed_in_user()), refusal.status, form=form)
    toast(_("Saved."))
    return redirect(url_for("loop.show", announcement_id=announcement_id))


def to_do() -> int:
    """Count for the top bar what waits for somebody."""
    return queries.to_do_count(signed_in_user()) if current_user.is_authenticated else 0


def merge_effects(bugs: Sequence[Bug], into: Bug, **_context: Any) -> str:
    """Say on the page that merges bugs whom that tells what."""
    return render_template("loop/merge_effects.html", sentences=duplicates.effects(bugs, into))


def told(bug: Bug, **_context: Any) -> str:
    """Say on a bug's page who was told, when and how, and what customers said since."""
    if not queries.is_anything_told(bug):
        return ""
    found, remarks = queries.told_about(bug), queries.remarks_about(bug)
    return render_template(
        "loop/told.html",
        owed=found[:PEOPLE_SHOWN],
        has_more=len(found) > PEOPLE_SHOWN,
        remarks=remarks,
        STATES=words.STATES,
        CHIPS=words.CHIPS,
        KINDS=words.KINDS,
        why=words.why,
    )
