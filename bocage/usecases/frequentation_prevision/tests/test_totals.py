"""Two exports of the same visitors, one by hour and one by day."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bocage.usecases.frequentation_prevision.preparation import prepare
from bocage.usecases.frequentation_prevision.tests import simulated
from bocage.usecases.frequentation_prevision.tests.test_frequentation_prevision import POOL, pool_hours


def test_one_wrong_year_is_named_and_stops_nothing() -> None:
    hours = pool_hours("2024-10-01", "2025-01-31")
    wrong = hours.iloc[[40]].assign(horodatage=pd.Timestamp("2062-01-05T10:00", tz=simulated.ZONE))
    found, alone = prepare(pd.concat([hours, wrong])), prepare(hours)
    assert found.grid is not None and alone.grid is not None
    np.testing.assert_allclose(found.grid.values, alone.grid.values)
    assert any("2062" in note and POOL in note for note in found.notes)


def test_days_given_in_hours_and_in_total_are_counted_once() -> None:
    hours = pool_hours("2024-10-01", "2025-01-31")
    day = hours["horodatage"].dt.tz_localize(None).dt.normalize().dt.tz_localize(simulated.ZONE)
    totals = hours.assign(horodatage=day).groupby(["lieu", "horodatage"], as_index=False)["valeur"].sum()
    both, alone = prepare(pd.concat([hours, totals])), prepare(hours)
    assert both.grid is not None and alone.grid is not None
    np.testing.assert_allclose(both.grid.values, alone.grid.values)
    lost = (day == pd.Timestamp("2024-11-08", tz=simulated.ZONE)) & (hours["horodatage"].dt.hour > 12)
    few = pd.concat([hours[~lost & (day.dt.day % 7 == 1)], totals])
    by_day, told = prepare(few), prepare(totals)
    assert by_day.grid is not None and told.grid is not None and by_day.rhythm == "jour"
    np.testing.assert_allclose(by_day.grid.values, told.grid.values)
    assert any("à la fois en total et en heures" in note for note in both.notes)
    assert not any("à la fois" in note for note in prepare(hours).notes)
