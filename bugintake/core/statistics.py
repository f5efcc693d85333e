"""What the database's plans rest on."""

from typing import Any

from bugintake.core.db import db

SAMPLED = 1000  # rows of an index of SQLite


def count_anew(*tables: str) -> None:
    """Let the database count what its plans rest on: in these tables, which much has come into, or all of them.

    SQLite counts so many rows of each index. PostgreSQL counts by itself, only a minute late: all of them are its own.
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
