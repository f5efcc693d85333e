"""Releases by webhook: only from whom they should be, once, never backwards, and admins see what each did."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from standardwebhooks import Webhook as Reference

from bugintake.core import clock as house_clock
from bugintake.core.db import db, transaction
from bugintake.core.events import Event
from bugintake.intake.models import Bug, Option, OptionList
from bugintake.loop import releases
from bugintake.loop.webhooks import release_hooks
from bugintake.loop.webhooks.models import Occasion, ReceivedRelease, ReleaseHook, Sender
from bugintake.team.models import Role
from bugintake.triage import editing, transitions
from tests.counting import fewest
from tests.factories import make_bug, make_option, make_user, make_version, make_workspace
from tests.visitors import text_of, visit

pytestmark = pytest.mark.long_on("postgres")

NOTE = {"en": "The VAT line is back."}
EARLIER = datetime(2026, 3, 10, 8, 30, tzinfo=UTC)


@pytest.fixture
def petra(app, clock):
    make_workspace()
    return make_user(Role.ADMIN, "Petra Novak")


@pytest.fixture
def hook_of(petra):
    """Make a hook."""

    def make(sender, occasion=Occasion.RELEASED):
        with transaction():
            return release_hooks.make(sender, occasion, actor=petra)

    return make


@pytest.fixture
def fixed(petra):
    """A bug that is fixed in 4.13.0."""
    bug = make_bug()
    with transaction():
        transitions.fix(bug, NOTE, make_version("4.13.0"), actor=petra)
    return bug


def standard(hook, body, *, message_id="msg_1", at=None, secret=None):
    """What the published library sends."""
    at, raw = at or house_clock.now(), json.dumps(body)
    signature = Reference(secret or hook.secret).sign(message_id, at, raw)
    headers = {"webhook-id": message_id, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}
    return {"data": raw, "headers": headers, "content_type": "application/json"}


def github(hook, event, body, *, delivery="d-1", secret=None, **given):
    raw = json.dumps(body).encode() if isinstance(body, dict) else body
    signature = hmac.new((secret or hook.secret).encode(), raw, hashlib.sha256).hexdigest()
    headers = {"X-GitHub-Event": event, "X-GitHub-Delivery": delivery, "X-Hub-Signature-256": f"sha256={signature}"}
    return {"data": raw, "headers": headers, "content_type": "application/json", **given}


def gitlab(hook, body, **headers):
    named = {"X-Gitlab-Token": hook.secret, "Idempotency-Key": "k-1", **headers}
    return {"data": json.dumps(body), "headers": named, "content_type": "application/json"}


def released(tag="v4.13.0", *, action="published", at=EARLIER, **release):
    stated = {"tag_name": tag, "draft": False, "prerelease": False, "published_at": f"{at:%Y-%m-%dT%H:%M:%SZ}"}
    return {"action": action, "release": stated | release}


def deployed(ref="v4.13.0", *, state="success", environment="production", **deployment):
    status = {"state": state, "created_at": f"{EARLIER:%Y-%m-%dT%H:%M:%SZ}"}
    return {"deployment_status": status, "deployment": {"ref": ref, "environment": environment, **deployment}}


def address(hook):
    return f"/hooks/releases/{hook.key}"


def live():
    db.session.expire_all()
    found = sa.select(Option.label).where(Option.live_since_at.is_not(None))
    return list(db.session.scalars(found.order_by(Option.label)))


def status_of(bug):
    return db.session.scalars(sa.select(Bug.status).where(Bug.id == bug.id)).one()


def test_any_program_that_signs_says_what_is_live(client, hook_of, fixed):
    hook = hook_of(Sender.STANDARD)

    answer = client.post(address(hook), **standard(hook, {"version": "4.13.0", "live_at": "2026-03-10T08:00:00Z"}))

    assert (answer.status_code, answer.get_json()) == (200, {"did": f"4.13.0 is live, and with it {fixed.ref}."})
    assert status_of(fixed) == "live"
    event = db.session.scalars(sa.select(Event).where(Event.kind == "release.live")).one()
    assert (event.actor_id, event.details) == (None, {"hook": hook.id})
    version = db.session.scalars(sa.select(Option).where(Option.label == "4.13.0")).one()
    assert version.live_since_at == datetime(2026, 3, 10, 8, tzinfo=UTC)


def test_github_says_it_with_the_tag_of_a_published_release(client, hook_of, fixed):
    hook = hook_of(Sender.GITHUB)

    answer = client.post(address(hook), **github(hook, "release", released()))

    assert answer.get_json() == {"did": f"4.13.0 is live, and with it {fixed.ref}."}
    assert db.session.scalars(sa.select(Option.live_since_at).where(Option.label == "4.13.0")).one() == EARLIER


def test_a_restricted_bug_goes_live_without_being_named_to_whoever_sent_it(client, petra, hook_of, fixed):
    with transaction():
        editing.restrict(fixed, True, actor=petra)
    hook = hook_of(Sender.GITHUB)

    answer = client.post(address(hook), **github(hook, "release", released()))

    assert (answer.get_json(), status_of(fixed)) == ({"did": "4.13.0 is live."}, "live")


def test_github_is_read_as_well_where_nobody_chose_json(client, hook_of, fixed):
    hook = hook_of(Sender.GITHUB)
    form = urlencode({"payload": json.dumps(released())}).encode()

    client.post(address(hook), **github(hook, "release", form, content_type="application/x-www-form-urlencoded"))

    assert live() == ["4.13.0"]


def test_a_deployment_counts_where_an_admin_chose_so(client, hook_of, fixed):
    hook = hook_of(Sender.GITHUB, Occasion.DEPLOYED)
    first = client.post(address(hook), **github(hook, "release", released()))
    before = live()
    second = client.post(address(hook), **github(hook, "deployment_status", deployed(), delivery="d-2"))

    assert first.get_json() == {"did": "Nothing: An event “release” is not looked at here."}
    assert before == []
    assert second.get_json() == {"did": f"4.13.0 is live, and with it {fixed.ref}."}


@pytest.mark.parametrize(
    ("event", "body", "did"),
    [
        ("ping", {"zen": "Design for failure."}, "An event “ping” is not looked at here."),
        ("release", released(draft=True), "It is a draft."),
        ("release", released(prerelease=True), "It is a pre-release."),
        ("release", released(action="edited"), "A release was “edited”, which is not looked at."),
        ("release", released(action="deleted"), "A release was “deleted”, which is not looked at."),
        ("release", released("4.0"), "4.0 is no longer offered as version."),
        ("deployment_status", deployed(state="failure"), "The deployment is “failure”."),
        ("deployment_status", deployed(environment="staging"), "“staging” is not production."),
        ("deployment_status", deployed("main"), "main is not a version."),
        ("deployment_status", deployed("0f3c9d1e8a7b"), "0f3c9d1e8a7b is not a version."),
        ("release", released(at=datetime(2026, 3, 10, 12, tzinfo=UTC)), "it says that a version will be live"),
    ],
)
def test_what_does_not_say_that_a_version_is_live_does_nothing_and_says_so(client, petra, hook_of, event, body, did):
    with transaction():
        make_option(OptionList.VERSION, "4.0").retired_at = house_clock.now()
    hook = hook_of(Sender.GITHUB, Occasion.DEPLOYED if event == "deployment_status" else Occasion.RELEASED)
    answer = client.post(address(hook), **github(hook, event, body))

    assert (answer.status_code, live()) == (200, [])
    assert answer.get_json()["did"].startswith(f"Nothing: {did}")
    assert answer.get_json()["did"] in text_of(visit(client.application, petra).get("/admin/release-hooks"))


def test_a_branch_that_is_called_like_a_version_is_known_by_its_name(client, hook_of):
    hook = hook_of(Sender.GITHUB, Occasion.DEPLOYED)
    make_version("september")

    client.post(address(hook), **github(hook, "deployment_status", deployed("September", production_environment=True)))

    assert live() == ["september"]


def test_gitlab_says_it_by_release_and_by_deployment(client, hook_of, fixed):
    by_release, by_deployment = hook_of(Sender.GITLAB), hook_of(Sender.GITLAB, Occasion.DEPLOYED)
    release = {"object_kind": "release", "action": "create", "tag": "v4.13.0", "released_at": "2026-03-10 08:30:00 UTC"}
    deployment = {
        "object_kind": "deployment",
        "status": "success",
        "environment": "eu",
        "environment_tier": "production",
    }
    deployment |= {"ref": "v4.14.0", "status_changed_at": "2026-03-10 09:30:00 +0100"}
    said = [
        client.post(address(by_release), **gitlab(by_release, release)),
        client.post(address(by_deployment), **gitlab(by_deployment, deployment)),
        client.post(address(by_deployment), **gitlab(by_deployment, release, **{"Idempotency-Key": "k-2"})),
        client.post(
            address(by_release), **gitlab(by_release, release | {"action": "update"}, **{"Idempotency-Key": ""})
        ),
    ]

    assert [answer.get_json()["did"] for answer in said] == [
        f"4.13.0 is live, and with it {fixed.ref}.",
        "4.14.0 is live.",
        "Nothing: An event “release” is not looked at here.",
        "Nothing: A release had the action “update”.",
    ]
    assert db.session.scalars(sa.select(Option.live_since_at).where(Option.label == "4.14.0")).one() == EARLIER


# --- From whom: A-46 ---------------------------------------------------------------------------------------------


def unsigned(hook):
    return {"data": b"{}"}


def with_another_secret(hook):
    if hook.sender is Sender.STANDARD:
        return standard(hook, {"version": "4.13.0"}, secret="whsec_" + "A" * 32)
    if hook.sender is Sender.GITHUB:
        return github(hook, "release", released(), secret="another")
    return gitlab(hook, {"object_kind": "release"}, **{"X-Gitlab-Token": hook.secret + "x"})


def written_anew(hook):
    """The same JSON, with other blanks."""
    given = standard(hook, {"version": "4.13.0"}) if hook.sender is Sender.STANDARD else None
    given = given or github(hook, "release", released())
    raw = given["data"] if isinstance(given["data"], bytes) else given["data"].encode()
    return given | {"data": json.dumps(json.loads(raw), indent=1).encode()}


def with_odd_letters(hook):
    odd = "v1,é" if hook.sender is Sender.STANDARD else "sha256=é"
    headers = {
        "webhook-id": "a",
        "webhook-timestamp": str(int(house_clock.now().timestamp())),
        "webhook-signature": odd,
    }
    return {"data": b"{}", "headers": {**headers, "X-Hub-Signature-256": odd, "X-Gitlab-Token": "é\udcff"}}


@pytest.mark.parametrize("forged", [unsigned, with_another_secret, written_anew, with_odd_letters])
@pytest.mark.parametrize("sender", Sender)
def test_a_46_what_is_not_signed_as_it_should_be_is_refused_alike_and_changes_nothing(client, hook_of, sender, forged):
    hook = hook_of(sender)
    if sender is Sender.GITLAB and forged is written_anew:
        forged = with_another_secret  # GitLab signs nothing: it sends the secret

    answer = client.post(address(hook), **forged(hook))

    assert answer.status_code == 401
    assert answer.get_json() == {
        "type": "about:blank",
        "title": "Not accepted",
        "status": 401,
        "detail": "This delivery is not accepted.",
    }
    assert (live(), db.session.scalars(sa.select(ReceivedRelease)).all()) == ([], [])


@pytest.mark.fault("F-H2")
@pytest.mark.fault("F-C3")
@pytest.mark.parametrize(
    ("minutes", "code"), [(-6, 401), (-5.1, 401), (-4.9, 200), (0, 200), (4.9, 200), (5.1, 401), (6, 401)]
)
def test_f_h2_a_delivery_counts_for_five_minutes_around_its_time(client, hook_of, minutes, code):
    hook = hook_of(Sender.STANDARD)
    signed = standard(hook, {"version": "4.13.0"}, at=house_clock.now() + timedelta(minutes=minutes))

    assert client.post(address(hook), **signed).status_code == code
    assert live() == (["4.13.0"] if code == 200 else [])


def test_two_signatures_are_as_good_as_one_where_a_secret_is_being_replaced(client, hook_of):
    hook = hook_of(Sender.STANDARD)
    given = standard(hook, {"version": "4.13.0"})
    other = standard(hook, {"version": "4.13.0"}, secret="whsec_" + "A" * 32)["headers"]["webhook-signature"]
    given["headers"]["webhook-signature"] = f"{other} v1a,x {given['headers']['webhook-signature']}"

    assert client.post(address(hook), **given).status_code == 200


def test_an_address_that_never_was_answers_as_one_that_is_revoked(client, petra, hook_of):
    hook = hook_of(Sender.STANDARD)
    with transaction():
        release_hooks.revoke(hook, actor=petra)
    revoked = client.post(address(hook), **standard(hook, {"version": "4.13.0"}))
    unknown = client.post("/hooks/releases/" + "x" * 43, **standard(hook, {"version": "4.13.0"}))

    assert (revoked.status_code, revoked.data) == (unknown.status_code, unknown.data)
    assert (revoked.status_code, live()) == (404, [])


@pytest.mark.parametrize("size", [1024 * 1024 + 1, 20_000_000])
def test_a_46_more_than_a_megabyte_is_refused_unread(client, hook_of, size):
    hook = hook_of(Sender.STANDARD)

    answer = client.post(address(hook), data=b" " * size, headers=standard(hook, {})["headers"])

    assert answer.status_code == 413


@pytest.mark.parametrize(
    "body", ["[]", "nonsense", "[" * 100_000, {}, {"version": ""}, {"version": 4}, {"version": "x" * 121}]
)
def test_what_is_signed_and_cannot_be_read_is_refused_with_the_reason(client, petra, hook_of, body):
    hook = hook_of(Sender.STANDARD)
    raw = body if isinstance(body, str) else json.dumps(body)
    given = standard(hook, {})
    given["headers"]["webhook-signature"] = Reference(hook.secret).sign("msg_1", house_clock.now(), raw)

    answer = client.post(address(hook), **given | {"data": raw})

    assert (answer.status_code, live()) == (422, [])
    assert answer.get_json()["detail"] in text_of(visit(client.application, petra).get("/admin/release-hooks"))


# --- Once, and never backwards: F-H2 -----------------------------------------------------------------------------


@pytest.mark.fault("F-H2")
@pytest.mark.parametrize("times", [100, pytest.param(1000, marks=pytest.mark.long)])
def test_f_h2_a_hundred_and_a_thousand_times_the_same_is_one_release(client, hook_of, fixed, times):
    hook = hook_of(Sender.STANDARD)
    given = standard(hook, {"version": "4.13.0"})

    answers = {client.post(address(hook), **given).text for _ in range(times)}

    assert len(answers) == 1
    assert db.session.scalar(sa.select(sa.func.count()).where(Event.kind == "release.live")) == 1
    assert db.session.scalar(sa.select(sa.func.count(ReceivedRelease.id))) == 1


@pytest.mark.fault("F-H2")
def test_f_h2_the_same_at_the_same_moment_is_one_release(app, hook_of, fixed, together):
    hook = hook_of(Sender.GITHUB)
    given, where = github(hook, "release", released()), address(hook)

    answers = together(lambda _: app.test_client().post(where, **given).get_json())

    assert answers == [{"did": f"4.13.0 is live, and with it {fixed.ref}."}] * len(answers)
    assert db.session.scalar(sa.select(sa.func.count()).where(Event.kind == "release.live")) == 1


@pytest.mark.fault("F-H2")
def test_f_h2_what_a_person_took_back_stays_so_when_its_release_is_said_again(client, petra, hook_of, fixed, clock):
    hook = hook_of(Sender.GITHUB)
    client.post(address(hook), **github(hook, "release", released()))
    with transaction():
        releases.withdraw_release(releases.version_or_404(fixed.release_id or 0), actor=petra)

    again = client.post(address(hook), **github(hook, "release", released(), delivery="d-2"))
    was = (live(), status_of(fixed))
    clock.advance(timedelta(hours=1))
    anew = client.post(address(hook), **github(hook, "release", released(at=house_clock.now()), delivery="d-3"))

    assert again.get_json() == {"did": "Nothing: somebody said after this that 4.13.0 is not live."}
    assert was == ([], "fixed")
    assert (anew.get_json()["did"], status_of(fixed)) == (f"4.13.0 is live, and with it {fixed.ref}.", "live")


@pytest.mark.fault("F-H2")
def test_f_h2_an_older_release_that_arrives_later_takes_nothing_back(client, hook_of, fixed):
    hook = hook_of(Sender.GITHUB)
    client.post(address(hook), **github(hook, "release", released()))
    older = released("v4.12.9", at=EARLIER - timedelta(days=3))

    client.post(address(hook), **github(hook, "release", older, delivery="d-2"))
    late = released(at=EARLIER - timedelta(days=9))
    answer = client.post(address(hook), **github(hook, "release", late, delivery="d-3"))

    assert (live(), status_of(fixed)) == (["4.12.9", "4.13.0"], "live")
    assert answer.get_json() == {"did": "Nothing: 4.13.0 was live already."}
    assert db.session.scalars(sa.select(Option.live_since_at).where(Option.label == "4.13.0")).one() == EARLIER


def test_f_c3_a_sender_whose_clock_is_a_little_ahead_is_believed(client, hook_of):
    hook = hook_of(Sender.GITHUB)
    ahead = released(at=house_clock.now() + timedelta(minutes=4))

    client.post(address(hook), **github(hook, "release", ahead))

    assert (
        db.session.scalars(sa.select(Option.live_since_at).where(Option.label == "4.13.0")).one() == house_clock.now()
    )


# --- For admins --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sender", Sender)
def test_an_admin_makes_an_address_and_sees_its_secret_once(app, petra, sender):
    browser = visit(app, petra)
    made = browser.post("/admin/release-hooks", {"sender": sender.value, "occasion": "deployed"})
    hook = db.session.scalars(sa.select(ReleaseHook)).one()
    later = browser.get("/admin/release-hooks")

    assert (made.status_code, hook.secret in made.text, hook.secret in later.text) == (200, True, False)
    assert (hook.key in made.text, hook.key in later.text) == (True, True)
    assert hook.secret.startswith("whsec_") == (sender is Sender.STANDARD)
    recorded = str(
        [(each.kind, each.before, each.after, each.details) for each in db.session.scalars(sa.select(Event))]
    )
    assert ("release_hook.made" in recorded, hook.secret in recorded, hook.key in recorded) == (True, False, False)


def test_who_sends_must_be_chosen(app, petra):
    answer = visit(app, petra).post("/admin/release-hooks", {"sender": "nobody", "occasion": "released"})

    assert (answer.status_code, db.session.scalars(sa.select(ReleaseHook)).all()) == (422, [])
    assert "<title>Error: " in answer.text


def test_an_admin_revokes_an_address_and_it_is_kept_in_the_list(app, petra, hook_of):
    hook, browser = hook_of(Sender.GITHUB), visit(app, petra)
    browser.post(f"/admin/release-hooks/{hook.id}/revocation")
    browser.post(f"/admin/release-hooks/{hook.id}/revocation")

    assert "Revoked Tue 10 Mar" in text_of(browser.get("/admin/release-hooks"))
    assert db.session.scalar(sa.select(sa.func.count()).where(Event.kind == "release_hook.revoked")) == 1


def test_the_page_says_why_a_delivery_was_refused_and_a_flood_of_them_writes_once_a_minute(
    client, petra, hook_of, clock
):
    hook, page = hook_of(Sender.STANDARD), "/admin/release-hooks"
    client.post(address(hook), **with_another_secret(hook))
    first = text_of(visit(client.application, petra).get(page))
    client.post(address(hook), data=b"{}")
    second = text_of(visit(client.application, petra).get(page))
    clock.advance(timedelta(minutes=2))
    client.post(address(hook), data=b"{}")
    third = text_of(visit(client.application, petra).get(page))

    assert ["The signature does not fit." in each for each in (first, second, third)] == [True, True, False]
    assert "There is no webhook-id." in third


def test_neither_the_key_nor_the_secret_is_logged(client, hook_of, capfd):
    hook = hook_of(Sender.GITLAB)
    client.post(address(hook), **gitlab(hook, {"object_kind": "release", "action": "create", "tag": "v\r\n\x1b[31m4"}))
    logged = capfd.readouterr().err

    assert "POST /hooks/releases/… " in logged
    assert [part for part in (hook.key, hook.secret, "\x1b") if part in logged] == []


def test_what_came_long_ago_is_forgotten(client, hook_of, clock):
    hook = hook_of(Sender.GITHUB)
    client.post(address(hook), **github(hook, "ping", {}))
    clock.advance(release_hooks.REMEMBERED - timedelta(days=1))
    client.post(address(hook), **github(hook, "ping", {}, delivery="d-2"))
    clock.advance(timedelta(days=2))
    release_hooks.forget_old()

    assert db.session.scalars(sa.select(ReceivedRelease.delivery)).all() == ["d-2"]


def test_the_page_costs_as_many_questions_for_one_delivery_as_for_many(client, petra, hook_of):
    hook = hook_of(Sender.GITHUB)
    browser = visit(client.application, petra)
    client.post(address(hook), **github(hook, "ping", {}))
    one = fewest(lambda: browser.get("/admin/release-hooks"))
    for number in range(20):
        client.post(address(hook_of(Sender.GITHUB)), data=b"{}")
        client.post(address(hook), **github(hook, "ping", {}, delivery=f"d-{number + 2}"))

    assert fewest(lambda: browser.get("/admin/release-hooks")) == one
