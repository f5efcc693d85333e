"""The index that bugs are found in by their words: FTS5 on SQLite, a tsvector under GIN on PostgreSQL."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from bugintake.core.db import Model, db, rows, transaction

PAGES = 500  # at once, so that nobody waits long
LATEST = 5000  # bugs

IN_SQLITE = ("bug_words_index", "bug_said_index")
_FTS5 = tuple(
    f"{name}{part}" for name in IN_SQLITE for part in ("", "_config", "_content", "_data", "_docsize", "_idx")
)
_APART = ("terms", "ix_bug_words_terms", "said_terms", "ix_bug_words_said_terms", *_FTS5)


class BugWords(Model):
    """What one bug is found by: the stems of its title and of what its reports tell, and the trigrams of its title.

    `intake.words` keeps it in the transaction that changes the bug. Every term stands alone between spaces, already
    folded and stemmed, so that both databases index the very same terms. `said` is what else is written about it, which
    `triage.said` keeps: a search finds it, and it makes nothing look alike. A second index has all terms of the bugs
    that have some, so that one that is only filed costs nothing more.
    """

    __tablename__ = "bug_words"
    __table_args__ = ({"info": {"apart": _APART}},)

    bug_id: Mapped[int] = mapped_column(sa.ForeignKey("bugs.id"), primary_key=True, autoincrement=False)
    title: Mapped[str] = mapped_column(sa.Text)
    told: Mapped[str] = mapped_column(sa.Text)
    trigrams: Mapped[str] = mapped_column(sa.Text)
    said: Mapped[str] = mapped_column(sa.Text, default="")


_ADD = (
    "INSERT INTO bug_words_index (rowid, title, told, trigrams) VALUES (NEW.bug_id, NEW.title, NEW.told, NEW.trigrams);"
)
_REMOVE = (
    "INSERT INTO bug_words_index (bug_words_index, rowid, title, told, trigrams)"
    " VALUES ('delete', OLD.bug_id, OLD.title, OLD.told, OLD.trigrams);"
)
_ADD_SAID = (
    "INSERT INTO bug_said_index (rowid, title, told, said)"
    " SELECT NEW.bug_id, NEW.title, NEW.told, NEW.said WHERE NEW.said <> '';"
)
_REMOVE_SAID = (
    "INSERT INTO bug_said_index (bug_said_index, rowid, title, told, said)"
    " SELECT 'delete', OLD.bug_id, OLD.title, OLD.told, OLD.said WHERE OLD.said <> '';"
)
INDEX = {
    "sqlite": (
        (
            "CREATE VIRTUAL TABLE bug_words_index USING fts5(title, told, trigrams, content = 'bug_words',"
            " content_rowid = 'bug_id', detail = 'none', tokenize = 'ascii')"
        ),
        (
            "CREATE VIRTUAL TABLE bug_said_index USING fts5(title, told, said, content = 'bug_words',"
            " content_rowid = 'bug_id', detail = 'none', tokenize = 'ascii')"
        ),
        f"CREATE TRIGGER bug_words_are_added AFTER INSERT ON bug_words BEGIN {_ADD} {_ADD_SAID} END",
        (
            "CREATE TRIGGER bug_words_are_changed AFTER UPDATE OF title, told, trigrams ON bug_words"
            f" BEGIN {_REMOVE} {_ADD} END"
        ),
        (
            "CREATE TRIGGER bug_words_are_said AFTER UPDATE ON bug_words WHEN OLD.said <> '' OR NEW.said <> ''"
            f" BEGIN {_REMOVE_SAID} {_ADD_SAID} END"
        ),
        f"CREATE TRIGGER bug_words_are_removed AFTER DELETE ON bug_words BEGIN {_REMOVE} {_REMOVE_SAID} END",
    ),
    "postgresql": (
        (
            "ALTER TABLE bug_words ADD COLUMN terms tsvector GENERATED ALWAYS AS (array_to_tsvector(array_remove("
            "string_to_array(title || ' ' || told || ' ' || trigrams, ' '), ''))) STORED"
        ),
        "CREATE INDEX ix_bug_words_terms ON bug_words USING gin (terms) WITH (gin_pending_list_limit = 256)",
        (
            "ALTER TABLE bug_words ADD COLUMN said_terms tsvector GENERATED ALWAYS AS (CASE WHEN said <> '' THEN"
            " array_to_tsvector(array_remove(string_to_array(title || ' ' || told || ' ' || said, ' '), ''))"
            " END) STORED"
        ),
        (
            "CREATE INDEX ix_bug_words_said_terms ON bug_words USING gin (said_terms)"
            " WITH (gin_pending_list_limit = 256) WHERE said <> ''"
        ),
    ),
}
"""What indexes the terms, by dialect; the triggers and the generated column follow every change of a row."""

HOLDERS = {
    "sqlite": (
        "SELECT * FROM (SELECT rowid AS bug_id, :weight{0} AS weight FROM bug_words_index"
        " WHERE bug_words_index MATCH :term{0} ORDER BY rowid DESC LIMIT :most)"
    ),
    "postgresql": (
        "(SELECT bug_id, CAST(:weight{0} AS float) AS weight FROM bug_words"
        " WHERE terms @@ CAST(:term{0} AS tsquery) LIMIT :most)"
    ),
}
"""What selects the bugs that hold one term, by dialect."""
QUOTES = {"sqlite": '"', "postgresql": "'"}

for _dialect, _statements in INDEX.items():
    for _statement in _statements:
        sa.event.listen(BugWords.__table__, "after_create", sa.DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]
for _name in IN_SQLITE:
    _drop = sa.DDL(f"DROP TABLE {_name}").execute_if(dialect="sqlite")  # type: ignore[no-untyped-call]  # SQLAlchemy has no types for it
    sa.event.listen(BugWords.__table__, "before_drop", _drop)


def weigh(terms: Mapping[str, float], most: int, best: int) -> sa.Subquery:
    """Select the bugs that hold any of some terms, with the weights of those they hold added up: the best, then latest.

    Of the bugs that hold one term at most so many count. Written as text: the number of terms varies, and a statement
    built anew from forty parts costs more than it takes to run.
    """
    dialect = db.engine.dialect.name
    one, quote = HOLDERS[dialect], QUOTES[dialect]
    every = " UNION ALL ".join(one.format(place) for place in range(len(terms)))
    statement = sa.text(
        f"SELECT bug_id, sum(weight) AS weight FROM ({every}) AS hits"  # noqa: S608  # of each term only its place is in it
        " GROUP BY bug_id ORDER BY weight DESC, bug_id DESC LIMIT :best"
    )
    values = {f"term{place}": f"{quote}{term}{quote}" for place, term in enumerate(terms)}
    weights = {f"weight{place}": weight for place, weight in enumerate(terms.values())}
    bound = statement.bindparams(most=most, best=best, **values, **weights)
    return bound.columns(sa.column("bug_id", sa.Integer), sa.column("weight", sa.Float)).subquery("hits")


_IN_SQLITE = (
    "SELECT bug_id FROM (SELECT rowid AS bug_id FROM bug_words_index WHERE bug_words_index MATCH :every"
    " AND rowid > :beyond ORDER BY rowid DESC LIMIT :most)"
    " UNION SELECT bug_id FROM (SELECT rowid AS bug_id FROM bug_said_index WHERE bug_said_index MATCH :every"
    " AND rowid > :beyond ORDER BY rowid DESC LIMIT :most)"
    " ORDER BY bug_id DESC LIMIT :most"
)
# OFFSET 0 keeps PostgreSQL to the way that is meant: it cannot know whether a word that is given later is rare.
HOLDERS_OF_ALL = {
    "sqlite": _IN_SQLITE,
    "postgresql": (
        "SELECT bug_id FROM (SELECT bug_id, terms, said_terms FROM bug_words WHERE bug_id > :beyond"
        " ORDER BY bug_id DESC OFFSET 0) AS latest"
        " WHERE terms @@ CAST(:every AS tsquery) OR said_terms @@ CAST(:every AS tsquery)"
        " ORDER BY bug_id DESC LIMIT :most"
    ),
}
HOLDERS_OF_FEW = {
    "sqlite": _IN_SQLITE,
    "postgresql": (
        "SELECT bug_id FROM (SELECT bug_id FROM bug_words WHERE terms @@ CAST(:every AS tsquery) OFFSET 0) AS told"
        " WHERE bug_id > :beyond UNION SELECT bug_id FROM (SELECT bug_id FROM bug_words WHERE said <> ''"
        " AND said_terms @@ CAST(:every AS tsquery) OFFSET 0) AS said WHERE bug_id > :beyond"
        " ORDER BY bug_id DESC LIMIT :most"
    ),
}
AND = {"sqlite": " AND ", "postgresql": " & "}
BEGUN = {"sqlite": '("{0}"* OR "{1}")', "postgresql": "('{0}':* | '{1}')"}


def hits_of_all(*, of_few: bool = False) -> sa.Subquery:
    """Select the latest bugs that hold all of some terms, in what they are told of or in what else is said about them.

    `every` is what all_of writes, `beyond` the number before the first bug that counts, `most` how many at most. Bugs
    are tried from the latest on, or, where few have the terms, all of these are collected first.
    """
    text = (HOLDERS_OF_FEW if of_few else HOLDERS_OF_ALL)[db.engine.dialect.name]
    return sa.text(text).columns(sa.column("bug_id", sa.Integer)).subquery("hits")


def newest() -> int:
    """Return the number of the newest bug, or 0 where there is none."""
    number: int = rows(_NEWEST)[0][0]
    return number


def before_latest() -> int:
    """Return the number before the first of the latest bugs."""
    return newest() - LATEST


_NEWEST = sa.select(sa.func.coalesce(sa.func.max(BugWords.bug_id), 0))


def all_of(terms: Sequence[str], begun: tuple[str, str] | None = None) -> str:
    """Write what the index is asked for: that all of some terms are there, and one that begins so or is the other."""
    dialect = db.engine.dialect.name
    each = [f"{QUOTES[dialect]}{term}{QUOTES[dialect]}" for term in terms]
    return AND[dialect].join([*each, BEGUN[dialect].format(*begun)] if begun else each)


def tidy(first: bool) -> bool:
    """Rewrite a part of SQLite's indexes without what was taken out of them, and tell whether there is more to do.

    A word that is taken out stays in the files of an index until they are merged.
    """
    return sum(_merge(name, -PAGES if first else PAGES) for name in IN_SQLITE) > 0


def _merge(name: str, pages: int) -> bool:
    with transaction():
        connection = db.session.connection()
        before = connection.exec_driver_sql("SELECT total_changes()").scalar_one()
        connection.execute(sa.text(f"INSERT INTO {name} ({name}, rank) VALUES ('merge', :pages)"), {"pages": pages})  # noqa: S608  # the names are those of IN_SQLITE
        return int(connection.exec_driver_sql("SELECT total_changes()").scalar_one()) - int(before) >= 2
