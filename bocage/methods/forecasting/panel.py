"""A panel of series as days x slots x series, in local time: the shape in which seasons are columns.

People live by the local clock, so the grid does too: the hour that autumn repeats is averaged, the hour that spring skips is missing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

_LONELY = pd.Timedelta(days=60)
"""Silence of all series, on both sides of a few values, from which their date is doubted."""

_FAR = pd.Timedelta(days=730)
"""Silence from which even some days of values are doubted: a clock that went back to the year 2000 counts on from there."""


@dataclass(frozen=True)
class DayGrid:
    """``values``: float (days, slots, series), NaN where nothing was measured. ``days``: naive local midnights, without a hole."""

    days: pd.DatetimeIndex
    names: tuple[str, ...]
    values: np.ndarray

    @property
    def slots(self) -> int:
        """Slots per day: 24 for hourly series, 1 for daily ones."""
        return int(self.values.shape[1])

    def until(self, days: int) -> DayGrid:
        """The first ``days`` days: what was known at that origin."""
        return replace(self, days=self.days[:days], values=self.values[:days])


def far_dates(times: pd.Series) -> pd.Series:
    """Whether each of ``times`` (of all series together) is too far from the others to be true: bool, on the same index.

    One wrong year would stretch the grid over decades. Doubted are stretches that 60 days of silence part from the longest one and that
    last less than two days, or that two years part from it and that hold less than a tenth of its hours.
    """
    universal = times.dt.tz_convert("UTC")
    hours = pd.Series(universal.dropna().dt.floor("h").unique()).sort_values(ignore_index=True)
    if hours.empty:
        return pd.Series(False, index=times.index)
    part = (hours.diff() > _LONELY).cumsum()
    begins, ends, size = hours.groupby(part).min(), hours.groupby(part).max(), part.value_counts().sort_index()
    main = size.idxmax()
    apart = pd.concat([begins - ends[main], begins[main] - ends], axis=1).max(axis=1)
    wrong = (ends - begins < pd.Timedelta(days=2)) & (size * 4 < size[main])
    wrong |= (apart > _FAR) & (size * 10 < size[main])
    result = pd.Series(False, index=times.index)
    for begin, end in zip(begins[wrong], ends[wrong], strict=True):
        result |= universal.between(begin, end + pd.Timedelta(hours=1), inclusive="left")
    return result


def to_grid(frame: pd.DataFrame, *, series: str, time: str, value: str, timezone: str, slots: int = 24) -> DayGrid:
    """The grid of a long table.

    ``time`` is a zone-aware timestamp (the start of its slot); several values in a slot are averaged. Rows may come in any order.
    The grid runs from the first to the last local day of the table: set dates that cannot be aside before (``far_dates``).
    """
    local = frame[time].dt.tz_convert(timezone).dt.tz_localize(None)
    width = pd.Timedelta(days=1) / slots
    day = local.dt.normalize()
    slot = ((local - day) // width).astype(int)
    cells = frame[value].groupby([day.rename("day"), slot.rename("slot"), frame[series]], sort=True).mean()
    names = tuple(sorted(map(str, frame[series].unique())))
    days = pd.date_range(day.min(), day.max(), freq="D")
    values = np.full((len(days), slots, len(names)), np.nan)
    rows = days.get_indexer(pd.DatetimeIndex(cells.index.get_level_values(0)))
    columns = pd.Index(names).get_indexer(cells.index.get_level_values(2).astype(str))
    values[rows, cells.index.get_level_values(1).to_numpy(), columns] = cells.to_numpy(dtype=float)
    return DayGrid(days, names, values)


def fill_gaps(values: np.ndarray, day_type: np.ndarray, half_life: float = 28.0) -> np.ndarray:
    """``values`` (days, slots, series) with NaN replaced by the mean of days of the same type, near days weighing most.

    For inputs of a model only: what was filled is never a target. A slot that was never measured stays NaN.
    """
    filled = values.copy()
    position = np.arange(len(values))
    for s in range(values.shape[2]):
        measured = ~np.isnan(values[:, :, s])
        zeroed = np.where(measured, values[:, :, s], 0.0)
        for d in np.flatnonzero(~measured.all(axis=1)):
            weight = np.exp2(-np.abs(position - d) / half_life) * np.where(day_type[: len(values)] == day_type[d], 1.0, 0.03)
            mass = weight @ measured
            missing = ~measured[d] & (mass > 0)
            filled[d, missing, s] = (weight @ zeroed)[missing] / mass[missing]
    return filled
