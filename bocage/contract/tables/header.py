"""Which column of a file is which field: tolerant to case, accents, spaces and units in parentheses, never to doubt."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from bocage.contract.errors import MissingColumns
from bocage.contract.tables.fields import Spec
from bocage.contract.units import UNITS

_IN_BRACKETS = re.compile(r"^(?P<name>.*?)\s*[(\[](?P<unit>[^()\[\]]*)[)\]]\s*$", re.DOTALL)
_SHOWN = 12


_WORDS = str.maketrans({"°": "deg", "µ": "u", "%": "pourcent", "€": "euro"})


def compact(text: str) -> str:
    """``text`` without accents, case, spaces or punctuation: «Débit (m³/h)» gives ``debitm3h``."""
    plain = unicodedata.normalize("NFKD", text.translate(_WORDS)).casefold()
    return "".join(char for char in plain if char.isalnum() and not unicodedata.combining(char))


_UNITS = frozenset(compact(unit) for unit in UNITS if unit)


@dataclass(frozen=True, slots=True)
class Match:
    """Column index of each field found, the French notes on renamings, and wrong units met by field name."""

    columns: dict[str, int]
    notes: tuple[str, ...]
    clashes: dict[str, str]


def match_header(header: Sequence[str], specs: Sequence[Spec]) -> Match:
    """Match the cells of ``header`` with fields: the exact name wins, then the tolerant one, then the name without its unit."""
    columns: dict[str, int] = {}
    notes: list[str] = []
    clashes: dict[str, str] = {}
    cells = [cell.strip().lstrip("\ufeff").strip() for cell in header]
    keys = [compact(cell) for cell in cells]
    for spec in specs:
        found = [i for i, cell in enumerate(cells) if cell == spec.name] or [i for i, key in enumerate(keys) if key == compact(spec.name)]
        if not found:
            found = [i for i, cell in enumerate(cells) if i not in columns.values() and _without_unit(cell, spec, specs, clashes)]
            if len(found) > 1:
                names = ", ".join(f"« {cells[i]} »" for i in found[:4])
                notes.append(f"Plusieurs colonnes ressemblent à {spec.name} ({names}) : aucune n’a été prise.")
                continue
        if not found:
            continue
        columns[spec.name] = found[0]
        if len(found) > 1:
            notes.append(f"La colonne {spec.name} est présente {len(found)} fois : la première a été lue.")
        if cells[found[0]] != spec.name:
            notes.append(f"Colonne « {cells[found[0]]} » lue comme {spec.name}.")
    return Match(columns, tuple(notes), {name: cell for name, cell in clashes.items() if name not in columns})


def _without_unit(cell: str, spec: Spec, specs: Sequence[Spec], clashes: dict[str, str]) -> bool:
    """Whether ``cell`` names ``spec`` once its unit in brackets is taken off; a wrong unit is put in ``clashes``."""
    parts = _IN_BRACKETS.match(cell)
    if parts is None:
        return False
    base, unit = compact(parts["name"]), compact(parts["unit"])
    own_unit = compact(spec.unit)
    stem = compact(spec.name)
    if own_unit and stem.endswith(own_unit) and len(stem) > len(own_unit):
        stems = {stem, stem[: -len(own_unit)]}
    else:
        stems = {stem}
    if base not in stems or any(other is not spec and compact(other.name) == base for other in specs):
        return False
    if unit == own_unit or (unit not in _UNITS and not own_unit) or (unit not in _UNITS and base == stem):
        return True
    clashes[spec.name] = cell
    return False


_TIMES = frozenset(
    {"date", "dates", "jour", "jours", "dateheure", "dateetheure", "datetime", "horodate", "heure", "periode", "timestamp", "mois"}
)
"""Titles that people give to a column of dates, compacted."""

_ACROSS = 3
"""Titles of columns that are dates, from which the table is one that people read across."""

_A_DATE = re.compile(
    r"(?:(?:lun|mar|mer|jeu|ven|sam|dim)(?:di|credi|dredi|edi|anche|\.)?(?=\W|$)"
    r"|(?:janvier|janv|février|fevrier|fév|fev|mars|avril|avr|mai|juin|juillet|juil|août|aout|septembre|sept|octobre|oct|novembre|nov"
    r"|décembre|decembre|déc|dec|févr|fevr)\.?(?=\W|$)"
    r"|\d{1,4}[/.-]\d{1,2}(?:[/.-]\d{2,4})?(?=\s|$))",
    re.IGNORECASE,
)
"""A weekday, a month or a date, which a title of column begins with."""


def require_columns(match: Match, header: Sequence[str], specs: Sequence[Spec], file: str) -> None:
    """Raise ``MissingColumns`` when a required field has no column: what is missing, what was found, the nearest name."""
    missing = [spec for spec in specs if spec.required and spec.name not in match.columns]
    if not missing:
        return
    taken = set(match.columns.values())
    free = [cell.strip()[:60] for i, cell in enumerate(header) if i not in taken and cell.strip()]
    names = [spec.name for spec in missing]
    head = f"La colonne {names[0]} manque" if len(names) == 1 else f"Les colonnes {_listed(names)} manquent"
    sentences = [f"{head} dans « {file} »."]
    shown = [cell.strip()[:60] for cell in header if cell.strip()]
    sentences.append(f"Colonnes trouvées : {_listed(shown)}." if shown else "Aucun titre de colonne n’a été trouvé.")
    by_key = {compact(cell): cell for cell in free[:500]}
    for spec in missing:
        if spec.name in match.clashes:
            clash = match.clashes[spec.name]
            sentences.append(f"« {clash} » n’est pas en {spec.unit} : convertissez les valeurs, puis nommez-la {spec.name}.")
            continue
        key = compact(spec.name)
        near = difflib.get_close_matches(key, list(by_key), 1, 0.6) or _same_stem(key, by_key)
        if not near and spec.kind in ("date", "datetime"):
            near = [other for other in by_key if other in _TIMES][:1]
        if near:
            sentences.append(f"« {by_key[near[0]]} » ressemble à {spec.name} : si c’est elle, renommez-la.")
    across = [cell for cell in shown if _A_DATE.match(cell)]
    if len(across) >= _ACROSS:
        dates = f"« {across[0]} », « {across[1]} »…"
        sentences.append(f"Les dates y sont en colonnes ({dates}) : écrivez une ligne par date, avec la date dans une seule colonne.")
    raise MissingColumns(" ".join(sentences))


def _same_stem(key: str, others: dict[str, str]) -> list[str]:
    return [other for other in others if len(other) > 3 and (key.startswith(other) or other.startswith(key))][:1]


def _listed(names: Sequence[str]) -> str:
    more = f" et {len(names) - _SHOWN} autres" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def score(header: Sequence[str], specs: Sequence[Spec]) -> int:
    """How many fields a line of the file names: the header is the line with the most. Cheap on lines of any width."""
    wanted = {compact(spec.name) for spec in specs}
    exact = {compact(cell) for cell in header if len(cell) < 200} & wanted
    if len(exact) == len(wanted) or not any("(" in cell or "[" in cell for cell in header):
        return len(exact)
    return len(match_header(header, specs).columns)


def ignored(header: Sequence[str], match: Match) -> tuple[str, ...]:
    """A French note naming the columns that no field takes, or nothing."""
    taken = set(match.columns.values())
    names = [cell.strip()[:60] for i, cell in enumerate(header) if i not in taken and cell.strip()]
    return (f"{'Colonnes ignorées' if len(names) > 1 else 'Colonne ignorée'} : {_listed(names)}.",) if names else ()


def is_units_line(cells: Sequence[str], match: Match, specs: Sequence[Spec]) -> bool:
    """Whether ``cells``, the line below the header, holds units or formats instead of data."""
    words = _UNITS | {"jjmmaaaa", "aaaammjj", "jjmmaaaahhmm", "aaaammjjhhmm", "texte", "date", "datetime", "string", "float", "integer"}
    seen = False
    for spec in specs:
        index = match.columns.get(spec.name)
        if index is None or index >= len(cells):
            continue
        cell = cells[index].strip()
        inner = _IN_BRACKETS.match(cell)
        key = compact(inner["unit"] if inner and not inner["name"] else cell)
        if spec.kind in ("int", "float", "date", "datetime"):
            if any(char.isdigit() for char in cell) and key not in words:
                return False
            seen = seen or key in words or (bool(cell) and cell in UNITS)
    return seen
