"""Handing duty over: the note of one's turn, reading the one before, and earlier ones."""

from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core import clock
from bugintake.core.db import transaction
from bugintake.core.errors import Invalid
from bugintake.core.forms import Seen
from bugintake.core.pages import register_page
from bugintake.core.paging import page_number, page_start
from bugintake.core.templating import register_panel, toast
from bugintake.duty import handoffs
from bugintake.duty.handoff_models import Handoff
from bugintake.duty.handoffs import Turn
from bugintake.duty.queries import plan_for, plan_to_show, plans_to_show
from bugintake.team.guards import engineer_required, signed_in, signed_in_user
from bugintake.triage import forms, handing_over
from bugintake.triage.owners import decides_now
from bugintake.triage.views import bp
from bugintake.triage.views.rotations import rotation_asked_for

NOTES_SHOWN = 20


@bp.get("/duty/handoff")
@engineer_required
def write_handoff() -> ResponseReturnValue:
    """Offer the note of one's turn as it has written itself, or as it was saved."""
    turn = handoffs.turn_of(signed_in_user(), rotation_asked_for())
    if turn is None:
        return _nothing_to_write()
    note = handoffs.note_of(turn)
    if note is not None and note.sent_at is not None:
        return redirect(url_for("duty.today", rotation=turn.rotation.named))
    return _offered(turn, note, handing_over.draft(turn))


@bp.post("/duty/handoff")
@engineer_required
def keep_handoff() -> ResponseReturnValue:
    """Save the note of one's turn, add what happened since, or send it."""
    me = signed_in_user()
    turn = handoffs.turn_of(me, rotation_asked_for())
    if turn is None:
        return _nothing_to_write()
    form, wanted, lines = forms.HandoffForm(), request.form.get("do"), handing_over.draft(turn)
    texts = {part: form[part].data or "" for part in handoffs.PARTS}
    known = form.lines_known()
    if wanted == "add":
        new = [line for line in lines if line.key not in known]
        added = handing_over.texts_of(new)
        texts = {part: "\n".join(filter(None, (text, added[part]))) for part, text in texts.items()}
        known += [line.key for line in new]
    try:
        if wanted == "send" and not any(texts.values()):
            raise Invalid(_("Write what the next person has to know, or say that the day was quiet."), "hot")
        with transaction():
            note = handoffs.save(turn, texts, known, Seen.on(request.form), actor=me)
            if wanted == "send":
                handing_over.send(note, actor=me)
    except Invalid as refusal:
        form.refuse(refusal.sentence, refusal.field)
        return make_response(_page(turn, form, handoffs.note_of(turn), lines, known), 422)
    if wanted == "send":
        return _sent(note)
    flash(_("Saved. It stands in the mail before the next turn, and is handed over once you send it."))
    return redirect(url_for("triage.write_handoff", rotation=turn.rotation.id))


@bp.post("/duty/handoff/quiet")
@engineer_required
def hand_over_quiet_day() -> ResponseReturnValue:
    """Say that the day was quiet and nothing is open; where something is, show it instead."""
    me = signed_in_user()
    turn = handoffs.turn_of(me, rotation_asked_for())
    if turn is None:
        return _nothing_to_write()
    note, lines = handoffs.note_of(turn), handing_over.draft(turn)
    if lines or (note is not None and not note.is_quiet):
        words = _("Not quite quiet: this is open, or you have written it. Send it as it is, or change it.")
        return make_response(_offered(turn, note, lines, words), 422)
    with transaction():
        note = handoffs.save(turn, dict.fromkeys(handoffs.PARTS, ""), (), Seen(), actor=me)
        handing_over.send(note, actor=me)
    return _sent(note)


@bp.post("/duty/handoffs/<int:handoff_id>/removal")
@engineer_required
def take_handoff_back(handoff_id: int) -> ResponseReturnValue:
    """Take one's note back to change it."""
    note = handoffs.note_or_404(handoff_id)
    with transaction():
        handing_over.put_back(note, actor=signed_in_user())
    flash(_("The note is not sent any more. Change it, and send it."))
    return redirect(url_for("triage.write_handoff", rotation=note.rotation_id))


@bp.post("/duty/handoffs/<int:handoff_id>/reading")
@engineer_required
def read_handoff(handoff_id: int) -> ResponseReturnValue:
    """Confirm that one has read a note."""
    note = handoffs.note_or_404(handoff_id)
    with transaction():
        handoffs.confirm_reading(note, actor=signed_in_user())
    flash(_("%(name)s sees that you have read it.", name=note.author.first_name))
    return redirect(url_for("duty.today", rotation=note.rotation.named))


@bp.post("/duty/left/<int:left_id>/removal")
@engineer_required
def tick_left_off(left_id: int) -> ResponseReturnValue:
    """Say that a bug which was left needs nothing any more."""
    with transaction():
        bug = handing_over.tick_off(left_id, actor=signed_in_user())
    flash(_("%(ref)s is off the list of what was left.", ref=bug.ref))
    return redirect(url_for("duty.today", rotation=rotation_asked_for()))


@bp.get("/duty/handoffs")
@signed_in
def show_handoffs() -> ResponseReturnValue:
    """List the notes that were sent in a rotation, the last one first."""
    plan = plan_to_show(rotation_asked_for())
    start = page_start(NOTES_SHOWN)
    found = handoffs.sent_notes(plan.rotation, start=start, most=NOTES_SHOWN + 1) if plan is not None else ()
    shown = found[:NOTES_SHOWN]
    return render_template(
        "triage/handoffs.html",
        notes=shown,
        shown=plan.rotation if plan is not None else None,
        rotations=[each.rotation for each in plans_to_show()],
        titles=_titles(*shown),
        page=page_number(),
        has_more=len(found) > NOTES_SHOWN,
        **_words(),
    )


def _sent(note: Handoff) -> ResponseReturnValue:
    reader = handoffs.reader_of(note)
    said = _("Sent. %(name)s is asked to read it.", name=reader.first_name) if reader else _("Sent.")
    toast(said, undo=url_for("triage.take_handoff_back", handoff_id=note.id))
    return redirect(url_for("duty.today", rotation=note.rotation.named))


def _offered(turn: Turn, note: Handoff | None, lines: list[handing_over.Line], refusal: str = "") -> str:
    texts = note.texts if note is not None else handing_over.texts_of(lines)
    known = note.offered if note is not None else [line.key for line in lines]
    form = forms.HandoffForm(formdata=None, data=texts)
    if refusal:
        form.refuse(refusal)
    return _page(turn, form, note, lines, known)


def _page(
    turn: Turn, form: forms.HandoffForm, note: Handoff | None, lines: list[handing_over.Line], known: list[str]
) -> str:
    me = signed_in_user()
    texts = [form[part].data or "" for part in handoffs.PARTS]
    numbers = handing_over.numbers_in(texts) | {line.bug_id for line in lines}
    return render_template(
        "triage/handoff.html",
        turn=turn,
        form=form,
        note=note,
        seen=note.texts if note is not None else {},
        known=known,
        news=[line for line in lines if line.key not in known],
        titles=handing_over.titles(numbers, me),
        reader=handoffs.next_person(turn),
        is_quiet=not any(texts) and not lines,
        **_words(),
    )


def _nothing_to_write() -> ResponseReturnValue:
    flash(_("There is no turn of yours to hand over now."))
    return redirect(url_for("triage.show_handoffs"))


def _titles(*notes: Handoff) -> dict[int, str | None]:
    texts = [text for note in notes for text in note.texts.values()]
    return handing_over.titles(handing_over.numbers_in(texts), signed_in_user())


def _words() -> dict[str, Any]:
    return {"parts": handoffs.PARTS, "pieces": handing_over.pieces}


def _panel(**_context: object) -> str:
    me, rotation_id = signed_in_user(), rotation_asked_for()
    plan = plan_for(me) if rotation_id is None else plan_to_show(rotation_id)
    if plan is None:
        return ""
    note = next(iter(handoffs.sent_notes(plan.rotation)), None)
    turn = handoffs.turn_of(me, rotation_id)
    own = handoffs.note_of(turn) if turn is not None else None
    reader = handoffs.reader_of(note) if note is not None and note.read_at is None else None
    return render_template(
        "triage/handoff_panel.html",
        note=note,
        titles=_titles(note) if note is not None else {},
        reader=reader,
        left=handing_over.left(me, plan.rotation.id),
        decides=decides_now(me, rotation_id),
        asked=rotation_id,
        turn=turn,
        is_running=turn is not None and turn.end > clock.now(),
        own=own,
        me=me,
        **_words(),
    )


register_page("Handoff notes", "triage.show_handoffs")
register_panel("duty.handoff", _panel)
