"""What the database's plans rest on."""

from typing import Any

from bugintake.core.db import db

SAMPLED = 1000  # rows of an index of SQLite


def count_anew(*tables: str) -> None:
    """Let the database look anew at how its rows are spread, in these tables or in all, so that its plans fit.

    SQLite samples SAMPLED rows of each index. PostgreSQL does so by itself, a minute late: asked for no table, nothing
    is done.
    """
    with db.engine.connect() as connection:
        raw: Any = connection.connection.driver_connection  # not in a transaction that reads
        if connection.dialect.name == "sqlite":
            raw.execute(f"PRAGMA analysis_limit = {SAMPLED}")
            for table in tables or [""]:
                raw.execute(f"ANALYZE {table}")
        elif tables:
            raw.execute(f"ANALYZE {', '.join(tables)}")
            raw.commit()
