"""The decided list is what leaves the system: only what a person decided, whole, in three formats that open where people work."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from datetime import datetime
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth

from bocage.contract.outcome import Recommendation
from bocage.decisions.decide import decide
from bocage.decisions.exports import (
    COLUMNS,
    DecidedList,
    NothingDecided,
    UnknownFormat,
    csv_bytes,
    decided_list,
    export_decisions,
    ods_bytes,
)
from bocage.decisions.models import Proposal
from bocage.decisions.pdf import _WIDTHS_MM, french_number, pdf_bytes, printable
from bocage.decisions.totals import totals_among
from bocage.journal.models import Entry, Head
from tests.decisions.lists import finished_run, first_of, person

REASON = "Vidange du réservoir « haut » ; demain matin."
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"


@pytest.fixture
def nadia(in_brenoux):
    return person("Nadia Le Goff", "decideur", title="cheffe du service Eau")


@pytest.fixture
def run(nadia):
    run = finished_run()
    one, two, _ = run.proposals.order_by("rank")
    decide(one, nadia, "modifiee", 1200.25, REASON)
    decide(two, nadia, "acceptee")
    return run


def read_csv(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf"), "a French spreadsheet needs the mark to read accents"
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


def test_the_csv_holds_the_decided_lines_only_with_decimal_commas(nadia, run):
    head, first, second = read_csv(export_decisions(run, nadia, "csv").content)
    assert tuple(head) == COLUMNS
    assert first[:10] == [
        "1",
        "Saint-Aubin",
        "prévoir, samedi 21 novembre 2026",
        "Prévoir 1240.5 pour Saint-Aubin.",
        "1240,5",
        "1150,0",
        "1340,0",
        "1085,0",
        "Modifiée",
        "1200,25",
    ]
    assert first[10:15] == ["m³", REASON, "", "Nadia Le Goff", "cheffe du service Eau"]
    assert (second[0], second[8], second[9]) == ("2", "Acceptée", "1241,5")


def test_the_hour_is_that_of_the_organisation(in_brenoux, nadia, run):
    in_brenoux.time_zone = "Indian/Reunion"
    in_brenoux.save()
    there = decided_list(type(run).objects.get(pk=run.pk), nadia).lines[0][-1]
    utc = first_of(run).decisions.get().decided_at
    assert (there - utc.replace(tzinfo=None, microsecond=0)).total_seconds() == 4 * 3600


def test_a_replaced_decision_leaves_with_its_last_value_only(nadia, run):
    proposal = first_of(run)
    decide(proposal, nadia, "refusee", reason="Annulé.", seen=proposal.decisions.get().pk)
    lines = read_csv(csv_bytes(decided_list(run, nadia)))
    assert [line[9] for line in lines[1:]] == ["1085,0", "1241,5"]


def test_it_says_how_many_are_missing_and_the_file_s_name_too(nadia, run):
    assert decided_list(run, nadia).completeness == "2 propositions décidées sur 3. 1 proposition attend une décision et ne figure pas ici."
    assert export_decisions(run, nadia, "csv").name == f"decisions-execution-{run.pk}-2-sur-3.csv"


def test_nothing_decided_and_unknown_formats_are_said_in_a_sentence(nadia):
    with pytest.raises(NothingDecided, match="Décidez au moins une proposition"):
        export_decisions(finished_run(), nadia, "csv")
    with pytest.raises(UnknownFormat, match="csv, ods ou pdf"):
        export_decisions(finished_run(), nadia, "xlsx")


@pytest.mark.parametrize("kind", ["csv", "ods", "pdf"])
def test_each_export_is_journalled_with_the_hash_of_the_file(nadia, run, kind):
    file = export_decisions(run, nadia, kind)
    entry = Entry.objects.order_by("sequence").last()
    assert (entry.event, entry.actor) == ("decision.exportee", nadia)
    assert entry.data["sha256"] == hashlib.sha256(file.content).hexdigest()
    assert (entry.data["format"], entry.data["lignes"], entry.data["manquantes"]) == (kind, 2, 1)


def test_no_cell_is_a_formula(nadia):
    run = finished_run([Recommendation('=HYPERLINK("http://x")', "+1", value="@SUM(A1)", evidence={"reference": "-1+1"})])
    decide(first_of(run), nadia, "refusee", reason="=cmd|' /C calc'!A0")
    [_, line] = read_csv(csv_bytes(decided_list(run, nadia)))
    assert not [cell for cell in line if cell[:1] in "=@" and cell]
    assert line[1].startswith("'=") and line[11].startswith("'=")
    assert not [
        cell for row in sheet_rows(ods_bytes(decided_list(run, nadia))) for cell in row if any("formula" in key for key in cell.attrib)
    ]


def sheet_rows(content: bytes, sheet: int = 0) -> list[list[ElementTree.Element]]:
    table = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        assert book.testzip() is None
        tree = ElementTree.fromstring(book.read("content.xml"))
    return [row.findall(f"{table}table-cell") for row in tree.findall(f".//{table}table")[sheet].findall(f"{table}table-row")]


def test_the_ods_holds_numbers_as_numbers_dates_as_dates_and_says_what_it_is(nadia, run):
    content = export_decisions(run, nadia, "ods").content
    first = sheet_rows(content)[1]
    kinds = [cell.get(f"{OFFICE}value-type") for cell in first]
    assert kinds == ["float", *["string"] * 3, *["float"] * 4, "string", "float", *["string"] * 5, "date"]
    assert first[9].get(f"{OFFICE}value") == "1200.25"
    about = {"".join(row[0].itertext()): "".join(row[1].itertext()) for row in sheet_rows(content, sheet=1)}
    assert "1 proposition attend une décision" in about["État"] and len(about["Journal, empreinte"]) == 64


def test_the_pdf_says_whose_it_is_in_its_metadata_and_carries_the_journal_s_head(nadia, run):
    content = pdf_bytes(decided_list(run, nadia, "Prévoir la demande en eau"))
    assert content.startswith(b"%PDF-") and content.rstrip().endswith(b"%%EOF")
    assert b"/Lang (fr-FR)" in content and b"/Title" in content and b"/Author (Nadia Le Goff)" in content
    assert decided_list(run, nadia).head == Head.objects.get().hash


def test_a_hundred_lines_and_a_reason_longer_than_a_page_still_make_a_pdf(nadia):
    run = finished_run([Recommendation(f"Lieu {i}", "prévoir", 1.0 * i, "m³", score=-i) for i in range(100)])
    for proposal in run.proposals.order_by("rank"):
        long = "Une raison très longue. " * 83 if proposal.rank == 50 else "Trop tard."
        decide(proposal, nadia, "refusee", reason=long[:2000])
    assert pdf_bytes(decided_list(run, nadia)).count(b"/Type /Page\n") >= 5


MEALS = [
    Recommendation("2026-11-23", "commander pour toute la ville", 606.0, "repas", evidence={"jour": "2026-11-23", "reference": 590}),
    *(
        Recommendation(school, "commander pour le site", value, "repas", evidence={"jour": "2026-11-23", "reference": value - 5})
        for school, value in (("Jules Ferry 1", 256.0), ("Louise Michel", 350.0))
    ),
]


def kept_on_meals(nadia, amended: float) -> DecidedList:
    """The town’s order accepted, one school amended, the other accepted."""
    run = finished_run(MEALS)
    town, one, other = run.proposals.order_by("rank")
    for accepted in (town, other):
        decide(accepted, nadia, "acceptee")
    decide(one, nadia, "modifiee", amended, "Sortie scolaire.")
    return decided_list(run, nadia)


def test_a_total_that_its_parts_no_longer_make_is_said_on_its_line_and_at_the_head(nadia):
    decided = kept_on_meals(nadia, 296.0)
    said = "lundi 23\u00a0novembre 2026, commander pour toute la ville : 606\u00a0repas, alors que les 2 lignes dont c’était le total"
    assert [said in warning and "font 646\u00a0repas." in warning for warning in decided.warnings] == [True]
    column = COLUMNS.index("à vérifier")
    assert [line[column] for line in decided.lines] == [decided.warnings[0], "", ""]
    about = ["".join(cell.itertext()) for row in sheet_rows(ods_bytes(decided), sheet=1) for cell in row]
    assert decided.warnings[0] in about and pdf_bytes(decided).startswith(b"%PDF-")


def test_a_total_that_follows_its_parts_is_told_nothing(nadia):
    run = finished_run(MEALS)
    town, one, other = run.proposals.order_by("rank")
    decide(town, nadia, "modifiee", 646.0, "Sortie scolaire.")
    decide(one, nadia, "modifiee", 296.0, "Sortie scolaire.")
    assert decided_list(run, nadia).warnings == ()
    decide(other, nadia, "refusee", reason="Trop.")
    assert "font 641\u00a0repas" in decided_list(run, nadia).warnings[0]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 500), min_size=2, max_size=8), st.integers(-3, 3))
def test_only_an_exact_sum_is_taken_for_a_total(values, away):
    town = Proposal(
        pk=1, subject="2026-11-23", action="ville", value=float(sum(values) + away), unit="repas", evidence={"jour": "2026-11-23"}
    )
    sites = [
        Proposal(pk=i, subject=f"École {i}", action="site", value=float(value), unit="repas", evidence={"jour": "2026-11-23"})
        for i, value in enumerate(values, start=2)
    ]
    other_day = Proposal(pk=99, subject="École 2", action="site", value=1.0, unit="repas", evidence={"jour": "2026-11-24"})
    found = totals_among([town, *sites, other_day])
    assert [(total.line.pk, len(total.parts)) for total in found] == ([(1, len(values))] if away == 0 else [])


def test_a_month_is_said_in_every_line_of_the_list(nadia):
    months = [
        Recommendation("Médiathèque", "prévoir l’accueil de la période", 900.5 + i, "personnes", evidence={"periode": period})
        for i, period in enumerate(("janvier 2026", "2e trimestre 2026"))
    ]
    run = finished_run(months)
    for proposal in run.proposals.all():
        decide(proposal, nadia, "acceptee")
    actions = [line[2] for line in decided_list(run, nadia).lines]
    assert actions == ["prévoir l’accueil de la période, janvier 2026", "prévoir l’accueil de la période, 2e trimestre 2026"]
    told = [entry.data["sujet"] for entry in Entry.objects.filter(event="decision.enregistree").order_by("sequence")]
    assert told == ["Médiathèque, janvier 2026", "Médiathèque, 2e trimestre 2026"]


def test_no_usual_unit_is_cut_in_the_printed_list():
    widest = max(stringWidth(unit, "Helvetica", 7.5) for unit in ("personnes", "passages", "luminaires", "kWh/an"))
    assert _WIDTHS_MM[8] * mm - 8 > widest and sum(_WIDTHS_MM) <= 277


ANY = st.text(max_size=40)


@settings(max_examples=25, deadline=None)
@given(texts=st.lists(ANY, min_size=6, max_size=6), value=st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(), ANY))
def test_any_text_and_any_number_make_files_that_open(texts, value):
    when = datetime(2026, 11, 21, 9, 4)
    line = (1, texts[0], texts[1], texts[2], value, None, None, value, "Acceptée", value, *texts[2:], "", when)
    decided = DecidedList(1, texts[0], texts[1], (line,), 0, when, texts[2], "0" * 64, 0)
    [_, read] = read_csv(csv_bytes(decided))
    if isinstance(value, (int, float)):
        assert float(read[4].replace(",", ".")) == pytest.approx(value, rel=1e-12, abs=1e-14)
    assert len(sheet_rows(ods_bytes(decided))) == 2
    assert pdf_bytes(decided).startswith(b"%PDF-")


def test_what_helvetica_cannot_draw_is_replaced_not_lost():
    assert printable("−3,5 m³ à 1\u202f240 ≤ ŝ 漢") == "-3,5 m³ à 1\u00a0240 ? s ?"
    assert [french_number(n) for n in (1240.5, 1000, 1234567.25, -0.5)] == ["1\u00a0240,5", "1\u00a0000", "1\u00a0234\u00a0567,25", "-0,5"]
