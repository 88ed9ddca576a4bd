"""Opening hours in an answer: computed from the directory for the moment that the question names, never read off a page."""

from __future__ import annotations

import re
from datetime import datetime

from bocage.assistant.documents import Document
from bocage.assistant.hours_sentences import sentence
from bocage.assistant.moments import read_moment
from bocage.assistant.sources.directory import schedule_of
from bocage.methods.retrieval.text import fold

_ASKS_HOURS = re.compile(
    r"\b(ouv(re|r|ert|erte|erts|ertes|rir|erture|ertures)|ferm(e|es|ent|ee|es|er|eture|etures)|horaires?|heures?|quand)\b"
)


def said_hours(document: Document, question: str, now: datetime) -> str:
    """« La déchetterie est ouverte samedi 28 novembre à 17 h. », or nothing: no schedule, or the question is not about time."""
    schedule = schedule_of(document)
    if schedule is None:
        return ""
    moment = read_moment(question, now)
    if moment is None and not _ASKS_HOURS.search(fold(question)):
        return ""
    return sentence(schedule, moment or now, now.date())
