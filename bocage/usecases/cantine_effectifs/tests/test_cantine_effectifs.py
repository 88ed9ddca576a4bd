"""What cantine_effectifs does with good and bad files. Towns are simulated (``simulated.py``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bocage.contract.errors import InvalidParams, NotEnoughData
from bocage.contract.outcome import Chart, Outcome, Recommendation
from bocage.contract.usecase import Resources
from bocage.usecases.cantine_effectifs.agenda import FLAGS, read_agenda, school_zone
from bocage.usecases.cantine_effectifs.engine import ORDER_SITE, ORDER_TOWN, CantineEffectifs
from bocage.usecases.cantine_effectifs.forecast import _doubt, _site_weights
from bocage.usecases.cantine_effectifs.rows import CantineEffectifsParams
from bocage.usecases.cantine_effectifs.tests import simulated

FIRST = pd.Timestamp("2024-05-13")
QUICK = Resources(seconds=2.0)
"""Short enough for the parameters to stay at their priors: what these tests promise does not hang on them."""
Tables = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def town() -> Tables:
    return simulated.tables()


def run(inputs: Tables, res: Resources = QUICK, **params: Any) -> Outcome:
    return CantineEffectifs().run(inputs, CantineEffectifsParams(**params), res)


def town_orders(outcome: Outcome) -> dict[str, float]:
    return {rec.subject: float(rec.value or 0) for rec in outcome.recommendations if rec.action == ORDER_TOWN}


def said(outcome: Outcome, words: str) -> bool:
    return any(words in note for note in outcome.notes)


def test_each_day_has_a_town_order_that_its_sites_add_up_to(town: Tables) -> None:
    inputs, _ = simulated.cut(town, FIRST)
    outcome = run(inputs)
    sites = pd.DataFrame(
        [(r.evidence["jour"], r.value) for r in outcome.recommendations if r.action == ORDER_SITE], columns=["day", "value"]
    )
    assert sites.groupby("day")["value"].sum().to_dict() == town_orders(outcome) and len(sites) == len(simulated.SITES) * len(
        town_orders(outcome)
    )
    first = outcome.recommendations[0]
    assert first.action == ORDER_TOWN and first.evidence["facteurs"] and first.interval and first.interval[0] <= float(first.value or 0)


def test_it_is_nearer_than_the_agents_and_short_no_more(town: Tables) -> None:
    engine = CantineEffectifs()
    inputs, coming = simulated.cut(town, FIRST, agents=True)
    truth = {"repas_servis": coming[["site_nom", "date", "reel"]]}
    ours = engine.evaluate(run(inputs, Resources(seconds=30.0)), truth)
    usual = engine.evaluate(engine.baseline(inputs, CantineEffectifsParams(), QUICK), truth)
    assert ours["ecart_par_site"] < usual["ecart_par_site"] and ours["jours_courts"] <= 1


def test_the_agents_own_forecast_is_the_reference_when_there_is_one(town: Tables) -> None:
    inputs, coming = simulated.cut(town, FIRST, agents=True)
    by_day = coming.groupby("date")["prevision"].sum()
    for rec in run(inputs).recommendations:
        if rec.action == ORDER_TOWN:
            assert rec.evidence["reference"] == by_day[pd.Timestamp(rec.subject)] and rec.evidence["reference_agents"]
    assert not said(run(inputs, prevision_agents=False), "prévision des agents, corrigée")


def test_an_order_stands_beside_an_order_and_a_forecast_beside_a_forecast(town: Tables) -> None:
    """Without the agents' forecast, the usual method has a margin of its own: neither a sentence nor a chart compares it with ours bare."""
    inputs, _ = simulated.cut(town, FIRST)
    inputs = inputs | {"frequentation": inputs["frequentation"].assign(prevision=np.nan)}
    outcome = run(inputs)
    orders, expected = (
        next(a for a in outcome.artifacts if isinstance(a, Chart) and a.name == name) for name in ("ville", "ville_attendus")
    )
    for rec in (r for r in outcome.recommendations if r.action == ORDER_TOWN):
        at, evidence = orders.x.index(rec.subject), rec.evidence
        assert evidence["reference"] == evidence["reference_attendu"] + evidence["reference_marge"]  # type: ignore[operator]
        told = CantineEffectifs().explain(rec).replace("\u00a0", " ").replace("\u202f", " ")
        for name in ("reference", "reference_attendu", "reference_marge"):
            assert f"{evidence[name]:,}".replace(",", " ").lstrip("-") in told
        assert drawn(orders, "forecast")[at] == rec.value and drawn(orders, "usual")[at] == pytest.approx(evidence["reference"], abs=0.5)
        assert drawn(expected, "forecast")[at] == pytest.approx(evidence["attendu"], abs=0.5)
        assert drawn(expected, "usual")[at] == pytest.approx(evidence["reference_attendu"], abs=0.5)


def test_the_agents_margin_is_not_invented(town: Tables) -> None:
    inputs, _ = simulated.cut(town, FIRST, agents=True)
    outcome = run(inputs)
    assert all("reference_marge" not in rec.evidence for rec in outcome.recommendations)
    assert "la prévision des agents, telle quelle" in CantineEffectifs().explain(outcome.recommendations[0])
    expected = next(a for a in outcome.artifacts if isinstance(a, Chart) and a.name == "ville_attendus")
    assert not [s for s in expected.series if s.role == "usual"]


def test_a_proposal_of_a_former_version_says_that_its_reference_has_a_margin() -> None:
    evidence = {"jour": "2024-05-14", "reference": 624, "reference_agents": False, "attendu": 600, "marge": 10, "facteurs": []}
    told = CantineEffectifs().explain(Recommendation("Nord", ORDER_SITE, 610.0, "repas", evidence=evidence))
    assert "624 (les mêmes jours des dernières semaines, marge comprise)" in told


def drawn(chart: Chart, role: str) -> Sequence[float | None]:
    return next(s.values for s in chart.series if s.role == role)


def test_a_strike_counts_only_once_announced(town: Tables) -> None:
    """A strike announced after the last served day is not known; announced before, it lowers that day and no other."""
    inputs, _ = simulated.cut(town, FIRST)
    last = inputs["frequentation"].dropna(subset=["reel"])["date"].max()
    day = FIRST + pd.Timedelta(days=1)
    calm = run(inputs)

    def struck(announced: pd.Timestamp | None) -> Outcome:
        line = pd.DataFrame({"date": [day], "date_annonce": [announced]}).astype("datetime64[s]")
        return run({**inputs, "greves": pd.concat([inputs["greves"], line], ignore_index=True)})

    assert town_orders(struck(last + pd.Timedelta(days=1))) == town_orders(calm) == town_orders(struck(None))
    known = town_orders(struck(last))
    when = day.date().isoformat()
    assert known[when] < 0.8 * town_orders(calm)[when]
    assert {d: v for d, v in known.items() if d != when} == {d: v for d, v in town_orders(calm).items() if d != when}


def test_days_younger_than_the_deadline_are_not_in_the_answer(town: Tables) -> None:
    """The file may hold forecasts and menus of later days: only what is asked is answered, and menus beyond change nothing."""
    inputs, _ = simulated.cut(town, FIRST)
    last = inputs["frequentation"]["date"].max()
    shorter = {**inputs, "menus": inputs["menus"][inputs["menus"]["date"] <= last]}
    assert run(inputs).to_json() == run(shorter).to_json()


def test_without_days_to_order_the_calendar_gives_them(town: Tables) -> None:
    meals = town["frequentation"]
    known = meals[meals["date"] <= pd.Timestamp("2024-03-22")]
    outcome = run({"frequentation": known}, delai_jours=21, jours_a_prevoir=8)
    days = [pd.Timestamp(day) for day in town_orders(outcome)]
    # 12 April is in term in zone B; the spring holidays of 2024 run from 20 April to 5 May; no meal on Wednesdays.
    assert len(days) == 8 and min(days) == pd.Timestamp("2024-04-12") and all(day.day_of_week in (0, 1, 3, 4) for day in days)
    assert not any(pd.Timestamp("2024-04-20") <= day <= pd.Timestamp("2024-05-05") for day in days) and said(
        outcome, "ne dit pas les jours"
    )
    wednesdays = town_orders(run({"frequentation": known}, mercredi="oui"))
    assert any(pd.Timestamp(day).day_of_week == 2 for day in wednesdays)


def test_the_zone_is_found_in_the_days_served() -> None:
    for zone in ("A", "B", "C"):
        assert school_zone(simulated.served_days(zone=zone), "auto") == zone
    assert school_zone(pd.date_range("2023-01-02", "2024-01-02"), "auto") is None and school_zone(pd.DatetimeIndex([]), "C") == "C"


def test_a_wrong_tag_is_told(town: Tables) -> None:
    inputs, _ = simulated.cut(town, FIRST)
    menus = inputs["menus"].copy()
    menus.loc[menus.index[-2], ["plat", "etiquette"]] = ["Sauté de porc", "végétarien"]
    assert said(run({**inputs, "menus": menus}), "« Sauté de porc »") and not said(run(inputs), "Étiquette à vérifier")


def test_zero_is_an_absence_and_repeated_lines_are_said(town: Tables) -> None:
    inputs, _ = simulated.cut(town, FIRST)
    meals = inputs["frequentation"]
    days = sorted(meals.dropna(subset=["reel"])["date"].unique())[200:206]
    hole = meals["date"].isin(days) & (meals["site_nom"] == "Jean Moulin")
    zero, empty = meals.assign(reel=meals["reel"].mask(hole, 0.0)), meals.assign(reel=meals["reel"].mask(hole))
    assert town_orders(run({**inputs, "frequentation": zero})) == town_orders(run({**inputs, "frequentation": empty}))
    twice = pd.concat([meals, meals.iloc[100:103]])
    assert said(run({**inputs, "frequentation": twice}), "3 lignes répètent")


def test_two_types_of_one_site_are_added(town: Tables) -> None:
    inputs, _ = simulated.cut(town, FIRST)
    meals = inputs["frequentation"]
    one = meals[meals["site_nom"] == "Les Tilleuls"]
    halves = [one.assign(site_type=kind, reel=one["reel"] / 2, prevision=one["prevision"] / 2) for kind in ("M", "E")]
    split = pd.concat([meals[meals["site_nom"] != "Les Tilleuls"], *halves], ignore_index=True)
    assert town_orders(run({**inputs, "frequentation": split})) == town_orders(run(inputs))


def test_a_new_site_follows_its_enrolment(town: Tables) -> None:
    inputs, _ = simulated.cut(town, FIRST)
    coming = inputs["frequentation"][inputs["frequentation"]["reel"].isna() & (inputs["frequentation"]["site_nom"] == "Jean Moulin")]
    meals = pd.concat([inputs["frequentation"], coming.assign(site_nom="Simone Veil")], ignore_index=True)
    pupils = pd.concat(
        [inputs["effectifs"], pd.DataFrame({"ecole": ["SIMONE VEIL"], "annee_scolaire": ["2023-2024"], "effectif": [140]})],
        ignore_index=True,
    )
    outcome = run({**inputs, "frequentation": meals, "effectifs": pupils})
    values = [float(rec.value or 0) for rec in outcome.recommendations if rec.subject == "Simone Veil"]
    assert values and 70 < np.mean(values) < 140 and said(outcome, "Simone Veil")


def test_one_site_and_a_hundred(town: Tables) -> None:
    inputs, _ = simulated.cut(town, FIRST)
    alone = inputs["frequentation"][inputs["frequentation"]["site_nom"] == "Jean Moulin"]
    outcome = run({"frequentation": alone})
    assert {rec.subject for rec in outcome.recommendations if rec.action == ORDER_SITE} == {"Jean Moulin"}
    days = simulated.served_days("2023-09-01", "2024-03-01")
    many, _ = simulated.cut(simulated.tables(days, {f"Site {i:03d}": 40.0 + i for i in range(100)}), pd.Timestamp("2024-02-08"), days=4)
    assert len(run({"frequentation": many["frequentation"]}).recommendations) == 4 * 101


def test_leftovers_come_back_in_the_evaluation(town: Tables) -> None:
    inputs, coming = simulated.cut(town, FIRST)
    weighed = pd.DataFrame({"site_nom": ["Jean Moulin"], "date": [coming["date"].min()], "restes_kg": [12.0]})
    found = CantineEffectifs().evaluate(run(inputs), {"repas_servis": coming[["site_nom", "date", "reel"]], "pesees": weighed})
    served = coming[(coming["site_nom"] == "Jean Moulin") & (coming["date"] == coming["date"].min())]["reel"].iloc[0]
    assert found["restes_constates_par_repas_g"] == pytest.approx(12_000 / served) and found["pesees_constatees"] == 1
    assert {"ecart_par_site", "surproduction_pct", "jours_courts", "pire_site_pct"} <= set(found)


def orders(*lines: tuple[str, str, float]) -> Outcome:
    return Outcome([Recommendation(site, ORDER_SITE, value, "repas", evidence={"jour": day}) for site, day, value in lines])


def meals(*lines: tuple[str, str, float]) -> dict[str, pd.DataFrame]:
    table = pd.DataFrame(lines, columns=["site_nom", "date", "reel"])
    return {"repas_servis": table.assign(date=pd.to_datetime(table["date"]))}


def test_a_truth_of_other_sites_and_days_is_refused_by_name() -> None:
    """A mean over nothing was zero, and the register published it."""
    asked = orders(("Anne-Frank", "2024-12-02", 181), ("Jules Ferry 1", "2024-12-03", 242))
    with pytest.raises(NotEnoughData) as refused:
        CantineEffectifs().evaluate(asked, meals(("Ane-Franc", "2031-12-02", 180)))
    said = refused.value.message.replace("\u00a0", " ")
    assert "2 sites (« Anne-Frank », « Jules Ferry 1 »), par jour, du 2 décembre 2024 au 3 décembre 2024" in said
    assert "Lu : 1 site (« Ane-Franc »), le 2 décembre 2031." in said
    with pytest.raises(NotEnoughData, match="sans valeur à comparer"):
        CantineEffectifs().evaluate(asked, meals(("Anne-Frank", "2024-12-02", 0)))


def test_a_truth_of_some_lines_says_how_many_of_how_many() -> None:
    asked = orders(("Anne-Frank", "2024-12-02", 181), ("Jules Ferry 1", "2024-12-02", 242), ("Jules Ferry 1", "2024-12-03", 242))
    found = CantineEffectifs().evaluate(asked, meals(("Jules Ferry 1", "2024-12-03", 240)))
    assert [found[name] for name in ("lignes", "lignes_attendues", "jours", "jours_attendus")] == [1, 3, 1, 2]
    assert found["ecart_par_site"] == 2


def test_what_a_person_ordered_is_measured_like_what_was_proposed() -> None:
    served = meals(("Anne-Frank", "2024-12-02", 181))
    proposed, amended = (CantineEffectifs().evaluate(orders(("Anne-Frank", "2024-12-02", n)), served) for n in (170, 185))
    assert (proposed["ecart_par_site"], proposed["jours_courts"]) == (11, 1)
    assert (amended["ecart_par_site"], amended["jours_courts"]) == (4, 0)


def test_fairness_and_the_price_of_risk_are_shown(town: Tables) -> None:
    outcome = run(simulated.cut(town, FIRST)[0])
    assert {row[0] for row in outcome.table("equite").rows} == set(simulated.SITES)
    prices = [row[3] for row in outcome.table("prix_du_risque").rows]
    assert prices == sorted(prices, reverse=True)


def test_too_short_a_past_and_an_unknown_territory_are_said_in_french(town: Tables) -> None:
    meals = town["frequentation"]
    with pytest.raises(NotEnoughData, match="40 jours"):
        run({"frequentation": meals[meals["date"] < "2022-10-10"]})
    with pytest.raises(InvalidParams, match="territoire"):
        run(simulated.cut(town, FIRST)[0], territoire="ZZ")
    assert said(run({"frequentation": meals[meals["date"] < "2022-12-15"]}), "marge prudente")


@pytest.mark.parametrize(
    ("day", "told"),
    [
        ("2016-04-29", set()),  # a Friday before a Sunday 1 May: nobody goes away for it
        ("2015-11-09", set()),  # a Monday, two days before a holiday in the middle of the week
        ("2015-11-10", {"eve"}),
        ("2015-11-12", {"morrow"}),
        ("2016-05-06", {"bridge"}),  # the Friday after Ascension
        ("2014-11-10", {"bridge"}),  # the Monday before a Tuesday 11 November
        ("2016-05-13", {"long_after"}),  # the Friday before Whit Monday
        ("2016-05-17", {"long_before"}),
    ],
)
def test_a_holiday_only_marks_the_days_that_it_really_touches(day: str, told: set[str]) -> None:
    days = pd.bdate_range("2014-09-01", "2016-06-30")
    flags = read_agenda(days, len(days), "B", "FR").flags[days.get_loc(day)]
    around = ("eve", "morrow", "bridge", "long_after", "long_before")
    assert {name for name in around if flags[FLAGS.index(name)] > 0} == told


def test_where_agents_and_machine_disagree_the_margin_grows() -> None:
    rng = np.random.default_rng(5)
    step = rng.normal(0, 0.03, 300)
    error = rng.normal(0, 0.01 + 0.7 * np.abs(step))
    assert _doubt(error, np.full(300, 0.01), step) >= 0.25
    assert _doubt(rng.normal(0, 0.01, 300), np.full(300, 0.01), step) == 0.0


def test_agents_are_heard_in_the_months_and_at_the_sites_where_they_were_right() -> None:
    """Half of the days they see what the machine does not; on the others, they err as far. The last site errs all year."""
    drawn = np.random.default_rng(3)
    step = drawn.standard_normal((240, 6))
    june = np.arange(240) % 120 < 60
    error = np.where(june[:, None] & (np.arange(6) < 5)[None], step, 0.0) + 0.1 * drawn.standard_normal((240, 6))
    weight = _site_weights(error, step, (june[:, None] == june[None]).astype(float), np.arange(240))
    assert weight[june][:, :5].min() > 0.7 and weight[~june].max() < 0.3
    assert weight[june][:, 5].max() < 0.6 * weight[june][:, :5].min()
    alone = _site_weights(np.zeros((240, 1)), np.zeros((240, 1)), np.ones((240, 240)), np.arange(200))
    assert np.isfinite(alone).all()
