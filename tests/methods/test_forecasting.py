"""The forecasting methods: no leakage, the same answer anywhere, and figures worked out by hand."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from bocage.methods.forecasting import backtest, boosting, conformal, curves, kernels, operations, panel, peaks, pipeline, profiles

HORIZON = 7
LIGHT = pipeline.Plan(curves.CurveSettings(fit_days=90, iterations=3, groups=(1, 4)), boosting.BoostSettings(rounds=15, leaf_rows=20))


def simulated(days: int = 126, slots: int = 8, series: int = 2, seed: int = 3) -> panel.DayGrid:
    drawn = np.random.default_rng(seed)
    dates = pd.date_range("2023-01-02", periods=days)
    rhythm = 10 + 3 * np.sin(2 * np.pi * np.arange(slots) / slots)
    week = np.array([1.0, 1, 1, 1.05, 1.1, 0.8, 0.7])[dates.day_of_week]
    level = np.exp(np.cumsum(drawn.standard_normal((days, series)) * 0.02, axis=0))
    values = week[:, None, None] * rhythm[None, :, None] * level[:, None, :] * np.exp(0.05 * drawn.standard_normal((days, slots, series)))
    values[drawn.random(values.shape) < 0.02] = np.nan
    return panel.DayGrid(dates, tuple(f"s{i}" for i in range(series)), values)


def context(grid: panel.DayGrid, horizon: int = HORIZON) -> pipeline.Context:
    days = pd.date_range(grid.days[0], periods=len(grid.days) + horizon)
    warmth = np.random.default_rng(1).standard_normal((len(days), 1))
    weekday = days.day_of_week.to_numpy()
    return pipeline.Context(
        weekday=weekday,
        day_type=weekday,
        clock_shift=np.zeros(len(days)),
        year_phase=2 * np.pi * days.day_of_year.to_numpy() / 365.25,
        calendar=weekday[:, None].astype(float),
        covariates={"warmth": warmth},
        parts=(kernels.weather_parts("warmth", 0.2, 200.0, 2.0),),
        by_day=warmth,
        by_slot=np.repeat(warmth[:, None, :], grid.slots, axis=1),
    )


@pytest.mark.parametrize("plan", [LIGHT, pipeline.Plan(None, None), replace(LIGHT, curves=None)])
def test_what_happens_after_the_origin_never_changes_a_forecast(plan: pipeline.Plan) -> None:
    grid = simulated()
    known = 105
    disturbed = grid.values.copy()
    disturbed[known:] = 1e6
    around = context(grid)
    one = pipeline.forecast(grid.until(known), around, HORIZON, plan)
    two = pipeline.forecast(panel.DayGrid(grid.days, grid.names, disturbed).until(known), around, HORIZON, plan)
    assert_array_equal(one.value, two.value)
    assert_array_equal(one.upper, two.upper)


def test_a_rolling_forecast_knows_only_the_days_before_its_origin() -> None:
    """Parameters and shapes are learnt on the whole past, so they are held still here: what is left must not move at all."""
    grid = simulated(series=1)
    around = context(grid)
    filled = panel.fill_gaps(grid.values, around.day_type)[:, :, 0]
    chosen = curves.CurveSettings(iterations=0, groups=(8,), logarithm=False, clip=1e9, warm=40)
    task = curves.CurveTask(filled, np.ones(len(filled), dtype=bool), around.day_type, around.year_phase, HORIZON, settings=chosen)
    rolling = curves.rolling_curves(task)
    assert np.isnan(rolling[:, :40]).all()
    for k in (1, 4, 7):
        for day in (60, 100):
            short = replace(
                task,
                filled=filled[: day - k + 1],
                measured=np.ones(day - k + 1, dtype=bool),
                day_type=around.day_type[: day - k + 8],
                year_phase=around.year_phase[: day - k + 8],
            )
            # Centre, scale and shapes come from the last days learnt: compare the forecast of a process, given the same ones.
            direct = _plain_process(short, task)
            assert_allclose(rolling[k - 1, day], direct[k - 1], rtol=1e-8)


def _plain_process(short: curves.CurveTask, whole: curves.CurveTask) -> np.ndarray:
    """The textbook forecast K* (K + noise)^-1 y of the coming days, with the centre, shapes and scale of the whole history."""
    centre = whole.filled[-120:].mean(axis=0)
    spread = whole.filled - centre
    shapes = curves._principal_shapes(spread, whole.day_type[: len(spread)])
    scores = spread @ shapes
    scale = scores[-200:].std(axis=0) + 1e-9
    days = len(short.filled)
    covariance = kernels.Covariance(kernels.PARTS)
    pairs = kernels.geometry(short.day_type, short.year_phase, {})
    whole_matrix = covariance.matrix(covariance.prior, pairs)
    known = whole_matrix[:days, :days] + covariance.noise(covariance.prior) * np.eye(days)
    answer: np.ndarray = centre + (whole_matrix[days:, :days] @ np.linalg.solve(known, scores[:days] / scale) * scale) @ shapes.T
    return answer


def test_the_pool_changes_nothing() -> None:
    grid = simulated()
    around = context(grid)
    alone = pipeline.forecast(grid, around, HORIZON, LIGHT, seed=5)
    with ThreadPoolExecutor(2) as pool:
        together = pipeline.forecast(grid, around, HORIZON, LIGHT, seed=5, pool=pool)
    assert_array_equal(alone.value, together.value)
    assert_array_equal(alone.lower, together.lower)
    assert (alone.lower <= alone.value).all() and (alone.value <= alone.upper).all()


def test_day_curves_beat_the_week_before() -> None:
    grid = simulated(days=182, series=1)
    around = context(grid)
    plan = pipeline.Plan(curves.CurveSettings(fit_days=120, iterations=5, groups=(1, 4)), None)
    ours, usual = [], []
    for known, forecast, truth in backtest.replay(
        grid, lambda past: pipeline.forecast(past, around, HORIZON, plan).value, backtest.origins(grid, first=126, last=168, every=14)
    ):
        ours.append(backtest.mean_absolute_error(forecast, truth))
        past = panel.fill_gaps(grid.until(known).values, around.day_type)
        usual.append(backtest.mean_absolute_error(profiles.same_days_before(past, HORIZON), truth))
    assert np.mean(ours) < 0.9 * np.mean(usual)


def test_the_gradient_of_the_marginal_likelihood() -> None:
    drawn = np.random.default_rng(0)
    covariance = kernels.Covariance((*kernels.PARTS, kernels.weather_parts("x", 0.2, 100.0, 2.0)))
    pairs = kernels.geometry(np.arange(40) % 7, np.linspace(0, 1, 40), {"x": drawn.standard_normal((40, 2))})
    targets, theta = drawn.standard_normal((40, 3)), covariance.prior + 0.1
    _, gradient = covariance.loss(theta, pairs, targets)
    for i in range(len(theta)):
        step = np.zeros_like(theta)
        step[i] = 1e-5
        slope = (covariance.loss(theta + step, pairs, targets)[0] - covariance.loss(theta - step, pairs, targets)[0]) / 2e-5
        assert_allclose(gradient[i], slope, rtol=1e-4, atol=1e-6)


def test_daily_series_have_one_slot() -> None:
    grid = simulated(days=120, slots=1, series=1)
    found = pipeline.forecast(grid, context(grid), HORIZON, LIGHT)
    assert found.value.shape == (HORIZON, 1, 1) and np.isfinite(found.value).all()


def test_a_scheduled_operation_is_found_and_follows_its_old_clock() -> None:
    drawn = np.random.default_rng(0)
    weekday = np.arange(77) % 7
    values = 5 + 0.2 * drawn.standard_normal((70, 24, 1))
    values[weekday[:70] == 1, 2, 0] += 10
    shift = np.zeros(77)
    found = operations.separate(values, weekday, operations.clock_lag(shift))
    assert [(o.weekday, o.slot) for o in found.found] == [(1, 2)]
    assert found.values.max() < 7 and abs(found.coming[1, 2, 0] - 10) < 0.5
    shift[69] = -1.0  # clocks went back on the last day: the machine is now an hour early
    moved = operations.separate(values, weekday, operations.clock_lag(shift))
    assert abs(moved.coming[1, 1, 0] - 10) < 0.5 and moved.coming[1, 2, 0] == 0


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 3), st.integers(8, 30), st.integers(0, 10_000))
def test_the_naive_repeats_the_week_before(weeks: int, days: int, seed: int) -> None:
    past = np.random.default_rng(seed).random((max(days, 7 * weeks), 3, 1))
    forecast = profiles.same_days_before(past, 9, weeks)
    assert_allclose(forecast[0], np.mean([past[len(past) - 7 * w] for w in range(1, weeks + 1)], axis=0))
    assert_allclose(forecast[7], forecast[0])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.8, 0.9]))
def test_intervals_cover_what_they_say_on_steady_errors(seed: int, level: float) -> None:
    drawn = np.random.default_rng(seed)
    truth = np.exp(0.1 * drawn.standard_normal((400, 12, 1)))
    rolling = np.full((1, 401, 12, 1), 1.0)
    band = conformal.calibrate(truth[:300], rolling[:, :301], conformal.IntervalSettings(level=level, margin=0.0))
    lower, upper = band.around(np.ones((1, 12, 1)))
    share = backtest.coverage(np.broadcast_to(lower, (100, 12, 1))[None], np.broadcast_to(upper, (100, 12, 1))[None], truth[300:][None])
    assert abs(share[0] - 100 * level) < 8


@settings(max_examples=50, deadline=None)
@given(st.floats(-1e3, 1e3), st.floats(0, 5), st.booleans())
def test_an_interval_always_holds_its_value(centre: float, reach: float, logarithm: bool) -> None:
    band = conformal.Band(np.full((1, 1, 1), reach), np.array([logarithm]))
    lower, upper = band.around(np.full((1, 1, 1), centre))
    assert lower <= centre <= upper


def test_a_zero_in_one_series_leaves_the_intervals_of_the_others() -> None:
    drawn = np.random.default_rng(0)
    values, rolling = np.exp(0.1 * drawn.standard_normal((60, 24, 2))), np.ones((2, 62, 24, 2))
    without = conformal.calibrate(values, rolling)
    values[40, 3, 1] = 0.0
    with_zero = conformal.calibrate(values, rolling)
    assert_array_equal(without.reach[:, :, 0], with_zero.reach[:, :, 0])
    assert_array_equal(with_zero.logarithm, [True, False])


def test_a_horizon_with_few_errors_is_as_wide_as_the_one_before() -> None:
    truth = np.exp(0.1 * np.random.default_rng(0).standard_normal((24, 1, 1)))
    rolling = np.full((8, 32, 1, 1), 1.0)
    for k in range(8):
        rolling[k, :k] = np.nan
    reach = conformal.calibrate(truth, rolling).reach[:, 0, 0]
    assert np.isfinite(reach).all() and reach[7] == reach[4]  # twenty errors five days ahead, fewer after


def test_a_covariate_of_one_series_does_not_move_another() -> None:
    grid = simulated(days=105)
    around = context(grid)
    events = np.zeros((len(around.weekday), 1, 2))
    events[5::10, 0, 0] = 1.0
    rise = 1 + 0.8 * events[: len(grid.days), :, :]
    party = panel.DayGrid(grid.days, grid.names, grid.values * rise)
    parts = (*around.parts, kernels.weather_parts("events", 0.4, 600.0, 0.4))
    told = replace(around, covariates={**around.covariates, "events": events}, parts=parts, by_series=events)
    moved = told.by_series.copy()
    moved[len(grid.days) :, 0, 0] = 0.0
    quiet = replace(told, covariates={**told.covariates, "events": moved}, by_series=moved)
    one, two = (pipeline.forecast(party, chosen, HORIZON, LIGHT).value for chosen in (told, quiet))
    day = int(np.flatnonzero(events[len(grid.days) :, 0, 0])[0])
    assert (one[day, :, 0] > 1.15 * two[day, :, 0]).all()
    assert_array_equal(one[:, :, 1], two[:, :, 1])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 999), st.integers(40, 110), st.integers(1, 20), st.floats(8, 60))
def test_what_lasts_more_than_three_days_is_a_level_and_what_is_shorter_an_accident(seed: int, at: int, days: int, size: float) -> None:
    drawn = np.random.default_rng(seed)
    rhythm = np.array([0.4, 0.3, 1.0, 1.6, 1.2, 1.1, 1.5, 0.9])
    values = rhythm[None, :, None] * np.exp(0.05 * drawn.standard_normal((120, 8, 1)))
    values[at : at + days] += size * rhythm.mean()
    found = peaks.accidents(values, pipeline.ACCIDENT)
    expected = np.zeros(values.shape, dtype=bool)
    if min(days, 120 - at) <= peaks.LONGEST_DAYS:
        expected[at : at + days] = True
    assert_array_equal(found, expected)


def test_the_weekly_market_and_the_summer_are_no_accidents() -> None:
    day = np.arange(730)
    season = 1 + 9 * np.exp(-((((day % 365) - 210) / 28.0) ** 4))
    values = season[:, None, None] * np.exp(0.05 * np.random.default_rng(1).standard_normal((730, 8, 1)))
    values[2::7, 5] *= 8.0
    assert not peaks.accidents(values, pipeline.ACCIDENT).any()


@pytest.mark.parametrize("last", [195, 200, 215])
def test_a_season_that_begins_is_learnt(last: int) -> None:
    """A level that rises fivefold within three weeks: the coming week is near the last one, not near winter."""
    grid = simulated(days=last, series=1)
    rise = 1 + 4 / (1 + np.exp(-(np.arange(last) - 190) / 4.0))
    summer = replace(grid, values=grid.values * rise[:, None, None])
    found = pipeline.forecast(summer, context(summer), HORIZON, pipeline.Plan(curves.CurveSettings(fit_days=120, iterations=5), None))
    assert found.value.mean() > 0.75 * np.nanmean(summer.values[-3:])


def test_the_interval_of_a_silent_series_is_that_of_its_true_lead() -> None:
    """Days are a random walk: twelve days later, nobody knows as well."""
    drawn = np.random.default_rng(5)
    walk = np.exp(np.cumsum(0.05 * drawn.standard_normal(200)))
    values = np.repeat(walk[:, None, None], 2, axis=2) * np.exp(0.01 * drawn.standard_normal((200, 4, 2)))
    values[-12:, :, 1] = np.nan
    grid = panel.DayGrid(pd.date_range("2023-01-02", periods=200), ("heard", "silent"), values)
    found = pipeline.forecast(grid, context(grid), HORIZON, pipeline.Plan(None, None))
    assert list(found.silent) == [0, 12]
    assert found.band.reach[0, :, 1].mean() > 1.15 * found.band.reach[0, :, 0].mean()


@settings(max_examples=40, deadline=None)
@given(st.integers(20, 400), st.integers(0, 40), st.sampled_from([-9000, -900, -100, 100, 900, 9000]))
def test_a_few_lone_dates_are_told_from_the_others(days: int, lone: int, gap: int) -> None:
    hours = pd.Series(pd.date_range("2023-01-01", periods=24 * days, freq="h", tz="Europe/Paris"))
    begin = hours.iloc[-1] if gap > 0 else hours.iloc[0]
    wrong = pd.Series([begin + pd.Timedelta(days=gap, hours=i) for i in range(lone)], dtype=hours.dtype)
    both = pd.concat([hours, wrong], ignore_index=True)
    assert_array_equal(panel.far_dates(both), np.arange(len(both)) >= len(hours))


def test_rows_become_a_grid_whatever_their_order_and_the_clock() -> None:
    hours = pd.date_range("2024-10-26", "2024-10-29", freq="h", inclusive="left", tz="Europe/Paris")
    frame = pd.DataFrame({"t": hours, "s": "a", "v": np.arange(len(hours), dtype=float)})
    grid = panel.to_grid(frame.sample(frac=1, random_state=1), series="s", time="t", value="v", timezone="Europe/Paris")
    assert len(hours) == 73 and grid.values.shape == (3, 24, 1)
    assert grid.values[1, 2, 0] == 26.5  # 2 a.m. came twice: hours 26 and 27


def test_origins_fall_on_the_asked_weekday() -> None:
    grid = simulated()
    mondays = list(backtest.origins(grid, first=30, last=60, weekday=0))
    assert [(grid.days[0] + pd.Timedelta(days=n)).day_of_week for n in mondays] == [0] * len(mondays) and len(mondays) == 4


def test_a_short_time_gets_a_light_plan() -> None:
    assert pipeline.plan_for(60, 10, 700) is pipeline.FULL
    assert pipeline.plan_for(2, 30, 700).curves is None
    assert pipeline.plan_for(30, 30, 700).boost is None
