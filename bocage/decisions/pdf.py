"""« Relevé de décisions »: the decided list as a printable record, with who made it and where the journal stood."""

from __future__ import annotations

import io
import unicodedata
from datetime import datetime
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

from bocage.contract.french import NBSP, day, hour
from bocage.decisions.exports import COLUMNS, Cell, DecidedList

_TITLE = ParagraphStyle("title", fontName="Helvetica-Bold", fontSize=17, leading=21, spaceAfter=4)
_TEXT = ParagraphStyle("text", fontName="Helvetica", fontSize=9.5, leading=13)
_CELL = ParagraphStyle("cell", fontName="Helvetica", fontSize=7.5, leading=9.5, wordWrap="LTR", splitLongWords=1)
_RIGHT = ParagraphStyle("right", parent=_CELL, alignment=2)
_HEAD = ParagraphStyle("head", parent=_CELL, fontName="Helvetica-Bold")
_HEAD_RIGHT = ParagraphStyle("head-right", parent=_HEAD, alignment=2)
# One column for the action and its sentence, one for the interval, one for the person and their function: sixteen do not fit a page that
# is read. What is to be checked stands above the table.
_WIDTHS_MM = (9, 32, 56, 18, 27, 19, 17, 18, 18, 32, 31)
_NUMBERS = frozenset({0, 3, 4, 5, 7})
_MARGIN = 10 * mm
# Helvetica's encoding (WinAnsi) has no narrow space, no true minus and no subscript.
_REPLACED = str.maketrans({"\u202f": NBSP, "\u2009": NBSP, "\u2212": "-", "\u2011": "-", "\u2010": "-", "\u2192": ">", "\t": " "})


def pdf_bytes(decided: DecidedList) -> bytes:
    """A PDF in landscape A4: title, completeness, the table with its head on every page, then the journal's head hash."""
    file = io.BytesIO()
    title = f"Relevé de décisions : {decided.title}"
    document = SimpleDocTemplate(
        file,
        pagesize=landscape(A4),
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=14 * mm,
        bottomMargin=16 * mm,
        title=printable(title),
        author=printable(decided.made_by),
        subject=printable(f"{decided.organisation}, exécution {decided.run}"),
        creator="Bocage",
        lang="fr-FR",
    )
    made = f"Édité par {decided.made_by}, {day(decided.made_at, weekday=True, year=True)} à {hour(decided.made_at)}."
    proof = (
        f"Journal : entrée {decided.sequence}, empreinte {decided.head}. Elle couvre toutes les entrées d’avant, dont celle de "
        "chacune de ces décisions ; la vérification du journal les compare."
    )
    story = [
        _paragraph(title, _TITLE),
        _paragraph(f"{decided.organisation}, exécution {decided.run}. {decided.completeness}", _TEXT),
        _paragraph(made, _TEXT),
        *(_paragraph(f"À vérifier : {warning}", _TEXT) for warning in decided.warnings),
        Spacer(1, 5 * mm),
        _table(decided),
        Spacer(1, 5 * mm),
        _paragraph(proof, _CELL),
    ]
    foot = printable(f"{decided.organisation} · relevé de décisions · exécution {decided.run}")
    document.build(story, onFirstPage=_footer(foot), onLaterPages=_footer(foot))
    return file.getvalue()


def printable(text: str) -> str:
    """``text`` with only what Helvetica can draw: what it cannot is shown as its base letter, or as « ? »."""
    plain = text.translate(_REPLACED)
    return "".join(_drawn(character) for character in plain if character == "\n" or unicodedata.category(character)[0] != "C")


def _drawn(character: str) -> str:
    try:
        character.encode("cp1252")
    except UnicodeEncodeError:
        base = unicodedata.normalize("NFKD", character).encode("cp1252", "ignore").decode("cp1252")
        return base or ("" if unicodedata.combining(character) else "?")
    return character


def _table(decided: DecidedList) -> LongTable:
    heads = (*COLUMNS[:3], COLUMNS[4], "intervalle", *COLUMNS[7:12], "décidé par")
    rows = [[_paragraph(name, _HEAD_RIGHT if i in _NUMBERS else _HEAD) for i, name in enumerate(heads)]]
    rows += [_row(line) for line in decided.lines]
    style = TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 4),
            ("RIGHTPADDING", (0, 0), (-1, -1), 4),
            ("TOPPADDING", (0, 0), (-1, -1), 2.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
            ("LINEBELOW", (0, 0), (-1, 0), 0.8, colors.black),
            ("LINEBELOW", (0, 1), (-1, -1), 0.25, colors.Color(0.7, 0.7, 0.66)),
        ]
    )
    # A reason may be longer than a page: rows split rather than overflow.
    return LongTable(rows, colWidths=[w * mm for w in _WIDTHS_MM], repeatRows=1, splitInRow=1, style=style)


def _row(line: tuple[Cell, ...]) -> list[Paragraph]:
    rank, subject, action, sentence, value, low, high, usual, verdict, kept, unit, reason, _, person, title, when = line
    interval = f"{_shown(low)} à {_shown(high)}" if low is not None and high is not None else ""
    at = f"{when:%d/%m/%Y} à {hour(when)}" if isinstance(when, datetime) else ""
    who = "\n".join(part for part in (str(person), str(title or ""), at) if part)
    cells = (rank, subject, f"{action}\n{sentence}", value, interval, usual, verdict, kept, unit, reason, who)
    return [_paragraph(_shown(cell), _RIGHT if i in _NUMBERS else _CELL) for i, cell in enumerate(cells)]


def _shown(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, (int, float)):
        return french_number(cell)
    return str(cell)


def french_number(value: float) -> str:
    """Every digit that was proposed or decided, up to three decimals, French spaces and comma."""
    text = f"{value:,.3f}".rstrip("0").rstrip(".")
    return text.replace(",", NBSP).replace(".", ",")


def _paragraph(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(printable(text)).replace("\n", "<br/>"), style)


def _footer(text: str) -> object:
    def draw(canvas: Canvas, document: SimpleDocTemplate) -> None:
        canvas.saveState()
        canvas.setFont("Helvetica", 8)
        canvas.drawString(_MARGIN, 9 * mm, text)
        canvas.drawRightString(landscape(A4)[0] - _MARGIN, 9 * mm, f"page {document.page}")
        canvas.restoreState()

    return draw
