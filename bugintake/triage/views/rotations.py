"""Which rotation a page is about that follows duty: its address may name one."""

from flask import request

from bugintake.core.errors import NotFound
from bugintake.duty.queries import plans_to_show


def rotation_asked_for() -> int | None:
    """Return the number of the rotation that the address names. Raises NotFound for one that is not in use."""
    named = request.args.get("rotation")
    if not named:
        return None
    found = [plan.rotation.id for plan in plans_to_show() if str(plan.rotation.id) == named]
    if not found:
        raise NotFound
    return found[0]
