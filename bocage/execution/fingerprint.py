"""Hashes that say which code and which data gave a result: the same on every machine and after every checkout."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import bocage
from bocage import contract
from bocage.contract.discovery import use_case_folder

CONTRACT_VERSION = str(getattr(contract, "VERSION", "1"))
_LEFT_OUT_FOLDERS = {"data", "tests", "__pycache__"}
_LEFT_OUT_SUFFIXES = {".pyc", ".pyo", ".md"}
_LEFT_OUT_NAMES = {"fiche.toml", "demo.py"}


def engine_version(slug: str) -> str:
    """SHA-256 over the code of the use case and of ``bocage.methods``, and the version of the contract.

    Counted: names and bytes (line ends made alike) of every file that a result may depend on. Left out: ``data/``, ``tests/``, compiled
    files, hidden files, Markdown, the fiche and ``demo.py``.
    """
    digest = hashlib.sha256(f"contract {CONTRACT_VERSION}\n".encode())
    for title, folder in (("use case", use_case_folder(slug)), ("methods", Path(bocage.__file__).parent / "methods")):
        digest.update(f"{title}\n".encode())
        for name, path in sorted(_code(folder)):
            content = path.read_bytes().replace(b"\r\n", b"\n")
            digest.update(f"{name}\n{hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()


def input_hash(hashes: dict[str, str]) -> str:
    """SHA-256 over the name and SHA-256 of every input, in the order of names."""
    text = "".join(f"{name}\n{hashes[name]}\n" for name in sorted(hashes))
    return hashlib.sha256(text.encode()).hexdigest()


def _code(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("*") if folder.is_dir() else ():
        name = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in name.parts)
        if hidden or _LEFT_OUT_FOLDERS & set(name.parts[:-1]) or path.suffix in _LEFT_OUT_SUFFIXES or name.as_posix() in _LEFT_OUT_NAMES:
            continue
        if path.is_file():
            yield name.as_posix(), path
