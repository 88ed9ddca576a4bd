"""Proving that nothing in the journal of an organisation was changed, added, moved or taken away."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import DatabaseError

from bocage.contract.errors import BocageError
from bocage.journal.models import Anchor, Entry, Head

GENESIS = "0" * 64
_SAID = 50


class UnreadableAnchors(BocageError):
    """A file of anchors that is neither a list of them nor the register's JSON."""

    code = "ancres-illisibles"
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Verification:
    """What ``verify`` found: how many entries hold, how many anchors were compared, and one French sentence per break (fifty at most).

    ``altered``: what is shown elsewhere and is not what the journal says (``bocage.register.proof``).
    """

    entries: int
    breaks: tuple[str, ...]
    anchors: int = 0
    head: str = GENESIS
    altered: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether the whole journal holds, and what is shown with it."""
        return not self.breaks and not self.altered


def verify(anchors: Iterable[Mapping[str, Any]] = ()) -> Verification:
    """Check the journal of the organisation in context against itself, its head, its published anchors, and ``anchors`` held elsewhere.

    ``anchors`` are mappings with ``sequence`` and ``hash``, as the register publishes them. Nothing is locked: entries that are added
    meanwhile are checked too.
    """
    chain = _Chain()
    wanted: list[tuple[int, str]] = [
        *Anchor.objects.values_list("sequence", "hash"),
        *((int(a["sequence"]), str(a["hash"])) for a in anchors),
    ]
    chain.watched = {sequence: "" for sequence, _ in wanted}
    try:
        chain.follow()
    except (DatabaseError, ValueError, TypeError) as error:
        chain.say(f"Le journal ne se lit plus après l’entrée {chain.last} : {str(error).splitlines()[0][:200]}.")
    for sequence, published in wanted:
        if chain.watched[sequence] != published:
            chain.say(f"L’ancre publiée à l’entrée {sequence} ne se retrouve pas dans le journal : il a été réécrit depuis sa publication.")
    return Verification(chain.count, chain.breaks(), len(wanted), chain.previous)


class _Chain:
    """The chain as far as it was followed."""

    def __init__(self) -> None:
        self.count, self.last, self.previous = 0, 0, GENESIS
        self.watched: dict[int, str] = {}
        self._said: list[str] = []
        self._unsaid = 0

    def say(self, sentence: str) -> None:
        """Keep one break."""
        if len(self._said) < _SAID:
            self._said.append(sentence)
        else:
            self._unsaid += 1

    def breaks(self) -> tuple[str, ...]:
        """The sentences, and how many more there would be."""
        return (*self._said, f"Et {self._unsaid} autres ruptures.") if self._unsaid else tuple(self._said)

    def follow(self) -> None:
        """Read to the end; then again what was added while reading, until the head agrees or nothing new explains it."""
        while True:
            before = self.count
            for entry in _entries(after=self.last if self.count else None):
                self._take(entry)
            head = Head.objects.values_list("sequence", "hash").first() or (0, GENESIS)
            if head == (self.last, self.previous):
                return
            if self.count == before:
                self.say(
                    f"La tête du journal annonce {head[0]} entrées, le journal va jusqu’à l’entrée {self.last} : "
                    "la fin a été coupée, ajoutée ou réécrite."
                )
                return

    def _take(self, entry: Entry) -> None:
        from bocage.journal.services import entry_hash

        if entry.sequence > self.last + 1:
            gone = (
                f"L’entrée {self.last + 1} manque"
                if entry.sequence == self.last + 2
                else f"Les entrées {self.last + 1} à {entry.sequence - 1} manquent"
            )
            self.say(f"{gone} : la suivante porte le numéro {entry.sequence}.")
        elif entry.sequence <= self.last:
            self.say(f"L’entrée {entry.sequence} est en trop : ce numéro est déjà passé.")
        if entry.previous_hash != self.previous:
            self.say(f"L’entrée {entry.sequence} ne suit pas la précédente : l’empreinte d’avant ne correspond pas.")
        if not _same(entry_hash(entry), entry.hash):
            self.say(f"L’entrée {entry.sequence} a été modifiée : son empreinte ne correspond plus à son contenu.")
        if entry.sequence in self.watched:
            self.watched[entry.sequence] = entry.hash
        self.count += 1
        self.last, self.previous = entry.sequence, entry.hash


def _same(computed: str, stored: Any) -> bool:
    return isinstance(stored, str) and computed == stored


def _entries(after: int | None) -> Iterator[Entry]:
    entries = Entry.objects.order_by("sequence")
    return (entries if after is None else entries.filter(sequence__gt=after)).iterator(chunk_size=1000)


def read_anchors(path: Path, organisation: str) -> list[dict[str, Any]]:
    """Anchors kept elsewhere: a list of ``{"sequence", "hash"}``, or the register's JSON of ``organisation``.

    Raises ``UnreadableAnchors``.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadableAnchors(f"« {path} » ne se lit pas comme un fichier d’ancres : {error}. Donnez le JSON du registre.") from None
    if isinstance(document, dict):
        owner = document.get("organisation")
        named = owner.get("slug") if isinstance(owner, dict) else None
        if named not in (None, organisation):
            raise UnreadableAnchors(f"« {path} » vient du registre de « {named} », pas de « {organisation} ». Choisissez le bon fichier.")
        journal = document.get("journal")
        document = document.get("anchors", journal.get("anchors") if isinstance(journal, dict) else None)
    right = isinstance(document, list) and all(
        isinstance(a, dict) and isinstance(a.get("sequence"), int) and isinstance(a.get("hash"), str) for a in document
    )
    if not right:
        raise UnreadableAnchors(
            f'« {path} » ne contient pas d’ancres. Attendu : le JSON du registre, ou une liste de {{"sequence", "hash"}}.'
        )
    return [{"sequence": a["sequence"], "hash": a["hash"]} for a in document]
