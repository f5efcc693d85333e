"""What browsers say of themselves, as they say it, and which choice of a list is meant."""

import pytest

from bugintake.core.db import transaction
from bugintake.intake import catalogue, platforms
from bugintake.intake.models import OptionList
from bugintake.intake.packs import install_pack
from bugintake.team.sign_in import browser_of
from tests.factories import make_workspace

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
IOS = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
AGENTS = [
    (
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/131.0.0.0 Safari/537.36",
        "Chrome",
        "Windows",
        "Chrome on Windows",
    ),
    (
        f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Chrome/131.0.0.0 Safari/537.36",
        "Chrome",
        "macOS",
        "Chrome on Mac",
    ),
    (
        f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {IOS} Version/18.1 Safari/605.1.15",
        "Safari",
        "macOS",
        "Safari on Mac",
    ),
    (
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/131.0.0.0 Safari/537.36 Edg/131.0.2903.70",
        "Edge",
        "Windows",
        "Edge",
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0",
        "Firefox",
        "Windows",
        "Firefox",
    ),
    ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0", "Firefox", "Linux", "Firefox"),
    (f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/131.0.0.0 Safari/537.36", "Chrome", "Linux", None),
    (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/131.0.0.0 Safari/537.36", "Chrome", "ChromeOS", None),
    (
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/130.0.0.0 Safari/537.36 OPR/116.0.0.0",
        "Opera",
        "Windows",
        None,
    ),
    (
        f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) {IOS} Version/18.1 Mobile/15E148 Safari/604.1",
        "Safari",
        "iPhone",
        "iPhone or iPad",
    ),
    (
        f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) {IOS} CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1",
        "Chrome",
        "iPhone",
        "iPhone or iPad",
    ),
    (
        f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) {IOS} FxiOS/133.0 Mobile/15E148 Safari/605.1.15",
        "Firefox",
        "iPhone",
        "iPhone or iPad",
    ),
    (
        f"Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) {IOS} Version/17.7 Mobile/15E148 Safari/604.1",
        "Safari",
        "iPad",
        "iPhone or iPad",
    ),
    (
        f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} Chrome/131.0.0.0 Mobile Safari/537.36",
        "Chrome",
        "Android",
        "Android phone or tablet",
    ),
    (
        f"Mozilla/5.0 (Linux; Android 13; SM-S901B) {WEBKIT} SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36",
        "Samsung Internet",
        "Android",
        "Android phone or tablet",
    ),
    ("Mozilla/5.0 (Android 14; Tablet; rv:133.0) Gecko/133.0 Firefox/133.0", "Firefox", "Android", "Firefox"),
    ("Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko", "Internet Explorer", "Windows", None),
    ("curl/8.5.0", "", "", None),
    ("", "", "", None),
]


@pytest.mark.parametrize(("agent", "program", "system", "_choice"), AGENTS)
def test_a_browser_is_known_by_what_it_says_of_itself(agent, program, system, _choice):
    assert browser_of(agent) == (program, system)


def test_each_browser_means_a_choice_of_the_web_pack_or_none(app):
    make_workspace()
    with transaction():
        install_pack("web", actor=None)
    offered = catalogue.names().offered[OptionList.PLATFORM]

    found = [platforms.meant_by(agent, offered) for agent, *_ in AGENTS]

    assert [choice and choice.label for choice in found] == [choice for *_, choice in AGENTS]
