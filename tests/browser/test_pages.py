"""Every page in a real browser: no accessibility fault, light enough, never wider than the screen."""

from __future__ import annotations

import pytest

from tests.browser.chromium import available, axe_source, axe_violations, chromium, overflow, sign_in, weigh
from tests.browser.world import pages, world

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not available(), reason="Debian's chromium and chromium-driver are not installed"),
]


@pytest.fixture(scope="module")
def portal(tmp_path_factory):
    with world(tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, False), (1280, True), (320, False)])
def test_no_page_has_an_accessibility_fault_nor_overflows(portal, tmp_path, width, dark):
    source, faults = axe_source(), []
    with chromium(tmp_path / "profile", dark=dark, width=width) as driver:
        signed = None
        for name, (role, path) in sorted(pages(portal).items(), key=lambda item: item[1][0]):
            if role != signed:
                sign_in(driver, portal, role)
                signed = role
            driver.get(portal.page(path))
            faults += [f"{name}: {line}" for line in axe_violations(driver, source)]
            if overflow(driver) > 0:
                faults.append(f"{name}: {overflow(driver)} px too wide at {width}")
    assert not faults, "\n".join(faults)


def test_every_page_is_light(portal, tmp_path):
    heavy = []
    with chromium(tmp_path / "profile") as driver:
        driver.execute_cdp_cmd("Network.enable", {})
        driver.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
        signed = None
        for name, (role, path) in sorted(pages(portal).items(), key=lambda item: item[1][0]):
            if role != signed:
                sign_in(driver, portal, role)
                signed = role
            driver.get(portal.page(path))
            assert driver.execute_script("return document.styleSheets[0].cssRules.length") > 100, f"{name}: the stylesheet did not come"
            weight = weigh(driver)
            if weight.kb > 60 or weight.requests > 8:
                heavy.append(f"{name}: {weight}")
    assert not heavy, "\n".join(heavy)
