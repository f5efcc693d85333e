"""Templates and scripts: everything printed is escaped, nothing is inline, nothing is undefined."""

import ast
import re
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import Environment, StrictUndefined, nodes

from tests.architecture.code import ROOT, breaks_outside, dotted, offences

TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*") if path.is_file())
PAGES = [path for path in TEMPLATES if path.suffix in (".html", ".svg")]
SCRIPTS = sorted((ROOT / "static").rglob("*.js"))

INLINE = {
    "a style attribute": r"<[^>]*\sstyle\s*=",
    "a style element": r"<style\b",
    "a script without src": r"<script\b(?![^>]*\ssrc=)",
    "an on… attribute": r"<[a-z][^>]*\son[a-z]+\s*=",
    "a javascript: address": r"javascript:",
    "an attribute without quotes": r"<[^>]*\s[a-z-]+=\{\{",
    "something from another site": r"(?:src|href)\s*=\s*[\"'](?:https?:)?//",
}
DANGEROUS = (
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "document.write",
    "eval(",
    "new Function",
    "setAttribute('on",
)
QUERYING = ("session", "query", "execute", "scalars", "scalar", "select")


def unescaped(source: str) -> list[str]:
    """Find what would print something without escaping it."""
    parsed = Environment(autoescape=True, extensions=["jinja2.ext.i18n"]).parse(source)
    found = [f"|{node.name}" for node in parsed.find_all(nodes.Filter) if node.name in ("safe", "forceescape")]
    found += ["autoescape" for _ in parsed.find_all((nodes.ScopedEvalContextModifier, nodes.EvalContextModifier))]
    found += ["Markup" for node in parsed.find_all(nodes.Name) if node.name == "Markup"]
    return found


def queries(source: str) -> list[str]:
    """Find what would ask the database from a template."""
    parsed = Environment(autoescape=True, extensions=["jinja2.ext.i18n"]).parse(source)
    called = [node.node for node in parsed.find_all(nodes.Call)]
    names = [part.attr for part in called if isinstance(part, nodes.Getattr)]
    return [name for name in names if name in QUERYING]


def inline(source: str) -> list[str]:
    """Find what the content security policy refuses, or what belongs to another site."""
    without_comments = re.sub(r"\{#.*?#\}", "", source, flags=re.DOTALL)
    return [what for what, pattern in INLINE.items() if re.search(pattern, without_comments, re.IGNORECASE)]


def makes_markup(node: ast.AST) -> str | None:
    """Find code that declares a text safe, or makes a template out of one."""
    if isinstance(node, ast.Call):
        called = dotted(node.func).rpartition(".")[2]
        if called in ("Markup", "render_template_string", "from_string"):
            return f"{called}()"
    return None


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", TEMPLATES, ids=relative)
def test_everything_printed_is_escaped(path):
    assert unescaped(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_nothing_is_inline(path):
    assert inline(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=relative)
def test_templates_query_nothing(path):
    assert queries(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=relative)
def test_scripts_make_no_html_from_text(path):
    source = path.read_text(encoding="utf-8")
    assert [word for word in DANGEROUS if word in source] == []


@pytest.mark.only_on("sqlite")
def test_every_template_compiles_and_knows_its_filters(app: Flask):
    for path in TEMPLATES:
        if path.suffix in (".html", ".txt", ".svg"):
            app.jinja_env.get_template(path.relative_to(ROOT / "templates").as_posix())


@pytest.mark.only_on("sqlite")
def test_a_name_nobody_gave_a_template_fails_its_test(app: Flask):
    assert issubclass(app.jinja_env.undefined, StrictUndefined)


def test_pages_are_of_a_kind_that_flask_escapes():
    assert {path.suffix for path in TEMPLATES} <= {".html", ".txt", ".svg"}


def test_only_core_declares_a_text_safe():
    assert breaks_outside(makes_markup, "bugintake/core/templating.py") == []


@pytest.mark.parametrize(
    "broken",
    [
        '<p style="color: red">',
        "<style>p {}</style>",
        "<script>alert(1)</script>",
        '<a href="/" onclick="go()">',
        '<a href="javascript:go()">',
        "<a href={{ url }}>",
        '<script src="https://cdn.example/x.js"></script>',
    ],
)
def test_inline_is_found(broken):
    assert len(inline(broken)) == 1


@pytest.mark.parametrize("broken", ["{{ text|safe }}", "{% autoescape false %}{{ text }}{% endautoescape %}"])
def test_unescaped_is_found(broken):
    assert unescaped(broken) != []


def test_a_query_in_a_template_is_found():
    assert queries("{% for bug in db.session.scalars(all_bugs) %}{{ bug }}{% endfor %}") == ["scalars"]


def test_markup_is_found():
    assert [what for _, what in offences(makes_markup, "Markup(text) + render_template_string(text)")] == [
        "Markup()",
        "render_template_string()",
    ]
