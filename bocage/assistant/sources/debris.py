"""What a site's machinery writes among the words of a page: the day it was changed, which is kept as its date; « Partager sur Facebook »,
« Imprimer », « Retour en haut », which answer nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date

from bocage.assistant.hours_notation import MONTHS
from bocage.assistant.opening_hours import fold

_LONGEST = 160
"""Characters of a line of debris; a longer one is a text."""
_DAY = (
    r"(?:(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche) )?"
    rf"(?:(?P<d>\d{{1,2}})(?:er)? (?P<month>{'|'.join(MONTHS)}) (?P<y>\d{{4}})"
    r"|(?P<d2>\d{1,2})[/.-](?P<m2>\d{1,2})[/.-](?P<y2>\d{4})|(?P<y3>\d{4})-(?P<m3>\d\d)-(?P<d3>\d\d))"
)
_CHANGED = (
    r"(?:(?:page|article|contenu|fiche|document|texte)? ?(?:mise?|remise?) a jour|derniere (?:mise a jour|modification|revision)|"
    r"date de (?:derniere )?(?:mise a jour|modification|revision)|"
    r"(?:page |article |contenu |fiche )?(?:modifiee?|actualisee?|revisee?)|maj)"
)
_PUBLISHED = (
    r"(?:(?:page |article |contenu |fiche )?(?:publiee?|mise? en ligne|postee?|paru[e]?)|date de (?:publication|mise en ligne)|publication)"
)
_TIME = r"(?: ?(?:a|-|,)? ?\d{1,2} ?[h:] ?\d{0,2})?"
_WHEN = re.compile(
    rf"\(?(?:(?P<changed>{_CHANGED})|{_PUBLISHED})(?: de (?:la|cette) page)?(?: effectuee?)?"
    rf"(?: le| en date du| du)? ?:? ?(?:le )?{_DAY}{_TIME}"
)
_BY = re.compile(r" ?par [\w' .-]{2,40}")
_SIGNED = re.compile(rf"{_DAY}{_TIME},? par [\w' .-]{{2,40}}")
"""« mercredi 12 août 2026, par Secrétariat »: how some tools sign a page under its title."""
_BETWEEN = re.compile(r"[\s|·•,;.()/«»›>→↑–—-]*")
_NETWORK = (
    r"(?:facebook|twitter|x|linkedin|whatsapp|messenger|instagram|pinterest|telegram|bluesky|mastodon|"
    r"mail|e-?mail|courriel|reseaux sociaux)"
)
_ONLY_NETWORK = re.compile(_NETWORK)
_SHARING = re.compile(
    rf"(?:partager|partage|suivez-nous|suivre|envoyer|recommander)"
    rf"(?: (?:cette page|la page|cet article|l'article|ce contenu|le lien|a un ami))?"
    rf"(?: ?:)?(?: ?(?:sur|par|via|,|et|ou|/)? ?(?:les )?{_NETWORK}\b)*(?: \((?:nouvelle fenetre|ouvre un nouvel onglet)\))?"
    r"|imprimer(?: (?:la page|cette page|l'article|cet article|le contenu))?|version imprimable"
    r"|lire la suite|lire plus"
    r"|(?:retour|remonter|revenir) (?:en haut|au debut)(?: de (?:la |cette )?page)?|haut de (?:la )?page|retour au sommaire"
    r"|retour a (?:l'accueil|la liste|la page precedente)|retour|copier le lien|ajouter (?:aux|a mes) favoris"
    r"|telecharger (?:la page|cette page) en pdf"
    r"|aller au (?:contenu|menu)(?: principal)?|ecouter(?: la page| cette page)?|page (?:precedente|suivante)|article (?:precedent|suivant)"
    r"|cette page vous a-t-elle ete utile ?\?|page \d{1,3} ?(?:/|sur|de) ?\d{1,3}"
)


@dataclass(slots=True)
class Days:
    """The days on which a page says that it was changed and published."""

    changed: set[date] = field(default_factory=set)
    published: set[date] = field(default_factory=set)

    def add(self, *others: Days) -> None:
        """Those that other paragraphs of the page say."""
        for other in others:
            self.changed |= other.changed
            self.published |= other.published

    @property
    def last(self) -> date | None:
        """The last day of change; else the day of publication, if there is one alone: several are those of the news that it lists."""
        return max(self.changed) if self.changed else next(iter(self.published)) if len(self.published) == 1 else None


def debris(text: str) -> Days | None:
    """The days that a paragraph of debris says, none for most; None for a paragraph that says anything else."""
    text, at = fold(text), 0
    if len(text) > _LONGEST or not any(letter.isalpha() for letter in text):
        return None
    found = Days()
    while at < len(text):
        at = _BETWEEN.match(text, at).end()  # type: ignore[union-attr]
        if at == 0 and (signed := _SIGNED.fullmatch(text)):
            return None if (day := _day(signed)) is None else Days(published={day})
        if when := _WHEN.match(text, at):
            if (day := _day(when)) is None:
                return None
            (found.changed if when["changed"] else found.published).add(day)
            by = _BY.match(text, when.end())
            at = by.end() if by else when.end()
        elif sharing := _SHARING.match(text, at):
            at = sharing.end()
        elif at < len(text):
            return None
        if at < len(text) and text[at].isalnum():
            return None
    return found


def is_network(text: str) -> bool:
    """Whether ``text`` only names a social network: an item of a list of links for sharing."""
    return bool(_ONLY_NETWORK.fullmatch(fold(text).strip()))


def _day(when: re.Match[str]) -> date | None:
    month = MONTHS.index(when["month"]) + 1 if when["month"] else int(when["m2"] or when["m3"])
    try:
        return date(int(when["y"] or when["y2"] or when["y3"]), month, int(when["d"] or when["d2"] or when["d3"]))
    except ValueError:
        return None
