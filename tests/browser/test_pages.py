"""Every page in a real browser: no accessibility fault, light enough, never wider than the screen."""

from __future__ import annotations

import pytest

from tests.browser.chromium import available, axe_source, axe_violations, chromium, overflow, resize, sign_in, wait_for_text, weigh
from tests.browser.world import SLUG, pages

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not available(), reason="Debian's chromium and chromium-driver are not installed"),
]


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)], ids=["screen, light", "phone, dark"])
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
            for narrow in (width, 320):
                resize(driver, narrow)
                if overflow(driver) > 0:
                    faults.append(f"{name}: {overflow(driver)} px too wide at {narrow}")
            resize(driver, width)
    assert not faults, "\n".join(faults)


def test_lists_are_read_on_a_phone_without_sliding_them(portal, tmp_path):
    with chromium(tmp_path / "profile", width=375) as driver:
        sign_in(driver, portal, "decideur")
        for name in ("runs", "deposits", "usecase"):
            driver.get(portal.page(pages(portal)[name][1]))
            slid = driver.execute_script(
                "return [...document.querySelectorAll('main .scroll:has(> .stack)')].map(e => e.scrollWidth - e.clientWidth)"
            )
            assert slid and max(slid) <= 0, name


def test_paper_shows_every_column_and_no_button(portal, tmp_path):
    """A table that slides on a screen cannot slide on paper; the state of a proposal stands beside its sentence."""
    with chromium(tmp_path / "profile", width=673) as driver:  # the width of A4 between its margins
        sign_in(driver, portal, "decideur")
        for name in ("runs", "run", "register_entry", "proposals"):
            driver.get(portal.page(pages(portal)[name][1]))
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
            cut, buttons = driver.execute_script(
                "return [[...document.querySelectorAll('.scroll')].filter(e => getComputedStyle(e).overflowX !== 'visible').length,"
                " [...document.querySelectorAll('.btn')].filter(e => e.getClientRects().length).length]"
            )
            assert (cut, buttons) == (0, 0), name
        driver.get(portal.page(f"executions/{portal.run - 1}/propositions/"))
        sides = driver.execute_script(
            "return [...document.querySelectorAll('.props > .prop')].map(p => [p.children[1], p.lastElementChild])"
            ".filter(([a, b]) => b.classList.contains('more') === false)"
            ".map(([a, b]) => b.getBoundingClientRect().left - a.getBoundingClientRect().right)"
        )
        assert sides and min(sides) >= 0


def test_a_name_of_sixty_letters_without_a_space_widens_no_page(portal, tmp_path):
    named = "main :is(h1, h2, h3, legend, dd, p.lede, .path span, .stack th a)"
    rename = f"document.querySelectorAll('{named}').forEach(e => e.textContent = 'E'.repeat(60))"
    wide = []
    with chromium(tmp_path / "profile") as driver:
        sign_in(driver, portal, "decideur")
        for name in ("usecase", "deposits", "deposit", "runs", "run", "proposals", "truth", "inbox", "register_entry"):
            driver.get(portal.page(pages(portal)[name][1]))
            driver.execute_script(rename)
            for width in (320, 1280):
                resize(driver, width)
                if overflow(driver) > 0:
                    wide.append(f"{name} at {width}: {overflow(driver)} px too wide")
    assert not wide, "\n".join(wide)


_WORDS_OF_DRAWINGS = """
return [...document.querySelectorAll('main svg text')].filter(t => t.getClientRects().length).map(t => {
  const svg = t.ownerSVGElement, box = t.getBoundingClientRect();
  const size = parseFloat(getComputedStyle(t).fontSize) * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
  return [t.textContent, size, box.left, box.right];
});
"""


def test_the_words_of_drawings_are_neither_small_nor_stretched(portal, tmp_path):
    faults = []
    with chromium(tmp_path / "profile") as driver:
        sign_in(driver, portal, "decideur")
        for width in (320, 375, 640, 768, 1024, 1280):
            # 640 px at two device pixels each is a screen of 1280 at 200 % zoom.
            resize(driver, width, scale=2 if width == 640 else 1)
            seen = 0
            for name in ("register_entry", "run", "proposals"):
                driver.get(portal.page(pages(portal)[name][1]))
                for text, size, left, right in driver.execute_script(_WORDS_OF_DRAWINGS):
                    seen += 1
                    if not 12.9 <= size <= 17 or left < -1 or right > width + 1:
                        faults.append(f"{name} at {width}: « {text} » at {size:.1f} px, from {left:.0f} to {right:.0f}")
            assert seen > 20, width
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


@pytest.fixture
def broken(portal):
    """The portal without one of its tables, as after a lost disk: every page that needs it fails."""
    rename = "from django.db import connection; connection.cursor().execute('ALTER TABLE {} RENAME TO {}')"
    portal.server.python(rename.format("deposits_deposit", "elsewhere"))
    yield portal
    portal.server.python(rename.format("elsewhere", "deposits_deposit"))


def sent_too_much(driver, portal, folder) -> None:
    """413: a file above the limit, through the form of the use case."""
    heavy = folder / "lourd.csv"
    heavy.write_bytes(b"jour;secteur;volume\n" + b"2026-01-01;Nord;1\n" * 1_300_000)
    driver.get(portal.page(f"cas-d-usage/{SLUG}/"))
    driver.find_element("css selector", "main input[type=file]").send_keys(str(heavy))
    driver.find_element("xpath", '//main//button[contains(., "Déposer")]').click()


def sent_wrong(driver, portal, folder) -> None:
    """422: a wrong current password."""
    driver.get(f"{portal.url}/connexion/")
    driver.find_element("name", "email").send_keys("personne@brenoux.example")
    driver.find_element("name", "password").send_keys("faux")
    driver.find_element("xpath", '//main//form//button[@class="btn"]').click()


def sent_nothing_readable(driver, portal, folder) -> None:
    """422 of a form of the space: a token without a right."""
    driver.get(portal.page("jetons/"))
    driver.find_element("name", "name").send_keys("essai")
    driver.find_element("xpath", '//main//button[contains(., "Créer le jeton")]').click()


@pytest.mark.parametrize(
    ("role", "do", "says"),
    [
        ("agent", sent_too_much, "trop lourd"),
        ("public", sent_wrong, "ne convient pas"),
        ("administrateur", sent_nothing_readable, "au moins un droit"),
    ],
    ids=["413", "422 sign-in", "422 form"],
)
@pytest.mark.parametrize("width", [1280, 390])
def test_refusals_are_as_accessible_as_pages(portal, tmp_path, role, do, says, width):
    with chromium(tmp_path / "profile", width=width) as driver:
        sign_in(driver, portal, role)
        do(driver, portal, tmp_path)
        # A heavy file leaves slowly: the page that answers may come after the click returned.
        wait_for_text(driver, says)
        assert not axe_violations(driver, axe_source()) and overflow(driver) <= 0


@pytest.mark.parametrize("width", [1280, 390])
def test_a_fault_of_the_server_is_a_page_that_says_so(broken, tmp_path, width):
    with chromium(tmp_path / "profile", width=width) as driver:
        sign_in(driver, broken, "agent")
        driver.get(broken.page("depots/"))
        text = driver.find_element("tag name", "main").text
        assert "Erreur 500" in text and "pas de vous" in text and "Traceback" not in text
        assert not axe_violations(driver, axe_source()) and overflow(driver) <= 0
