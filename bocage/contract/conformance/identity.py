"""Promises about what stands in the folder: fiche, names, schemas, parameters, README, example data, licences."""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pandas as pd
from pydantic import BaseModel

from bocage.contract import discovery
from bocage.contract.conformance.lab import Lab
from bocage.contract.conformance.promise import Broken, promise
from bocage.contract.french import count
from bocage.contract.rows import FileInput, Row
from bocage.contract.scaffold import from_template
from bocage.contract.tables.fields import specs_of
from bocage.contract.units import UNITS

_PLACEHOLDER = re.compile(r"\b(todo|tbd|lorem ipsum|xxx+)\b|à (compléter|préciser|définir)|\?\?|^inconnue?s?$", re.IGNORECASE)
_TERMS = re.compile(r"^#+ .*\b(termes|vocabulaire|glossaire|terms)\b", re.IGNORECASE | re.MULTILINE)
SIMULATED = "données simulées"


@promise("fiche", "La fiche est complète")
def fiche(lab: Lab) -> str:
    """Every text of the fiche says something, of this use case and not of the template's, and the slug is the folder's name."""
    left = _left_from_template(lab)
    for name, text in _texts(lab.fiche.model_dump()):
        if _PLACEHOLDER.search(text) or text in left:
            raise Broken(f"Le champ {name} de fiche.toml reste à écrire (« {text} »). Le public le lira tel quel.")
    if discovery.origin(lab.slug) in (discovery.BUILT_IN, str(lab.folder)) and lab.folder.name != lab.slug:
        raise Broken(f"Le dossier s’appelle « {lab.folder.name} » et la fiche « {lab.slug} ». Donnez-leur le même nom.")
    return f"{len(lab.fiche.model_dump())} champs lus."


@promise("loads", "Le moteur s’importe")
def loads(lab: Lab) -> str:
    """``engine.py`` imports on this machine."""
    return f"{discovery.camel(lab.slug)} : {type(lab.engine).__module__}."


@promise("names", "Les noms suivent le slug")
def names(lab: Lab) -> str:
    """The class is ``<CamelSlug>``, its parameters ``<CamelSlug>Params``, and it has every part of the contract."""
    engine = lab.engine
    for method, expected in (("run", 3), ("baseline", 3), ("evaluate", 2), ("explain", 1)):
        call = getattr(engine, method)
        if not callable(call) or len(inspect.signature(call).parameters) != expected:
            raise Broken(f"{method}() prend {count(expected, 'argument')} après self. Voyez UseCase dans bocage/contract/usecase.py.")
    return f"{type(engine).__name__} et {engine.params.__name__}."


@promise("schemas", "Chaque colonne a un sens, un type et une unité connus")
def schemas(lab: Lab) -> str:
    """Inputs and truth are Rows or FileInputs with a title; columns have a description, an allowed type and a known unit."""
    kinds = {**lab.engine.inputs, **lab.engine.truth}
    if not lab.engine.inputs:
        raise Broken("Le cas d’usage n’a pas d’entrée : inputs est vide. Déclarez au moins une table ou un fichier.")
    for name, kind in kinds.items():
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise Broken(f"L’entrée « {name} » doit s’écrire en minuscules sans accent, chiffres et « _ » : c’est un nom de fichier.")
        if isinstance(kind, FileInput):
            if not kind.title or not kind.suffixes or any(not suffix.startswith(".") for suffix in kind.suffixes):
                raise Broken(f"Le fichier « {name} » doit avoir un titre et des suffixes qui commencent par un point.")
            continue
        if not (isinstance(kind, type) and issubclass(kind, Row)):
            raise Broken(f"« {name} » doit être une sous-classe de Row ou un FileInput.")
        _check_columns(name, kind)
    return f"{count(len(kinds), 'table ou fichier décrit', 'tables ou fichiers décrits')}."


@promise("params", "Les paramètres ont tous une valeur, un sens et des bornes")
def params(lab: Lab) -> str:
    """Every parameter has a default, a French description and bounds that JSON schema can say."""
    model = lab.engine.params
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise Broken("params doit être une classe BaseModel de pydantic.")
    for name, field in model.model_fields.items():
        if field.is_required():
            raise Broken(f"Le paramètre {name} n’a pas de valeur par défaut : une personne doit pouvoir lancer sans rien choisir.")
        if not (field.description or "").strip():
            raise Broken(f'Le paramètre {name} n’a pas de description : ajoutez description="…", en français.')
    for name, schema in model.model_json_schema().get("properties", {}).items():
        fault = _unbounded(schema)
        if fault:
            raise Broken(f"Le paramètre {name} n’est pas borné : ajoutez {fault}.")
    return f"{count(len(model.model_fields), 'paramètre')} ; un clic suffit ({lab.params!r})."


@promise("readme", "Le README dit les termes, les colonnes et leurs unités")
def readme(lab: Lab) -> str:
    """README.md has a section of terms and one line per column with its unit."""
    path = lab.folder / "README.md"
    if not path.is_file():
        raise Broken("Il manque README.md : dites-y les termes, les colonnes avec leurs unités, la méthode et ses limites.")
    text = path.read_text(encoding="utf-8")
    if not _TERMS.search(text):
        raise Broken("README.md n’a pas de section « Termes » : définissez-y les mots du métier.")
    kinds = {**lab.engine.inputs, **lab.engine.truth}
    for name in [*kinds, *lab.engine.params.model_fields]:
        if f"`{name}`" not in text:
            raise Broken(f"README.md ne dit rien de `{name}` : ajoutez ce nom, entre accents graves, avec son sens.")
    for name, column, unit in _columns(kinds):
        lines = [line for line in text.splitlines() if f"`{column}`" in line]
        whole = re.compile(rf"(?<![\w/]){re.escape(unit)}(?![\w/])")
        if not any(whole.search(line.replace(f"`{column}`", "")) for line in lines):
            raise Broken(f"README.md doit dire, sur une ligne, la colonne `{column}` de {name}{f' et son unité : {unit}' if unit else ''}.")
    return f"{len(text.splitlines())} lignes."


@promise("example_data", "Des données d’exemple se lisent")
def example_data(lab: Lab) -> str:
    """Each required input and each truth has an example, and its table has valid lines."""
    for name, table in {**lab.inputs, **lab.truth}.items():
        if isinstance(table, pd.DataFrame) and table.empty:
            raise Broken(f"L’exemple « {name} » n’a aucune ligne valide.")
    return (
        "Lu : "
        + ", ".join(f"{n}, {count(len(t), 'ligne')}" if isinstance(t, pd.DataFrame) else f"{n}, {t.name}" for n, t in lab.inputs.items())
        + "."
    )


@promise("licences", "Les données ont une source, une licence, et disent quand elles sont simulées")
def licences(lab: Lab) -> str:
    """A source either has an address, or is labelled « données simulées », in the fiche and in README.md."""
    titles = [source.titre.lower() for source in lab.fiche.sources]
    path = lab.folder / "README.md"
    text = path.read_text(encoding="utf-8").lower() if path.is_file() else ""
    if not any(source.url for source in lab.fiche.sources) and not any(SIMULATED in title for title in titles):
        raise Broken(f"Aucune source n’a d’adresse (url) : donnez-la ou, si l’exemple est inventé, écrivez « {SIMULATED} » dans son titre.")
    said = (any(SIMULATED in title for title in titles), SIMULATED in text)
    simulated = any(said) or any("simul" in title for title in titles)
    if simulated and not all(said):
        raise Broken(f"Les données sont simulées : écrivez « {SIMULATED} » dans le titre d’une source de la fiche et dans README.md.")
    return " ; ".join(f"{source.titre} ({source.licence})" for source in lab.fiche.sources) + "."


def _left_from_template(lab: Lab) -> set[str]:
    """The sentences that describe the template's engine. None while the engine is still the template's: then they are true of it."""
    engine = lab.folder / "engine.py"
    if not engine.is_file() or engine.read_bytes() == from_template("engine.py", lab.slug).encode():
        return set()
    example = tomllib.loads(from_template("fiche.toml", lab.slug))
    sources = (source["titre"] for source in example["sources"])
    return {example["titre"], example["finalite"], example["methode"], *example["limites"], *sources}


def _texts(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _texts(item, f"{name}[{index}]")


def _columns(kinds: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, kind in kinds.items():
        if not isinstance(kind, FileInput):
            for column, field in kind.model_fields.items():
                extra = field.json_schema_extra
                yield name, column, str(extra.get("unit", "")) if isinstance(extra, dict) else ""


def _check_columns(name: str, kind: type[Row]) -> None:
    if not kind.TABLE.title:
        raise Broken(f'La table « {name} » n’a pas de titre : donnez TABLE = TableInfo(title="…") à {kind.__name__}.')
    if not kind.model_fields:
        raise Broken(f"La table « {name} » n’a pas de colonne : déclarez-les dans {kind.__name__} par column(…).")
    try:
        specs_of(kind)
    except TypeError as error:
        raise Broken(f"Une colonne de {kind.__name__} est d’un type que le lecteur ne lit pas ({error}). Voyez Row dans rows.py.") from None
    for column, field in kind.model_fields.items():
        if not (field.description or "").strip():
            raise Broken(f'La colonne {column} de {kind.__name__} n’a pas de sens écrit : déclarez-la par column("…").')
    for _, column, unit in _columns({name: kind}):
        if unit not in UNITS:
            raise Broken(f"L’unité « {unit} » de la colonne {column} n’est pas dans bocage/contract/units.py. Corrigez-la, ou ajoutez-la.")


def _unbounded(schema: dict[str, Any]) -> str:
    """What a parameter's JSON schema lacks to be bounded; empty when nothing."""
    parts = [part for part in schema.get("anyOf", [schema]) if part.get("type") != "null"]
    for part in parts:
        kind = part.get("type")
        if "enum" in part or "const" in part or "$ref" in part or kind == "boolean" or part.get("format") in ("date", "date-time"):
            continue
        if kind in ("integer", "number"):
            low, high = {"minimum", "exclusiveMinimum"} & set(part), {"maximum", "exclusiveMaximum"} & set(part)
            if not (low and high):
                return "ge=… et le=…"
        elif kind == "string" and not {"maxLength", "pattern"} & set(part):
            return "max_length=… ou pattern=…"
        elif kind == "array" and "maxItems" not in part:
            return "max_length=…"
    return ""
