"""What nobody means to send, and the forms of every page to send it by."""

import re
from html import unescape
from typing import Any
from urllib.parse import quote_from_bytes, urlsplit

from flask import Flask
from werkzeug.exceptions import HTTPException

from tests.architecture.code import modules

TEXTS: dict[str, bytes] = {
    "nothing": b"",
    "blanks": b" \t\r\n ",
    "nul": b"a\x00b",
    "half a character": b"a\xed\xa0\x80b",
    "no text at all": b"\xff\xfe\x80",
    "control characters": b"\x1b[31m\x07\r\nSet-Cookie: a=b\xe2\x80\xa8\xe2\x80\xae",
    "a number of no database": b"99999999999999999999",
    "a number of no column": b"2147483648",
    "a negative number": b"-1",
    "a number in other digits": "٣".encode(),
    "a power": b"1e9",
    "a bug of no database": b"BUG-99999999999999999999",
    "a day before all others": b"0001-01-01",
    "a minute after all others": b"9999-12-31T23:59",
    "a moment after all others": b"9999-12-31T23:59-14:00",
    "a program": b"'\";--%_\\{{7*7}}<svg onload=alert(1)>",
    "too long": b"x" * 2000,
}
VALUES: dict[str, Any] = {
    **{name: text.decode("utf-8", "surrogatepass") for name, text in TEXTS.items() if name != "no text at all"},
    "null": None,
    "yes": True,
    "a fraction": 1.5,
    "a whole number of no database": 10**30,
    "a list": ["a"],
    "an empty list": [],
    "an object": {"a": 1},
    "a list of lists": [[[[]]]],
}

_FORM = re.compile(r'<form[^>]*method="post"[^>]*?(?:action="([^"]*)")?[^>]*>(.*?)</form>', re.S)
_INPUT = re.compile(r"<input[^>]*>")
_NAME, _VALUE = re.compile(r' name="([^"]*)"'), re.compile(r' value="([^"]*)"')
_SELECT = re.compile(r'<select[^>]* name="([^"]+)".*?</select>', re.S)
_OPTION = re.compile(r'<option value="([^"]*)"')
_AREA = re.compile(r'<textarea[^>]* name="([^"]+)"')


def forms_of(page: str, address: str) -> dict[str, dict[str, str]]:
    """Read the forms of a page as somebody would fill them in: something in every field, by address."""
    found: dict[str, dict[str, str]] = {}
    for action, inside in _FORM.findall(page):
        fields = dict.fromkeys(_AREA.findall(inside), "Something")
        for field in _INPUT.findall(inside):
            name, value = _NAME.search(field), _VALUE.search(field)
            if name is not None and name[1] != "csrf_token" and (name[1] not in fields or "checked" in field):
                fields[name[1]] = unescape(value[1]) if value is not None and value[1] else "1"
        for match in _SELECT.finditer(inside):
            options = [unescape(option) for option in _OPTION.findall(match[0]) if option]
            fields[match[1]] = options[0] if options else ""
        path = urlsplit(unescape(action) or address).path
        found[path] = {**fields, **found.get(path, {})}
    return found


def rule_of(app: Flask, path: str) -> str:
    """Name the route that answers a form."""
    try:
        endpoint, _ = app.url_map.bind("localhost").match(path, method="POST")
    except HTTPException:
        return ""
    return str(endpoint)


def words_asked(of: str) -> list[str]:
    """List the names that some view reads from `request.form` or `request.args`."""
    asked = re.compile(rf'request\.(?:{of}|values)(?:\.get(?:list)?\(|\[)"(\w+)"|"(\w+)" in request\.{of}')
    code = "".join(path.read_text(encoding="utf-8") for path in modules())
    return sorted({one or other for one, other in asked.findall(code)})


def encoded(fields: list[tuple[str, bytes]]) -> bytes:
    """Write a form as a browser does, whatever its bytes are."""
    return "&".join(f"{name}={quote_from_bytes(value)}" for name, value in fields).encode("ascii")
