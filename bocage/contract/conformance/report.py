"""What a check says: one result per promise, a table for people and JSON for scripts."""

from __future__ import annotations

import textwrap
from dataclasses import asdict, dataclass
from typing import Any, Literal

from bocage.contract.errors import BocageError

State = Literal["tenu", "rompu", "sans objet"]


@dataclass(frozen=True, slots=True)
class Result:
    """One promise, checked. ``sentence`` is French and says what was seen, and what to do when the promise is broken."""

    id: str
    title: str
    state: State
    sentence: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """All the results of one use case. ``missing`` is what this machine lacks to import its engine: then hardly anything was checked."""

    slug: str
    results: tuple[Result, ...]
    missing: BocageError | None = None

    @property
    def passed(self) -> bool:
        """Whether the engine was checked and no promise is broken."""
        return not self.broken and self.missing is None

    @property
    def exit_code(self) -> int:
        """What a command returns: 0 passed, 1 a promise is broken, else the code of what is missing."""
        return 1 if self.broken else self.missing.exit_code if self.missing else 0

    @property
    def broken(self) -> list[Result]:
        """The promises that are broken."""
        return [result for result in self.results if result.state == "rompu"]

    def __getitem__(self, promise_id: str) -> Result:
        """The result of one promise; raises ``KeyError`` when it was not checked."""
        for result in self.results:
            if result.id == promise_id:
                return result
        raise KeyError(promise_id)

    def to_dict(self) -> dict[str, Any]:
        """The published shape: {slug, passed, error: null or {code, message}, results: [{id, title, state, sentence, seconds}]}."""
        error = {"code": self.missing.code, "message": self.missing.message} if self.missing else None
        return {"slug": self.slug, "passed": self.passed, "error": error, "results": [asdict(result) for result in self.results]}

    def to_text(self, width: int = 110) -> str:
        """A plain table: state, id, sentence; the broken promises first."""
        order = {"rompu": 0, "sans objet": 1, "tenu": 2}
        lines = [f"{self.slug} : {len(self.results) - len(self.broken)} promesses sur {len(self.results)} sans rupture"]
        for result in sorted(self.results, key=lambda r: order[r.state]):
            head = f"{result.state:<10}  {result.id:<18}  "
            text = f"{result.title}. {result.sentence}"
            lines += textwrap.wrap(text, width, initial_indent=head, subsequent_indent=" " * len(head), break_long_words=False)
        return "\n".join(lines)
