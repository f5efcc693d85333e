"""Where files lie: beside the database, under names that say nothing, each whole before its row is."""

import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from bugintake.core import config
from bugintake.core.backup import ATTACHMENTS
from bugintake.intake.attachments.contents import Content

SMALL = ".small"


def folder() -> Path:
    """Find the folder; it need not be there yet."""
    return config.settings().data / ATTACHMENTS


def path_of(stored_as: str) -> Path:
    """Find a file."""
    return folder() / stored_as


def thumbnail_of(stored_as: str) -> Path:
    """Find the small copy of a picture."""
    return folder() / f"{stored_as}{SMALL}"


def put(content: Content) -> str:
    """Write a file, and the small copy of a picture, to the disk itself, and return the name it is kept under.

    Its row is committed afterwards, so that a row never names a file that a power cut took. Raises OSError where there
    is no room; nothing of the file stays then.
    """
    folder().mkdir(mode=0o700, exist_ok=True)
    name = secrets.token_hex(16)
    try:
        if content.thumbnail is not None:
            _write(thumbnail_of(name), content.thumbnail)
        _write(path_of(name), content.data)
        _sync_folder()
    except OSError:
        drop(name)
        raise
    return name


def drop(stored_as: str) -> None:
    """Remove a file; its row is gone, or was never committed."""
    for path in (path_of(stored_as), thumbnail_of(stored_as)):
        path.unlink(missing_ok=True)


def names_before(instant: datetime) -> Iterator[str]:
    """List the names of the files that were written before an instant; what is no plain file is none of ours."""
    if not folder().is_dir():
        return
    with os.scandir(folder()) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # it was taken out meanwhile
                if entry.is_file(follow_symlinks=False) and entry.stat().st_mtime < instant.timestamp():
                    yield entry.name.removesuffix(SMALL)


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder() -> None:
    descriptor = os.open(folder(), os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
