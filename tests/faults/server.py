"""A mail server that misbehaves on demand: the recipient's local part says how. It counts what it accepted."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import email.policy
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from typing import Any

RCPT = {
    "rcpt450": b"450 4.2.1 try again later",
    "rcpt421": b"421 4.3.2 shutting down",
    "unknown": b"550 5.1.1 <unknown@example.com>: no such user",
    "badsender": b"550 5.1.8 your domain does not exist",
    "disabled": b"550 5.2.1 mailbox disabled",
    "bare550": b"550 no",
    "policy": b"550 5.7.1 not from you",
    "noroute": b"554 5.4.4 no route",
    "rcptgarbage": b"hello there",
}
DATA = {"data451": b"451 4.3.0 busy", "data554": b"554 5.4.4 no route", "data571": b"554 5.7.1 looks like spam"}
DOT = {
    "dot451": b"451 4.3.0 busy",
    "dotslow": b"451 4.7.500 server busy",
    "dot554": b"554 5.7.1 looks like spam",
    "garbage": b"xyzzy",
    "dot354": b"354 more",
}


class FaultServer:
    """Every mail it has taken responsibility for is in `accepted`; `stalls` waits as long as the client does."""

    def __init__(self, tls: ssl.SSLContext | None = None, *, implicit: bool = False, password: str = "") -> None:
        self.accepted: list[tuple[str, EmailMessage]] = []
        self.connections = 0
        self.greeting = b"220 ready"
        self.password = password
        self.senders: list[str] = []
        self.recipients: list[str] = []
        self.slow: dict[str, bytes] = {}  # what it answers to RCPT for a domain
        self._tls, self._implicit = tls, implicit
        self._writers: set[asyncio.StreamWriter] = set()
        self._news = threading.Condition()

    def wait_for(self, count: int, seconds: float = 60) -> bool:
        """Wait until so many mails were accepted."""
        with self._news:
            return self._news.wait_for(lambda: len(self.accepted) >= count, seconds)

    @property
    def count(self) -> Counter[str]:
        """How often each Message-ID was accepted."""
        return Counter(str(mail["Message-ID"]) for _, mail in self.accepted)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client until it leaves or is cut off."""
        self.connections += 1
        self._writers.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            await self._talk(reader, writer)
        self._writers.discard(writer)
        writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def say(line: bytes) -> None:
            writer.write(line + b"\r\n")

        if not self.greeting:
            await reader.read()
        say(self.greeting)
        mode, recipient = "", ""
        while line := (await reader.readline()).decode("latin-1").strip():
            verb = line.split(" ")[0].upper()
            if verb in ("EHLO", "HELO"):
                secure = writer.get_extra_info("ssl_object") is not None
                say(b"250-here" + (b"\r\n250-STARTTLS" if self._tls and not secure else b""))
                say(b"250-AUTH PLAIN\r\n250 SIZE 10000000" if self.password else b"250 SIZE 10000000")
            elif verb == "STARTTLS":
                say(b"220 go")
                await writer.start_tls(self._tls)  # type: ignore[arg-type]
            elif verb == "AUTH":
                good = base64.b64encode(f"\0bugintake\0{self.password}".encode()).decode()
                say(b"235 2.7.0 welcome" if line.endswith(good) else b"535 5.7.8 bugintake: wrong password")
            elif verb == "MAIL":
                self.senders.append(line.split("<")[1].split(">")[0])
                say(b"250 fine")
            elif verb == "RCPT":
                recipient = line.split("<")[1].split(">")[0]
                self.recipients.append(recipient)
                mode = recipient.split("@")[0].split("+")[0]
                if mode == "stallrcpt":
                    await reader.read()
                said = self.slow.get(recipient.rpartition("@")[2].lower(), RCPT.get(mode, b"250 2.1.5 fine"))
                say(said)
                if said.startswith(b"421"):
                    return
            elif verb == "DATA":
                if not await self._take(mode, recipient, reader, say):
                    return
            elif verb == "QUIT":
                say(b"221 bye")
                return
            else:
                say(b"250 fine")

    async def _take(self, mode: str, recipient: str, reader: asyncio.StreamReader, say: Any) -> bool:
        say(DATA.get(mode, b"354 go on"))
        if mode in DATA:
            return True
        if mode == "dropdata":
            await reader.read(20)
            return False
        content = await reader.readuntil(b"\r\n.\r\n")
        if mode not in DOT:
            mail = message_from_bytes(content[:-3].replace(b"\r\n..", b"\r\n."), policy=email.policy.default)
            with self._news:
                self.accepted.append((recipient, mail))
                self._news.notify_all()
        if mode == "slowdot":
            await asyncio.sleep(0.3)
        if mode == "stalldot":
            await reader.read()
        if mode == "dropdot":
            return False
        say(DOT.get(mode, b"250 2.0.0 accepted"))
        return mode != "okdrop"

    def cut(self) -> None:
        """Close every connection that is open now."""
        for writer in list(self._writers):
            self._loop.call_soon_threadsafe(writer.transport.abort)

    @contextlib.contextmanager
    def running(self, port: int = 0) -> Iterator[FaultServer]:
        """Serve on a free port of this machine in a thread of its own."""
        self._loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._start(port), self._loop).result(5)
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(5)
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(5)
            self._loop.close()

    async def _start(self, port: int) -> None:
        tls = self._tls if self._implicit else None
        self._server = await asyncio.start_server(self.talk, "127.0.0.1", port, ssl=tls)
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
