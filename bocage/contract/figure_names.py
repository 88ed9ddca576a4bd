"""The names that engines give to figures, in ASCII, as people read them: « ecart_pct » is « écart (%) »."""

from __future__ import annotations

import re
import unicodedata

_UNITS = {
    "pct": "%", "eur": "€", "euros": "€", "w": "W", "kw": "kW", "kva": "kVA", "kwh": "kWh", "m3": "m³", "m3h": "m³/h", "g": "g", "kg": "kg",
}  # fmt: skip
_ENDING = re.compile(rf"(?:(.+?)_)?({'|'.join(_UNITS)})(?:_(an|mois|kwh))?")
# Words that have two readings (« mesure ») are left out.
_ACCENTED = """à après année années constaté constatée constatées constatés contrôle débit débits début dérive dérives durée écart économie
élèves énergie événements excès férié fréquentation grève libellé manqué manquée manquées manqués météo méthode passé période pesée pesées
présence prévu référence répété sécurité température terminée vérifier"""
_WORDS = {"".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c)): word for word in _ACCENTED.split()}


def words_of(name: str) -> str:
    """« jours_feries » is « jours feries »: words with the accents that are known; one that is not is shown as it is."""
    return " ".join(_WORDS.get(word, word) for word in name.split("_"))


def name_and_unit(name: str) -> tuple[str, str]:
    """French words and unit of a figure: ``surcout_eur_mois`` → (« surcout », « €/mois »), ``lignes`` → (« lignes », "")."""
    ending = _ENDING.fullmatch(name)
    if ending is None:
        return words_of(name), ""
    unit = "/".join(_UNITS.get(part, part) for part in ending.groups()[1:] if part)
    return words_of(ending[1]) if ending[1] else "valeur", unit
