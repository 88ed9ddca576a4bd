"""A headless Chromium, and what the tests ask it: axe, weight, requests, overflow."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.browser.world import EMAILS, ORGANISATION, World

FOLDER = Path(__file__).parent
AXE = FOLDER / "node_modules" / "axe-core" / "axe.min.js"


def axe_source() -> str:
    """axe-core, fetched once by npm; the test is skipped where it cannot be had."""
    if not AXE.exists():
        if not shutil.which("npm"):
            pytest.skip("axe-core comes from npm, which is not here")
        done = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=FOLDER, capture_output=True, text=True, timeout=150
        )
        if done.returncode:
            pytest.skip("npm could not fetch axe-core, the test tool of accessibility")
    return AXE.read_text(encoding="utf-8")


def available() -> bool:
    """Whether Debian's Chromium and its driver are here."""
    return bool(shutil.which("chromium") and shutil.which("chromedriver"))


@contextmanager
def chromium(folder: Path, javascript: bool = True, dark: bool = False, width: int = 1280) -> Iterator[Any]:
    """A fresh browser of ``width`` px. It asks nobody but the loopback."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", f"--user-data-dir={folder}",
        f"--window-size={width},1800",
        "--force-prefers-reduced-motion", "--hide-scrollbars",
    ):  # fmt: skip
        options.add_argument(flag)
    if dark:
        options.add_argument("--blink-settings=preferredColorScheme=0")
    if not javascript:
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    resize(driver, width)
    if dark:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    driver.set_page_load_timeout(60)
    try:
        yield driver
    finally:
        driver.quit()


def resize(driver: Any, width: int, scale: int = 1) -> None:
    """Give the open page a width of ``width`` px, each of ``scale`` pixels of the device."""
    given = {"width": width, "height": 1800, "deviceScaleFactor": scale, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", given)


def sign_in(driver: Any, world: World, role: str) -> None:
    """One click on the home page of the demonstration; « public » signs out."""
    driver.delete_all_cookies()
    if role == "public":
        return
    driver.get(world.page())
    driver.find_element("css selector", f'button[value="{EMAILS[role]}"]').click()
    # The home page stands under the same address: only the name in the masthead says that the click has arrived.
    deadline = time.monotonic() + 30
    while not driver.find_elements("css selector", "form.who"):
        assert time.monotonic() < deadline, "the sign-in never arrived"
        time.sleep(0.05)
    assert f"/{ORGANISATION}/" in driver.current_url


def wait_for_text(driver: Any, text: str, seconds: float = 60) -> None:
    """Until the main part of the page says ``text``; read in one script, since the page may be replaced in between."""
    deadline, read = time.monotonic() + seconds, ""
    while text not in read:
        assert time.monotonic() < deadline, f"« {text} » never came; the page says: {read[:500]}"
        read = driver.execute_script("return document.querySelector('main')?.innerText ?? ''")
        time.sleep(0.05)


@dataclass(frozen=True)
class Weight:
    """What a page cost on the wire."""

    kb: float
    requests: int


def weigh(driver: Any) -> Weight:
    """Encoded bytes and number of requests of the page that is open (cold cache)."""
    entries = driver.execute_script(
        "return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
        ".filter(e => !e.name.endsWith('favicon.ico')).map(e => [e.name, e.encodedBodySize])"
    )
    return Weight(sum(size for _, size in entries) / 1000, len(entries))


def axe_violations(driver: Any, source: str) -> list[str]:
    """One line per violation: rule, where."""
    driver.execute_script(source)
    found = driver.execute_async_script(
        "const done = arguments[arguments.length - 1]; axe.run(document, {resultTypes: ['violations']}).then(r => done(r.violations))"
    )
    return [f"{v['id']} ({v['impact']}): {v['nodes'][0]['html'][:160]} | {v['nodes'][0].get('failureSummary', '')[:200]}" for v in found]


def overflow(driver: Any) -> int:
    """How many px the page is wider than the window."""
    return int(driver.execute_script("return document.documentElement.scrollWidth - document.documentElement.clientWidth"))
