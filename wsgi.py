"""The application as web servers and `flask --app wsgi` find it."""

from bugintake.app import create_app
from bugintake.core import migrating

app = create_app()
migrating.attach(app)
