"""Everything of the first release."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


TABLES = (
    "circuits",
    "link_templates",
    "rotations",
    "users",
    "accounts",
    "worker_pulses",
    "api_tokens",
    "customers",
    "external_ids",
    "customer_words",
    "staff_notes",
    "lists",
    "options",
    "absence_calendars",
    "absences",
    "swaps",
    "handoffs",
    "overrides",
    "passes",
    "saved_views",
    "improvements",
    "team_channels",
    "channel_posts",
    "release_hooks",
    "received_releases",
    "told_shifts",
    "feeds",
    "feed_slots",
    "rotation_rules",
    "sign_ins",
    "swaps_asked",
    "workspaces",
    "bugs",
    "deliveries",
    "idempotent_answers",
    "rotation_members",
    "holidays",
    "bug_words",
    "comments",
    "bug_links",
    "left_bugs",
    "known_problems",
    "reports",
    "announcements",
    "attachments",
    "drafts",
    "customer_links",
    "mail_texts",
    "webhooks",
    "webhook_deliveries",
    "events",
    "messages",
    "area_rotations",
    "triage_rules",
    "questions",
    "remarks",
    "report_choices",
    "option_merges",
    "moved_rows",
    "inbound_mails",
    "inbound_roads",
)

# Two overrides of one rotation never overlap, also when two requests race.
NO_OVERLAP = {
    "sqlite": (
        (
            "CREATE TRIGGER overrides_do_not_overlap BEFORE INSERT ON overrides WHEN NEW.taken_back_at IS NULL "
            "AND EXISTS (SELECT 1 FROM overrides AS other WHERE other.rotation_id = NEW.rotation_id AND other.id "
            "IS NOT NEW.id AND other.taken_back_at IS NULL AND other.starts_at < NEW.ends_at AND other.ends_at > "
            "NEW.starts_at) BEGIN SELECT RAISE(ABORT, 'overrides overlap'); END"
        ),
        (
            "CREATE TRIGGER overrides_stay_apart BEFORE UPDATE ON overrides WHEN NEW.taken_back_at IS NULL AND "
            "EXISTS (SELECT 1 FROM overrides AS other WHERE other.rotation_id = NEW.rotation_id AND other.id IS "
            "NOT NEW.id AND other.taken_back_at IS NULL AND other.starts_at < NEW.ends_at AND other.ends_at > "
            "NEW.starts_at) BEGIN SELECT RAISE(ABORT, 'overrides overlap'); END"
        ),
    ),
    "postgresql": (
        (
            "ALTER TABLE overrides ADD CONSTRAINT ex_overrides_do_not_overlap EXCLUDE USING gist "
            "(int4range(rotation_id, rotation_id, '[]') WITH &&, tstzrange(starts_at, ends_at) WITH &&) WHERE "
            "(taken_back_at IS NULL)"
        ),
    ),
}

# Bugs are found by their words; the triggers and the generated column follow every change of a row.
WORD_INDEX = {
    "sqlite": (
        (
            "CREATE VIRTUAL TABLE bug_words_index USING fts5(title, told, trigrams, content = 'bug_words',"
            " content_rowid = 'bug_id', detail = 'none', tokenize = 'ascii')"
        ),
        (
            "CREATE VIRTUAL TABLE bug_said_index USING fts5(title, told, said, content = 'bug_words',"
            " content_rowid = 'bug_id', detail = 'none', tokenize = 'ascii')"
        ),
        (
            "CREATE TRIGGER bug_words_are_added AFTER INSERT ON bug_words BEGIN INSERT INTO bug_words_index (rowid,"
            " title, told, trigrams) VALUES (NEW.bug_id, NEW.title, NEW.told, NEW.trigrams); INSERT INTO"
            " bug_said_index (rowid, title, told, said) SELECT NEW.bug_id, NEW.title, NEW.told, NEW.said WHERE"
            " NEW.said <> ''; END"
        ),
        (
            "CREATE TRIGGER bug_words_are_changed AFTER UPDATE OF title, told, trigrams ON bug_words BEGIN INSERT"
            " INTO bug_words_index (bug_words_index, rowid, title, told, trigrams) VALUES ('delete', OLD.bug_id,"
            " OLD.title, OLD.told, OLD.trigrams); INSERT INTO bug_words_index (rowid, title, told, trigrams) VALUES"
            " (NEW.bug_id, NEW.title, NEW.told, NEW.trigrams); END"
        ),
        (
            "CREATE TRIGGER bug_words_are_said AFTER UPDATE ON bug_words WHEN OLD.said <> '' OR NEW.said <> '' BEGIN"
            " INSERT INTO bug_said_index (bug_said_index, rowid, title, told, said) SELECT 'delete', OLD.bug_id,"
            " OLD.title, OLD.told, OLD.said WHERE OLD.said <> ''; INSERT INTO bug_said_index (rowid, title, told,"
            " said) SELECT NEW.bug_id, NEW.title, NEW.told, NEW.said WHERE NEW.said <> ''; END"
        ),
        (
            "CREATE TRIGGER bug_words_are_removed AFTER DELETE ON bug_words BEGIN INSERT INTO bug_words_index"
            " (bug_words_index, rowid, title, told, trigrams) VALUES ('delete', OLD.bug_id, OLD.title, OLD.told,"
            " OLD.trigrams); INSERT INTO bug_said_index (bug_said_index, rowid, title, told, said) SELECT 'delete',"
            " OLD.bug_id, OLD.title, OLD.told, OLD.said WHERE OLD.said <> ''; END"
        ),
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


def upgrade() -> None:
    op.create_table(
        "circuits",
        sa.Column("channel", sa.String(length=260), nullable=False),
        sa.Column("open_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("channel", name="pk_circuits"),
    )
    op.create_table(
        "link_templates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("system", sa.String(length=32), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_link_templates"),
    )
    op.create_table(
        "rotations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("NOT is_default OR retired_at IS NULL", name=op.f("ck_rotations_default_is_in_use")),
        sa.PrimaryKeyConstraint("id", name="pk_rotations"),
        sa.UniqueConstraint("name", name="uq_rotations_name"),
    )
    op.create_index(
        "uq_rotations_default",
        "rotations",
        ["is_default"],
        unique=True,
        sqlite_where=sa.text("is_default"),
        postgresql_where=sa.text("is_default"),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("has_keys", sa.Boolean(), nullable=False),
        sa.Column("is_compact", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stands_in_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("stands_in_id <> id", name=op.f("ck_users_another_stands_in")),
        sa.ForeignKeyConstraint(["stands_in_id"], ["users.id"], name="fk_users_stands_in_id"),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
    )
    op.create_index("ix_users_stands_in_id", "users", ["stands_in_id"], unique=False)
    op.create_table(
        "accounts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_key", sa.String(length=200), nullable=False),
        sa.Column("plan", sa.String(length=80), nullable=False),
        sa.Column("runs_own_version", sa.Boolean(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("quiet_until_on", sa.Date(), nullable=True),
        sa.Column("merged_into_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "merged_into_id IS NULL OR merged_into_id <> id", name=op.f("ck_accounts_not_merged_into_itself")
        ),
        sa.ForeignKeyConstraint(["merged_into_id"], ["accounts.id"], name="fk_accounts_merged_into_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_accounts_owner_id"),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.UniqueConstraint("name_key", name="uq_accounts_name_key"),
    )
    op.create_index("ix_accounts_plan", "accounts", ["plan"], unique=False)
    op.create_index("ix_accounts_owner_id", "accounts", ["owner_id"], unique=False)
    op.create_index("ix_accounts_merged_into_id", "accounts", ["merged_into_id"], unique=False)
    op.create_table(
        "worker_pulses",
        sa.Column("worker", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("worker", name="pk_worker_pulses"),
    )
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("prefix", sa.String(length=12), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("scopes", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_api_tokens_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_api_tokens"),
        sa.UniqueConstraint("secret_hash", name="uq_api_tokens_secret_hash"),
    )
    op.create_index("ix_api_tokens_user_id", "api_tokens", ["user_id"], unique=False)
    op.create_table(
        "customers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_key", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("quiet_until_on", sa.Date(), nullable=True),
        sa.Column("suppressed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("suppressed_because", sa.String(length=200), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("merged_into_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "merged_into_id IS NULL OR merged_into_id <> id", name=op.f("ck_customers_not_merged_into_itself")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_customers_account_id"),
        sa.ForeignKeyConstraint(["merged_into_id"], ["customers.id"], name="fk_customers_merged_into_id"),
        sa.PrimaryKeyConstraint("id", name="pk_customers"),
        sa.UniqueConstraint("email", name="uq_customers_email"),
    )
    op.create_index("ix_customers_account_id", "customers", ["account_id"], unique=False)
    op.create_index("ix_customers_name_key", "customers", ["name_key"], unique=False)
    op.create_index("ix_customers_merged_into_id", "customers", ["merged_into_id"], unique=False)
    op.create_table(
        "external_ids",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("system", sa.String(length=32), nullable=False),
        sa.Column("value", sa.String(length=120), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("(customer_id IS NULL) <> (account_id IS NULL)", name=op.f("ck_external_ids_one_owner")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_external_ids_customer_id"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_external_ids_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_external_ids"),
    )
    for owner in ("customer", "account"):
        op.create_index(f"ix_external_ids_{owner}_id", "external_ids", [f"{owner}_id"], unique=False)
        op.create_index(
            f"uq_external_ids_of_{owner}",
            "external_ids",
            ["system", "value"],
            unique=True,
            sqlite_where=sa.text(f"{owner}_id IS NOT NULL"),
            postgresql_where=sa.text(f"{owner}_id IS NOT NULL"),
        )
    op.create_table(
        "customer_words",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "word",
            sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("is_address", sa.Boolean(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_customer_words_customer_id"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_customer_words_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_customer_words"),
    )
    for owner in ("customer", "account"):
        op.create_index(
            f"ix_customer_words_word_{owner}",
            "customer_words",
            ["word", f"{owner}_id"],
            unique=False,
            sqlite_where=sa.text(f"{owner}_id IS NOT NULL"),
            postgresql_where=sa.text(f"{owner}_id IS NOT NULL"),
        )
    op.create_index("ix_customer_words_customer_word", "customer_words", ["customer_id", "word"], unique=False)
    op.create_index("ix_customer_words_account_word", "customer_words", ["account_id", "word"], unique=False)
    op.create_table(
        "staff_notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_by_id", sa.Integer(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("(customer_id IS NULL) <> (account_id IS NULL)", name=op.f("ck_staff_notes_one_subject")),
        sa.ForeignKeyConstraint(["written_by_id"], ["users.id"], name="fk_staff_notes_written_by_id"),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_staff_notes_customer_id"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_staff_notes_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_staff_notes"),
    )
    for owner in ("customer", "account"):
        op.create_index(f"ix_staff_notes_{owner}_id", "staff_notes", [f"{owner}_id"], unique=False)
    op.create_table(
        "lists",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("labels", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("is_required", sa.Boolean(), nullable=False),
        sa.Column("grows", sa.Boolean(), nullable=False),
        sa.Column("area_ids", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_lists"),
        sa.UniqueConstraint("name", name="uq_lists_name"),
    )
    op.create_table(
        "options",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("list", sa.String(32), nullable=False),
        sa.Column("label", sa.String(length=300), nullable=False),
        sa.Column("label_key", sa.String(length=300), nullable=False),
        sa.Column("hint", sa.String(length=200), nullable=False),
        sa.Column("aliases", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("labels", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_unsure", sa.Boolean(), nullable=False),
        sa.Column("intended", sa.String(length=500), nullable=False),
        sa.Column("is_intended", sa.Boolean(), nullable=False),
        sa.Column("deadline_minutes", sa.Integer(), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("live_since_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("merged_into_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("live_since_at IS NULL OR list = 'version'", name=op.f("ck_options_only_versions_go_live")),
        sa.CheckConstraint(
            "NOT is_intended OR list = 'decline_reason'", name=op.f("ck_options_only_reasons_are_intended")
        ),
        sa.CheckConstraint(
            "proposed_at IS NULL OR retired_at IS NOT NULL", name=op.f("ck_options_proposed_is_not_offered")
        ),
        sa.CheckConstraint(
            "merged_into_id IS NULL OR retired_at IS NOT NULL", name=op.f("ck_options_merged_is_not_offered")
        ),
        sa.CheckConstraint(
            "merged_into_id IS NULL OR merged_into_id <> id", name=op.f("ck_options_not_merged_into_itself")
        ),
        sa.ForeignKeyConstraint(["merged_into_id"], ["options.id"], name="fk_options_merged_into_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_options_owner_id"),
        sa.PrimaryKeyConstraint("id", name="pk_options"),
    )
    op.create_index(
        "uq_options_list_label_key",
        "options",
        ["list", "label_key"],
        unique=True,
        sqlite_where=sa.text("merged_into_id IS NULL"),
        postgresql_where=sa.text("merged_into_id IS NULL"),
    )
    op.create_table(
        "absence_calendars",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("url", sa.String(length=1000), nullable=False),
        sa.Column("look_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.String(length=200), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_absence_calendars_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_absence_calendars"),
        sa.UniqueConstraint("user_id", name="uq_absence_calendars_user_id"),
    )
    op.create_index("ix_absence_calendars_look_at", "absence_calendars", ["look_at"], unique=False)
    op.create_table(
        "absences",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("word", sa.String(length=80), nullable=False),
        sa.Column("calendar_id", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("last_on >= first_on", name=op.f("ck_absences_last_after_first")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_absences_ends_after_start")),
        sa.ForeignKeyConstraint(["calendar_id"], ["absence_calendars.id"], name="fk_absences_calendar_id"),
        sa.ForeignKeyConstraint(["made_by_id"], ["users.id"], name="fk_absences_made_by_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_absences_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_absences"),
    )
    op.create_index("ix_absences_calendar_id", "absences", ["calendar_id"], unique=False)
    op.create_index("ix_absences_ends_at", "absences", ["ends_at"], unique=False)
    op.create_index("ix_absences_user_id", "absences", ["user_id"], unique=False)
    op.create_table(
        "swaps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rotation_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_by_id", sa.Integer(), nullable=True),
        sa.Column("given_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(taken_by_id IS NULL) = (taken_at IS NULL)", name=op.f("ck_swaps_taken_by_somebody")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_swaps_ends_after_start")),
        sa.CheckConstraint(
            "given_back_at IS NULL OR taken_at IS NOT NULL", name=op.f("ck_swaps_given_back_after_taken")
        ),
        sa.CheckConstraint("taken_at IS NULL OR withdrawn_at IS NULL", name=op.f("ck_swaps_one_end")),
        sa.ForeignKeyConstraint(["asked_by_id"], ["users.id"], name="fk_swaps_asked_by_id"),
        sa.ForeignKeyConstraint(["rotation_id"], ["rotations.id"], name="fk_swaps_rotation_id"),
        sa.ForeignKeyConstraint(["taken_by_id"], ["users.id"], name="fk_swaps_taken_by_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_swaps_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_swaps"),
    )
    op.create_index("ix_swaps_rotation_id", "swaps", ["rotation_id"], unique=False)
    op.create_index("ix_swaps_starts_at", "swaps", ["starts_at"], unique=False)
    op.create_index("ix_swaps_user_id", "swaps", ["user_id"], unique=False)
    op.create_table(
        "handoffs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rotation_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hot", sa.Text(), nullable=False),
        sa.Column("waiting", sa.Text(), nullable=False),
        sa.Column("watch", sa.Text(), nullable=False),
        sa.Column("offered", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_handoffs_ends_after_start")),
        sa.CheckConstraint("(read_at IS NULL) = (read_by_id IS NULL)", name=op.f("ck_handoffs_read_at_iff_read_by")),
        sa.CheckConstraint("read_at IS NULL OR sent_at IS NOT NULL", name=op.f("ck_handoffs_read_once_sent")),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name="fk_handoffs_author_id"),
        sa.ForeignKeyConstraint(["read_by_id"], ["users.id"], name="fk_handoffs_read_by_id"),
        sa.ForeignKeyConstraint(["rotation_id"], ["rotations.id"], name="fk_handoffs_rotation_id"),
        sa.PrimaryKeyConstraint("id", name="pk_handoffs"),
        sa.UniqueConstraint(
            "rotation_id", "author_id", "starts_at", name="uq_handoffs_rotation_id_author_id_starts_at"
        ),
    )
    op.create_index("ix_handoffs_rotation_id_sent_at", "handoffs", ["rotation_id", "sent_at"], unique=False)
    op.create_table(
        "overrides",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rotation_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("set_aside_by_id", sa.Integer(), nullable=True),
        sa.Column("swap_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_overrides_ends_after_start")),
        sa.CheckConstraint(
            "set_aside_by_id IS NULL OR taken_back_at IS NOT NULL",
            name=op.f("ck_overrides_set_aside_is_not_in_force"),
        ),
        sa.ForeignKeyConstraint(["made_by_id"], ["users.id"], name="fk_overrides_made_by_id"),
        sa.ForeignKeyConstraint(["rotation_id"], ["rotations.id"], name="fk_overrides_rotation_id"),
        sa.ForeignKeyConstraint(["set_aside_by_id"], ["overrides.id"], name="fk_overrides_set_aside_by_id"),
        sa.ForeignKeyConstraint(["swap_id"], ["swaps.id"], name="fk_overrides_swap_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_overrides_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_overrides"),
    )
    op.create_index("ix_overrides_rotation_id_ends_at", "overrides", ["rotation_id", "ends_at"], unique=False)
    op.create_index("ix_overrides_set_aside_by_id", "overrides", ["set_aside_by_id"], unique=False)
    op.create_index("ix_overrides_swap_id", "overrides", ["swap_id"], unique=False)
    op.create_index("ix_overrides_user_id", "overrides", ["user_id"], unique=False)
    op.create_table(
        "passes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_passes_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_passes"),
        sa.UniqueConstraint("secret_hash", name="uq_passes_secret_hash"),
    )
    op.create_index("ix_passes_user_id", "passes", ["user_id"], unique=False)
    op.create_table(
        "saved_views",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("is_board", sa.Boolean(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_saved_views_owner_id"),
        sa.PrimaryKeyConstraint("id", name="pk_saved_views"),
    )
    op.create_index("ix_saved_views_owner_id", "saved_views", ["owner_id"], unique=False)
    op.create_table(
        "improvements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("text", sa.String(length=200), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by_id", sa.Integer(), nullable=True),
        sa.Column("is_done", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_by_id IS NULL)", name=op.f("ck_improvements_ended_by_somebody")
        ),
        sa.CheckConstraint("ended_at IS NOT NULL OR NOT is_done", name=op.f("ck_improvements_done_is_ended")),
        sa.ForeignKeyConstraint(["ended_by_id"], ["users.id"], name="fk_improvements_ended_by_id"),
        sa.ForeignKeyConstraint(["made_by_id"], ["users.id"], name="fk_improvements_made_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_improvements"),
    )
    op.create_index("ix_improvements_ended_at", "improvements", ["ended_at"], unique=False)
    op.create_index("ix_improvements_made_at", "improvements", ["made_at"], unique=False)
    op.create_table(
        "team_channels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rotation_id", sa.Integer(), nullable=False),
        sa.Column("url", sa.String(length=1000), nullable=False),
        sa.Column("chat", sa.String(32), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("rests_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["made_by_id"], ["users.id"], name="fk_team_channels_made_by_id"),
        sa.ForeignKeyConstraint(["rotation_id"], ["rotations.id"], name="fk_team_channels_rotation_id"),
        sa.PrimaryKeyConstraint("id", name="pk_team_channels"),
        sa.UniqueConstraint("rotation_id", name="uq_team_channels_rotation_id"),
    )
    op.create_table(
        "channel_posts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("rotation_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("trouble", sa.String(length=200), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["rotation_id"], ["rotations.id"], name="fk_channel_posts_rotation_id"),
        sa.PrimaryKeyConstraint("id", name="pk_channel_posts"),
        sa.UniqueConstraint("key", name="uq_channel_posts_key"),
    )
    op.create_index("ix_channel_posts_due", "channel_posts", ["state", "not_before"], unique=False)
    op.create_index("ix_channel_posts_rotation_id", "channel_posts", ["rotation_id"], unique=False)
    op.create_table(
        "release_hooks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("sender", sa.String(32), nullable=False),
        sa.Column("occasion", sa.String(32), nullable=False),
        sa.Column("secret", sa.String(100), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused_because", sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(["made_by_id"], ["users.id"], name="fk_release_hooks_made_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_release_hooks"),
        sa.UniqueConstraint("key", name="uq_release_hooks_key"),
    )
    op.create_table(
        "received_releases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("hook_id", sa.Integer(), nullable=False),
        sa.Column("delivery", sa.String(200), nullable=False),
        sa.Column("did", sa.String(300), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["hook_id"], ["release_hooks.id"], name="fk_received_releases_hook_id"),
        sa.PrimaryKeyConstraint("id", name="pk_received_releases"),
        sa.UniqueConstraint("hook_id", "delivery", name="uq_received_releases_hook_id_delivery"),
    )
    op.create_index("ix_received_releases_received_at", "received_releases", ["received_at"], unique=False)
    op.create_table(
        "told_shifts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rotation_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_told_shifts_ends_after_start")),
        sa.ForeignKeyConstraint(["rotation_id"], ["rotations.id"], name="fk_told_shifts_rotation_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_told_shifts_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_told_shifts"),
    )
    op.create_index("ix_told_shifts_rotation_id", "told_shifts", ["rotation_id"], unique=False)
    op.create_table(
        "feeds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("rotation_id", sa.Integer(), nullable=True),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(kind = 'rotation') = (rotation_id IS NOT NULL)", name=op.f("ck_feeds_rotation_is_named")),
        sa.ForeignKeyConstraint(["rotation_id"], ["rotations.id"], name="fk_feeds_rotation_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_feeds_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_feeds"),
        sa.UniqueConstraint("secret_hash", name="uq_feeds_secret_hash"),
    )
    op.create_index("ix_feeds_user_id", "feeds", ["user_id"], unique=False)
    op.create_table(
        "feed_slots",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rotation_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("former_ids", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("is_gone", sa.Boolean(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["rotation_id"], ["rotations.id"], name="fk_feed_slots_rotation_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_feed_slots_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_feed_slots"),
        sa.UniqueConstraint("rotation_id", "starts_at", name="uq_feed_slots_rotation_id_starts_at"),
    )
    op.create_table(
        "rotation_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rotation_id", sa.Integer(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("start_on", sa.Date(), nullable=False),
        sa.Column("counted_from", sa.Date(), nullable=True),
        sa.Column("handoff", sa.Time(), nullable=False),
        sa.Column("until", sa.Time(), nullable=False),
        sa.Column("days", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("turn_length", sa.Integer(), nullable=False),
        sa.Column("turn_unit", sa.String(32), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("region", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "counted_from IS NULL OR counted_from <= start_on", name=op.f("ck_rotation_rules_counted_from_before_start")
        ),
        sa.CheckConstraint("turn_length BETWEEN 1 AND 366", name=op.f("ck_rotation_rules_turn_has_a_length")),
        sa.ForeignKeyConstraint(["made_by_id"], ["users.id"], name="fk_rotation_rules_made_by_id"),
        sa.ForeignKeyConstraint(["rotation_id"], ["rotations.id"], name="fk_rotation_rules_rotation_id"),
        sa.PrimaryKeyConstraint("id", name="pk_rotation_rules"),
    )
    op.create_index("ix_rotation_rules_rotation_id", "rotation_rules", ["rotation_id"], unique=False)
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("browser", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sign_ins_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sign_ins"),
        sa.UniqueConstraint("secret_hash", name="uq_sign_ins_secret_hash"),
    )
    op.create_index("ix_sign_ins_user_id", "sign_ins", ["user_id"], unique=False)
    op.create_table(
        "swaps_asked",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("swap_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("answer", sa.String(length=32), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trade_rotation_id", sa.Integer(), nullable=True),
        sa.Column("trade_starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trade_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(answer = 'trade') = (trade_starts_at IS NOT NULL)"
            " AND (trade_starts_at IS NULL) = (trade_ends_at IS NULL)"
            " AND (trade_starts_at IS NULL) = (trade_rotation_id IS NULL)",
            name=op.f("ck_swaps_asked_trade_has_hours"),
        ),
        sa.ForeignKeyConstraint(["swap_id"], ["swaps.id"], name="fk_swaps_asked_swap_id"),
        sa.ForeignKeyConstraint(["trade_rotation_id"], ["rotations.id"], name="fk_swaps_asked_trade_rotation_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_swaps_asked_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_swaps_asked"),
        sa.UniqueConstraint("swap_id", "user_id", name="uq_swaps_asked_swap_id_user_id"),
    )
    op.create_index("ix_swaps_asked_user_id", "swaps_asked", ["user_id"], unique=False)
    op.create_table(
        "workspaces",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("sender_name", sa.String(length=200), nullable=False),
        sa.Column("reply_address", sa.String(length=254), nullable=True),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("languages", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("working_days", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("opens_at", sa.Time(), nullable=False),
        sa.Column("closes_at", sa.Time(), nullable=False),
        sa.Column("review_minutes", sa.Integer(), nullable=True),
        sa.Column("goes_live_at_once", sa.Boolean(), nullable=False),
        sa.Column("confirms_reports", sa.Boolean(), nullable=False),
        sa.Column("has_public_list", sa.Boolean(), nullable=False),
        sa.Column("fallback_owner_id", sa.Integer(), nullable=True),
        sa.Column("retention_months", sa.Integer(), nullable=True),
        sa.Column("is_sample", sa.Boolean(), nullable=False),
        sa.Column("set_up_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_workspaces_only_one")),
        sa.ForeignKeyConstraint(["fallback_owner_id"], ["users.id"], name="fk_workspaces_fallback_owner_id"),
        sa.PrimaryKeyConstraint("id", name="pk_workspaces"),
    )
    op.create_table(
        "bugs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("status_since_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("canonical_id", sa.Integer(), nullable=True),
        sa.Column("merged_into_id", sa.Integer(), nullable=True),
        sa.Column("is_restricted", sa.Boolean(), nullable=False),
        sa.Column("is_pinned", sa.Boolean(), nullable=False),
        sa.Column("area_id", sa.Integer(), nullable=False),
        sa.Column("symptom_id", sa.Integer(), nullable=False),
        sa.Column("impact_id", sa.Integer(), nullable=False),
        sa.Column("impact_rank", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("filed_by_id", sa.Integer(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("waiting_count", sa.Integer(), nullable=False),
        sa.Column("came_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("news", sa.String(32), nullable=True),
        sa.Column("news_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("snoozed_until", sa.Date(), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("raised_by_id", sa.Integer(), nullable=True),
        sa.Column("raise_reason", sa.String(32), nullable=True),
        sa.Column("reproduced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("release_id", sa.Integer(), nullable=True),
        sa.Column("decline_reason_id", sa.Integer(), nullable=True),
        sa.Column("customer_notes", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("workarounds", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("has_no_workaround", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "(status = 'declined') = (decline_reason_id IS NOT NULL)", name=op.f("ck_bugs_reason_iff_declined")
        ),
        sa.CheckConstraint("generation >= 1", name=op.f("ck_bugs_generation_counts_from_one")),
        sa.CheckConstraint("paused_at IS NULL OR status = 'needs_info'", name=op.f("ck_bugs_paused_needs_info")),
        sa.CheckConstraint("(news IS NULL) = (news_at IS NULL)", name=op.f("ck_bugs_news_iff_news_at")),
        sa.CheckConstraint(
            "(raised_at IS NULL) = (raised_by_id IS NULL)", name=op.f("ck_bugs_raised_at_iff_raised_by")
        ),
        sa.CheckConstraint(
            "(raised_at IS NULL) = (raise_reason IS NULL)", name=op.f("ck_bugs_raised_at_iff_raise_reason")
        ),
        sa.CheckConstraint(
            "merged_into_id IS NULL OR merged_into_id <> id", name=op.f("ck_bugs_not_merged_into_itself")
        ),
        sa.CheckConstraint(
            "NOT is_pinned OR (merged_into_id IS NULL AND withdrawn_at IS NULL AND status NOT IN ('live', 'declined'))",
            name=op.f("ck_bugs_pinned_while_open"),
        ),
        sa.ForeignKeyConstraint(["area_id"], ["options.id"], name="fk_bugs_area_id"),
        sa.ForeignKeyConstraint(["canonical_id"], ["bugs.id"], name="fk_bugs_canonical_id"),
        sa.ForeignKeyConstraint(["decline_reason_id"], ["options.id"], name="fk_bugs_decline_reason_id"),
        sa.ForeignKeyConstraint(["filed_by_id"], ["users.id"], name="fk_bugs_filed_by_id"),
        sa.ForeignKeyConstraint(["impact_id"], ["options.id"], name="fk_bugs_impact_id"),
        sa.ForeignKeyConstraint(["merged_into_id"], ["bugs.id"], name="fk_bugs_merged_into_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_bugs_owner_id"),
        sa.ForeignKeyConstraint(["raised_by_id"], ["users.id"], name="fk_bugs_raised_by_id"),
        sa.ForeignKeyConstraint(["release_id"], ["options.id"], name="fk_bugs_release_id"),
        sa.ForeignKeyConstraint(["symptom_id"], ["options.id"], name="fk_bugs_symptom_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bugs"),
        sqlite_autoincrement=True,
    )
    worst_first = [sa.text("is_pinned DESC"), "impact_rank", sa.text("waiting_count DESC"), "filed_at", "id"]
    op.create_index("ix_bugs_area_board", "bugs", ["area_id", "status", *worst_first], unique=False)
    op.create_index("ix_bugs_area_changed", "bugs", ["area_id", "status", "changed_at"], unique=False)
    op.create_index("ix_bugs_area_newest", "bugs", ["area_id", "id"], unique=False)
    op.create_index("ix_bugs_area_symptom", "bugs", ["area_id", "symptom_id", "changed_at"], unique=False)
    op.create_index("ix_bugs_board", "bugs", ["status", *worst_first], unique=False)
    op.create_index("ix_bugs_canonical_id", "bugs", ["canonical_id"], unique=False)
    op.create_index("ix_bugs_changed_at", "bugs", ["changed_at"], unique=False)
    op.create_index("ix_bugs_filed_by_id", "bugs", ["filed_by_id"], unique=False)
    merged = sa.text("merged_into_id IS NOT NULL")
    op.create_index("ix_bugs_merged_into_id", "bugs", ["merged_into_id"], sqlite_where=merged, postgresql_where=merged)
    op.create_index("ix_bugs_owner_id", "bugs", ["owner_id"], unique=False)
    op.create_index("ix_bugs_release", "bugs", ["release_id", "status"], unique=False)
    op.create_index("ix_bugs_status_since", "bugs", ["status", "status_since_at", "id"], unique=False)
    op.create_index("ix_bugs_waiting", "bugs", ["status", sa.text("waiting_count DESC"), "id"], unique=False)
    op.create_index("ix_bugs_filed_at", "bugs", ["filed_at", "id"], unique=False)
    came_back = sa.text("came_back_at IS NOT NULL")
    op.create_index("ix_bugs_came_back", "bugs", ["id"], sqlite_where=came_back, postgresql_where=came_back)
    wrote = sa.text("news = 'wrote'")
    op.create_index("ix_bugs_wrote", "bugs", ["id"], sqlite_where=wrote, postgresql_where=wrote)
    op.create_index(
        "ix_bugs_restricted",
        "bugs",
        ["id"],
        sqlite_where=sa.text("is_restricted IS 1"),
        postgresql_where=sa.text("is_restricted IS true"),
    )
    op.create_table(
        "comments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("bug_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("mentioned", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name="fk_comments_author_id"),
        sa.ForeignKeyConstraint(["bug_id"], ["bugs.id"], name="fk_comments_bug_id"),
        sa.PrimaryKeyConstraint("id", name="pk_comments"),
    )
    op.create_index("ix_comments_bug_id", "comments", ["bug_id"], unique=False)
    op.create_table(
        "bug_links",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("bug_id", sa.Integer(), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("added_by_id", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("look_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_count", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["added_by_id"], ["users.id"], name="fk_bug_links_added_by_id"),
        sa.ForeignKeyConstraint(["bug_id"], ["bugs.id"], name="fk_bug_links_bug_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bug_links"),
    )
    op.create_index("ix_bug_links_bug_id", "bug_links", ["bug_id"], unique=False)
    op.create_index("ix_bug_links_look_at", "bug_links", ["look_at"], unique=False)
    op.create_table(
        "left_bugs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("handoff_id", sa.Integer(), nullable=False),
        sa.Column("bug_id", sa.Integer(), nullable=False),
        sa.Column("dealt_with_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dealt_with_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["bug_id"], ["bugs.id"], name="fk_left_bugs_bug_id"),
        sa.ForeignKeyConstraint(["dealt_with_by_id"], ["users.id"], name="fk_left_bugs_dealt_with_by_id"),
        sa.ForeignKeyConstraint(["handoff_id"], ["handoffs.id"], name="fk_left_bugs_handoff_id"),
        sa.PrimaryKeyConstraint("id", name="pk_left_bugs"),
        sa.UniqueConstraint("handoff_id", "bug_id", name="uq_left_bugs_handoff_id_bug_id"),
    )
    is_left = sa.text("dealt_with_at IS NULL")
    op.create_index("ix_left_bugs_open", "left_bugs", ["bug_id"], sqlite_where=is_left, postgresql_where=is_left)
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("params", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_phase", sa.String(length=16), nullable=False),
        sa.Column("last_code", sa.Integer(), nullable=True),
        sa.Column("last_enhanced_code", sa.String(length=16), nullable=False),
        sa.Column("last_error", sa.String(length=500), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_for_team", sa.Boolean(), nullable=False),
        sa.CheckConstraint("(customer_id IS NULL) <> (user_id IS NULL)", name=op.f("ck_deliveries_one_recipient")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_deliveries_customer_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_deliveries_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("key", name="uq_deliveries_key"),
        sa.UniqueConstraint("message_id", name="uq_deliveries_message_id"),
    )
    op.create_index("ix_deliveries_customer_id", "deliveries", ["customer_id"], unique=False)
    op.create_index("ix_deliveries_due", "deliveries", ["state", "not_before", "id"], unique=False)
    op.create_index(
        "ix_deliveries_for_team",
        "deliveries",
        ["id"],
        unique=False,
        sqlite_where=sa.text("is_for_team"),
        postgresql_where=sa.text("is_for_team"),
    )
    op.create_index("ix_deliveries_user_id", "deliveries", ["user_id"], unique=False)
    op.create_table(
        "idempotent_answers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("headers", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["token_id"], ["api_tokens.id"], name="fk_idempotent_answers_token_id"),
        sa.PrimaryKeyConstraint("id", name="pk_idempotent_answers"),
        sa.UniqueConstraint("token_id", "key", name="uq_idempotent_answers_token_id_key"),
    )
    op.create_table(
        "rotation_members",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rule_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["rule_id"], ["rotation_rules.id"], name="fk_rotation_members_rule_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_rotation_members_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_rotation_members"),
        sa.UniqueConstraint("rule_id", "position", name="uq_rotation_members_rule_id_position"),
        sa.UniqueConstraint("rule_id", "user_id", name="uq_rotation_members_rule_id_user_id"),
    )
    op.create_index("ix_rotation_members_user_id", "rotation_members", ["user_id"], unique=False)
    op.create_table(
        "holidays",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rule_id", sa.Integer(), nullable=False),
        sa.Column("falls_on", sa.Date(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("is_own", sa.Boolean(), nullable=False),
        sa.Column("is_struck", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["rule_id"], ["rotation_rules.id"], name="fk_holidays_rule_id"),
        sa.PrimaryKeyConstraint("id", name="pk_holidays"),
        sa.UniqueConstraint("rule_id", "falls_on", name="uq_holidays_rule_id_falls_on"),
    )
    op.create_table(
        "bug_words",
        sa.Column("bug_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("trigrams", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["bug_id"], ["bugs.id"], name="fk_bug_words_bug_id"),
        sa.PrimaryKeyConstraint("bug_id", name="pk_bug_words"),
    )
    op.create_table(
        "reports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("bug_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("filed_by_id", sa.Integer(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("area_id", sa.Integer(), nullable=False),
        sa.Column("symptom_id", sa.Integer(), nullable=False),
        sa.Column("impact_id", sa.Integer(), nullable=False),
        sa.Column("frequency_id", sa.Integer(), nullable=False),
        sa.Column("platform_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("actual", sa.Text(), nullable=False),
        sa.Column("expected", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("submission_key", sa.String(length=64), nullable=True),
        sa.Column("submission_hash", sa.String(length=64), nullable=True),
        sa.Column("took_seconds", sa.Integer(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.String(32), nullable=True),
        sa.Column("unsubscribed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(settled_at IS NULL) = (settled_by IS NULL)", name=op.f("ck_reports_settled_at_iff_settled_by")
        ),
        sa.ForeignKeyConstraint(["area_id"], ["options.id"], name="fk_reports_area_id"),
        sa.ForeignKeyConstraint(["bug_id"], ["bugs.id"], name="fk_reports_bug_id"),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_reports_customer_id"),
        sa.ForeignKeyConstraint(["filed_by_id"], ["users.id"], name="fk_reports_filed_by_id"),
        sa.ForeignKeyConstraint(["frequency_id"], ["options.id"], name="fk_reports_frequency_id"),
        sa.ForeignKeyConstraint(["impact_id"], ["options.id"], name="fk_reports_impact_id"),
        sa.ForeignKeyConstraint(["platform_id"], ["options.id"], name="fk_reports_platform_id"),
        sa.ForeignKeyConstraint(["symptom_id"], ["options.id"], name="fk_reports_symptom_id"),
        sa.ForeignKeyConstraint(["version_id"], ["options.id"], name="fk_reports_version_id"),
        sa.PrimaryKeyConstraint("id", name="pk_reports"),
        sa.UniqueConstraint("bug_id", "customer_id", name="uq_reports_bug_id_customer_id"),
        sa.UniqueConstraint("submission_key", name="uq_reports_submission_key"),
    )
    op.create_index("ix_reports_bug_settled", "reports", ["bug_id", "settled_at"], unique=False)
    op.create_index("ix_reports_filed_at", "reports", ["filed_at"], unique=False)
    op.create_index("ix_reports_platform_bug", "reports", ["platform_id", "bug_id"], unique=False)
    op.create_index("ix_reports_version_bug", "reports", ["version_id", "bug_id"], unique=False)
    op.create_index("ix_reports_customer_filed", "reports", ["customer_id", "filed_at"], unique=False)
    op.create_index("ix_reports_filed_by_id", "reports", ["filed_by_id"], unique=False)
    op.create_table(
        "announcements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("bug_id", sa.Integer(), nullable=False),
        sa.Column("report_id", sa.Integer(), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("notes", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_by_id", sa.Integer(), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("worder_id", sa.Integer(), nullable=True),
        sa.Column("worder_asked_by_id", sa.Integer(), nullable=True),
        sa.Column("worder_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("team_owed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("worder_id IS NULL OR due_at IS NULL", name=op.f("ck_announcements_waits_for_its_words")),
        sa.CheckConstraint(
            "(worder_id IS NULL) = (worder_asked_at IS NULL)", name=op.f("ck_announcements_worder_iff_asked")
        ),
        sa.CheckConstraint(
            "(kind IN ('live', 'declined', 'workaround', 'correction')) = (report_id IS NULL)",
            name=op.f("ck_announcements_of_the_bug"),
        ),
        sa.ForeignKeyConstraint(["bug_id"], ["bugs.id"], name="fk_announcements_bug_id"),
        sa.ForeignKeyConstraint(["report_id"], ["reports.id"], name="fk_announcements_report_id"),
        sa.ForeignKeyConstraint(["sent_by_id"], ["users.id"], name="fk_announcements_sent_by_id"),
        sa.ForeignKeyConstraint(["worder_id"], ["users.id"], name="fk_announcements_worder_id"),
        sa.ForeignKeyConstraint(["worder_asked_by_id"], ["users.id"], name="fk_announcements_worder_asked_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_announcements"),
    )
    op.create_index("ix_announcements_bug_id", "announcements", ["bug_id"], unique=False)
    op.create_index("ix_announcements_worder_id", "announcements", ["worder_id"], unique=False)
    op.create_index("ix_announcements_due", "announcements", ["released_at", "due_at"], unique=False)
    op.create_index(
        "ix_announcements_untold_team",
        "announcements",
        ["id"],
        unique=False,
        sqlite_where=sa.text(
            "team_owed_at IS NULL AND released_at IS NOT NULL AND cancelled_at IS NULL"
            " AND kind IN ('live', 'declined', 'correction')"
        ),
        postgresql_where=sa.text(
            "team_owed_at IS NULL AND released_at IS NOT NULL AND cancelled_at IS NULL"
            " AND kind IN ('live', 'declined', 'correction')"
        ),
    )
    op.create_index(
        "uq_announcements_outcome",
        "announcements",
        ["bug_id", "generation"],
        unique=True,
        sqlite_where=sa.text("cancelled_at IS NULL AND kind IN ('live', 'declined')"),
        postgresql_where=sa.text("cancelled_at IS NULL AND kind IN ('live', 'declined')"),
    )
    op.create_table(
        "drafts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("form_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("bug_id", sa.Integer(), nullable=True),
        sa.Column("fields", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("discarded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["bug_id"], ["bugs.id"], name="fk_drafts_bug_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_drafts_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_drafts"),
        sa.UniqueConstraint("form_hash", name="uq_drafts_form_hash"),
    )
    op.create_index("ix_drafts_bug_id", "drafts", ["bug_id"], unique=False)
    op.create_index("ix_drafts_saved_at", "drafts", ["saved_at"], unique=False)
    op.create_index("ix_drafts_user_id", "drafts", ["user_id"], unique=False)
    op.create_table(
        "attachments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("report_id", sa.Integer(), nullable=True),
        sa.Column("form_hash", sa.String(length=64), nullable=False),
        sa.Column("added_by_id", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("media_type", sa.String(length=64), nullable=False),
        sa.Column("byte_count", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("stored_as", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["added_by_id"], ["users.id"], name="fk_attachments_added_by_id"),
        sa.ForeignKeyConstraint(["report_id"], ["reports.id"], name="fk_attachments_report_id"),
        sa.PrimaryKeyConstraint("id", name="pk_attachments"),
        sa.UniqueConstraint("form_hash", "sha256", "name", name="uq_attachments_form_hash_sha256_name"),
        sa.UniqueConstraint("stored_as", name="uq_attachments_stored_as"),
    )
    op.create_index("ix_attachments_added_by_id", "attachments", ["added_by_id"], unique=False)
    op.create_index("ix_attachments_report_id", "attachments", ["report_id"], unique=False)
    op.create_index(
        "ix_attachments_unfiled",
        "attachments",
        ["added_at"],
        unique=False,
        sqlite_where=sa.text("report_id IS NULL"),
        postgresql_where=sa.text("report_id IS NULL"),
    )
    op.create_table(
        "customer_links",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_customer_links_customer_id"),
        sa.ForeignKeyConstraint(["report_id"], ["reports.id"], name="fk_customer_links_report_id"),
        sa.PrimaryKeyConstraint("id", name="pk_customer_links"),
        sa.UniqueConstraint("secret_hash", name="uq_customer_links_secret_hash"),
    )
    op.create_index("ix_customer_links_customer_id", "customer_links", ["customer_id"], unique=False)
    op.create_index("ix_customer_links_report_id", "customer_links", ["report_id"], unique=False)
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("bug_id", sa.Integer(), nullable=True),
        sa.Column("report_id", sa.Integer(), nullable=True),
        sa.Column("option_id", sa.Integer(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("details", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name="fk_events_actor_id"),
        sa.ForeignKeyConstraint(["bug_id"], ["bugs.id"], name="fk_events_bug_id"),
        sa.ForeignKeyConstraint(["option_id"], ["options.id"], name="fk_events_option_id"),
        sa.ForeignKeyConstraint(["report_id"], ["reports.id"], name="fk_events_report_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_events_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_at", "events", ["at"], unique=False)
    op.create_index("ix_events_bug_id", "events", ["bug_id"], unique=False)
    contacts = sa.text(
        "kind IN ('report.filed', 'report.attached', 'report.remarked', 'report.still_happening', 'report.works_now', "
        "'report.answered', 'bug.answered', 'bug.split_off', 'message.sent', 'message.told_by_hand')"
    )
    op.create_index("ix_events_contacts", "events", ["bug_id", "id"], sqlite_where=contacts, postgresql_where=contacts)
    op.create_index("ix_events_kind_at", "events", ["kind", "at"], unique=False)
    op.create_index("ix_events_option_id", "events", ["option_id"], unique=False)
    house = sa.text("bug_id IS NULL OR option_id IS NOT NULL")
    op.create_index("ix_events_of_the_house", "events", ["id"], sqlite_where=house, postgresql_where=house)
    op.create_index("ix_events_report_id", "events", ["report_id"], unique=False)
    op.create_index("ix_events_user_id", "events", ["user_id"], unique=False)
    op.create_table(
        "messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("announcement_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("words_length", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("held_because", sa.String(32), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("personal_line", sa.String(length=500), nullable=False),
        sa.Column("told_by_id", sa.Integer(), nullable=True),
        sa.Column("state_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["announcement_id"], ["announcements.id"], name="fk_messages_announcement_id"),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_messages_customer_id"),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name="fk_messages_delivery_id"),
        sa.ForeignKeyConstraint(["report_id"], ["reports.id"], name="fk_messages_report_id"),
        sa.ForeignKeyConstraint(["told_by_id"], ["users.id"], name="fk_messages_told_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
        sa.UniqueConstraint("announcement_id", "customer_id", name="uq_messages_announcement_id_customer_id"),
    )
    op.create_index(
        "ix_messages_announcement_counts",
        "messages",
        ["announcement_id", "language", "state", "held_because"],
        unique=False,
    )
    op.create_index(
        "ix_messages_announcement_longest",
        "messages",
        ["announcement_id", "language", sa.text("words_length DESC"), "id"],
        unique=False,
    )
    op.create_index(
        "ix_messages_announcement_lines",
        "messages",
        ["announcement_id"],
        unique=False,
        sqlite_where=sa.text("personal_line <> ''"),
        postgresql_where=sa.text("personal_line <> ''"),
    )
    op.create_index("ix_messages_announcement_state", "messages", ["announcement_id", "state", "id"], unique=False)
    op.create_index("ix_messages_customer_state", "messages", ["customer_id", "state"], unique=False)
    op.create_index(
        "ix_messages_delivery_id",
        "messages",
        ["delivery_id"],
        unique=False,
        sqlite_where=sa.text("delivery_id IS NOT NULL"),
        postgresql_where=sa.text("delivery_id IS NOT NULL"),
    )
    op.create_index(
        "ix_messages_ready",
        "messages",
        ["id"],
        unique=False,
        sqlite_where=sa.text("state = 'pending' AND delivery_id IS NULL"),
        postgresql_where=sa.text("state = 'pending' AND delivery_id IS NULL"),
    )
    op.create_index("ix_messages_report_id", "messages", ["report_id"], unique=False)
    op.create_index("ix_messages_state", "messages", ["state", "id"], unique=False)
    op.create_table(
        "area_rotations",
        sa.Column("area_id", sa.Integer(), nullable=False),
        sa.Column("rotation_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["area_id"], ["options.id"], name="fk_area_rotations_area_id"),
        sa.ForeignKeyConstraint(["rotation_id"], ["rotations.id"], name="fk_area_rotations_rotation_id"),
        sa.PrimaryKeyConstraint("area_id", name="pk_area_rotations"),
    )
    op.create_index("ix_area_rotations_rotation_id", "area_rotations", ["rotation_id"], unique=False)
    op.create_table(
        "triage_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("area_id", sa.Integer(), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("people", sa.Integer(), nullable=True),
        sa.Column("impact_id", sa.Integer(), nullable=True),
        sa.Column("made_by_id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(kind = 'owner') = (area_id IS NOT NULL AND owner_id IS NOT NULL)",
            name=op.f("ck_triage_rules_area_and_owner_iff_owner"),
        ),
        sa.CheckConstraint(
            "(kind = 'impact') = (people IS NOT NULL AND impact_id IS NOT NULL)",
            name=op.f("ck_triage_rules_people_and_impact_iff_impact"),
        ),
        sa.CheckConstraint("people >= 2", name=op.f("ck_triage_rules_several_people")),
        sa.ForeignKeyConstraint(["area_id"], ["options.id"], name=op.f("fk_triage_rules_area_id")),
        sa.ForeignKeyConstraint(["impact_id"], ["options.id"], name=op.f("fk_triage_rules_impact_id")),
        sa.ForeignKeyConstraint(["made_by_id"], ["users.id"], name=op.f("fk_triage_rules_made_by_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_triage_rules_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_triage_rules")),
    )
    op.create_table(
        "questions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("missing", sa.String(120), nullable=False),
        sa.Column("is_for_customer", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status_before", sa.String(32), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["asked_by_id"], ["users.id"], name="fk_questions_asked_by_id"),
        sa.ForeignKeyConstraint(["report_id"], ["reports.id"], name="fk_questions_report_id"),
        sa.PrimaryKeyConstraint("id", name="pk_questions"),
    )
    unanswered = sa.text("answered_at IS NULL")
    op.create_index(
        "ix_questions_open", "questions", ["report_id"], sqlite_where=unanswered, postgresql_where=unanswered
    )
    op.create_index(
        "ix_questions_asked", "questions", ["asked_at"], sqlite_where=unanswered, postgresql_where=unanswered
    )
    op.create_index("ix_questions_report_id", "questions", ["report_id"], unique=False)
    op.create_table(
        "remarks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("choices", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["reports.id"], name="fk_remarks_report_id"),
        sa.PrimaryKeyConstraint("id", name="pk_remarks"),
    )
    op.create_index("ix_remarks_report_id", "remarks", ["report_id"], unique=False)
    op.create_table(
        "report_choices",
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("option_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["lists.id"], name="fk_report_choices_list_id"),
        sa.ForeignKeyConstraint(["option_id"], ["options.id"], name="fk_report_choices_option_id"),
        sa.ForeignKeyConstraint(["report_id"], ["reports.id"], name="fk_report_choices_report_id"),
        sa.PrimaryKeyConstraint("report_id", "list_id", name="pk_report_choices"),
    )
    op.create_table(
        "known_problems",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("bug_id", sa.Integer(), nullable=False),
        sa.Column("sentences", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["bug_id"], ["bugs.id"], name="fk_known_problems_bug_id"),
        sa.ForeignKeyConstraint(["published_by_id"], ["users.id"], name="fk_known_problems_published_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_known_problems"),
        sa.UniqueConstraint("bug_id", name="uq_known_problems_bug_id"),
    )
    op.create_table(
        "mail_texts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=150), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("written_by_id", sa.Integer(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["written_by_id"], ["users.id"], name="fk_mail_texts_written_by_id"),
        sa.PrimaryKeyConstraint("id", name="pk_mail_texts"),
        sa.UniqueConstraint("kind", "language", "version", name="uq_mail_texts_kind_language_version"),
    )
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("url", sa.String(1000), nullable=False),
        sa.Column("chat", sa.String(32), nullable=True),
        sa.Column("topics", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("secret", sa.String(100), nullable=False),
        sa.Column("previous_secret", sa.String(100), nullable=False),
        sa.Column("previous_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failing_since_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("rests_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("off_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("off_because", sa.String(32), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_webhooks_owner_id"),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("webhook_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("topic", sa.String(32), nullable=False),
        sa.Column("bug_id", sa.Integer(), nullable=True),
        sa.Column("facts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("gives_up_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.String(64), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("took_ms", sa.Integer(), nullable=True),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("trouble", sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(["bug_id"], ["bugs.id"], name="fk_webhook_deliveries_bug_id"),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhooks.id"], name="fk_webhook_deliveries_webhook_id"),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_deliveries"),
        sa.UniqueConstraint("number", name="uq_webhook_deliveries_number"),
    )
    op.create_index("ix_webhook_deliveries_due", "webhook_deliveries", ["webhook_id", "state", "id"], unique=False)
    op.create_index("ix_webhook_deliveries_log", "webhook_deliveries", ["webhook_id", "id"], unique=False)
    op.create_table(
        "option_merges",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("option_id", sa.Integer(), nullable=False),
        sa.Column("into_id", sa.Integer(), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merged_by_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=True),
        sa.Column("was_retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gained", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("lists", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name="fk_option_merges_event_id"),
        sa.ForeignKeyConstraint(["into_id"], ["options.id"], name="fk_option_merges_into_id"),
        sa.ForeignKeyConstraint(["merged_by_id"], ["users.id"], name="fk_option_merges_merged_by_id"),
        sa.ForeignKeyConstraint(["option_id"], ["options.id"], name="fk_option_merges_option_id"),
        sa.PrimaryKeyConstraint("id", name="pk_option_merges"),
    )
    op.create_index("ix_option_merges_into_id", "option_merges", ["into_id"], unique=False)
    op.create_index("ix_option_merges_option_id", "option_merges", ["option_id"], unique=False)
    op.create_table(
        "moved_rows",
        sa.Column("merge_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(length=64), nullable=False),
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("second_key", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["merge_id"], ["option_merges.id"], name="fk_moved_rows_merge_id"),
        sa.PrimaryKeyConstraint("merge_id", "place", "key", "second_key", name="pk_moved_rows"),
    )
    op.create_table(
        "inbound_mails",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("did", sa.String(32), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=False),
        sa.Column("webhook", sa.String(length=64), nullable=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name="fk_inbound_mails_delivery_id"),
        sa.PrimaryKeyConstraint("id", name="pk_inbound_mails"),
        sa.UniqueConstraint("fingerprint", name="uq_inbound_mails_fingerprint"),
        sa.UniqueConstraint("webhook", name="uq_inbound_mails_webhook"),
    )
    op.create_index("ix_inbound_mails_delivery_id", "inbound_mails", ["delivery_id"], unique=False)
    op.create_table(
        "inbound_roads",
        sa.Column("road", sa.String(length=64), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("look_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.String(length=300), nullable=False),
        sa.Column("uid_validity", sa.BigInteger(), nullable=False),
        sa.Column("last_uid", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("road", name="pk_inbound_roads"),
    )
    dialect = op.get_bind().dialect.name
    for statement in (*NO_OVERLAP[dialect], *WORD_INDEX[dialect]):
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE bug_words_index")
        op.execute("DROP TABLE bug_said_index")
    for table in reversed(TABLES):
        op.drop_table(table)
