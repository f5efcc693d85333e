"""Webhooks: those that say what went live, and those that say what happened here."""
