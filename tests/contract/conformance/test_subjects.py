"""What a proposal may be about: a cell of a table, a day among them."""

from __future__ import annotations

import pandas as pd

from bocage.contract.conformance.answers import _values


def test_days_are_named_as_files_write_them_and_floats_are_no_subject() -> None:
    days = pd.to_datetime(["2024-03-11", "2024-03-12"]).astype("datetime64[s]")
    table = pd.DataFrame({"date": days, "site_nom": ["Bourg", None], "reel": [12.0, 13.0]})
    assert set(_values(table)) == {"2024-03-11", "2024-03-12", "Bourg"}


def test_zoned_times_are_named_as_before() -> None:
    table = pd.DataFrame({"horodatage": pd.to_datetime(["2024-03-11T08:00:00+01:00"]).tz_convert("Europe/Paris")})
    assert set(_values(table)) == {"2024-03-11 08:00:00+01:00"}
