"""The two days a year when clocks change, for one series or many, in any order, and in zones that never change."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

AUTUMN, SPRING = "2026-10-25", "2026-03-29"


def csv_of(times: list[tuple[str, str]]) -> str:
    return "horodatage;secteur;debit_m3h\n" + "".join(f"{time};{name};1\n" for time, name in times)


def hours(start: str, end: str, freq: str = "h") -> pd.DatetimeIndex:
    return pd.date_range(start, end, freq=freq, tz="Europe/Paris", inclusive="left")


def wall(moments: Any) -> list[str]:
    return [moment.strftime("%Y-%m-%d %H:%M") for moment in moments]


@pytest.mark.parametrize("freq", ["h", "15min", "10min"])
@pytest.mark.parametrize("descending", [False, True])
def test_the_repeated_hour_is_read_in_order(read: Any, freq: str, descending: bool) -> None:
    true = hours(AUTUMN, "2026-10-26", freq)
    true = true[::-1] if descending else true
    table = read(csv_of([(text, "A") for text in wall(true)]))
    assert table.frame["horodatage"].tolist() == true.tolist()
    assert any("heure répétée" in note for note in table.report.notes)


@pytest.mark.parametrize("order", ["by series", "by time", "by series, descending", "by time, descending"])
def test_many_series_in_one_file(read: Any, order: str) -> None:
    true = hours("2026-10-24", "2026-10-27", "30min")
    names = [f"S{i}" for i in range(7)]
    moments = [(m, n) for n in names for m in true] if "series" in order else [(m, n) for m in true for n in names]
    if "descending" in order:
        moments = moments[::-1]
    table = read(csv_of([(m.strftime("%Y-%m-%d %H:%M"), n) for m, n in moments]))
    assert table.frame["horodatage"].tolist() == [m for m, _ in moments]


def test_sorted_by_text_within_each_series(read: Any) -> None:
    texts = sorted(wall(hours(AUTUMN, "2026-10-26", "15min")))
    table = read(csv_of([(t, n) for t in texts for n in "AB"]))
    for name in "AB":
        got = table.frame.loc[table.frame["secteur"] == name, "horodatage"]
        assert sorted(got) == hours(AUTUMN, "2026-10-26", "15min").tolist()


def test_the_skipped_hour_is_named_with_what_to_do(read: Any) -> None:
    table = read(csv_of([(f"{SPRING} {h:02d}:00", "A") for h in (0, 1, 2, 3)]))
    assert [(e.line, e.column, e.read) for e in table.report.errors] == [(4, "horodatage", f"{SPRING} 02:00")]
    assert "écrivez le décalage" in table.report.errors[0].advice
    assert table.lines.tolist() == [2, 3, 5]


def test_a_year_without_clock_changes_is_read_as_winter_time(read: Any) -> None:
    times = pd.date_range("2026-03-01", "2026-11-30", freq="h")
    table = read(csv_of([(t.strftime("%Y-%m-%d %H:%M"), n) for t in times for n in "AB"]))
    assert not len(table.report.errors)
    assert table.frame["horodatage"].iloc[::2].tolist() == times.tz_localize("Etc/GMT-1").tz_convert("Europe/Paris").tolist()
    assert any("heure d’hiver toute l’année (UTC+1)" in note for note in table.report.notes)


def test_a_year_of_legal_time_keeps_its_23_and_25_hours(read: Any) -> None:
    true = hours("2026-03-01", "2026-11-30")
    table = read(csv_of([(t, "A") for t in wall(true)]))
    assert table.frame["horodatage"].tolist() == true.tolist()


def test_offsets_are_obeyed_and_may_stand_beside_naive_times(read: Any) -> None:
    table = read(
        csv_of([(f"{AUTUMN}T02:30+02:00", "A"), (f"{AUTUMN}T02:30+01:00", "A"), (f"{SPRING}T01:30Z", "A"), ("2026-07-01 12:00", "A")])
    )
    assert table.frame["horodatage"].dt.tz_convert("UTC").dt.strftime("%H:%M").tolist() == ["00:30", "01:30", "01:30", "10:00"]


@pytest.mark.parametrize("zone", ["America/Guadeloupe", "Indian/Reunion", "Pacific/Noumea", "America/Miquelon", "America/Cayenne"])
def test_overseas(read: Any, zone: str) -> None:
    times = ["2026-10-25 02:30", "2026-03-29 02:30", "2026-07-01 12:00"]
    table = read(csv_of([(t, "A") for t in times]), timezone=zone)
    assert table.frame["horodatage"].tolist() == [pd.Timestamp(t, tz=zone) for t in times]


def test_every_hour_since_1950_agrees_with_pandas(read: Any) -> None:
    true = pd.date_range("1950-01-01", "2037-12-31", freq="31h", tz="Europe/Paris")
    local = true.tz_localize(None)
    sure = local.tz_localize("Europe/Paris", ambiguous="NaT").notna()
    table = read(csv_of([(t, "A") for t in wall(true[sure])]))
    assert table.frame["horodatage"].tolist() == true[sure].tolist()
