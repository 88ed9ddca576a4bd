"""Docs that cannot lag behind: a setting, an error code, a command or a French code word without its line fails here."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from bocage.cli import cli
from bocage.contract.errors import BocageError
from bocage.contract.fiche import Fiche, Mesure, Source
from bocage.settings import SETTINGS

DOCS = Path(__file__).resolve().parents[2] / "docs"


def subclasses(root: type) -> set[type]:
    return {root} | {leaf for child in root.__subclasses__() for leaf in subclasses(child)}


@pytest.fixture
def all_errors() -> set[type[BocageError]]:
    import importlib
    import pkgutil

    import bocage

    for module in pkgutil.walk_packages(bocage.__path__, "bocage."):
        if not any(part in module.name for part in (".usecases.", ".template", ".tests", ".migrations")):
            importlib.import_module(module.name)
    return {e for e in subclasses(BocageError) if e is not BocageError and e.__module__.startswith("bocage.")}


def test_every_setting_is_documented_with_its_default_and_meaning():
    text = (DOCS / "settings.md").read_text(encoding="utf-8")
    missing = [s.name for s in SETTINGS if f"`{s.name}`" not in text or s.meaning not in text]
    assert not missing


def test_no_documented_setting_has_gone():
    text = (DOCS / "settings.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(BOCAGE_[A-Z_]+?)(?:_FILE)?`", text)) <= {s.name for s in SETTINGS}


def test_every_error_code_is_documented(all_errors):
    text = (DOCS / "errors.md").read_text(encoding="utf-8")
    missing = sorted(e.code for e in all_errors if f"`{e.code}`" not in text)
    assert not missing


def test_no_documented_error_code_has_gone(all_errors):
    text = (DOCS / "errors.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([a-z-]+)`", text, re.MULTILINE)) <= {e.code for e in all_errors}


def test_error_codes_are_unique(all_errors):
    codes = [e.code for e in all_errors if "code" in vars(e)]
    assert len(codes) == len(set(codes))


def test_every_command_and_option_is_documented():
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    missing = []
    for name in cli.list_commands(click.Context(cli)):
        command = cli.get_command(click.Context(cli), name)
        if f"bocage {name}" not in text:
            missing.append(name)
        options = [o for p in command.params if isinstance(p, click.Option) for o in p.opts if o.startswith("--")]
        missing += [f"{name} {o}" for o in options if o != "--help" and o not in text]
    assert not missing


def test_french_code_words_stand_in_the_glossary():
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    words = {name for model in (Fiche, Source, Mesure) for name in model.model_fields} - {"slug", "sources", "alternatives", "url", "extra"}
    assert not sorted(word for word in words if f"`{word}`" not in text)


def test_readme_stays_short():
    assert len((DOCS.parent / "README.md").read_text(encoding="utf-8").splitlines()) <= 150
