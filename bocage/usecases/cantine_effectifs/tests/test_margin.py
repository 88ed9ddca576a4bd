"""One margin on the town's total, shared between sites: no meal lost, no risk moved onto one school."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bocage.usecases.cantine_effectifs import prediction
from bocage.usecases.cantine_effectifs.forecast import Effort, Forecast, _narrower, forecast
from bocage.usecases.cantine_effectifs.margin import Margin, choose, expected_sites, judged_days, orders, rounded, scores
from bocage.usecases.cantine_effectifs.panel import Panel
from bocage.usecases.cantine_effectifs.rows import CantineEffectifsParams
from bocage.usecases.cantine_effectifs.tests import simulated


@pytest.fixture(scope="module")
def judged() -> tuple[Panel, Forecast]:
    inputs, _ = simulated.cut(simulated.tables(), pd.Timestamp("2024-05-13"))
    panel, pairs, _ = prediction.prepared(inputs, CantineEffectifsParams())
    return panel, forecast(panel, pairs, agents=False, effort=Effort(4, 4))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(0, 5_000), min_size=1, max_size=60))
def test_rounding_loses_no_meal(values: list[float]) -> None:
    array = np.array(values)
    whole = rounded(array)
    assert whole.sum() == int(np.floor(array.sum() + 0.5))
    assert (np.abs(whole - array) < 1).all() and (whole >= 0).all()


@pytest.mark.parametrize("accepted", [0.0, 1.0, 5.0, 20.0])
def test_the_past_keeps_to_the_accepted_risk(judged: tuple[Panel, Forecast], accepted: float) -> None:
    """Recounted here by hand: with that margin the past would have had at most the accepted short days, and with less it would not."""
    panel, found = judged
    margin = choose(panel, found, accepted)
    days = judged_days(panel)
    served = np.nansum(panel.reel[days], axis=1)

    def short(z: float) -> int:
        return int((served > found.total[days] * np.exp(z * found.deviation[days]) * (1 + 1e-9)).sum())

    assert short(margin.z) <= margin.allowed < short(margin.z - 1e-6) + 1e-9
    assert margin.allowed == pytest.approx(accepted * len(days) / 144)


def test_more_risk_never_orders_more(judged: tuple[Panel, Forecast]) -> None:
    panel, found = judged
    totals = [orders(found, choose(panel, found, accepted))[0].sum() for accepted in (0, 1, 3, 10, 60)]
    assert totals == sorted(totals, reverse=True)


def test_sites_add_up_to_the_town_and_closed_ones_get_nothing(judged: tuple[Panel, Forecast]) -> None:
    panel, found = judged
    closed = replace(found, sites=np.where(np.arange(len(panel.names)) == 2, 0.0, found.sites))
    closed = replace(closed, total=closed.sites.sum(axis=1))
    total, sites = orders(closed, choose(panel, found, 1.0))
    assert np.allclose(sites.sum(axis=1), total) and not sites[:, 2].any() and (sites >= 0).all()


def test_a_negative_margin_takes_from_all_and_below_zero_from_none() -> None:
    found = Forecast(np.array([100.0]), np.array([[99.0, 1.0]]), np.array([0.1]), (0.0, 0.0), [])
    total, sites = orders(found, Margin(-3.0, 100, 0.0, np.zeros(2), np.ones(2), 144.0))
    assert total[0] == pytest.approx(100 * np.exp(-0.3)) and sites.sum() == pytest.approx(total[0]) and (sites >= 0).all()


def test_a_site_that_always_takes_more_is_given_more_and_the_town_is_not(judged: tuple[Panel, Forecast]) -> None:
    panel, found = judged
    eager = replace(panel, reel=panel.reel + np.where(np.arange(len(panel.names)) == 1, 6.0, 0.0))
    before, after = (choose(p, found, 1.0) for p in (panel, eager))
    more = after.site_shift[1] - before.site_shift[1]
    assert 4.0 < more < 6.0 and (after.site_shift[[0, 2]] - before.site_shift[[0, 2]]).max() <= 0.0
    sites = expected_sites(found, after)
    assert np.allclose(sites.sum(axis=1), found.total)
    assert (sites[:, 1] >= expected_sites(found, before)[:, 1]).all()


def test_no_school_carries_the_risk_alone(judged: tuple[Panel, Forecast]) -> None:
    """Shares of short days are close to each other, though sites differ fourfold in size."""
    panel, found = judged
    _, sites = orders(found, choose(panel, found, 1.0))
    days = judged_days(panel)
    short: Any = (sites[days] < panel.reel[days]).mean(axis=0)
    assert short.max() <= 0.5 and short.max() - short.min() < 0.25


def test_errors_are_those_of_forecasts_made_before(judged: tuple[Panel, Forecast]) -> None:
    """What was served on the last judged day changes its own error, not its forecast."""
    panel = judged[0]
    day = judged_days(panel)[-1]
    reel = panel.reel.copy()
    reel[day] *= 1.05
    inputs, _ = simulated.cut(simulated.tables(), pd.Timestamp("2024-05-13"))
    pairs = prediction.prepared(inputs, CantineEffectifsParams())[1]
    raised = replace(panel, reel=reel, later=np.arange(len(reel)) == day, learnt=panel.learnt & (np.arange(len(reel)) != day))
    calm = replace(panel, later=raised.later, learnt=raised.learnt)
    first, second = (forecast(p, pairs, agents=False, effort=Effort(0, 0)) for p in (calm, raised))
    assert first.total[day] == pytest.approx(second.total[day])
    assert scores(raised, second, np.array([day]))[0] > scores(calm, first, np.array([day]))[0]


def test_a_restless_time_of_the_year_has_the_wider_margin(judged: tuple[Panel, Forecast]) -> None:
    """The whole town varies by a twentieth more from one day to the next, in November and December of both years."""
    given = simulated.tables()
    when = given["frequentation"]["date"]
    shaken = dict(zip(sorted(set(when)), np.exp(0.05 * np.random.default_rng(2).standard_normal(when.nunique())), strict=True))
    part = np.where(when.dt.month.isin([11, 12]), when.map(shaken), 1.0)
    moved = given["frequentation"].assign(reel=(given["frequentation"]["reel"] * part).round())
    inputs, _ = simulated.cut(given | {"frequentation": moved}, pd.Timestamp("2024-05-13"))
    panel, pairs, _ = prediction.prepared(inputs, CantineEffectifsParams())
    found = forecast(panel, pairs, agents=False, effort=Effort(4, 0))

    def winter_over_spring(panel: Panel, found: Forecast) -> float:
        days = judged_days(panel)
        month, deviation = panel.days[days].month, found.deviation[days]
        return float(deviation[month.isin([11, 12])].mean() / deviation[month.isin([3, 4, 5])].mean())

    assert winter_over_spring(panel, found) > 1.3 * winter_over_spring(*judged)


def test_agents_narrow_the_margin_where_they_lessen_errors() -> None:
    """They halve the errors of June; in winter they add to them, and the margin is the machine’s."""
    drawn = np.random.default_rng(4)
    june = np.arange(240) % 120 < 60
    alone = 0.02 * drawn.standard_normal(240)
    blended = np.where(june, 0.5, 1.2) * alone
    narrower = _narrower(alone, blended, 20.0 * (june[:, None] == june[None]))
    assert narrower[june].max() < 0.6 and (narrower[~june] == 1.0).all()
    assert (_narrower(np.zeros(5), np.zeros(5), np.ones((7, 5))) <= 1.0).all()
