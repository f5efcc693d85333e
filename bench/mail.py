"""How fast mail leaves: the worker against a bare loop that builds, re-parses, sends and commits each mail."""

import asyncio
import multiprocessing
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from multiprocessing.sharedctypes import Synchronized
from typing import Any

from bench.house import House
from bench.limits import opened


class Sink:
    """A mail server in a process of its own that takes everything, and knows when the first and the last came."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("fork")
        self.count: Synchronized[int] = context.Value("i", 0)
        self.first: Synchronized[float] = context.Value("d", 0.0)
        self.last: Synchronized[float] = context.Value("d", 0.0)
        ready, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=self._run, args=(theirs,), daemon=True)
        self._process.start()
        self.port: int = ready.recv()

    def rate(self) -> float:
        """Mails a second between the first and the last."""
        taken = self.last.value - self.first.value
        return (self.count.value - 1) / taken if taken else 0.0

    def forget(self) -> None:
        """Count from nothing again."""
        self.count.value, self.first.value, self.last.value = 0, 0.0, 0.0

    def note(self, _recipient: str) -> None:
        """Count a mail, in the process of the server."""
        self.last.value = time.time()
        self.first.value = self.first.value or self.last.value
        self.count.value += 1

    def stop(self) -> None:
        """Close it."""
        self._process.terminate()
        self._process.join()

    def _run(self, ready: Any) -> None:
        async def main() -> None:
            server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
            ready.send(server.sockets[0].getsockname()[1])
            await server.serve_forever()

        asyncio.run(main())

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink\r\n")
        recipient = ""
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                writer.write(b"354 go on\r\n")
                await writer.drain()
                await reader.readuntil(b"\r\n.\r\n")
                self.note(recipient)
                writer.write(b"250 2.0.0 taken\r\n")
            elif verb == b"RCPT":
                recipient = line.decode().partition("<")[2].partition(">")[0]
                writer.write(b"250 2.1.5 fine\r\n")
            elif verb == b"EHLO":
                writer.write(b"250-sink\r\n250 ENHANCEDSTATUSCODES\r\n")
            elif verb == b"QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"250 2.0.0 fine\r\n")
            await writer.drain()
        writer.close()


def bare_rate(sink: Sink, house: House, count: int) -> float:
    """Send so many mails, commit each to the same database, and do nothing else; return mails a second."""
    sink.forget()
    link = opened(house.settings)
    mark = "?" if house.settings.is_sqlite else "%s"
    with smtplib.SMTP("127.0.0.1", sink.port) as server:
        for number in range(count):
            mail = EmailMessage(policy=SMTP)
            mail["From"], mail["To"] = "support@bench.example", f"m{number}@mail.example"
            mail["Subject"] = "What you told us about works now"
            mail.set_content("The VAT line is printed again. " * 20)
            mail.add_alternative("<p>" + "The VAT line is printed again. " * 20 + "</p>", subtype="html")
            content = mail.as_bytes()
            if set(message_from_bytes(content, policy=SMTP).keys()) != set(mail.keys()):
                raise RuntimeError("The mail changed on the way.")
            server.sendmail("support@bench.example", [f"m{number}@mail.example"], content)
            if house.settings.is_sqlite:
                link.execute("BEGIN IMMEDIATE")
            link.execute(f"INSERT INTO bench_commits (text) VALUES ({mark})", (str(number),))
            link.commit()
    link.close()
    return sink.rate()


@contextmanager
def working(sink: Sink, environment: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a worker that sends into the sink."""
    url = {"BUGINTAKE_SMTP_URL": f"smtp+plain://127.0.0.1:{sink.port}", "BUGINTAKE_MAIL_FROM": "support@bench.example"}
    worker = subprocess.Popen([sys.executable, "-m", "bugintake.cli", "worker"], env={**environment, **url})
    try:
        yield worker
    finally:
        worker.terminate()
        worker.wait()


def worker_rate(sink: Sink, environment: dict[str, str], count: int) -> float:
    """Let the worker send what is owed to so many people, and return mails a second."""
    sink.forget()
    with working(sink, environment) as worker:
        deadline = time.monotonic() + 60 + count / 20
        while sink.count.value < count:
            if worker.poll() is not None or time.monotonic() > deadline:
                print(f"  the worker sent only {sink.count.value} of {count}", file=sys.stderr)
                break
            time.sleep(0.1)
    return sink.rate()
