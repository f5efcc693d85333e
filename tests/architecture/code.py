"""The project's own source, as the laws read it."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "bugintake"

Law = Callable[[ast.AST], str | None]


def modules() -> list[Path]:
    """List every module of the package."""
    return sorted(PACKAGE.rglob("*.py"))


def name(path: Path) -> str:
    """Name a file as people do, from the root of the project."""
    return path.relative_to(ROOT).as_posix()


def offences(law: Law, source: str) -> Iterator[tuple[int, str]]:
    """Find where a source breaks a law."""
    for node in ast.walk(ast.parse(source)):
        if (broken := law(node)) is not None:
            yield getattr(node, "lineno", 0), broken


def breaks_outside(law: Law, *allowed: str) -> list[str]:
    """List the places of the package that break a law, except in the files that are there for it."""
    return [
        f"{name(path)}:{line}: {what}"
        for path in modules()
        if name(path) not in allowed
        for line, what in offences(law, path.read_text(encoding="utf-8"))
    ]


def dotted(node: ast.AST) -> str:
    """Write an expression of names and attributes as it stands in the source; anything else in it becomes `…`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return "…"
