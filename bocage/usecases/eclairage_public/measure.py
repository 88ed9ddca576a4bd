"""What programmes would have drawn, and whether anyone would have walked below the minimum, on the passages that took place."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from bocage.contract.outcome import Outcome
from bocage.methods.truth import Lines, unmatched
from bocage.usecases.eclairage_public.control import raised
from bocage.usecases.eclairage_public.nights import MINUTES, SLOTS, lit_minutes, night_of, slot_of, step_of
from bocage.usecases.eclairage_public.planning import PRESENCE

_DAY = 24 * 60
_DRAWN_NIGHTS = 600
"""Nights that are walked, each day of the truth many times: their passages fall at other minutes each time."""

_CROWD = 8
"""Passages per minute from which more change nothing: one minute in three thousand is empty."""


def measured(outcome: Outcome, truth: pd.DataFrame) -> dict[str, float]:
    """``puissance_moyenne_w``: mean power over the lit time of the lines of ``truth`` (any subset); ``minutes_sous_minimum``: minutes with
    someone below the class minimum; ``heures_constatees``: lit hours measured; on how many segments of how many. Raises
    ``NotEnoughData`` when no lit hour of any segment was counted."""
    programmes, facts = (_frame(outcome, name) for name in ("programme", "segments"))
    counted = truth.dropna(subset=["passages"])
    energy = minutes = below = segments = 0.0
    for name, lines in counted.groupby("segment", sort=True):
        fact = facts[facts["segment"] == name]
        if len(fact):
            watts, lit, under = _segment(lines, programmes[programmes["segment"] == name], fact.iloc[0])
            energy, minutes, below = energy + float((watts * lit).sum()), minutes + float(lit.sum()), below + float(under.sum())
            segments += float(lit.sum() > 0)
    if not minutes:
        # A programme has no days of its own: any night counts, so only the names can be others.
        raise unmatched(("segment", "segments"), Lines(facts["segment"]), Lines(counted["segment"], counted["horodatage"]))
    covered = {"segments": segments, "segments_attendus": float(len(facts))}
    return {"puissance_moyenne_w": energy / minutes, "minutes_sous_minimum": below, "heures_constatees": minutes / 60, **covered}


def _frame(outcome: Outcome, name: str) -> pd.DataFrame:
    table = outcome.table(name)
    return pd.DataFrame(table.rows, columns=[c.name for c in table.columns])


def _segment(lines: pd.DataFrame, programme: pd.DataFrame, fact: pd.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean watts, lit minutes and minutes below the minimum of each line."""
    timezone = str(lines["horodatage"].dt.tz)
    stamps = pd.DatetimeIndex(lines["horodatage"])
    step = step_of(stamps)
    parts = max(1, round(step / MINUTES))
    count = lines["passages"].to_numpy(dtype=float)
    watts, lit, below = (np.zeros(len(lines)) for _ in range(3))
    dims = bool((programme["mode"] == PRESENCE).any())
    shares = shares_walked(stamps, count, step, int(fact["maintien_min"])) if dims else np.zeros((len(lines), parts))
    by_slot = [_by_slot(programme[programme["nuit"] == kind]) for kind in ("semaine", "fin de semaine")]
    for part in range(parts):
        local = (stamps.tz_convert("UTC") + timedelta(minutes=MINUTES * part)).tz_convert(timezone)
        slot, night = slot_of(local), night_of(local)
        weekend = np.isin(night.day_of_week, (4, 5)).astype(int)
        dates = tuple(sorted({day.date() for day in night}))
        table = lit_minutes(dates, float(fact["latitude"]), float(fact["longitude"]), timezone, int(fact["decalage_min"]))
        row = np.searchsorted(np.array(dates, dtype="datetime64[D]"), night.to_numpy().astype("datetime64[D]"))
        on = np.minimum(table[row, slot], MINUTES) * min(1.0, step / MINUTES)
        cells = {name: np.stack([by_slot[0][name], by_slot[1][name]])[weekend, slot] for name in by_slot[0]}
        share = shares[:, part]
        power = np.where(
            cells["mode"] == PRESENCE, share * cells["puissance_w"] + (1 - share) * cells["puissance_vide_w"], cells["puissance_w"]
        )
        present = count > 0
        under = (cells["niveau_pct"] < cells["minimum_pct"]) & present
        under |= (cells["niveau_vide_pct"] < cells["minimum_vide_pct"]) & ~present
        watts, lit, below = watts + power * on, lit + on, below + under * on
    return watts / np.maximum(lit, 1e-9), lit, below


def shares_walked(stamps: pd.DatetimeIndex, counts: np.ndarray, step: int, hold: int) -> np.ndarray:
    """Share of the time (lines, quarters of an hour of a line) at which a presence controller is raised, at ``counts`` (lines) of ``step``
    minutes each, in any order. A level raised in one line is held into those that follow; minutes that nobody counted raise none.

    The instants of a Poisson process, given their number, are uniform over the line: they are drawn, and the controller is walked.
    """
    order = np.lexsort((counts, stamps.asi8))
    # Rows from noon to noon of the place's clock (that of the first line): nobody needs light where one begins.
    ahead = int(stamps.min().utcoffset().total_seconds())
    opens = (stamps[order].tz_convert("UTC").as_unit("s").asi8 + ahead) // 60 - _DAY // 2
    minutes = opens[:, None] + np.arange(step)
    days, row = np.unique(minutes // _DAY, return_inverse=True)
    row, column = row.reshape(minutes.shape), minutes % _DAY
    people = np.repeat(np.arange(len(order)), np.minimum(counts[order], _CROWD * step).astype(int))
    drawn = np.random.default_rng(0)
    walks = int(np.clip(_DRAWN_NIGHTS // len(days), 2, 40))
    present = np.zeros((walks, len(days), _DAY), dtype=bool)
    for walk in range(walks):
        instant = drawn.integers(step, size=len(people))
        present[walk, row[people, instant], column[people, instant]] = True
    up = raised(present.reshape(-1, _DAY), hold).reshape(present.shape).mean(axis=0)
    share = up[row, column]
    ends = [*range(MINUTES, step - MINUTES // 2, MINUTES), step]
    begins = [0, *ends[:-1]]
    parts = [share[:, begin:end].mean(axis=1) for begin, end in zip(begins, ends, strict=True)]
    return np.stack(parts, axis=1)[np.argsort(order)]


def _by_slot(programme: pd.DataFrame) -> dict[str, np.ndarray]:
    """The columns of a programme, slot by slot."""
    start = programme["debut"].map(lambda text: (int(text[:2]) * 60 + int(text[3:])) // MINUTES).to_numpy()
    first = (start - SLOTS // 2) % SLOTS
    which = np.searchsorted(first, np.arange(SLOTS), side="right") - 1
    numbers = ("niveau_pct", "niveau_vide_pct", "minimum_pct", "minimum_vide_pct", "puissance_w", "puissance_vide_w")
    return {"mode": programme["mode"].to_numpy()[which], **{name: programme[name].to_numpy(dtype=float)[which] for name in numbers}}
