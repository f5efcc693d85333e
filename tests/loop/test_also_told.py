"""Who filed, or looks after a company, hears in one mail what their customers are told, and who of them is not."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.forms import Seen
from bugintake.intake.customers import adding, changing, merging
from bugintake.intake.customers.models import Account
from bugintake.intake.models import Bug, Status
from bugintake.loop import also_told, also_told_letters, attempts, coming_back, notice_letters, restoring
from bugintake.loop.models import Announcement, AnnouncementKind, Delivery, DeliveryKind, DeliveryState, MessageState
from bugintake.team.models import Role, User
from bugintake.triage import editing, transitions
from tests.counting import asked
from tests.factories import bring_to, make_bug, make_customer, make_user, make_workspace, merge
from tests.loop.rows import announcement_of, message_to, put, release
from tests.visitors import visit
from tests.waits import AtOnce

STANDS = [
    ("sent", None, "Told by mail"),
    ("told_by_hand", None, "Told by hand"),
    ("failed", None, "Mail did not reach them, please tell them another way"),
    ("uncertain", None, "Nobody knows whether the mail arrived"),
    ("held", "no_address", "Mail did not reach them, please tell them another way"),
    ("held", "quiet", "To be told by mail"),
    ("held", "no_note", "Held until somebody of the team sends it"),
    ("suppressed", None, "Get no mail about it"),
]
pytestmark = pytest.mark.long_on("postgres")


@pytest.fixture(autouse=True)
def _company(app: Any, clock: Any) -> None:
    make_workspace(review_minutes=0)


@pytest.fixture
def lea(app: Any) -> User:
    return make_user(Role.AGENT, "Lea Horvat")


@pytest.fixture
def ida(app: Any) -> User:
    return make_user(Role.AGENT, "Ida Berg")


def ends(*people: Any, by: User, status: Status = Status.LIVE, **values: Any) -> Bug:
    """A bug that people told somebody of has ended, and its mails leave."""
    bug = make_bug(status, waiting=list(people), actor=by, **values)
    release()
    return bug


def mails(user: User) -> list[Delivery]:
    mine = (Delivery.kind == DeliveryKind.YOUR_CUSTOMERS, Delivery.user_id == user.id)
    return list(db.session.scalars(sa.select(Delivery).where(*mine).order_by(Delivery.id)))


def said_to(user: User) -> list[tuple[str, list[str]]]:
    """What each of somebody's mails would say now: its subject and its paragraphs."""
    letters = [notice_letters.letter_of(mail) for mail in mails(user)]
    return [(letter.subject, [line.text for line in letter.lines[1:]]) for letter in letters if letter is not None]


def look(clock: Any) -> int:
    return also_told.queue_outcomes(clock.now())


def test_whoever_filed_hears_who_is_told_and_who_needs_another_way(clock: Any, lea: User) -> None:
    hana = make_customer("Hana Weber", email="hana@example.com", company="Halden")
    bug = ends(hana, make_customer("Urs Frei", email=""), by=lea)

    assert look(clock) == 1

    [mail] = mails(lea)
    assert mail.not_before == clock.now() + also_told.TOGETHER
    head = f"{bug.ref} is fixed and live: {bug.title}"
    groups = "Mail did not reach them, please tell them another way: Urs Frei\nTo be told by mail: Hana Weber (Halden)"
    assert said_to(lea) == [(f"What your customers are told about {bug.ref}", [head, groups])]


def test_what_it_says_is_so_when_it_leaves(clock: Any, lea: User) -> None:
    ends(make_customer("Hana", email="hana@example.com"), by=lea)
    look(clock)
    message = message_to("hana@example.com")

    for state, because, words in STANDS:
        put(message, state, held_because=because)
        assert said_to(lea)[0][1][1] == f"{words}: Hana"
    put(message, "cancelled")
    assert said_to(lea) == []


def test_several_bugs_that_end_together_are_one_mail(clock: Any, lea: User) -> None:
    live = ends(make_customer("Hana"), by=lea)
    declined = ends(make_customer("Sam"), by=lea, status=Status.DECLINED)
    look(clock)
    later = ends(make_customer("Ole"), by=lea)
    look(clock)

    [(subject, lines)] = said_to(lea)
    assert subject == "What your customers are told about several bugs"
    heads = [f"{live.ref} is fixed and live: {live.title}", f"{declined.ref} is declined: {declined.title}"]
    assert [line for line in lines if line.startswith("BUG")] == [
        *heads,
        f"{later.ref} is fixed and live: {later.title}",
    ]


def test_of_very_many_bugs_the_first_are_listed_and_the_others_counted(
    clock: Any, lea: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(also_told_letters, "MOST", 1)
    for name in ("Hana", "Sam", "Ole"):
        ends(make_customer(name), by=lea)
    look(clock)

    [(_, lines)] = said_to(lea)
    assert (len(lines), lines[-1]) == (3, "2 more are not listed here:")


def test_a_correction_is_named_as_one(clock: Any, lea: User, ida: User) -> None:
    bug = ends(make_customer("Hana"), by=lea)
    with transaction():
        announcement = announcement_of(bug)
        announcement.kind = AnnouncementKind.CORRECTION

    look(clock)

    assert said_to(lea)[0][1][0] == f"A correction about {bug.ref}: {bug.title}"


def test_what_ends_while_a_mail_is_being_written_goes_into_the_next(clock: Any, lea: User) -> None:
    ends(make_customer("Hana"), by=lea)
    look(clock)
    with transaction():
        mails(lea)[0].state = DeliveryState.CLAIMED
    later = ends(make_customer("Sam"), by=lea)

    look(clock)

    assert [len(mail.params["announcements"]) for mail in mails(lea)] == [1, 1]
    assert said_to(lea)[1][0] == f"What your customers are told about {later.ref}"


def test_nobody_is_told_twice(clock: Any, lea: User) -> None:
    ends(make_customer("Hana"), by=lea)

    assert (look(clock), look(clock), len(mails(lea))) == (1, 0, 1)
    assert db.session.scalars(sa.select(Announcement.team_owed_at)).all() == [clock.now()]


def test_whoever_looks_after_a_company_hears_of_its_people_whoever_filed(clock: Any, lea: User, ida: User) -> None:
    hana, sam = make_customer("Hana", company="Halden"), make_customer("Sam")
    with transaction():
        changing.change_account(hana.account, {"owner": ida.email}, Seen(), actor=lea)
    ends(hana, sam, by=lea)

    assert look(clock) == 2

    assert said_to(ida)[0][1][1] == "To be told by mail: Hana (Halden)"
    assert said_to(lea)[0][1][1] == "To be told by mail: Hana (Halden), Sam"


def test_whoever_stands_in_hears_too(clock: Any, lea: User, ida: User) -> None:
    ends(make_customer("Hana"), by=lea)
    with transaction():
        lea.stands_in, lea.disabled_at = ida, clock.now()

    look(clock)

    assert said_to(ida)[0][1][1] == "To be told by mail: Hana"
    assert said_to(lea) == []  # who does not work here any more gets no mail


def test_whoever_stands_in_for_who_looked_after_a_company_looks_after_it(clock: Any, lea: User, ida: User) -> None:
    hana, ole = make_customer("Hana", company="Halden"), make_user(Role.AGENT, "Ole")
    with transaction():
        changing.change_account(hana.account, {"owner": ida.email}, Seen(), actor=lea)
        ida.stands_in, ida.disabled_at = ole, clock.now()
    ends(hana, by=lea)

    look(clock)

    assert said_to(ole)[0][1][1] == "To be told by mail: Hana (Halden)"


def test_both_hear_whom_one_customer_told_of_it(clock: Any, lea: User, ida: User) -> None:
    hana = make_customer("Hana")
    part = make_bug(waiting=[hana], actor=ida)
    whole = make_bug(waiting=[hana], actor=lea)
    merge(part, whole)
    bring_to(db.session.get_one(Bug, whole.id), Status.LIVE, actor=lea)
    release()

    assert look(clock) == 2
    assert [said_to(each)[0][1][1] for each in (lea, ida)] == ["To be told by mail: Hana"] * 2


def test_a_bug_that_came_back_meanwhile_is_not_called_live(clock: Any, lea: User) -> None:
    bug = ends(make_customer("Hana"), by=lea)
    look(clock)
    with transaction():
        transitions.come_back(db.session.get_one(Bug, bug.id), actor=lea)

    head, stands = said_to(lea)[0][1]
    assert (head, stands) == (f"{bug.ref} is open again: {bug.title}", "Held until somebody of the team sends it: Hana")


def test_mails_of_several_people_leave_one_after_the_other(clock: Any, lea: User, ida: User) -> None:
    ends(make_customer("Hana"), by=lea)
    ends(make_customer("Sam"), by=ida)

    look(clock)

    assert mails(ida)[0].not_before - mails(lea)[0].not_before == also_told.APART


def test_what_a_mail_knows_of_its_workers_stays_when_more_ends(clock: Any, lea: User) -> None:
    ends(make_customer("Hana"), by=lea)
    look(clock)
    with transaction():
        mails(lea)[0].params = {**mails(lea)[0].params, "losses": 4}
    ends(make_customer("Sam"), by=lea)

    look(clock)

    assert mails(lea)[0].params == {"announcements": [1, 2], "losses": 4}


def test_after_a_restore_nobody_hears_again_of_what_had_left(clock: Any, lea: User) -> None:
    ends(make_customer("Hana"), by=lea)
    make_bug(Status.LIVE, waiting=[make_customer("Sam")], actor=lea)  # it left after the backup

    restoring.catch_up(clock.now())
    release()

    assert (look(clock), [mail.state for mail in mails(lea)]) == (0, ["held"])


@pytest.mark.only_on("postgres")
def test_what_somebody_else_holds_is_not_waited_for(app: Any, clock: Any, lea: User) -> None:
    ends(make_customer("Hana"), by=lea)
    look(clock)
    ends(make_customer("Sam"), by=lea)

    with transaction():
        db.session.execute(sa.select(Delivery.id).where(Delivery.id == mails(lea)[0].id).with_for_update())
        other = AtOnce(app, lambda: also_told.queue_outcomes(clock.now()))
        assert other() is None

    assert len(mails(lea)) == 2


def test_only_how_a_bug_ended_is_told(clock: Any, lea: User) -> None:
    make_bug(Status.NEEDS_INFO, waiting=[make_customer("Hana")], actor=lea)
    release()

    assert (look(clock), mails(lea)) == (0, [])


def test_before_anything_has_left_nobody_is_told(clock: Any, lea: User) -> None:
    make_bug(Status.LIVE, waiting=[make_customer("Hana")], actor=lea)

    assert look(clock) == 0


@pytest.mark.parametrize("way", ["failed", "bounced"])
def test_who_was_not_reached_is_named_soon(clock: Any, lea: User, way: str) -> None:
    bug = ends(make_customer("Hana", email="hana@example.com"), by=lea)
    look(clock)
    message = message_to("hana@example.com")
    with transaction():
        mails(lea)[0].state = DeliveryState.SENT
    delivery = db.session.get_one(Delivery, message.delivery_id)
    if way == "bounced":
        put(delivery, DeliveryState.SENT)
        put(message, MessageState.SENT)

    with transaction():
        if way == "failed":
            attempts.fail(delivery, "The server said no.")
        else:
            coming_back.address_is_gone(delivery, "5.1.1")

    assert (look(clock), look(clock)) == (1, 0)
    subject, lines = said_to(lea)[1]
    assert (subject, lines[1]) == (
        f"What your customers are told about {bug.ref}",
        "Mail did not reach them, please tell them another way: Hana",
    )


def test_many_are_counted_and_the_first_named(clock: Any, lea: User) -> None:
    ends(*(make_customer(f"P{number}") for number in range(10)), by=lea)
    look(clock)

    assert said_to(lea)[0][1][1] == "To be told by mail: P0, P1, P2, P3, P4, P5, P6, P7 and 2 more"


def test_writing_it_costs_the_same_for_one_customer_and_for_thirty(clock: Any, lea: User) -> None:
    counts = []
    for many in (1, 30):
        ends(*(make_customer() for _ in range(many)), by=lea)
        look(clock)
        mail = mails(lea)[-1]
        with transaction():
            mail.state = DeliveryState.SENT
        db.session.expire_all()
        with asked() as statements:
            assert notice_letters.letter_of(mail) is not None
        counts.append(len(statements))

    assert counts[0] == counts[1]


def test_of_a_restricted_bug_only_its_number_leaves_and_only_to_who_may_see_it(
    clock: Any, lea: User, ida: User
) -> None:
    hana = make_customer("Hana", company="Halden")
    with transaction():
        changing.change_account(hana.account, {"owner": ida.email}, Seen(), actor=lea)
    bug = make_bug(waiting=[hana], actor=lea)
    with transaction():
        editing.restrict(bug, True, actor=make_user(Role.LEAD))
    bring_to(bug, Status.LIVE, actor=make_user(Role.LEAD))
    release()
    look(clock)

    words = f"{bug.ref} is restricted: sign in to read what your customers are told."
    assert [lines for _, lines in said_to(lea)] == [[words]]
    assert said_to(ida) == []


def test_who_was_erased_is_not_named(clock: Any, lea: User) -> None:
    hana = make_customer("Hana")
    ends(hana, make_customer("Sam"), by=lea)
    look(clock)
    with transaction():
        hana.erased_at = clock.now()

    assert said_to(lea)[0][1][1] == "To be told by mail: Sam"


def test_an_account_keeps_who_looks_after_it_when_it_is_merged(lea: User, ida: User) -> None:
    with transaction():
        gone, into = adding.account_named("Halden AG"), adding.account_named("Halden")
        changing.change_account(gone, {"owner": ida.email}, Seen(), actor=lea)
        merging.merge_accounts(gone, into, actor=lea)

    assert db.session.scalars(sa.select(Account.owner_id).order_by(Account.id)).all() == [ida.id, ida.id]


def test_who_was_not_reached_stands_with_whoever_looks_after_their_company(app: Any, lea: User, ida: User) -> None:
    hana = make_customer("Hana", email="hana@example.com", company="Halden")
    with transaction():
        changing.change_account(hana.account, {"owner": ida.email}, Seen(), actor=lea)
    bug = ends(hana, by=lea)
    address = f"/loop/{announcement_of(bug).id}"
    assert "Ida looks after Halden." not in visit(app, lea).get(address).text

    put(message_to("hana@example.com"), MessageState.FAILED)

    assert "Ida looks after Halden." in visit(app, lea).get(address).text


def test_a_form_offers_whoever_works_here_and_keeps_whoever_did(app: Any, clock: Any, lea: User, ida: User) -> None:
    with transaction():
        number = adding.account_named("Halden").id
    browser, address = visit(app, lea), f"/accounts/{number}/details"

    assert browser.post(address, data={"name": "Halden", "owner": ida.email}).status_code == 303
    with transaction():
        ida.disabled_at = clock.now()

    offered = browser.get(address).text
    assert f'<option value="{lea.email}">Lea Horvat</option>' in offered
    assert f'<option value="{ida.email}" selected>Ida Berg</option>' in offered
    assert "Ida Berg (no longer here)" in browser.get(f"/accounts/{number}").text
    refused = browser.post(address, data={"name": "Halden", "owner": "sam@example.com"})
    assert (refused.status_code, "Nobody who works here has the address" in refused.text) == (422, True)
