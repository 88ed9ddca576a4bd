"""Promises about what the engine answers on the example data: JSON, subjects, intervals, reference, units, scores, explanations."""

from __future__ import annotations

import dataclasses
import math
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from bocage.contract.conformance.lab import Lab, Run, written
from bocage.contract.conformance.promise import Broken, NotApplicable, promise
from bocage.contract.conformance.sentences import not_one_sentence, unsupported
from bocage.contract.outcome import Chart, DataTable, Outcome, Recommendation, interval_holds, numbers_of
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
    """``from_json(to_json())`` gives the same bytes, values and types again: no NaN, no date, no Decimal, no key that is a number."""
    size = 0
    for name, run in _both(lab):
        try:
            first = written(run.outcome)
            back = Outcome.from_json(first)
            again = back.to_json()
        except Exception as error:
            raise Broken(f"{name} rend un résultat que le JSON ne porte pas ({' '.join(str(error).split())[:200]}).") from None
        place = _changed(run.outcome, back, "résultat") or ("octets différents" if first != again else "")
        if place:
            raise Broken(
                f"{name} rend un résultat qui change en passant par le JSON ({place}). "
                "N’y mettez que textes, nombres, listes et dict dont les clés sont des textes."
            )
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
            if not interval_holds(rec):
                low, high = rec.interval
                raise Broken(f"{name}, « {rec.subject} » : la valeur {rec.value} n’est pas dans l’intervalle ({low}, {high}).")
    if not seen:
        raise NotApplicable("Aucune proposition n’a d’intervalle.")
    return f"{seen} intervalles."


@promise("reference", "Chaque proposition dit ce que donne la méthode habituelle")
def reference(lab: Lab) -> str:
    """A value has its usual one beside it: ``evidence["reference"]``, or the baseline's only proposal of the same subject and action.

    A text in ``evidence["reference"]`` says what is usually done, or why there is none.
    """
    ours, usual = (outcome.recommendations for outcome in lab.stored.values())
    times = Counter((rec.subject, rec.action) for rec in usual)
    beside = {(rec.subject, rec.action): rec.value for rec in usual if times[rec.subject, rec.action] == 1}
    compared = [rec for rec in ours if rec.value is not None]
    for rec in compared:
        if rec.evidence.get("reference") is None and beside.get((rec.subject, rec.action)) is None:
            several = times[rec.subject, rec.action]
            why = f"la méthode habituelle en a {several} de même sujet et de même action" if several else "la méthode habituelle n’en a pas"
            raise Broken(
                f"« {rec.subject} », {rec.action} : rien ne dit ce que donne la méthode habituelle ({why}). "
                'Mettez-le dans evidence["reference"], en nombre, ou en texte qui dit pourquoi il n’y en a pas.'
            )
    if not compared:
        raise NotApplicable("Aucune proposition n’a de valeur.")
    return f"{len(compared)} propositions, chacune avec sa référence."


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
    """Explanations of proposals as they come back from the database: the server never explains any other."""
    for outcome in lab.stored.values():
        for rec in list(outcome.recommendations)[:_EXPLAINED]:
            try:
                sentence = lab.engine.explain(rec)
            except Exception as error:
                raise Broken(f"explain() échoue sur « {rec.subject} », {lab.said(error)}.") from None
            if not isinstance(sentence, str):
                raise Broken(f"explain() rend {type(sentence).__name__} ; rendez une phrase (str).")
            yield rec, sentence


def _changed(before: object, after: object, where: str) -> str:
    """Where the JSON gives back something else than what was put in, in words; empty when nowhere.

    A tuple may come back as a list, an integer as a float; anything else keeps its value and its type (or a parent of it: numpy's float).
    """
    if dataclasses.is_dataclass(before) and type(before) is type(after):
        pairs = [(getattr(before, each.name), getattr(after, each.name), each.name) for each in dataclasses.fields(before)]
    elif isinstance(before, dict) and isinstance(after, dict):
        odd = next((key for key in before if not isinstance(key, str)), None)
        if odd is not None:
            return f"{where} : la clé {odd!r} devient un texte"
        pairs = [(value, after.get(key), key) for key, value in before.items()]
    elif isinstance(before, (list, tuple)) and isinstance(after, (list, tuple)):
        pairs = [(one, two, str(index)) for index, (one, two) in enumerate(zip(before, after, strict=True))]
    else:
        kept = isinstance(before, type(after)) and isinstance(before, bool) == isinstance(after, bool) and before == after
        widened = type(before) is int and type(after) is float and before == after
        return "" if kept or widened else f"{where} : {type(before).__name__} {str(before)[:40]} devient {type(after).__name__}"
    return next((found for one, two, name in pairs if (found := _changed(one, two, f"{where}.{name}"))), "")


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
