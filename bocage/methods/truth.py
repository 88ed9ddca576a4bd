"""When what happened is told of other things than what was proposed: the sentence that names both.

Engines raise it from ``evaluate``: a mean over nothing is no figure, and a zero would be published as one.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import pandas as pd

from bocage.contract import french
from bocage.contract.errors import NotEnoughData

SHOWN = 3
"""Names told of each side: enough to see a misspelling."""


@dataclass(frozen=True)
class Lines:
    """What lines are about: ``names``; ``days`` where they have some (dates, or instants of any time zone); ``step``, as « jour »."""

    names: pd.Series
    days: pd.Series | None = None
    step: str = ""

    def dates(self) -> pd.Series:
        """Their days as the file writes them (naive midnights), without those that are missing."""
        days = pd.Series(dtype="datetime64[ns]") if self.days is None else pd.to_datetime(self.days)
        local = days.dt.tz_localize(None) if days.dt.tz is not None else days
        return local.dropna().dt.normalize()


def unmatched(thing: tuple[str, str], proposed: Lines, read: Lines) -> NotEnoughData:
    """The refusal of a truth of which no line is about what was proposed. ``thing``: singular and plural, as (« site », « sites »)."""
    ours, theirs = (sorted(lines.names.dropna().astype(str).unique()) for lines in (proposed, read))
    # The names nearest to what was read come first: that is where a misspelling shows.
    near = difflib.get_close_matches(theirs[0], ours, n=SHOWN, cutoff=0.0) if theirs else []
    ours = [*near, *(name for name in ours if name not in near)]
    return NotEnoughData(
        "Aucune ligne ne parle de ce qui était proposé : rien ne se compare. "
        f"Attendu : {_told(thing, ours, proposed)}. Lu : {_told(thing, theirs, read)}. {_advice(set(ours), set(theirs), proposed, read)}"
    )


def _told(thing: tuple[str, str], names: list[str], lines: Lines) -> str:
    """« 4 sites (« Jules Ferry », « Jean Moulin »…), par jour, du 2 décembre 2024 au 6 décembre 2024 »."""
    shown = ", ".join(f"« {name[:60]} »" for name in names[:SHOWN]) + ("…" if len(names) > SHOWN else "")
    parts = [french.count(len(names), *thing) + (f" ({shown})" if names else "")]
    if lines.step:
        parts.append(f"par {lines.step}")
    days = lines.dates()
    if len(days):
        first, last = (french.day(day.date(), weekday=False, year=True) for day in (days.min(), days.max()))
        parts.append(f"le {first}" if first == last else f"du {first} au {last}")
    return ", ".join(parts)


def _advice(ours: set[str], theirs: set[str], proposed: Lines, read: Lines) -> str:
    names = bool(ours & theirs)
    days = proposed.days is None or bool(set(proposed.dates()) & set(read.dates()))
    if not names and not days:
        return "Écrivez les noms comme dans les propositions, et joignez la réalité de ces jours-là."
    if not names:
        return "Écrivez les noms comme dans les propositions."
    if not days:
        return "Joignez la réalité de ces jours-là."
    return "Les noms et les jours existent, mais pas ensemble, ou sans valeur à comparer (cellule vide, zéro, autre pas de temps)."
