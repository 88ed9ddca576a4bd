"""Timetable, presence everywhere, Bocage, and an oracle that knows every passage in advance, on the streets of Melbourne.

    python -m benchmarks.eclairage_public [--data DIR] [--json]      evaluation: June to August 2014
    python -m benchmarks.eclairage_public --selection                June and July 2013, on which the choices were made

Rules. Presence: hourly pedestrian counts of the City of Melbourne; the minutes of an hour are simulated from its count by a Poisson
process (uniform instants; « données simulées », fixed seed). Luminaires are simulated too, the same on each street: 20 of 45 W, class P2
(P3 from midnight to 5 a.m., P6 with nobody), 12.5 lx at full output, 5 detectors. Bocage learns from the three months (two in the
selection) before and proposes one programme per street by the engine's own path; programmes then run minute by minute on the later nights.
Savings are over the usual timetable, detectors' own use taken off. The oracle knows each passage in advance, minute by minute, lights
each street at the least (same luminaires, minimum and hold), pays for the same detectors where it dims, and keeps the timetable where they
would cost more. ``oracle_share_pct`` is the lesser of the shares in kWh and in euros. An oracle that pays nothing, and one that needs not
even hold a level, are printed beside. ``minutes_below`` counts lit minutes under the minimum of the
minute. docs/bench/eclairage_public.md keeps the log of looks.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bocage.contract.bench import Bar, BenchResult, DatasetUsed
from bocage.contract.errors import DataFolderMissing
from bocage.usecases.eclairage_public.control import minutes_of, oracle_raised, raised
from bocage.usecases.eclairage_public.nights import MINUTES, lit_minutes, read_nights
from bocage.usecases.eclairage_public.planning import PRESENCE, Plan, Programme, Segment, plan_segment, power, segment_of
from bocage.usecases.eclairage_public.rows import EclairagePublicParams, SegmentRow

SLUG = "eclairage_public"
FILE = Path("energy") / "presence" / "pedestriancounts_melbourne.zip"
ZONE = "Australia/Melbourne"
PARAMS = EclairagePublicParams(latitude=-37.8136, longitude=144.9631)
SPANS = {"evaluation": ("2014-03-01", "2014-06-01", "2014-08-31"), "selection": ("2013-04-08", "2013-06-01", "2013-07-31")}
"""First night learnt, first night judged, morrow of the last one. No clock changes within."""

SEED = 2014
LEAST = 0.8
"""Share of hours counted, in both spans, under which a counter is left out."""


@dataclass(frozen=True)
class Street:
    """A street on the judged nights: ``present`` and ``lit`` (nights, minutes; bool), ``weekend`` (nights), and its plan."""

    plan: Plan
    present: np.ndarray
    lit: np.ndarray
    weekend: np.ndarray


def default_data_dir() -> Path:
    """``BOCAGE_DONNEES``, else ``../shared/data`` beside the project."""
    return Path(os.environ.get("BOCAGE_DONNEES") or Path(__file__).resolve().parents[2] / "shared" / "data")


def run(data_dir: Path | None = None, progress: Callable[[float, str], None] | None = None, span: str = "evaluation") -> BenchResult:
    """The whole benchmark. Raises ``DataFolderMissing`` when the counts are not on this machine."""
    started = time.monotonic()
    path = (data_dir or default_data_dir()) / FILE
    if not path.is_file():
        raise DataFolderMissing(f"Il manque {path} : indiquez le dossier des données par BOCAGE_DONNEES.")
    tell = progress or (lambda done, what: None)
    streets = _streets(path, span, tell)
    usual = [_spent(s, s.plan.usual, False) for s in streets]
    everywhere = [_spent(s, s.plan.presence or s.plan.usual, s.plan.presence is not None) for s in streets]
    free = _oracle(streets, PARAMS.maintien_min)
    paying = [_paid(*three) for three in zip(streets, free, usual, strict=True)]
    ways = {
        "Horaire habituel": usual,
        "Présence partout": everywhere,
        "Bocage": [_spent(s, s.plan.proposed, s.plan.adopt) for s in streets],
        "Oracle, mêmes détecteurs et mêmes coûts": paying,
        "Oracle sans détecteur ni coût": free,
        "Oracle sans détecteur, ni coût, ni maintien": _oracle(streets, 1),
    }
    rows = [_row(name, spent, usual, paying, free, streets) for name, spent in ways.items()]
    ours = rows[2]
    mistaken, missed = _mistaken(streets, everywhere, usual), _missed(streets, everywhere, usual)
    return BenchResult(
        slug=SLUG,
        seconds=time.monotonic() - started,
        rows=rows,
        bars=[
            Bar(id="oracle_share_pct", value=min(ours["oracle_share_kwh_pct"], ours["oracle_share_eur_pct"]), sense=">=", target=90.0),
            Bar(id="minutes_below", value=ours["minutes_below"], sense="<=", target=0.0),
            Bar(id="presence_adopted_at_a_loss", value=len(mistaken), sense="<=", target=0.0),
        ],
        datasets=[
            DatasetUsed(name=FILE.name, version=f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}", licence="CC BY 4.0"),
            DatasetUsed(name="Minutes et luminaires : données simulées", version=f"graine {SEED}", licence="Licence Ouverte 2.0"),
        ],
        notes=[
            f"{len(streets)} rues, {sum(len(s.present) for s in streets)} nuits de rue ; "
            f"présence proposée dans {sum(s.plan.adopt for s in streets)}.",
            f"Présence proposée à perte : {', '.join(mistaken) or 'nulle part'}.",
            f"Horaire gardé bien que la présence eût gagné : {', '.join(missed) or 'nulle part'}.",
        ],
    )


@dataclass(frozen=True)
class Spent:
    """What one way of lighting drew on one street over its nights: kWh, minutes below the minimum, detectors paid."""

    kwh: float
    below: int
    detectors: int


def _streets(path: Path, span: str, tell: Callable[[float, str], None]) -> list[Street]:
    """The streets counted well enough in both spans of nights, with the plan that was made before the second."""
    learn, first, last = (pd.Timestamp(day) for day in SPANS[span])
    counts = _counts(path, learn, last + pd.Timedelta(days=1))
    drawn = np.random.default_rng(SEED)
    result = []
    for done, name in enumerate(sorted(counts.columns), start=1):
        tell(0.9 * done / len(counts.columns), name)
        before, after = (counts[name][a + pd.Timedelta(hours=12) : b + pd.Timedelta(hours=11)] for a, b in ((learn, first), (first, last)))
        if min(before.notna().mean(), after.notna().mean()) < LEAST:
            continue
        segment = _segment(name)
        known = pd.DataFrame({"horodatage": _zoned(before.index), "passages": before.to_numpy()})
        nights = read_nights(known, PARAMS.latitude, PARAMS.longitude, ZONE, PARAMS.decalage_min)
        plan = plan_segment(segment, nights, PARAMS, ZONE, seed=0)
        result.append(_judged(plan, after, drawn))
    return result


def _counts(path: Path, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """Passages by local hour (rows) and counter (columns)."""
    raw = pd.read_csv(path, header=0)
    raw.columns = pd.Index(["heure", "jour", "rang", "id", "nom", "passages"])
    years = raw["heure"].str.contains(f"-{start.year}")
    raw = raw[years]
    stamp = pd.to_datetime(raw["heure"].str.strip(), format="%d-%b-%Y %H:%M")
    wide = raw.assign(stamp=stamp).pivot_table(index="stamp", columns="nom", values="passages", aggfunc="mean")
    return wide.reindex(pd.date_range(start, end, freq="h", inclusive="left"))


def _zoned(index: pd.Index) -> pd.DatetimeIndex:
    # The hour that autumn repeats stands once in the file: it is taken to be the first.
    return pd.DatetimeIndex(index).tz_localize(ZONE, ambiguous=np.ones(len(index), dtype=bool), nonexistent="shift_forward")


def _segment(name: str) -> Segment:
    line = SegmentRow(
        segment=name,
        classe="P2",
        classe_creuse="P3",
        classe_vide="P6",
        niveau_installe=12.5,
        points_lumineux=20,
        puissance_w=45.0,
        detecteurs=5,
        anticipation_s=3.0,
    )
    return segment_of(line, PARAMS)


def _judged(plan: Plan, after: pd.Series, drawn: np.random.Generator) -> Street:
    """The nights of ``after`` (hours from a noon) that were counted whole, minute by minute."""
    hours = after.to_numpy()[: len(after) // 24 * 24].reshape(-1, 24)
    dates = pd.date_range(after.index[0].normalize(), periods=len(hours), freq="D")
    whole = ~np.isnan(hours).any(axis=1)
    present = minutes_of(hours[whole], 60, drawn) > 0
    kept: tuple[date, ...] = tuple(day.date() for day in dates[whole])
    lit = _lit(lit_minutes(kept, PARAMS.latitude, PARAMS.longitude, ZONE, PARAMS.decalage_min))
    return Street(plan, present & lit, lit, np.isin(dates[whole].day_of_week, (4, 5)))


def _lit(table: np.ndarray) -> np.ndarray:
    """Minutes (nights, 1440; bool) from lit minutes per slot: the evening's first slot is lit at its end, the morning's last at its
    start."""
    minute = np.arange(MINUTES)
    evening = np.arange(table.shape[1]) < table.shape[1] // 2
    late = minute[None, None] >= MINUTES - table[:, :, None]
    early = minute[None, None] < table[:, :, None]
    return np.where(evening[None, :, None], late, early).reshape(len(table), -1)


def _by_minute(street: Street, programmes: tuple[Programme, Programme], name: str) -> np.ndarray:
    """A column of the programmes (nights, minutes)."""
    both = np.stack([np.repeat(getattr(programme, name), MINUTES) for programme in programmes])
    return np.asarray(both[street.weekend.astype(int)])


def _spent(street: Street, programmes: tuple[Programme, Programme], sensing: bool) -> Spent:
    """A programme run minute by minute."""
    segment = street.plan.segment
    mode, level, low = (_by_minute(street, programmes, name) for name in ("mode", "level", "low"))
    lifted = raised(street.present, PARAMS.maintien_min) | (mode != PRESENCE)
    now = np.where(lifted, level, low)
    need = np.where(street.present, np.repeat(segment.minimum, MINUTES), np.repeat(segment.empty, MINUTES))
    watts = power(now, segment.watts, segment.lamps, PARAMS)
    own = segment.detectors * PARAMS.detecteur_w * 24 * len(street.present) / 1000 if sensing else 0.0
    return Spent(float(watts[street.lit].sum()) / 60_000 + own, int((street.lit & (now < need)).sum()), segment.detectors if sensing else 0)


def _oracle(streets: list[Street], hold: int) -> list[Spent]:
    """The least that the same luminaires could draw, each passage being known in advance."""
    result = []
    for street in streets:
        segment = street.plan.segment
        high, low = (power(np.repeat(x, MINUTES), segment.watts, segment.lamps, PARAMS) for x in (segment.minimum, segment.empty))
        gain = np.where(street.lit, (high - low)[None], 0.0)
        up = oracle_raised(street.present, gain, hold)
        spent = np.where(up, high[None], low[None])
        result.append(Spent(float(spent[street.lit].sum()) / 60_000, int((street.present & ~up).sum()), 0))
    return result


def _paid(street: Street, oracle: Spent, usual: Spent) -> Spent:
    """The oracle with the street's detectors, their own use and their cost; it keeps the timetable where they would cost more."""
    segment = street.plan.segment
    own = segment.detectors * PARAMS.detecteur_w * 24 * len(street.present) / 1000
    equipped = Spent(oracle.kwh + own, oracle.below, segment.detectors)
    return equipped if _net(street, equipped, usual) > 0 else usual


def _net(street: Street, spent: Spent, usual: Spent) -> float:
    """Euros gained over the judged nights, detectors paid."""
    return (usual.kwh - spent.kwh) * PARAMS.prix_kwh_eur - spent.detectors * PARAMS.detecteur_eur_an * len(street.present) / 365.25


def _row(
    name: str, spent: list[Spent], usual: list[Spent], paying: list[Spent], free: list[Spent], streets: list[Street]
) -> dict[str, Any]:
    def saved(way: list[Spent]) -> float:
        return sum(u.kwh - s.kwh for u, s in zip(usual, way, strict=True))

    def net(way: list[Spent]) -> float:
        return sum(_net(*three) for three in zip(streets, way, usual, strict=True))

    return {
        "name": name,
        "kwh": round(sum(s.kwh for s in spent)),
        "saved_kwh": round(saved(spent)),
        "net_eur": round(net(spent)),
        "oracle_share_kwh_pct": round(100 * saved(spent) / saved(paying), 1),
        "oracle_share_eur_pct": round(100 * net(spent) / net(paying), 1),
        "free_oracle_share_kwh_pct": round(100 * saved(spent) / saved(free), 1),
        "minutes_below": sum(s.below for s in spent),
        "streets_with_presence": sum(s.detectors > 0 for s in spent),
    }


def _mistaken(streets: list[Street], presence: list[Spent], usual: list[Spent]) -> list[str]:
    """Streets where presence was proposed and lost money."""
    return [s.plan.segment.name for s, p, u in zip(streets, presence, usual, strict=True) if s.plan.adopt and _net(s, p, u) < 0]


def _missed(streets: list[Street], presence: list[Spent], usual: list[Spent]) -> list[str]:
    """Streets where the timetable was kept and presence would have gained."""
    return [
        f"{s.plan.segment.name} ({round(_net(s, p, u))} €)"
        for s, p, u in zip(streets, presence, usual, strict=True)
        if not s.plan.adopt and _net(s, p, u) > 0
    ]


def main() -> None:
    """The command line of this file; ``bocage bench eclairage_public`` is the usual door."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--selection", action="store_true")
    chosen = parser.parse_args()
    result = run(chosen.data, span="selection" if chosen.selection else "evaluation").as_json()
    text = f"{pd.DataFrame(result['rows']).to_string()}\n{result['bars']}\n{result['notes']}\n{result['seconds']} s"
    print(json.dumps(result, ensure_ascii=False) if chosen.json else text)


if __name__ == "__main__":
    main()
