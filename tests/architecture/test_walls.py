"""The walls of docs and DESIGN: which room may import which. Read from the source, so that a lazy import counts too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BOCAGE = ROOT / "bocage"

# Room → the rooms it may import. Every room may import itself and the standard library.
MAY_IMPORT = {
    "contract": set(),
    "methods": {"contract"},
    "usecases": {"contract", "methods"},
    "execution": {"contract"},
    # The journal needs whose it is, and every change of people and roles is journalled: these two rooms know each other.
    "organisations": {"contract", "journal"},
    "journal": {"contract", "organisations"},
    "network": set(),
    "deposits": {"contract", "network", "organisations", "journal", "execution"},
    "decisions": {"contract", "execution", "organisations", "deposits", "journal"},
    "register": {"contract", "execution", "organisations", "deposits", "decisions", "journal"},
    "llm": {"contract", "network"},
    # Energy of an answer is metered as that of a run is.
    "assistant": {"contract", "methods", "organisations", "journal", "execution", "llm"},
    "api": {"contract", "execution", "organisations", "deposits", "decisions", "journal", "register", "assistant"},
    "web": {"contract", "execution", "organisations", "deposits", "decisions", "journal", "register", "assistant", "api"},
    "cli": {
        "contract",
        "execution",
        "organisations",
        "deposits",
        "decisions",
        "journal",
        "register",
        "assistant",
        "api",
        "web",
        "settings",
        "wsgi",
    },
    "settings": {"contract", "setting_values"},
    "setting_values": {"contract"},
}
# Rooms that must not know Django, nor any database.
NO_DJANGO = {"contract", "methods", "usecases", "execution", "llm", "settings", "setting_values"}
# What the contract may import besides the standard library.
CONTRACT_LIBRARIES = {"pydantic", "pydantic_core", "pandas", "numpy", "fastparquet", "python_calamine", "distributed"}


def sources(room: str) -> list[Path]:
    module = BOCAGE / f"{room}.py"
    files = [module] if module.exists() else sorted((BOCAGE / room).rglob("*.py"))
    # A use case's own tests, and the text of the template, are not the room's code.
    return [f for f in files if "tests" not in f.relative_to(BOCAGE).parts and "template" not in f.relative_to(BOCAGE).parts]


def imports(path: Path) -> Iterator[str]:
    package = [*path.relative_to(ROOT).with_suffix("").parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level] if node.level else []
            yield ".".join([*base, *([node.module] if node.module else [])])


def rooms() -> list[str]:
    folders = {p.parent.name for p in BOCAGE.glob("*/__init__.py")} | {"usecases"}
    return sorted((folders & {p.name for p in BOCAGE.iterdir()}) | {"settings", "setting_values"})


def test_every_room_is_on_the_plan():
    assert set(rooms()) <= set(MAY_IMPORT), "a new room: say in MAY_IMPORT which rooms it may import"


@pytest.mark.parametrize("room", rooms())
def test_a_room_imports_only_the_rooms_it_may(room: str):
    allowed = MAY_IMPORT[room] | {room}
    crossed = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(room)
        for name in imports(path)
        if name.startswith("bocage.") and name.split(".")[1] not in allowed
    ]
    assert not crossed


@pytest.mark.parametrize("room", sorted(NO_DJANGO & set(rooms())))
def test_rooms_below_the_database_know_no_django(room: str):
    crossed = [
        f"{p.relative_to(ROOT)}: {n}" for p in sources(room) for n in imports(p) if n.split(".")[0] in ("django", "django_tasks", "sqlite3")
    ]
    assert not crossed


def test_the_contract_imports_only_its_few_libraries():
    import sys

    allowed = set(sys.stdlib_module_names) | CONTRACT_LIBRARIES | {"bocage"}
    crossed = [f"{p.relative_to(ROOT)}: {n}" for p in sources("contract") for n in imports(p) if n.split(".")[0] not in allowed]
    assert not crossed


def test_one_use_case_does_not_import_another():
    crossed = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources("usecases")
        for name in imports(path)
        if name.startswith("bocage.usecases.") and name.split(".")[2] != path.relative_to(BOCAGE / "usecases").parts[0]
    ]
    assert not crossed


def test_nothing_is_pickled_to_a_file():
    forbidden = {"pickle", "joblib", "dill", "shelve", "marshal"}
    found = [f"{p.relative_to(ROOT)}: {n}" for p in BOCAGE.rglob("*.py") for n in imports(p) if n.split(".")[0] in forbidden]
    assert not found


def test_a_use_case_is_named_nowhere_but_in_its_folder():
    """Rule 1: adding a use case adds one folder and changes no other file (the demo names the one it shows)."""
    slugs = {p.parent.name for p in (BOCAGE / "usecases").glob("*/fiche.toml")}
    allowed = {BOCAGE / "cli" / "demo.py", BOCAGE / "cli" / "story.py"}
    named = [
        f"{path.relative_to(ROOT)} names {slug}"
        for path in BOCAGE.rglob("*.py")
        if "usecases" not in path.relative_to(BOCAGE).parts and path not in allowed
        for slug in slugs
        if slug in path.read_text(encoding="utf-8")
    ]
    assert not named
