"""The pages of triage: the board and list, the bug, and the verbs that move it."""

from flask import Blueprint

bp = Blueprint("triage", __name__)

from bugintake.triage.views import (  # noqa: E402, F401  # each adds its routes to the blueprint
    area_duty,
    board,
    bug,
    comments,
    first_looks,
    handing_over,
    helping,
    links,
    many,
    merging,
    narrowed,
    news,
    overlooked,
    pinning,
    raising,
    rules,
    saved,
    snoozing,
    splitting,
    undoing,
    verbs,
)
