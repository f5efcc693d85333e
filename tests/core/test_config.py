"""Settings: read from the environment or from files, and refused in words."""

import stat
from pathlib import Path

import pytest

from bugintake.core.config import BadSetting, from_environment

KEY = "k" * 40


def read(folder: Path, **settings: str):
    return from_environment(
        {"BUGINTAKE_DATA": str(folder), **{f"BUGINTAKE_{name}": it for name, it in settings.items()}}
    )


def test_without_settings_everything_lives_in_the_data_folder(tmp_path: Path):
    found = read(tmp_path / "new")
    assert found.data == tmp_path / "new"
    assert found.database_url == f"sqlite:///{tmp_path}/new/bugintake.db"
    assert (found.base_url, found.smtp_url, found.trusted_proxies) == ("http://127.0.0.1:8000", None, 0)


def test_the_secret_key_is_made_once_and_is_its_owners_alone(tmp_path: Path):
    first, second = read(tmp_path), read(tmp_path)
    assert first.secret_key == second.secret_key
    assert len(first.secret_key) >= 43
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_a_setting_may_stand_in_a_file(tmp_path: Path):
    (tmp_path / "url").write_text("smtps://me:secret@mail.example.com\n")
    assert read(tmp_path, SMTP_URL_FILE=str(tmp_path / "url")).smtp_url == "smtps://me:secret@mail.example.com"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_way_to_say_postgresql_means_the_same_driver(tmp_path: Path, scheme: str):
    found = read(tmp_path, DATABASE_URL=f"{scheme}://me@db.example.com/bugs")
    assert found.database_url == "postgresql+psycopg://me@db.example.com/bugs"


def test_the_address_follows_where_it_listens(tmp_path: Path):
    assert read(tmp_path, HOST="::1", PORT="9000").base_url == "http://[::1]:9000"
    assert read(tmp_path, BASE_URL="https://bugs.example.com/").base_url == "https://bugs.example.com"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("PORT", "http"), ("PORT", "0"), ("PORT", "65536"), ("PORT", "８０"), ("TRUSTED_PROXIES", "-1")),
        *(
            ("BASE_URL", "bugs.example.com"),
            ("BASE_URL", "https://example.com/bugs"),
            ("BASE_URL", "ftp://example.com"),
        ),
        *(("DATABASE_URL", "mysql://db/bugs"), ("QUEUE_URL", "redis://broker")),
        *(("SMTP_URL", "mail.example.com"), ("SMTP_URL", "smtp://"), ("SMTP_URL", "smtp://host:port")),
        *(("IMAP_URL", "imap://me:secret@mail.example.com"), ("IMAP_URL", "imaps://mail.example.com")),
        *(("INBOUND_SECRET", "secret"), ("INBOUND_SECRET", "whsec_c2hvcnQ="), ("INBOUND_SECRET", "whsec_???")),
        *(("SECRET_KEY", "short"), ("SMTP_URL_FILE", "/nonexistent/file")),
    ],
)
def test_a_bad_value_stops_the_start_and_is_named(tmp_path: Path, name: str, value: str):
    with pytest.raises(BadSetting, match=f"BUGINTAKE_{name}"):
        read(tmp_path, **{name: value})


def test_mail_is_read_where_a_sender_and_a_road_are_named(tmp_path: Path):
    url, secret = "imaps://me:secret@mail.example.com/Bugs", "whsec_" + "A" * 32
    assert read(tmp_path, MAIL_FROM="a@b.example", IMAP_URL=url).reads_mail
    assert read(tmp_path, MAIL_FROM="a@b.example", INBOUND_SECRET=secret).reads_mail
    assert not read(tmp_path, MAIL_FROM="a@b.example").reads_mail
    assert not read(tmp_path, IMAP_URL=url).reads_mail


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("SMTP_URL", "http://me:hunter2@host"),
        ("IMAP_URL", "imap://me:hunter2@host"),
        ("INBOUND_SECRET", "hunter2"),
        ("SECRET_KEY", "hunter2"),
    ],
)
def test_a_refusal_never_shows_a_secret(tmp_path: Path, name: str, secret: str):
    with pytest.raises(BadSetting) as refused:
        read(tmp_path, **{name: secret})
    assert "hunter2" not in str(refused.value)


def test_a_data_folder_that_cannot_be_is_said(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadSetting, match="BUGINTAKE_DATA"):
        read(tmp_path / "file" / "below")
