"""Headers, forgery protection, secrets and where a redirect may lead."""

import hashlib
import secrets
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, request, session
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from bugintake.core.config import Settings
from bugintake.core.errors import NotPermitted

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
TWO_YEARS = 63072000
MAX_REQUEST_BYTES = 12 * 1024 * 1024
MAX_FILES_BYTES = 64 * 1024 * 1024  # several files in one form, which reach a disk and not the memory
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

View = TypeVar("View", bound=Callable[..., Any])

csrf = CSRFProtect()
limiter = Limiter(get_remote_address, storage_uri="memory://", strategy="moving-window")


def secure(app: Flask, settings: Settings) -> None:
    """Give an app its headers, cookies and forgery protection.

    Cookies demand https only where the base URL says https, so that a plain local network can still sign in.
    """
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=MAX_REQUEST_BYTES,
        MAX_FORM_MEMORY_SIZE=4 * 1024 * 1024,
        SESSION_COOKIE_NAME=cookie_name("session", settings),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.is_https,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_SSL_STRICT=False,
        WTF_CSRF_TIME_LIMIT=None,
        RATELIMIT_HEADERS_ENABLED=True,
    )
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]
    csrf.init_app(app)
    limiter.init_app(app)
    app.before_request(refuse_forgery)

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if settings.is_https:
            response.headers["Strict-Transport-Security"] = f"max-age={TWO_YEARS}; includeSubDomains"
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")
        return response


def cookie_name(name: str, settings: Settings) -> str:
    """Name a cookie so that behind https no other host can set it."""
    return f"__Host-{name}" if settings.is_https else name


def needs_no_form_token(view: View) -> View:
    """Mark a view whose caller proves itself otherwise: a bearer token, or the secret in a one-click address."""
    view.needs_no_form_token = True  # type: ignore[attr-defined]
    return view


def takes_files(view: View) -> View:
    """Mark a view whose form may carry several files, from a browser that was signed in when the form was opened."""
    view.takes_files = True  # type: ignore[attr-defined]  # a mark on the view itself
    return view


def refuse_forgery() -> None:
    """Refuse an unsafe request that another site made a browser send.

    The token in the form decides, and `Sec-Fetch-Site` where the browser sends it. Raises CSRFError or NotPermitted.
    """
    if request.method in SAFE_METHODS or request.endpoint is None:
        return
    view = current_app.view_functions[request.endpoint]
    if getattr(view, "needs_no_form_token", False):
        return
    was_signed_in = "_user_id" in session  # which Flask-Login keeps there; the sign-in itself may have ended
    if getattr(view, "takes_files", False) and was_signed_in:
        request.max_content_length = MAX_FILES_BYTES
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise NotPermitted("This request came from another site, so nothing was changed.")
    csrf.protect()


def new_secret() -> str:
    """Make a secret of 256 bits that fits in an address."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """Fingerprint a random secret for storing: SHA-256, in hex. Not for passwords."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def local_target(target: str | None, default: str) -> str:
    r"""Return where to go next if it is one of our own pages, else the default.

    A browser reads `//host`, `/\host` and `/<tab>/host` as another site, so those are refused.
    """
    if not target or not target.startswith("/") or "\\" in target or any(ord(c) < 33 or ord(c) == 127 for c in target):
        return default
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or target.startswith("//"):
        return default
    return target


def refuse_foreign_host(app: Flask, settings: Settings) -> None:
    """Answer 400 where the Host header names somebody else, when the base URL is a public https address."""
    if not settings.is_https:
        return
    expected = urlsplit(settings.base_url).netloc

    @app.before_request
    def check_host() -> None:
        if request.host != expected and request.endpoint != "health":
            abort(400)


def mask_address(email: str) -> str:
    """Hide an address but for its first letter and its host."""
    name, _, host = email.rpartition("@")
    return f"{name[:1]}•••@{host}"
