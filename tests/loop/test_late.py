"""Whoever was told what is not so is corrected, also where that comes out late, and where bugs become one meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bugintake.core.config import Settings
from bugintake.core.db import db, transaction
from bugintake.intake.models import Bug, Status
from bugintake.loop import announcements, attempts, messages, outbox, releases
from bugintake.loop.attempts import Claimed
from bugintake.loop.models import Announcement, AnnouncementKind, Message, MessageState
from bugintake.loop.verdicts import Outcome, Phase, Verdict
from bugintake.team.models import User
from bugintake.triage import merging
from tests.factories import bring_to, make_bug, make_customer, make_user, make_workspace, merge
from tests.faults.rig import broken_invariants, work
from tests.faults.server import FaultServer
from tests.loop.rows import announcement_of, arrive, one_message, owed, release, waiting_for

HANA = "hana@example.com"


@pytest.fixture
def settings(settings: Settings, sink: FaultServer) -> Settings:
    return replace(settings, smtp_url=f"smtp://127.0.0.1:{sink.port}")


@pytest.fixture
def mira(app: Any, clock: Any) -> Iterator[User]:
    make_workspace(review_minutes=0)
    yield make_user(name="Mira Kos")
    assert broken_invariants() == []


def separate(part: Bug, actor: User) -> None:
    with transaction():
        merging.unmerge(db.session.get_one(Bug, part.id), actor=actor)


def withdraw(bug: Bug, actor: User) -> None:
    with transaction():
        releases.withdraw_release(db.session.get_one(Bug, bug.id).release, actor=actor)


@pytest.fixture(params=["judged", "heard at last"])
def arrives(request: pytest.FixtureRequest, mira: User) -> Callable[[Claimed], None]:
    """By which way it comes out that a mail arrived: a person says so, or the server does after all."""

    def come_out(claimed: Claimed) -> None:
        if request.param == "judged":
            attempts.finish(claimed, Outcome(Verdict.UNCERTAIN, Phase.DATA, error="No answer."))
            judge(claimed, mira, arrived=True)
        else:
            arrive(claimed)
        db.session.expire_all()

    return come_out


def judge(claimed: Claimed, actor: User, *, arrived: bool) -> None:
    db.session.expire_all()
    with transaction():
        [message] = attempts.messages_in(claimed.id, MessageState.UNCERTAIN)
        messages.judge_uncertain(message, arrived=arrived, actor=actor)


def to_hana(sink: FaultServer) -> list[str]:
    return [str(mail["Subject"]) for recipient, mail in sink.accepted if recipient == HANA]


def on_its_way() -> Claimed:
    """Let a worker hand the only mail over, and hear nothing yet."""
    release()
    [claimed] = outbox.claim()
    assert attempts.begin_sending(claimed)
    return claimed


def test_what_told_of_another_bug_once_it_was_separated_is_corrected(
    arrives: Callable[[Claimed], None], mira: User
) -> None:
    hana = make_customer("Hana", email=HANA)
    part, whole = make_bug(waiting=[hana]), make_bug(Status.LIVE, waiting=[])
    merge(part, whole)
    claimed = on_its_way()
    separate(part, mira)

    arrives(claimed)

    assert (announcement_of(part).kind, owed(part)[-1][:2]) == ("correction", (HANA, "held"))
    assert waiting_for(part) == 1


def test_what_said_that_a_withdrawn_release_is_live_is_corrected(
    arrives: Callable[[Claimed], None], mira: User
) -> None:
    bug = make_bug(Status.LIVE, waiting=[make_customer(email=HANA)])
    claimed = on_its_way()
    withdraw(bug, mira)

    arrives(claimed)

    assert announcement_of(bug).kind == "correction"
    assert [row[1] for row in owed(bug)] == ["sent", "held"]


def test_where_their_own_has_ended_too_a_person_looks_first(arrives: Callable[[Claimed], None], mira: User) -> None:
    hana = make_customer("Hana", email=HANA)
    part, whole = make_bug(Status.DECLINED, waiting=[hana]), make_bug(Status.LIVE, waiting=[])
    merge(part, whole)
    claimed = on_its_way()
    separate(part, mira)
    assert owed(part)[-1][1] == "pending"

    arrives(claimed)

    assert owed(part)[-1][1:] == ("held", "reopened")
    assert one_message(part).reason == f"They were told what became of {whole.ref}, which is another problem."


def test_whoever_reported_both_was_told_nothing_wrong(arrives: Callable[[Claimed], None], mira: User) -> None:
    hana = make_customer("Hana", email=HANA)
    part, whole = make_bug(waiting=[hana]), make_bug(waiting=[hana])
    merge(part, whole)
    bring_to(db.session.get_one(Bug, whole.id), Status.LIVE, actor=mira)
    claimed = on_its_way()
    separate(part, mira)

    arrives(claimed)

    assert AnnouncementKind.CORRECTION not in {announcement_of(bug).kind for bug in (part, whole) if owed(bug)}


def test_several_who_come_out_late_are_corrected_together(mira: User) -> None:
    people = [make_customer(email=f"p{number}@example.com") for number in range(2)]
    part, whole = make_bug(waiting=people), make_bug(Status.LIVE, waiting=[])
    merge(part, whole)
    release()
    claims = outbox.claim()
    assert all(attempts.begin_sending(claimed) for claimed in claims)
    separate(part, mira)

    for claimed in claims:
        arrive(claimed)
    db.session.expire_all()

    assert [row[0] for row in owed(part)] == ["p0@example.com", "p1@example.com"]
    assert db.session.scalar(sa.select(sa.func.count(sa.distinct(Message.announcement_id))).where(of_part(part))) == 1


def of_part(part: Bug) -> sa.ColumnElement[bool]:
    return Message.announcement_id.in_(sa.select(Announcement.id).where(Announcement.bug_id == part.id))


def test_what_did_not_arrive_is_not_sent_again_to_who_waits_for_another_bug_now(sink: FaultServer, mira: User) -> None:
    part, whole = make_bug(waiting=[make_customer("Hana", email=HANA)]), make_bug(Status.LIVE, waiting=[])
    merge(part, whole)
    claimed = on_its_way()
    attempts.finish(claimed, Outcome(Verdict.UNCERTAIN, Phase.DATA, error="No answer."))
    separate(part, mira)

    judge(claimed, mira, arrived=False)
    work()

    assert (to_hana(sink), owed(whole)[0][1], waiting_for(part)) == ([], "cancelled", 1)


@pytest.mark.parametrize("note", ["", "It was not live."])
def test_a_correction_that_has_not_left_goes_on_when_its_bug_becomes_a_part(
    sink: FaultServer, mira: User, note: str
) -> None:
    part, whole = make_bug(Status.LIVE, waiting=[make_customer(email=HANA)]), make_bug(waiting=[])
    work()
    withdraw(part, mira)
    if note:
        with transaction():
            announcements.edit_notes(announcement_of(part), {"en": note}, {}, actor=mira)

    merge(part, whole)

    assert owed(part)[-1][1] == "cancelled"
    assert announcement_of(whole).kind == "correction"
    assert owed(whole) == [(HANA, "pending" if note else "held", None if note else "no_note")]
    work()
    assert len(to_hana(sink)) == (2 if note else 1)


def test_it_comes_back_with_its_people_when_the_bugs_are_two_again_and_not_where_it_has_left(
    sink: FaultServer, mira: User, clock: Any
) -> None:
    hana = make_customer(email=HANA)
    part, whole = make_bug(Status.LIVE, waiting=[hana]), make_bug(waiting=[make_customer(email="ole@example.com")])
    work()
    withdraw(part, mira)
    merge(part, whole)
    separate(part, mira)
    assert [(announcement_of(bug).kind, owed(bug)[-1][1]) for bug in (part, whole)] == [
        ("correction", "held"),
        ("correction", "cancelled"),
    ]

    merge(part, whole)
    clock.advance(timedelta(minutes=1))
    with transaction():
        announcements.edit_notes(announcement_of(whole), {"en": "It was not live."}, {}, actor=mira)
    work()
    assert (len(to_hana(sink)), owed(whole)[-1][1]) == (2, "sent")
    separate(part, mira)
    assert owed(part)[-1][1] == "cancelled"


def test_where_the_whole_has_ended_its_outcome_is_what_they_are_owed(sink: FaultServer, mira: User) -> None:
    part, whole = make_bug(Status.LIVE, waiting=[make_customer(email=HANA)]), make_bug(Status.DECLINED)
    work()
    withdraw(part, mira)

    merge(part, whole)

    assert owed(part)[-1][1] == "cancelled"
    assert (announcement_of(whole).kind, owed(whole)[-1][0]) == ("declined", HANA)
