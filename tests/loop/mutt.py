"""What somebody reads in mutt: a program that shows mail as text, and knows nothing of ours."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

PROGRAM = shutil.which("mutt")


def shown(mail: bytes, folder: Path) -> str:
    """Open a mail in mutt, and return what it shows: headers, an empty line, the text. It runs in a terminal."""
    mailbox, out = folder / "mailbox", folder / "shown"
    mailbox.write_bytes(b"From us Thu Jan  1 00:00:00 1970\n" + mail.replace(b"\r\n", b"\n") + b"\n")
    keys = f"push '<pipe-message>cat >{out}<enter><exit>'"
    told = (f"set folder={folder} pipe_decode wait_key=no", keys)
    ours = {"HOME": str(folder), "TERM": "xterm", "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]}
    screen, terminal = pty.openpty()
    program = subprocess.Popen(  # found on this machine, with words of our own
        [str(PROGRAM), "-n", "-F", "/dev/null", "-R", "-f", str(mailbox), *(f"-e{each}" for each in told)],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=ours,
        start_new_session=True,
    )
    os.close(terminal)
    with suppress(OSError):  # the terminal ends with the program
        while os.read(screen, 4096):
            pass
    os.close(screen)
    program.wait(20)
    return out.read_text(encoding="utf-8").partition("\n")[2]
