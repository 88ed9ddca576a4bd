"""Months and quarters: no leakage, gaps left as gaps, intervals that cover, and a gain over last year."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bocage.methods.forecasting.periods import LEAST_SEASONS, accidents, forecast_periods, same_period_before


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


def seasonal(periods: int, noise: float, power: float, seed: int = 7, series: int = 40) -> np.ndarray:
    """Quarters of 40, 90, 240 and 70, with noise that grows as a power of the level."""
    level = np.resize([40.0, 90.0, 240.0, 70.0], periods)[:, None]
    drawn = np.random.default_rng(seed).standard_normal((periods, series))
    return np.asarray(np.maximum(level + noise * level**power * drawn, 0.0))


@pytest.mark.parametrize(("noise", "power", "ratio"), [(0.1, 1.0, 6.0), (5.0, 0.0, 1.0)])
def test_intervals_widen_with_the_forecast_as_much_as_past_errors_do(noise: float, power: float, ratio: float) -> None:
    values = seasonal(60, noise, power)
    found = forecast_periods(values[:56], 4, 4)
    inside = ((values[56:] >= found.lower) & (values[56:] <= found.upper)).mean(axis=1)
    width = (found.upper - found.lower).mean(axis=1)
    assert inside.min() > 0.6 and width[2] / width[0] == pytest.approx(ratio, rel=0.4)


def test_a_closed_year_is_an_accident_and_a_level_that_fell_for_good_is_not() -> None:
    values = seasonal(56, 0.05, 1.0, series=2)
    values[24:28, 0] *= 0.1
    values[40:, 1] *= 0.3
    strange = accidents(values, 4)
    assert strange[24:28, 0].all() and strange.sum() == 4
    assert not accidents(values[:28], 4).any()  # nothing follows it yet
    found = forecast_periods(values, 4, 4)
    assert_allclose(found.value[:, 0], [40, 90, 240, 70], rtol=0.1)


def test_last_year_is_repeated_where_it_did_clearly_better() -> None:
    values = seasonal(60, 0.03, 1.0, series=1)
    values[44:] *= 0.3
    found = forecast_periods(values, 4, 4)
    assert found.repeated.all()
    assert_allclose(found.value, found.usual)


def test_the_usual_method_is_the_same_period_of_last_year() -> None:
    values = np.arange(12.0)[:, None]
    assert_allclose(same_period_before(values, 4, 6)[:, 0], [8, 9, 10, 11, 8, 9])
