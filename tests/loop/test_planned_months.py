"""A month that a lead saves mails exactly those whose days it moved, once each."""

from datetime import date, time

import sqlalchemy as sa

from bugintake.core import clock as house_clock
from bugintake.core.db import db, transaction
from bugintake.duty.planning import Wish, lay, open_month
from bugintake.loop import duty_notices
from bugintake.loop.models import Delivery, DeliveryKind
from bugintake.team.models import Role
from tests.duty.conftest import everybody_knows, make_rotation
from tests.factories import make_user, make_workspace

APRIL = date(2026, 4, 1)


def test_saving_a_month_mails_whoever_gains_or_loses_a_day_and_nobody_else(app, clock):
    make_workspace(zone="UTC")
    petra = make_user(Role.LEAD, "Petra Lang", zone="UTC")
    mira, tin, ana, ida = (make_user(Role.ENGINEER, name, zone="UTC") for name in ("Mira", "Tin", "Ana", "Ida"))
    rotation = make_rotation([mira, tin, ana, ida], zone="UTC", handoff=time(9))
    everybody_knows(rotation)
    month = open_month(rotation, APRIL)
    mine = [slot for slot in month.slots if slot.planned.person == mira]
    wishes = {slot.key: Wish(slot.person_id, slot.seen) for slot in month.slots}
    wishes |= {slot.key: Wish(person.id, slot.seen) for slot, person in zip(mine, (tin, tin, ana), strict=False)}

    with transaction():
        assert lay(rotation, APRIL, wishes, actor=petra) == 3
    duty_notices.queue_changes(house_clock.now())
    duty_notices.queue_changes(house_clock.now())

    told = sa.select(Delivery.user_id).where(Delivery.kind == DeliveryKind.DUTY_CHANGED)
    assert sorted(db.session.scalars(told)) == [mira.id, tin.id, ana.id]
