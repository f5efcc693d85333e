"""What the team is mailed: once per key, and only what is true when it leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bugintake.core import clock as house_clock
from bugintake.core.config import Settings
from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict
from bugintake.duty import absences, overrides
from bugintake.intake.models import Status
from bugintake.loop import duty_notices, notices
from bugintake.loop.models import Delivery, DeliveryKind, DeliveryState
from bugintake.team import people
from bugintake.team.models import Role, User
from tests.conftest import AT_ONCE
from tests.duty.conftest import everybody_knows, make_rotation
from tests.factories import make_bug, make_user, make_workspace
from tests.faults.rig import states, work
from tests.faults.server import FaultServer

pytestmark = pytest.mark.long_on("postgres")

MONDAY = date(2026, 9, 14)
MONDAY_3_PM = datetime(2026, 9, 14, 15, 0, tzinfo=UTC)
MONDAY_4_PM = datetime(2026, 9, 14, 16, 0, tzinfo=UTC)


@pytest.fixture
def settings(settings: Settings, sink: FaultServer) -> Settings:
    return replace(settings, smtp_url=f"smtp://127.0.0.1:{sink.port}", base_url="https://bugs.example.com")


@pytest.fixture(autouse=True)
def _company(app: Any, clock: Any) -> None:
    clock.set(MONDAY_3_PM)
    make_workspace(review_minutes=0)


def texts(sink: FaultServer) -> list[str]:
    return [mail.get_body(("plain",)).get_content() for _, mail in sink.accepted]


def test_who_forgot_their_password_gets_a_link_that_works_and_is_kept_nowhere(sink: FaultServer) -> None:
    mira = make_user(name="Mira Kos", email="mira@team.test")
    with transaction():
        people.request_reset("mira@team.test")

    work()

    assert [recipient for recipient, _ in sink.accepted] == ["mira@team.test"]
    assert sink.accepted[0][1]["Subject"] == "Choose a new password"
    assert sink.accepted[0][1]["List-Unsubscribe"] is None
    url = next(line for line in texts(sink)[0].splitlines() if line.startswith("https://bugs.example.com/passes/"))
    assert people.pass_or_404(url.rsplit("/", 1)[1]).user.id == mira.id
    assert url.rsplit("/", 1)[1] not in str(db.session.execute(sa.select(Delivery.params, Delivery.subject)).all())


@pytest.mark.parametrize("address", ["nobody@team.test", "gone@team.test"])
def test_an_address_that_is_nobodys_gets_nothing(sink: FaultServer, address: str) -> None:
    make_user(email="gone@team.test", disabled_at=house_clock.now())
    with transaction():
        people.request_reset(address)

    work()

    assert (sink.accepted, states()) == ([], {})


def test_who_was_disabled_before_the_mail_left_gets_no_link(sink: FaultServer) -> None:
    make_user(Role.ADMIN)
    mira = make_user(email="mira@team.test")
    with transaction():
        people.request_reset("mira@team.test")
    with transaction():
        people.disable(mira, actor=None)

    work()

    assert (sink.accepted, states(DeliveryKind.PASSWORD_RESET)) == ([], {"cancelled": 1})


def test_the_team_reads_its_own_language(sink: FaultServer) -> None:
    make_user(name="Jonas Weber", email="jonas@team.test", language="de")
    with transaction():
        people.request_reset("jonas@team.test")

    work()

    assert sink.accepted[0][1]["Subject"] == "Neues Passwort wählen"
    assert texts(sink)[0].startswith("Hallo Jonas,")


def test_the_fallback_hears_once_that_nobody_is_on_duty(sink: FaultServer, clock: Any) -> None:
    """Three working days before Tuesday 22 September is Thursday 17, at nine; restarts and a second worker add none."""
    mira = make_user(name="Mira Kos", email="mira@team.test")
    petra = make_user(Role.LEAD, email="petra@team.test", name="Petra Lang")
    make_workspace(review_minutes=0, fallback_owner_id=petra.id)
    make_rotation([mira], zone="UTC", start_on=MONDAY)
    with transaction():
        absences.note_absence(mira, date(2026, 9, 22), date(2026, 9, 22), actor=mira)

    def letters():
        others = [(to, mail) for to, mail in sink.accepted if to != "mira@team.test"]
        return [(to, mail) for to, mail in others if "this week" not in mail["Subject"]]

    told = []
    for hour in range(0, 24 * 8, 6):  # at three and nine, day and night
        clock.set(MONDAY_3_PM + timedelta(hours=hour))
        work()
        work()
        told += [house_clock.now()] * (len(letters()) - len(told))

    assert told == [datetime(2026, 9, 17, 9, tzinfo=UTC)]
    assert [(to, mail["Subject"]) for to, mail in letters()] == [
        ("petra@team.test", "Nobody is on bug duty on Tue 22 Sept")
    ]
    text = letters()[0][1].get_body(("plain",)).get_content()
    assert "nobody in Bug duty is there on these days, so nobody is on duty:" in text
    assert "Tue 22 Sept, 09:00–17:00" in text


def test_a_gap_that_was_filled_before_the_mail_left_is_not_told(sink: FaultServer, clock: Any) -> None:
    mira = make_user(name="Mira Kos", email="mira@team.test")
    make_user(Role.LEAD, email="petra@team.test")
    everybody_knows(make_rotation([mira], zone="UTC", start_on=MONDAY))
    with transaction():
        absence = absences.note_absence(mira, date(2026, 9, 16), date(2026, 9, 16), actor=mira)
    assert duty_notices.queue_gaps(house_clock.now()) == 1
    with transaction():
        absences.take_back(absence, actor=mira)

    work()

    assert (sink.accepted, states(DeliveryKind.DUTY_GAP)) == ([], {"cancelled": 1})


def test_a_test_mail_reaches_whoever_asked_for_it(sink: FaultServer) -> None:
    mira = make_user(Role.ADMIN, email="mira@team.test")
    with transaction():
        notices.queue_test(mira)

    work()

    assert [(recipient, mail["Subject"]) for recipient, mail in sink.accepted] == [("mira@team.test", "Mail works")]


def test_a_bounced_mail_to_the_team_is_shown_as_failed(sink: FaultServer) -> None:
    make_user(email="unknown@team.test")
    with transaction():
        people.request_reset("unknown@team.test")

    work()

    assert states() == {"failed": 1}


@pytest.fixture
def rotation() -> Any:
    tin, ana = make_user(name="Tin Horvat", email="tin@team.test"), make_user(name="Ana Babić", email="ana@team.test")
    mira = make_user(name="Mira Kos", email="mira@team.test")
    made = make_rotation([mira, tin, ana], start_on=MONDAY, handoff=time(9), until=time(17), zone="UTC")
    everybody_knows(made)
    return made, mira, tin, ana


def test_duty_is_announced_once_on_the_working_day_before_at_four(sink: FaultServer, clock: Any, rotation: Any) -> None:
    make_bug(Status.NEW)

    work()
    assert [mail["Subject"] for _, mail in sink.accepted] == []
    clock.set(MONDAY_4_PM)
    for _ in range(3):
        work()
        clock.advance(timedelta(minutes=10))

    assert [(recipient, mail["Subject"]) for recipient, mail in sink.accepted] == [
        ("tin@team.test", "You're on bug duty tomorrow, Tue 15 Sept, 09:00–17:00")
    ]
    assert texts(sink)[0].splitlines()[:3] == [
        "Hello Tin,",
        "",
        "you take over from Mira. Right now there is 1 bug to look at. 1 of them: Hard to work.",
    ]
    assert "Cannot do it? Ask for a swap:\r\nhttps://bugs.example.com/duty/me" in texts(sink)[0]


def test_a_08_a_mail_to_the_team_says_nothing_of_a_bug_and_does_not_count_a_hidden_one(
    sink: FaultServer, clock: Any, rotation: Any
) -> None:
    secret = "The canary sings in the invoice"
    hidden = make_bug(Status.NEW, actual=secret, steps=secret, expected=secret)
    make_bug(Status.NEW, actual="Another canary sings")
    with transaction():
        hidden.is_restricted = True
    clock.set(MONDAY_4_PM)

    work()

    ((_, mail),) = sink.accepted
    assert "canary" not in mail.as_string()
    assert "Right now there is 1 bug to look at. 1 of them: Hard to work." in texts(sink)[0]


def test_who_is_no_longer_on_duty_when_the_mail_leaves_is_not_told_that_they_are(
    sink: FaultServer, clock: Any, rotation: Any
) -> None:
    made, _, _, ana = rotation
    clock.set(MONDAY_4_PM)
    duty_notices.queue_reminders(house_clock.now())
    tuesday = datetime(2026, 9, 15, tzinfo=UTC)
    with transaction():
        overrides.stand_in(made, ana, tuesday.replace(hour=9), tuesday.replace(hour=17), actor=ana)

    work()

    assert sorted((to, mail["Subject"]) for to, mail in sink.accepted) == [
        ("ana@team.test", "You're on bug duty tomorrow, Tue 15 Sept, 09:00–17:00"),
        ("tin@team.test", "Your bug duty changed: Tue 15 Sept is no longer yours"),
    ]
    assert states(DeliveryKind.DUTY_REMINDER) == {"cancelled": 1, "sent": 1}


def test_of_two_workers_that_owe_the_same_at_once_the_slower_one_starts_over(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {"duty-gap:1": make_user()}
    queue_notice = notices.queue_notice

    def faster_one_first(*args: Any) -> None:
        monkeypatch.setattr(notices, "queue_notice", queue_notice)
        queue_notice(*args)
        db.session.execute(sa.update(Delivery).values(key="made by the faster one"))
        queue_notice(args[0], args[1], "other")
        db.session.execute(sa.update(Delivery).where(Delivery.key == "other").values(key="made by the faster one"))

    monkeypatch.setattr(notices, "queue_notice", faster_one_first)

    assert [notices.queue_new(DeliveryKind.DUTY_GAP, wanted) for _ in range(3)] == [0, 1, 0]


def test_workers_that_remind_at_once_remind_once(clock: Any, rotation: Any, together: Any) -> None:
    clock.set(MONDAY_4_PM)

    assert sorted(together(lambda _: duty_notices.queue_reminders(MONDAY_4_PM))) == [0] * (AT_ONCE - 1) + [1]
    assert states(DeliveryKind.DUTY_REMINDER) == {"pending": 1}


@pytest.mark.parametrize("state", notices.STUCK)
def test_a_notice_that_did_not_leave_is_sent_once_when_a_lead_says_so(sink: FaultServer, state: DeliveryState) -> None:
    notice, lead = stuck(make_user(name="Mira Kos", email="mira@team.test"), state), make_user(Role.LEAD)
    work()
    assert sink.accepted == []

    with transaction():
        notices.send_notice(notice, actor=lead)
    work()

    assert [recipient for recipient, _ in sink.accepted] == ["mira@team.test"]
    with pytest.raises(Conflict, match="dealt with"), transaction():
        notices.send_notice(notice, actor=lead)


def test_a_dropped_notice_never_leaves(sink: FaultServer) -> None:
    notice, lead = stuck(make_user(), DeliveryState.HELD), make_user(Role.LEAD)
    with transaction():
        notices.drop_notice(notice, actor=lead)
    work()

    assert (states(notice.kind), sink.accepted) == ({"cancelled": 1}, [])


def stuck(user: User, state: DeliveryState) -> Delivery:
    """A link for a new password that did not leave."""
    with transaction():
        people.request_reset(user.email)
    notice = db.session.scalars(sa.select(Delivery)).one()
    with transaction():
        notice.state = state
    return notice
