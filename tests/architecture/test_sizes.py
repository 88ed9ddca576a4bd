"""A module fits one head: no file over 400 lines, no function over 50; every public name of the package explains itself."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def python_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        names = [str(p.relative_to(ROOT)) for room in ("bocage", "tests", "benchmarks") for p in (ROOT / room).rglob("*.py")]
    else:
        names = listed.stdout.split()
    return [ROOT / name for name in names if "/migrations/" not in name and (ROOT / name).exists()]


def test_no_file_passes_400_lines():
    long = {str(p.relative_to(ROOT)): n for p in python_files() if (n := len(p.read_text(encoding="utf-8").splitlines())) > 400}
    assert not long


def test_no_function_passes_50_lines():
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name} ({node.end_lineno - node.lineno + 1})"
        for path in python_files()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno - node.lineno + 1 > 50
    ]
    assert not long


def test_public_classes_and_functions_of_the_package_have_docstrings():
    bare = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in python_files()
        if path.is_relative_to(ROOT / "bocage") and "tests" not in path.parts and "template" not in path.parts
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert not bare
