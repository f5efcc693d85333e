"""Pressing keys as people do, and counting them."""

from playwright.sync_api import Page


def press(page: Page, keys: str) -> int:
    """Press keys one after the other, and say how many they were."""
    for key in keys.split():
        page.keyboard.press(key)
    return len(keys.split())
