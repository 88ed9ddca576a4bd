"""What energie_batiments promises on good and bad curves. Buildings are simulated (``simulated.py``)."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bocage.contract.errors import InvalidParams, NotEnoughData, UnreadableFile
from bocage.contract.outcome import Outcome, Recommendation
from bocage.contract.usecase import Resources
from bocage.usecases.energie_batiments import daily, detect, economics, grids, hourly, report, savings, sorting, watch
from bocage.usecases.energie_batiments.engine import EnergieBatiments
from bocage.usecases.energie_batiments.rows import EnergieBatimentsParams
from bocage.usecases.energie_batiments.tests import simulated

ZONE = "Europe/Paris"


@pytest.fixture(scope="module")
def fleet() -> simulated.Fleet:
    return simulated.fleet(6, "2022-11-01", 1.35, seed=4)


@pytest.fixture(scope="module")
def known(fleet: simulated.Fleet) -> daily.Calendar:
    return daily.calendar(fleet.days, "FR", ("B",))


def stamps(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    return pd.date_range(days[0], periods=len(days) * 24, freq="h", tz="Etc/GMT-1")


def readings(fleet: simulated.Fleet, kwh: np.ndarray, meters: list[int]) -> pd.DataFrame:
    frames = [pd.DataFrame({"point_de_mesure": f"p{m}", "horodatage": stamps(fleet.days), "valeur": kwh[m].reshape(-1)}) for m in meters]
    return pd.concat(frames, ignore_index=True).dropna().assign(unite="kWh")


def inputs(fleet: simulated.Fleet, kwh: np.ndarray, meters: list[int], **more: pd.DataFrame) -> dict[str, pd.DataFrame]:
    sites = pd.DataFrame({"point_de_mesure": [f"p{m}" for m in meters], "nom": [f"Bâtiment n° {m}" for m in meters], "prix_eur_kwh": 0.2})
    weather = pd.DataFrame({"horodatage": stamps(fleet.days), "temperature_c": fleet.temperature.reshape(-1)})
    return {"sites": sites, "releves": readings(fleet, kwh, meters), "meteo": weather, **more}


def run(tables: dict[str, Any], **params: Any) -> Outcome:
    return EnergieBatiments().run(tables, EnergieBatimentsParams(**params), Resources())


def actions(outcome: Outcome) -> dict[str, str]:
    return {rec.subject: rec.action for rec in outcome.recommendations if rec.action not in report.ASIDE}


def test_a_lost_setback_is_told_in_euros_with_its_night_and_its_day(fleet: simulated.Fleet) -> None:
    meter = int(np.argmax(fleet.unlowered.sum(axis=(1, 2)) / fleet.kwh.sum(axis=(1, 2))))
    first = len(fleet.days) - 30
    kwh = fleet.kwh.astype(float).copy()
    kwh[meter] = simulated.inject(fleet, meter, "lost_setback", first)
    outcome = run(inputs(fleet, kwh, [0, 1, 2, 3, 4, 5]))
    top = outcome.recommendations[0]
    assert top.subject == f"Bâtiment n° {meter}"
    assert top.action in report.DRIFTS.values()
    truth = (kwh[meter] - fleet.kwh[meter])[first:].sum() / 30 * report.MONTH * 0.2
    assert 0.5 * truth < float(str(top.value)) < 2 * truth
    began = pd.Timestamp(str(top.evidence["depuis"]))
    assert abs((began - fleet.days[first]).days) <= 10
    assert "€ par mois" in EnergieBatiments().explain(top)
    assert outcome.table(f"carte_p{meter}").columns[24].name == "h23"


def test_findings_on_other_meters_are_refused_and_some_of_the_meters_are_told() -> None:
    drifts = [Recommendation(f"Bâtiment n° {m}", report.NOTHING, 0.0, "€/mois", evidence={"nom": f"Bâtiment n° {m}"}) for m in range(3)]
    outcome = Outcome(drifts, [report.drift_table(drifts, {rec.subject: f"p{m}" for m, rec in enumerate(drifts)})])
    found = EnergieBatiments().evaluate(outcome, {"constats": pd.DataFrame({"point_de_mesure": ["p1"], "surcout_eur_mois": [40.0]})})
    assert (found["ecart_surcout"], found["compteurs"], found["compteurs_attendus"], found["derives_manquees"]) == (40, 1, 3, 1)
    with pytest.raises(NotEnoughData, match=r"3 compteurs .« p1 ».*Lu : 1 compteur .« P-1 »"):
        EnergieBatiments().evaluate(outcome, {"constats": pd.DataFrame({"point_de_mesure": ["P-1"], "surcout_eur_mois": [40.0]})})


@pytest.mark.parametrize(("fault", "action"), [("stuck", "stuck"), ("gaps", "gaps"), ("unit_swap", "unit")])
def test_a_fault_of_the_meter_is_not_taken_for_the_building(fleet: simulated.Fleet, known: daily.Calendar, fault: str, action: str) -> None:
    kwh = simulated.inject(fleet, 1, fault, len(fleet.days) - 10)
    assert actions(run(inputs(fleet, kwh[None].repeat(2, axis=0), [1])))["Bâtiment n° 1"] == report.METER[action]


def test_a_gas_index_in_whole_cubic_metres_is_not_stuck_in_summer_and_a_fine_meter_is() -> None:
    days = pd.date_range("2023-01-01", "2024-09-30", freq="D")
    heating = 200 * np.clip(np.cos(2 * np.pi * (days.day_of_year.to_numpy() - 15) / 365), 0, None)
    fine = heating + 30 + np.random.default_rng(3).normal(0, 4, len(days))
    fine[-12:] = fine[-12]
    cubic_metres = np.round(heating / 11.2) + np.resize([1, 2, 3, 2], len(days))
    cubic_metres[days.slice_indexer("2024-07-08", "2024-07-11")] = 2
    found = detect.from_days(np.stack([11.2 * cubic_metres, fine]), daily.calendar(days, "FR", ("B",)), None, 365)
    assert not found.alarms["stuck"][0].any()
    assert found.alarms["stuck"][1, -9:].any()


def test_a_day_of_25_hours_raises_no_alarm_and_keeps_its_energy() -> None:
    hours = pd.date_range("2023-01-01", "2024-11-20", freq="h", tz=ZONE, inclusive="left")
    table = pd.DataFrame({"point": "p", "debut": hours.tz_convert("UTC"), "heures": 1.0, "kwh": 2.0 + 0.1 * np.sin(np.arange(len(hours)))})
    curves = grids.curves(sorting.sort(table, ZONE), ZONE)["hourly"]
    autumn = curves.days.get_loc(pd.Timestamp("2024-10-27"))
    assert curves.energy[0, autumn] == pytest.approx(table["kwh"][hours.normalize() == pd.Timestamp("2024-10-27", tz=ZONE)].sum())
    found = detect.from_hours(curves.values, daily.calendar(curves.days, "FR", ("B",)), None, len(curves.days) - 92)
    assert not found.any[0, autumn - 2 : autumn + 3].any()


def test_the_change_point_finds_the_balance_points_of_a_known_building() -> None:
    drawn = np.random.default_rng(0)
    temperature = drawn.uniform(-3, 33, 365)
    kwh = 50 + 4 * np.maximum(15 - temperature, 0) + 6 * np.maximum(temperature - 24, 0) + drawn.normal(0, 2, (3, 365))
    found = daily.change_points(temperature, kwh)
    assert np.allclose(found.heating_point, 15, atol=1.01)
    assert np.allclose(found.cooling_point, 24, atol=1.01)
    assert np.allclose(found.heating, 4, rtol=0.1)
    flat = daily.change_points(temperature, 50 + drawn.normal(0, 2, (1, 365)))
    assert np.isnan(flat.heating_point).all()


def test_one_meter_is_modelled_as_it_would_be_among_many(fleet: simulated.Fleet, known: daily.Calendar) -> None:
    rows, shrink = daily.design(known, fleet.temperature)
    kwh = fleet.kwh.sum(axis=2, dtype=float)
    among = daily.fit(rows, shrink, kwh).predict(rows)
    alone = daily.fit(rows, shrink, kwh[2:3]).predict(rows)
    assert np.allclose(among[2], alone[0], rtol=1e-6)


def test_holes_change_the_expected_curve_little_and_nothing_is_invented(fleet: simulated.Fleet, known: daily.Calendar) -> None:
    rows, shrink = hourly.designs(known, fleet.temperature)
    whole = fleet.kwh[:2].astype(float)
    holed = np.where(np.random.default_rng(1).random(whole.shape) < 0.2, np.nan, whole)
    full, part = (hourly.expected(rows, shrink, kwh, slice(0, 365)) for kwh in (whole, holed))
    assert np.abs(full - part).mean() < 0.05 * whole.mean()
    holed[:, 400] = np.nan
    assert np.isnan(hourly.filled(holed, part)[:, 400]).all()


def test_a_true_saving_is_found_and_a_placebo_is_not(fleet: simulated.Fleet, known: daily.Calendar) -> None:
    kwh = fleet.kwh.sum(axis=2, dtype=float)
    before, after = slice(0, 365), slice(370, len(fleet.days))
    placebo = savings.savings(kwh, known, fleet.temperature, before, after)
    saved = savings.savings(np.where(np.arange(kwh.shape[1]) >= 370, 0.8 * kwh, kwh), known, fleet.temperature, before, after)
    assert ((placebo.low <= 0) & (placebo.high >= 0)).mean() >= 0.8
    assert np.allclose(saved.share - placebo.share, 0.2 * (1 - placebo.share), atol=1e-6)
    assert (saved.low < saved.kwh).all()


def test_residuals_that_remember_count_for_fewer_days() -> None:
    drawn = np.random.default_rng(3)
    white = drawn.standard_normal((1, 4000))
    slow = white.copy()
    for i in range(1, slow.shape[1]):
        slow[:, i] += 0.7 * slow[:, i - 1]
    assert savings.correlation_time(white)[0] < 1.3
    assert savings.correlation_time(slow)[0] == pytest.approx((1 + 0.7) / (1 - 0.7), rel=0.25)


def test_power_steps_and_operat_targets() -> None:
    assert economics.power_to_subscribe(7.0) == 9
    assert economics.power_to_subscribe(36.0) == 43
    assert [economics.operat_target(1000, year) for year, _ in economics.OPERAT] == [600, 500, 400]


def test_windows_wait_for_days_that_are_known() -> None:
    scores = np.array([[1.0, np.nan, np.nan, 3.0]])
    assert np.isnan(watch.rolling(scores, 3)[0, 2])
    assert watch.rolling(scores, 1)[0, 3] == 3.0


def test_what_was_saved_by_an_action_is_told_with_its_interval(fleet: simulated.Fleet) -> None:
    kwh = fleet.kwh.astype(float).copy()
    kwh[0, 385:] *= 0.7
    done = [{"point_de_mesure": "p0", "debut": fleet.days[380].date(), "fin": fleet.days[384].date(), "libelle": "isolation"}]
    outcome = run(inputs(fleet, kwh, [0], actions=pd.DataFrame(done)))
    saved = next(rec for rec in outcome.recommendations if rec.action == report.SAVED)
    assert saved.interval is not None
    assert saved.interval[0] > 0
    assert "isolation" in EnergieBatiments().explain(saved)


def test_bad_inputs_are_told_in_french(fleet: simulated.Fleet) -> None:
    good = inputs(fleet, fleet.kwh, [0])
    with pytest.raises(UnreadableFile, match="°F"):
        run({**good, "meteo": good["meteo"].assign(temperature_c=good["meteo"]["temperature_c"] * 1.8 + 32)})
    with pytest.raises(UnreadableFile, match="coefficient_kwh_m3"):
        run({**good, "releves": good["releves"].assign(unite="m³")})
    with pytest.raises(NotEnoughData):
        run({**good, "sites": good["sites"].iloc[:0]})
    with pytest.raises(InvalidParams):
        run(good, territoire="ZZ")


def test_short_histories_bills_and_unknown_meters_are_said(fleet: simulated.Fleet) -> None:
    tables = inputs(fleet, fleet.kwh, [0])
    short = tables["releves"].tail(24 * 40)
    months = pd.date_range("2023-01-01", periods=14, freq="MS", tz="Etc/GMT-1")
    bills = pd.DataFrame({"horodatage": months, "valeur": 900.0, "unite": "kWh"})
    table = pd.concat([short, bills.assign(point_de_mesure="p7"), bills.assign(point_de_mesure="p8")], ignore_index=True)
    sites = pd.DataFrame({"point_de_mesure": ["p0", "p7", "p9"], "nom": ["Neuf", "Facturé", "Muet"]})
    outcome = run({"sites": sites, "releves": table})
    assert actions(outcome) == {"Neuf": report.WAIT, "Facturé": report.WAIT, "Muet": report.ASK}
    assert any("p8" in note for note in outcome.notes)


def test_two_buildings_of_one_name_are_told_by_their_meters(fleet: simulated.Fleet) -> None:
    tables = inputs(fleet, fleet.kwh, [0, 1])
    tables["sites"]["nom"] = "École"
    assert set(actions(run(tables))) == {"p0", "p1"}


def test_when_time_is_short_what_was_not_read_is_said(fleet: simulated.Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bocage.usecases.energie_batiments.sources.BATCH", 1)
    outcome = EnergieBatiments().run(inputs(fleet, fleet.kwh, [0, 1, 2]), EnergieBatimentsParams(), Resources(seconds=0.01))
    assert list(actions(outcome).values()).count(report.WAIT) == 2
    assert any("temps accordé" in note for note in outcome.notes)


def test_worker_processes_change_nothing(fleet: simulated.Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bocage.usecases.energie_batiments.sources.BATCH", 1)
    tables = inputs(fleet, fleet.kwh, [0, 3])
    with ProcessPoolExecutor(2) as pool:
        spread = EnergieBatiments().run(tables, EnergieBatimentsParams(), Resources(pool=pool))
    assert spread.to_json() == run(tables).to_json()
