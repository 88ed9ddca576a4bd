"""Batched ridge: what one small solver says of one series, the stack says of each."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bocage.methods import regression


def one_by_one(design: np.ndarray, target: np.ndarray, shrink: np.ndarray, penalty: float, weight: np.ndarray) -> np.ndarray:
    """The same estimate by augmented least squares, one series at a time."""
    scale = np.sqrt(np.mean(design**2, axis=0))
    known = np.isfinite(target)
    root = np.sqrt(weight[known])
    rows = (design / scale)[known] * root[:, None]
    extra = np.diag(np.sqrt(penalty * shrink * weight[known].sum()))
    both = np.vstack([rows, extra])
    return np.linalg.lstsq(both, np.concatenate([target[known] * root, np.zeros(len(shrink))]), rcond=None)[0] / scale


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(1, 4))
def test_each_series_is_fitted_as_if_alone(seed: int, columns: int, series: int) -> None:
    drawn = np.random.default_rng(seed)
    design = np.column_stack([np.ones(40), drawn.standard_normal((40, columns - 1)) * 5])
    targets = drawn.standard_normal((series, 40)) * 10
    targets[drawn.random(targets.shape) < 0.2] = np.nan
    weights = drawn.uniform(0.2, 1, targets.shape)
    shrink = np.array([0.0] + [1.0] * (columns - 1))
    found = regression.fit(design, targets, shrink, weights=weights)
    for i in range(series):
        weight = np.where(np.isfinite(targets[i]), weights[i], 0.0)
        alone = one_by_one(design, targets[i], shrink, float(found.penalty[i]), weight)
        assert np.allclose(found.coefficients[i], alone, rtol=1e-4, atol=1e-5)


def test_a_series_without_a_value_is_nan_and_disturbs_no_other() -> None:
    drawn = np.random.default_rng(0)
    design = np.column_stack([np.ones(30), drawn.standard_normal(30)])
    targets = drawn.standard_normal((2, 30))
    empty = np.vstack([targets, np.full(30, np.nan)])
    found = regression.fit(design, empty, np.array([0.0, 1.0]))
    assert np.isnan(found.coefficients[2]).all()
    assert np.allclose(found.coefficients[:2], regression.fit(design, targets, np.array([0.0, 1.0])).coefficients)


def test_shapes_that_do_not_agree_are_refused() -> None:
    with pytest.raises(ValueError, match="agree"):
        regression.fit(np.ones((5, 2)), np.ones((1, 4)), np.zeros(2))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), max_size=12), st.integers(0, 5), st.sampled_from([0.01, 0.15, 0.5, 0.85]))
def test_the_quantile_of_the_known_is_numpys(values: list[float], holes: int, share: float) -> None:
    row = np.array([*values, *[np.nan] * holes])
    found = regression.median_known(row[None, :], share)[0] if len(row) else np.nan
    assert np.isnan(found) if not values else np.isclose(found, np.quantile(values, share), rtol=1e-9, atol=1e-6)


def test_an_accident_weighs_little_and_a_missing_day_nothing() -> None:
    residuals = np.array([[0.1, -0.2, 0.15, -0.1, 50.0, np.nan]])
    weights = regression.huber_weights(residuals)
    assert weights[0, 4] < 0.05
    assert weights[0, 5] == 0
    assert (weights[0, :4] == 1).all()
