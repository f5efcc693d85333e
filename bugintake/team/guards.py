"""Who may open a page or call the API: every view carries exactly one guard, and says so in `view.guard`."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from flask import Response, after_this_request, g, redirect, request, url_for
from flask_login import current_user

from bugintake.core.db import db
from bugintake.core.errors import NotPermitted, Refusal
from bugintake.core.security import SAFE_METHODS
from bugintake.team import tokens
from bugintake.team.models import Role, User

View = TypeVar("View", bound=Callable[..., Any])

PLURALS = {Role.AGENT: "Agents", Role.ENGINEER: "Engineers", Role.LEAD: "Leads", Role.ADMIN: "Admins"}
NAMES_SHOWN = 4


class NotSignedIn(Refusal):
    """Nobody is signed in, or the sign-in has ended."""

    status = 401
    title = "You are not signed in"


SIGNED_OUT = (
    "You are not signed in any more, so nothing was saved yet. Everything you typed is below: "
    "sign in in another tab, then send it again from here."
)


def signed_in_user() -> User:
    """Return the person who acts: signed in, or by the token of the request. Raises NotSignedIn."""
    if "token" in g:
        return cast(User, g.token.user)
    if not current_user.is_authenticated:
        raise NotSignedIn(SIGNED_OUT)
    return cast(User, current_user._get_current_object())


def is_lead() -> bool:
    """Whether whoever looks at the page is a lead, for what stands in the menus of leads alone."""
    return current_user.is_authenticated and signed_in_user().can(Role.LEAD)


def is_admin() -> bool:
    """Whether whoever looks at the page runs the installation, as is_lead."""
    return current_user.is_authenticated and signed_in_user().is_admin


def public(view: View) -> View:
    """Let everybody in."""
    return _guarded(view, "public", lambda: None)


def customer_link(view: View) -> View:
    """Let in whoever holds a customer's private link; the view checks that it is this customer's, and no other's."""
    return _guarded(view, "customer_link", lambda: None)


def signed_in(view: View) -> View:
    """Let in everybody who works here."""
    return _guarded(view, "signed_in", lambda: _check(Role.AGENT))


def engineer_required(view: View) -> View:
    """Let in engineers, leads and admins."""
    return _guarded(view, "engineer_required", lambda: _check(Role.ENGINEER))


def lead_required(view: View) -> View:
    """Let in leads and admins."""
    return _guarded(view, "lead_required", lambda: _check(Role.LEAD))


def admin_required(view: View) -> View:
    """Let in admins."""
    return _guarded(view, "admin_required", lambda: _check(Role.ADMIN))


def token_required(scope: str, role: Role = Role.AGENT) -> Callable[[View], View]:
    """Let in programs with a token of this scope, made for a person with at least this role.

    Only the Authorization header counts: a cookie opens nothing here, so no other site can borrow it.
    """
    if scope not in tokens.SCOPES:
        raise ValueError(f"There is no scope {scope!r}.")

    def decorate(view: View) -> View:
        guarded = _guarded(view, f"token_required({scope})", lambda: _check_token(scope, role))
        guarded.needs_no_form_token = True  # type: ignore[attr-defined]
        return guarded

    return decorate


def may_not(role: Role) -> NotPermitted:
    """Word the refusal for somebody whose role is too small, with the people who can help."""
    wanted = [member for member in Role if member.at_least(role)]
    found = sa.select(User.name).where(User.role.in_(wanted), User.disabled_at.is_(None))
    names = list(db.session.scalars(found.order_by(User.name)))
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    people = f": {', '.join(names[:NAMES_SHOWN])}{more}" if names else ""
    return NotPermitted(f"{PLURALS[role]} can do this{people}.")


def _guarded(view: View, name: str, check: Callable[[], Response | None]) -> View:
    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        answer = check()
        return view(*args, **kwargs) if answer is None else answer

    guarded.guard = name  # type: ignore[attr-defined]
    return cast(View, guarded)


def _check(role: Role) -> Response | None:
    if not current_user.is_authenticated:
        if request.method not in SAFE_METHODS or request.path.startswith("/api/"):
            raise NotSignedIn(SIGNED_OUT)
        asked = request.full_path if request.query_string else request.path
        return cast(Response, redirect(url_for("team.sign_in", next=None if asked == "/" else asked)))
    if not signed_in_user().can(role):
        raise may_not(role)
    return None


def _check_token(scope: str, role: Role) -> None:
    token = tokens.authenticate(request.headers.get("Authorization"))
    if token is None:
        after_this_request(_ask_for_token)
        raise NotSignedIn("Send a working token: Authorization: Bearer <token>.")
    if scope not in token.scopes:
        raise NotPermitted(f"This token may not do that; it needs the scope {scope}.")
    if not token.user.can(role):
        raise may_not(role)
    g.token = token


def _ask_for_token(response: Response) -> Response:
    response.headers["WWW-Authenticate"] = "Bearer"
    return response
