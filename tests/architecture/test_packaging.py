"""What an installation gets is what a checkout has."""

import configparser
import subprocess
import sys

from tests.architecture.code import PACKAGE, ROOT

BESIDE = ("templates", "static", "migrations")


def declared() -> dict[str, str]:
    options = configparser.ConfigParser()
    options.read(ROOT / "setup.cfg", encoding="utf-8")
    return dict(options["options"])


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
    assert folders <= {"bugintake", "docs", "tests", ".ci", *BESIDE}


def test_rooms_import_only_rooms_below_them():
    lint = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    found = subprocess.run([sys.executable, "-c", lint], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_the_lock_names_no_registry():
    assert [line for line in (ROOT / "requirements.lock").read_text().splitlines() if "://" in line] == []
