"""API tokens: made once, shown once, ended for good."""

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid, NotFound
from bugintake.core.events import Event
from bugintake.team import people, tokens
from bugintake.team.models import Role
from tests.factories import make_user


def test_a_token_is_found_by_its_secret_and_only_its_fingerprint_is_kept(petra):
    with transaction():
        token, secret = tokens.create_token(petra, ["bugs:write", "read"], actor=petra)

    assert tokens.authenticate(f"Bearer {secret}") == token
    assert token.scopes == ["read", "bugs:write"]
    assert secret.startswith(token.prefix)
    assert secret not in repr(vars(token))


@pytest.mark.parametrize("scopes", [[], ["everything"], ["read", "admin"], ["READ"]])
def test_a_scope_that_does_not_exist_is_refused(petra, scopes):
    with pytest.raises(Invalid) as refused, transaction():
        tokens.create_token(petra, scopes, actor=petra)

    assert refused.value.field == "scopes"


def test_a_disabled_person_gets_no_token(petra):
    user = make_user(Role.AGENT)
    with transaction():
        people.disable(user, actor=petra)

    with pytest.raises(Conflict, match="is disabled"), transaction():
        tokens.create_token(user, ["read"], actor=petra)


def test_making_and_revoking_are_events_without_the_secret(petra):
    with transaction():
        token, secret = tokens.create_token(petra, ["read"], actor=petra)
        tokens.revoke(token, actor=petra)
        tokens.revoke(token, actor=petra)

    found = db.session.scalars(sa.select(Event).where(Event.actor_id.is_not(None)).order_by(Event.id)).all()
    assert [(event.kind, event.details["token"]) for event in found] == [
        ("token.created", token.id),
        ("token.revoked", token.id),
    ]
    assert secret not in repr([event.details for event in found])
    assert tokens.authenticate(f"Bearer {secret}") is None


def test_working_tokens_are_listed_before_revoked_ones(petra):
    with transaction():
        first, _ = tokens.create_token(petra, ["read"], actor=petra)
        second, _ = tokens.create_token(petra, ["read"], actor=petra)
        third, _ = tokens.create_token(petra, ["read"], actor=petra)
        tokens.revoke(third, actor=petra)

    assert tokens.all_tokens() == [second, first, third]


@pytest.mark.parametrize("number", [0, -1, 999_999, 2**64])
def test_a_number_that_is_no_token_is_not_found(petra, number):
    with pytest.raises(NotFound):
        tokens.token_or_404(number)
