"""The application as web servers and `flask --app wsgi` find it."""

from bugintake.app import create_app

app = create_app()
