"""Written times to instants: with an offset or without, as text or as dates, and how long each step lasts.

Times without an offset are local. On the day of 25 hours the first of two equal times of a meter is summer's; a time that does not exist is
unknown (NaT).
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

UNKNOWN = np.iinfo(np.int64).min
"""The integer of an unknown instant, NumPy's own."""

_QUARTER = 900_000_000
_LONGEST = 4_000_000
"""Quarters of an hour (114 years) beyond which a table of all of them would weigh more than the readings."""

_ALIKE = {30: (27, 32), 61: (55, 65), 91: (85, 95), 182: (175, 190), 365: (355, 375)}
"""Days of bills that follow one another: one month is as long as the next."""


def to_utc(stamps: pd.Series, zone: str, points: np.ndarray | None = None) -> np.ndarray:
    """µs since 1970 UTC of a column of times, whatever its type (``UNKNOWN`` where it cannot be read). ``points`` tells the meters
    apart, each with its own doubled hour."""
    if isinstance(stamps.dtype, pd.DatetimeTZDtype):
        return _micros(stamps.dt.tz_convert("UTC").dt.tz_localize(None))
    if pd.api.types.is_datetime64_dtype(stamps.dtype):
        return localised(_micros(stamps), zone, points)
    text = stamps.astype(str).str.strip().reset_index(drop=True)
    offset = text.str.contains(r"(?:[+-]\d\d:?\d\d|Z)$", regex=True) & (text.str.len() > 10)
    known = pd.to_datetime(text.where(offset), utc=True, errors="coerce", format="ISO8601").dt.tz_localize(None)
    naive = pd.to_datetime(text.where(~offset), errors="coerce", format="ISO8601")
    french = naive.isna() & ~offset
    if french.any():
        naive = naive.fillna(_day_first(text[french]))
    return np.where(offset.to_numpy(), _micros(known), localised(_micros(naive), zone, points))


def _day_first(text: pd.Series) -> pd.Series:
    """Times written the French way, the day before the month (« 03/09/2025 14:30 », « 3.9.2025 14h30 »); NaT where they are not."""
    parts = text.str.extract(r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:[ T]+(\d{1,2})[:hH](\d{2})?(?::(\d{2}))?)?$").fillna("0")
    numbers = {name: pd.to_numeric(parts[i]) for i, name in enumerate(("day", "month", "year", "hour", "minute", "second"))}
    return pd.to_datetime(pd.DataFrame(numbers), errors="coerce")


def as_series(micros: np.ndarray) -> pd.Series:
    """UTC times of ``micros``, without a copy."""
    return pd.Series(pd.DatetimeIndex(micros.view("datetime64[us]")).tz_localize("UTC"))


def _micros(naive: pd.Series) -> np.ndarray:
    return naive.astype("datetime64[us]").astype("int64").to_numpy()


def localised(naive: np.ndarray, zone: str, points: np.ndarray | None = None) -> np.ndarray:
    """UTC µs of local µs. Clocks change on a quarter of an hour: each one is converted once, for all rows."""
    result = np.full(len(naive), UNKNOWN)
    some = np.flatnonzero(naive != UNKNOWN)
    if not len(some):
        return result
    quarter = naive[some] // _QUARTER
    first = int(quarter.min())
    if int(quarter.max()) - first < _LONGEST:
        quarters, place = np.arange(first, int(quarter.max()) + 1), quarter - first
    else:
        quarters, place = np.unique(quarter, return_inverse=True)
    local = pd.DatetimeIndex((quarters * _QUARTER).view("datetime64[us]"))
    both = (local.tz_localize(zone, ambiguous=np.full(len(local), dst), nonexistent="NaT") for dst in (True, False))
    summer, winter = (_micros(pd.Series(times.tz_convert("UTC").tz_localize(None))) for times in both)
    chosen = summer[place]
    doubled = np.flatnonzero(summer[place] != winter[place])
    if len(doubled):
        meter = np.zeros(len(doubled)) if points is None else points[some][doubled]
        again = pd.DataFrame({"meter": meter, "time": naive[some][doubled]}).duplicated().to_numpy()
        chosen[doubled[again]] = winter[place][doubled[again]]
    exists = chosen != UNKNOWN
    result[some[exists]] = chosen[exists] + naive[some[exists]] - quarter[exists] * _QUARTER
    return result


def duration(text: object) -> float:
    """Hours of an ISO 8601 duration: PT30M, PT1H, P1D; NaN otherwise."""
    match = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?", str(text))
    if not match or not any(match.groups()):
        return float("nan")
    days, hours, minutes = (int(group or 0) for group in match.groups())
    return days * 24 + hours + minutes / 60


def step_lengths(code: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Hours of the step that each reading begins. ``code`` of its series and ``start`` (µs), sorted.

    A series may change its step: each stretch of readings at a constant gap has its own, kept over the holes that follow it. Days and bills
    take their real gap (23 or 25 hours, 28 to 31 days). No step goes beyond the next reading. A reading alone lasts a day.
    """
    if not len(code):
        return np.empty(0)
    new = np.concatenate([[True], (np.diff(code) != 0) | (np.diff(start) != 0)])
    at = np.flatnonzero(new)
    own, begin = code[at], start[at]
    gap = np.full(len(at), np.nan)
    same = np.diff(own) == 0
    gap[:-1][same] = np.diff(begin)[same] / 3.6e9
    if same.any() and np.nanmin(gap) == np.nanmax(gap) < 20:
        return np.full(len(code), np.nanmax(gap))
    rhythm = _rhythm(gap)
    usual = _usual(own, rhythm)
    hours = np.where((rhythm == usual) & (rhythm >= 1200), gap, np.fmin(gap, usual / 60))
    result: np.ndarray = hours[np.cumsum(new) - 1]
    return result


def _rhythm(gap: np.ndarray) -> np.ndarray:
    """Minutes of each gap, days of 23 or 25 hours being days, and months months; -1 unknown."""
    result = np.full(len(gap), -1, dtype=np.int64)
    known = np.isfinite(gap)
    result[known] = np.maximum(np.rint(gap[known] * 60), 1)
    long = np.flatnonzero(result >= 1200)
    days = np.where(gap[long] < 28, 1, np.maximum(np.rint(gap[long] / 24), 2)).astype(np.int64)
    for alike, (least, most) in _ALIKE.items():
        days[(days >= least) & (days <= most)] = alike
    result[long] = days * 1440
    return result


def _usual(own: np.ndarray, rhythm: np.ndarray) -> np.ndarray:
    """The rhythm in force at each reading: that of the last long enough stretch; of the next one before it; else the commonest."""
    change = np.concatenate([[True], (np.diff(own) != 0) | (np.diff(rhythm) != 0)])
    stretch = np.cumsum(change) - 1
    length = np.bincount(stretch)[stretch]
    # A day of hours, a week of days, a quarter of bills: holes alone hardly make as regular a stretch.
    needed = np.where(rhythm < 1200, 24, np.where(rhythm <= 1440, 7, 3))
    settled = (rhythm > 0) & (length >= needed)
    rows = np.arange(len(own))
    before = np.maximum.accumulate(np.where(settled, rows, 0))
    after = np.minimum.accumulate(np.where(settled, rows, len(own) - 1)[::-1])[::-1]
    for place in (after, before):
        place[~settled[place] | (own[place] != own)] = -1
    place = np.where(before >= 0, before, after)
    result: np.ndarray = np.where(place >= 0, rhythm[place], 1440)
    lost = (place < 0) & (rhythm > 0)
    if lost.any():
        table = pd.DataFrame({"own": own[lost], "rhythm": rhythm[lost]}).value_counts(sort=False).reset_index()
        commonest = table.sort_values(["own", "count", "rhythm"], ascending=[True, False, True]).drop_duplicates("own")
        unsettled = place < 0
        found = pd.Series(own[unsettled]).map(commonest.set_index("own")["rhythm"])
        result[unsettled] = found.fillna(1440).to_numpy(dtype=np.int64)
    return result
