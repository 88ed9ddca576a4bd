"""From a question to an answer, in the order in which things matter.

1. Distress or danger: the numbers to call, a person at once. 2. Somebody else's file: never. 3. Another language, or small talk: a reply
written beforehand. 4. What was asked before, when the question leans on it. 5. Search; under the threshold that was calibrated, a polite
refusal with the way to a person. 6. Two requests in one, several places of one kind, or a sheet that depends on the situation: asked
back. 7. Else the best passages,
word for word, with what to do next.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from bocage.assistant.answer_types import Answer, Author, Cited, Kind, Option, Turn
from bocage.assistant.compose import MOST_OPTIONS, Composition, compose
from bocage.assistant.documents import Audience, Document, Step, StepKind
from bocage.assistant.editions import in_force
from bocage.assistant.finding import Finder, Found, Match
from bocage.assistant.following import (
    MAX_QUESTION,
    SITUATION,
    Followed,
    follow,
    leans,
    names_nobody,
    says_most,
    subject_before,
    subjects_of,
    tells_for_whom,
)
from bocage.assistant.hours import said_hours
from bocage.assistant.languages import in_another_script, in_other_words
from bocage.assistant.library import library_of
from bocage.assistant.places import of_one_kind
from bocage.assistant.screening import Emergency, Screening, screen
from bocage.assistant.small_talk import Itself, itself_in, small_talk
from bocage.execution.energy import from_cpu
from bocage.methods.retrieval.question import parts
from bocage.methods.retrieval.text import stems, tokens
from bocage.organisations.models import Organisation

STALE = timedelta(days=365)
_NEAR = 3
_PLAINLY = 0.5
_ONE_QUESTION = 200
"""Characters of a question that is shown to be asked again."""
_NOT_RECOGNISED = "Je ne l’ai pas reconnue dans vos mots : choisissez ci-dessous, ou demandez à une personne."
_OTHER_PEOPLE = "Je ne réponds jamais sur le dossier d’une autre personne."
_OTHER_PEOPLE_WAY = (
    "Elle peut le demander elle-même, ou vous donner procuration ; si elle est mineure ou protégée, son représentant le peut."
)


def answer(question: str, history: Sequence[Turn], audience: Audience, organisation: Organisation, now: datetime) -> Answer:
    """The answer of ``organisation``'s assistant (an ``Answerer``): its own pages and the national sheets."""
    return answer_from(library_of(organisation), question, history, audience, now, lambda: itself_in(organisation))


def answer_from(
    finder: Finder, question: str, history: Sequence[Turn], audience: Audience, now: datetime, itself: Callable[[], Itself] = Itself
) -> Answer:
    """The answer to ``question``. ``now`` is aware, in the commune's time zone; ``history`` is oldest first; ``itself`` gives what the
    assistant says of itself.
    """
    started = time.thread_time()
    said = _answer(" ".join(question[:MAX_QUESTION].split()), history, audience, finder, now, itself)
    return replace(said, joules=from_cpu(time.thread_time() - started).joules)


def _answer(
    question: str, history: Sequence[Turn], audience: Audience, finder: Finder, now: datetime, itself: Callable[[], Itself]
) -> Answer:
    seen = _screened(question, history)
    if seen.emergency is not None and seen.level == "urgence" and not _insists(question, history, seen.emergency.sentence):
        return _emergency(seen.emergency, question)
    of_others = seen.third_party and not _insists(question, history, f"{_OTHER_PEOPLE} {_OTHER_PEOPLE_WAY}")
    # « et celle de Marsanne ? », after the recycling centre, names a place of the directory.
    if of_others and leans(question) and follow(question, history, audience, finder).places:
        of_others = False
    if of_others and not seen.third_doubtful:
        refused = _other_people(question)
        return refused if seen.emergency is None else _with_numbers(refused, seen.emergency)
    written = in_another_script(question) or small_talk(question, not subject_before(history), itself)
    if written is not None:
        return written if seen.emergency is None or seen.doubtful else _with_numbers(written, seen.emergency)
    if not stems(tokens(question)):
        return Answer(Kind.REFUSAL, reason="Écrivez votre question en quelques mots : ce que vous voulez faire, obtenir ou savoir.")
    followed = follow(question, history, audience, finder)
    found = _settled(followed, now.date())
    places = of_one_kind(found.matches, followed.asked, followed.leans)
    if not found.accepted or not found.matches:
        given = _refusal(found, now)
    elif len(found.intents) > 1:
        given = _two_requests(found, now)
    elif len(places) > 1:
        given = _which_place(places, followed.asked)
    else:
        given = _from_document(followed, found, now)
    plain = found.accepted and bool(found.matches) and found.matches[0].confidence >= _PLAINLY
    # Our letters, not our words: a page that plainly answers, read in part, is worth more than being told to write French.
    given = given if plain else in_other_words(question) or given
    if of_others:
        given = _under(f"{_OTHER_PEOPLE} Voici ce que disent les pages publiques.", given) if plain else _other_people(question)
    return given if seen.emergency is None or (seen.doubtful and plain) else _with_numbers(given, seen.emergency)


def _insists(question: str, history: Sequence[Turn], sentence: str) -> bool:
    """Whether these very words were just answered with ``sentence``: they were misread, the person says."""
    before = [turn for turn in history if turn.author in (Author.CITIZEN, Author.MACHINE)][-2:]
    said = [(turn.author, " ".join(turn.text[:MAX_QUESTION].split())) for turn in before]
    return said == [(Author.CITIZEN, question), (Author.MACHINE, sentence)]


def _screened(question: str, history: Sequence[Turn]) -> Screening:
    """What is seen in the message; after a question that was no cry, « il a 12 ans », « leur numéro ? » lean on it and are none either."""
    seen, before = screen(question), subject_before(history)
    if before and (seen.emergency or seen.third_party):
        earlier = screen(before)
        if tells_for_whom(question) and earlier.emergency is None:
            return earlier
        if seen.third_party and names_nobody(question) and not earlier.third_party:
            return replace(seen, third_party=False, third_doubtful=False)
    return seen


def found_first(question: str, audience: Audience, finder: Finder, today: date) -> Found:
    """What a first question of ``audience`` finds, and whether it is answered: what ``answer`` goes by, screening and courtesy apart."""
    question = " ".join(question[:MAX_QUESTION].split())
    return _settled(follow(question, (), audience, finder), today)


def _settled(followed: Followed, today: date) -> Found:
    """What is found, with the edition in force, and of several services of one kind the one that is named, first."""
    matches = in_force(followed.found.matches, followed.asked, today)
    first = of_one_kind(matches, followed.asked, followed.leans)[:1]
    return replace(followed.found, matches=(*first, *(match for match in matches if match not in first)))


def _from_document(followed: Followed, found: Found, now: datetime) -> Answer:
    asked, best = followed.asked, found.matches[0]
    document = best.document
    composed = compose(document, asked, best.passage_scores or None)
    options = tuple(Option(branch, f"{asked} ({branch})") for branch in composed.branches)
    if not composed.passages:
        return Answer(
            Kind.CLARIFY,
            options=options,
            steps=composed.steps,
            reason=f"{SITUATION} (« {document.title} »). {_NOT_RECOGNISED if followed.told else 'Laquelle est la vôtre ?'}",
            confidence=best.confidence,
            near=_near(found.matches[1:], now),
        )
    sentences = tuple(_cited(document, composed, now))
    return Answer(
        Kind.ANSWER,
        sentences=sentences,
        options=(*options, *_left(followed, document)),
        steps=composed.steps,
        notice=said_hours(document, followed.timed, now) or _stale_notice(sentences),
        confidence=best.confidence,
        near=_near(found.matches[1:], now),
    )


def _left(followed: Followed, document: Document) -> tuple[Option, ...]:
    """The questions of a message that ``document``, which answers another of them, says nothing of: never dropped in silence."""
    pieces = () if followed.leans else parts(followed.asked)
    left = [piece for piece in pieces if len(piece) <= _ONE_QUESTION and not says_most(document, subjects_of(piece))]
    return tuple(Option(f"Votre autre question : {piece}", piece) for piece in left[:_NEAR]) if len(left) < len(pieces) else ()


def _cited(document: Document, composed: Composition, now: datetime) -> list[Cited]:
    stale = _is_stale(document, now.date())
    return [
        Cited(
            text=passage.text,
            title=document.title,
            path=passage.path,
            url=document.url,
            updated_on=document.updated_on,
            origin=document.origin,
            licence=document.licence,
            publisher=document.publisher,
            document=document.id,
            stale=stale,
            case=passage.case,
        )
        for passage in composed.passages
    ]


def _is_stale(document: Document, today: date) -> bool:
    return document.updated_on is not None and today - document.updated_on > STALE


def _stale_notice(sentences: Sequence[Cited]) -> str:
    if not any(sentence.stale for sentence in sentences):
        return ""
    return "Cette page a plus de douze mois : vérifiez à son adresse, ou auprès d’une personne, avant d’agir."


def _near(matches: Sequence[Match], now: datetime) -> tuple[Cited, ...]:
    near = []
    for match in matches[:_NEAR]:
        passages = match.document.passages
        if not passages:
            continue
        scores = match.passage_scores or (0.0,) * len(passages)
        best = max(range(len(passages)), key=lambda i: (scores[i], -i))
        near += _cited(match.document, Composition((passages[best],)), now)
    return tuple(near)


def _two_requests(found: Found, now: datetime) -> Answer:
    options = tuple(Option(matches[0].document.title, asked) for asked, matches in found.intents if matches)
    return Answer(
        Kind.CLARIFY,
        options=options,
        reason="Vous posez deux questions. Par laquelle commençons-nous ?",
        confidence=found.matches[0].confidence,
        near=_near([matches[0] for _, matches in found.intents if matches], now),
    )


def _which_place(places: Sequence[Match], asked: str) -> Answer:
    titles = [match.document.title for match in places[:MOST_OPTIONS]]
    return Answer(
        Kind.CLARIFY,
        options=tuple(Option(title, f"{asked} ({title})") for title in titles),
        reason="Il y en a plusieurs. De quel lieu parlez-vous ?",
        confidence=places[0].confidence,
    )


def _refusal(found: Found, now: datetime) -> Answer:
    return Answer(
        Kind.REFUSAL,
        reason="Je ne trouve pas de réponse sûre dans les pages que je peux lire. Dites-le autrement, ou demandez à une personne.",
        confidence=found.matches[0].confidence if found.matches else 0.0,
        near=_near(found.matches, now),
    )


def _emergency(emergency: Emergency, question: str) -> Answer:
    """The numbers alone. One step leads back to the question, for those in no danger: the answer then has the numbers above it."""
    onward = Option("Ce n’est pas une urgence : chercher la réponse", question)
    return Answer(Kind.EMERGENCY, options=(onward,), steps=_numbers(emergency), reason=emergency.sentence, confidence=1.0)


def _numbers(emergency: Emergency) -> tuple[Step, ...]:
    return tuple(Step(StepKind.PHONE, what, number) for number, what in emergency.numbers)


def _with_numbers(given: Answer, emergency: Emergency) -> Answer:
    """The answer, with the numbers above it: the words may have been only words, or not."""
    return replace(_under(emergency.sentence, given), steps=(*_numbers(emergency), *given.steps))


def _under(sentence: str, given: Answer) -> Answer:
    """The answer, with ``sentence`` above it."""
    return replace(given, notice=" ".join(filter(None, (sentence, given.notice))))


def _other_people(question: str) -> Answer:
    """A refusal. One step leads on for those who asked about a role, a place or themselves: pages are public."""
    onward = Option("Ma question ne porte pas sur une autre personne : chercher la réponse", question)
    return Answer(Kind.REFUSAL, options=(onward,), reason=f"{_OTHER_PEOPLE} {_OTHER_PEOPLE_WAY}", confidence=1.0)
