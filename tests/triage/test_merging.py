"""Two bugs become one and are two again: who waits, what stands for what, and what is refused."""

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.intake import reports, waiting
from bugintake.intake.models import Bug, Report, Status
from bugintake.loop import replies
from bugintake.team.models import Role
from bugintake.triage import editing, history, merging, queries, transitions
from bugintake.triage.queries import Filters
from tests.factories import bring_to, make_bug, make_customer, make_report, make_user, merge

pytestmark = pytest.mark.usefixtures("company")


def separate(bug, actor, of=None):
    """Let a bug stand for itself again."""
    with transaction():
        return merging.unmerge(bug, actor=actor, of=of)


def stand_for(*bugs):
    """The bug that stands for each."""
    return [db.session.get_one(Bug, bug.id).canonical_id for bug in bugs]


def counts(*bugs):
    """How many people wait for each."""
    return [db.session.get_one(Bug, bug.id).waiting_count for bug in bugs]


def people(bug):
    """Who waits for a bug."""
    return set(db.session.scalars(waiting.unsettled_under(bug.id).with_only_columns(Report.customer_id)))


def test_the_people_of_a_duplicate_wait_for_the_other_one_each_once(mira):
    hana, sam, ole = make_customer(), make_customer(), make_customer()
    part, whole = make_bug(waiting=[hana, sam]), make_bug(waiting=[sam, ole])

    merge(part, whole, actor=mira)

    assert (stand_for(part, whole), part.merged_into_id) == ([whole.id, whole.id], whole.id)
    assert counts(part, whole) == [0, 3]
    assert people(whole) == {hana.id, sam.id, ole.id}


def test_a_duplicate_leaves_the_board_and_keeps_its_status(mira):
    part, whole = make_bug(Status.ACCEPTED), make_bug(Status.IN_PROGRESS)

    merge(part, whole, actor=mira)
    columns, _ = queries.board(Filters(), mira)

    assert {column.status: column.bug_count for column in columns if column.bug_count} == {Status.IN_PROGRESS: 1}
    assert sum(column.people_count for column in columns) == 2
    assert part.status == Status.ACCEPTED


def test_both_histories_say_who_merged_what(mira):
    part, whole = make_bug(), make_bug()
    merge(part, whole, actor=mira)
    separate(part, mira)

    told = [[f"{line.who} {line.words}" for line in history.history(bug)][1:] for bug in (part, whole)]

    assert told[0] == [f"Mira Kos made it a part of {whole.ref}", f"Mira Kos separated it from {whole.ref} again"]
    assert told[1] == [f"Mira Kos merged {part.ref} into it", f"Mira Kos separated {part.ref} from it again"]


def test_a_chain_collapses_and_each_step_can_be_taken_back(mira):
    first, second, third = make_bug(), make_bug(), make_bug()
    merge(first, second)
    merge(second, third)

    assert stand_for(first, second, third) == [third.id] * 3
    assert (first.merged_into_id, second.merged_into_id, counts(third)) == (second.id, third.id, [3])

    separate(second, mira)

    assert stand_for(first, second, third) == [second.id, second.id, third.id]
    assert counts(first, second, third) == [0, 2, 1]

    merge(second, third)
    separate(first, mira)

    assert stand_for(first, second, third) == [first.id, third.id, third.id]
    assert counts(first, second, third) == [1, 0, 2]


def test_merging_into_a_part_merges_into_what_stands_for_it():
    part, whole, third = make_bug(), make_bug(), make_bug()
    merge(part, whole)

    merge(third, part)

    assert (third.merged_into_id, counts(whole)) == (whole.id, [3])


def test_taking_back_gives_back_exactly_its_own_people(mira):
    hana, sam, late = make_customer(), make_customer(), make_customer()
    part, whole = make_bug(waiting=[hana, sam]), make_bug(waiting=[sam])
    merge(part, whole)
    make_report(late, bug=part)

    separate(part, mira)

    assert (people(part), people(whole)) == ({hana.id, sam.id}, {sam.id, late.id})
    assert counts(part, whole) == [2, 2]


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        ("itself", "BUG-1 is the same bug. Choose another one."),
        ("loop", "BUG-2 is part of BUG-1 already."),
        ("part", "BUG-1 is part of BUG-2 already. Merge that one."),
        ("withdrawn", "BUG-1 was taken back."),
        ("into withdrawn", "BUG-2 was taken back."),
        ("moved", "Mira moved BUG-1 to In progress 1 s ago. Nothing of yours was saved yet."),
        ("other moved", "Mira moved BUG-2 to In progress 1 s ago. Nothing of yours was saved yet."),
    ],
)
def test_what_cannot_be_merged_is_refused_in_words(mira, case, sentence):
    bug, other, third = make_bug(), make_bug(), make_bug()
    if case == "loop":
        merge(other, bug)
    elif case == "part":
        merge(bug, other)
    elif "withdrawn" in case:
        gone = bug if case == "withdrawn" else other
        with transaction():
            reports.withdraw(db.session.scalars(waiting.reports_under(gone.id)).one(), actor=mira)
    elif "moved" in case:
        with transaction():
            transitions.start(bug if case == "moved" else other, actor=mira)
    into = {"itself": bug, "part": third}.get(case, other)

    with pytest.raises(Conflict) as refusal, transaction():
        merging.merge(bug, into, actor=mira, seen=Status.NEW, into_seen=Status.NEW)

    assert refusal.value.sentence == sentence.replace("BUG-1", bug.ref).replace("BUG-2", other.ref)


def test_what_is_no_part_or_the_part_of_another_is_not_taken_back(mira):
    bug, other, third = make_bug(), make_bug(), make_bug()
    with pytest.raises(Conflict, match=f"{bug.ref} stands for itself already."):
        separate(bug, mira)
    merge(bug, third)

    with pytest.raises(Conflict, match=f"{bug.ref} is part of {third.ref} now."):
        separate(bug, mira, of=other)


@pytest.mark.parametrize("verb", [transitions.accept, transitions.undo])
def test_a_part_cannot_be_moved(mira, verb):
    part, whole = make_bug(Status.IN_PROGRESS), make_bug()
    merge(part, whole)

    with pytest.raises(Conflict, match=f"{part.ref} is part of {whole.ref}. Move that one."), transaction():
        verb(part, actor=mira)


def test_a_part_is_restricted_by_restricting_what_it_is_part_of(mira):
    part, whole = make_bug(), make_bug()
    merge(part, whole)

    with pytest.raises(Conflict, match=f"{part.ref} is part of {whole.ref}. Restrict that one."), transaction():
        editing.restrict(part, True, actor=mira)


def test_a_restricted_bug_restricts_what_it_becomes_a_part_of(mira):
    part, whole, lead = make_bug(actor=mira), make_bug(), make_user(Role.LEAD)
    with transaction():
        editing.restrict(part, True, actor=mira)

    merge(part, whole, actor=lead)
    assert whole.is_restricted

    separate(part, lead)
    assert (part.is_restricted, whole.is_restricted) == (True, True)  # a lead decides whether everybody may see it


def test_what_was_restricted_while_it_was_one_stays_so_and_what_was_not_does_not(mira):
    part, other, whole, lead = make_bug(), make_bug(), make_bug(), make_user(Role.LEAD)
    with transaction():
        editing.restrict(whole, True, actor=lead)
    merge(other, whole, actor=lead)
    separate(other, lead)
    with transaction():
        editing.restrict(whole, False, actor=lead)
    merge(part, whole, actor=lead)
    with transaction():
        editing.restrict(whole, True, actor=lead)

    separate(part, lead)

    assert (part.is_restricted, other.is_restricted) == (True, False)


def test_whoever_was_told_meanwhile_of_the_other_one_waits_again(mira):
    hana, sam, ole, urs = make_customer(), make_customer(), make_customer(), make_customer()
    part, whole = make_bug(waiting=[hana, sam, urs]), make_bug(waiting=[sam, ole])
    merge(part, whole)
    with transaction():
        theirs = waiting.reports_under(whole.id).where(Report.customer_id == urs.id)
        replies.works_now(db.session.scalars(theirs).one())
    bring_to(whole, Status.DECLINED, actor=mira)
    with transaction():
        waiting.settle(whole, [hana.id, sam.id, ole.id], reports.SettledBy.TOLD, actor=mira)

    unmerged = separate(part, mira)

    assert (people(part), people(whole)) == ({hana.id, sam.id}, set())
    assert unmerged.details["told"] == 1  # Sam reported the other one, too


def test_who_was_settled_before_the_merge_stays_so(mira):
    hana = make_customer()
    part, whole = make_bug(Status.LIVE, waiting=[hana]), make_bug()
    with transaction():
        waiting.settle(part, [hana.id], reports.SettledBy.TOLD, actor=mira)
    merge(part, whole)
    separate(part, mira)

    assert people(part) == set()


def test_what_a_customer_says_about_a_part_acts_on_what_stands_for_it(mira):
    part, whole = make_bug(), make_bug(Status.LIVE)
    report = db.session.scalars(waiting.reports_under(part.id)).one()
    merge(part, whole)

    with transaction():
        replies.still_happening(report, "Still.")

    assert (whole.status, part.status) == (Status.ACCEPTED, Status.NEW)


def test_every_step_is_one_line_for_each_of_the_two(mira):
    part, whole = make_bug(), make_bug()
    merge(part, whole, actor=mira)

    found = sa.select(Event.kind, Event.bug_id, Event.after).where(Event.bug_id.in_((part.id, whole.id)))
    found = found.where(Event.kind != EventKind.REPORT_FILED)

    assert [tuple(row) for row in db.session.execute(found.order_by(Event.id))] == [
        ("bug.merged", part.id, whole.ref),
        ("bug.took_in", whole.id, part.ref),
    ]
