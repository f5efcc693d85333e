"""Several connections to PostgreSQL at the same moment: one holds what the others wait for."""

import contextvars
import threading

import sqlalchemy as sa

from bugintake.core.db import db, transaction

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


class AtOnce:
    """Something that begins at once beside the test; call it to wait for its end and to learn what ended it."""

    def __init__(self, app, work):
        self.error = None

        def act():
            with app.app_context():
                try:
                    work()
                except Exception as error:  # the test looks at what it was refused
                    self.error = error

        self.thread = threading.Thread(target=contextvars.Context().run, args=(act,))
        self.thread.start()

    def __call__(self):
        self.thread.join()
        return self.error


def at_once(app, work):
    """Do something in a transaction of its own."""

    def keep():
        with transaction():
            work()

    return AtOnce(app, keep)


def wait_until_waiting(*others):
    """Return once all of these wait for a lock, or one has ended without."""
    while all(other.thread.is_alive() for other in others):
        with db.engine.connect() as connection:
            if connection.execute(sa.text(WAITING)).scalar_one() >= len(others):
                return
