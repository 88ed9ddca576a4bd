"""Promises about what the engine answers on the example data: JSON, subjects, intervals, units, scores, explanations."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from bocage.contract.conformance.lab import Lab, Run, written
from bocage.contract.conformance.promise import Broken, NotApplicable, promise
from bocage.contract.conformance.sentences import not_one_sentence, unsupported
from bocage.contract.outcome import Chart, DataTable, Outcome, Recommendation, numbers_of
from bocage.contract.units import UNITS

_EXPLAINED = 300
_MAX_READ = 50_000_000


@promise("answers", "Le moteur et la méthode habituelle répondent sur l’exemple")
def answers(lab: Lab) -> str:
    """``run`` and ``baseline`` give proposals on the example data."""
    counts = [len(run.outcome.recommendations) for run in (lab.reference, lab.usual)]
    if not all(counts):
        raise Broken("Sur l’exemple, il n’y a aucune proposition : choisissez un exemple qui en donne.")
    return f"{counts[0]} propositions en {lab.reference.seconds:.1f} s, {counts[1]} par la méthode habituelle."


@promise("json_round_trip", "Le résultat passe par le JSON sans changer")
def json_round_trip(lab: Lab) -> str:
    """``from_json(to_json())`` gives the same bytes again: no NaN, no numpy object, no set."""
    size = 0
    for name, run in _both(lab):
        try:
            first = written(run.outcome)
            again = Outcome.from_json(first).to_json()
        except Exception as error:
            raise Broken(f"{name} rend un résultat que le JSON ne porte pas ({' '.join(str(error).split())[:200]}).") from None
        if first != again:
            raise Broken(f"{name} rend un résultat qui change en passant par le JSON. N’y mettez que textes, nombres, listes et dict.")
        size = max(size, len(first))
    return f"{size} octets, identiques au retour."


@promise("subjects_exist", "Chaque proposition parle d’une chose qui est dans les données")
def subjects_exist(lab: Lab) -> str:
    """Each subject is a value of the input tables, or stands in an input file."""
    known = {text for table in lab.inputs.values() if isinstance(table, pd.DataFrame) for text in _values(table)}
    files = [value for value in lab.inputs.values() if isinstance(value, Path)]
    said = {rec.subject for _, run in _both(lab) for rec in run.outcome.recommendations}
    unknown = sorted(said - known)
    if unknown and files:
        texts = [text for path in files for text in _texts_of(path)]
        unknown = [subject for subject in unknown if not subject.strip() or not any(subject.encode() in text for text in texts)]
    if unknown:
        raise Broken(f"Le sujet « {unknown[0]} » n’est la valeur d’aucune cellule des entrées : nommez la chose comme le fichier la nomme.")
    return f"{len(said)} sujets retrouvés."


@promise("same_subjects", "Le moteur et la méthode habituelle parlent des mêmes choses")
def same_subjects(lab: Lab) -> str:
    """Engine and baseline give proposals on the same set of subjects."""
    ours, usual = ({rec.subject for rec in run.outcome.recommendations} for _, run in _both(lab))
    for only, name in ((ours - usual, "du moteur"), (usual - ours, "de la méthode habituelle")):
        if only:
            raise Broken(f"« {sorted(only)[0]} » n’est que dans les propositions {name} : aucune comparaison n’est possible.")
    return f"{len(ours)} sujets communs."


@promise("intervals", "Les intervalles sont dans l’ordre et contiennent la valeur")
def intervals(lab: Lab) -> str:
    """``low ≤ value ≤ high``, all finite."""
    seen = 0
    for name, run in _both(lab):
        for rec in run.outcome.recommendations:
            if rec.interval is None:
                continue
            seen += 1
            low, high = rec.interval
            slack = 1e-9 * max(1.0, abs(low), abs(high))
            value = rec.value if isinstance(rec.value, (int, float)) else low
            if not (math.isfinite(low) and math.isfinite(high) and low - slack <= value <= high + slack and low <= high):
                raise Broken(f"{name}, « {rec.subject} » : la valeur {rec.value} n’est pas dans l’intervalle ({low}, {high}).")
    if not seen:
        raise NotApplicable("Aucune proposition n’a d’intervalle.")
    return f"{seen} intervalles."


@promise("units", "Les unités sont connues")
def units(lab: Lab) -> str:
    """Units of proposals, charts, tables and of the fiche's measure are in ``units.py``."""
    used: set[str] = {lab.fiche.mesure.unite}
    for _, run in _both(lab):
        used |= {rec.unit for rec in run.outcome.recommendations}
        for artifact in run.outcome.artifacts:
            if isinstance(artifact, Chart):
                used.add(artifact.unit)
            elif isinstance(artifact, DataTable):
                used |= {column.unit for column in artifact.columns}
    unknown = sorted(used - set(UNITS))
    if unknown:
        raise Broken(f"L’unité « {unknown[0]} » n’est pas dans bocage/contract/units.py. Corrigez-la, ou ajoutez-la à la liste.")
    return f"Unités : {', '.join(sorted(used - {''}))}." if used - {""} else "Aucune unité."


@promise("scores", "Les rangs et les valeurs sont des nombres finis")
def scores(lab: Lab) -> str:
    """Every score is a finite number, and so is every numeric value."""
    for name, run in _both(lab):
        for rec in run.outcome.recommendations:
            for what, number in (("score", rec.score), ("value", rec.value)):
                if what == "score" and (isinstance(number, bool) or not isinstance(number, (int, float))):
                    raise Broken(f"{name}, « {rec.subject} » : score vaut {number!r} ; donnez un nombre.")
                if isinstance(number, (int, float)) and not math.isfinite(number):
                    raise Broken(f"{name}, « {rec.subject} » : {what} vaut {number}. Donnez un nombre fini, ou None pour value.")
    return "Tous finis."


@promise("artifacts", "Graphiques et tables sont d’aplomb")
def artifacts(lab: Lab) -> str:
    """Series are as long as ``x``, rows as long as ``columns``, and no two artifacts share a name."""
    total = 0
    for name, run in _both(lab):
        names = [artifact.name for artifact in run.outcome.artifacts]
        total += len(names)
        if len(set(names)) < len(names):
            raise Broken(f"{name} : deux graphiques ou tables portent le même nom. Donnez à chacun le sien.")
        for artifact in run.outcome.artifacts:
            if isinstance(artifact, Chart) and any(len(series.values) != len(artifact.x) for series in artifact.series):
                raise Broken(f"{name}, graphique « {artifact.name} » : une série n’a pas autant de valeurs que x en a.")
            if isinstance(artifact, DataTable) and any(len(row) != len(artifact.columns) for row in artifact.rows):
                raise Broken(f"{name}, table « {artifact.name} » : une ligne n’a pas autant de cellules qu’il y a de colonnes.")
    if not total:
        raise NotApplicable("Ni graphique ni table.")
    return f"{total} graphiques et tables."


@promise("explain_sentence", "L’explication est une phrase, en français")
def explain_sentence(lab: Lab) -> str:
    """``explain`` gives exactly one French sentence, on proposals of the engine and of the baseline."""
    said = list(_explained(lab))
    for rec, sentence in said:
        fault = not_one_sentence(sentence, [rec.subject, rec.action])
        if fault:
            raise Broken(f"L’explication « {sentence} » {fault}.")
    return f"{len(said)} phrases, dont « {said[0][1]} »" if said else "Rien à expliquer."


@promise("explain_numbers", "Chaque nombre de l’explication est dans la proposition")
def explain_numbers(lab: Lab) -> str:
    """Each number that ``explain`` prints is, rounded, one that the proposal carries."""
    said = list(_explained(lab))
    for rec, sentence in said:
        wrong = unsupported(sentence, list(numbers_of(rec)), list(_strings(rec.subject, rec.action, rec.value, rec.evidence)))
        if wrong is not None:
            raise Broken(f"« {wrong} » n’est pas dans la proposition : « {sentence} » Mettez ce nombre dans evidence, ou retirez-le.")
    return f"{len(said)} phrases vérifiées."


def _both(lab: Lab) -> tuple[tuple[str, Run], tuple[str, Run]]:
    return ("run()", lab.reference), ("baseline()", lab.usual)


def _explained(lab: Lab) -> Iterator[tuple[Recommendation, str]]:
    for _, run in _both(lab):
        for rec in list(run.outcome.recommendations)[:_EXPLAINED]:
            try:
                sentence = lab.engine.explain(rec)
            except Exception as error:
                raise Broken(f"explain() échoue sur « {rec.subject} », {lab.said(error)}.") from None
            if not isinstance(sentence, str):
                raise Broken(f"explain() rend {type(sentence).__name__} ; rendez une phrase (str).")
            yield rec, sentence


def _strings(*values: object) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from _strings(*value.keys(), *value.values())
        elif isinstance(value, (list, tuple)):
            yield from _strings(*value)


def _values(table: pd.DataFrame) -> Iterator[str]:
    for column in table.columns:
        if pd.api.types.is_datetime64_dtype(table[column]):
            # A day of the table may be the subject (« the town on that day »): it is named as a file writes it.
            yield from (pd.Timestamp(value).date().isoformat() for value in table[column].dropna().unique())
        elif not pd.api.types.is_float_dtype(table[column]):
            yield from (str(value) for value in table[column].dropna().unique())


def _texts_of(path: Path) -> Iterator[bytes]:
    """The bytes of a file, or of each member of a zip archive, up to 50 MB."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.file_size <= _MAX_READ:
                    yield archive.read(member)
    elif path.stat().st_size <= _MAX_READ:
        yield path.read_bytes()
