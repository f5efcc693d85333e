"""The product, broken on purpose: each of these is believed to be told from the right one by the stories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from bugintake.core import clock
from bugintake.core.db import db, transaction
from bugintake.loop import announcements, attempts, coming_back, updates
from bugintake.loop.models import Delivery, DeliveryState

Replace = Callable[[Any, str, Any], None]


def _nothing(*_args: Any, **_values: Any) -> None:
    """Do nothing."""


def asks_nothing_before_data(replace: Replace) -> None:
    """What happened between the claim and DATA is not looked at."""
    replace(attempts, "BEGIN_OUTCOME", attempts._BEGIN)


def sends_again_what_was_on_its_way(replace: Replace) -> None:
    """What a worker was sending when it died is sent once more."""

    def recover() -> int:
        held = Delivery.state.in_((DeliveryState.CLAIMED, DeliveryState.SENDING))
        free = {"state": DeliveryState.PENDING, "lease_owner": None, "lease_until": None, "not_before": clock.now()}
        with transaction():
            db.session.execute(sa.update(Delivery).where(held, Delivery.lease_until < clock.now()).values(**free))
        return 0

    replace(attempts, "recover", recover)


def corrects_nothing(replace: Replace) -> None:
    """Whoever was told of a release that is withdrawn hears no more of it."""
    replace(updates, "correct", _nothing)


def believes_what_came_back(replace: Replace) -> None:
    """A mail that came back counts as read."""
    replace(coming_back, "_wait_again", _nothing)


def keeps_what_was_written(replace: Replace) -> None:
    """New words do not reach what a worker has written already."""
    replace(announcements, "write_anew", _nothing)


VARIANTS: Mapping[str, Callable[[Replace], None]] = {
    each.__name__: each
    for each in (
        asks_nothing_before_data,
        sends_again_what_was_on_its_way,
        corrects_nothing,
        believes_what_came_back,
        keeps_what_was_written,
    )
}
