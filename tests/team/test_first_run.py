"""The first run: a link that claims the installation once, two doors, four pages."""

import stat
from datetime import date, time, timedelta

import pytest
import sqlalchemy as sa

from bugintake.core import config
from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict
from bugintake.core.events import Event
from bugintake.team import passwords, people, setup
from bugintake.team.models import Role, User, Workspace
from bugintake.team.workspace import is_set_up, workspace
from tests.factories import make_user, make_workspace
from tests.team.conftest import PASSWORD

pytestmark = pytest.mark.long_on("postgres")

YOU = {
    "name": "Petra Admin",
    "email": "petra@fakturo.test",
    "password": PASSWORD,
    "zone": "Europe/Ljubljana",
    "language": "de",
}
DUTY = {
    "members": "Mira Novak mira@fakturo.test\nTin Horvat <tin@fakturo.test>\n\nana.kos@fakturo.test",
    "working_days": ["0", "1", "2", "3", "4"],
    "opens_at": "08:00",
    "closes_at": "16:00",
    "first_on": "2026-03-16",
}


@pytest.fixture
def heard(monkeypatch):
    """What later rooms were told."""
    told = []
    hooks = setup.Hooks(
        fill_catalogue=lambda areas, pack, actor: told.append(("catalogue", areas, pack, actor.name)),
        preview_duty=lambda plan, names: [(plan.first_on + timedelta(days=n), name) for n, name in enumerate(names)],
        begin_duty=lambda plan, team, actor: told.append(("duty", plan, [user.name for user in team], actor.name)),
        fill_sample=_fill_sample,
        remove_sample=_remove_sample,
        send_test=lambda user: told.append(("test", user.email)),
        test_answer=lambda user: "250 accepted" if told else None,
    )
    monkeypatch.setattr(setup, "hooks", hooks)
    return told


def _fill_sample():
    db.session.add(Workspace(id=1, name="Fakturo", is_sample=True))
    return people.add_user("petra@fakturo.example", "Petra Sample", Role.ADMIN, actor=None)


def _remove_sample():
    for table in reversed(db.metadata.sorted_tables):
        if table.name != "alembic_version":
            db.session.execute(sa.delete(table))


@pytest.fixture
def claimed(as_user, heard, clock):
    """A browser that opened the printed link."""
    visitor = as_user()
    visitor.get(_path(setup.new_link()))
    return visitor


def _path(url):
    return url.removeprefix("http://127.0.0.1:8000")


def kinds():
    return list(db.session.scalars(sa.select(Event.kind).order_by(Event.id)))


# --- The link


def test_the_link_is_kept_as_a_fingerprint_that_only_its_owner_reads(app):
    link = setup.new_link()

    file = config.settings().data / "setup_link"
    assert link.startswith("http://127.0.0.1:8000/setup?token=")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert link.rpartition("=")[2] not in file.read_text()


def test_opening_the_link_uses_nothing_up_and_leaves_a_clean_address(as_user, heard):
    link = _path(setup.new_link())

    for visitor in (as_user(), as_user()):
        assert visitor.get(link).location == "/setup"
        assert "Look around with sample data" in visitor.get("/setup").text


@pytest.mark.parametrize("token", ["", "x", "\ud800", "x" * 5000])
def test_without_the_link_nobody_claims_the_installation(as_user, heard, token):
    setup.new_link()
    visitor = as_user()

    assert visitor.get("/setup", query_string={"token": token.encode("utf-8", "replace")}).status_code == 404
    assert "Set up for real" not in visitor.get("/setup").text
    assert visitor.get("/setup/you").status_code == 404
    assert visitor.post("/setup/you", YOU).status_code == 404
    assert visitor.post("/setup/sample").status_code == 404
    assert not is_set_up()


def test_a_company_whose_customers_read_another_language_offers_that_one_too(claimed):
    claimed.post("/setup/you", {**YOU, "language": "tr"})

    assert (workspace().language, workspace().languages) == ("tr", ["en", "de", "es", "tr"])


def test_a_link_lasts_a_day(claimed, clock):
    clock.advance(timedelta(hours=24))

    assert claimed.post("/setup/you", YOU).status_code == 404


def test_a_new_link_replaces_the_one_before(claimed):
    setup.new_link()

    assert claimed.post("/setup/you", YOU).status_code == 404


@pytest.mark.parametrize(
    "kept", ["", "{}", "[]", '{"hash": null, "until": "x"}', '{"hash": "", "until": "2999-01-01"}']
)
def test_a_broken_file_opens_nothing(claimed, kept):
    (config.settings().data / "setup_link").write_text(kept)

    assert claimed.get("/setup/you").status_code == 404
    assert not setup.is_open_to("")
    assert not setup.is_open_to(None)


def test_before_the_first_run_every_road_leads_to_it(as_user, heard):
    visitor = as_user()

    assert visitor.get("/").location == "/setup"
    assert visitor.get("/login").location == "/setup"
    assert "Not set up yet" in visitor.get("/setup").text


def test_once_set_up_there_is_no_link_and_no_way_back(as_user, petra, heard):
    with pytest.raises(Conflict):
        setup.new_link()

    assert as_user(petra).get("/setup").location == "/"
    assert as_user(petra).get("/setup/you").status_code == 404


# --- For real


def test_page_one_makes_the_workspace_and_signs_its_admin_in(claimed):
    answer = claimed.post("/setup/you", YOU)

    user = db.session.scalars(sa.select(User)).one()
    assert answer.location == "/setup/product"
    assert (user.name, user.role, user.zone, user.language) == ("Petra Admin", Role.ADMIN, "Europe/Ljubljana", "de")
    assert (workspace().name, workspace().zone, workspace().language) == ("Fakturo", "Europe/Ljubljana", "de")
    assert kinds() == ["user.added", "workspace.set_up", "user.signed_in"]
    assert claimed.get("/setup/product").status_code == 200
    assert not (config.settings().data / "setup_link").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"email": "x"},
        {"password": "short"},
        {"password": "password"},
        {"zone": ""},
        {"zone": "Mars"},
        {"language": "xx"},
    ],
)
def test_page_one_refuses_in_words_and_keeps_the_rest(claimed, wrong):
    page = claimed.post("/setup/you", {**YOU, **wrong})

    assert page.status_code == 422
    assert "<title>Error: You" in page.text
    assert PASSWORD not in page.text
    assert all(f'value="{YOU[name]}"' in page.text for name in ("name", "email") if name not in wrong)
    assert not is_set_up()


def test_of_two_who_claim_at_once_one_wins(claimed):
    other = setup.found_company
    with transaction():
        other("Fakturo", admin_name="First", admin_email="first@fakturo.test", password_hash=None)

    with pytest.raises(Conflict), transaction():
        other("Fakturo", admin_name="Second", admin_email="second@fakturo.test", password_hash=None)


def test_page_two_names_the_product_and_fills_the_lists(claimed, heard):
    claimed.post("/setup/you", YOU)

    answer = claimed.post(
        "/setup/product", {"name": "Fakturo", "pack": "api", "areas": "Invoices › PDF\r\n\r\n Login "}
    )

    assert answer.location == "/setup/duty"
    assert heard == [("catalogue", ["Invoices › PDF", "Login"], "api", "Petra Admin")]


def test_page_two_skipped_takes_the_usual_lists(claimed, heard):
    claimed.post("/setup/you", YOU)

    assert claimed.post("/setup/product", {"skip": "y"}).location == "/setup/duty"
    assert heard == [("catalogue", [], "web", "Petra Admin")]


@pytest.mark.parametrize("wrong", [{"name": ""}, {"pack": "desktop"}, {"areas": "x" * 20_001}])
def test_page_two_refuses_in_words(claimed, heard, wrong):
    claimed.post("/setup/you", YOU)

    assert claimed.post("/setup/product", {"name": "Fakturo", "pack": "web", **wrong}).status_code == 422
    assert heard == []


def test_page_three_shows_three_weeks_before_anything_is_kept(claimed, heard):
    claimed.post("/setup/you", YOU)

    page = claimed.post("/setup/duty", {**DUTY, "preview": "y"})

    assert page.status_code == 200
    assert "<li>Mon 16 Mar: <b>Mira Novak</b></li><li>Tue 17 Mar: <b>Tin Horvat</b></li>" in page.text
    assert "Ana Kos" in page.text
    assert (len(people.everybody()), heard) == (1, [])


def test_page_three_starts_the_rotation_and_shows_the_invitations_once(claimed, heard):
    claimed.post("/setup/you", YOU)

    page = claimed.post("/setup/duty", {**DUTY, "members": f"{DUTY['members']}\npetra@fakturo.test"})

    (kind, plan, team, actor), *others = heard
    assert (kind, team, actor, others) == (
        "duty",
        ["Mira Novak", "Tin Horvat", "Ana Kos", "Petra Admin"],
        "Petra Admin",
        [],
    )
    assert plan == setup.Plan("Europe/Ljubljana", frozenset(range(5)), time(8), time(16), date(2026, 3, 16))
    assert page.text.count("http://127.0.0.1:8000/passes/") == 3
    assert (workspace().opens_at, workspace().closes_at) == (time(8), time(16))
    assert {user.role for user in people.everybody()} == {Role.ADMIN, Role.ENGINEER}


def test_page_three_begins_on_the_next_working_day(claimed, clock):
    claimed.post("/setup/you", YOU)

    assert 'value="2026-03-11"' in claimed.get("/setup/duty").text


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"members": ""}, "Name at least one person."),
        ({"members": "Mira Novak"}, "There is no e-mail address in"),
        ({"members": "Mira mira@"}, "There is no e-mail address in"),
        ({"members": "Mira mira@.."}, "is not an e-mail address."),
        ({"members": "x" * 15_000}, "There is no e-mail address in"),
        ({"working_days": []}, "Choose at least one day."),
        ({"working_days": ["9"]}, "is not a valid choice"),
        ({"closes_at": "07:00"}, "The day has to end after it begins."),
        ({"first_on": "soon"}, "Enter a day, like 2026-09-14."),
        ({"first_on": "0001-01-01"}, "Choose a day in this century."),
    ],
)
def test_page_three_refuses_in_words(claimed, heard, wrong, sentence):
    claimed.post("/setup/you", YOU)

    page = claimed.post("/setup/duty", {**DUTY, **wrong})

    assert page.status_code == 422
    assert sentence in page.text
    assert heard == []


def test_page_four_says_that_mail_waits_in_the_outbox(claimed):
    claimed.post("/setup/you", YOU)

    assert "Keep mail in the outbox for now" in claimed.get("/setup/mail").text
    assert claimed.post("/setup/mail/test").status_code == 409


@pytest.mark.parametrize("at", ["/setup/mail", "/admin/mail"])
def test_the_mail_server_is_tested_without_showing_its_password(claimed, heard, at):
    claimed.post("/setup/you", YOU)
    object.__setattr__(config.settings(), "smtp_url", "smtp://user:hush@mail.fakturo.test:587")

    assert claimed.post(f"{at}/test").location == at

    shown = claimed.get(at).text
    assert heard == [("test", "petra@fakturo.test")]
    assert [words in shown for words in ("250 accepted", "mail.fakturo.test", "hush")] == [True, True, False]


@pytest.mark.parametrize("email", ["p@gmail.com", "p@fakturo.example.com", "p@intranet", "p@x.co"])
def test_a_guessed_name_is_never_empty(email):
    assert setup.guessed_name(email) != ""


# --- With the sample company


def test_the_sample_company_is_looked_at_as_its_admin(claimed):
    answer = claimed.post("/setup/sample")

    assert answer.location == "/"
    assert "Sample data" in claimed.get("/settings").text
    assert not (config.settings().data / "setup_link").exists()


def test_whoever_came_by_the_link_removes_the_sample_and_begins_for_real(claimed):
    claimed.post("/setup/sample")

    link = claimed.post("/sample/removal").location

    assert not is_set_up()
    assert db.session.scalar(sa.select(sa.func.count(User.id))) == 0
    claimed.get(_path(link))
    assert claimed.post("/setup/you", YOU).location == "/setup/product"


def test_a_passer_by_who_removes_the_sample_does_not_get_the_installation(claimed, as_user):
    claimed.post("/setup/sample")
    passer_by = as_user()
    passer_by.post("/login/sample", {"user": str(people.everybody()[0].id)})

    assert passer_by.post("/sample/removal").location == "/setup"

    assert "Not set up yet" in passer_by.get("/setup").text
    assert passer_by.get("/setup/you").status_code == 404


def test_a_real_company_cannot_be_removed(as_user, petra, heard):
    assert as_user(petra).post("/sample/removal").status_code == 409
    assert is_set_up()


def test_only_an_empty_installation_takes_the_sample(claimed, clock):
    make_workspace()

    assert claimed.post("/setup/sample").status_code == 404


def test_an_agent_cannot_remove_the_sample(as_user, heard):
    make_workspace(is_sample=True)

    assert as_user(make_user(Role.AGENT)).post("/sample/removal").status_code == 403


# --- What the link stands on


def test_the_company_of_a_script_is_founded_with_its_lists(app, heard):
    with transaction():
        admin = setup.found_company(
            "Fakturo",
            admin_name="Petra",
            admin_email="petra@fakturo.test",
            password_hash=passwords.hash_password(PASSWORD),
            pack="mobile",
        )

    assert heard == [("catalogue", [], "mobile", "Petra")]
    assert (admin.role, workspace().name) == (Role.ADMIN, "Fakturo")
