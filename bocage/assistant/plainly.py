"""Whether a page of the organisation plainly says what is asked, though the threshold refuses it.

The probability of an answer was learnt on national sheets and their bank, and on nine towns: a question of three words may be under its
threshold though one passage of the best page holds all three. What is plain to the eye is decided here, on words alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from bocage.assistant.documents import Document, Origin
from bocage.assistant.finding import Match
from bocage.assistant.hours_notation import MONTHS, WEEKDAYS
from bocage.methods.retrieval.text import both_spellings, stems, tokens

_MOST_WORDS = 0.75
_FIRST = 3
_AHEAD = 1.0
"""How far the best page stands before the next, in the ranker's units: e times likelier."""
_SHORT_PAGE = 100
"""Words of a page that is read as one passage."""
_WHEN = frozenset(
    stems(
        [
            *WEEKDAYS, *MONTHS,
            *tokens(
                "aujourd'hui demain hier maintenant actuellement moment matin midi après-midi soir nuit minuit week-end semaine "
                "printemps été automne hiver vacances férié pâques ascension pentecôte toussaint noël armistice heure heures quand jusque "
                "entre prochain ouvert ouverte ouvre ouvrir fermé fermée ferme fermer horaire horaires"
            ),
        ]
    )
)  # fmt: skip
"""What a question says of the moment, or asks of any service: no page has to hold it."""
ASKING = _WHEN | frozenset(
    stems(
        tokens(
            "combien coût coûte coûter prix tarif cher payer payant gratuit gratuite comment où qui quel quelle pourquoi numéro "
            "téléphone adresse mail courriel contact contacter joindre appeler date jour jours faire fait avoir savoir connaître trouver "
            "trouve aller venir demander demande besoin cherche chercher voudrais veux peux peut possible faut dois doit bonjour merci svp "
            "madame monsieur ici chez mettre prendre obtenir service mairie commune ville village gens personne"
        )
    )
)
"""How one asks, and whom: words that fit every page, hence say nothing of this one."""


def plain_answer(question: str, asked: Sequence[str], matches: Sequence[Match]) -> Match | None:
    """The match that plainly answers, if any. ``asked``: the words of the question as search read them, spelling corrected."""
    for match in matches[:_FIRST]:
        if match.document.origin is not Origin.NATIONAL and (_is_its_answer(question, match.document) or _says(question, match.document)):
            return match
    first = matches[0] if matches else None
    if first is None or first.document.origin is Origin.NATIONAL:
        return None
    ahead = len(matches) < 2 or first.score - matches[1].score >= _AHEAD
    return first if ahead and _says_at_once(asked, first.document) else None


def _is_its_answer(question: str, document: Document) -> bool:
    """Whether it is the answer that a person wrote to that very question."""
    words = set(stems(tokens(question)))
    return document.origin is Origin.CURATED and any(words == set(stems(tokens(known))) for known in document.questions)


def _says(question: str, document: Document) -> bool:
    """Whether the page holds nearly every word of the question, one of them in its title."""
    asked = _subjects(stems(tokens(question))) - _WHEN
    return bool(asked & titled(document)) and len(asked & said_in(document)) >= _MOST_WORDS * len(asked)


def _says_at_once(asked: Sequence[str], document: Document) -> bool:
    """Whether one passage, under its headings and its title, holds every word of the question that is about something."""
    subjects = _subjects(stems(asked)) - ASKING
    named = titled(document)
    texts = [" ".join((passage.text, *passage.path)) for passage in document.passages]
    if len(" ".join(texts).split()) <= _SHORT_PAGE:
        texts = [" ".join(texts)]
    return bool(subjects) and any(subjects <= named | frozenset(both_spellings(stems(tokens(text)))) for text in texts)


def titled(document: Document) -> frozenset[str]:
    """The words of its title and of the questions that it is known to answer, as stems."""
    return frozenset(both_spellings(stems(tokens(" ".join((document.title, *document.questions))))))


def said_in(document: Document) -> frozenset[str]:
    """The words of its title, its headings and its passages, as stems."""
    texts = (" ".join((passage.text, *passage.path)) for passage in document.passages)
    return titled(document) | frozenset(both_spellings(stems(word for text in texts for word in tokens(text))))


def _subjects(words: Sequence[str]) -> frozenset[str]:
    return frozenset(word for word in words if not any(c.isdigit() for c in word))
