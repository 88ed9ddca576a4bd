"""The portal heard instead of seen, and gone through with the keyboard: what the browser tells a screen reader, page by page."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import Any

import pytest

from tests.browser.chromium import available, chromium, sign_in
from tests.browser.world import World, pages

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not available(), reason="Debian's chromium and chromium-driver are not installed"),
]
# Roles of the accessibility tree that a person acts on: one without a name is « bouton », and no more.
CONTROLS = {
    "button", "link", "textbox", "searchbox", "checkbox", "radio", "combobox", "listbox", "spinbutton", "progressbar", "DisclosureTriangle",
}  # fmt: skip
# For each control, what a list of the controls of the page says of it (its name and that of its group), and what it does.
ACTS = """
const said = e => e.textContent.replace(/\\s+/g, ' ').trim() || e.getAttribute('aria-label') || '';
const group = e => { const legend = e.closest('fieldset')?.querySelector('legend'); return legend ? said(legend) + ' / ' : ''; };
const hidden = form => [...form.querySelectorAll('input[type=hidden]')].filter(i => !/csrf|jeton/.test(i.name)).map(i => i.value).join();
const does = b => [b.form ? b.form.action + hidden(b.form) : '', b.name, b.value].join('|');
return [
  ...[...document.querySelectorAll('main a[href]')].map(a => ['link', said(a), a.href]),
  ...[...document.querySelectorAll('main button')].map(b => ['button', group(b) + said(b), does(b)]),
  ...[...document.querySelectorAll('main summary')].map((s, i) => ['summary', said(s), i]),
  ...[...document.querySelectorAll('main :is(input:not([type=hidden]), select, textarea)')].map((f, i) =>
    ['field', group(f) + [...f.labels].map(said).join(' '), f.type === 'radio' ? f.name + f.value : i]),
];
"""
STRUCTURE = """
const shown = [...document.querySelectorAll('h1, h2, h3, h4')].filter(h => h.getClientRects().length).map(h => +h.tagName[1]);
const headed = t => t.caption && t.querySelector('thead th') && [...t.querySelectorAll('th')].every(h => h.scope);
const name = n => n.getAttribute('aria-label') || n.getAttribute('aria-labelledby') || '';
const marks = [...document.querySelectorAll('nav, aside, main')].map(n => n.tagName + name(n));
return {title: document.title, headings: shown, tables: [...document.querySelectorAll('table')].filter(t => !headed(t)).length, marks};
"""


def faults_of_names(driver: Any) -> list[str]:
    """Controls without a name, and those that bear one name and do several things."""
    tree = driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    seen = [n for n in tree if not n.get("ignored") and n.get("role", {}).get("value") in CONTROLS]
    assert len(seen) > 3
    nameless = [n["role"]["value"] for n in seen if not n.get("name", {}).get("value", "").strip()]
    does = defaultdict(set)
    for kind, name, act in driver.execute_script(ACTS):
        does[kind, name].add(act)
    return [f"a {role} without a name" for role in nameless] + [
        f"one {k} for {len(a)}: « {n} »" for (k, n), a in does.items() if len(a) > 1
    ]


def faults_of_structure(read: dict[str, Any]) -> list[str]:
    """Headings out of order, tables without caption or headers, parts of the page that bear the same name."""
    levels, marks = read["headings"], read["marks"]
    wrong = [] if levels[:1] == [1] and levels.count(1) == 1 else [f"headings begin with {levels[:3]}"]
    wrong += [f"a heading {b} under a heading {a}" for a, b in pairwise(levels) if b > a + 1]
    wrong += [f"{read['tables']} tables without caption or headers"] if read["tables"] else []
    return wrong + [f"two parts named {mark}" for mark in set(marks) if marks.count(mark) > 1]


def test_every_control_says_what_it_does_and_every_page_its_title(portal: World, tmp_path):
    faults, titles, signed = [], defaultdict(list), None
    with chromium(tmp_path / "profile") as driver:
        for name, (role, path) in sorted(pages(portal).items(), key=lambda item: item[1][0]):
            if role != signed:
                sign_in(driver, portal, role)
                signed = role
            driver.get(portal.page(path))
            read = driver.execute_script(STRUCTURE)
            titles[read["title"]].append(name)
            faults += [f"{name}: {fault}" for fault in faults_of_names(driver) + faults_of_structure(read)]
    assert not faults, "\n".join(faults)
    # The same list with boxes to tick is the same page; so are two conversations of one citizen.
    same = [{"proposals", "proposals_batch"}, {"assistant_talk", "assistant_held"}]
    assert not [names for names in titles.values() if len(names) > 1 and set(names) not in same]


WHERE = """
const e = document.activeElement, box = e.getBoundingClientRect(), style = getComputedStyle(e);
if (e === document.body) return null;
const lines = [...e.getClientRects()].filter(r => r.width && r.height);
const at = r => document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2);
const before = window.stoodOn; window.stoodOn = e;
return {what: e.outerHTML.slice(0, 90), seen: lines.some(r => e.contains(at(r))), ring: style.outlineStyle !== 'none', stuck: before === e};
"""


@pytest.mark.parametrize(("width", "height"), [(1280, 700), (390, 640)], ids=["screen", "phone"])
def test_the_focus_is_always_seen_and_never_stuck(portal: World, tmp_path, width, height):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    faults, signed = [], None
    with chromium(tmp_path / "profile") as driver:
        shape = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", shape)
        for name in ("assistant_talk", "assistant_held", "usecase", "proposals", "proposals_batch", "inbox_held"):
            role, path = pages(portal)[name]
            if role != signed:
                sign_in(driver, portal, role)
                signed = role
            driver.get(portal.page(path))
            stops = 0
            while True:
                ActionChains(driver).send_keys(Keys.TAB).perform()
                at = driver.execute_script(WHERE)
                if at is None:
                    break
                stops += 1
                assert stops < 120, f"{name}: the end of the page is never reached"
                faults += [
                    f"{name}: {fault}: {at['what']}"
                    for fault, is_one in (("hidden", not at["seen"]), ("no ring", not at["ring"]))
                    if is_one
                ]
                assert not at["stuck"], f"{name}: {at['what']}"
            assert stops > 10, name
    assert not faults, "\n".join(faults)


def refused(driver: Any, button: str) -> Any:
    """Press ``button``; once the page that refuses has come, what has the focus."""
    from selenium.webdriver.support.ui import WebDriverWait

    driver.find_element("css selector", button).click()
    WebDriverWait(driver, 20).until(lambda d: d.title.startswith("Erreur"))
    return WebDriverWait(driver, 5).until(lambda d: d.switch_to.active_element.tag_name != "body" and d.switch_to.active_element)


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_refused_form_is_corrected_without_looking_for_the_fault(portal: World, tmp_path, javascript):
    with chromium(tmp_path / "profile", javascript=javascript) as driver:
        driver.get(f"{portal.url}/connexion/")
        driver.find_element("name", "email").send_keys("personne@brenoux.example")
        driver.find_element("name", "password").send_keys("faux")
        held = refused(driver, "form.signin .btn")
        assert held.get_attribute("id") == "erreur" and "ne convient pas" in held.text
        sign_in(driver, portal, "decideur")
        driver.get(portal.page(f"executions/{portal.run}/propositions/?lot=1"))
        driver.find_element("css selector", "#lot input[value=acceptee]").click()
        held = refused(driver, "#lot .btn")
        assert "Aucune ligne n’est cochée" in held.text.replace("\u202f", " ")


def test_a_refused_decision_brings_back_to_its_field(portal: World, tmp_path):
    """The address names the line, and a browser then sets no focus by itself: the script does."""
    with chromium(tmp_path / "profile") as driver:
        sign_in(driver, portal, "decideur")
        driver.get(portal.page(f"executions/{portal.run}/propositions/3/"))
        driver.find_element("css selector", "form.decide input[value=refusee]").click()
        assert refused(driver, "form.decide .btn").get_attribute("id") == "motif"


def test_the_draft_is_copied_by_hand_where_the_browser_lends_no_clipboard(portal: World, tmp_path):
    """Without a script there is no dead button; on a plain intranet, where the clipboard is not lent, the text is selected."""
    address = portal.page(pages(portal)["agent_talk"][1])
    with chromium(tmp_path / "without", javascript=False) as driver:
        sign_in(driver, portal, "decideur")
        driver.get(address)
        assert not driver.find_element("css selector", "[data-copies]").is_displayed()
        assert driver.find_element("id", "brouillon-h").is_displayed()
    with chromium(tmp_path / "with") as driver:
        sign_in(driver, portal, "decideur")
        driver.get(address)
        driver.execute_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
        driver.find_element("css selector", "[data-copies]").click()
        field = driver.switch_to.active_element
        assert field.get_attribute("id") == "brouillon"
        assert driver.execute_script("const f = arguments[0]; return f.selectionEnd - f.selectionStart === f.value.length", field)
        assert "Texte sélectionné" in driver.find_element("id", "annonce").get_attribute("textContent")
