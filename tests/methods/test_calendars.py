"""Known dates of the calendars: France, its own laws and seas, Italy, clocks."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from bocage.methods import calendars


@pytest.mark.parametrize(
    ("territory", "day", "off"),
    [
        ("FR", date(2024, 7, 14), True),
        ("FR", date(2024, 12, 26), False),
        ("FR-57", date(2024, 12, 26), True),
        ("FR-6AE", date(2024, 3, 29), True),  # Good Friday
        ("FR", date(2024, 3, 29), False),
        ("FR-974", date(2024, 12, 20), True),  # abolition of slavery, Réunion
        ("FR-971", date(2024, 5, 27), True),
        ("FR-972", date(2024, 5, 22), True),
        ("FR-973", date(2024, 6, 10), True),
        ("FR-976", date(2024, 4, 27), True),
        ("IT", date(2022, 4, 25), True),
        ("IT", date(2022, 11, 3), False),
        ("IT-TS", date(2022, 11, 3), True),
    ],
)
def test_public_holidays(territory: str, day: date, off: bool) -> None:
    assert (day in calendars.public_holidays(territory, [day.year])) is off


def test_an_unknown_territory_is_an_error() -> None:
    with pytest.raises(ValueError, match="ZZ"):
        calendars.public_holidays("ZZ", [2024])


@pytest.mark.parametrize(
    ("department", "territory", "zone"),
    [
        ("35", "FR", "B"),
        ("67", "FR-6AE", "B"),
        ("57", "FR-57", "B"),
        ("974", "FR-974", None),
        ("2A", "FR", None),
        ("75", "FR", "C"),
        ("69", "FR", "A"),
        ("978", "FR-MF", None),
        ("988", "FR-NC", None),
    ],
)
def test_departments(department: str, territory: str, zone: str | None) -> None:
    assert calendars.territory_of_department(department) == territory
    assert calendars.school_zone_of_department(department) == zone


def test_an_unknown_department_is_an_error() -> None:
    with pytest.raises(ValueError, match="99"):
        calendars.territory_of_department("99")


@pytest.mark.parametrize("code", [*calendars.OVERSEAS_CODES, "2A", "35", "57", "67", "68"])
def test_every_department_has_public_holidays(code: str) -> None:
    assert calendars.public_holidays(calendars.holiday_territory(f"FR-{code}"), [2026])


def test_every_metropolitan_department_has_one_zone() -> None:
    codes = [f"{n:02d}" for n in range(1, 96) if n != 20]
    assert all(calendars.school_zone_of_department(code) for code in codes)
    assert sum(len(codes.split()) for codes in calendars._ZONES.values()) == 94


def test_school_holidays_differ_by_zone_and_know_what_they_do_not_know() -> None:
    winter = pd.date_range("2024-02-10", "2024-03-10")
    off = {zone: calendars.school_holidays(winter, zone) for zone in ("A", "B", "C")}
    assert off["C"].loc["2024-02-12"] and not off["A"].loc["2024-02-12"] and off["A"].loc["2024-02-20"] and off["B"].loc["2024-03-01"]
    assert calendars.school_holidays(winter, None).isna().all()
    assert calendars.school_holidays(pd.date_range("2050-01-01", periods=2), "A").isna().all()


def test_clock_changes_and_bridges() -> None:
    days = calendars.day_features(date(2024, 3, 30), date(2024, 10, 28), "FR", school_zone="C")
    assert days.loc["2024-03-31", ["clock_shift", "hours"]].tolist() == [1, 23]
    assert days.loc["2024-10-27", ["clock_shift", "hours"]].tolist() == [-1, 25]
    assert days["clock_shift"].abs().sum() == 2
    assert days.loc["2024-05-10", "bridge"] and not days.loc["2024-05-09", "bridge"]  # Ascension is a Thursday
    assert days.loc["2024-04-30", "eve"] and days.loc["2024-05-02", "morrow"]
    assert days.loc["2024-07-14", "holiday_name"] == "Fête nationale"


def test_a_territory_without_clock_changes() -> None:
    days = calendars.day_features(date(2024, 3, 1), date(2024, 11, 1), "FR-974", timezone="Indian/Reunion")
    assert (days["hours"] == 24).all()
