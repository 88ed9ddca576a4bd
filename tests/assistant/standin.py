"""A stand-in for the answering engine, in tests only: what it says follows from the first word of the question, and from nothing else."""

from __future__ import annotations

import os
import time
from datetime import date
from pathlib import Path

from bocage.assistant.answer_types import Answer, Cited, Kind, Option
from bocage.assistant.documents import Origin, Step, StepKind

OPENING = Cited(
    "La déchetterie de Brenoux est ouverte du mardi au samedi, de 9 h à 12 h et de 14 h à 18 h.",
    "Déchetterie",
    ("Horaires", "Été"),
    "https://brenoux.example/dechetterie",
    date(2026, 9, 1),
    Origin.DIRECTORY,
    "Licence Ouverte 2.0",
    "Pays de Brenoux",
    "dechetterie",
)
SHEET = Cited(
    "La demande de carte grise se fait en ligne.",
    "Carte grise d’un véhicule d’occasion",
    ("Démarche",),
    "https://www.service-public.example/F1050",
    date(2025, 1, 15),
    Origin.NATIONAL,
    "Licence Ouverte 2.0",
    "Direction de l’information légale et administrative",
    "F1050",
    stale=True,
    case=("Vous achetez à un particulier",),
)
STEPS = (Step(StepKind.ONLINE, "Demander la carte grise", "https://ants.example/"), Step(StepKind.PHONE, "Accueil", "02 61 91 40 12"))


def answer(question, history, audience, organisation, now) -> Answer:
    """« lent » waits for the file named by STANDIN_GATE to appear, « panne » raises; the other words are below."""
    word = question.split()[0].lower()
    if word == "lent":
        gate = Path(os.environ["STANDIN_GATE"])
        gate.with_suffix(".begun").touch()
        while not gate.exists():
            time.sleep(0.02)
    if word == "panne":
        raise RuntimeError("engine fault with 06 12 34 56 78")
    if word == "carte":
        return Answer(
            Kind.ANSWER, (SHEET, OPENING), (), STEPS, "Cette fiche a plus de douze mois.", joules=0.8, confidence=0.7, near=(OPENING,)
        )
    if word == "logement":
        choices = (Option("Vous êtes locataire", "carte pour un locataire"), Option("Vous êtes propriétaire"))
        return Answer(Kind.CLARIFY, options=choices, reason="Cela dépend de votre situation.", joules=0.2)
    if word == "suicide":
        return Answer(Kind.EMERGENCY, reason="Vous n’êtes pas seul. Quelqu’un peut vous parler tout de suite.", joules=0.1)
    if word == "dossier":
        return Answer(Kind.PERSON, reason="Je n’ai accès à aucun dossier. Une personne vous répond.", joules=0.1)
    if word == "hors":
        return Answer(Kind.REFUSAL, reason="Je n’ai pas trouvé de passage sûr. Je préfère ne pas répondre.", joules=0.1, near=(OPENING,))
    return Answer(Kind.ANSWER, (OPENING,), joules=0.4, confidence=0.9)
