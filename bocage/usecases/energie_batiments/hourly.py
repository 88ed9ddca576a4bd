"""What a building uses at each hour: time of week and temperature (TOWT; Mathieu, Price, Kiliccote and Piette, IEEE Trans. Smart
Grid, 2011).

Each hour of the day has its own regression on the day type and on the temperature felt through the walls (half of the hour's, half of the
last 24 hours'), so that day and night have their own slopes, instead of one slope for « occupied » hours and one for the others.
Twenty-four stacks of small systems serve all meters: no loop over meters.
"""

from __future__ import annotations

import numpy as np

from bocage.methods import regression
from bocage.usecases.energie_batiments.daily import EVERY, Calendar, hinge

_COLD = (6.0, 12.0, 17.0)
_WARM = (20.0, 24.0)
_PENALTIES = (1e-3, 1e-2, 1e-1, 1.0)
NIGHT = range(5)
"""Local hours when nearly every public building is empty."""


def designs(known: Calendar, temperature: np.ndarray | None, learnt: slice = EVERY) -> tuple[np.ndarray, np.ndarray]:
    """Designs (24, days, p) and relative penalties (p,). ``temperature`` (days, 24) °C without NaN, or None; ``learnt`` as in
    ``daily.design``."""
    weekend = (known.kind >= 5).astype(float)
    school = known.school * (1 - weekend)
    fixed = [np.ones(len(known.days)), *(np.asarray(known.kind == k, dtype=float) for k in range(7))]
    fixed += [column * (1 - weekend) for column in known.schools.T]
    angle = 2 * np.pi * known.days.day_of_year.to_numpy() / 365.25
    fixed += [np.sin(angle), np.cos(angle)]
    shrink = [0.0, *[1.0] * (7 + known.schools.shape[1]), 0.1, 0.1]
    if temperature is None:
        return np.broadcast_to(np.column_stack(fixed), (24, len(known.days), len(fixed))), np.array(shrink)
    flat = temperature.reshape(-1)
    total = np.cumsum(np.concatenate([np.repeat(flat[:1], 24), flat]))
    felt = (0.5 * flat + 0.5 * (total[24:] - total[:-24]) / 24).reshape(temperature.shape)
    result = []
    for hour in range(24):
        felt_now = felt[:, hour]
        cold = [hinge(knot - felt_now[:, None], learnt) for knot in _COLD]
        warm = [hinge(felt_now[:, None] - knot, learnt) for knot in _WARM]
        result.append(np.column_stack([*fixed, *cold, *warm, cold[-1] * weekend, warm[0] * weekend, cold[-1] * school]))
    return np.stack(result), np.array(shrink + [0.1] * 5 + [1.0] * 3)


def expected(rows: np.ndarray, shrink: np.ndarray, kwh: np.ndarray, reference: slice) -> np.ndarray:
    """Expected use (meters, days, 24) of all days, learnt on the days of ``reference``; ``kwh`` (meters, days, 24), NaN unknown.

    Never negative. NaN for meters without a known day at that hour.
    """
    result = np.empty(kwh.shape, dtype=np.float32)
    for hour in range(24):
        values = kwh[:, reference, hour].astype(float)
        design = rows[hour, reference]
        found = regression.fit(design, values, shrink, penalties=_PENALTIES)
        weights = regression.huber_weights(values - found.predict(design), 3.0)
        found = regression.fit(design, values, shrink, weights=weights, penalties=found.penalty)
        result[:, :, hour] = np.maximum(found.predict(rows[hour]), 0.0)
    return result


def standard_days(values: np.ndarray) -> np.ndarray:
    """kWh of standard days (meters, days), from hours or days; NaN where over half of the hours are missing."""
    if values.ndim == 2:
        return values
    count = np.isfinite(values).sum(axis=2)
    result: np.ndarray = np.where(count >= 12, np.nansum(values, axis=2) * 24 / np.maximum(count, 1), np.nan)
    return result


def filled(kwh: np.ndarray, awaited: np.ndarray, least: int = 12) -> np.ndarray:
    """``kwh`` with holes drawn at the expected shape and the day's own level; days with under ``least`` known hours stay NaN."""
    known = np.isfinite(kwh)
    seen = np.where(known, kwh, 0.0).sum(axis=2)
    foreseen = np.where(known, awaited, 0.0).sum(axis=2)
    level = np.clip(np.divide(seen, foreseen, out=np.ones_like(seen), where=foreseen > 0), 0.2, 5.0)
    result = np.where(known, kwh, awaited * level[:, :, None])
    result[known.sum(axis=2) < least] = np.nan
    return result


def channels(full: np.ndarray) -> np.ndarray:
    """Per day, from hours without holes (meters, days, 24): total, night, and base (mean of the four lowest hours x 24), kWh (3, m, d)."""
    lowest = np.partition(full, 3, axis=2)[:, :, :4].mean(axis=2) * 24
    return np.stack([full.sum(axis=2), full[:, :, list(NIGHT)].sum(axis=2), lowest])
