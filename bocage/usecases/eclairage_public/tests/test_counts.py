"""What is not counted is never taken for an empty street; and the sun is that of the right place. Counts are simulated."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bocage.contract.errors import InvalidParams, NotEnoughData
from bocage.contract.outcome import Outcome, Recommendation
from bocage.contract.usecase import Resources
from bocage.usecases.eclairage_public.engine import EclairagePublic
from bocage.usecases.eclairage_public.nights import read_nights, step_of
from bocage.usecases.eclairage_public.places import misplaced, placed, town_of
from bocage.usecases.eclairage_public.rows import EclairagePublicParams
from bocage.usecases.eclairage_public.telling import ADOPT, FULL
from bocage.usecases.eclairage_public.tests import simulated

TERRITORIES = (
    *("Europe/Paris", "America/Guadeloupe", "America/Martinique", "America/Cayenne", "Indian/Reunion", "Indian/Mayotte"),
    *("America/Miquelon", "America/St_Barthelemy", "America/Marigot"),
    *("Pacific/Noumea", "Pacific/Tahiti", "Pacific/Marquesas", "Pacific/Gambier", "Pacific/Wallis"),
)
"""Time zones that an organisation may choose."""

NAME, ZONE = "Rue du Port", simulated.ZONE
STREET = simulated.segments().query("segment == @NAME")


def counts(nights: int = 30, step: str = "h", busiest: float = 300.0, name: str = NAME) -> pd.DataFrame:
    table = simulated.presence(nights, step=step, streets={name: busiest})
    return table.astype({"passages": "Int64"})


def run(table: pd.DataFrame, segments: pd.DataFrame = STREET, **params: float) -> Outcome:
    return EclairagePublic().run({"segments": segments, "presence": table}, EclairagePublicParams(**params), Resources())


def only(outcome: Outcome, name: str = NAME) -> Recommendation:
    return next(rec for rec in outcome.recommendations if rec.subject == name)


def at(day: int) -> pd.Timestamp:
    """Noon of the ``day``-th day of the counts."""
    return pd.Timestamp(simulated.START, tz=ZONE) + pd.DateOffset(days=day, hours=12)


def nights_of(table: pd.DataFrame, until: pd.Timestamp | None = None) -> np.ndarray:
    return read_nights(table, 47.2, -1.55, ZONE, 15, until).counts


def test_a_counter_that_stops_before_the_file_does_is_to_be_mended() -> None:
    other = counts(name="Boulevard de la Gare")
    blank, absent = counts(), counts()
    blank.loc[blank["horodatage"] >= at(20), "passages"] = pd.NA
    absent = pd.concat([absent[absent["horodatage"] < at(20)], other])
    both = simulated.segments().query("segment in [@NAME, 'Boulevard de la Gare']")
    for outcome in (run(blank), run(absent, both)):
        rec = only(outcome)
        assert rec.action == FULL and "aucun comptage depuis 10 nuits" in EclairagePublic().explain(rec)
        assert any("campagne" in note for note in outcome.notes)
    assert only(run(absent, both), "Boulevard de la Gare").action != FULL


def test_a_night_or_two_without_a_count_at_the_end_is_no_breakdown() -> None:
    table = counts()
    table.loc[table["horodatage"] >= at(28), "passages"] = pd.NA
    assert only(run(table)).action != FULL


def test_two_thirds_of_the_lines_missing_do_not_make_a_street_quieter() -> None:
    whole = counts(step="5min", busiest=60.0)
    kept = np.random.default_rng(1).random(len(whole)) < 1 / 3
    blank, absent = whole.copy(), whole[kept]
    blank.loc[~kept, "passages"] = pd.NA
    mean = float(np.nanmean(nights_of(whole)))
    for table in (blank, absent):
        assert abs(float(np.nanmean(nights_of(table))) / mean - 1) < 0.05
        assert float(str(only(run(table)).evidence["presence_kwh_an"])) < 1.1 * float(str(only(run(whole)).evidence["presence_kwh_an"]))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([1, 3, 5, 10, 15, 20, 30, 45, 60]), st.integers(0, 59), st.floats(0.3, 1.0), st.integers(0, 10_000))
def test_whatever_the_step_a_steady_street_is_read_at_its_own_rate(step: int, late: int, share: float, seed: int) -> None:
    """Two passages a minute: thirty in each quarter of an hour that was counted for half of its time, and nothing in the others."""
    stamps = pd.date_range(at(0) + pd.Timedelta(minutes=late), at(16), freq=f"{step}min")
    kept = np.random.default_rng(seed).random(len(stamps)) < share
    table = pd.DataFrame({"horodatage": stamps, "passages": pd.array(np.where(kept, 2 * step, 0), dtype="Int64")})
    table.loc[~kept, "passages"] = pd.NA
    read = read_nights(pd.concat([table, table]), 47.2, -1.55, ZONE, 15)
    # The same count for two weeks is what a stuck counter would say: the counts are read all the same.
    assert read.steps == (step,) and np.allclose(read.counts[~np.isnan(read.counts)], 30)


def test_five_minutes_do_not_speak_for_a_quarter_of_an_hour_but_ten_do() -> None:
    whole = counts(step="5min")
    # One line in three at random: one in three at the same minutes would be a counter put on quarters of an hour.
    order = np.argsort(np.random.default_rng(5).random((len(whole) // 3, 3)), axis=1).reshape(-1)
    five, ten = (whole[order < lines] for lines in (1, 2))
    night = slice(4 * 5, 4 * 20)
    assert not np.isnan(nights_of(pd.concat([ten, whole[whole["horodatage"] < at(14)]]))[15:29, night]).any()
    assert np.isnan(nights_of(pd.concat([five[five["horodatage"] >= at(14)], whole[whole["horodatage"] < at(14)]]))[15:29, night]).all()


def test_the_hour_that_autumn_repeats_is_one_rate_not_two() -> None:
    stamps = pd.date_range("2024-10-20T12:00", "2024-11-03T12:00", freq="15min", tz=ZONE)
    drawn = np.random.default_rng(2).permutation(np.repeat([20, 40], len(stamps) // 2 + 1))[: len(stamps)]
    table = read_nights(pd.DataFrame({"horodatage": stamps, "passages": drawn}), 47.2, -1.55, ZONE, 15)
    assert np.nanmax(table.counts) <= 40


def test_ten_dead_nights_in_the_middle_are_set_aside_and_said() -> None:
    whole, broken = counts(), counts()
    broken.loc[(broken["horodatage"] >= at(9)) & (broken["horodatage"] < at(19)), "passages"] = 0
    one, other = run(whole), run(broken)
    assert abs(float(str(only(other).evidence["presence_kwh_an"])) / float(str(only(one).evidence["presence_kwh_an"])) - 1) < 0.1
    assert only(other).evidence["nuits"] == 20
    assert any(re.search(r"du 14.février 2024 au 23.février 2024 ont été écartés", note) for note in other.notes)


def test_a_counter_that_dies_in_the_course_of_a_night_is_not_believed_from_then_on() -> None:
    table = counts()
    table.loc[(table["horodatage"] >= at(9) + pd.Timedelta(hours=9)) & (table["horodatage"] < at(14)), "passages"] = 0
    read = nights_of(table)
    assert np.isnan(read[9, 4 * 9 :]).sum() == 4 * 15 and not np.isnan(read[9, 4 * 5 : 4 * 9]).any()


def test_a_stuck_stretch_in_the_middle_is_set_aside() -> None:
    table = counts()
    table.loc[(table["horodatage"] >= at(9)) & (table["horodatage"] < at(12)), "passages"] = 7
    read = read_nights(table, 47.2, -1.55, ZONE, 15)
    assert read.aside == ((date(2024, 2, 14), date(2024, 2, 16)),) and np.isnan(read.counts[9:12]).all() and not read.dead


def test_a_quiet_street_keeps_its_empty_nights() -> None:
    table = counts(60, busiest=0.6)
    read = read_nights(table, 47.2, -1.55, ZONE, 15)
    nightly = np.nansum(np.where(read.lit > 0, read.counts, 0), axis=1)
    assert (nightly == 0).any() and not read.aside and read.counted == 60


def test_only_counted_nights_are_said_to_be() -> None:
    table = counts(60, busiest=25.0)
    table = table[(table["horodatage"] < at(10)) | (table["horodatage"] >= at(50))]
    rec = only(run(table))
    assert rec.action == ADOPT and rec.evidence["nuits"] == 20 and "20 nuits comptées" in EclairagePublic().explain(rec)
    few = table[(table["horodatage"] < at(5)) | (table["horodatage"] >= at(52))]
    with pytest.raises(NotEnoughData, match="13 nuits"):
        run(few)


def test_a_counter_that_sleeps_from_midnight_does_not_make_an_empty_street() -> None:
    awake, asleep = counts(), counts()
    asleep.loc[asleep["horodatage"].dt.hour < 5, "passages"] = 0
    outcome = run(asleep)
    assert any("entre 00:00 et 05:00" in note for note in outcome.notes)
    assert float(str(only(outcome).evidence["presence_kwh_an"])) < float(str(only(run(awake)).evidence["presence_kwh_an"]))
    assert not any("entre 00:00" in note for note in run(awake).notes)


@pytest.mark.parametrize("first, second", [("h", "15min"), ("15min", "h"), ("5min", "30min")])
def test_a_file_whose_step_changes_is_read_at_each_of_its_steps_and_it_is_said(first: str, second: str) -> None:
    one, other, cut = counts(step=first, busiest=60.0), counts(step=second, busiest=60.0), at(9)
    table = pd.concat([one[one["horodatage"] < cut], other[other["horodatage"] >= cut]])
    read = nights_of(table)
    assert np.array_equal(read[:8], nights_of(one)[:8], equal_nan=True) and np.array_equal(read[10:], nights_of(other)[10:], equal_nan=True)
    outcome = run(table.sample(frac=1.0, random_state=1))
    assert any("le pas de ses comptages change" in note and "60" in note for note in outcome.notes) == (first == "h" or second == "h")
    assert only(outcome) == only(run(table)), "whatever the order of the lines"
    assert not any("pas" in note for note in run(one).notes)


def test_hours_that_overlap_their_own_quarters_count_nobody_twice_and_it_is_said() -> None:
    quarters = counts(step="15min", busiest=60.0)
    hours = quarters.groupby([quarters["horodatage"].dt.floor("h"), "segment"], as_index=False)["passages"].sum()
    hours["horodatage"] = sorted(set(quarters["horodatage"].dt.floor("h")))
    table = pd.concat([hours, quarters[quarters["horodatage"] >= at(12)]])
    assert np.array_equal(nights_of(table)[13:], nights_of(quarters)[13:], equal_nan=True)
    assert any("à deux pas à la fois" in note for note in run(table).notes)
    assert not any("à la fois" in note for note in run(pd.concat([quarters, quarters])).notes)


def test_half_a_place_is_refused_and_no_place_shows_none() -> None:
    assert EclairagePublicParams().latitude is None
    for half in ({"latitude": 47.2}, {"longitude": -1.5}):
        with pytest.raises(InvalidParams, match="Donnez les deux"):
            run(counts(), **half)


def test_the_step_is_the_commonest_gap() -> None:
    stamps = pd.date_range("2024-02-05", "2024-02-12", freq="5min", tz=ZONE)
    assert step_of(stamps[np.random.default_rng(0).random(len(stamps)) < 1 / 3]) == 5 and step_of(stamps[:1]) == 60


@pytest.mark.parametrize("zone", TERRITORIES)
def test_without_a_place_the_sun_is_that_of_the_territory_and_it_is_said(zone: str) -> None:
    params, assumed = placed(EclairagePublicParams(), zone)
    assert assumed and town_of(zone) and not misplaced(params.latitude, params.longitude, zone)
    noon = pd.Timestamp("2024-01-15T12:00").tz_localize(zone).utcoffset()
    assert noon is not None
    # The clock of a territory is within an hour and a half of its sun.
    assert abs((noon.total_seconds() / 3600 - params.longitude / 15 + 12) % 24 - 12) < 1.5


def test_reunion_without_coordinates_is_lit_by_its_own_sun() -> None:
    table = counts(busiest=25.0)
    table["horodatage"] = table["horodatage"].dt.tz_localize(None).dt.tz_localize("Indian/Reunion")
    unsaid, said = run(table), run(table, latitude=-20.9, longitude=55.5)
    assert abs(float(only(unsaid).value or 0) / float(only(said).value or 0) - 1) < 0.01
    assert any("Saint-Denis" in note for note in unsaid.notes) and not any("soleil est celui" in note for note in said.notes)
    with pytest.raises(InvalidParams, match="vérifiez les signes"):
        run(table, latitude=20.9, longitude=55.5)


@pytest.mark.parametrize(
    "place, zone",
    [
        ((41.39, 9.16), "Europe/Paris"),  # Bonifacio
        ((51.09, 2.54), "Europe/Paris"),  # Bray-Dunes
        ((48.46, -5.09), "Europe/Paris"),  # Ouessant
        ((47.08, -56.38), "America/Miquelon"),  # Miquelon
        ((2.11, -52.90), "America/Cayenne"),  # Trois-Sauts
        ((18.12, -63.05), "America/Guadeloupe"),  # Saint-Martin, kept on the time zone of Guadeloupe
        ((-27.62, -144.33), "Pacific/Tahiti"),  # Rapa
        ((-22.66, 167.45), "Pacific/Noumea"),  # Île des Pins
    ],
)
def test_the_ends_of_each_territory_are_in_it(place: tuple[float, float], zone: str) -> None:
    assert not misplaced(*place, zone) and misplaced(place[1], place[0], zone)


def test_a_segment_out_of_its_territory_takes_the_sun_of_the_commune_and_it_is_said() -> None:
    outcome = run(counts(busiest=25.0), STREET.assign(latitude=-1.55, longitude=47.2))
    assert any("vérifiez les signes" in note for note in outcome.notes)
    assert outcome.table("segments").rows[0][1:3] == (47.2184, -1.5536)
