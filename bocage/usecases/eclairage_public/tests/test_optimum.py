"""The exact pieces, checked by independent means: enumeration of every schedule, the almanac, the law."""

from __future__ import annotations

import itertools
import math
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bocage.usecases.eclairage_public import rules
from bocage.usecases.eclairage_public.control import minutes_of, oracle_raised, raised
from bocage.usecases.eclairage_public.measure import shares_walked
from bocage.usecases.eclairage_public.nights import lit_minutes
from bocage.usecases.eclairage_public.raising import shares_raised
from bocage.usecases.eclairage_public.schedule import cheapest
from bocage.usecases.eclairage_public.sun import sun_times


def stretches(path: tuple[int, ...]) -> list[int]:
    return [len(list(run)) for _, run in itertools.groupby(path)]


def enumerated(cost: np.ndarray, changes: int, dwell: int) -> float:
    """The least cost over every sequence of options: no dynamic programming here."""
    steps, options = cost.shape
    best = np.inf
    for path in itertools.product(range(options), repeat=steps):
        runs = stretches(path)
        if len(runs) - 1 <= changes and min(runs) >= min(dwell, steps):
            best = min(best, float(sum(cost[t, o] for t, o in enumerate(path))))
    return best


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_the_schedule_is_the_best_of_all(data: st.DataObject) -> None:
    steps, options = data.draw(st.integers(1, 7)), data.draw(st.integers(1, 3))
    changes, dwell = data.draw(st.integers(0, 4)), data.draw(st.integers(1, 4))
    cells = st.one_of(st.integers(0, 20).map(float), st.just(np.inf))
    cost = np.array(data.draw(st.lists(st.lists(cells, min_size=options, max_size=options), min_size=steps, max_size=steps)))
    found, best = cheapest(cost, changes, dwell), enumerated(cost, changes, dwell)
    if not np.isfinite(best):
        assert found is None
        return
    assert found is not None
    path, total = found
    runs = stretches(tuple(int(o) for o in path))
    assert total == best == cost[np.arange(steps), path].sum()
    assert len(runs) - 1 <= changes and min(runs) >= min(dwell, steps)


def raised_within(path: tuple[bool, ...]) -> list[int]:
    """Lengths of the raised stretches that neither begin nor end with the night."""
    runs = [(up, len(list(run))) for up, run in itertools.groupby(path)]
    return [length for up, length in runs[1:-1] if up]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.booleans(), min_size=2, max_size=10), st.integers(1, 3), st.integers(0, 10_000))
def test_the_oracle_is_the_best_of_all_and_never_leaves_anyone_in_the_dark(seen: list[bool], hold: int, seed: int) -> None:
    present = np.array([seen])
    gain = np.random.default_rng(seed).integers(0, 5, present.shape).astype(float)
    up = oracle_raised(present, gain, hold)
    assert not (present & ~up).any()
    best = min(
        float((gain[0] * np.array(path)).sum())
        for path in itertools.product([False, True], repeat=len(seen))
        if not (present[0] & ~np.array(path)).any() and all(run >= hold for run in raised_within(path))
    )
    assert float((gain * up).sum()) == best


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=6), st.integers(1, 4), st.integers(0, 10_000))
def test_the_controller_lights_every_passage_and_the_oracle_never_draws_more(counts: list[int], hold: int, seed: int) -> None:
    present = minutes_of(np.array([counts]), 15, np.random.default_rng(seed)) > 0
    up = raised(present, hold)
    assert not (present & ~up).any() and all(length >= hold for length in raised_within(tuple(up[0])))
    assert oracle_raised(present, np.ones(present.shape), hold).sum() <= up.sum()


@pytest.mark.parametrize(("step", "hold"), [(60, 2), (15, 2), (15, 30), (5, 10), (1, 4)])
def test_the_share_raised_over_counts_is_what_a_simulation_gives(step: int, hold: int) -> None:
    drawn = np.random.default_rng(1)
    counts = np.round(drawn.gamma(0.3, 20 * step / 60, 1440 // step))
    present = minutes_of(np.tile(counts, (2000, 1)), step, drawn) > 0
    walked_share = raised(present, hold).mean(axis=0).reshape(len(counts), -1, min(step, 15)).mean(axis=2)
    stamps = pd.date_range("2026-01-14 12:00", periods=len(counts), freq=f"{step}min", tz="Europe/Paris")
    order = drawn.permutation(len(counts))
    share = shares_walked(stamps[order], counts[order], step, hold)[np.argsort(order)]
    assert np.abs(share - walked_share).max() < 0.3 and abs(share.mean() - walked_share.mean()) < 0.015


def test_a_level_raised_at_the_end_of_a_count_is_held_into_the_next() -> None:
    stamps = pd.date_range("2026-01-14 23:00", periods=4, freq="15min", tz="America/Martinique")
    share = shares_walked(stamps, np.array([0.0, 40.0, 0.0, 0.0]), 15, 20)[:, 0]
    # Someone in nearly every minute of the second quarter: raised twenty minutes at least, so into the third.
    assert share[0] == 0 and share[1] > 0.95 and share[2] > 0.2 and share[3] < share[2]


def walked(rate: np.ndarray, hold: int, drawn: np.random.Generator) -> np.ndarray:
    """Share of each slot raised, over nights of passages per slot ``rate`` (nights, slots): the controller as its text says it, minute by
    minute, with no formula and none of the house's functions."""
    since, share = np.zeros(len(rate), dtype=int), np.zeros(rate.shape[1])
    for minute in range(15 * rate.shape[1]):
        someone = drawn.random(len(rate)) < 1 - np.exp(-rate[:, minute // 15] / 15)
        since = np.where(someone | ((since > 0) & (since < hold)), since + 1, 0)
        share[minute // 15] += (since > 0).mean() / 15
    return share


@pytest.mark.parametrize("hold", [1, 2, 10])
@pytest.mark.parametrize("differ", [0.0, 0.6], ids=["nights alike", "nights that differ"])
@pytest.mark.parametrize("rate", [0.8, 2.5])
def test_quarters_and_hours_of_a_month_both_foresee_the_share_that_is_walked(rate: float, differ: float, hold: int) -> None:
    drawn = np.random.default_rng(8)
    day = np.where((np.arange(96) >= 44) & (np.arange(96) < 72), rate, 12.0)
    night = slice(44, 72)

    def nights(number: int) -> np.ndarray:
        mood = drawn.gamma(1 / differ**2, differ**2, number) if differ else np.ones(number)
        return np.outer(mood, day)

    truth = walked(nights(2000), hold, drawn)[night].mean()
    quarters, hours = [], []
    for _ in range(24):
        counts = drawn.poisson(nights(28)).astype(float)
        by_hour = np.repeat(counts.reshape(28, 24, 4).mean(axis=2), 4, axis=1)
        for told, table, noise in ((quarters, counts, 1.0), (hours, by_hour, 0.25)):
            share = shares_raised(table, np.full(table.shape, noise), hold)[:, night].mean(axis=1)
            error = np.std(share, ddof=1) / np.sqrt(len(share))
            told.append((share.mean(), abs(share.mean() - truth) <= 1.645 * error + 0.01))
    for told in (quarters, hours):
        mean, inside = np.mean(told, axis=0)
        # Read on each count by itself, the first street came out a quarter too low: 0.26 instead of 0.34.
        assert abs(mean - truth) <= 0.03 * truth + 0.005
        assert inside >= 0.8


def test_a_level_held_in_a_slot_is_held_in_the_next_and_a_slot_never_counted_is_not_known() -> None:
    counts = np.zeros((20, 96))
    counts[:, 20], counts[:, 40] = 0.5, np.nan
    share = shares_raised(counts, np.ones(counts.shape), 10)
    assert (share[:, :20] == 0).all() and (share[:, 21] > 0.05).all() and np.allclose(share[:, 22:40], 0)
    assert np.isnan(share[:, 40]).all()


def elevation(instant: datetime, latitude: float, longitude: float) -> float:
    """The sun's height in degrees by the other classical route: the Astronomical Almanac's low-precision coordinates and sidereal time."""
    days = (instant - datetime(2000, 1, 1, 12, tzinfo=UTC)) / timedelta(days=1)
    anomaly, mean = math.radians(357.529 + 0.98560028 * days), 280.459 + 0.98564736 * days
    longitude_of_sun = math.radians(mean + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly))
    tilt = math.radians(23.439 - 0.00000036 * days)
    ascension = math.atan2(math.cos(tilt) * math.sin(longitude_of_sun), math.cos(longitude_of_sun))
    declination = math.asin(math.sin(tilt) * math.sin(longitude_of_sun))
    sidereal = math.radians(15 * (18.697374558 + 24.06570982441908 * days) + longitude)
    phi = math.radians(latitude)
    sine = math.sin(phi) * math.sin(declination) + math.cos(phi) * math.cos(declination) * math.cos(sidereal - ascension)
    return math.degrees(math.asin(sine))


@settings(max_examples=200, deadline=None)
@given(
    st.dates(date(2020, 1, 1), date(2040, 12, 31)),
    st.floats(-60, 60),
    st.sampled_from(
        [("Europe/Paris", 2.0), ("Indian/Reunion", 55.4), ("America/Cayenne", -52.3), ("Pacific/Noumea", 166.4), ("Pacific/Tahiti", -149.6)]
    ),
)
def test_the_sun_touches_the_horizon_when_it_is_said_to(day: date, latitude: float, where: tuple[str, float]) -> None:
    zone, longitude = where
    rise, fall = sun_times(day, latitude, longitude, zone)
    assert rise is not None and fall is not None and rise.date() == fall.date() == day and rise < fall
    for instant in (rise, fall):
        assert abs(elevation(instant.astimezone(UTC), latitude, longitude) + 0.833) < 0.05


def test_the_sun_of_paris_at_the_solstices() -> None:
    for day, rise, fall in ((date(2024, 6, 21), "05:47", "21:58"), (date(2024, 12, 21), "08:41", "16:56")):
        for found, expected in zip(sun_times(day, 48.8566, 2.3522, "Europe/Paris"), (rise, fall), strict=True):
            assert found is not None
            assert abs(found.hour * 60 + found.minute - int(expected[:2]) * 60 - int(expected[3:])) <= 1


def test_polar_day_and_night_are_said() -> None:
    assert sun_times(date(2024, 6, 21), 75.0, 10.0, "Europe/Paris") == (None, None)
    bright, dark = (lit_minutes((day,), 75.0, 10.0, "Europe/Paris", 0).sum() for day in (date(2024, 6, 21), date(2024, 12, 21)))
    assert bright == 0 and dark == 1440


def test_the_nights_of_clock_changes_last_what_they_last() -> None:
    spring, plain, autumn = date(2024, 3, 30), date(2024, 3, 29), date(2024, 10, 26)
    lit = lit_minutes((plain, spring, autumn), 48.85, 2.35, "Europe/Paris", 0)
    assert lit[1][(2 + 12) * 4 : (3 + 12) * 4].sum() == 0 and lit[0][(2 + 12) * 4 : (3 + 12) * 4].sum() == 60  # 2 a.m. does not exist
    assert lit[2][(2 + 12) * 4 : (3 + 12) * 4].sum() == 120  # and is told twice in autumn
    assert abs(lit[1].sum() - lit[0].sum()) < 6  # the night itself is as long


def test_the_law_and_the_norm_as_data() -> None:
    assert rules.minimum_of("P2") == 10 and rules.minimum_of("M1") == 2 and rules.minimum_of("eteint") == 0
    assert all(rules.minimum_of(name) >= 0 for name in rules.CLASSES)
    assert rules.extinction("voirie", None) is None and rules.extinction("patrimoine", None) == (1.0, 12.0)
    assert rules.extinction("parc", 21.5) == (22.5, 12.0) and rules.extinction("parc", None) == (1.0, 12.0)
    assert rules.extinction("stationnement", 23.0) == (1.0, 7.0) and rules.extinction("stationnement", None) is None
