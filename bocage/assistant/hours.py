"""Opening hours in an answer: computed from the directory for the moment that the question names, never read off a page.

« Oui » and « Non » are said of a moment that was understood, or of now when the question is only « est-ce ouvert ? ». A time that is not
understood gives the whole schedule: a false « oui » sends somebody to a closed door.
"""

from __future__ import annotations

import re
from datetime import datetime

from bocage.assistant.clock_times import without_durations
from bocage.assistant.documents import Document
from bocage.assistant.hours_notation import MONTHS, WEEKDAYS
from bocage.assistant.hours_sentences import during, sentence, whole
from bocage.assistant.moments import folded, names_unclear_day, read_moment
from bocage.assistant.opening_hours import Schedule, localise
from bocage.assistant.periods import read_periods
from bocage.assistant.sources.directory import schedule_of

_ASKS_HOURS = re.compile(
    r"\b(?:ouv(?:re|rez|r|ert|erte|erts|ertes|rir|erture|ertures)|ferm(?:e|ez|es|ent|ee|ees|er|eture|etures)|horaires?|heures?"
    r"|quand(?! (?:faut|doit|dois))|venir|passer|on peut|peut-on|puis-je|je peux|acces|accessible)\b"
)
_OPEN_QUESTION = re.compile(r"\b(?:combien|quand|horaires?|quel(?:le)?s? (?:heures?|jours?)|heures? d'ouverture|kel heure)\b")
_ASKS_CLOSED = re.compile(r"\bferm(?:e|ee|es|ees|ent|ez)\b")
# « ouverte aux bébés ? », « ouvert sur inscription ? » ask for whom and how, not whether it is open now.
_ASKS_NOW = re.compile(
    r"\b(?:ouvert|ferme)(?:e|s|es)?\b(?! (?:a|au|aux|pour|sur|par|avec|sans|dans|en|depuis|contre|uniquement|seulement)\b)"
)
_WHICH_DAY = "Je ne vois pas de quel jour vous parlez : donnez-moi sa date, par exemple «\u00a024\u00a0décembre\u00a0»."
_SPEAKS_OF_TIME = re.compile(
    rf"\d|\b(?:(?:{'|'.join(WEEKDAYS)})s?|week|hier|jours?|journees?|matin\w*|midi|minuit|apres|aprem|soir|soiree"
    r"|nuits?|semaines?|mois|annees?|an|ans|saisons?|vacances|conges|fetes?|feries?|ponts?|noel|paques|ete|hiver|printemps|automne"
    r"|rentree|avant|jusqu|prochaine?s?|derniere?s?|chaque|tou(?:s|te|tes)|toujours|habitu\w+|d'habitude|bientot|tot|tard|heures"
    r"|dans|sous|d'ici|carnaval|foire|braderie|kermesse|saint\w*"
    rf"|{'|'.join(MONTHS)}"
    r"|ser(?:a|ai|ont|ez|ait|aient)|etai(?:t|ent|ez)|(?:r?ouvrir|fermer)(?:a|ez|ont)|va|vont|allez)\b"
)


def said_hours(document: Document, question: str, now: datetime) -> str:
    """« La déchetterie est ouverte samedi 28 novembre à 17 h. », or nothing: no schedule, or the question is not about time."""
    schedule = schedule_of(document)
    if schedule is None:
        return ""
    here, text = localise(schedule, now), without_durations(folded(question))
    moment = read_moment(question, here, schedule)
    if moment is not None:
        asked = moment.whole_days() if _OPEN_QUESTION.search(text) else moment
        return sentence(schedule, asked, here.date(), yes_no=not _ASKS_CLOSED.search(text))
    if not _ASKS_HOURS.search(text):
        return ""
    if periods := read_periods(text, here.date(), schedule):
        return " ".join(during(schedule, period, here.date()) for period in periods)
    if names_unclear_day(question, here, schedule):
        return f"{_WHICH_DAY} {whole(schedule, here.date())}"
    return f"{_today(schedule, folded(question), here)}{whole(schedule, here.date())}"


def _today(schedule: Schedule, text: str, now: datetime) -> str:
    """Now, or today, ahead of the whole schedule; nothing when the question speaks of some other time, which was not understood."""
    if _SPEAKS_OF_TIME.search(text):
        return ""
    if _ASKS_NOW.search(text) and not _OPEN_QUESTION.search(text):
        return f"{sentence(schedule, now, now.date(), yes_no=not _ASKS_CLOSED.search(text))} "
    today = read_moment("aujourd’hui", now)
    return f"{sentence(schedule, today, now.date())} " if today else ""
