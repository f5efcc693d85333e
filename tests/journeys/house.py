"""bugintake as the world meets it: processes, pages, a command line, and a mail server that receives what it sends."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any, TypeVar

import trustme

from tests.faults.server import FaultServer

Found = TypeVar("Found")
COMMAND = str(Path(sys.executable).with_name("bugintake"))


def until(ask: Callable[[], Found], *, seconds: float = 30, what: str = "what was waited for") -> Found:
    """Ask until there is an answer, and fail in words where none comes."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := ask():
            return answer
        threading.Event().wait(0.1)
    raise AssertionError(f"{what} did not come within {seconds:g} s")


class House:
    """One installation: `serve` with its web and worker processes, and the commands beside it."""

    def __init__(self, data: Path, database_url: str, mail_port: int, port: int, base_url: str) -> None:
        self.base_url, self.port, self.log_path = base_url, port, data / "serve.log"
        self.environment = {
            **os.environ,
            "BUGINTAKE_DATA": str(data),
            "BUGINTAKE_DATABASE_URL": database_url,
            "BUGINTAKE_PORT": str(port),
            "BUGINTAKE_BASE_URL": base_url,
            "BUGINTAKE_SMTP_URL": f"smtp://127.0.0.1:{mail_port}",
            "BUGINTAKE_MAIL_FROM": "support@fakturo.example.com",
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """All that `serve` has printed."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        """Start web and worker and wait until they are healthy."""
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [COMMAND, "serve"], env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        until(self._is_healthy, seconds=90, what="a healthy house")

    def stop(self) -> int:
        """Stop as Ctrl-C does, and return the exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(20)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def command(self, *words: str, typed: str = "") -> str:
        """Run a command and return what it printed; it must succeed."""
        words = (COMMAND, *words)
        done = subprocess.run(words, env=self.environment, input=typed, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def setup_link(self) -> str:
        """Return the link that an empty installation prints once."""
        return until(lambda: re.findall(r"https?://\S+/setup\?token=\S+", self.log), what="the set-up link")[-1]

    def _is_healthy(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        address = f"http://127.0.0.1:{self.port}/healthz"
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2) as answer:
            return bool(answer.status == 200)
        return False


def mail_to(server: FaultServer, address: str, *, count: int = 1) -> EmailMessage:
    """Wait until somebody has got so many mails, and return the newest."""

    def mails() -> list[EmailMessage]:
        found = [mail for recipient, mail in server.accepted if recipient == address]
        return found if len(found) >= count else []

    return until(mails, what=f"mail {count} to {address}")[-1]


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def https_in_front(port: int) -> Iterator[str]:
    """Speak TLS in front of a plain port, as a reverse proxy does, and yield the https address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def run(work: Coroutine[Any, Any, Found]) -> Found:
        return asyncio.run_coroutine_threadsafe(work, loop).result(10)

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            inner_reader, inner = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(_copy(reader, inner), _copy(inner_reader, writer))

    async def stop() -> None:
        server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    server = run(asyncio.start_server(pass_on, "127.0.0.1", 0, ssl=context))
    try:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}"
    finally:
        run(stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await source.read(65536):
            target.write(chunk)
            await target.drain()
    target.close()
