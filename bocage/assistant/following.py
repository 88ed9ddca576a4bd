"""What a message leans on: « et le samedi ? », « combien ça coûte ? », « je suis locataire », « non, je voulais dire la médiathèque ».

The subject is that of the last question that stood on its own, however many messages leaned on it since. A message leans when it begins as
one that goes on, names nothing that a page could be about, or points back (« celle de… », « on peut y mettre… »). Wording is data of the
language, never of a subject: no word here says what is asked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bocage.assistant.answer_types import Author, Turn
from bocage.assistant.documents import Audience, Document, Origin
from bocage.assistant.finding import Finder, Found, Match
from bocage.assistant.places import kind_of
from bocage.assistant.plainly import ASKING, said_in, titled
from bocage.assistant.small_talk import is_small_talk
from bocage.assistant.wants_person import wants_person
from bocage.methods.retrieval.text import fold, stems, tokens

MAX_QUESTION = 2000
SITUATION = "Cela dépend de votre situation"
"""How the machine asks back: what comes next answers it."""
_FEWEST_WORDS, _MOST_SUBJECTS = 2, 3
_GOES_ON = frozenset(["et", "mais", "donc", "aussi", "pareil", "idem"])
_COURTESY = frozenset(["merci", "ok", "bonjour", "rebonjour", "accord", "super", "parfait", "bien", "tres"])
_MAY_GO_ON = frozenset(["pour", "sinon", "alors", "si"])
_PLACES = frozenset(stems(tokens("mairie commune ville village service")))
"""Words that fit every page and are a subject nonetheless: « horaires mairie » stands alone."""
_OF_ANY = (
    (ASKING - _PLACES)
    | frozenset(
        stems(
            tokens(
                "coûte coûtera coûtent coûter délai délais temps longtemps durée dure attente papier papiers document documents pièce "
                "pièces justificatif justificatifs formulaire dossier étape étapes démarche démarches obligatoire obligé ligne internet "
                "courrier guichet rendez-vous rdv ça cela faudra dedans dessus là truc chose comme autre encore aussi possible savoir dire"
            )
        )
    )
)  # fmt: skip
"""What is asked of any subject: a message of these words alone is about the one before."""
_POINTS_BACK = re.compile(
    r"\b(?:celles?|celui|ceux)\b|\b(?:pareil|pareille|idem|la meme chose)\b"
    r"|\bl'(?:ai|as|a|avons|avez|ont|avais|avait)\b"
    r"|(?<!\bil )(?<!\bqu'il )(?<!\bn')(?<!\bil n')\by\b(?! a\b| avait\b| aura\b|-a\b)"
)
_TELLS = re.compile(r"^(?:il|elle|ils|elles|je suis|on est|nous sommes|c'est pour|c'est le|c'est la|c'est un|c'est une)\b")
_OF_ONESELF = re.compile(r"(?:je|j'|moi|on|nous|il|elle|c'est|oui|non)(?:\b|(?<='))")
_ASKS = re.compile(
    r"\?|\b(?:comment|combien|quand|quel\w*|qui|quoi|ou|est-ce|puis-je|peut-on|dois-je|faut-il|voudrais|veux|cherche|besoin)\b"
)
_AGE = r"(?:\d{1,3}|un|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze) (?:ans?|mois|semaines?)(?: et demi)?"
_FOR_WHOM = re.compile(
    rf"(?:(?:et|oui|non|alors) )?(?:(?:il|elle) a {_AGE}|j'ai {_AGE}|(?:il|elle) (?:est|etait) mineure?"
    r"|(?:c'est )?pour (?:un|une|mon|ma|mes|notre|nos|des|deux|trois) (?:bebe|enfant|fils|fille|garcon|mineure?|adulte|etudiante?|mari"
    rf"|femme|epou[sx]e?|conjointe?|compagn(?:on|e)|pere|mere|parent|frere|soeur|grand-?mere|grand-?pere|neveu|niece|petit-?fils|petite-?fille)s?"
    rf"(?: de {_AGE})?)"
)
_SOMEBODYS = re.compile(r"\b(?:dossiers?|demandes?|papiers?|documents?|son|sa|ses|lui|il|elle|ils|elles|quelqu'un|qui est)\b")
_STOPS = re.compile(r"\s*[?!.;…]+(?=\s|$)\s*")
_SHORT = 6
_CORRECTS = re.compile(
    r"^(?:(?:ah|oh|euh|oups|zut|mince|non|pardon|desolee?|en fait|excusez[- ]moi|pas ca)[ ,.!]*)*"
    r"(?:je (?:me suis trompee?|voulais (?:dire|parler (?:de )?|demander)|parl(?:e|ais) d[eu'])|plutot|c'(?:est|etait) plutot)[ ,:]*"
    r"|[ ,]*\b(?:je voulais dire|je veux dire|plutot)\b[ ,.!]*$"
    r"|^(?:non|pardon|oups)[ ,.!]+"
)


@dataclass(frozen=True, slots=True)
class Followed:
    """What is asked once the message is read with what it leans on, what that finds, and the words that may name a moment.

    ``leans``: on an earlier question. ``places``: the message itself names the service of the directory that was found. ``told``: it
    tells the situation that was asked.
    """

    asked: str
    found: Found
    timed: str
    leans: bool = False
    places: bool = False
    told: bool = False


def follow(question: str, history: Sequence[Turn], audience: Audience, finder: Finder) -> Followed:
    """Search ``question``: alone when it stands alone, with the question before when it leans on it, or finds nothing alone."""
    alone = Followed(question, finder.find(question, audience), question)
    before, subjects = subject_before(history), subjects_of(question)
    if not before:
        return alone
    if meant := _corrected(question):
        instead = _instead(meant, before, audience, finder)
        if instead.found.accepted:
            return instead
    if told := _answers_back(question, history, audience, finder):
        return told
    firm = leans(question)
    if not firm and alone.found.accepted and not _may_lean(question):
        return alone
    together = _on(question, before, audience, finder)
    if firm:
        # What names nothing found its page by chance when it was searched alone: saying nothing is better.
        keep = together.found.accepted or not (subjects and alone.found.accepted and _holds(alone.found, subjects))
    else:
        # A page that says nothing of what was asked before was found by chance, too.
        wanted = (subjects_of(before), subjects) if alone.found.accepted else (subjects_of(before),)
        keep = together.found.accepted and _holds(together.found, *wanted)
    return together if keep else alone


def subject_before(history: Sequence[Turn]) -> str:
    """The last question of the person that stood on its own, past thanks, with what they last told that leaned on it; nothing if none."""
    return _joined(*_asked_before(history))


def _asked_before(history: Sequence[Turn]) -> tuple[str, str]:
    """The question that stood on its own, and what was told since."""
    texts = [turn.text for turn in history if turn.author == Author.CITIZEN]
    asked = [text for text in texts if not is_small_talk(text) and not wants_person(text)]
    added = ""
    for text in reversed(asked):
        meant = _corrected(text) or text
        if not leans(meant) and not _tells(meant):
            return meant, added
        if not added and subjects_of(meant):
            added = meant
    first = asked[0] if asked else ""
    return first, added if added != first else ""


def _joined(before: str, then: str) -> str:
    """One question, not two: nothing may cut it where it was joined. The end is kept: it is what was just written."""
    return f"{_STOPS.sub(', ', before).strip(' ,')} {then}"[-MAX_QUESTION:].strip() if then else before


def leans(text: str) -> bool:
    """Whether ``text`` is about what was asked before, by its own words."""
    subjects = subjects_of(text)
    first = next((word for word in tokens(text) if word not in _COURTESY), "")
    goes_on = first in _GOES_ON and len(subjects) <= _MOST_SUBJECTS
    return not subjects or goes_on or bool(_POINTS_BACK.search(_plain(text))) or tells_for_whom(text)


def tells_for_whom(text: str) -> bool:
    """Whether ``text`` says an age or for whom it is, and nothing else: after a question, no cry."""
    return bool(_FOR_WHOM.fullmatch(_plain(text).strip(" .!")))


def names_nobody(text: str) -> bool:
    """Whether ``text`` asks for a place, a price, a number, with no word for a person, nor for anybody's file: « à qui je m'adresse ? »"""
    return not subjects_of(text) and not _SOMEBODYS.search(_plain(text))


def _may_lean(text: str) -> bool:
    """Whether ``text`` is so short, or says so little of what it asks, that it may be about what was asked before."""
    words = tokens(text)
    bare = len(stems(words)) <= _FEWEST_WORDS and not ASKING & set(stems(words)) and not _ASKS.search(_plain(text).replace("?", ""))
    return bare or words[0] in _GOES_ON | _MAY_GO_ON or (len(words) <= _SHORT and _tells(text))


def _tells(text: str) -> bool:
    """Whether ``text`` says something of somebody and asks nothing."""
    plain = _plain(text)
    return bool(_TELLS.match(plain)) and not _ASKS.search(plain)


def _answers_back(question: str, history: Sequence[Turn], audience: Audience, finder: Finder) -> Followed | None:
    """The page that has just asked for one's situation, where ``question`` names one that it knows, or tells in short of oneself; else
    nothing.
    """
    said = next((turn.text for turn in reversed(history) if turn.author == Author.MACHINE), "")
    if not said.startswith(SITUATION):
        return None
    before, added = _asked_before(history)
    found = finder.find(before, audience)
    cases = {label for match in found.matches[:1] for passage in match.document.passages for label in passage.case}
    known = subjects_of(question) & frozenset(stems(tokens(" ".join(cases))))
    own = bool(_OF_ONESELF.match(_plain(question))) and len(tokens(question)) <= _SHORT and not _ASKS.search(_plain(question))
    return (
        Followed(_joined(_joined(before, added), question), found, question, leans=True, told=True)
        if found.accepted and (known or own)
        else None
    )


def _holds(found: Found, *subjects: frozenset[str]) -> bool:
    """Whether the first document says most of what a message is about, of each."""
    return all(says_most(found.matches[0].document, each) for each in subjects)


def says_most(document: Document, subjects: frozenset[str]) -> bool:
    """Whether ``document`` holds most of ``subjects``."""
    return not subjects or len(subjects & said_in(document)) * 2 > len(subjects)


def _among(found: Found, before: Found) -> Found:
    """``found`` with the first of its documents that what was asked before had found too, first; nothing sure where there is none: what
    names nothing brings no subject of its own.
    """
    known = {match.document.id for match in before.matches}
    first = next((match for match in found.matches if match.document.id in known), None)
    if first is None:
        return replace(found, accepted=False)
    return replace(found, matches=(first, *(match for match in found.matches if match is not first)))


def _plain(text: str) -> str:
    return " ".join(fold(text).replace("’", "'").split())


def subjects_of(text: str) -> frozenset[str]:
    """The words that say what it is about."""
    return frozenset(stem for stem in stems(tokens(text)) if not stem.isdigit()) - _OF_ANY


def _corrected(text: str) -> str:
    """What was meant, where ``text`` corrects what was asked; else nothing."""
    plain = " ".join(text.replace("’", "'").split())
    folded = fold(plain)
    if len(folded) != len(plain) or not _CORRECTS.search(folded):
        return ""
    kept = "".join(plain[a:b] for a, b in _gaps(folded)).strip(" ,.;:!")
    return kept if stems(tokens(kept)) else ""


def _gaps(folded: str) -> list[tuple[int, int]]:
    """What the turns of phrase of a correction leave of ``folded``."""
    cuts = [match.span() for match in _CORRECTS.finditer(folded) if match.end() > match.start()]
    return list(zip([0, *(b for _, b in cuts)], [*(a for a, _ in cuts), len(folded)], strict=True))


def _on(question: str, before: str, audience: Audience, finder: Finder) -> Followed:
    """``question`` searched with ``before``."""
    together = _joined(before, question)
    found = finder.find(together, audience)
    if found.intents:
        found = replace(found, matches=found.intents[-1][1] or found.matches, intents=())
    if not subjects_of(question):
        return Followed(together, _among(found, finder.find(before, audience)), question, leans=True)
    first = _named_place(found.matches, subjects_of(question), before, audience, finder)
    if first is None:
        return Followed(together, found, question, leans=True)
    found = replace(found, matches=(first, *(match for match in found.matches if match is not first)), accepted=True)
    # The place alone was replaced: when, is what was asked of the other one.
    return Followed(f"{_asking(before)} {question}".strip(), found, f"{before} {question}", leans=True, places=True)


def _instead(meant: str, before: str, audience: Audience, finder: Finder) -> Followed:
    """What was meant, asked as the question before was."""
    asked = f"{_asking(before)} {meant}".strip()
    return Followed(asked, finder.find(asked, audience), asked, leans=True)


def _asking(text: str) -> str:
    """The words of ``text`` that ask, without what they ask about."""
    return " ".join(word for word in text.split() if not subjects_of(word))


def _named_place(matches: Sequence[Match], subjects: frozenset[str], before: str, audience: Audience, finder: Finder) -> Match | None:
    """Where a service of the directory answered ``before``, the service whose name holds what the message names: of the same kind first."""
    named = [match for match in matches if match.document.origin is Origin.DIRECTORY and subjects <= titled(match.document)]
    if not named:
        return None
    last = finder.find(before, audience)
    if not last.accepted or last.matches[0].document.origin is not Origin.DIRECTORY:
        return None
    same = [match for match in named if kind_of(match.document) & kind_of(last.matches[0].document)]
    return (same or named)[0]
