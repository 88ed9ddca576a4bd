"""Conversations as people hold them, on the demonstration's pages: a message keeps, replaces or leaves the subject of the one before."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bocage.assistant import demo
from bocage.assistant.answer_types import Answer, Author, Kind, Turn
from bocage.assistant.answers import answer_from
from bocage.assistant.documents import Audience, Document, Origin, Passage
from bocage.assistant.finding import Found, Match
from bocage.assistant.following import leans, subject_before
from bocage.assistant.index import build
from bocage.assistant.library import Library
from bocage.assistant.sources import read_source

NOW = datetime(2026, 11, 23, 10, tzinfo=ZoneInfo("Europe/Paris"))
RECYCLING = "la déchetterie de Brenoux est ouverte samedi ?"


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Library:
    """The pages, services and pairs of the demonstration."""
    documents = [document for kind, path in demo.SOURCES.items() for document in read_source(kind, path).documents]
    named = [replace(document, id=f"{document.origin}:{document.id}") for document in documents]
    return Library((build(named, tmp_path_factory.mktemp("index")),))


@pytest.fixture
def talk(library):
    """The last answer to messages sent one after the other."""

    def held(*messages: str) -> Answer:
        history: list[Turn] = []
        given = None
        for message in messages:
            given = answer_from(library, message, history, Audience.CITIZENS, NOW)
            history += [Turn(Author.CITIZEN, message), Turn(Author.MACHINE, given.text)]
        return given

    return held


def title(given: Answer) -> str:
    return given.sentences[0].title if given.sentences else ""


def test_the_subject_is_kept_from_one_follow_up_to_the_next_and_past_the_thanks(talk):
    asked = ["la mairie de Brenoux ouvre à quelle heure ?", "et le samedi ?", "merci", "et le dimanche ?"]
    given = talk(*asked)
    assert title(given) == "Mairie de Brenoux" and given.notice.startswith("Dimanche 29\u00a0novembre : fermé.")
    assert title(talk(*asked[:2])) == "Mairie de Brenoux" and "Samedi 28\u00a0novembre : ouvert" in talk(*asked[:2]).notice


@pytest.mark.parametrize("then", ["combien ça coûte ?", "quels papiers ?", "ça prend combien de temps ?", "et si je l’ai perdue ?"])
def test_a_message_that_names_nothing_is_about_what_was_asked(talk, then):
    assert title(talk("comment refaire ma carte d’identité ?", "et pour mon fils ?", then)).startswith("Carte d’identité")


def test_a_message_that_names_nothing_is_never_answered_about_something_else(talk):
    given = talk("comment changer de prénom", "ça coûte combien ?")
    assert given.kind is Kind.REFUSAL or "prénom" in " ".join(s.text for s in given.sentences)


def test_a_place_is_replaced_and_the_question_stays(talk):
    for then in ("et celle de Marsanne ?", "et celle de marsanne ?"):
        given = talk(RECYCLING, then)
        assert (
            title(given) == "Déchetterie de Marsanne-le-Haut"
            and given.notice == "Samedi 28\u00a0novembre : ouvert de 9\u00a0h à 12\u00a0h."
        )
    assert "Dimanche 29" in talk(RECYCLING, "et celle de Marsanne ?", "et dimanche ?").notice


def test_somebody_elses_file_is_refused_after_another_question_too(talk):
    assert "dossier d’une autre personne" in talk("où en est ma demande de logement social ?", "et celle de Mme Martin ?").reason


@pytest.mark.parametrize("correction", ["non je voulais dire la médiathèque", "pardon, la médiathèque", "la médiathèque plutôt"])
def test_what_is_corrected_is_asked_in_the_same_way(talk, correction):
    given = talk("horaires de la piscine", correction)
    assert title(given) == "Médiathèque de Brenoux" and "mardi : de 15\u00a0h à 18\u00a0h\u00a030" in given.notice
    assert "Samedi 28" in talk("horaires de la piscine", correction, "et le samedi ?").notice


@pytest.mark.parametrize(
    ("before", "then", "found"),
    [
        ("prix de la cantine", "je veux construire un abri de jardin", "Travaux"),
        ("je veux construire un abri de jardin", "horaires de la piscine", "Piscine"),
        ("horaires de la mairie de Brenoux", "si mon bac est cassé je fais quoi ?", "bac"),
        ("horaires de la mairie de Brenoux", "pour inscrire ma fille à la cantine il faut quoi ?", "cantine"),
        ("prix de la cantine", "mon bac est cassé", "bac"),
    ],
)
def test_another_subject_is_another_question(talk, before, then, found):
    assert found in title(talk(before, then))


def test_the_situation_is_told_in_ones_own_words_or_asked_again_in_other_words(talk):
    asked = "je déménage, qu’est-ce que je dois faire pour l’eau ?"
    first, again = talk(asked), talk(asked, "je suis locataire")
    assert (first.kind, again.kind) == (Kind.CLARIFY, Kind.CLARIFY) and [o.label for o in first.options] == [o.label for o in again.options]
    assert first.reason.endswith("Laquelle est la vôtre ?") and "Je ne l’ai pas reconnue dans vos mots" in again.reason
    given = talk(asked, "je suis locataire", "je viens d’arriver")
    assert given.kind is Kind.ANSWER and {s.case for s in given.sentences} == {("Vous arrivez",)}
    assert title(talk(asked, "horaires de la médiathèque")) == "Médiathèque de Brenoux", "another question is no situation"


def test_of_two_places_of_one_kind_the_one_meant_is_asked_back(talk):
    given = talk("la déchetterie est ouverte samedi à 17 h ?")
    assert given.kind is Kind.CLARIFY and not given.sentences and not given.notice
    assert {o.label for o in given.options} == {"Déchetterie de Brenoux", "Déchetterie de Marsanne-le-Haut"}
    for option in given.options:
        chosen = talk("la déchetterie est ouverte samedi à 17 h ?", option.question)
        assert title(chosen) == option.label and "28\u00a0novembre" in chosen.notice
    assert title(talk("la déchetterie est ouverte samedi à 17 h ?", "à Brenoux")) == "Déchetterie de Brenoux"
    assert title(talk("numéro de la mairie de Marsanne")) == "Mairie de Marsanne-le-Haut"
    assert title(talk("quel service s’occupe des déchets ?")) == "Service des déchets", "no service is like another"


class OneService:
    """Finds one service, whatever is asked."""

    def find(self, question: str, audience: Audience, limit: int = 8) -> Found:
        document = Document("m", "Médiathèque de Brenoux", Origin.DIRECTORY, (Passage("Les livres se prêtent et se paient en ligne."),))
        return Found((Match(document, 1.0, 0.9, (1.0,)),), accepted=True)


@pytest.mark.parametrize(
    ("message", "left"),
    [
        (
            "je voudrais savoir où est la médiathèque et aussi comment inscrire ma fille à la cantine",
            "comment inscrire ma fille à la cantine",
        ),
        ("comment inscrire ma fille au judo ? Et où se trouve la médiathèque ?", "comment inscrire ma fille au judo ?"),
        ("où est la médiathèque et comment on fait pour payer ?", ""),
        ("où est la médiathèque et à quelle heure ça ouvre ?", ""),
        ("où est la piscine et comment inscrire ma fille à la cantine ?", ""),
    ],
)
def test_of_two_questions_in_one_message_the_one_left_is_offered(message, left):
    options = answer_from(OneService(), message, (), Audience.CITIZENS, NOW).options
    assert [(o.label, o.question) for o in options] == ([(f"Votre autre question : {left}", left)] if left else [])


def test_an_annexe_is_not_meant_unless_it_is_named(library, tmp_path):
    (tmp_path / "annuaire.toml").write_text(
        "".join(
            f'[[service]]\nid = "s{n}"\nnom = "{name}"\nadresse = "{n} rue du Four"\ntelephone = "02 61 91 40 1{n}"\n'
            for n, name in enumerate(["Mairie annexe du Port", "Mairie de Montbréval", "Mairie annexe du Lac"])
        ),
        encoding="utf-8",
    )
    shelf = Library((build(read_source("annuaire", tmp_path / "annuaire.toml").documents, tmp_path / "index"),))

    def asked(question: str) -> Answer:
        return answer_from(shelf, question, (), Audience.CITIZENS, NOW)

    assert title(asked("numéro de téléphone de la mairie")) == "Mairie de Montbréval"
    assert title(asked("téléphone de la mairie annexe du Lac")) == "Mairie annexe du Lac"
    assert {o.label for o in asked("téléphone de la mairie annexe").options} == {"Mairie annexe du Port", "Mairie annexe du Lac"}


@pytest.mark.parametrize(
    ("text", "leaning"),
    [
        ("et le samedi ?", True),
        ("merci, et la piscine ?", True),
        ("combien ça coûte ?", True),
        ("celle de la gare", True),
        ("on peut y mettre du plâtre ?", True),
        ("où est la mairie ?", False),
        ("horaires mairie", False),
        ("il y a une piscine ?", False),
        ("y a-t-il une piscine ?", False),
        ("la carte grise", False),
        ("et comment je fais pour inscrire ma fille au collège de Valcourt en section sport ?", False),
    ],
)
def test_what_leans_says_so(text, leaning):
    assert leans(text) is leaning


@pytest.mark.parametrize("told", ["il a 12 ans", "c’est pour un bébé", "c’est pour mon fils de 14 ans", "pour ma mère"])
def test_an_age_or_for_whom_it_is_calls_no_emergency_after_a_question(talk, told):
    given = talk("quels papiers pour un passeport ?", told)
    assert given.kind is not Kind.EMERGENCY and not [step for step in given.steps if step.target in ("119", "15")]
    assert title(given).startswith("Carte d’identité et passeport")


@pytest.mark.parametrize(
    "cry", ["il a une arme", "il me frappe", "c’est pour une overdose", "mon bébé ne respire plus", "il a 12 ans et il saigne"]
)
def test_a_cry_is_one_whatever_was_asked_before(talk, cry):
    assert talk("quels papiers pour un passeport ?", cry).kind is Kind.EMERGENCY
    assert talk("mon bébé ne respire plus", "c’est pour un bébé").kind is Kind.EMERGENCY, "after a cry, all counts"


@pytest.mark.parametrize("then", ["à qui je m’adresse ?", "leur numéro ?", "qu’est-ce que je dois faire ?"])
def test_a_message_that_names_nobody_asks_for_nobodys_file(talk, then):
    given = talk("bonjour je voudrais inscrire ma fille au centre de loisirs", then)
    assert "dossier d’une autre personne" not in f"{given.notice} {given.reason}"
    assert "centre de loisirs" in title(given) or given.kind is Kind.REFUSAL


@pytest.mark.parametrize("then", ["où en est son dossier ?", "et celle de Mme Martin ?", "elle a demandé quoi ?"])
def test_a_message_that_names_somebody_or_their_file_still_does(talk, then):
    given = talk("comment demander un logement social ?", then)
    assert "dossier d’une autre personne" in f"{given.notice} {given.reason}"


def test_what_was_told_last_is_kept_with_what_was_asked():
    def said(*texts: str) -> list[Turn]:
        return [Turn(Author.CITIZEN, text) for text in texts]

    assert subject_before(said("comment refaire ma carte ?", "et pour mon fils ?", "combien ça coûte ?")) == (
        "comment refaire ma carte et pour mon fils ?"
    )
    assert subject_before(said("horaires de la mairie", "je veux parler à quelqu’un", "merci")) == "horaires de la mairie"
    assert subject_before(said("et le samedi ?")) == "et le samedi ?" and subject_before([]) == ""
    assert len(subject_before(said("carte " * 500, "et pour mon fils ?"))) <= 2000
