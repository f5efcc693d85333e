"""People: added, invited, moved, kept out; every change is an event, and ends what it must end."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid, NotFound
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.team import passwords, people, sign_in
from bugintake.team.models import Pass, Role, SignIn, User
from tests.factories import make_user

NEW = "a kite over Bovec in May"


@pytest.fixture
def mira(petra):
    """An engineer, signed in twice."""
    user = make_user(Role.ENGINEER, "Mira Novak", email="mira@team.test", password_hash=passwords.hash_password(NEW))
    with transaction():
        sign_in.begin(user)
        sign_in.begin(user)
    return user


def sign_ins(user):
    return db.session.scalar(sa.select(sa.func.count(SignIn.id)).where(SignIn.user_id == user.id))


def last_event():
    return db.session.scalars(sa.select(Event).order_by(Event.id.desc())).first()


def secret_of(url):
    return url.rpartition("/")[2]


def test_adding_somebody_is_one_event_without_the_address(petra):
    with transaction():
        user = people.add_user(" Tin@Team.TEST ", "  Tin\tHorvat ", Role.AGENT, actor=petra, zone="Europe/Zagreb")

    event = last_event()
    assert (user.email, user.name, user.zone) == ("tin@team.test", "Tin Horvat", "Europe/Zagreb")
    assert (event.kind, event.actor_id, event.user_id, event.after) == ("user.added", petra.id, user.id, "agent")
    assert "tin@" not in repr(event.details)


@pytest.mark.parametrize(
    "email", ["a@b.local", "tin@intranet", "tin@host.test", "žiga@primer.si", "o'neil+x@example.com"]
)
def test_an_address_of_an_intranet_is_fine(app, email):
    assert people.clean_address(email) == email


@pytest.mark.parametrize(
    "email",
    [
        "",
        "tin",
        "a@b@c",
        "a@b.test, c@d.test",
        "a b@c.test",
        "a@b.test\nBcc: x@y.test",
        f"{'a' * 400}@b.test",
        "@b",
        "a@",
        "a%0a@",
        "\x00@\ud800",
    ],
)
def test_what_is_no_address_is_refused(app, email):
    with pytest.raises(Invalid) as refused:
        people.clean_address(email)

    assert refused.value.field == "email"


def test_what_is_far_too_long_is_refused_without_being_read_letter_by_letter(app, monkeypatch):
    monkeypatch.setattr(people, "validate_email", lambda *_args, **_options: pytest.fail("It was read."))

    with pytest.raises(Invalid):
        people.clean_address(f"{'x' * 1_000_000}@team.test")


def test_an_address_belongs_to_one_person(petra):
    with pytest.raises(Conflict, match="is here already"), transaction():
        people.add_user("PETRA@team.test", "Another Petra", Role.AGENT, actor=petra)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"zone": "Mars/Base"}, "zone"),
        ({"language": "xx"}, "language"),
    ],
)
def test_what_a_person_cannot_have_is_refused(petra, given, field):
    with pytest.raises(Invalid) as refused, transaction():
        people.add_user("tin@team.test", **({"name": "Tin", "role": Role.AGENT, "actor": petra} | given))

    assert refused.value.field == field


def test_an_invitation_works_once(petra):
    with transaction():
        user, url = people.invite("tin@team.test", "Tin", Role.AGENT, actor=petra)
    assert url.startswith("http://127.0.0.1:8000/passes/")
    stored = passwords.hash_password(NEW)

    with transaction():
        people.use_pass(people.pass_or_404(secret_of(url)), stored)

    assert passwords.matches(NEW, user.password_hash)
    with pytest.raises(NotFound):
        people.pass_or_404(secret_of(url))


def test_of_two_who_use_a_link_at_once_one_wins(petra):
    with transaction():
        _, url = people.invite("tin@team.test", "Tin", Role.AGENT, actor=petra)
    link = people.pass_or_404(secret_of(url))
    with transaction():
        db.session.execute(sa.update(Pass).values(used_at=link.created_at))

    with pytest.raises(Conflict), transaction():
        people.use_pass(link, "hash")


@pytest.mark.parametrize(("purpose", "lasts"), [("invitation", timedelta(days=7)), ("reset", timedelta(hours=2))])
def test_a_link_ends_by_itself(mira, clock, purpose, lasts):
    with transaction():
        url = people.invite_again(mira, actor=None) if purpose == "invitation" else people.new_reset_link(mira)
    clock.advance(lasts - timedelta(seconds=1))
    assert people.pass_or_404(secret_of(url)).purpose == purpose

    clock.advance(timedelta(seconds=1))

    with pytest.raises(NotFound):
        people.pass_or_404(secret_of(url))


def test_a_new_link_replaces_the_one_before(mira):
    with transaction():
        first = people.new_reset_link(mira)
        second = people.new_reset_link(mira)

    with pytest.raises(NotFound):
        people.pass_or_404(secret_of(first))
    assert people.pass_or_404(secret_of(second)).user == mira


@pytest.mark.parametrize("secret", ["", "x", "%", "\x00", "\ud800", "x" * 10_000])
def test_a_made_up_link_opens_nothing(mira, secret):
    with transaction():
        people.new_reset_link(mira)

    with pytest.raises(NotFound):
        people.pass_or_404(secret)


def test_only_a_fingerprint_of_a_link_is_kept(mira):
    with transaction():
        url = people.new_reset_link(mira)

    assert secret_of(url) not in repr(vars(db.session.scalars(sa.select(Pass)).one()))


def test_a_new_password_signs_out_everywhere_and_ends_open_links(mira):
    with transaction():
        url = people.new_reset_link(mira)
        people.set_password(mira, "hash", actor=mira)

    assert sign_ins(mira) == 0
    assert last_event().kind == EventKind.PASSWORD_CHANGED
    with pytest.raises(NotFound):
        people.pass_or_404(secret_of(url))


def test_a_new_role_signs_out_and_is_an_event_with_before_and_after(mira, petra):
    with transaction():
        people.change_role(mira, Role.LEAD, actor=petra)

    event = last_event()
    assert (event.kind, event.before, event.after, event.actor_id) == ("user.changed", "engineer", "lead", petra.id)
    assert sign_ins(mira) == 0


def test_the_same_role_again_changes_nothing(mira, petra):
    with transaction():
        people.change_role(mira, Role.ENGINEER, actor=petra)

    assert sign_ins(mira) == 2


def test_disabling_ends_everything_and_can_be_undone(mira, petra):
    with transaction():
        url = people.new_reset_link(mira)
    with transaction():
        people.disable(mira, actor=petra)
        people.disable(mira, actor=petra)

    assert (mira.is_active, sign_ins(mira)) == (False, 0)
    assert [event.kind for event in db.session.scalars(sa.select(Event))].count(EventKind.USER_DISABLED) == 1
    with pytest.raises(NotFound):
        people.pass_or_404(secret_of(url))
    with pytest.raises(Conflict), transaction():
        people.new_reset_link(mira)

    with transaction():
        people.enable(mira, actor=petra)
    assert mira.is_active
    assert (last_event().before, last_event().after) == ("disabled", "enabled")


def test_somebody_is_always_admin(petra):
    for demote in (
        lambda: people.disable(petra, actor=petra),
        lambda: people.change_role(petra, Role.LEAD, actor=petra),
    ):
        with pytest.raises(Conflict, match="Petra Admin is the only admin"), transaction():
            demote()

    luka = make_user(Role.ADMIN, "Luka")
    with transaction():
        people.disable(petra, actor=luka)
    assert not petra.is_active


def test_asking_for_a_reset_is_noted_whether_or_not_the_address_is_known(mira):
    with transaction():
        people.request_reset("Mira@team.test")
        people.request_reset("nobody@team.test")

    found = db.session.scalars(sa.select(Event).where(Event.kind == EventKind.PASSWORD_RESET_REQUESTED)).all()
    assert [(event.user_id, event.details) for event in found] == [(mira.id, {}), (None, {})]


def test_everybody_is_listed_by_name_and_the_disabled_last(mira, petra):
    anja = make_user(Role.AGENT, "Anja")
    with transaction():
        people.disable(anja, actor=petra)

    assert [user.name for user in people.everybody()] == ["Mira Novak", "Petra Admin", "Anja"]
    assert [user.name for user in people.working_here()] == ["Mira Novak", "Petra Admin"]


@pytest.mark.parametrize("number", [0, -1, 999_999, 2**31, 2**64])
def test_a_number_that_is_nobodys_is_not_found(petra, number):
    with pytest.raises(NotFound):
        people.user_or_404(number)


def test_two_people_are_two_people(mira, petra):
    assert mira != petra
    assert len({mira, petra, db.session.get(User, mira.id)}) == 2
