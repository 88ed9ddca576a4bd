"""Meter files as received: whatever the form, the same energy at the same instants; never a unit guessed."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bocage.contract.errors import MissingColumns, UnreadableFile
from bocage.usecases.energie_batiments import bulk, grids, instants, lines, readers, sorting, units

ZONE = "Europe/Paris"


def data_connect(stamps: list[str], values: list[str], start: str = "2024-01-15", unit: str = "W") -> str:
    readings = [{"value": v, "date": s, "interval_length": "PT30M", "measure_type": "B"} for s, v in zip(stamps, values, strict=True)]
    kind = {"measurement_kind": "power", "unit": unit, "aggregate": "average"}
    return json.dumps(
        {"meter_reading": {"usage_point_id": "30001000000101", "start": start, "reading_type": kind, "interval_reading": readings}}
    )


def read(tmp_path: Path, text: str, name: str = "recu.json") -> pd.DataFrame:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return readers.read_curves(path)[0]


def test_average_watts_as_strings_become_kwh_of_the_half_hour_before(tmp_path: Path) -> None:
    table = read(tmp_path, data_connect(["2024-01-15 00:30:00", "2024-01-15 01:00:00"], ["540", "1000"]))
    assert table["kwh"].tolist() == [0.27, 0.5]
    assert table["debut"].dt.tz_convert(ZONE).dt.strftime("%H:%M").tolist() == ["00:00", "00:30"]


def test_a_curve_that_begins_at_midnight_of_its_first_day_stamps_the_beginning(tmp_path: Path) -> None:
    table = read(tmp_path, data_connect(["2024-01-15 00:00:00", "2024-01-15 00:30:00"], ["540", "1000"]))
    assert table["debut"].dt.tz_convert(ZONE).iloc[0].hour == 0
    assert table["debut"].dt.tz_convert(ZONE).iloc[0].day == 15


@pytest.mark.parametrize(("day", "steps"), [("2024-03-31", 46), ("2024-10-27", 50), ("2024-06-12", 48)])
def test_days_of_23_and_25_hours_keep_their_energy(tmp_path: Path, day: str, steps: int) -> None:
    local = pd.date_range(day, periods=1, tz=ZONE)[0] + pd.to_timedelta(30 * np.arange(1, steps + 1), unit="min")
    table = read(tmp_path, data_connect([s.strftime("%Y-%m-%d %H:%M:%S") for s in local], ["2000"] * steps, start=day))
    assert np.isclose(table["kwh"].sum(), steps * 1.0)
    curves = grids.curves(sorting.sort(table, ZONE), ZONE)["hourly"]
    assert np.isclose(np.nansum(curves.energy), steps)
    assert len(curves.days) == 1
    known = curves.values[0, 0]
    assert np.allclose(known[np.isfinite(known)], 2.0), "the doubled hour is averaged, not added"
    assert np.isfinite(known).sum() == (23 if steps == 46 else 24)


def test_enedis_csv_with_offsets_and_indexes_in_wh(tmp_path: Path) -> None:
    head = "Identifiant PRM;Type de donnees;Date de debut;Date de fin;Grandeur physique;Grandeur metier;Etape metier;Unite"
    curve = (
        f"{head};Pas en minutes\n30001;Courbe de charge;15/01/2024;16/01/2024;Energie active;Consommation;Comptage Brut;W;30\n\n"
        "Horodate;Valeur\n2024-01-15T00:30:00+01:00;600\n2024-01-15T01:00:00+01:00;\n2024-01-15T01:30:00+01:00;200\n"
    )
    index = (
        f"{head}\n30002;Index;15/01/2024;17/01/2024;Energie active;Consommation;Comptage Brut;Wh\n\n"
        "Horodate;Type de releve;EAS F1;EAS T\n2024-01-15T00:00:00+01:00;Arrêté quotidien;1000;1000\n"
        "2024-01-16T00:00:00+01:00;Arrêté quotidien;13000;13000\n2024-01-17T00:00:00+01:00;Arrêté quotidien;9000;9000\n"
    )
    assert read(tmp_path, curve, "c.csv")["kwh"].tolist() == [0.3, 0.1]
    table = read(tmp_path, index, "i.csv")
    assert table["kwh"].tolist() == [12.0], "an index that goes back is a meter changed, not a use"
    assert table["heures"].tolist() == [24.0]


def test_r64_adds_the_distributors_classes_once(tmp_path: Path) -> None:
    def classes(name: str, values: list[float]) -> dict[str, object]:
        points = [{"d": f"2024-01-{15 + i}T00:00:00+01:00", "v": v, "iv": 0} for i, v in enumerate(values)]
        return {"idClasseTemporelle": name, "valeur": points}

    calendars = [
        {"idCalendrier": "FC000001", "classeTemporelle": [classes("BASE", [100, 400])]},
        {"idCalendrier": "DI000002", "classeTemporelle": [classes("HP", [60, 260]), classes("HC", [40, 140])]},
    ]
    quantity = {"grandeurMetier": "CONS", "grandeurPhysique": "EA", "unite": "Wh", "calendrier": calendars}
    table = read(tmp_path, json.dumps({"mesures": [{"idPrm": "30003", "contexte": [{"grandeur": [quantity]}]}]}))
    assert np.allclose(table["kwh"], [0.3])


def test_grdf_gives_pcs_energy_and_falls_back_on_the_coefficient(tmp_path: Path) -> None:
    used = {"date_debut_consommation": "2024-01-01T06:00:00+01:00", "date_fin_consommation": "2024-01-02T06:00:00+01:00"}
    lines = [
        {"pce": {"id_pce": "GI1"}, "consommation": {**used, "energie": 142, "volume_brut": 12}},
        {
            "pce": {"id_pce": "GI2"},
            "consommation": {**used, "energie": None, "volume_brut": 10, "coeff_calcul": {"coeff_conversion": 11.2}},
        },
    ]
    table = read(tmp_path, "\n".join(json.dumps(line) for line in lines))
    assert table.set_index("point")["kwh"].to_dict() == {"GI1": 142.0, "GI2": 112.0}


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 1e6), st.sampled_from([0.25, 0.5, 1.0]))
def test_units_agree_on_the_same_energy(kwh: float, hours: float) -> None:
    same = {"kWh": kwh, "Wh": 1e3 * kwh, "MWh": kwh / 1e3, "kW": kwh / hours, "W": 1e3 * kwh / hours, "kWh PCS": kwh, "kWh PCI": kwh / 1.11}
    for unit, value in same.items():
        assert np.isclose(units.to_kwh(pd.Series([value]), unit, hours)[0], kwh)


@pytest.mark.parametrize("unit", ["kVA", "", "therm", "m³"])
def test_an_unknown_unit_is_refused(unit: str) -> None:
    with pytest.raises(UnreadableFile):
        units.to_kwh(pd.Series([1.0]), unit, 1.0)


KEYS = st.sampled_from(["meter_reading", "mesures", "consommation", "pce", "idPrm", "grandeur"])
NESTED = st.recursive(
    st.none() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200) | NESTED.map(json.dumps))
def test_any_other_text_gives_a_sentence(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("recu") / "x.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UnreadableFile):
        readers.read_curves(path)


def test_a_zip_of_several_forms_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "recu.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.json", data_connect(["2024-01-15 00:30:00"], ["540"]))
        archive.writestr("b.csv", "point_de_mesure;horodatage;valeur;unite\n30009;2024-01-15;12,5;kWh\n30009;2024-01-16;13,5;kWh\n")
        archive.writestr("lisezmoi.pdf", "rien")
    assert readers.read_curves(path)[0].groupby("point")["kwh"].sum().to_dict() == {"30001000000101": 0.27, "30009": 26.0}


def test_parquet_batches_hold_whole_meters_and_refuse_disorder(tmp_path: Path) -> None:
    stamps = pd.date_range("2024-01-01", periods=48, freq="h")
    names = np.repeat(["p1", "p2", "p3"], len(stamps))
    frame = pd.DataFrame({"point_de_mesure": names, "horodatage": np.tile(stamps, 3), "valeur": 500.0, "unite": "W"})
    good, bad, poor = (tmp_path / f"{name}.parquet" for name in ("good", "bad", "poor"))
    frame.to_parquet(good, row_group_offsets=[0, 30, 70, 100])
    read = pd.concat([bulk.read(good, a, b, {}, ZONE)[0] for a, b, _ in bulk.batches(good)])
    assert read.groupby("point", observed=True)["kwh"].sum().to_dict() == dict.fromkeys(("p1", "p2", "p3"), 24.0)
    frame.sample(frac=1, random_state=0).to_parquet(bad, row_group_offsets=[0, 30, 70, 100])
    with pytest.raises(UnreadableFile, match="trié"):
        bulk.batches(bad)
    frame.drop(columns="unite").to_parquet(poor)
    with pytest.raises(MissingColumns, match="unite"):
        bulk.batches(poor)


def test_days_of_23_and_25_hours_take_their_real_length() -> None:
    days = pd.date_range("2024-03-25", "2024-11-05", freq="D", tz=ZONE).tz_convert("UTC")
    table = pd.DataFrame({"point_de_mesure": "p", "horodatage": days, "valeur": 10.0, "unite": "kWh"})
    assert sorted(set(lines.long_table(table, ZONE, {})[0]["heures"])) == [23.0, 24.0, 25.0]


def test_daily_data_connect_days_have_23_24_or_25_hours(tmp_path: Path) -> None:
    days = pd.date_range("2024-03-29", "2024-04-02", freq="D").strftime("%Y-%m-%d")
    found = {
        "usage_point_id": "1",
        "start": "2024-03-29",
        "reading_type": {"measurement_kind": "energy", "measuring_period": "P1D", "unit": "Wh", "aggregate": "sum"},
        "interval_reading": [{"value": "24000", "date": day} for day in days],
    }
    table = read(tmp_path, json.dumps({"meter_reading": found}))
    assert table["heures"].tolist() == [24.0, 24.0, 23.0, 24.0, 24.0]
    assert table["kwh"].tolist() == [24.0] * 5


def long(point: str, start: str, gaps: list[float], unit: str = "kWh", value: float = 1.0) -> pd.DataFrame:
    """Lines of ``releves``: one reading, then one after each gap (hours)."""
    stamps = pd.Timestamp(start, tz=ZONE) + pd.to_timedelta(np.concatenate([[0.0], np.cumsum(gaps)]), unit="h")
    return pd.DataFrame({"point_de_mesure": point, "horodatage": stamps, "valeur": value, "unite": unit})


def test_a_meter_that_goes_from_hours_to_half_hours_keeps_its_energy_in_watts() -> None:
    table, _ = lines.long_table(long("p", "2024-01-01", [1.0] * 240 + [0.5] * 480, "W", 2000.0), ZONE, {})
    assert table["kwh"].sum() == pytest.approx(2 * 480 + 1)
    assert table["heures"].iloc[239] == 1.0
    assert table["heures"].iloc[240] == 0.5


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 0.4), st.sampled_from([1 / 6, 0.5, 1.0]))
def test_holes_never_lengthen_the_step_of_a_reading(seed: int, missing: float, step: float) -> None:
    kept = np.random.default_rng(seed).random(600) >= missing
    stamps = (np.flatnonzero(kept) * step * 3.6e9).astype(np.int64)
    hours = instants.step_lengths(np.zeros(len(stamps), dtype=np.int64), stamps)
    assert np.allclose(hours, step, rtol=1e-3)


def test_bills_and_days_take_the_time_until_the_next_one_and_no_hole() -> None:
    days = lines.long_table(long("p", "2024-01-01", [24.0] * 10 + [120.0] + [24.0] * 10), ZONE, {})[0]
    assert days["heures"].tolist() == [24.0] * 22
    months = lines.long_table(long("p", "2023-01-01", [744.0, 672.0, 743.0, 720.0, 744.0, 2000.0, 744.0]), ZONE, {})[0]
    assert months["heures"].round().tolist()[:5] == [744, 672, 743, 720, 744]
    assert months["heures"].max() < 800


def test_two_files_of_one_meter_end_to_end_each_keep_their_step() -> None:
    hours, days = long("p", "2024-01-01", [1.0] * 239), long("p", "2024-01-01", [24.0] * 9, value=24.0)
    table = sorting.sort(lines.long_table(pd.concat([hours, days]), ZONE, {})[0], ZONE)
    curves = grids.curves(table, ZONE)["hourly"]
    assert np.nansum(curves.energy) == pytest.approx(240)
    assert "plusieurs pas" in table.notes[0]


def index_of(days: int, first: float = 5000.0) -> pd.DataFrame:
    stamps = pd.date_range("2024-01-01", periods=days, freq="D", tz=ZONE)
    total = first + 10.0 * np.arange(days)
    return pd.DataFrame({"point_de_mesure": "p", "horodatage": stamps, "valeur": total, "unite": "kWh", "nature": "index"})


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_an_index_given_as_a_file_is_never_a_use(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"releves.{form}"
    if form == "csv":
        index_of(30).to_csv(path, index=False)
        table = readers.read_curves(path)[0]
    else:
        index_of(30).assign(horodatage=lambda t: t["horodatage"].dt.tz_convert("UTC")).to_parquet(path)
        table = bulk.read(path, 0, 1, {}, ZONE)[0]
    assert table["kwh"].tolist() == pytest.approx([10.0] * 29)


def test_a_bill_in_a_parquet_file_ends_when_it_says(tmp_path: Path) -> None:
    start = pd.to_datetime(["2024-01-01", "2024-07-01"])
    bills = pd.DataFrame(
        {"point_de_mesure": "p", "horodatage": start, "valeur": 900.0, "unite": "kWh", "fin": start + pd.Timedelta(days=30)}
    )
    bills.to_parquet(tmp_path / "f.parquet")
    assert bulk.read(tmp_path / "f.parquet", 0, 1, {}, ZONE)[0]["heures"].tolist() == [720.0, 720.0]


@pytest.mark.parametrize("as_text", [True, False])
def test_times_without_an_offset_are_local_in_a_parquet_file_too(tmp_path: Path, as_text: bool) -> None:
    local = pd.date_range("2024-10-26", "2024-10-29", freq="h", tz=ZONE, inclusive="left")
    naive = local.tz_localize(None)
    frame = pd.DataFrame({"point_de_mesure": "p", "horodatage": naive.astype(str) if as_text else naive, "valeur": 1.0, "unite": "kWh"})
    frame.to_parquet(tmp_path / "n.parquet")
    table = bulk.read(tmp_path / "n.parquet", 0, 1, {}, ZONE)[0]
    assert (pd.DatetimeIndex(table["debut"]) == local).all(), "the doubled hour is read twice, summer's first"


def test_each_meter_of_a_local_csv_has_its_own_doubled_hour(tmp_path: Path) -> None:
    naive = pd.date_range("2024-10-27", "2024-10-28", freq="h", tz=ZONE, inclusive="left").tz_localize(None)
    frame = pd.concat([pd.DataFrame({"point_de_mesure": p, "horodatage": naive, "valeur": 1, "unite": "kWh"}) for p in ("a", "b")])
    frame.to_csv(tmp_path / "l.csv", index=False)
    table = readers.read_curves(tmp_path / "l.csv")[0]
    assert table.groupby("point", observed=True)["debut"].nunique().tolist() == [25, 25]


def test_a_gas_index_in_cubic_metres_takes_the_bills_coefficient() -> None:
    table, _ = lines.long_table(index_of(3).assign(unite="m³"), ZONE, {"p": 11.2})
    assert table["kwh"].tolist() == pytest.approx([112.0, 112.0])
    with pytest.raises(UnreadableFile, match="coefficient_kwh_m3"):
        lines.long_table(index_of(3).assign(unite="m³"), ZONE, {})
    with pytest.raises(UnreadableFile, match="puissance"):
        lines.long_table(index_of(3).assign(unite="kW"), ZONE, {})


def test_an_index_that_goes_back_is_told_with_its_day_and_one_wrong_reading_costs_nothing() -> None:
    changed = index_of(30)
    changed.loc[20:, "valeur"] -= 5200
    table, notes = lines.long_table(changed, ZONE, {})
    assert table["kwh"].sum() == pytest.approx(280)
    assert "recule" in notes[0]
    assert "21\u00a0janvier 2024" in notes[0]
    wrong = index_of(30)
    wrong.loc[20, "valeur"] = 99_999.0
    table, notes = lines.long_table(wrong, ZONE, {})
    assert table["kwh"].sum() == pytest.approx(290)
    assert "isolé" in notes[0]


def test_what_an_archive_holds_besides_is_read_or_told(tmp_path: Path) -> None:
    inner = tmp_path / "lot2.zip"
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("b.csv", "point_de_mesure;horodatage;valeur;unite\n30009;2024-01-15;12,5;kWh\n")
    with zipfile.ZipFile(tmp_path / "recu.zip", "w") as archive:
        archive.writestr("a.json", data_connect(["2024-01-15 00:30:00"], ["540"]))
        archive.writestr("__MACOSX/._a.json", b"\x00\x05\x16\x07Mac OS X")
        archive.writestr("vide.csv", "")
        archive.writestr("lisezmoi.pdf", "rien")
        archive.write(inner, "lot2.zip")
    table, notes = readers.read_curves(tmp_path / "recu.zip")
    assert table.groupby("point")["kwh"].sum().to_dict() == {"30001000000101": 0.27, "30009": 12.5}
    assert [name for name in ("vide.csv", "lisezmoi.pdf") if any(name in note for note in notes)] == ["vide.csv", "lisezmoi.pdf"]
    assert not any("MACOSX" in note for note in notes)


def test_an_empty_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("")
    with pytest.raises(UnreadableFile, match="aucune mesure"):
        readers.read_curves(tmp_path / "v.csv")


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8-sig", "utf-16"])
def test_a_csv_as_french_spreadsheets_write_it_is_read_like_any_other(tmp_path: Path, encoding: str) -> None:
    times = pd.date_range("2025-03-29", "2025-10-28", freq="1h", tz="Europe/Paris")
    head = "point_de_mesure;horodatage;valeur;unite;nature\n"
    plain = head + "".join(f"p1;{at.isoformat()};{1000 + i}.5;m³;consommation\n" for i, at in enumerate(times))
    french = head + "".join(
        f"p1;{at:%d/%m/%Y %H:%M};{f'{1000 + i:,}'.replace(',', chr(0xA0))},5;m³;consommation\n" for i, at in enumerate(times)
    )
    (tmp_path / "iso.csv").write_text(plain, encoding="utf-8")
    (tmp_path / "tableur.csv").write_text(french.replace("\n", "\r\n"), encoding=encoding)
    (iso, _), (sheet, notes) = (readers.read_curves(tmp_path / name, gas={"p1": 11.2}) for name in ("iso.csv", "tableur.csv"))
    assert notes == [] and len(sheet) == len(times)
    pd.testing.assert_frame_equal(iso, sheet)
