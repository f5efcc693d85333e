"""The mail before a turn says what whoever is on duty has written for it by then, as far as its reader may see."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bugintake.core import clock as house_clock
from bugintake.core.config import Settings
from bugintake.core.db import transaction
from bugintake.core.forms import Seen
from bugintake.duty import handoffs
from bugintake.duty.handoff_models import Handoff
from bugintake.duty.reminders import coming_reminders
from bugintake.intake.models import Bug
from bugintake.loop import duty_notices, handoff_letters
from bugintake.team.models import Role, User
from bugintake.triage import editing, handing_over, transitions
from tests.duty.conftest import everybody_knows, make_rotation
from tests.factories import make_bug, make_user, make_workspace, merge
from tests.faults.rig import work
from tests.faults.server import FaultServer

pytestmark = pytest.mark.long_on("postgres")

MONDAY_NOON = datetime(2026, 9, 14, 12, tzinfo=UTC)
HOST = "https://bugs.example.com"
NEXT = "Cannot do it? Ask for a swap:"


@pytest.fixture
def settings(settings: Settings, sink: FaultServer) -> Settings:
    return replace(settings, smtp_url=f"smtp://127.0.0.1:{sink.port}", base_url=HOST)


@pytest.fixture(autouse=True)
def rotation(app: Any, clock: Any) -> Any:
    """Mira until Monday at 17:00, Tin on Tuesday."""
    clock.set(MONDAY_NOON)
    make_workspace(zone="UTC", review_minutes=0)
    mira = make_user(name="Mira Kos", email="mira@team.test", zone="UTC")
    tin = make_user(name="Tin Horvat", email="tin@team.test", zone="UTC")
    made = make_rotation([mira, tin], zone="UTC", start_on=date(2026, 9, 14))
    everybody_knows(made)
    return made


def person(name: str) -> User:
    return next(user for user in handoffs.queries.candidates() if user.first_name == name)


def write(hot: str = "", *, waiting: str = "", watch: str = "") -> Handoff:
    mira = person("Mira")
    turn = handoffs.turn_of(mira)
    assert turn is not None
    with transaction():
        return handoffs.save(turn, {"hot": hot, "waiting": waiting, "watch": watch}, (), Seen(), actor=mira)


def read(sink: FaultServer, clock: Any, at: datetime = MONDAY_NOON + timedelta(hours=4)) -> list[str]:
    """The paragraphs that Tin reads between what waits and the swap, when the mail of four in the afternoon leaves."""
    clock.set(at)
    work()
    [mail] = [mail for to, mail in sink.accepted if to == "tin@team.test" and "tomorrow" in mail["Subject"]]
    words = mail.get_body(("plain",)).get_content().replace("\r\n", "\n").strip().split("\n\n")
    return words[2 : next(n for n, line in enumerate(words) if line.startswith(NEXT))]


def restricted(bug: Bug, *, actor: User) -> Bug:
    with transaction():
        editing.restrict(bug, True, actor=actor)
    return bug


def test_it_says_what_was_typed_with_titles_and_links(sink, clock):
    bug, other = make_bug(actual="Nobody can sign in"), make_bug(actual="The logo is blurred")
    write(
        f"{bug.ref} Halden calls at nine.\n\nAsk Lea about {bug.ref} & {other.ref}.", watch="The mail server is slow."
    )

    assert read(sink, clock) == [
        "Mira's note so far:",
        f"Still hot: {bug.ref} {bug.title}: Halden calls at nine.\n{HOST}/bugs/{bug.ref}",
        f"Still hot: Ask Lea about {bug.ref} & {other.ref}.\n{HOST}/bugs/{bug.ref}",
        "Watch: The mail server is slow.",
    ]


def test_where_nothing_was_typed_it_says_what_has_written_itself(sink, clock):
    bug = make_bug(waiting=[])
    with transaction():
        transitions.start(bug, actor=person("Mira"))

    assert read(sink, clock) == [
        "Mira's note so far:",
        f"Still hot: {bug.ref} {bug.title}: is in progress, with Mira\n{HOST}/bugs/{bug.ref}",
    ]


def test_where_there_is_nothing_to_say_it_says_nothing(sink, clock):
    assert read(sink, clock) == []


def test_a_note_that_is_sent_already_is_not_one_so_far(sink, clock):
    note = write("Halden calls at nine.")
    with transaction():
        handing_over.send(note, actor=person("Mira"))

    assert read(sink, clock) == ["Mira's note:", "Still hot: Halden calls at nine."]


def test_a_quiet_day_is_said(sink, clock):
    note = write()
    with transaction():
        handing_over.send(note, actor=person("Mira"))

    assert read(sink, clock) == ["Mira's note:", "Quiet day: nothing open."]


def test_a_08_of_a_restricted_bug_nothing_but_its_number_and_link_leaves(sink, clock):
    """Tin filed one of them, so that he may see it; Mira may see both, for she writes of them."""
    mine = restricted(make_bug(actual="The canary sings", actor=person("Tin")), actor=person("Mira"))
    whole = restricted(make_bug(actual="A canary", actor=person("Tin")), actor=person("Mira"))
    part = make_bug(actual="Another canary", actor=person("Tin"))
    merge(part, whole)
    write(f"{mine.ref} the canary has a name\nsee {part.ref}, the canary, and {mine.ref}")

    assert read(sink, clock) == [
        "Mira's note so far:",
        f"Still hot: {mine.ref}\n{HOST}/bugs/{mine.ref}",
        f"Still hot: {part.ref}, {mine.ref}\n{HOST}/bugs/{part.ref}",
    ]
    assert "canary" not in sink.accepted[-1][1].as_string()


def test_a_08_a_line_about_a_bug_that_its_reader_may_not_see_stays_inside(sink, clock):
    lea = make_user(Role.AGENT)
    hidden = restricted(make_bug(actor=lea), actor=person("Mira"))
    write(f"{hidden.ref} is bad.\nAsk about {hidden.ref} and BUG-99999.\nCall Halden.")

    assert read(sink, clock) == ["Mira's note so far:", "Still hot: Call Halden."]


def test_a_08_rights_are_asked_for_when_it_leaves(sink, clock):
    lea = make_user(Role.AGENT)
    bug = make_bug(actor=lea, actual="The canary sings")
    write(f"{bug.ref} is bad.")
    clock.set(MONDAY_NOON + timedelta(hours=4))
    duty_notices.queue_reminders(house_clock.now())
    restricted(bug, actor=person("Mira"))

    assert read(sink, clock) == []


def test_a_long_note_is_cut_and_leads_to_the_rest(sink, clock):
    write("\n".join(f"Line {number}" for number in range(40)))

    found = read(sink, clock)

    assert (found[1], len(found), found[-1]) == ("Still hot: Line 0", 14, f"28 more\n{HOST}/duty")


def test_whoever_comes_before_in_days_to_come_has_written_nothing_yet(sink, clock):
    """On Friday the turn before Monday's is over and its note is sent; the turn before Tuesday's has not begun."""
    write("Halden calls at nine.")
    friday = [each for each in coming_reminders(house_clock.now()) if each.shift.on == date(2026, 9, 18)]

    assert [handoff_letters.note_so_far(each, each.person) for each in friday] == [[]]


def test_it_leads_to_the_calendar(sink, clock):
    read(sink, clock)

    assert f"Duty in your calendar:\r\n{HOST}/duty/feeds" in sink.accepted[-1][1].get_body(("plain",)).get_content()


def test_its_reader_reads_it_in_their_language(sink, clock):
    write("Halden ruft um neun an.", waiting="Lea")
    with transaction():
        person("Tin").language = "de"
    clock.set(MONDAY_NOON + timedelta(hours=4))
    work()

    words = sink.accepted[-1][1].get_body(("plain",)).get_content()
    assert "Bisher in der Notiz von Mira:\r\n\r\nNoch heiß: Halden ruft um neun an.\r\n\r\nWartet auf: Lea" in words
    assert f"Bug-Dienst in Ihrem Kalender:\r\n{HOST}/duty/feeds" in words
