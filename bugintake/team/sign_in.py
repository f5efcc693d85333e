"""Signing in: each signed-in browser is a row, so that a person, an admin or a new password can end it at once."""

from datetime import timedelta

import flask_login
import sqlalchemy as sa
from flask import Flask, g, session

from bugintake.core import clock, events
from bugintake.core.db import UtcDateTime, db, transaction
from bugintake.core.errors import Invalid, NotFound
from bugintake.core.event_kinds import EventKind
from bugintake.core.kept import first_with_state
from bugintake.core.security import hash_secret, new_secret
from bugintake.team import passwords
from bugintake.team.models import SignIn, User

LASTS = timedelta(days=30)
COOKIE_LASTS = LASTS + timedelta(days=1)  # a form that was open when the sign-in ended is still known
REFUSED = "That address and password do not belong together."

login_manager = flask_login.LoginManager()
login_manager.session_protection = None  # the row decides; a phone that changes networks stays signed in


def init_app(app: Flask) -> None:
    """Teach an app who is signed in."""
    app.config["PERMANENT_SESSION_LIFETIME"] = COOKIE_LASTS
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False
    login_manager.init_app(app)


@login_manager.user_loader  # type: ignore[untyped-decorator]  # Flask-Login has no types
def load(secret: str) -> User | None:
    """Find whom a cookie's secret stands for, in one query; nobody once the row, its time or its person has gone."""
    found = first_with_state(_SIGNED_IN, hash=hash_secret(secret), now=clock.now())
    if found is None:
        return None
    user: User
    user, g.sign_in_id = found
    user.session_secret = secret
    g.viewer_zone = user.zone
    return user


_SIGNED_IN = (
    sa.select(User, SignIn.id)
    .join(SignIn, SignIn.user_id == User.id)
    .where(SignIn.secret_hash == sa.bindparam("hash"), User.disabled_at.is_(None))
    .where(SignIn.expires_at > sa.bindparam("now", type_=UtcDateTime()))
)


def check(email: str, password: str) -> User:
    """Return the person whose address and password these are.

    Unknown, wrong and disabled are refused with the same words after the same work. Raises Invalid.
    """
    user = db.session.scalar(sa.select(User).where(User.email == email.strip().lower()))
    fits = passwords.matches(password, user.password_hash if user else None)
    if user is None or not fits or not user.is_active:
        raise Invalid(REFUSED)
    return user


def begin(user: User, *, browser: str = "") -> str:
    """Open a new sign-in for a person and return its secret; one that this browser had before is not reused.

    Records user.signed_in.
    """
    secret = new_secret()
    at = clock.now()
    db.session.execute(sa.delete(SignIn).where(SignIn.user_id == user.id, SignIn.expires_at <= at))
    row = SignIn(secret_hash=hash_secret(secret), user_id=user.id, started_at=at, expires_at=at + LASTS)
    row.browser = browser[:200]
    db.session.add(row)
    events.record(EventKind.USER_SIGNED_IN, actor=user, user=user)
    return secret


def end(sign_in_id: int, user: User) -> None:
    """Sign one of a person's own browsers out. Records user.signed_out. Raises NotFound for somebody else's."""
    gone = sa.delete(SignIn).where(SignIn.id == sign_in_id, SignIn.user_id == user.id).returning(SignIn.id)
    if db.session.scalar(gone) is None:
        raise NotFound
    events.record(EventKind.USER_SIGNED_OUT, actor=user, user=user)


def end_sign_ins(user: User, *, keep: int | None = None) -> None:
    """Sign a person out everywhere, but for the sign-in that is kept."""
    db.session.execute(sa.delete(SignIn).where(SignIn.user_id == user.id, SignIn.id.is_distinct_from(keep)))


def end_others(user: User, *, keep: int) -> None:
    """Sign every browser of a person out but one. Records user.signed_out."""
    end_sign_ins(user, keep=keep)
    events.record(EventKind.USER_SIGNED_OUT, actor=user, user=user, all_others=True)


def sign_ins_of(user: User) -> list[SignIn]:
    """List a person's signed-in browsers, newest first."""
    found = sa.select(SignIn).where(SignIn.user_id == user.id, SignIn.expires_at > clock.now())
    return list(db.session.scalars(found.order_by(SignIn.id.desc())))


def enter(user: User, agent: str = "") -> None:
    """Sign this browser in as a person, with a session of its own."""
    with transaction():
        secret = begin(user, browser=browser_named(agent))
    start_afresh()
    session.permanent = True
    user.session_secret = secret
    flask_login.login_user(user)


def start_afresh() -> None:
    """Forget whatever this browser brought along.

    Only the form token stays, so that a form which was open in another tab can still be sent.
    """
    form_token = session.get("csrf_token")
    session.clear()
    if form_token:
        session["csrf_token"] = form_token


def leave(user: User) -> None:
    """Sign this browser out: its row goes, so the cookie opens nothing even where somebody kept a copy."""
    with transaction():
        end(g.sign_in_id, user)
    flask_login.logout_user()
    session.clear()


def browser_named(agent: str) -> str:
    """Name a browser as a person would: Firefox on Linux."""
    program, system = browser_of(agent)
    named = program or "A browser"
    return f"{named} on {system}" if system else named


def browser_of(agent: str) -> tuple[str, str]:
    """Read the program and the system from what a browser says of itself; empty where it names neither."""
    program = next((name for marks, name in _PROGRAMS if any(mark in agent for mark in marks)), "")
    system = next((name for marks, name in _SYSTEMS if any(mark in agent for mark in marks)), "")
    return program, system


# The first that fits: most browsers also call themselves Chrome and Safari, and phones call themselves computers.
_PROGRAMS = (
    (("Edg/", "EdgA/", "EdgiOS/", "Edge/"), "Edge"),
    (("OPR/", "OPT/", "OPiOS/"), "Opera"),
    (("SamsungBrowser/",), "Samsung Internet"),
    (("Vivaldi/",), "Vivaldi"),
    (("Firefox/", "FxiOS/"), "Firefox"),
    (("Chrome/", "CriOS/"), "Chrome"),
    (("MSIE ", "Trident/"), "Internet Explorer"),
    (("Safari/",), "Safari"),
)
_SYSTEMS = (
    (("iPhone", "iPod"), "iPhone"),
    (("iPad",), "iPad"),
    (("Windows",), "Windows"),
    (("Android",), "Android"),
    (("CrOS",), "ChromeOS"),
    (("Mac OS", "Macintosh"), "macOS"),
    (("Linux", "X11"), "Linux"),
)
