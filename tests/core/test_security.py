"""Headers, forgery protection, hosts, proxies, and where a redirect may lead."""

from dataclasses import replace
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from bugintake.core.config import Settings
from bugintake.core.security import hash_secret, local_target, new_secret
from bugintake.team.guards import public
from bugintake.team.models import Role
from tests import apps
from tests.factories import make_user, make_workspace
from tests.visitors import visit

HERE = "https://bugs.example.com"
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "manifest-src": "'self'",
}


@pytest.fixture
def https(settings: Settings):
    """The app of an installation that people reach over https."""
    with apps.opened(replace(settings, base_url=HERE)) as app:
        yield app


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("path", ["/login", "/board", "/nothing/here", "/api/v1/bugs", "/static/app.css", "/healthz"])
def test_every_answer_carries_the_headers_that_protect_it(client: FlaskClient, path: str):
    headers = client.get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy == POLICY
    assert {name: headers.get(name) for name in ("X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy")} == {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
    }
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Server" not in headers and "X-Powered-By" not in headers


@pytest.mark.only_on("sqlite")
def test_pages_are_not_kept_and_files_named_by_their_content_are(client: FlaskClient):
    assert client.get("/login").headers["Cache-Control"] == "no-store"
    assert client.get("/static/app.css?v=1").cache_control.immutable


@pytest.mark.only_on("sqlite")
def test_https_is_asked_for_only_where_it_is_spoken(client: FlaskClient, https: Flask):
    over_https = https.test_client().get("/login", base_url=HERE)
    assert "Strict-Transport-Security" not in client.get("/login").headers
    assert over_https.headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"


@pytest.mark.only_on("sqlite")
def test_behind_https_the_cookie_is_for_this_host_and_https_alone(https: Flask):
    make_workspace()
    answer = https.test_client().get("/login", base_url=HERE)
    [cookie] = answer.headers.getlist("Set-Cookie")
    parts = {part.strip() for part in cookie.split(";")}
    assert cookie.startswith("__Host-session=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= parts
    assert not any(part.startswith("Domain") for part in parts)


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(
    "host", ["evil.example", "bugs.example.com.evil.example", "bugs.example.com:8443", "127.0.0.1"]
)
def test_behind_https_another_host_name_is_refused(https: Flask, host: str):
    assert https.test_client().get("/login", base_url=f"https://{host}").status_code == 400


def unsafe_routes(app: Flask) -> list[tuple[str, str]]:
    """List what changes something and is for browsers, with an address to try."""
    found = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        for method in sorted((rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}):
            if not getattr(view, "needs_no_form_token", False):
                found.append((method, "/".join("1" if part.startswith("<") else part for part in rule.rule.split("/"))))
    return found


@pytest.mark.only_on("sqlite")
def test_every_unsafe_request_without_the_form_token_is_refused(app: Flask):
    make_workspace()
    admin = visit(app, make_user(Role.ADMIN)).client
    routes = unsafe_routes(app)
    answers = {f"{method} {path}": admin.open(path, method=method).status_code for method, path in routes}
    assert len(answers) > 50
    assert {route: code for route, code in answers.items() if code != 400} == {}


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_every_unsafe_request_from_another_site_is_refused_even_with_the_token(app: Flask, site: str):
    make_workspace()
    admin = visit(app, make_user(Role.ADMIN))
    headers, form = {"Sec-Fetch-Site": site}, {"csrf_token": admin.token}
    answers = {
        f"{method} {path}": admin.client.open(path, method=method, data=form, headers=headers).status_code
        for method, path in unsafe_routes(app)
    }
    assert {route: code for route, code in answers.items() if code != 403} == {}


@pytest.mark.only_on("sqlite")
def test_only_the_api_signed_hooks_and_one_click_addresses_need_no_form_token(app: Flask):
    free = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if getattr(app.view_functions[rule.endpoint], "needs_no_form_token", False)
        and "POST" in (rule.methods or set())
    }
    assert {rule for rule in free if not rule.startswith("/api/v1/")} == {
        "/s/<language>/unsubscribe/<token>",
        "/s/<language>/subscription/<token>",
        "/hooks/mail",  # signed, both of them
        "/hooks/releases/<key>",
    }


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(("proxies", "caller"), [(0, "127.0.0.1"), (1, "192.0.2.7"), (2, "198.51.100.1")])
def test_only_trusted_proxies_may_say_who_called(settings: Settings, proxies: int, caller: str):
    with apps.opened(replace(settings, trusted_proxies=proxies)) as app:

        @app.get("/test/caller")
        @public
        def called() -> str:
            return f"{request.remote_addr} {request.host}"

        forged = {"X-Forwarded-For": "198.51.100.1, 192.0.2.7", "X-Forwarded-Host": "evil.example"}
        assert app.test_client().get("/test/caller", headers=forged).text == f"{caller} localhost"


@pytest.mark.parametrize("target", ["/board", "/bugs?area=3&q=a%20b", "/bugs/BUG-1#told", "/"])
def test_a_page_of_ours_is_where_one_goes_next(target: str):
    assert local_target(target, "/start") == target


@pytest.mark.parametrize(
    "target",
    [
        *(None, "", "board", "//evil.example", "/\\evil.example", "\\\\evil.example", "///evil.example"),
        *("/\t/evil.example", "/\n/evil.example", " /board", "https://evil.example", "https:/evil.example"),
        *("javascript:alert(1)", "/a\rb", "/\x00", "\u3000//evil.example"),
    ],
)
def test_anything_else_leads_to_the_start(target: str | None):
    assert local_target(target, "/start") == "/start"


@given(st.text(alphabet=st.sampled_from("/\\:.@?#%ab \t\n\r\x00"), max_size=12))
def test_no_target_whatever_leads_to_another_site(target: str):
    as_browsers_read_it = "".join(c for c in local_target(target, "/start") if c not in "\t\n\r").replace("\\", "/")
    assert urlsplit(urljoin(HERE, as_browsers_read_it)).netloc == "bugs.example.com"


def test_a_secret_has_256_bits_and_only_its_fingerprint_is_kept():
    secret = new_secret()
    assert (len(secret), secret == new_secret()) == (43, False)
    assert (len(hash_secret(secret)), secret in hash_secret(secret)) == (64, False)
