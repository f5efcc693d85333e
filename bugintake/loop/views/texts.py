"""The texts of mails: what each kind says in each language, its versions, and how it reads to whom it fits worst."""

from typing import Any

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import transaction
from bugintake.core.errors import Invalid, NotFound
from bugintake.core.forms import Seen, fingerprint
from bugintake.core.templating import toast
from bugintake.intake.wording import trade_words
from bugintake.loop import letters, placeholders, readers, texts, words, writing
from bugintake.loop.doubts import customers_in
from bugintake.loop.facts import example
from bugintake.loop.forms import MailTextForm
from bugintake.loop.models import AnnouncementKind
from bugintake.loop.text_models import AROUND, MailText, TextKind
from bugintake.loop.texts import Texts, Wording
from bugintake.loop.views.announcements import preview
from bugintake.loop.views.blueprint import bp
from bugintake.team.guards import lead_required, signed_in_user
from bugintake.team.models import LANGUAGES
from bugintake.team.workspace import workspace


@bp.get("/admin/texts")
@lead_required
def list_texts() -> ResponseReturnValue:
    """List what mails say, by kind and language: ours, or who wrote which version."""
    written = {(each.kind, each.language): each for each in texts.newest()}
    return render_template("loop/texts.html", written=written, languages=_languages(), TEXTS=words.TEXTS)


@bp.get("/admin/texts/<kind>/<language>")
@lead_required
def show_text(kind: str, language: str) -> ResponseReturnValue:
    """Show one text, as it may be changed."""
    return _page(*_named(kind, language))


@bp.post("/admin/texts/<kind>/<language>")
@lead_required
def write_text(kind: str, language: str) -> ResponseReturnValue:
    """Let mails say something else from now on."""
    part, form = _named(kind, language)[0], MailTextForm()
    said = Wording(form.subject.data or "", form.body.data or "")
    try:
        with transaction():
            seen = Seen.on(request.form)
            written = writing.write(part, language, *said, seen=seen, actor=signed_in_user())
    except Invalid as refusal:
        form.refuse(refusal.sentence, refusal.field)
        return _page(part, language, form, 422)
    return _done(part, language, written)


@bp.post("/admin/texts/<kind>/<language>/preview")
@lead_required
def preview_text(kind: str, language: str) -> ResponseReturnValue:
    """Show how it would read, and save nothing."""
    part, form = _named(kind, language)[0], MailTextForm()
    try:
        if form.body.data:
            writing.check(part, language, Wording(form.subject.data or "", form.body.data))
    except Invalid as refusal:
        form.refuse(refusal.sentence, refusal.field)
        return _page(part, language, form, 422)
    return _page(part, language, form)


@bp.post("/admin/texts/<kind>/<language>/versions/<int:version>/recall")
@lead_required
def take_text_again(kind: str, language: str, version: int) -> ResponseReturnValue:
    """Let mails say again what an earlier version said, 0 for our own words."""
    part, _language = _named(kind, language)
    with transaction():
        seen = Seen.on(request.form)
        written = writing.take_again(part, language, version, seen=seen, actor=signed_in_user())
    return _done(part, language, written)


def _named(kind: str, language: str) -> tuple[TextKind, str]:
    if kind not in set(TextKind) or language not in LANGUAGES:
        raise NotFound()
    return TextKind(kind), language


def _done(part: TextKind, language: str, written: MailText | None) -> ResponseReturnValue:
    if written is None:
        toast(_("Nothing has changed."))
    else:
        toast(_("Version %(number)d is in force: mails that have not left say it.", number=written.version))
    return redirect(url_for(".show_text", kind=part.value, language=language))


def _languages() -> list[str]:
    """List the languages that are offered, and those in which a text was written."""
    return [*dict.fromkeys([*workspace().languages, *(each.language for each in texts.newest())])]


def _page(part: TextKind, language: str, form: MailTextForm | None = None, status: int = 200) -> ResponseReturnValue:
    versions = texts.versions(part, language)
    stands = texts.standing(part, language, versions)
    shown = form or MailTextForm(formdata=None, data=stands)
    said = Wording(shown.subject.data or "", shown.body.data or "")
    if form is None and not (versions and versions[0].body):
        said = Wording("", "")  # what the form begins with is ours already, and fits better than a text of it
    plain = placeholders.fill("\n".join(said), {})
    context: dict[str, Any] = {
        "kind": part,
        "language": language,
        "languages": list(dict.fromkeys([*_languages(), language])),
        "form": shown,
        "has_subject": part not in AROUND,
        "versions": _with_differences(part, language, versions),
        "in_force": versions[0].version if versions and versions[0].body else 0,
        "seen": {name: request.form.get(f"seen_{name}") or fingerprint(text) for name, text in stands.items()},
        "unsaved": form is not None,
        "trade": trade_words(language, plain),
        "named": customers_in(plain),
        "places": [(name, words.PLACES[name]) for name in texts.KNOWN[part]],
        "examples": example(language, workspace()).values,
        "TEXTS": words.TEXTS,
        **(_preview(part, language, said) if status == 200 else {"letter": None}),
    }
    return make_response(render_template("loop/text.html", **context), status)


def _preview(part: TextKind, language: str, said: Wording) -> dict[str, Any]:
    """Write the mail of whoever it fits worst among those who wait for one, else one that is made up."""
    others = {key: each for key, each in texts.in_force().items() if key != (part, language)}
    with_it: Texts = {**others, (part, language): said} if said.body else others
    people = readers.of_text(part, language, with_it, signed_in_user())
    if people:
        lacking = sum(bool(each.missing) for each in people)
        return {"reader": people[0], "letter": preview(people[0], with_it), "people": len(people), "lacking": lacking}
    told = AnnouncementKind.LIVE if part in AROUND else AnnouncementKind(part)
    return {"reader": None, "letter": letters.made_up(told, language, workspace(), with_it)}


def _with_differences(part: TextKind, language: str, versions: Any) -> list[tuple[MailText, list[tuple[str, str]]]]:
    """Show beside each version what it changed of the one before; without words it is ours that it begins with."""
    ours = texts.standing(part, language, ())
    said = [{"subject": each.subject, "body": each.body} if each.body else ours for each in versions] + [ours]
    return [
        (each, texts.differences(before, after)) for each, after, before in zip(versions, said, said[1:], strict=False)
    ]
