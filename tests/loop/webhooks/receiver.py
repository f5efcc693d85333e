"""Whoever is told: one that answers in the test as it is told to, and a real server that misbehaves on demand."""

import json
import re
import socket
import ssl
import threading
from contextlib import contextmanager, suppress

import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.core.outside import Receipt
from bugintake.loop.webhooks import sending
from bugintake.loop.webhooks.models import WebhookDelivery

ADDRESS = "https://hooks.example.com/secret-part"


class Receiver:
    """A receiver that answers in turn what it is told to, otherwise 204 or as it is told, and keeps what it got."""

    def __init__(self):
        self.answers, self.got, self.otherwise = [], [], Receipt(204, "")

    def tell(self, url, headers, body):
        self.got.append((url, headers, body))
        answer = self.answers.pop(0) if self.answers else self.otherwise
        if callable(answer):
            answer = answer()
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def numbers(self):
        return [headers["webhook-id"] for _, headers, _ in self.got]

    @property
    def told(self):
        return [json.loads(body) for _, _, body in self.got]


def work():
    """Do what the worker does about webhooks."""
    count = 0
    while sending.send_one():
        count += 1
        assert count < 500
    db.session.expire_all()


def deliveries():
    db.session.rollback()
    found = sa.select(WebhookDelivery).order_by(WebhookDelivery.id).execution_options(populate_existing=True)
    return db.session.scalars(found).all()


def states():
    return [(each.state.value, each.code, each.trouble) for each in deliveries()]


@contextmanager
def serving(context, answer):
    """Serve TLS on 127.0.0.1; `answer` gets each connection once its request was read. Yields the port and requests."""
    got, done = [], threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)

        def serve():
            while not done.is_set():
                with suppress(OSError):
                    plain, _ = server.accept()
                    plain.settimeout(5)
                    with plain, suppress(OSError), context.wrap_socket(plain, server_side=True) as connection:
                        got.append(_request(connection))
                        answer(connection, done)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1], got
        finally:
            done.set()
            thread.join()


def _request(connection):
    """Read a request to its end: who hangs up before loses what they answered."""
    read = b""
    while b"\r\n\r\n" not in read:
        read += connection.recv(65536)
    head, _, body = read.partition(b"\r\n\r\n")
    length = int(re.search(rb"content-length: (\d+)", head.lower())[1])
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def server_context(authority, host):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    return context
