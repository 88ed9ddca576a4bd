"""The decided list: what leaves the system. Decided proposals only, each with the person who decided; the export is journalled."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import odswriter
from django.db import transaction
from django.utils import timezone

from bocage.contract.errors import BocageError
from bocage.contract.french import NBSP, count, number
from bocage.contract.tables import safe_cell
from bocage.decisions.models import Decision, Proposal, Run
from bocage.decisions.proposals import standing_decisions
from bocage.decisions.saying import when
from bocage.decisions.totals import disagreements
from bocage.deposits.examples import EXAMPLE_NOT_COUNTED
from bocage.journal.models import Head
from bocage.journal.services import GENESIS, record
from bocage.organisations.models import User

COLUMNS = (
    "rang",
    "sujet",
    "action",
    "proposition",
    "proposé",
    "intervalle bas",
    "intervalle haut",
    "méthode habituelle",
    "verdict",
    "valeur retenue",
    "unité",
    "motif",
    "à vérifier",
    "décidé par",
    "fonction",
    "le",
)
Cell = str | int | float | datetime | None
# XML 1.0 has no place for these: an ODS file holding one cannot be opened.
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


class NothingDecided(BocageError):
    """Nobody has decided anything on this run yet: there is nothing to take away."""

    code = "rien-de-decide"


class UnknownFormat(BocageError):
    """The decided list exists as CSV, ODS and PDF only."""

    code = "format-inconnu"


@dataclass(frozen=True, slots=True)
class DecidedList:
    """The decided lines of a run, in the order of their rank, one tuple per line in the order of ``COLUMNS``."""

    run: int
    title: str
    organisation: str
    lines: tuple[tuple[Cell, ...], ...]
    missing: int
    made_at: datetime
    made_by: str
    head: str
    sequence: int
    warnings: tuple[str, ...] = ()
    """Totals that no longer agree with the lines they were the sum of."""

    @property
    def completeness(self) -> str:
        """How many lines are decided, and how many are missing."""
        done = f"{count(len(self.lines), 'proposition décidée', 'propositions décidées')} sur {number(len(self.lines) + self.missing)}"
        if not self.missing:
            return f"{done} : la liste est complète."
        waiting = count(self.missing, "proposition attend", "propositions attendent")
        return f"{done}. {waiting} une décision et ne {'figure' if self.missing == 1 else 'figurent'} pas ici."


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file to hand over."""

    name: str
    content_type: str
    content: bytes


def decided_list(run: Run, person: User, title: str = "") -> DecidedList:
    """What was decided on ``run``, by the clock of its organisation. ``title`` is the use case's name for people."""
    zone = ZoneInfo(run.organisation.time_zone)
    proposals = list(Proposal.objects.filter(run=run).defer("geometry").order_by("rank"))
    standing = standing_decisions(run)
    warnings = disagreements(proposals, standing)
    example = [EXAMPLE_NOT_COUNTED] if run.example else []
    told = {pk: " ".join([*example, *([warnings[pk]] if pk in warnings else [])]) for pk in standing}
    head = Head.objects.first()
    return DecidedList(
        run=run.pk,
        title=title or run.usecase,
        organisation=run.organisation.name,
        lines=tuple(_line(p, standing[p.pk], zone, told[p.pk]) for p in proposals if p.pk in standing),
        missing=len(proposals) - len(standing),
        made_at=timezone.now().astimezone(zone),
        made_by=person.name,
        head=head.hash if head else GENESIS,
        sequence=head.sequence if head else 0,
        warnings=(*example, *warnings.values()),
    )


def export_decisions(run: Run, person: User, kind: str, title: str = "") -> ExportedFile:
    """The decided list of ``run`` as ``kind`` (csv, ods or pdf), journalled with its SHA-256.

    Raises ``UnknownFormat``, or ``NothingDecided`` while there is nothing to take away.
    """
    if kind not in WRITERS:
        raise UnknownFormat(f"Le format « {kind[:20]} » n’existe pas pour cette liste. Choisissez csv, ods ou pdf.")
    with transaction.atomic():
        decided = decided_list(run, person, title)
        if not decided.lines:
            raise NothingDecided("Rien n’est encore décidé : la liste est vide. Décidez au moins une proposition, puis revenez.")
        content_type, write = WRITERS[kind]
        content = write(decided)
        record(
            "decision.exportee",
            person,
            execution=run.pk,
            cas=run.usecase,
            format=kind,
            lignes=len(decided.lines),
            manquantes=decided.missing,
            sha256=hashlib.sha256(content).hexdigest(),
        )
    total = len(decided.lines) + decided.missing
    of = "exemple" if run.example else "execution"
    return ExportedFile(f"decisions-{of}-{run.pk}-{len(decided.lines)}-sur-{total}.{kind}", content_type, content)


def csv_bytes(decided: DecidedList) -> bytes:
    """UTF-8 with BOM, «;», decimal comma: opens as it is in a French spreadsheet. Formulas are disarmed."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([_csv_cell(cell) for cell in line] for line in decided.lines)
    return text.getvalue().encode("utf-8-sig")


def ods_bytes(decided: DecidedList) -> bytes:
    """OpenDocument: numbers as numbers, dates as dates, text as text (never a formula); a second sheet says what the list is."""
    file = io.BytesIO()
    with odswriter.writer(file) as book:
        sheet = book.new_sheet("Décisions")
        sheet.writerow(COLUMNS)
        sheet.writerows([_ods_cell(cell) for cell in line] for line in decided.lines)
        about = book.new_sheet("À propos")
        about.writerows([_xml(name), _xml(value)] for name, value in about_rows(decided))
    return file.getvalue()


def about_rows(decided: DecidedList) -> Sequence[tuple[str, str]]:
    """What the list is, for a reader who holds only the file."""
    return (
        ("Relevé de décisions", decided.title),
        ("Collectivité", decided.organisation),
        ("Exécution", str(decided.run)),
        ("État", decided.completeness),
        ("Édité le", decided.made_at.strftime("%d/%m/%Y à %H:%M")),
        ("Édité par", decided.made_by),
        *(("À vérifier", warning) for warning in decided.warnings),
        ("Journal, dernière entrée", str(decided.sequence)),
        ("Journal, empreinte", decided.head),
    )


def _line(proposal: Proposal, decision: Decision, zone: ZoneInfo, warning: str) -> tuple[Cell, ...]:
    return (
        proposal.rank,
        proposal.subject,
        _action(proposal),
        proposal.sentence,
        proposal.value,
        proposal.low,
        proposal.high,
        proposal.reference,
        decision.get_verdict_display(),
        decision.value,
        proposal.unit,
        decision.reason,
        warning,
        decision.person.name,
        decision.person_title,
        decision.decided_at.astimezone(zone).replace(tzinfo=None, microsecond=0),
    )


def _action(proposal: Proposal) -> str:
    """The action, with its day or its period: seven lines of one place in a week must not read the same."""
    said = when(proposal)
    return f"{proposal.action}, {said.replace(NBSP, ' ')}" if said else proposal.action


def _csv_cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(cell, (int, float)):
        return _digits(cell).replace(".", ",")
    return safe_cell(cell)


def _digits(number: float) -> str:
    """Every digit, without an exponent: « 1e+16 » is no number to a French spreadsheet."""
    text = repr(number)
    return text if "e" not in text else f"{number:.15f}".rstrip("0").rstrip(".")


def _ods_cell(cell: Cell) -> object:
    return _xml(cell) if isinstance(cell, str) else cell


def _xml(text: str) -> str:
    return _NOT_IN_XML.sub("", text)


def _pdf(decided: DecidedList) -> bytes:
    # Imported on demand: half a second that no other page should pay.
    from bocage.decisions.pdf import pdf_bytes

    return pdf_bytes(decided)


WRITERS: dict[str, tuple[str, Callable[[DecidedList], bytes]]] = {
    "csv": ("text/csv; charset=utf-8", csv_bytes),
    "ods": ("application/vnd.oasis.opendocument.spreadsheet", ods_bytes),
    "pdf": ("application/pdf", _pdf),
}
