"""Passwords: which are taken, how they are kept, and that time tells nothing."""

import pytest

from bugintake.core.errors import Invalid
from bugintake.team import passwords


@pytest.mark.parametrize(
    "password",
    ["12345678x!", "correct horse battery staple", "a" * 5 + "b" * 60 + "c" * 63, "žuti krznar šeta", "        x y z"],
)
def test_any_kind_of_character_will_do(password):
    stored = passwords.hash_password(password)

    assert passwords.matches(password, stored)
    assert not passwords.matches(password + "!", stored)
    assert stored.startswith("$argon2id$")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "Use at least 8 characters; 15 or more are better."),
        ("seven77", "Use at least 8 characters; 15 or more are better."),
        ("x" * 129, "Use at most 128 characters."),
        ("password", "This is one of the first that anybody would try. Choose another one."),
        ("Sunshine", "This is one of the first that anybody would try. Choose another one."),
        ("aaaaaaaaaaaaaaaaaaaa", "This is one of the first that anybody would try. Choose another one."),
        ("Bugintake2026!", "This is one of the first that anybody would try. Choose another one."),
        ("petra.admin", "This is one of the first that anybody would try. Choose another one."),
        ("Petra Admin 1", "This is one of the first that anybody would try. Choose another one."),
    ],
)
def test_what_anybody_would_try_is_refused(password, why):
    with pytest.raises(Invalid) as refused:
        passwords.hash_password(password, known=("petra.admin@team.test", "Petra Admin"))

    assert (refused.value.sentence, refused.value.field) == (why, "password")


def test_the_same_letters_typed_on_another_keyboard_fit():
    assert passwords.matches("Zoë Müller 1984 ö", passwords.hash_password("Zoe\u0308 Mu\u0308ller 1984 o\u0308"))


def test_nothing_fits_where_nothing_is_stored():
    assert not passwords.matches("nobody has this password", None)
    assert not passwords.matches("", None)


@pytest.mark.parametrize("password", ["x" * 1_000_000, "\ud800\x00 lone and empty", ""])
def test_a_hostile_password_is_just_wrong(password):
    assert not passwords.matches(password, passwords.hash_password("a train to Ljubljana"))


def test_a_stored_value_of_no_known_kind_fits_nothing():
    assert not passwords.matches("anything at all", "plain text")


def test_unknown_and_wrong_cost_the_same_work(monkeypatch):
    stored = passwords.hash_password("a train to Ljubljana")
    verified = []
    verify = passwords.hasher.verify
    monkeypatch.setattr(passwords.hasher, "verify", lambda *args: verified.append(args) or verify(*args))

    passwords.matches("wrong", stored)
    passwords.matches("wrong", None)

    assert len(verified) == 2
