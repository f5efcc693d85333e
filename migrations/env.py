"""How migrations run: all of them in one transaction, one process at a time, on SQLite and PostgreSQL alike."""

import sqlalchemy as sa
from alembic import context

from bugintake.core import migrating
from bugintake.core.db import db


def run() -> None:
    given = context.config.attributes.get("connection")
    if given is not None:
        migrate(given)
        return
    with migrating.alone(db.engine) as connection:
        migrate(connection)


def migrate(connection: sa.Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=migrating.metadata(),
        transactional_ddl=True,
        render_as_batch=True,
        compare_type=True,
        include_object=migrating.can_compare,
        render_item=migrating.render,
        process_revision_directives=migrating.number,
    )
    with context.begin_transaction():
        migrating.wait_for_turn(connection)
        context.run_migrations()
        migrating.check_references(connection)


def write_sql() -> None:
    context.configure(
        dialect_name=db.engine.dialect.name,
        target_metadata=migrating.metadata(),
        transactional_ddl=True,
        literal_binds=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    write_sql()
else:
    run()
