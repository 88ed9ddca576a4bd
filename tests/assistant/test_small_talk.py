"""What is no question to the town hall gets a reply written beforehand; what is one, or may be French, is searched as ever."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocage.assistant import configuration
from bocage.assistant.answer_types import Answer, Author, Kind, Turn
from bocage.assistant.answers import answer, answer_from
from bocage.assistant.bank import every_question
from bocage.assistant.documents import Audience, Document, Origin, Passage
from bocage.assistant.finding import Found, Match
from bocage.assistant.languages import in_another_script, in_other_words
from bocage.assistant.small_talk import Itself, is_small_talk, small_talk
from bocage.assistant.towns import FOLDER

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
PAGE = Document("p1", "Carte d’identité", Origin.LOCAL, (Passage("La carte d’identité se demande en mairie."),))
ASKED = Turn(Author.CITIZEN, "carte d’identité")


@dataclass
class Shelf:
    """A library that keeps what it was asked, and finds its page as surely as said."""

    confidence: float = 0.0
    asked: list[str] = field(default_factory=list)

    def find(self, question: str, audience: Audience, limit: int = 8) -> Found:
        self.asked.append(question)
        return Found((Match(PAGE, 1.0, self.confidence, (1.0,)),), accepted=self.confidence > 0)


def said(question: str, *before: Turn, shelf: Shelf | None = None) -> Answer:
    return answer_from(shelf or Shelf(), question, before, Audience.CITIZENS, NOW)


def real_questions() -> list[str]:
    """Of the bank and of the towns: what people ask, in French and with all its spellings."""
    towns = (json.loads(line)["q"] for path in FOLDER.glob("*/questions.jsonl") for line in path.read_text("utf-8").splitlines())
    return [*chain.from_iterable(every_question().values()), *towns]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("es-tu un robot ?", "Je suis une machine"),
        ("Bonjour, je parle à un humain ?", "Je suis une machine"),
        ("qui te paie ?", "qui me met en service"),
        ("gardes-tu mes données ?", "effacée après 30 jours"),
        ("tu es qui", "une machine"),
        ("tu es ChatGPT ?", "aucun modèle de langage"),
        ("comment ça marche", "Écrivez votre question"),
        ("merci beaucoup", "Avec plaisir"),
        ("Bonjour !", "Que voulez-vous savoir"),
        ("Au revoir", "bonne continuation"),
        ("t’es nul", "Je n’ai pas su vous aider"),
        ("merci beaucoup c’est gentil", "Avec plaisir"),
        ("ok", "Avec plaisir"),
        ("gracias", "Avec plaisir"),
        ("j’ai encore une question", "Je vous écoute"),
        ("ce n’est pas ma question", "avec d’autres mots"),
        ("vous n’avez pas répondu à ma question !", "avec d’autres mots"),
        ("je comprends rien", "avec d’autres mots"),
        ("non", "avec d’autres mots"),
    ],
)
def test_small_talk_is_answered_and_nothing_is_searched(message, expected):
    shelf = Shelf()
    given_ = said(message, shelf=shelf)
    assert given_.kind == Kind.ANSWER and expected in given_.reason and not given_.sentences and not shelf.asked


@pytest.mark.parametrize(
    "message",
    [
        "bonjour, où est la mairie",
        "merci, et pour un mineur ?",
        "merci de me dire l’heure",
        "robot tondeuse bruit",
        "je ne comprends pas ma facture d’eau",
        "non le samedi",
        "une question sur l’eau",
    ],
)
def test_a_question_with_courtesy_is_a_question(message):
    shelf = Shelf()
    said(message, ASKED, shelf=shelf)
    assert shelf.asked


def test_how_it_works_after_a_question_is_about_that_question():
    shelf = Shelf(0.9)
    assert said("comment ça marche ?", ASKED, shelf=shelf).sentences
    assert small_talk("comment ça marche ?", False, Itself) is None


def test_a_question_leans_on_the_last_one_past_the_thanks():
    shelf = Shelf(0.9)
    said(
        "et pour un mineur ?",
        ASKED,
        Turn(Author.MACHINE, "…"),
        Turn(Author.CITIZEN, "merci beaucoup"),
        Turn(Author.MACHINE, "…"),
        shelf=shelf,
    )
    assert shelf.asked[-1] == "carte d’identité et pour un mineur ?"


@pytest.mark.django_db
def test_what_it_says_of_itself_is_what_the_organisation_has_set(in_brenoux, settings):
    settings.LLM_URL, settings.LLM_MODEL, settings.ALLOWED_HOSTS = "http://127.0.0.1:9/v1", "modele-local", ["portail.example"]
    configuration.change(None, list(Audience), 7, 60, [{"name": "Accueil", "email": "", "hours": ""}], [])
    about = [
        answer(message, [], Audience.CITIZENS, in_brenoux, NOW)
        for message in ("qui te paie ?", "gardes-tu mes données ?", "es-tu une IA ?")
    ]
    assert in_brenoux.name in about[0].reason and "après 7 jours" in about[1].reason
    assert about[2].steps[0].target.endswith(f"portail.example/{in_brenoux.slug}/registre/assistant/")
    assert "modele-local" in answer("tu es ChatGPT ?", [], Audience.CITIZENS, in_brenoux, NOW).reason


FOREIGN = {
    "How do I get a passport?": "I can only read French",
    "what time does the town hall open": "I can only read French",
    "¿Dónde está el ayuntamiento?": "Solo leo francés",
    "Wo ist das Rathaus?": "Ich lese nur Französisch",
    "Dove posso fare la carta d'identità?": "Leggo solo",
    "preciso de inscrever o meu filho na escola": "Só leio francês",
    "Belediye saat kaçta açılıyor?": "Yalnızca",
    "متى تفتح البلدية": "لا أقرأ",
    "Де знаходиться мерія?": "Я читаю лише",
    "Где находится мэрия?": "Я читаю только",
    "市政厅几点开门？": "我只能",
    "Πού είναι το δημαρχείο;": "I can only read French",
}


@pytest.mark.parametrize(("message", "expected"), FOREIGN.items())
def test_another_language_is_answered_in_that_language(message, expected):
    given_ = said(message)
    assert given_.kind == Kind.REFUSAL and given_.reason.startswith(expected)
    assert "Parler à une personne" in given_.reason and "112" in given_.reason


def test_the_language_of_an_answer_is_said_with_it_and_kept():
    foreign = said("متى تفتح البلدية")
    assert foreign.lang == "ar" and Answer.from_json(foreign.to_json()).lang == "ar"
    assert said("merci").lang == ""


def test_a_page_that_plainly_answers_is_given_to_whoever_writes_in_our_letters():
    assert said("how do I get a carte d’identité", shelf=Shelf(0.9)).sentences
    assert not said("متى تفتح البلدية", shelf=Shelf(0.9)).sentences


def test_a_cry_for_help_in_another_language_comes_first():
    assert said("хочу померти").kind == Kind.EMERGENCY


@pytest.mark.parametrize(
    "message",
    [
        "Wo isch d'Mairie",
        "Pelec'h emañ an ti-kêr ?",
        "Ont es la comuna",
        "ki lè lanmeri ka ouvè",
        "induve hè a merria",
        "MAIRIE OUVERTE LE SAMEDI",
        "slt c koi l orair",
        "Mme Da Silva do Carmo",
        "place de la Puerta del Sol",
        "Où est la Via della Pace ?",
        "thé dansant",
        "open data",
        "œ",
        "π",
    ],
)
def test_regional_words_names_capitals_and_sms_are_not_another_language(message):
    assert in_another_script(message) is None and in_other_words(message) is None


def test_no_real_question_is_taken_for_small_talk_or_for_another_language():
    questions = real_questions()
    abroad = [q for q in questions if in_another_script(q) or in_other_words(q)]
    assert len(questions) > 20_000 and not [q for q in questions if small_talk(q, True, Itself)]
    # Questions of the data that are in another language: of a harbour and of a tourist office, and two of French people abroad.
    assert len(abroad) <= 8, abroad


@given(st.text(max_size=200))
def test_any_text_is_read(text):
    is_small_talk(text), in_another_script(text), in_other_words(text)
