"""Files as they really come: late enrolments, overlapping exports, mistyped dates, days to come at zero, strikes, places without zones."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bocage.contract.errors import NotEnoughData
from bocage.contract.outcome import Chart, Outcome, Recommendation
from bocage.contract.usecase import Resources
from bocage.usecases.cantine_effectifs.agenda import school_zone
from bocage.usecases.cantine_effectifs.cleaning import one_per_cell, out_of_proportion
from bocage.usecases.cantine_effectifs.engine import ORDER_TOWN, CantineEffectifs
from bocage.usecases.cantine_effectifs.enrolment import school_year, weights
from bocage.usecases.cantine_effectifs.rows import CantineEffectifsParams
from bocage.usecases.cantine_effectifs.tests import simulated
from bocage.usecases.cantine_effectifs.words import name_key

FIRST = pd.Timestamp("2024-05-13")
QUICK = Resources(seconds=2.0)
FOUR = {"Les Tilleuls": 212.0, "Jean Moulin": 148.0, "Port-Boyer": 83.0, "La Fontaine": 122.0}
Tables = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def town() -> Tables:
    return simulated.tables(sites=FOUR)


@pytest.fixture
def asked(town: Tables) -> Tables:
    """What is known three weeks before four days of May 2024."""
    return simulated.cut(town, FIRST, days=4)[0]


def run(inputs: Tables, **params: Any) -> Outcome:
    return CantineEffectifs().run(inputs, CantineEffectifsParams(**params), QUICK)


def town_orders(outcome: Outcome) -> dict[str, float]:
    return {rec.subject: float(rec.value or 0) for rec in outcome.recommendations if rec.action == ORDER_TOWN}


def days_of(outcome: Outcome) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(sorted(town_orders(outcome)))


def notes(outcome: Outcome) -> str:
    return "\n".join(outcome.notes)


def known_until(town: Tables, last: str) -> pd.DataFrame:
    return town["frequentation"][town["frequentation"]["date"] <= last]


# --- enrolments ---------------------------------------------------------------------------------------------------------------------


def expected_meals(pupils: list[tuple[str, str, int]], said: list[str], schools: tuple[str, ...] = ("FERRY MAT", "FERRY ELEM")) -> float:
    """Meals expected of the canteen « Ferry » in September 2024, after two years at a hundred meals a day."""
    days = pd.bdate_range("2022-09-01", "2024-07-05").union(pd.DatetimeIndex(["2024-09-02"]))
    enrolled = pd.DataFrame(pupils, columns=["ecole", "annee_scolaire", "effectif"])
    matching = pd.DataFrame([(school, "Ferry") for school in schools], columns=["ecole", "cantine_nom"])
    return float(weights(np.full((len(days) - 1, 1), 100.0), school_year(days), ("Ferry",), enrolled, matching, said)[-1, 0])


PAST = [(f"FERRY {part}", year, pupils) for part, pupils in (("MAT", 50), ("ELEM", 75)) for year in ("2022-2023", "2023-2024")]


def test_a_school_whose_line_is_late_keeps_its_pupils_and_is_named() -> None:
    said: list[str] = []
    assert expected_meals([*PAST, ("FERRY ELEM", "2024-2025", 90)], said) == pytest.approx(100 * 140 / 125)
    assert len(said) == 1 and "FERRY MAT" in said[0] and "2024-2025" in said[0] and "FERRY ELEM" not in said[0]


def test_a_school_closed_by_a_zero_loses_its_pupils_without_a_word() -> None:
    said: list[str] = []
    assert expected_meals([*PAST, ("FERRY ELEM", "2024-2025", 75), ("FERRY MAT", "2024-2025", 0)], said) == pytest.approx(60) and not said


def test_two_schools_that_merge_are_not_counted_twice() -> None:
    said: list[str] = []
    schools = ("FERRY MAT", "FERRY ELEM", "FERRY PRIMAIRE")
    assert expected_meals([*PAST, ("FERRY PRIMAIRE", "2024-2025", 125)], said, schools) == pytest.approx(100)
    assert "remplacées" in said[0] and "FERRY MAT, FERRY ELEM" in said[0].replace("FERRY ELEM, FERRY MAT", "FERRY MAT, FERRY ELEM")


def test_a_year_that_nobody_gave_takes_the_one_before_and_says_so() -> None:
    said: list[str] = []
    assert expected_meals(PAST, said) == pytest.approx(100) and "2023-2024 sont repris" in said[0]


def test_figures_in_names_tell_schools_apart() -> None:
    assert name_key("Écoles Jules-Ferry n° 02") == name_key("ECOLE JULES FERRY N°2") != name_key("École Jules Ferry n° 1")
    assert name_key("Jules Ferry1") == name_key("jules ferry 1") and name_key("Groupe du 8 Mai 1945") == "groupe du 8 mai 1945"
    days = pd.bdate_range("2023-09-01", "2024-03-01")
    reel = np.column_stack([np.full(len(days), 200.0), np.full(len(days), np.nan)])
    pupils = pd.DataFrame({"ecole": ["Jules Ferry 1", "Jules Ferry 2"], "annee_scolaire": ["2023-2024"] * 2, "effectif": [250, 60]})
    found = weights(reel, school_year(days), ("Jules Ferry 1", "Jules Ferry 2"), pupils, None, [])
    assert found[-1] == pytest.approx([200.0, 48.0])


# --- repeated lines and overlapping exports -----------------------------------------------------------------------------------------


def test_an_export_without_types_that_overlaps_adds_no_meal(asked: Tables) -> None:
    untyped = asked["frequentation"][asked["frequentation"]["date"] >= "2024-02-01"].assign(site_type=None)
    both = run({**asked, "frequentation": pd.concat([asked["frequentation"], untyped], ignore_index=True)})
    assert town_orders(both) == town_orders(run(asked)) and "deux exports se recouvrent, ces repas ne sont pas ajoutés." in notes(both)


def test_untyped_meals_that_differ_are_told_and_two_types_are_added() -> None:
    lines = [("A", "M", 40.0), ("A", "e", 60.0), ("A", None, 97.0), ("B", None, 30.0), ("C", "M", None), ("C", None, 12.0)]
    table = pd.DataFrame(lines, columns=["site_nom", "site_type", "reel"]).assign(date=FIRST)
    said: list[str] = []
    found = one_per_cell(table, ["reel"], said).set_index("site_nom")["reel"]
    assert found.to_dict() == {"A": 100.0, "B": 30.0, "C": 12.0} and "diffèrent pour A :" in said[0]


def test_a_type_written_otherwise_or_a_total_beside_its_parts_adds_no_meal() -> None:
    lines = [
        ("A", "M/E", 100.0), ("A", "ME", 100.0), ("A", "maternelle + élémentaire", 100.0), ("B", "M", 40.0), ("B", "Élémentaire", 60.0),
        ("B", "M/E", 100.0), ("C", "M", 40.0), ("C", "E", 60.0), ("C", "M/E", 25.0), ("D", "E", 60.0), ("D", "adultes", 5.0),
    ]  # fmt: skip
    table = pd.DataFrame(lines, columns=["site_nom", "site_type", "reel"]).assign(date=FIRST)
    said: list[str] = []
    found = one_per_cell(table, ["reel"], said).set_index("site_nom")["reel"]
    assert found.to_dict() == {"A": 100.0, "B": 100.0, "C": 125.0, "D": 65.0}
    assert "1 ligne M/E est le total des lignes M et E" in " ".join(said).replace("\xa0", " ").replace("\u202f", " ")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 11), max_size=30), st.booleans())
def test_lines_asked_oftwice_change_nothing(again: list[int], untyped: bool) -> None:
    """Whatever lines are repeated, as they are or without their type."""
    lines = [(site, kind, day, 10.0 + day + len(kind)) for site in ("A", "B") for kind in ("M", "M/E") for day in range(3)]
    table = pd.DataFrame(lines, columns=["site_nom", "site_type", "date", "reel"])
    repeated = table.iloc[again].assign(**({"site_type": None} if untyped else {}))
    assert one_per_cell(pd.concat([table, repeated]), ["reel"], []).equals(one_per_cell(table, ["reel"], []))


def test_meals_told_twice_afterwards_are_no_short_day(town: Tables, asked: Tables) -> None:
    """Repeated lines are averaged, the lines of two types added: as in the inputs."""
    outcome, served = run(asked), simulated.cut(town, FIRST, days=4)[1][["site_nom", "date", "reel"]]
    engine = CantineEffectifs()
    once = engine.evaluate(outcome, {"repas_servis": served})
    assert engine.evaluate(outcome, {"repas_servis": pd.concat([served, served.head(8)])}) == once
    halves = pd.concat([served.assign(site_type=kind, reel=served["reel"] / 2) for kind in ("M", "E")])
    assert engine.evaluate(outcome, {"repas_servis": halves}) == pytest.approx(once)


# --- meals out of proportion ---------------------------------------------------------------------------------------------------------


def at(table: pd.DataFrame, site: str, day: str) -> pd.Series:
    return (table["site_nom"] == site) & (table["date"] == pd.Timestamp(day))


def test_one_mistyped_figure_does_not_raise_the_orders_of_a_town(asked: Tables) -> None:
    """1480 typed for 148: with no short day accepted, the margin would have to cover it."""
    meals = asked["frequentation"]
    typed = meals.assign(reel=meals["reel"].where(~at(meals, "Jean Moulin", "2024-01-15"), meals["reel"] * 10))
    calm, outcome = (run({**asked, "frequentation": table}, jours_courts_acceptes_par_an=0.0) for table in (meals, typed))
    assert town_orders(outcome) == pytest.approx(town_orders(calm), rel=0.01)
    assert "à Jean Moulin le lundi 15\xa0janvier 2024. Corrigez" in notes(outcome) and "hors de proportion" not in notes(calm)


def test_a_forecast_that_an_agent_mistyped_is_told_shown_and_not_followed(town: Tables) -> None:
    inputs, _ = simulated.cut(town, FIRST, days=4, agents=True)
    meals = inputs["frequentation"]
    here = at(meals, "Jean Moulin", "2024-05-14")
    typed = meals.assign(prevision=meals["prevision"].where(~here, meals["prevision"] * 10))
    calm, outcome = (run({**inputs, "frequentation": table}) for table in (meals, typed))
    assert town_orders(outcome) == pytest.approx(town_orders(calm), rel=0.03)
    assert "non mêlées à celle de la machine" in notes(outcome) and "à Jean Moulin le mardi 14\xa0mai 2024. Vérifiez" in notes(outcome)
    assert "non mêlées" not in notes(calm) + notes(run({**inputs, "frequentation": typed}, prevision_agents=False))
    reference = next(r for r in outcome.recommendations if r.subject == "Jean Moulin" and r.evidence["jour"] == "2024-05-14")
    assert reference.evidence["reference"] == typed.loc[here, "prevision"].item() and reference.evidence["reference_agents"]


def test_a_week_at_another_canteen_is_believed_and_so_is_a_small_feast() -> None:
    meals = np.full((60, 3), 100.0)
    meals[[0, 30, 59], 0] = 1000.0
    meals[30:34, 1] = 250.0
    meals[:, 2] = 6.0
    meals[30, 2] = 20.0
    assert np.argwhere(out_of_proportion(meals)).tolist() == [[0, 0], [30, 0], [59, 0]]
    # Without what came later, the first day of the week away is doubtful, and a past of under ten days judges nothing.
    assert np.argwhere(out_of_proportion(meals, later=False)).tolist() == [[30, 0], [30, 1], [59, 0]]
    assert not out_of_proportion(meals[25:34]).any()


# --- which days are ordered ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["2032-09-01", "2025-02-03", "1923-10-02"])
def test_a_mistyped_year_moves_no_day(asked: Tables, typed: str) -> None:
    meals = asked["frequentation"].copy()
    meals.loc[5, "date"] = pd.Timestamp(typed)
    outcome = run({**asked, "frequentation": meals})
    assert days_of(outcome).equals(days_of(run(asked))) and "mis de côté" in notes(outcome) and typed[:4] in notes(outcome)


def test_a_mistyped_month_that_hides_the_days_asked_for_is_told(asked: Tables) -> None:
    meals = asked["frequentation"].copy()
    meals.loc[5, "date"] = pd.Timestamp("2024-06-18")
    assert "non commandés parce que d’autres repas sont servis plus tard, jusqu’au mardi 18" in notes(
        run({**asked, "frequentation": meals})
    )


def test_days_asked_for_far_ahead_or_on_a_holiday_are_told_and_refused_when_alone(asked: Tables) -> None:
    more = asked["frequentation"][asked["frequentation"]["date"] == FIRST]
    shut = [more.assign(date=pd.Timestamp(day)) for day in ("2024-05-20", "2032-05-13")]
    outcome = run({**asked, "frequentation": pd.concat([asked["frequentation"], *shut], ignore_index=True)})
    assert days_of(outcome).equals(days_of(run(asked)))
    assert "2032" in notes(outcome) and "fériés" in notes(outcome) and "lundi 20" in notes(outcome)
    known = asked["frequentation"].dropna(subset=["reel"])
    with pytest.raises(NotEnoughData, match="2032"):
        run({**asked, "frequentation": pd.concat([known, shut[1]], ignore_index=True)})


def test_days_to_come_exported_at_zero_are_those_asked_for(asked: Tables) -> None:
    """And closed days at zero, a Wednesday and Whit Monday, are not."""
    meals = asked["frequentation"].fillna({"reel": 0.0})
    closed = [meals[meals["date"] == FIRST].assign(date=pd.Timestamp(day)) for day in ("2024-05-15", "2024-05-20")]
    outcome = run({**asked, "frequentation": pd.concat([meals, *closed], ignore_index=True)})
    assert town_orders(outcome) == town_orders(run(asked)) and "Laissez « reel » vide" in notes(outcome)


@pytest.mark.parametrize(("wednesday", "served"), [("non", False), ("auto", False), ("oui", True)])
def test_menus_do_not_open_wednesdays_or_public_holidays(town: Tables, wednesday: str, served: bool) -> None:
    days = pd.bdate_range("2024-04-22", "2024-05-17")
    menus = pd.DataFrame({"date": days, "plat": "Filet de lieu, riz"})
    outcome = run({"frequentation": known_until(town, "2024-03-29"), "menus": menus}, mercredi=wednesday, jours_a_prevoir=12)
    found = days_of(outcome)
    assert (2 in found.day_of_week) is served and not found.isin(pd.to_datetime(["2024-05-01", "2024-05-08", "2024-05-09"])).any()
    assert "Jours des menus non commandés" in notes(outcome) and "jeudi 9" in notes(outcome)


def test_wednesdays_excluded_are_not_ordered_though_the_file_asks(asked: Tables) -> None:
    more = asked["frequentation"][asked["frequentation"]["date"] == FIRST].assign(date=pd.Timestamp("2024-05-15"))
    meals = pd.concat([asked["frequentation"], more], ignore_index=True)
    outcome = run({**asked, "frequentation": meals}, mercredi="non")
    assert days_of(outcome).equals(days_of(run(asked))) and "mercredi 15" in notes(outcome)


def test_a_weekday_never_served_is_told(asked: Tables) -> None:
    more = asked["frequentation"][asked["frequentation"]["date"] == FIRST].assign(date=pd.Timestamp("2024-05-15"))
    outcome = run({**asked, "frequentation": pd.concat([asked["frequentation"], more], ignore_index=True)})
    assert "2024-05-15" in town_orders(outcome) and "ne compte aucun mercredi" in notes(outcome)
    assert "ne compte" not in notes(run(asked))


def reunion() -> pd.DataFrame:
    """Two years of La Réunion, its southern summer closed from mid-December to late January."""
    breaks = [("10-07", "10-22"), ("12-16", "12-31"), ("01-01", "01-25"), ("03-09", "03-24"), ("07-06", "08-15")]
    days = pd.bdate_range("2022-08-18", "2023-12-01")
    closed = [any(first <= day.strftime("%m-%d") <= last for first, last in breaks) for day in days]
    return simulated.tables(days[~np.array(closed) & (days.day_of_week != 2)], {"Sainte-Suzanne": 120.0, "Saint-Leu": 80.0})[
        "frequentation"
    ]


def test_overseas_the_weeks_closed_last_year_are_closed() -> None:
    outcome = run({"frequentation": reunion()}, territoire="FR-974", jours_a_prevoir=8)
    assert days_of(outcome).min() >= pd.Timestamp("2024-01-24") and "un an plus tôt sont tenues pour fermées" in notes(outcome)
    recent = run({"frequentation": reunion().query("date >= '2023-08-15'")}, territoire="FR-974")
    assert "trop court pour les apprendre" in notes(recent)


def test_no_zone_is_guessed_overseas_and_none_can_be_chosen() -> None:
    days = simulated.served_days(zone="A")
    assert school_zone(days, "auto", "FR-57") == "A" and school_zone(days, "auto", "FR-974") is None
    assert school_zone(days, "aucune") is None and school_zone(days, "C", "FR-974") == "C"


# --- what it is compared with -------------------------------------------------------------------------------------------------------


def test_the_agents_are_credited_only_with_the_sites_they_forecast(town: Tables) -> None:
    inputs, _ = simulated.cut(town, FIRST, days=4, agents=True)
    meals = inputs["frequentation"]
    silent = meals["reel"].isna() & (meals["site_nom"] == "Jean Moulin")
    asked_of = {**inputs, "frequentation": meals.assign(prevision=meals["prevision"].mask(silent))}
    params = CantineEffectifsParams()
    for outcome in (CantineEffectifs().run(asked_of, params, QUICK), CantineEffectifs().baseline(asked_of, params, QUICK)):
        by_agents = {rec.subject for rec in outcome.recommendations if rec.action != ORDER_TOWN and rec.evidence["reference_agents"]}
        assert by_agents == set(FOUR) - {"Jean Moulin"}
        for rec in (rec for rec in outcome.recommendations if rec.action == ORDER_TOWN):
            same_day = [r for r in outcome.recommendations if r.evidence["jour"] == rec.subject and r.action != ORDER_TOWN]
            told = sum(cast(float, r.evidence["reference"]) for r in same_day)
            assert abs(cast(float, rec.evidence["reference"]) - told) <= 2 and not rec.evidence["reference_agents"]
            assert "selon les agents pour 3 sites sur 4" in CantineEffectifs().explain(rec).replace("\u00a0", " ")


# --- strikes ------------------------------------------------------------------------------------------------------------------------


def struck(asked: Tables, more: pd.DataFrame | None = None, past: bool = True) -> tuple[Recommendation, Outcome]:
    """The proposal for 14 May 2024, a strike known since March."""
    line = pd.DataFrame({"date": [pd.Timestamp("2024-05-14")], "date_annonce": [pd.Timestamp("2024-03-30")]}).astype("datetime64[s]")
    strikes = pd.concat([asked["greves"], line], ignore_index=True) if past else line
    meals = asked["frequentation"] if more is None else pd.concat([more, asked["frequentation"]], ignore_index=True)
    outcome = run({**asked, "greves": strikes, "frequentation": meals})
    return next(rec for rec in outcome.recommendations if rec.subject == "2024-05-14"), outcome


def test_a_site_closed_for_years_does_not_lower_the_order_of_a_strike(asked: Tables) -> None:
    days = simulated.served_days(last="2022-09-20")
    former = pd.DataFrame({"site_nom": "Ancien", "date": days, "reel": 600.0})
    assert float(struck(asked, former)[0].value or 0) == pytest.approx(float(struck(asked)[0].value or 0), rel=0.06)


def test_the_interval_of_a_strike_is_as_wide_as_past_strikes(asked: Tables) -> None:
    """Past strikes left 0 to 50 % of the meals, site by site: the town's next one is not known to a few per cent, nor a site's at all."""
    rec, outcome = struck(asked)
    calm = cast(float, next(r for r in run(asked).recommendations if r.subject == rec.subject).evidence["attendu"])
    assert rec.interval is not None and rec.interval[1] - rec.interval[0] > 0.15 * calm and rec.interval[1] < calm
    assert all(r.interval is None for r in outcome.recommendations if r.evidence["jour"] == rec.subject and r.action != ORDER_TOWN)
    assert "suit les grèves passées" in notes(outcome)


def test_too_few_past_strikes_lower_nothing_and_say_so(asked: Tables) -> None:
    rec, outcome = struck(asked, past=False)
    assert rec.interval is None and float(rec.value or 0) > 0.95 * town_orders(run(asked))[rec.subject]
    assert "aucune grève passée" in notes(outcome) and "suit les grèves passées" not in notes(outcome)
    assert "compté comme un jour ordinaire" in CantineEffectifs().explain(rec)
    upper = next(s.values for a in outcome.artifacts if isinstance(a, Chart) for s in a.series if s.role == "upper")
    assert upper[-3] is None and upper[-1] is not None
