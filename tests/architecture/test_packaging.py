"""What an installation gets is what a checkout has."""

import ast
import configparser
import importlib.metadata
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement

from tests.architecture.code import PACKAGE, ROOT

BESIDE = ("templates", "static", "migrations")


def declared(section: str = "options") -> dict[str, str]:
    options = configparser.ConfigParser()
    options.read(ROOT / "setup.cfg", encoding="utf-8")
    return dict(options[section])


def lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line]


def test_the_packaged_folders_are_the_folders():
    code = {"bugintake", *(".".join(path.parent.relative_to(ROOT).parts) for path in PACKAGE.rglob("*/__init__.py"))}
    beside = {f"bugintake.{folder}" for folder in BESIDE}
    assert set(lines(declared()["packages"])) == code | beside


def test_every_folder_with_code_is_a_package():
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_the_folders_beside_the_code_land_inside_it():
    mapped = dict(line.split(" = ") for line in lines(declared()["package_dir"]))
    assert mapped == {"bugintake": "bugintake", **{f"bugintake.{folder}": folder for folder in BESIDE}}
    assert [folder for folder in BESIDE if not (ROOT / folder).is_dir()] == []


def test_nothing_else_lies_at_the_root():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    folders = {line.split("/")[0] for line in tracked.stdout.splitlines() if "/" in line}
    assert folders <= {"bugintake", "bench", "docs", "tests", ".ci", *BESIDE}


def test_rooms_import_only_rooms_below_them():
    lint = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    found = subprocess.run([sys.executable, "-c", lint], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_every_library_the_product_imports_is_declared_and_no_other():
    code = [*PACKAGE.rglob("*.py"), *(ROOT / "migrations").rglob("*.py"), ROOT / "wsgi.py"]
    wanted = {Requirement(line).name.lower() for line in lines(declared()["install_requires"])}
    assert libraries(code) ^ wanted == {"tzdata"}  # which is data: zoneinfo reads it where the system has none


def test_every_library_the_tests_import_is_declared():
    tested = lines(declared("options.extras_require")["test"])
    wanted = {Requirement(line).name.lower() for line in [*tested, *lines(declared()["install_requires"])]}
    assert libraries((ROOT / "tests").rglob("*.py")) - wanted <= {"jinja2", "packaging"}


def libraries(files: Iterable[Path]) -> set[str]:
    """Name the distributions that files import from."""
    homes = importlib.metadata.packages_distributions()
    found = set()
    for node in (node for path in files for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        found.update(name.partition(".")[0] for name in names)
    own = {"bugintake", "bench", "tests", *sys.stdlib_module_names}
    return {homes[name][0].lower() for name in found - own}


def test_the_lock_names_no_registry():
    assert [line for line in (ROOT / "requirements.lock").read_text().splitlines() if "://" in line] == []
