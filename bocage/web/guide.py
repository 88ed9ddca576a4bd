"""The guide of those who use the portal: its pages, in the order in which they are met. Their text stands in ``templates/web/guide``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """One page of the guide: the last word of its address, its title, and the question that it answers."""

    slug: str
    title: str
    question: str
    part: str


_PATH, _AFTER, _PEOPLE, _KEEPING, _WORDS = (
    "Du fichier à la décision",
    "Après la décision",
    "Avec les habitants",
    "Tenir le portail",
    "Les mots",
)
TOPICS = (
    Topic("deposer", "Déposer un fichier", "Quel fichier donner, et que faire des lignes refusées ?", _PATH),
    Topic("calculer", "Lancer un calcul", "Que se passe-t-il entre le dépôt et les propositions ?", _PATH),
    Topic("proposition", "Lire une proposition", "Que dit la machine, avec quelle certitude, et que ne sait-elle pas ?", _PATH),
    Topic("decider", "Décider", "Comment accepter, modifier ou refuser, et que devient la décision ?", _PATH),
    Topic("realite", "Apporter ce qui s’est passé", "Comment savoir si la machine a fait mieux que la méthode habituelle ?", _AFTER),
    Topic("registre", "Le registre public", "Que voit le public, et qui le publie ?", _AFTER),
    Topic("journal", "Vérifier le journal", "Comment prouver que rien n’a été changé ?", _AFTER),
    Topic("repondre", "Répondre aux habitants", "Comment prendre une demande, répondre, et améliorer les réponses ?", _PEOPLE),
    Topic("administrer", "Administrer", "Qui peut faire quoi, et comment donner un rôle ?", _KEEPING),
    Topic("api", "Brancher un autre logiciel", "Comment un logiciel peut-il déposer et lire à la place d’une personne ?", _KEEPING),
    Topic("mots", "Les mots du portail", "Que veulent dire exécution, intervalle, dérive… ?", _WORDS),
)
BY_SLUG = {topic.slug: topic for topic in TOPICS}


def neighbours(topic: Topic) -> tuple[Topic | None, Topic | None]:
    """The pages before and after ``topic``."""
    place = TOPICS.index(topic)
    return TOPICS[place - 1] if place else None, TOPICS[place + 1] if place + 1 < len(TOPICS) else None
