"""Months and quarters: no leakage, gaps left as gaps, intervals that cover, and a gain over last year."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bocage.methods.forecasting.periods import LEAST_SEASONS, forecast_periods, same_period_before


def simulated(periods: int = 64, series: int = 40, season: int = 4, seed: int = 2) -> np.ndarray:
    drawn = np.random.default_rng(seed)
    habit = np.tile(drawn.normal(0, 0.2, (season, series)), (periods // season + 1, 1))[:periods]
    level = np.cumsum(drawn.standard_normal((periods, series)) * 0.03, axis=0)
    return np.asarray(50 * np.exp(level + habit + 0.15 * drawn.standard_normal((periods, series))))


def test_it_beats_last_year_and_its_intervals_cover_what_they_say() -> None:
    values = simulated()
    found = forecast_periods(values[:60], 4, 4)
    truth = values[60:]
    assert np.abs(found.value - truth).mean() < 0.9 * np.abs(found.usual - truth).mean()
    assert 0.68 < ((truth >= found.lower) & (truth <= found.upper)).mean() < 0.92
    assert (found.lower <= found.value).all() and (found.value <= found.upper).all() and (found.lower >= 0).all()


def test_a_wider_level_gives_wider_intervals() -> None:
    values = simulated(series=8)
    narrow, wide = (forecast_periods(values, 4, 4, level=level) for level in (0.5, 0.95))
    assert (wide.upper - wide.lower >= narrow.upper - narrow.lower).all()


def test_missing_periods_are_not_zeros_and_sizes_do_not_mix() -> None:
    values = simulated(series=6)
    holed = values.copy()
    holed[10, 0] = holed[33, 2] = np.nan
    whole, part = forecast_periods(values, 4, 4), forecast_periods(holed, 4, 4)
    assert_allclose(part.value, whole.value, rtol=0.15)
    scaled = forecast_periods(values * np.array([1, 10, 100, 1, 1, 1]), 4, 4)
    assert_allclose(scaled.value, whole.value * np.array([1, 10, 100, 1, 1, 1]), rtol=1e-6)


def test_short_and_flat_series() -> None:
    with pytest.raises(ValueError, match="fewer"):
        forecast_periods(simulated(4 * LEAST_SEASONS - 1), 4, 4)
    flat = forecast_periods(np.full((36, 2), 7.0), 12, 3)
    assert_allclose(flat.value, 7.0)
    assert np.isfinite(forecast_periods(np.zeros((24, 1)), 4, 4).upper).all()


def test_the_usual_method_is_the_same_period_of_last_year() -> None:
    values = np.arange(12.0)[:, None]
    assert_allclose(same_period_before(values, 4, 6)[:, 0], [8, 9, 10, 11, 8, 9])
