"""Promises about the code of a use case, read and never run: imports, forbidden calls, sizes, docstrings."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from bocage.contract.conformance.lab import Lab
from bocage.contract.conformance.promise import Broken, promise
from bocage.contract.french import count

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50

STDLIB = {
    *("__future__", "abc", "array", "base64", "bisect", "calendar", "collections", "concurrent", "contextlib", "copy", "csv"),
    *("dataclasses", "datetime", "decimal", "difflib", "enum", "fractions", "functools", "gzip", "hashlib", "heapq", "html", "io"),
    *("itertools", "json", "math", "numbers", "operator", "pathlib", "random", "re", "statistics", "string", "struct", "textwrap"),
    *("time", "tomllib", "types", "typing", "unicodedata", "uuid", "warnings", "weakref", "xml", "zipfile", "zlib", "zoneinfo"),
    *("locale",),
}
"""Standard modules that compute. Those that reach the machine (os, sys, subprocess, socket, pickle…) are not among them."""

OUTSIDE = {
    *("django", "requests", "httpx", "aiohttp", "urllib3", "websockets", "paramiko", "boto3", "openai", "sqlalchemy", "psycopg"),
    *("psycopg2", "redis", "joblib", "dill", "cloudpickle", "dask", "distributed", "multiprocess", "dotenv", "psutil"),
}
"""Packages that reach the network, a database, other processes or pickled files."""

FORBIDDEN = [
    (re.compile(r"time\.(time|time_ns|localtime|gmtime|ctime|strftime|sleep)"), "l’horloge"),
    (re.compile(r"datetime\.(datetime|date)\.(now|today|utcnow)"), "l’horloge"),
    (re.compile(r"pandas\.(Timestamp|DatetimeIndex)\.(now|today|utcnow)"), "l’horloge"),
    (re.compile(r"random\.(?!Random$)\w+"), "un hasard sans graine"),
    (re.compile(r"numpy\.random\.(?!default_rng$|Generator$|SeedSequence$|PCG64$|Philox$)\w+"), "un hasard sans graine"),
    (re.compile(r"uuid\.uuid[14]"), "un hasard sans graine"),
    (re.compile(r"pandas\.read_pickle|.*\.to_pickle"), "un fichier pickle"),
    (re.compile(r"concurrent\.futures\.\w+PoolExecutor"), "des processus à lui"),
]
_BUILTINS = {"eval", "exec", "__import__", "input", "breakpoint", "compile"}
_NEEDS_SEED = re.compile(r"random\.Random|numpy\.random\.default_rng|numpy\.random\.SeedSequence|numpy\.random\.(PCG64|Philox)")


@promise("imports", "Le moteur n’importe que de quoi calculer")
def imports(lab: Lab) -> str:
    """Engine modules import the contract, the methods, a computing part of the standard library and installed packages."""
    seen: set[str] = set()
    for path in engine_files(lab.folder):
        for name, line in _imported(_tree(path), len(path.relative_to(lab.folder).parts)):
            seen.add(name)
            fault = _wall(name, lab.slug)
            if fault:
                raise Broken(f"{path.name}, ligne {line} : {name} {fault}. Retirez-le ; Resources donne tout ce qui est permis.")
    return f"{len(seen)} modules importés."


@promise("no_hidden_inputs", "Ni horloge, ni hasard sans graine, ni code venu d’ailleurs")
def no_hidden_inputs(lab: Lab) -> str:
    """No call to the clock, to unseeded randomness, to pickled files or to ``eval`` stands in the engine's modules."""
    for path in engine_files(lab.folder):
        tree = _tree(path)
        aliases = _aliases(tree)
        for node in ast.walk(tree):
            fault = _hidden(node, aliases) if isinstance(node, (ast.Attribute, ast.Name, ast.Call)) else ""
            if fault:
                raise Broken(f"{path.name}, ligne {node.lineno} : {fault}")  # type: ignore[attr-defined]
    return "Aucun appel de ce genre."


def _hidden(node: ast.Attribute | ast.Name | ast.Call, aliases: dict[str, str]) -> str:
    """What a node lets in behind ``Resources``, as a French sentence; empty when nothing."""
    if isinstance(node, ast.Call):
        name = _dotted(node.func, aliases)
        if isinstance(node.func, ast.Name) and name in _BUILTINS:
            return f"{name}() fait entrer du code ou une saisie d’ailleurs. Retirez l’appel."
        if not node.args and not node.keywords and _NEEDS_SEED.fullmatch(name):
            return f"{name}() est sans graine. Donnez-lui res.seed."
        return ""
    name = _dotted(node, aliases)
    root = name.split(".")[0]
    for pattern, what in FORBIDDEN:
        if pattern.fullmatch(name) and (root in {a.split(".")[0] for a in aliases.values()} or name.endswith("to_pickle")):
            return f"{name} fait entrer {what}. Prenez la graine res.seed, une date des données, le pool res.pool."
    return ""


@promise("sizes", "Les fichiers et les fonctions restent courts")
def sizes(lab: Lab) -> str:
    """No file over 400 lines, no function over 50."""
    files = sorted(lab.folder.rglob("*.py"))
    for path in files:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MAX_FILE_LINES:
            raise Broken(f"{path.name} a {lines} lignes, pour {MAX_FILE_LINES} au plus. Faites-en deux modules.")
        for node in ast.walk(_tree(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                long = (node.end_lineno or node.lineno) - node.lineno + 1
                if long > MAX_FUNCTION_LINES:
                    raise Broken(f"{path.name} : {node.name}() a {long} lignes, pour {MAX_FUNCTION_LINES} au plus. Coupez-la en deux.")
    return f"{count(len(files), 'fichier')} Python."


@promise("docstrings", "Ce qui est public est documenté")
def docstrings(lab: Lab) -> str:
    """Modules, public classes, and public functions and methods of engine modules have a docstring."""
    total = 0
    for path in engine_files(lab.folder):
        for name, node in _public(_tree(path), path.stem):
            total += 1
            if not ast.get_docstring(node):
                raise Broken(f"{path.name} : {name} n’a pas de docstring. Dites ce qu’il rend, en quelles unités, et ce qu’il lève.")
    return f"{total} docstrings."


def engine_files(folder: Path) -> list[Path]:
    """The modules that may run with the engine: all but tests and demo.py."""
    files = [path for path in folder.rglob("*.py") if "tests" not in path.relative_to(folder).parts]
    return sorted(path for path in files if path.relative_to(folder) != Path("demo.py"))


def _tree(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as error:
        raise Broken(f"{path.name} n’est pas un Python lisible ({error}).") from None


def _imported(tree: ast.Module, depth: int) -> Iterator[tuple[str, int]]:
    """Dotted names imported, with their line; relative ones only when they climb out of the use case (``depth`` is 1 at its top)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            if node.level > depth:
                yield "." * node.level + (node.module or ""), node.lineno
            elif node.level == 0 and node.module:
                for alias in node.names:
                    yield f"{node.module}.{alias.name}", node.lineno


def _wall(name: str, slug: str) -> str:
    """Why ``name`` may not be imported by an engine; empty when it may."""
    top = name.split(".")[0]
    if name.startswith("."):
        return "sort du dossier du cas d’usage"
    if top == "bocage":
        if name in ("bocage.contract", "bocage.methods"):
            return ""
        own = (f"bocage.usecases.{slug}.", f"bocage.contract.private.{slug}.")
        inside = name.startswith(("bocage.contract.", "bocage.methods.", *own)) and not name.startswith("bocage.contract.conformance")
        return "" if inside else "n’est ni contract ni methods"
    if name.startswith("xml.") and not name.startswith("xml.etree"):
        return "n’est pas dans la liste des modules permis"
    if top in sys.stdlib_module_names and top not in STDLIB:
        return "atteint la machine, le réseau ou un fichier pickle"
    return "atteint le réseau, une base, un processus ou un fichier pickle" if top in OUTSIDE else ""


def _aliases(tree: ast.Module) -> dict[str, str]:
    """Local name → dotted name, for everything imported."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    return names


def _dotted(node: ast.expr, aliases: dict[str, str]) -> str:
    """``pd.Timestamp.now`` → ``pandas.Timestamp.now``; a call's or subscript's result is ``?``."""
    if isinstance(node, ast.Name):
        return aliases.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value, aliases)}.{node.attr}"
    return "?"


def _public(tree: ast.Module, stem: str) -> Iterator[tuple[str, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]]:
    if tree.body:
        yield f"le module {stem}", tree
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_"):
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                for part in node.body:
                    if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)) and not part.name.startswith("_"):
                        yield f"{node.name}.{part.name}", part
