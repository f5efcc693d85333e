"""The pages of the loop: what is to be told and to whom, releases, and the pages that customers read."""

from typing import Any

from flask import Flask, render_template

from bugintake.core.pages import register_page
from bugintake.core.templating import register_nav, register_panel
from bugintake.loop.views import (
    announcements,
    customers,
    inbound,
    known,
    ledger,
    links,
    messages,
    mine,
    notices,
    personal_data,
    release_hooks,
    releases,
    texts,
    unsubscribing,
    updates,
    webhooks,
    wording,
)
from bugintake.loop.views.blueprint import bp, public
from bugintake.team.guards import is_admin, is_lead

PAGES = (
    announcements,
    messages,
    notices,
    releases,
    release_hooks,
    inbound,
    links,
    customers,
    known,
    ledger,
    personal_data,
    unsubscribing,
    texts,
    mine,
    updates,
    webhooks,
    wording,
)


def attach(app: Flask) -> None:
    """Give an app the pages of this room, its entry in the top bar, and the line on a bug's page about who knows."""
    app.register_blueprint(bp)
    app.register_blueprint(public)
    register_nav("Loop", "loop.index", "l", position=30, count=announcements.to_do)
    register_nav("My reports", "loop.my_reports", "m", position=32, is_for=mine.is_agent)
    register_page("Releases", "loop.list_releases")
    register_page("Who was told", "loop.show_ledger")
    register_page("Never told", "loop.show_never_told")
    register_page("Texts of mails", "loop.list_texts", is_lead)
    register_page("Releases by webhook", "loop.list_release_hooks", is_admin)
    register_page("Webhooks", "loop.list_webhooks", is_lead)
    register_panel("topbar.menu", _menu)
    register_panel("mail", inbound.state)
    register_panel("bug.told", announcements.told)
    register_panel("bug.workaround", updates.way_round)
    register_panel("bug.public", known.publication)
    register_panel("filed.told", updates.confirmation)
    register_panel("merge.effects", announcements.merge_effects)
    register_panel("customer.messages", links.told_to)
    register_panel("customer.told", links.linked)


def _menu(**_context: Any) -> str:
    return render_template("loop/menu.html", runs_it=is_admin()) if is_lead() else ""
