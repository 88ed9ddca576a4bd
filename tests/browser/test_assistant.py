"""The assistant in a real browser: the page without reloading, the widget on a foreign site with a strict policy, two people at once."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.browser.chromium import available, axe_source, axe_violations, chromium, overflow, sign_in
from tests.browser.world import ORGANISATION, World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not available(), reason="Debian's chromium and chromium-driver are not installed"),
]
PASSAGE = "La déchetterie de Brenoux est ouverte du mardi au samedi"


def until(condition, what: str, seconds: float = 30):
    """What ``condition()`` gives once it is true; the page may be changing under it."""
    from selenium.common.exceptions import WebDriverException

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if found := condition():
                return found
        except WebDriverException:
            pass
        time.sleep(0.1)
    raise AssertionError(f"never came: {what}")


def main_text(driver) -> str:
    return driver.find_element("tag name", "main").text.replace("\u202f", " ").replace("\u00a0", " ")


def press(driver, text: str, within: str = "//main") -> None:
    driver.find_element("xpath", f'{within}//button[contains(normalize-space(.), "{text}")]').click()


def test_ask_and_reach_a_person_without_one_reload(portal: World, tmp_path):
    with chromium(tmp_path / "citizen") as citizen, chromium(tmp_path / "agent") as agent:
        citizen.get(portal.page("assistant/"))
        citizen.execute_script("window.sameDocument = true")
        citizen.find_element("id", "texte").send_keys("Déchetterie le samedi ?")
        press(citizen, "Chercher la réponse")
        until(lambda: PASSAGE in main_text(citizen), "the passage")
        assert len(citizen.current_url.rstrip("/").rsplit("/", 1)[-1]) >= 43, "the address has become the conversation's own"
        assert citizen.find_element("id", "texte").get_attribute("value") == ""
        press(citizen, "Demander une personne")
        until(lambda: "Quel service" in main_text(citizen), "the services")
        press(citizen, "Urbanisme")
        until(lambda: "Votre demande attend : Urbanisme" in main_text(citizen), "the queue")
        citizen.find_element("id", "texte").send_keys("Je garde ce brouillon")

        sign_in(agent, portal, "agent")
        agent.get(portal.page("boite/"))
        assert "Déchetterie le samedi" in main_text(agent), main_text(agent)
        agent.find_element("xpath", '//main//h3/a[contains(normalize-space(.), "Déchetterie le samedi")]').click()
        press(agent, "Prendre la demande")
        until(lambda: "Vous tenez cette conversation" in main_text(agent), "the take-over")
        agent.find_element("id", "texte").send_keys("Bonjour, je vous réponds moi-même.")
        press(agent, "Envoyer la réponse")

        until(lambda: "Bonjour, je vous réponds moi-même." in main_text(citizen), "the agent's words, by themselves")
        assert "La machine se tait" in main_text(citizen)
        assert citizen.find_element("id", "texte").get_attribute("value") == "Je garde ce brouillon", "what is being typed stays"
        press(citizen, "Envoyer")
        until(lambda: "Je garde ce brouillon" in main_text(agent), "the citizen's words at the agent's")
        assert citizen.execute_script("return window.sameDocument") is True, "the page was reloaded"
        assert axe_violations(citizen, axe_source()) == []


def test_the_same_without_javascript(portal: World, tmp_path):
    with chromium(tmp_path / "profile", javascript=False, width=390) as driver:
        driver.get(portal.page("assistant/"))
        driver.find_element("id", "texte").send_keys("logement : qui paie ?")
        press(driver, "Chercher la réponse")
        until(lambda: "Cela dépend de votre situation" in main_text(driver), "the question back")
        press(driver, "Vous êtes locataire")
        until(lambda: "La demande de carte grise se fait en ligne" in main_text(driver), "the answer to the choice")
        press(driver, "Demander une personne")
        until(lambda: "Votre demande est enregistrée" in main_text(driver), "the request")
        press(driver, "Retirer ma demande")
        until(lambda: "Vous avez retiré votre demande" in main_text(driver), "the withdrawal")


def test_with_the_keyboard_alone(portal: World, tmp_path):
    from selenium.webdriver.common.keys import Keys

    with chromium(tmp_path / "profile") as driver:
        driver.get(portal.page("assistant/"))

        def tab_to(condition: str) -> None:
            for _ in range(60):
                driver.switch_to.active_element.send_keys(Keys.TAB)
                if driver.execute_script(f"const e = document.activeElement; return {condition}"):
                    return
            raise AssertionError(f"never reached with the keyboard: {condition}")

        tab_to("e.id === 'texte'")
        driver.switch_to.active_element.send_keys("déchetterie")
        tab_to("e.tagName === 'BUTTON' && e.value === 'question'")
        driver.switch_to.active_element.send_keys(Keys.ENTER)
        until(lambda: PASSAGE in main_text(driver), "the passage")
        assert driver.execute_script("return document.activeElement.id") == "dernier", "the focus is on what has come"
        tab_to("e.value === 'personne'")
        driver.switch_to.active_element.send_keys(Keys.ENTER)
        until(lambda: "Votre demande est enregistrée" in main_text(driver), "the request")


def heard(driver) -> str:
    """What the live region has just said."""
    said: str = driver.find_element("id", "annonce").get_attribute("textContent")
    return said


def test_what_is_announced_is_what_has_happened_and_the_focus_never_falls(portal: World, tmp_path):
    focus = "return document.activeElement.id"
    with chromium(tmp_path / "profile") as driver:
        driver.get(portal.page("assistant/"))
        press(driver, "Demander une personne")
        until(lambda: "Votre demande est enregistrée" in heard(driver), "the request, announced")
        assert driver.execute_script(focus) == "hum", "the part in which the request stands"
        driver.find_element("id", "texte").send_keys("C’est pour un permis")
        press(driver, "Envoyer")
        until(lambda: heard(driver) == "Message envoyé.", "the message, announced")
        assert driver.execute_script(focus) == "dernier"
        press(driver, "Urbanisme")
        until(lambda: "Votre demande est transmise : Urbanisme" in heard(driver).replace("\u00a0", " "), "the service, announced")
        assert driver.execute_script(focus) == "hum"
        press(driver, "Retirer ma demande")
        until(lambda: "Vous avez retiré votre demande" in heard(driver), "the withdrawal, announced")
        driver.find_element("id", "texte").send_keys("déchetterie")
        press(driver, "Chercher la réponse")
        until(lambda: heard(driver) == "Réponse arrivée.", "the answer, announced")
        assert driver.execute_script(focus) == "dernier"


def test_a_form_that_the_server_no_longer_takes_loses_nothing_that_is_typed(portal: World, tmp_path):
    with chromium(tmp_path / "profile") as driver:
        driver.get(portal.page("assistant/"))
        driver.delete_all_cookies()
        driver.find_element("id", "texte").send_keys("Ma longue question")
        press(driver, "Chercher la réponse")
        until(lambda: "n’est plus valable" in main_text(driver), "the reason")
        assert driver.find_element("id", "texte").get_attribute("value") == "Ma longue question"


@contextmanager
def commune_site(portal: World) -> Iterator[str]:
    """A site of the commune on another origin, with a policy that allows no inline style nor script."""
    policy = f"default-src 'none'; script-src {portal.url}; connect-src {portal.url}; style-src 'self'; trusted-types 'none'"
    page = (
        '<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Commune</title>'
        f'<script src="{portal.url}/static/web/assistant-widget.js" defer></script></head><body><main><h1>Commune</h1>'
        f'<bocage-assistant organisation="{ORGANISATION}"></bocage-assistant></main></body></html>'
    )

    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_) -> None:
            pass

    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{site.server_address[1]}"
    finally:
        site.shutdown()


ALLOW = """
from bocage.assistant import configuration
from bocage.assistant.models import AssistantSettings
from bocage.organisations.services import get_organisation
from bocage.organisations.tenancy import organisation_context
with organisation_context(get_organisation({slug!r})):
    AssistantSettings.objects.update(widget_origins=list(configuration._origins([{origin!r}])))
"""


WORDED = """
from bocage.assistant.models import Message
from bocage.organisations.services import get_organisation
from bocage.organisations.tenancy import organisation_context
with organisation_context(get_organisation({slug!r})):
    said = Message.objects.filter(author="machine").last()
    said.answer["worded"] = [{{"text": "C’est ouvert <i>samedi</i>.", "source": 0}}]
    said.save()
"""


def test_the_widget_on_a_foreign_site_with_a_strict_policy(portal: World, tmp_path):
    with commune_site(portal) as site, chromium(tmp_path / "profile", width=390) as driver:
        driver.get(site)

        def inside(script: str):
            return driver.execute_script(f"const root = document.querySelector('bocage-assistant').shadowRoot; {script}")

        until(
            lambda: "pas autorisé" in inside("return root.textContent") or "ne répond pas" in inside("return root.textContent"), "a refusal"
        )
        portal.server.python(ALLOW.format(slug=ORGANISATION, origin=site))
        driver.get(site)
        until(lambda: inside("return !!root.querySelector('textarea')"), "the widget")
        inside("root.querySelector('textarea').value = 'déchetterie <b>samedi</b>'; root.querySelector('button.m').click()")
        until(lambda: PASSAGE in inside("return root.textContent"), "the passage")
        assert "<b>samedi</b>" in inside("return root.querySelector('.you').textContent"), "text stays text"
        assert "1 septembre 2026" in inside("return root.textContent") and inside("return root.querySelector('blockquote + p a').href")
        assert inside("return getComputedStyle(root.querySelector('section')).borderTopWidth") == "4px", "the sheet is applied"
        portal.server.python(WORDED.format(slug=ORGANISATION))
        driver.get(site)
        until(lambda: PASSAGE in inside("return root.textContent"), "the same conversation after a new page")
        shown = inside("return root.textContent")
        assert "par un modèle de langage" in shown and "C’est ouvert <i>samedi</i>. 1" in shown and "Passage 1" in shown
        inside("const b = [...root.querySelectorAll('button')].find(b => b.textContent === 'Demander une personne'); b.focus(); b.click()")
        until(lambda: "Votre demande est enregistrée" in inside("return root.textContent"), "the request")
        refused = [
            e
            for e in driver.get_log("browser")
            if "Content Security Policy" in e["message"] or "content-security-policy" in e["message"].lower()
        ]
        assert not [e for e in refused if "favicon" not in e["message"]], refused
        assert axe_violations_light(driver) == [] and overflow(driver) <= 0
        assert inside("return root.activeElement.getAttribute('aria-label')") == "Parler à une personne", "the focus does not fall"
        inside("root.querySelector('summary').click()")
        assert PASSAGE in inside("return root.textContent") and "ne se défait pas" in inside(
            "return root.querySelector('details').innerText"
        )
        inside("[...root.querySelectorAll('button')].find(b => b.textContent === 'Effacer pour toujours').click()")
        until(lambda: PASSAGE not in inside("return root.textContent"), "the erasure")
        until(lambda: "est effacée" in inside("return root.textContent"), "the word that it is done")


def axe_violations_light(driver) -> list[str]:
    """axe looks into open shadow roots; its script is the driver's, which the page's policy does not bind."""
    return axe_violations(driver, axe_source())


def test_the_widget_is_light():
    import gzip
    from pathlib import Path

    script = Path(__file__).parents[2] / "bocage/web/static/web/assistant-widget.js"
    assert len(gzip.compress(script.read_bytes(), 9)) <= 15_000
