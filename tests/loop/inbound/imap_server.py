"""A mailbox that misbehaves on demand, as much of IMAP4rev1 as a reader needs. It counts what it gave out."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import ssl
import threading
from collections.abc import Iterator
from typing import Any


class ImapServer:
    """Mails by their UID; `stalls_at` and `drops_at` name the command at which it falls silent or hangs up."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.mails: dict[int, bytes] = {}
        self.seen: set[int] = set()
        self.fetched: list[int] = []
        self.password = "pass word"
        self.folder = "INBOX"
        self.uid_validity = 7
        self.stalls_at = self.drops_at = ""
        self.sign_ins = 0
        self._tls = tls
        self._next = 1

    def put(self, raw: bytes) -> int:
        """Let a mail arrive."""
        number, self._next = self._next, self._next + 1
        self.mails[number] = raw
        return number

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client until it leaves."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            await self._talk(reader, writer)
        writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def say(*lines: bytes) -> None:
            writer.write(b"".join(line + b"\r\n" for line in lines))

        if self.stalls_at == "GREETING":
            await reader.read()
        say(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready")
        while line := (await reader.readline()).decode("latin-1").strip():
            tag, verb, *words = line.split(" ", 2)
            name, rest = verb.upper(), words[0] if words else ""
            if name == "UID":
                name, _, rest = rest.partition(" ")
            if name == self.stalls_at:
                await reader.read()
            if name == self.drops_at:
                return
            if name == "AUTHENTICATE":
                say(b"+ ")
                given = base64.b64decode(await reader.readline()).decode()
                self.sign_ins += 1
                is_right = given == f"\0grace@example.org\0{self.password}"
                refused = f"NO [AUTHENTICATIONFAILED] {given.split(chr(0))[-1]} is wrong for grace@example.org"
                say(f"{tag} {'OK in' if is_right else refused}".encode())
            elif name == "SELECT" and rest != f'"{self.folder}"':
                say(f"{tag} NO there is no such folder".encode())
            else:
                say(*self._answer(name, rest), f"{tag} OK done".encode())
            await writer.drain()
            if name == "LOGOUT":
                return  # without a word, as some do

    def _answer(self, name: str, rest: str) -> list[bytes]:
        if name == "CAPABILITY":
            return [b"* CAPABILITY IMAP4rev1 AUTH=PLAIN"]
        if name == "SELECT":
            return [b"* %d EXISTS" % len(self.mails), b"* OK [UIDVALIDITY %d] UIDs valid" % self.uid_validity]
        if name == "SEARCH":
            from_uid = re.search(r"UID (\d+):\*", rest)
            first = int(from_uid[1]) if from_uid else 0
            found = [uid for uid in self.mails if uid >= first] or sorted(self.mails)[-1:]  # as RFC 3501 has it
            return [b"* SEARCH " + b" ".join(b"%d" % uid for uid in found)]
        uid = int(rest.split(" ")[0])
        if name == "STORE":
            self.seen.add(uid)
            return []
        return self._part(uid, rest)

    def _part(self, uid: int, rest: str) -> list[bytes]:
        raw = self.mails[uid]
        if "HEADER" in rest:
            body = raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        else:
            self.fetched.append(uid)
            found = re.search(r"<(\d+)\.(\d+)>", rest)
            body = raw[int(found[1]) : int(found[1]) + int(found[2])] if found else raw
        return [b"* 1 FETCH (UID %d BODY[] {%d}\r\n%s)" % (uid, len(body), body)]

    @contextlib.contextmanager
    def running(self) -> Iterator[ImapServer]:
        """Serve on a free port of this machine in a thread of its own."""
        self._loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(5)
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(5)
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(5)
            self._loop.close()

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self.talk, "127.0.0.1", 0, ssl=self._tls)
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._server.close()
        others: Any = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
