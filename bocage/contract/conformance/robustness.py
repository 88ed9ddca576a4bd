"""Promises about what is missing, short, odd or dirty: a French sentence, never another exception."""

from __future__ import annotations

import csv
import io
import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ValidationError

from bocage.contract.conformance.lab import Lab, Loaded, copied, differing, is_required, written
from bocage.contract.conformance.promise import Broken, NotApplicable, promise
from bocage.contract.conformance.sentences import is_french
from bocage.contract.errors import BocageError
from bocage.contract.french import count
from bocage.contract.outcome import Outcome
from bocage.contract.tables import read_table

DIRTY_SEED = 20240331
DIRTY_LINES = 20_000
ODD_SECONDS = 15.0
"""The time budget of runs on odd inputs: there are dozens, and a heavy engine may decline by it."""
Cells = list[list[str]]
Writer = Callable[[Path], object]


@promise("empty_inputs", "Une table vide reçoit une phrase")
def empty_inputs(lab: Lab) -> str:
    """Tables without a line, one at a time and all together: a BocageError, or an outcome."""
    _need_tables(lab)
    said = [
        _survives(lab, {**lab.inputs, **{name: _lines(lab, name, 0) for name in names}}, f"table vide ({', '.join(names)})")
        for names in _each_and_all(lab)
    ]
    return _summary(said)


@promise("one_line", "Une seule ligne reçoit une phrase ou un résultat")
def one_line(lab: Lab) -> str:
    """Tables of one line, one at a time and all together: a BocageError, or an outcome."""
    _need_tables(lab)
    said = [
        _survives(lab, {**lab.inputs, **{name: _lines(lab, name, 1) for name in names}}, f"une seule ligne ({', '.join(names)})")
        for names in _each_and_all(lab)
    ]
    return _summary(said)


@promise("dirty_inputs", "Des fichiers abîmés reçoivent des phrases")
def dirty_inputs(lab: Lab) -> str:
    """The example files, damaged in a dozen ways with a fixed seed, then read and run: valid lines kept, or a BocageError."""
    said: list[str] = []
    lab.inputs  # noqa: B018  (whole, the example must be readable: its own failure comes first)
    with tempfile.TemporaryDirectory(prefix="bocage-check-") as name:
        for file, path in lab.files.items():
            damages = _table_damages(path, lab) if file in lab.rows else _file_damages(path)
            for what, write in damages:
                target = Path(name) / f"{file}{'.csv' if file in lab.rows else path.suffix}"
                write(target)
                said.append(_read_and_run(lab, file, target, f"{what} dans « {file} »"))
    return _summary(said)


@promise("optional_inputs", "Ce qui est facultatif peut manquer")
def optional_inputs(lab: Lab) -> str:
    """Without its optional inputs, one at a time and all together, the engine still answers."""
    optional = [name for name, kind in lab.engine.inputs.items() if not is_required(kind)]
    if not optional:
        raise NotApplicable("Toutes les entrées sont obligatoires.")
    lab.reference  # noqa: B018  (its own failure comes first)
    for names in {*((name,) for name in optional), tuple(optional)}:
        for baseline in (False, True):
            try:
                lab.outcome({name: value for name, value in lab.inputs.items() if name not in names}, baseline=baseline)
            except (Broken, BocageError) as error:
                raise Broken(f"Sans {', '.join(names)}, pourtant facultatif : {error}") from None
    return f"Répond sans {', '.join(optional)}."


@promise("param_bounds", "Les bornes des paramètres sont tenues")
def param_bounds(lab: Lab) -> str:
    """Values out of bounds and unknown names are refused; at both ends of every bound, the engine answers or says why not."""
    model = lab.engine.params
    fields = model.model_json_schema().get("properties", {})
    _refuses(model, {"parametre_qui_n_existe_pas": 1}, 'un paramètre inconnu : ajoutez model_config = ConfigDict(extra="forbid")')
    for name, schema in fields.items():
        for value in _outside(schema):
            _refuses(model, {name: value}, f"{name} = {value!r}, hors de ses bornes")
    ends = {"basses": 0, "hautes": 1}
    said = []
    for which, index in ends.items():
        chosen = {name: bounds[index] for name, schema in fields.items() if (bounds := _bounds(schema))}
        try:
            params = model(**chosen)
        except ValidationError as error:
            raise Broken(f"Les bornes {which} ne forment pas des paramètres valides : {error.errors()[0]['msg']}.") from None
        said.append(_survives(lab, lab.inputs, f"aux bornes {which} des paramètres", params))
    return _summary(said)


def _need_tables(lab: Lab) -> None:
    if not lab.rows:
        raise NotApplicable("Aucune entrée n’est une table.")


def _each_and_all(lab: Lab) -> list[tuple[str, ...]]:
    names = [name for name in lab.rows if name in lab.inputs]
    return [(name,) for name in names] + ([tuple(names)] if len(names) > 1 else [])


def _lines(lab: Lab, name: str, count: int) -> pd.DataFrame:
    table = lab.inputs[name]
    assert isinstance(table, pd.DataFrame)
    return table.iloc[:count].reset_index(drop=True)


def _survives(lab: Lab, inputs: Loaded, what: str, params: BaseModel | None = None) -> str:
    """Run engine and baseline; returns what was answered. Raises ``Broken`` on any exception but a French BocageError."""
    said = "une réponse"
    for baseline in (False, True):
        try:
            outcome = lab.outcome(copied(inputs), params=params, seconds=ODD_SECONDS, baseline=baseline)
            _sound(outcome, what)
        except BocageError as error:
            said = _french(error, what)
        except Broken as error:
            raise Broken(f"{what[:1].upper()}{what[1:]} : {error}") from None
    return said


def _sound(outcome: object, what: str) -> None:
    if not isinstance(outcome, Outcome):
        raise Broken("le moteur ne rend pas un Outcome.")
    try:
        written(outcome)
    except Exception as error:
        raise Broken(f"le résultat ne s’écrit pas en JSON ({' '.join(str(error).split())[:150]}).") from None


def _french(error: BocageError, what: str) -> str:
    message = error.message.strip()
    if not is_french(message) or len(message) < 15:
        raise Broken(f"{what} : le message « {message} » doit être une phrase française qui dit quoi faire.")
    return message


def _read_and_run(lab: Lab, name: str, path: Path, what: str) -> str:
    try:
        value: Any = read_table(path, lab.rows[name]).frame if name in lab.rows else path
    except BocageError as error:
        return _french(error, what)
    except Exception as error:
        said = f"{type(error).__name__} : {str(error)[:200]}"
        raise Broken(f"{what} : le lecteur de tables échoue ({said}). C’est à Bocage de le corriger.") from None
    inputs = {**lab.inputs, name: value}
    return _survives(lab, inputs, what) if name not in lab.rows or differing(lab.inputs, inputs) else "une réponse"


def _table_damages(path: Path, lab: Lab) -> Iterator[tuple[str, Writer]]:
    """Damaged copies of a table: (French name of the damage, what writes it)."""
    header, *lines = _cells(path)
    rng = random.Random(DIRTY_SEED)

    def spoil(spoiled: Callable[[str], str], share: float = 0.05) -> Writer:
        hit = [[spoiled(cell) if rng.random() < share else cell for cell in line] for line in lines]
        return lambda target: _write(target, header, hit)

    yield "des lettres dans les cellules", spoil(lambda cell: f"{cell}abc")
    yield "des dates fausses", spoil(lambda cell: "31/02/2024" if any(mark in cell for mark in "-/:") else cell, 0.2)
    yield "des nombres négatifs", spoil(lambda cell: f"-{cell}" if cell[:1].isdigit() and "-" not in cell else cell, 0.2)
    yield "des nombres énormes", spoil(lambda cell: f"{cell}000000" if cell.isdigit() else cell, 0.05)
    yield "des cellules vides", spoil(lambda cell: "", 0.2)
    yield "des lignes doublées", lambda target: _write(target, header, lines + lines[::3])
    yield "des lignes coupées", lambda target: _write(target, header, [line[: rng.randint(0, len(line))] for line in lines])
    yield "rien que des cellules vides", lambda target: _write(target, header, [[""] * len(header) for _ in lines[:5]])
    yield "un en-tête sans ligne", lambda target: _write(target, header, [])
    yield "un fichier vide", lambda target: target.write_bytes(b"")
    yield "des octets au hasard", lambda target: target.write_bytes(rng.randbytes(2000))
    for column in header:
        yield f"la colonne {column} absente", _without(header, lines, header.index(column))
    for separator, encoding in ((";", "cp1252"), ("\t", "utf-16"), ("|", "utf-8-sig")):
        yield f"un séparateur « {separator!r} » en {encoding}", _written(header, lines, separator, encoding)


def _without(header: list[str], lines: Cells, index: int) -> Writer:
    return lambda target: _write(target, header[:index] + header[index + 1 :], [line[:index] + line[index + 1 :] for line in lines])


def _written(header: list[str], lines: Cells, separator: str, encoding: str) -> Writer:
    return lambda target: _write(target, header, lines, separator, encoding)


def _file_damages(path: Path) -> Iterator[tuple[str, Writer]]:
    data = path.read_bytes()
    rng = random.Random(DIRTY_SEED)
    noisy = bytearray(data)
    for _ in range(max(1, len(noisy) // 200)):
        noisy[rng.randrange(len(noisy))] = rng.randrange(256)
    yield "un fichier vide", _bytes(b"")
    yield "un fichier coupé", _bytes(data[: len(data) // 2])
    yield "des octets changés", _bytes(bytes(noisy))
    yield "un texte quelconque", _bytes("Ceci n’est pas le fichier attendu.\n".encode())


def _bytes(content: bytes) -> Writer:
    return lambda target: target.write_bytes(content)


def _cells(path: Path) -> Cells:
    """The cells of an example table, as text: header first."""
    if path.suffix.lower() in (".csv", ".tsv", ".txt"):
        text = path.read_text(encoding="utf-8-sig", errors="replace")
        first = text.partition("\n")[0]
        separator = max(";,\t|", key=first.count)
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator) if row]
        return rows[: DIRTY_LINES + 1]
    if path.suffix.lower() == ".xlsx":
        table = pd.read_excel(path, engine="calamine")
    elif path.suffix.lower() == ".parquet":
        table = pd.read_parquet(path)
    else:
        raise NotApplicable(f"L’exemple {path.name} n’est ni un CSV, ni un XLSX, ni un Parquet : il ne s’abîme pas cellule par cellule.")
    return [list(table.columns), *table.head(DIRTY_LINES).astype(str).to_numpy().tolist()]


def _write(target: Path, header: list[str], lines: Cells, separator: str = ",", encoding: str = "utf-8") -> None:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=separator).writerows([header, *lines])
    target.write_bytes(buffer.getvalue().encode(encoding, errors="replace"))


def _summary(said: list[str]) -> str:
    errors = [text for text in said if text != "une réponse"]
    example = f", dont « {errors[0]} »" if errors else "."
    return f"{count(len(said), 'essai')} : {count(len(said) - len(errors), 'réponse')}, {count(len(errors), 'phrase')}{example}"


def _bounds(schema: dict[str, Any]) -> tuple[Any, Any] | None:
    """The smallest and greatest value that a parameter's JSON schema allows, where it says so."""
    part: dict[str, Any] = next((p for p in schema.get("anyOf", [schema]) if p.get("type") != "null"), {})
    if "enum" in part:
        return part["enum"][0], part["enum"][-1]
    if part.get("type") == "boolean":
        return False, True
    if part.get("type") not in ("integer", "number"):
        return None
    step = 1 if part["type"] == "integer" else 1e-6
    low = part.get("minimum", part.get("exclusiveMinimum", 0) + step)
    high = part.get("maximum", part.get("exclusiveMaximum", 0) - step)
    return low, high


def _outside(schema: dict[str, Any]) -> list[Any]:
    part: dict[str, Any] = next((p for p in schema.get("anyOf", [schema]) if p.get("type") != "null"), {})
    if "enum" in part:
        return ["valeur qui n’existe pas"]
    bounds = _bounds(schema)
    if bounds and part.get("type") != "boolean":
        return [bounds[0] - 1, bounds[1] + 1, "abc"]
    return ["x" * (part["maxLength"] + 1)] if "maxLength" in part else []


def _refuses(model: type[BaseModel], values: dict[str, Any], what: str) -> None:
    try:
        model.model_validate(values)
    except ValidationError:
        return
    except Exception as error:
        raise Broken(f"{model.__name__} échoue sur {what} ({type(error).__name__}) au lieu de le refuser.") from None
    raise Broken(f"{model.__name__} accepte {what}.")
