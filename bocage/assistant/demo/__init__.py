"""The local corpus of the demonstration: « Pays de Brenoux », a community of communes that does not exist. Every document says so."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent

SOURCES: dict[str, Path] = {
    "pages": FOLDER / "pages",
    "annuaire": FOLDER / "annuaire.toml",
    "questions": FOLDER / "questions.toml",
    "deliberations": FOLDER / "deliberations.csv",
}
"""Kind of source, as in ``bocage.assistant.sources.SOURCE_KINDS`` → where it is."""
