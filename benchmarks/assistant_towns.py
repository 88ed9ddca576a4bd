"""What people ask of two towns that exist nowhere, asked of their pages and services beside the national sheets:
``python -m benchmarks.assistant_towns``.

Their authors wrote nothing that search learns from. « Right »: an answer is given and its first page is one that answers; « wrong »: one is
given and it is not; else the assistant refuses and offers a person. Two questions seen in one message count as wrong.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import django

from benchmarks.assistant import national_documents
from bocage.assistant.bank import with_bank
from bocage.assistant.documents import Audience, Document, Origin
from bocage.assistant.finding import Finder
from bocage.assistant.index import Index, build
from bocage.assistant.towns import Town, towns

TOWNS = Path(__file__).parent / "towns"


@dataclass(frozen=True, slots=True)
class Row:
    """Shares, in per cent, of one kind of question of one town."""

    town: str
    kind: str
    questions: int
    first: float
    first_five: float
    right: float
    wrong: float

    def line(self) -> str:
        """As a row of a Markdown table."""
        shares = " | ".join(f"{share:.1f}" for share in (self.first, self.first_five, self.right, self.wrong))
        return f"| {self.town} | {self.kind} | {self.questions} | {shares} |"


def measure(town: Town, national: Index, folder: Path) -> list[Row]:
    """Figures of one town; ``folder``: where its own index goes. Django must be set up."""
    from bocage.assistant.library import Library

    library = Library((national, build(town.documents, folder, base=national)))
    kinds: dict[str, list[tuple[int, bool]]] = {"pages": [], "services": [], "national sheets": [], "off topic": []}
    for text, right in town.questions:
        wanted = {town.documents[n].id for n in right}
        service = any(town.documents[n].origin is Origin.DIRECTORY for n in right)
        kinds["services" if service else "pages"].append(_asked(library, text, lambda d, wanted=wanted: d.id in wanted))
    for text in town.national:
        kinds["national sheets"].append(_asked(library, text, lambda d: d.origin is Origin.NATIONAL))
    for text in town.off_topic:
        kinds["off topic"].append(_asked(library, text, lambda d: False))
    return [_row(town.name, kind, asked) for kind, asked in kinds.items()]


def _asked(library: Finder, text: str, answers: Callable[[Document], bool]) -> tuple[int, bool]:
    """Rank of the first document that answers (0: none), and whether an answer is given."""
    found = library.find(text, Audience.CITIZENS)
    rank = next((n for n, match in enumerate(found.matches, 1) if answers(match.document)), 0)
    return rank, found.accepted


def _row(town: str, kind: str, asked: Sequence[tuple[int, bool]]) -> Row:
    def share(some: Sequence[bool]) -> float:
        return 100 * sum(some) / max(len(some), 1)

    return Row(
        town, kind, len(asked), share([rank == 1 for rank, _ in asked]), share([0 < rank <= 5 for rank, _ in asked]),
        share([given and rank == 1 for rank, given in asked]), share([given and rank != 1 for rank, given in asked]),
    )  # fmt: skip


def main() -> None:
    """Index the national sheets, ask, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bocage.settings")
    django.setup()
    with tempfile.TemporaryDirectory(prefix="bocage-villes-") as temporary:
        national = build(with_bank(national_documents(given.data)), Path(temporary) / "national")
        print("| town | answered by | questions | first | among five | right | wrong |\n|---|---|---|---|---|---|---|")
        for town in towns(TOWNS):
            for row in measure(town, national, Path(temporary) / town.name):
                print(row.line(), flush=True)


if __name__ == "__main__":
    main()
