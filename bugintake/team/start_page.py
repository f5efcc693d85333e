"""Where a person's day begins."""

from collections.abc import Callable

from bugintake.team.models import Role, User

Choice = Callable[[User], str | None]
_choices: list[Choice] = []

AGENTS = "/new"
OTHERS = "/board"


def register_start(choose: Choice) -> None:
    """Let a later room send some people to a page of its own; None leaves the person to the others."""
    if choose not in _choices:
        _choices.append(choose)


def of(user: User) -> str:
    """Return the address a person starts at: what a later room says, else the form for agents, the board for others."""
    for choose in _choices:
        target = choose(user)
        if target:
            return target
    return AGENTS if user.role is Role.AGENT else OTHERS
