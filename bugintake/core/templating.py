"""Templates: assets, panels that later rooms add to earlier rooms' pages, navigation, and how times read."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from babel.dates import format_date
from flask import Flask, Response, flash, g, get_template_attribute, request, url_for
from flask_babel import get_locale, gettext, ngettext
from markupsafe import Markup, escape

from bugintake.core import clock, undoing
from bugintake.core.forms import fingerprint, zone_or_utc
from bugintake.core.languages import direction

THEMES = ("light", "dark")
SHARED = "listbox.js"  # what it names is used by the scripts that follow it


def folder(name: str) -> Path:
    """Find a folder of the project: inside the installed package, else beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


Panel = Callable[..., str]
_panels: dict[str, list[Panel]] = defaultdict(list)


def register_panel(place: str, panel: Panel) -> None:
    """Add something of a later room to a named place on an earlier room's page. It returns rendered HTML."""
    if panel not in _panels[place]:
        _panels[place].append(panel)


def panels(place: str, **context: Any) -> Markup:
    """Render everything registered for a place."""
    return Markup("").join(Markup(panel(**context)) for panel in _panels[place])


@dataclass(frozen=True)
class NavEntry:
    """One entry of the top bar."""

    label: str
    endpoint: str
    key: str
    position: int
    count: Callable[[], int] | None
    is_for: Callable[[], bool] | None

    @property
    def url(self) -> str:
        """The entry's address."""
        return url_for(self.endpoint)

    @property
    def is_current(self) -> bool:
        """Whether the page shown is this one, or belongs to its room (else to who draws it), whose first one it is."""
        if request.endpoint in _nav:
            return request.endpoint == self.endpoint
        firsts: dict[str, NavEntry] = {}
        for entry in sorted(_nav.values(), key=lambda entry: entry.position):
            firsts.setdefault(entry.endpoint.split(".")[0], entry)
        room = request.path.split("/")[1]
        return firsts.get(room if room in firsts else request.blueprint or "") is self


_nav: dict[str, NavEntry] = {}


def register_nav(
    label: str,
    endpoint: str,
    key: str,
    *,
    position: int,
    count: Callable[[], int] | None = None,
    is_for: Callable[[], bool] | None = None,
) -> None:
    """Put a page into the top bar, of everybody or of those whom it is for.

    `key` is pressed after g, `count` is shown beside the label.
    """
    _nav[endpoint] = NavEntry(label, endpoint, key, position, count, is_for)


def nav_items() -> list[NavEntry]:
    """List the entries of the reader's top bar in order."""
    theirs = (entry for entry in _nav.values() if entry.is_for is None or entry.is_for())
    return sorted(theirs, key=lambda entry: entry.position)


@cache
def asset(*names: str) -> str:
    """Return the address of a static file, or of several scripts as one, so that a page asks once.

    It changes with the content, so browsers may keep it for ever.
    """
    content = joined(names) if len(names) > 1 else (folder("static") / names[0]).read_bytes()
    return url_for("static", filename="+".join(names), v=hashlib.sha256(content).hexdigest()[:12])


@cache
def joined(names: tuple[str, ...]) -> bytes:
    """Join scripts to one module, each in a block of its own, where its names are its own too; SHARED is in none.

    Comments that fill a line are for whoever reads the scripts, and are left out.
    """
    scripts = {name: _COMMENT.sub(b"", (folder("static") / name).read_bytes()) for name in names}
    return b"".join(script if name == SHARED else b"{\n" + script + b"}\n" for name, script in scripts.items())


_COMMENT = re.compile(rb"^ *//.*\n", re.MULTILINE)


def theme() -> str:
    """Return light, dark, or nothing where the system decides."""
    chosen = request.cookies.get("theme", "")
    return chosen if chosen in THEMES else ""


def ago(at: datetime) -> str:
    """Say how long ago, as short as a card needs: 24 min, 3 h, 9 d."""
    minutes = max(0, int((clock.now() - at).total_seconds() // 60))
    if minutes < 1:
        return say("now")
    if minutes < 60:
        return _counted("%(count)d min", minutes, _language())
    if minutes < 48 * 60:
        return _counted("%(count)d h", minutes // 60, _language())
    return _counted("%(count)d d", minutes // (24 * 60), _language())


@lru_cache(2000)
def _counted(words: str, count: int, _language: str) -> str:
    return say(words, count=count)


def ago_in_words(at: datetime) -> str:
    """Say how long ago as a part of a sentence: 20 s ago, 24 min ago."""
    seconds = max(1, int((clock.now() - at).total_seconds()))
    return gettext("%(short)s ago", short=f"{seconds} s" if seconds < 60 else ago(at))


def when(at: datetime, zone: str | None = None, locale: str = "en_GB") -> str:
    """Say the instant in a zone (the viewer's where none is given): Mon 7 Sep 10:43."""
    local = _local(at, zone)
    return f"{_day(local.date(), locale)} {local:%H:%M}"


def day(at: datetime, zone: str | None = None, locale: str = "en_GB") -> str:
    """Say the day in a zone (the viewer's where none is given): Mon 7 Sep."""
    return _day(_local(at, zone).date(), locale)


def whole_day(on: date) -> str:
    """Say a day with its year, wherever one looks from: Mon 1 Mar 2027."""
    return format_date(on, "EEE d MMM yyyy", locale="en_GB")


def short_day(on: date) -> str:
    """Say a day of this year, wherever one looks from: Mon 7 Sep."""
    return _day(on, "en_GB")


def hour(at: datetime, zone: str | None = None) -> str:
    """Say the time of day in a zone (the viewer's where none is given): 10:43."""
    return f"{_local(at, zone):%H:%M}"


def moment(at: datetime) -> str:
    """Say the time of day, with the day where that is not today."""
    return hour(at) if _local(at, None).date() == _local(clock.now(), None).date() else when(at)


def _local(at: datetime, zone: str | None) -> datetime:
    return at.astimezone(zone_or_utc(zone or viewer_zone()))


@lru_cache(2000)
def _day(date: date, locale: str) -> str:
    return format_date(date, "EEE d MMM", locale=locale)


def viewer_zone() -> str:
    """Return the zone of whoever looks; the team room sets it when somebody is signed in."""
    zone: str = g.get("viewer_zone", "UTC")
    return zone


@lru_cache(2000)
def initials(name: str) -> str:
    """Shorten a name to at most two letters."""
    words = [word for word in name.split() if word]
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words[:1])).upper()


class Ask(NamedTuple):
    """A question that may be answered by one press right after something was done, or left alone."""

    words: str
    url: str
    name: str
    choices: Sequence[tuple[str, str]]


def toast(text: str, *, undo: str | None = None, ask: Ask | None = None) -> None:
    """Say on the next page what was done; `undo` is the address that takes it back, now or in the next ten minutes."""
    if undo:
        undoing.keep(undo, text)
    message = {"text": text, "undo": undo, "ask": ask._asdict() if ask else None}
    flash(message if undo or ask else text)  # type: ignore[arg-type]  # a template reads it, not Flask


def plural(count: int, one: str, many: str) -> str:
    """Count something in words: 1 person, 12 people."""
    return f"{count} {ngettext(one, many, count)}"


def say(words: str, **values: Any) -> Markup:
    """Say words in the reader's language, as templates do with _().

    Remembers what each sentence is in each language: asking the translations costs as much as a line of a page.
    """
    said = _translated(words, _language())
    return said % values if values else said


@lru_cache(5000)
def _translated(words: str, _language: str) -> Markup:
    return Markup(gettext(words))  # our own words and their translations


def choose(options: str, value: object) -> Markup:
    """Mark one choice of a select whose choices were drawn before."""
    opening = f'<option value="{escape(value)}"'
    return Markup(options.replace(opening, f"{opening} selected", 1))  # a template drew them


def draw(template: str, macro: str, *shown: Hashable) -> Markup:
    """Draw a part of a page that shows nothing but what it is given, and remember it: most cards stay as they are."""
    return _drawn(template, macro, shown, _language())


@lru_cache(2000)
def _drawn(template: str, macro: str, shown: tuple[Hashable, ...], _language: str) -> Markup:
    drawn: Markup = get_template_attribute(template, macro)(*shown)
    return drawn


def _language() -> str:
    locale = get_locale()
    return locale.language if locale is not None else ""


def dress(app: Flask) -> None:
    """Give an app's templates what every page uses.

    An address is worked out once: no installation lives under a path, so it is the same for everybody.
    """
    address = lru_cache(5000)(url_for)
    app.jinja_env.globals.update(
        asset=asset, panels=panels, nav_items=nav_items, theme=theme, url_for=address, draw=draw, _=say
    )
    app.jinja_env.globals["direction"] = direction
    app.jinja_env.filters.update(
        ago=ago, ago_in_words=ago_in_words, when=when, day=day, hour=hour, initials=initials, plural=plural
    )
    app.jinja_env.filters.update(fingerprint=fingerprint, moment=moment, whole_day=whole_day, short_day=short_day)
    undoing.offer(app)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True

    send_one = app.view_functions["static"]
    scripts = {path.name for path in folder("static").glob("*.js")}

    def send_static(filename: str) -> Any:
        names = tuple(filename.split("+"))
        if len(names) == 1 or not scripts.issuperset(names):
            return send_one(filename=filename)
        return app.response_class(joined(names), mimetype="text/javascript")

    app.view_functions["static"] = send_static

    @app.after_request
    def keep_assets(response: Response) -> Response:
        if request.endpoint == "static" and "v" in request.args:
            response.cache_control.no_cache = None
            response.cache_control.public = True
            response.cache_control.max_age = 31536000
            response.cache_control.immutable = True
        return response
