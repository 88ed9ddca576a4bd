"""The feasts that people name: « mardi gras », « le vendredi de l’Ascension », « la Toussaint », « le jour de l’an »."""

from __future__ import annotations

import re
from datetime import date, timedelta

from bocage.methods.calendars import public_holidays

DaySpan = tuple[date, date]
"""First and last day, both included."""

# First and last day, after Easter Sunday.
_EASTER_DAYS = {
    "jeudi gras": (-52, -52),
    "dimanche gras": (-49, -49),
    "lundi gras": (-48, -48),
    "mardi gras": (-47, -47),
    "mercredi des cendres": (-46, -46),
    "mi careme": (-24, -24),
    "dimanche des rameaux": (-7, -7),
    "rameaux": (-7, -7),
    "lundi saint": (-6, -6),
    "mardi saint": (-5, -5),
    "mercredi saint": (-4, -4),
    "jeudi saint": (-3, -3),
    "vendredi saint": (-2, -2),
    "samedi saint": (-1, -1),
    "samedi de paques": (-1, -1),
    "week end de paques": (-1, 1),
    "dimanche de paques": (0, 0),
    "lundi de paques": (1, 1),
    "mardi de paques": (2, 2),
    "paques": (0, 0),
    "jeudi de l'ascension": (39, 39),
    "vendredi de l'ascension": (40, 40),
    "samedi de l'ascension": (41, 41),
    "dimanche de l'ascension": (42, 42),
    "ascension": (39, 39),
    "samedi de pentecote": (48, 48),
    "week end de pentecote": (48, 50),
    "dimanche de pentecote": (49, 49),
    "lundi de pentecote": (50, 50),
    "mardi de pentecote": (51, 51),
    "pentecote": (49, 49),
}
_FIXED_DAYS = {
    "reveillon de noel": (12, 24),
    "premier jour de noel": (12, 25),
    "jour de noel": (12, 25),
    "noel": (12, 25),
    "deuxieme jour de noel": (12, 26),
    "second jour de noel": (12, 26),
    "2e jour de noel": (12, 26),
    "saint etienne": (12, 26),
    "reveillon du nouvel an": (12, 31),
    "reveillon du jour de l'an": (12, 31),
    "saint sylvestre": (12, 31),
    "jour de l'an": (1, 1),
    "nouvel an": (1, 1),
    "premier de l'an": (1, 1),
    "fete du travail": (5, 1),
    "premier mai": (5, 1),
    "fete de la victoire": (5, 8),
    "victoire 1945": (5, 8),
    "fete nationale": (7, 14),
    "assomption": (8, 15),
    "toussaint": (11, 1),
    "jour des morts": (11, 2),
    "armistice": (11, 11),
}


def _pattern(name: str) -> str:
    """How ``name`` is written: « week-end », « weekend », « St-Sylvestre », « lundi de la Pentecôte »."""
    written = name.replace(" ", "[- ]").replace("week[- ]", "week[- ]?").replace("saint[- ]", "(?:saint|st)[- ]")
    written = written.replace("[- ]pentecote", "[- ](?:la )?pentecote").replace("2e", "2e(?:me)?")
    # « à Saint-Étienne », « la mairie de Saint-Étienne »: the town.
    return rf"(?<!\bde )(?<!\ba )(?<!\bpour ){written}" if name == "saint etienne" else written


NAMES = "|".join(_pattern(name) for name in sorted([*_EASTER_DAYS, *_FIXED_DAYS], key=len, reverse=True))
"""Every name, as a regular expression on a folded text, the longest first."""


def feast(written: str, year: int) -> DaySpan:
    """The days, in ``year``, of what ``NAMES`` found."""
    name = re.sub(r"\bst ", "saint ", written.replace("-", " ")).replace("weekend", "week end")
    name = name.replace("2eme", "2e").replace("de la pentecote", "de pentecote")
    if name in _FIXED_DAYS:
        return (date(year, *_FIXED_DAYS[name]),) * 2
    first, last = _EASTER_DAYS[name]
    return easter(year) + timedelta(days=first), easter(year) + timedelta(days=last)


def easter(year: int) -> date:
    """Easter Sunday, from the calendar of public holidays."""
    return next(day for day, name in public_holidays("FR", [year]).items() if "Lundi de Pâques" in name) - timedelta(days=1)
