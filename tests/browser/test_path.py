"""From a file to a decision: few clicks, under a minute, without JavaScript, and with the keyboard alone."""

from __future__ import annotations

import time

import pytest

from tests.browser.chromium import available, chromium, sign_in
from tests.browser.world import SLUG

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not available(), reason="Debian's chromium and chromium-driver are not installed"),
]


class Mouse:
    """Clicks, counted."""

    def __init__(self, driver) -> None:
        self.driver, self.clicks = driver, 0

    def press(self, text: str) -> None:
        """Click the button or link that says ``text``."""
        xpath = f'//main//*[self::a or self::button][contains(normalize-space(.), "{text}")]'
        self.driver.find_element("xpath", xpath).click()
        self.clicks += 1

    def choose(self, css: str) -> None:
        """Click what ``css`` finds."""
        self.driver.find_element("css selector", css).click()
        self.clicks += 1


def says(driver, text: str, seconds: float = 20) -> bool:
    """Whether the page comes to say ``text``: the page may be on its way."""
    from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if text in driver.find_element("tag name", "main").text:
                return True
        except (NoSuchElementException, StaleElementReferenceException):
            pass
        time.sleep(0.1)
    return False


def wait_for_proposals(driver, reload: bool, seconds: float = 60) -> None:
    """Until the run is done and its proposals are one click away."""
    deadline = time.monotonic() + seconds
    while not driver.find_elements("xpath", '//main//a[contains(@href, "/propositions/")]'):
        assert time.monotonic() < deadline, driver.find_element("tag name", "main").text[:500]
        time.sleep(0.5)
        if reload:
            driver.refresh()


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_from_a_file_to_a_decision_in_eight_clicks_and_a_minute(portal, tmp_path, javascript):
    file = tmp_path / f"volumes_{javascript}.csv"
    file.write_text((portal.files / "volumes.csv").read_text(encoding="utf-8") + f"2026-02-01;Nord;{120 + javascript}\n", encoding="utf-8")
    with chromium(tmp_path / "profile", javascript=javascript) as driver:
        sign_in(driver, portal, "decideur")
        mouse, start = Mouse(driver), time.monotonic()
        driver.get(portal.page("cas-d-usage/"))
        mouse.choose(f'main a[href$="/cas-d-usage/{SLUG}/"]')
        driver.find_element("css selector", "input[type=file]").send_keys(str(file))
        mouse.press("Déposer")
        assert says(driver, "Lancer le calcul"), driver.find_element("tag name", "main").text
        mouse.press("Lancer le calcul")
        wait_for_proposals(driver, reload=True)
        mouse.choose('main a[href*="/propositions/"]')
        mouse.choose('input[type=radio][value="acceptee"]')
        mouse.press("Enregistrer ma décision")
        seconds = time.monotonic() - start
        assert says(driver, "Acceptée")
    assert mouse.clicks <= 8, mouse.clicks
    assert seconds < 60, seconds


def test_a_decision_with_the_keyboard_alone(portal, tmp_path):
    from selenium.webdriver.common.keys import Keys

    with chromium(tmp_path / "profile") as driver:
        sign_in(driver, portal, "decideur")
        driver.get(portal.page(f"executions/{portal.run}/propositions/"))

        def tab_to(condition: str) -> None:
            for _ in range(200):
                driver.switch_to.active_element.send_keys(Keys.TAB)
                if driver.execute_script(f"const e = document.activeElement; return {condition}"):
                    return
            raise AssertionError(f"never reached with the keyboard: {condition}")

        tab_to("e.type === 'radio' && e.name !== ''")
        driver.switch_to.active_element.send_keys(Keys.SPACE)
        chosen = driver.execute_script("return document.activeElement.value")
        assert chosen == "acceptee"
        tab_to("e.tagName === 'BUTTON' && e.textContent.includes('Enregistrer ma décision')")
        driver.switch_to.active_element.send_keys(Keys.ENTER)
        assert says(driver, "Acceptée")


def test_nothing_is_preselected(portal, tmp_path):
    with chromium(tmp_path / "profile") as driver:
        sign_in(driver, portal, "decideur")
        driver.get(portal.page(f"executions/{portal.run}/propositions/?lot=1"))
        assert not driver.find_elements("css selector", "main input:checked")
