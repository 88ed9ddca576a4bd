"""Totals, calendars and notes when readings have accidents: the energy of a year is neither lost nor counted twice, nor cut by others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bocage.contract.outcome import Outcome
from bocage.contract.usecase import Resources
from bocage.usecases.energie_batiments import economics, grids, lines, sorting
from bocage.usecases.energie_batiments.engine import EnergieBatiments
from bocage.usecases.energie_batiments.rows import EnergieBatimentsParams

ZONE = "Europe/Paris"


def curve(point: str, start: str, end: str, zone: str = ZONE, freq: str = "h") -> pd.DataFrame:
    """A building's hours (or days): a working day, a season; kWh."""
    hours = pd.date_range(start, end, freq="h", tz=zone, inclusive="left")
    season = 1 + 0.4 * np.cos(2 * np.pi * (hours.day_of_year - 20) / 365.25)
    noise = np.random.default_rng(3).normal(1, 0.05, len(hours))
    kwh = np.asarray((3 + 6 * ((hours.hour >= 7) & (hours.hour < 18) & (hours.day_of_week < 5))) * season * noise)
    series = pd.Series(kwh, index=hours)
    if freq == "D":
        series = series.groupby(hours.normalize()).sum()
    return pd.DataFrame({"point_de_mesure": point, "horodatage": series.index, "valeur": series.to_numpy(), "unite": "kWh"})


def run(readings: pd.DataFrame | None, sites: pd.DataFrame | None = None, files: dict[str, Any] | None = None, **params: Any) -> Outcome:
    points = [] if readings is None else sorted(set(readings["point_de_mesure"]))
    known = pd.DataFrame({"point_de_mesure": points, "nom": [f"Site {p}" for p in points], "prix_eur_kwh": 0.2})
    tables: dict[str, Any] = {"sites": known if sites is None else sites, **(files or {})}
    if readings is not None:
        tables["releves"] = readings
    return EnergieBatiments().run(tables, EnergieBatimentsParams(**params), Resources())


def cell(outcome: Outcome, point: str, column: str) -> Any:
    table = outcome.table("sites")
    at = [c.name for c in table.columns].index(column)
    return next(row[at] for row in table.rows if row[0] == point)


def last_year(readings: pd.DataFrame) -> float:
    return float(readings.loc[readings["horodatage"] >= readings["horodatage"].max() - pd.Timedelta(days=365), "valeur"].sum())


YEARS = curve("p", "2023-01-01", "2025-01-01")


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 1000), st.floats(0.02, 0.35))
def test_missing_hours_are_completed_in_the_years_total_and_told(seed: int, share: float) -> None:
    kept = np.random.default_rng(seed).random(len(YEARS)) >= share
    outcome = run(YEARS[kept])
    assert cell(outcome, "p", "an_kwh") == pytest.approx(last_year(YEARS), rel=0.02)
    assert cell(outcome, "p", "an_complete_pct") == pytest.approx(100 * share, abs=2)
    assert any("complétés" in note for note in outcome.notes)


def test_under_330_days_known_a_year_has_no_total() -> None:
    hole = (YEARS["horodatage"] >= "2024-03-01") & (YEARS["horodatage"] < "2024-04-15")
    assert cell(run(YEARS[~hole]), "p", "an_kwh") is None


def test_a_month_missing_in_winter_is_completed_as_a_winter_month() -> None:
    hole = (YEARS["horodatage"] >= "2024-12-01") & (YEARS["horodatage"] < "2024-12-31")
    assert cell(run(YEARS[~hole]), "p", "an_kwh") == pytest.approx(last_year(YEARS), rel=0.01)


def test_an_index_read_less_often_loses_no_energy_and_doubles_none() -> None:
    daily = curve("p", "2023-01-01", "2025-01-01", freq="D")
    index = daily.assign(valeur=daily["valeur"].cumsum().shift(fill_value=0.0), nature="index")
    dropped = np.random.default_rng(1).choice(np.arange(500, len(index) - 3), 30, replace=False)
    outcome = run(index.drop(index=list(dropped)))
    assert cell(outcome, "p", "an_kwh") == pytest.approx(daily["valeur"].iloc[-366:-1].sum(), rel=0.005)


def test_a_day_and_a_month_that_tell_the_same_energy_are_counted_once() -> None:
    daily = curve("p", "2023-01-01", "2025-01-01", freq="D")
    months = pd.date_range("2023-01-01", "2025-01-01", freq="MS", tz=ZONE)
    used = daily.set_index("horodatage")["valeur"].groupby(pd.Grouper(freq="MS")).sum()
    bills = pd.DataFrame({"horodatage": months[:-1], "fin": months[1:], "valeur": used.to_numpy(), "unite": "kWh", "point_de_mesure": "p"})
    both = run(pd.concat([daily, bills]))
    assert cell(both, "p", "an_kwh") == pytest.approx(cell(run(daily), "p", "an_kwh"), rel=1e-6)
    assert any("plusieurs pas" in note for note in both.notes)


def test_a_bill_serves_the_days_that_the_curve_lacks() -> None:
    daily = curve("p", "2023-01-01", "2025-01-01", freq="D")
    hole = (daily["horodatage"] >= "2024-03-05") & (daily["horodatage"] < "2024-03-20")
    march = daily[(daily["horodatage"] >= "2024-03-01") & (daily["horodatage"] < "2024-04-01")]["valeur"].sum()
    begin, end = pd.Timestamp("2024-03-01", tz=ZONE), pd.Timestamp("2024-04-01", tz=ZONE)
    bill = pd.DataFrame([{"point_de_mesure": "p", "horodatage": begin, "fin": end, "valeur": march, "unite": "kWh"}])
    table = sorting.sort(lines.long_table(pd.concat([daily[~hole], bill]), ZONE, {})[0], ZONE)
    found = grids.curves(table, ZONE)["daily"]
    assert np.nansum(found.energy) == pytest.approx(daily["valeur"].sum())
    lost = np.isin(found.days, pd.date_range("2024-03-05", "2024-03-19"))
    assert np.isnan(found.values[0][lost]).all(), "a bill tells no day"


BILLS = pd.DataFrame(
    {
        "point_de_mesure": "f",
        "horodatage": pd.to_datetime(["2022-06-15", "2023-06-15"]).tz_localize(ZONE),
        "fin": pd.to_datetime(["2023-06-15", "2024-06-15"]).tz_localize(ZONE),
        "valeur": [36_500.0, 73_200.0],
        "unite": "kWh",
    }
)


def test_the_last_year_of_bills_is_the_meters_own_whatever_the_others_are() -> None:
    alone = cell(run(BILLS), "f", "an_kwh")
    beside = cell(run(pd.concat([BILLS, curve("p", "2023-01-01", "2024-12-01", freq="D")])), "f", "an_kwh")
    assert alone == beside == pytest.approx(73_200 * 365 / 366)
    assert cell(run(BILLS.tail(1).assign(fin=pd.Timestamp("2023-12-15", tz=ZONE))), "f", "an_kwh") is None


@pytest.mark.parametrize("wrong", ["2000-01-01", "2052-07-01"])
def test_one_impossible_date_changes_nothing_but_a_note(wrong: str) -> None:
    other = curve("q", "2023-01-01", "2025-01-01", freq="D")
    sound = pd.concat([curve("p", "2023-01-01", "2025-01-01", freq="D"), other])
    row = pd.DataFrame([{"point_de_mesure": "p", "horodatage": pd.Timestamp(wrong, tz=ZONE), "valeur": 9.0, "unite": "kWh"}])
    clean, dirty = run(sound), run(pd.concat([sound, row]))
    assert [rec.value for rec in dirty.recommendations] == [rec.value for rec in clean.recommendations]
    assert cell(dirty, "q", "an_kwh") == cell(clean, "q", "an_kwh")
    told = [note for note in dirty.notes if "très éloignée" in note]
    assert len(told) == 1
    assert wrong[:4] in told[0]


def test_a_meter_that_stopped_years_ago_is_said_and_does_not_stretch_the_others_calendar() -> None:
    old = curve("v", "2012-01-01", "2013-01-01", freq="D")
    outcome = run(pd.concat([old, curve("p", "2023-01-01", "2025-01-01", freq="D")]))
    stopped = next(rec for rec in outcome.recommendations if rec.evidence["point_de_mesure"] == "v")
    assert stopped.evidence["raison"] == "aucun relevé depuis le 31\u00a0décembre 2012"


def test_days_are_those_of_the_organisations_clock() -> None:
    daily = curve("p", "2023-01-01", "2025-01-01", zone="Indian/Reunion", freq="D")
    outcome = run(daily, territoire="FR-974", zone_scolaire="aucune")
    assert outcome.recommendations[0].evidence["dernier_jour"] == "2024-12-31"
    assert cell(outcome, "p", "an_kwh") == pytest.approx(daily["valeur"].tail(365).sum())


def test_with_files_alone_the_territory_gives_the_clock(tmp_path: Path) -> None:
    daily = curve("p", "2023-01-01", "2025-01-01", zone="Indian/Reunion", freq="D")
    daily.assign(horodatage=daily["horodatage"].dt.tz_localize(None)).to_parquet(tmp_path / "c.parquet")
    sites = pd.DataFrame({"point_de_mesure": ["p"], "nom": ["Mairie"]})
    outcome = run(None, sites, {"courbes": tmp_path / "c.parquet"}, territoire="FR-974", zone_scolaire="aucune")
    assert outcome.recommendations[0].evidence["dernier_jour"] == "2024-12-31"


def test_a_meter_in_a_table_and_in_a_parquet_file_is_one_meter(tmp_path: Path) -> None:
    daily = curve("p", "2023-01-01", "2025-01-01", freq="D")
    daily.iloc[:400].to_parquet(tmp_path / "c.parquet")
    outcome = run(daily.iloc[400:], files={"courbes": tmp_path / "c.parquet"})
    assert cell(outcome, "p", "an_kwh") == pytest.approx(daily["valeur"].tail(365).sum())


def test_a_price_of_zero_is_a_price_and_a_meter_on_two_lines_is_told() -> None:
    daily = curve("p", "2023-01-01", "2025-01-01", freq="D")
    sites = pd.DataFrame({"point_de_mesure": ["p", "p"], "nom": ["École", "École et cantine"], "prix_eur_kwh": [0.0, 0.0]})
    outcome = run(daily, sites)
    assert outcome.recommendations[0].evidence["prix_eur_kwh"] == 0.0
    assert any("plusieurs lignes" in note and "École et cantine" in note for note in outcome.notes)


def test_a_step_that_ends_before_it_begins_is_told() -> None:
    backwards = BILLS.assign(fin=BILLS["horodatage"] - pd.Timedelta(days=1))
    found = sorting.sort(lines.long_table(pd.concat([BILLS, backwards.tail(1)]), ZONE, {})[0], ZONE)
    assert "avant de commencer" in found.notes[0]


def test_a_complete_year_is_its_own_sum() -> None:
    energy = np.random.default_rng(2).uniform(5, 50, (2, 800))
    used, _, completed = economics.yearly(energy, np.ones_like(energy), energy * 1.3)
    assert np.allclose(used, energy[:, -365:].sum(axis=1), rtol=1e-14, atol=0)
    assert (completed == 0).all()


MONTHS = pd.date_range("2022-12-01", periods=26, freq="MS", tz=ZONE)
HEATED = np.array([3000, 2800, 2500, 2000, 1500, 1200, 800, 700, 1300, 2000, 2600, 3000], dtype=float)
"""kWh of each month of a heated school, from January on."""


def monthly_index(changes: dict[int, float]) -> pd.DataFrame:
    """Readings of an index on the first of each month; ``changes``: place of a reading → the index of the meter put in that month."""
    total = [5000.0]
    for i, month in enumerate(MONTHS[:-1].month, start=1):
        total.append(changes.get(i, total[-1] + HEATED[month - 1]))
    return pd.DataFrame({"point_de_mesure": "p", "horodatage": MONTHS, "valeur": total, "unite": "kWh", "nature": "index"})


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.integers(1, 25), st.floats(0, 5e5), max_size=2))
def test_a_meter_replaced_at_whatever_index_is_left_out_and_told_unless_its_month_is_plausible(changes: dict[int, float]) -> None:
    index = monthly_index(changes)
    table, notes = lines.long_table(index, ZONE, {})
    steps = np.diff(index["valeur"])
    usual = np.delete(HEATED[MONTHS[:-1].month - 1], [i - 1 for i in changes])
    # No figure of the year holds more than a few times what the meter ever showed.
    assert table["kwh"].max() <= 5.6 * max(usual.max(), *(s for s in steps if s <= 5.6 * usual.max()))
    lost = len(steps) - len(table)
    assert bool(notes) == bool(lost) and lost <= len(changes)


def test_a_new_meter_whose_index_is_higher_is_no_consumption() -> None:
    outcome = run(monthly_index({20: 88_000.0}))
    assert cell(outcome, "p", "an_kwh") == pytest.approx(23_400, rel=0.06)
    assert cell(outcome, "p", "an_complete_pct") == pytest.approx(100 * 31 / 365, abs=0.5)
    assert any("bondit" in note and "1er\u00a0août 2024" in note for note in outcome.notes)


def test_heating_that_begins_works_that_end_and_one_evening_are_uses_and_no_other_meter() -> None:
    first_winter = monthly_index({}).iloc[5:13]
    reopened = monthly_index({}).assign(valeur=lambda t: np.where(t.index < 14, 5000 + 40.0 * t.index, t["valeur"]))
    reopened.loc[14:, "valeur"] += 5000 + 40 * 14 - reopened.loc[14, "valeur"]
    daily = pd.DataFrame({"horodatage": pd.date_range("2023-01-01", periods=500, freq="D", tz=ZONE), "unite": "kWh", "nature": "index"})
    hall = daily.assign(point_de_mesure="p", valeur=8.0 * np.arange(500) + 120.0 * (np.arange(500) > 300))
    for index in (first_winter, reopened, hall):
        table, notes = lines.long_table(index, ZONE, {})
        assert table["kwh"].sum() == pytest.approx(index["valeur"].iloc[-1] - index["valeur"].iloc[0]) and not notes
