"""Timetable against presence, segment by segment: the programme of least cost, its savings, and whether they are sure.

For each kind of night (of the week, of the weekend) and each quarter of an hour the options are: fixed levels at or above the minimum of
the hour, presence dimming (the minimum of the hour when someone is there, that of the empty street otherwise), and off where a rule or a
decision asks for it. ``schedule.cheapest`` chooses exactly, with and without presence. Presence is proposed only where its yearly gain in
euros, sensors paid, is above zero at the low end of its interval over nights.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import cast

import numpy as np

from bocage.usecases.eclairage_public import rules
from bocage.usecases.eclairage_public.nights import MINUTES, SLOTS, Nights, lit_minutes
from bocage.usecases.eclairage_public.raising import shares_raised
from bocage.usecases.eclairage_public.rows import EclairagePublicParams, SegmentRow
from bocage.usecases.eclairage_public.schedule import cheapest
from bocage.usecases.eclairage_public.trust import equal_runs

FIXED, PRESENCE, OFF = "horaire", "présence", "éteint"
LEVEL = 0.90
"""Coverage of the interval of savings over nights."""

DRAWS = 400


@dataclass(frozen=True)
class Segment:
    """A segment's facts: levels in per cent of full output, powers in W for all its luminaires.

    ``dark``: slots that a rule or a decision keeps off (bool); ``minimum`` (slots) with someone there; ``empty``: with nobody;
    ``able``: presence dimming is allowed; ``why``: if not."""

    name: str
    minimum: np.ndarray
    empty: np.ndarray
    dark: np.ndarray
    watts: float
    lamps: int
    detectors: int
    latitude: float
    longitude: float
    able: bool
    why: str


@dataclass(frozen=True)
class Programme:
    """What each slot does: ``mode`` (slots), level with someone there and with nobody (slots, per cent)."""

    mode: np.ndarray
    level: np.ndarray
    low: np.ndarray


@dataclass(frozen=True)
class Plan:
    """The programmes of one segment, by kind of night (0 week, 1 weekend): ``usual`` (the timetable of today), ``timetable`` (the best
    one), ``presence`` (None when not allowed). Yearly kWh: ``used`` by the usual one; ``saved`` and its interval by presence over the best
    timetable, sensors' own use taken off; the same in € with the sensors' cost. ``raised`` (2, slots): share of the time at which presence
    would be raised. ``adopt``: presence is proposed."""

    segment: Segment
    usual: tuple[Programme, Programme]
    timetable: tuple[Programme, Programme]
    presence: tuple[Programme, Programme] | None
    used: float
    timetable_saved: float
    saved: tuple[float, float, float]
    euros: tuple[float, float, float]
    nights: int
    raised: np.ndarray
    adopt: bool

    @property
    def proposed(self) -> tuple[Programme, Programme]:
        """The programmes to propose."""
        return self.presence if self.adopt and self.presence is not None else self.timetable


def power(level: np.ndarray, watts: float, lamps: int, params: EclairagePublicParams) -> np.ndarray:
    """Watts of a segment at ``level`` (per cent): a part does not fall with the level; off, the drivers still draw a little."""
    fixed = params.pertes_pct / 100
    return np.asarray(np.where(level > 0, watts * (fixed + (1 - fixed) * level / 100), params.veille_w * lamps))


def level_for(share: float, params: EclairagePublicParams) -> float:
    """The lowest level of the luminaires, in per cent, that gives ``share`` of their full output; 100 when none does. Never 0: lit."""
    steps = math.ceil(round((100 * share - params.niveau_min_pct) / params.pas_niveau_pct, 9))
    return float(min(100, params.niveau_min_pct + max(0, steps) * params.pas_niveau_pct))


def hours_mask(start: float, end: float) -> np.ndarray:
    """Slots (bool) that lie wholly between two clock hours, past midnight if need be; none when they are equal."""
    opens = (np.arange(SLOTS) * MINUTES / 60 + 12) % 24
    begun, over = opens >= start, opens + MINUTES / 60 > end
    return begun & ~over if start <= end else begun | ~over


def limits(dark: np.ndarray, params: EclairagePublicParams) -> tuple[int, int]:
    """Most changes a night, and least minutes of a stretch: those asked, or the nearest to them that the ``dark`` slots leave possible."""
    runs = [b - a + 1 for a, b in equal_runs(dark)]
    return max(params.changements_max, len(runs) - 1), min(math.ceil(params.palier_min / MINUTES), min(runs)) * MINUTES


def plan_segment(segment: Segment, nights: Nights, params: EclairagePublicParams, timezone: str, seed: int) -> Plan:
    """The programmes of a segment and their savings over the year that follows its last night."""
    usual = tuple(_usual(segment) for _ in range(2))
    weight = _coming_minutes(nights.dates[-1], segment, params, timezone)
    kinds = [_of_kind(nights, kind) for kind in range(2)]
    share = [shares_raised(nights.counts[at], nights.noise[at], params.maintien_min) for at in kinds]
    expected = np.stack([_mean(one) for one in share])
    best, with_presence = [], []
    for kind in range(2):
        best.append(_optimum(segment, expected[kind], weight[kind], params, presence=False))
        with_presence.append(_optimum(segment, expected[kind], weight[kind], params, presence=True) if segment.able else best[kind])
    used = sum(_energy(usual[kind], expected[kind], weight[kind], segment, params) for kind in range(2))
    trimmed = used - sum(_energy(best[kind], expected[kind], weight[kind], segment, params) for kind in range(2))
    sensing = segment.able and any((p.mode == PRESENCE).any() for p in with_presence)
    saved, euros = (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
    if sensing:
        own = segment.detectors * params.detecteur_w * 8.766
        draws = _draws(best, with_presence, share, weight, segment, params, seed) - own
        centre = sum(
            _energy(best[kind], expected[kind], weight[kind], segment, params)
            - _energy(with_presence[kind], expected[kind], weight[kind], segment, params)
            for kind in range(2)
        )
        low, high = (float(np.quantile(draws, q)) for q in ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
        saved = (float(centre - own), min(low, float(centre - own)), max(high, float(centre - own)))
        cost = segment.detectors * params.detecteur_eur_an
        euros = tuple(kwh * params.prix_kwh_eur - cost for kwh in saved)  # type: ignore[assignment]
    programmes = (with_presence[0], with_presence[1]) if sensing else None
    return Plan(
        segment,
        (usual[0], usual[1]),
        (best[0], best[1]),
        programmes,
        used,
        trimmed,
        saved,
        euros,
        nights.counted,
        expected,
        sensing and euros[1] > 0,
    )


def _usual(segment: Segment) -> Programme:
    """Today's timetable: the class of the hour, lowered in the small hours, dark where it must be."""
    mode = np.where(segment.dark, OFF, FIXED)
    level = np.where(segment.dark, 0.0, segment.minimum)
    return Programme(mode, level, level)


def _of_kind(nights: Nights, kind: int) -> np.ndarray:
    """Rows of the nights of a kind; of all nights when fewer than three are."""
    at = np.flatnonzero(nights.weekend == bool(kind))
    return at if len(at) >= 3 else np.arange(len(nights.dates))


def _mean(share: np.ndarray) -> np.ndarray:
    """Mean over nights (slots); a slot never counted is taken to be always busy: nothing is saved on what is not known."""
    known = ~np.isnan(share)
    total = np.where(known, share, 0.0).sum(axis=0)
    return np.clip(np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), 1.0), 0.0, 1.0)


def _coming_minutes(last: date, segment: Segment, params: EclairagePublicParams, timezone: str) -> np.ndarray:
    """Minutes lit per slot over the 365 nights after ``last``, by kind of night: (2, slots)."""
    dates = tuple(last + timedelta(days=k) for k in range(1, 366))
    lit = lit_minutes(dates, segment.latitude, segment.longitude, timezone, params.decalage_min)
    weekend = np.array([day.weekday() in (4, 5) for day in dates])
    return np.stack([lit[~weekend].sum(axis=0), lit[weekend].sum(axis=0)])


def _options(segment: Segment, presence: bool) -> list[tuple[str, float, float]]:
    """(mode, level, low level) of each option."""
    levels = sorted({float(level) for level in segment.minimum[~segment.dark]})
    options = [(FIXED, level, level) for level in levels]
    if presence:
        lows = sorted({float(level) for level in segment.empty[~segment.dark]})
        options += [(PRESENCE, level, low) for level in levels for low in lows if low < level]
    return [*options, (OFF, 0.0, 0.0)] if segment.dark.any() else options


def _optimum(segment: Segment, share: np.ndarray, weight: np.ndarray, params: EclairagePublicParams, presence: bool) -> Programme:
    options = _options(segment, presence)
    cost = np.full((SLOTS, len(options)), np.inf)
    for o, (mode, level, low) in enumerate(options):
        high, bottom = (power(np.array(x), segment.watts, segment.lamps, params) for x in (level, low))
        mean = share * high + (1 - share) * bottom if mode == PRESENCE else np.full(SLOTS, float(high))
        enough = (level >= segment.minimum) & ((low >= segment.empty) | (mode == FIXED))
        allowed = segment.dark if mode == OFF else enough & ~segment.dark
        # A trifle keeps equal costs (the hours of day, where nothing is lit) from choosing presence.
        cost[:, o] = np.where(allowed, weight * mean / 60_000 + (1e-9 if mode == PRESENCE else 0.0), np.inf)
    changes, dwell = limits(segment.dark, params)
    # Within these limits a schedule always exists: each dark stretch off, each other one at its highest level.
    chosen = cast("tuple[np.ndarray, float]", cheapest(cost, changes, dwell // MINUTES))[0]
    return Programme(*(np.array([options[o][i] for o in chosen]) for i in range(3)))


def mean_power(programme: Programme, share: np.ndarray, segment: Segment, params: EclairagePublicParams) -> np.ndarray:
    """Expected watts (…, slots) when a presence controller is raised ``share`` (…, slots) of the time."""
    high, low = (power(level, segment.watts, segment.lamps, params) for level in (programme.level, programme.low))
    return np.asarray(np.where(programme.mode == PRESENCE, share * high + (1 - share) * low, high))


def _energy(programme: Programme, share: np.ndarray, weight: np.ndarray, segment: Segment, params: EclairagePublicParams) -> float:
    """kWh over ``weight`` minutes per slot."""
    return float((mean_power(programme, share, segment, params) * weight).sum() / 60_000)


def _draws(
    best: list[Programme],
    other: list[Programme],
    share: list[np.ndarray],
    weight: np.ndarray,
    segment: Segment,
    params: EclairagePublicParams,
    seed: int,
) -> np.ndarray:
    """Yearly savings of ``other`` over ``best``, kWh, on resampled nights (Efron's bootstrap, within each kind of night)."""
    drawn = np.random.default_rng((seed, *segment.name.encode()))
    total = np.zeros(DRAWS)
    for kind, own in enumerate(share):
        gap = mean_power(best[kind], own, segment, params) - mean_power(other[kind], own, segment, params)
        known = ~np.isnan(gap)
        gap, known = np.where(known, gap, 0.0), known.astype(float)
        picks = drawn.multinomial(len(own), np.full(len(own), 1 / len(own)), size=DRAWS)
        mean = (picks @ gap) / np.maximum(picks @ known, 1e-9)
        total += (np.where(known.any(axis=0), mean, 0.0) * weight[kind]).sum(axis=1) / 60_000
    return total


def segment_of(line: object, params: EclairagePublicParams) -> Segment:
    """The facts of a line of ``SegmentRow``."""
    read = Line(line)
    classe, nobody = read.text("classe"), read.text("classe_vide")
    minimum = _minimum(read, params)
    empty = np.minimum(minimum, _level(nobody, read, params)) if nobody else minimum
    dark = hours_mask(params.coupure_debut_h, params.coupure_fin_h) if params.coupure else np.zeros(SLOTS, dtype=bool)
    law = rules.extinction(read.text("categorie") or "voirie", read.number("fermeture_h"), read.number("ouverture_h"))
    dark = dark | (hours_mask(*law) if law else False)
    lag, ahead = (read.number(name) for name in ("delai_s", "anticipation_s"))
    # Not said: the slowest that the defaults allow, and no warning.
    lag, ahead = 1.0 if lag is None else lag, ahead or 0.0
    why = ""
    if not nobody or not rules.same_family(classe, nobody):
        why = "aucune classe n’est admise quand il n’y a personne"
    elif lag > ahead:
        why = "le plein niveau viendrait après l’entrée dans le segment (délai plus long que l’anticipation)"
    lamps, detectors = int(read.number("points_lumineux") or 1), read.number("detecteurs")
    # ``places.placed`` has found a place for whoever gave none.
    latitude, longitude = read.number("latitude"), read.number("longitude")
    return Segment(
        str(getattr(line, "segment", "")),
        minimum,
        np.asarray(empty, dtype=float),
        dark,
        lamps * (read.number("puissance_w") or 0.0),
        lamps,
        int(detectors) if detectors is not None else math.ceil(lamps / 4),
        cast(float, params.latitude if latitude is None else latitude),
        cast(float, params.longitude if longitude is None else longitude),
        not why,
        why,
    )


def _minimum(read: Line, params: EclairagePublicParams) -> np.ndarray:
    """Level (slots) with someone there: the class, or in the small hours the one given for them, if both measure the same thing."""
    classe, quiet = read.text("classe"), read.text("classe_creuse")
    full = _level(classe, read, params)
    reduced = _level(quiet, read, params) if quiet and rules.same_family(classe, quiet) else full
    return np.where(hours_mask(params.creuse_debut_h, params.creuse_fin_h), reduced, full)


def _level(classe: str, read: Line, params: EclairagePublicParams) -> float:
    """The level that holds a class. Only « eteint » is dark: P7 asks for no figure, but it is lit."""
    if classe == rules.OFF:
        return 0.0
    return level_for(rules.minimum_of(classe) / (read.number("niveau_installe") or 1e-9), params)


@dataclass(frozen=True)
class Line:
    """A line of ``SegmentRow``, whether a model or a row of a table: its texts and numbers, blanks made plain."""

    line: object

    def text(self, name: str) -> str:
        """The text, stripped; empty when blank."""
        value = self._value(name)
        return value.strip() if isinstance(value, str) else ""

    def number(self, name: str) -> float | None:
        """The number; None when blank."""
        value = self._value(name)
        found = float(value) if isinstance(value, (int, float, np.integer, np.floating)) else math.nan
        return None if math.isnan(found) else found

    def _value(self, name: str) -> object:
        return getattr(self.line, name, SegmentRow.model_fields[name].default)
