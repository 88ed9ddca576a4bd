"""Rolling Gaussian processes: what is forecast for a day never depends on what came after its origin, and equals the textbook formula."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from bocage.methods.forecasting.causal import LEAST_UNREST, among, filtered, known_before, learn, season_unrest
from bocage.methods.forecasting.kernels import Covariance, Part

COVARIANCE = Covariance((Part(0.5, memory=20.0), Part(0.4, match="weekday", memory=200.0)))


def days(count: int, seed: int = 0) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Day numbers with holes, and the matrices between them."""
    number = np.sort(np.random.default_rng(seed).choice(np.arange(2 * count), count, replace=False))
    return number, {"gap": np.abs(number[:, None] - number[None]), "weekday": (number[:, None] % 7 == number[None] % 7).astype(float)}


def series(number: np.ndarray, outputs: int = 3, seed: int = 1) -> np.ndarray:
    drawn = np.random.default_rng(seed)
    return np.cos(2 * np.pi * number / 7)[:, None] + 0.3 * drawn.standard_normal((len(number), outputs))


@pytest.mark.parametrize("lead", [1, 9])
def test_a_rolling_forecast_is_the_textbook_one_from_each_origin(lead: int) -> None:
    number, pairs = days(60)
    values, theta = series(number), COVARIANCE.prior
    every = np.arange(60)
    known = known_before(number, every, every, lead)
    mean, deviation = filtered(COVARIANCE, theta, pairs, values, every, clip=1e9).forecast(every, known)
    for day in (5, 31, 59):
        past = np.flatnonzero(number <= number[day] - lead)
        assert known[day] == len(past)
        inner = COVARIANCE.matrix(theta, among(pairs, past, past)) + COVARIANCE.noise(theta) * np.eye(len(past))
        cross = COVARIANCE.matrix(theta, among(pairs, np.array([day]), past))[0]
        own = COVARIANCE.matrix(theta, among(pairs, np.array([day]), np.array([day])))[0, 0] + COVARIANCE.noise(theta)
        assert_allclose(mean[day], cross @ np.linalg.solve(inner, values[past]), atol=1e-8)
        assert_allclose(deviation[day] ** 2, own - cross @ np.linalg.solve(inner, cross), atol=1e-8)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 25))
def test_the_future_never_changes_a_forecast(seed: int, lead: int) -> None:
    number, pairs = days(50, seed)
    values, every = series(number, seed=seed), np.arange(50)
    known = known_before(number, every, every, lead)
    changed = values.copy()
    changed[30:] += 100.0 * np.random.default_rng(seed).standard_normal((20, 3))
    before = filtered(COVARIANCE, COVARIANCE.prior, pairs, values, every).forecast(every, known)[0]
    after = filtered(COVARIANCE, COVARIANCE.prior, pairs, changed, every).forecast(every, known)[0]
    untouched = number <= number[29] + lead
    assert_allclose(before[untouched & (known <= 30)], after[untouched & (known <= 30)])


def test_a_restless_day_teaches_less_and_is_less_sure_as_the_textbook_has_it() -> None:
    number, pairs = days(60)
    values, theta, past = series(number), COVARIANCE.prior, np.arange(59)
    unrest = np.where(np.arange(60) % 3 == 2, 4.0, 0.5)
    mean, deviation = filtered(COVARIANCE, theta, pairs, values, past, 1e9, unrest).forecast(np.array([59]), np.array([59]))
    inner = COVARIANCE.matrix(theta, among(pairs, past, past)) + COVARIANCE.noise(theta) * np.diag(unrest[past])
    cross = COVARIANCE.matrix(theta, among(pairs, np.array([59]), past))[0]
    assert_allclose(mean[0], cross @ np.linalg.solve(inner, values[past]), atol=1e-8)
    own = sum(part.amplitude for part in COVARIANCE.parts) + unrest[59] * COVARIANCE.noise(theta)
    assert_allclose(deviation[0] ** 2, own - cross @ np.linalg.solve(inner, cross), atol=1e-8)


def seasons(number: np.ndarray) -> np.ndarray:
    """Likeness of two times of a year of a hundred days."""
    return np.exp(-2 * np.sin(np.pi * (number[:, None] - number[None]) / 100) ** 2 / 0.5**2)


def test_a_restless_season_is_found_and_a_quiet_year_is_left_alone() -> None:
    number, pairs = days(600)
    every, drawn = np.arange(600), np.random.default_rng(5).standard_normal((600, 4))
    june = np.abs(number % 100 - 50) < 12
    for values, expected in ((0.3 * drawn, 1.0), (np.where(june, 0.9, 0.3)[:, None] * drawn, 4.0)):
        process = filtered(COVARIANCE, COVARIANCE.prior, pairs, values, every[:500])
        times = season_unrest(process, np.isfinite(values), seasons(number), every[:500])
        found = times[june].mean() / times[np.abs(number % 100 - 50) > 38].mean()
        assert expected / 1.6 < found < expected * 1.6
        assert times.min() >= LEAST_UNREST and times.max() <= 1 / LEAST_UNREST


def test_a_short_or_empty_past_tells_no_season() -> None:
    number, pairs = days(60)
    values, none = series(number), np.array([], dtype=int)
    process = filtered(COVARIANCE, COVARIANCE.prior, pairs, values, none)
    assert (season_unrest(process, np.isfinite(values), seasons(number), none) == 1.0).all()
    values[:5] *= 4.0
    few = season_unrest(
        filtered(COVARIANCE, COVARIANCE.prior, pairs, values, np.arange(6)), np.isfinite(values), seasons(number), np.arange(6)
    )
    assert np.abs(few - 1.0).max() < 0.2


def test_what_is_unknown_says_nothing_of_a_season() -> None:
    number, pairs = days(200)
    every, values = np.arange(200), series(number)
    known = np.ones(values.shape, dtype=bool)
    known[:, 2] = False
    holed = np.where(known, values, np.nan)
    two, three = (
        season_unrest(filtered(COVARIANCE, COVARIANCE.prior, pairs, v, every), np.isfinite(v), seasons(number), every)
        for v in (values[:, :2], holed)
    )
    assert_allclose(two, three)


def test_a_missing_value_is_nearly_as_if_the_day_had_not_been() -> None:
    number, pairs = days(50)
    values, every = series(number), np.arange(50)
    holed = values.copy()
    holed[20] = np.nan
    kept = np.delete(every, 20)
    with_hole = filtered(COVARIANCE, COVARIANCE.prior, pairs, holed, every[:49], clip=1e9).forecast(np.array([49]), np.array([49]))[0]
    without = filtered(COVARIANCE, COVARIANCE.prior, pairs, values, kept[:48], clip=1e9).forecast(np.array([49]), np.array([48]))[0]
    assert_allclose(with_hole, without, atol=0.01)


def test_an_accident_is_bounded() -> None:
    number, pairs = days(60)
    values, every = series(number), np.arange(60)
    struck = values.copy()
    struck[40] = -50.0
    calm, shaken = (
        filtered(COVARIANCE, COVARIANCE.prior, pairs, v, every[:59]).forecast(every[59:], np.array([59]))[0] for v in (values, struck)
    )
    assert np.abs(calm - shaken).max() < 1.0


def test_contributions_add_up_to_the_forecast() -> None:
    number, pairs = days(40)
    process = filtered(COVARIANCE, COVARIANCE.prior, pairs, series(number), np.arange(39))
    mean, _ = process.forecast(np.array([39]), np.array([30]))
    assert_allclose(process.contributions(39, 30).sum(axis=0), mean[0], atol=1e-9)
    assert not process.contributions(39, 0).any()


def test_too_little_to_learn_keeps_the_prior() -> None:
    number, pairs = days(60)
    theta = learn(COVARIANCE, pairs, np.full((60, 2), np.nan), np.arange(60), 10)
    assert_allclose(theta, COVARIANCE.prior)
    assert not np.allclose(learn(COVARIANCE, pairs, series(number), np.arange(60), 10), COVARIANCE.prior)
