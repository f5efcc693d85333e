"""Passwords: how long, how stored, and which ones everybody tries first."""

import hashlib
import unicodedata
from functools import cache
from pathlib import Path

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

from bugintake.core.errors import Invalid

SHORTEST = 8
LONGEST = 128
ADVICE = "At least 8 characters; 15 or more are better, for example four words. Spaces and every character count."

_FINGERPRINT = 10

hasher = PasswordHash((Argon2Hasher(),))  # tests put a cheaper one here


def hash_password(password: str, *, known: tuple[str, ...] = ()) -> str:
    """Turn a password into what is stored, outside of any transaction because it is slow on purpose.

    Length and being guessable decide, never which kinds of character it has (NIST SP 800-63B). `known` are words that
    anybody would try for this person: the address, the name. Raises Invalid.
    """
    if len(password) < SHORTEST:
        raise Invalid(f"Use at least {SHORTEST} characters; 15 or more are better.", field="password")
    if len(password) > LONGEST:
        raise Invalid(f"Use at most {LONGEST} characters.", field="password")
    if _is_guessable(password, known):
        raise Invalid("This is one of the first that anybody would try. Choose another one.", field="password")
    return hasher.hash(_bytes(password))


def matches(password: str, stored: str | None) -> bool:
    """Whether a password is the stored one; takes as long where nothing is stored, so that time tells nothing."""
    decoy = _decoy(hasher)
    try:
        fits = hasher.verify(_bytes(password[: LONGEST + 1]), stored or decoy)
    except UnknownHashError:
        return False
    return fits and stored is not None


def _bytes(password: str) -> bytes:
    return unicodedata.normalize("NFC", password).encode("utf-8", "replace")


def _is_guessable(password: str, known: tuple[str, ...]) -> bool:
    lowered = password.lower()
    words = {word.lower() for text in known for word in (text, text.partition("@")[0])} | {"bugintake"}
    if lowered.strip("0123456789!.-_ ") in words or len(set(lowered)) < 3:
        return True
    return hashlib.sha256(lowered.encode("utf-8", "replace")).hexdigest()[:_FINGERPRINT] in _common()


@cache
def _common() -> frozenset[str]:
    lines = (Path(__file__).parent / "common_passwords.txt").read_text(encoding="ascii").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


@cache
def _decoy(of: PasswordHash) -> str:
    return of.hash(b"nobody has this password")
