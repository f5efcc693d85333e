"""What Fakturo's engineers hand over to each other at the end of their turns."""

from collections.abc import Iterator
from functools import partial

from bugintake.cli.fakturo import ANA, JONAS, LUKA, MIRA, TIN, Calendar, Person, Scene
from bugintake.cli.fakturo_company import Company
from bugintake.core.db import db
from bugintake.core.forms import Seen
from bugintake.duty import handoffs, improvements, queries
from bugintake.duty.improvement_models import ImprovementKind
from bugintake.team.models import User
from bugintake.triage import handing_over

HOT = "{shop} came back yesterday: an order of three lines became two invoices again, in Spain."
WAITING = "{receipt} waits for Lea, who asks which phone it was."
WATCH = "{reminder} goes live with 4.13.0, three people to tell.\nTin is on {comma}: only Spanish and German amounts."


def handing(c: Company, when: Calendar) -> Iterator[Scene]:
    """Tell what yesterday left, and that whoever is on duty today has read it."""
    yield when.day(1, "16:50"), partial(_hand_over, c)
    this_morning = when.day(0, "09:04")
    if this_morning < when.now:
        yield this_morning, partial(_read, c)


def missing(c: Company, when: Calendar) -> Iterator[Scene]:
    """Tell what would have saved them time, and that one of it is done."""
    yield when.day(9, "15:10"), partial(_note, c, TIN, ImprovementKind.TOOL, "Show the bank's answer beside the import")
    yield when.day(4, "11:40"), partial(_note, c, MIRA, ImprovementKind.DOC, "How VAT rounds in Switzerland")
    yield when.day(2, "16:20"), partial(_note, c, ANA, ImprovementKind.MACRO, "How to send us a log from the app")
    yield when.day(1, "10:15"), partial(_do, c)


def away(c: Company, when: Calendar) -> Iterator[Scene]:
    """Tell who was away, and who will be."""
    yield when.day(21, "15:05"), partial(c.be_away, TIN, when.day(18, "00:00"), 3, "Moving house", TIN)
    yield when.day(9, "08:50"), partial(c.be_away, MIRA, when.day(9, "00:00"), 2, "Ill", LUKA)
    yield when.day(6, "13:20"), partial(c.be_away, ANA, when.monday(2), 7, "Hiking", ANA)
    yield when.day(3, "09:30"), partial(c.be_away, JONAS, when.monday(4), 3, "Conference", JONAS)


STORIES = (handing, missing, away)


def _note(c: Company, who: Person, kind: ImprovementKind, text: str) -> None:
    improvements.note(kind, text, actor=c.users[who])


def _do(c: Company) -> None:
    [oldest] = improvements.open_ones(most=1)
    improvements.end(oldest, is_done=True, actor=c.users[JONAS])


def _hand_over(c: Company) -> None:
    person = _on_duty()
    turn = handoffs.turn_of(person) if person is not None else None
    if turn is None or person is None:
        return
    refs = {key: c.bug(key).ref for key in ("shop", "receipt", "reminder", "comma")}
    texts = {"hot": HOT.format(**refs), "waiting": WAITING.format(**refs), "watch": WATCH.format(**refs)}
    note = handoffs.save(turn, texts, [line.key for line in handing_over.draft(turn)], Seen(), actor=person)
    handing_over.send(note, actor=person)


def _read(_company: Company) -> None:
    person, rotation = _on_duty(), queries.default_rotation()
    for note in handoffs.sent_notes(rotation) if rotation is not None else ():
        if person is not None and handoffs.reader_of(note) == person:
            handoffs.confirm_reading(note, actor=person)


def _on_duty() -> User | None:
    planned = queries.on_duty()
    return db.session.get(User, planned.person.id) if planned is not None and planned.person is not None else None
