"""The blueprints that every module of pages in this room adds to: the team's, and the customers'."""

from flask import Blueprint

bp = Blueprint("loop", __name__)
public = Blueprint("customers", __name__, url_prefix="/s")
