"""The people and things of the access table."""

from urllib.parse import urlsplit

from flask import Flask

from bugintake.core.db import transaction
from bugintake.intake.models import Bug
from bugintake.loop.links import make_link
from bugintake.loop.models import LinkPurpose
from bugintake.team import people, tokens
from bugintake.team.models import Role, User
from bugintake.triage import editing
from tests.factories import make_bug, make_customer, make_report, make_user, make_workspace
from tests.visitors import Visitor, visit

ABSENT = "999999"


class Cast:
    """One of everybody, and the objects that they ask for."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        make_workspace()
        self.staff: dict[str, User] = {role.value: make_user(role, role.value.title()) for role in Role}
        others = make_user(Role.AGENT, "Another Agent"), make_user(Role.ENGINEER, "Another Engineer")
        self.spare = make_user(Role.AGENT, "Spare Person")
        self.bug = make_bug(actor=others[0])
        self.restricted = self._restricted(*others)
        self.mine = self._restricted(self.staff["agent"], self.staff["engineer"])
        self.reports = {person: make_report(make_customer(person.title())) for person in ("customer", "stranger")}
        with transaction():
            self.links = {person: make_link(it, LinkPurpose.REPORT, "en") for person, it in self.reports.items()}
            self.unsubscribing = make_link(self.reports["customer"], LinkPurpose.UNSUBSCRIBE, "en")
            self.invitation = people.invite_again(self.spare, actor=None)
            self.token, _ = tokens.create_token(self.spare, ["read"], actor=None)

    def _restricted(self, filer: User, owner: User) -> Bug:
        bug = make_bug(actor=filer)
        with transaction():
            editing.assign(bug, owner, actor=owner)
            editing.restrict(bug, True, actor=owner)
        return bug

    def browser(self, person: str) -> Visitor:
        """Open a browser as one of the people of the table."""
        visitor = visit(self.app, self.staff.get(person))
        if person in self.links:
            visitor.get(urlsplit(self.links[person]).path)
        return visitor

    def values(self, which: str) -> dict[str, str]:
        """Give every part of an address its value, for the object that a row is about."""
        refs = {"restricted": self.restricted.ref, "mine": self.mine.ref, "absent": f"BUG-{ABSENT}"}
        is_absent = which == "absent"
        return {
            "ref": refs.get(which, self.bug.ref),
            "user_id": ABSENT if is_absent else str(self.spare.id),
            "token_id": ABSENT if is_absent else str(self.token.id),
            "sign_in_id": ABSENT,
            "secret": "x" * 43 if is_absent else self.invitation.rpartition("/")[2],
            "group": "nothing" if is_absent else "names",
            "filename": "app.css",
        }

    def address(self, pattern: str, which: str) -> str:
        """Fill in an address."""
        for name, value in self.values(which).items():
            pattern = pattern.replace(f"<{name}>", value).replace(f"<path:{name}>", value)
        return pattern
