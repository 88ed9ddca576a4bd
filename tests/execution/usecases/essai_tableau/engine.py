"""A well-behaved engine on a table."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import BaseModel, Field

from bocage.contract.errors import NotEnoughData
from bocage.contract.outcome import Outcome, Recommendation
from bocage.contract.rows import Row, TableInfo, column


class Volume(Row):
    TABLE = TableInfo("Volumes par jour")

    jour: date = column("Jour", example="2026-01-31")
    secteur: str = column("Secteur", example="Nord")
    volume: float = column("Volume distribué", unit="m³", example="120,5", ge=0)


class EssaiTableauParams(BaseModel):
    coefficient: float = Field(default=1.0, ge=0.5, le=2)


def mean(numbers: list[float]) -> float:
    return round(sum(numbers) / len(numbers), 6)


class EssaiTableau:
    inputs = {"volumes": Volume}
    truth = {"mesures": Volume}
    params = EssaiTableauParams

    def run(self, inputs: Any, params: EssaiTableauParams, res: Any) -> Outcome:
        groups = {str(name): sorted(group["volume"].tolist()) for name, group in inputs["volumes"].groupby("secteur")}
        values = list(res.pool.map(mean, groups.values())) if res.pool else [mean(group) for group in groups.values()]
        res.progress(0.5, "moyennes faites")
        return Outcome(
            [
                Recommendation(name, "produire", value=value * params.coefficient, unit="m³", interval=(value / 2, value * 2))
                for name, value in zip(groups, values, strict=True)
            ]
        )

    def baseline(self, inputs: Any, params: EssaiTableauParams, res: Any) -> Outcome:
        last = inputs["volumes"].sort_values("jour").groupby("secteur")["volume"].last()
        return Outcome([Recommendation(str(name), "produire", value=float(value), unit="m³") for name, value in last.items()])

    def evaluate(self, outcome: Outcome, truth: Any) -> dict[str, float]:
        real = truth["mesures"].groupby("secteur")["volume"].mean()
        gaps = [abs(float(rec.value) - real[rec.subject]) for rec in outcome.recommendations if rec.subject in real]
        if not gaps:
            told, read = sorted({rec.subject for rec in outcome.recommendations}), sorted(real.index)
            raise NotEnoughData(f"Aucun secteur n’est de l’exécution. Attendu : {', '.join(told)}. Lu : {', '.join(read)}.")
        return {"ecart": sum(gaps) / len(gaps)}

    def explain(self, rec: Recommendation) -> str:
        return f"Produire {rec.value} m³ pour {rec.subject}."
