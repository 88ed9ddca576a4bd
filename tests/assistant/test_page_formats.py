"""Prices stay with what they price, labels with their text, and a page for agents is never shown to citizens, whatever its format."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.pdfgen.canvas import Canvas

from bocage.assistant.documents import Audience, Document
from bocage.assistant.sources import audiences_said, read_source
from bocage.assistant.sources.docx import read_docx
from bocage.assistant.sources.markdown import read_markdown
from bocage.assistant.sources.pdf import read_pdf
from bocage.contract.errors import UnreadableFile
from tests.assistant.test_pages import W, docx, par, write

OPEN = {Audience.CITIZENS, Audience.COUNTER}
Printed = tuple[str, int, bool]
"""A line of a PDF: its words (cells apart by tabs), its size, whether it is bold."""


def text(words: str) -> Printed:
    return words, 10, False


def large(words: str) -> Printed:
    return words, 16, False


def bold(words: str) -> Printed:
    return words, 10, True


def printed(path: Path, *pages: list[Printed], keywords: str = "") -> Path:
    canvas = Canvas(str(path))
    canvas.setKeywords(keywords)
    for lines in pages:
        for rank, (words, size, heavy) in enumerate(lines):
            canvas.setFont("Helvetica-Bold" if heavy else "Helvetica", size)
            for column, cell in enumerate(words.split("\t")):
                canvas.drawString(60 + 150 * column, 780 - 18 * rank, cell)
        canvas.showPage()
    canvas.save()
    return path


def texts(document: Document) -> list[str]:
    return [passage.text for passage in document.passages]


def test_prices_at_the_foot_of_every_page_stay_in_the_row_of_what_they_price(tmp_path: Path):
    pages = [
        [large("Tarifs des services municipaux"), bold("Bibliothèque"), text("Public\tCarte"), text("Adulte\t12 €"), text("Enfant\t4 €")],
        [bold("Camping"), text("Objet\tPrix"), text("Tente\t9 €"), text("Voiture\t3 €")],
        [bold("Cimetière"), text("Durée\tPrix"), text("15 ans\t150 €"), text("30 ans\t290 €")],
    ]
    found = read_pdf(printed(tmp_path / "tarifs.pdf", *pages))
    assert found.title == "Tarifs des services municipaux"
    assert [(p.path, p.text) for p in found.passages] == [
        (("Bibliothèque", "Page 1"), "Public ; Carte\nAdulte ; 12 €\nEnfant ; 4 €"),
        (("Camping", "Page 2"), "Objet ; Prix\nTente ; 9 €\nVoiture ; 3 €"),
        (("Cimetière", "Page 3"), "Durée ; Prix\n15 ans ; 150 €\n30 ans ; 290 €"),
    ]


def test_a_bare_amount_alone_on_its_line_is_never_taken_for_a_footer(tmp_path: Path):
    pages = [[text(f"Le forfait de la saison {n} coûte, pour toute la famille et sans réserver :"), text(f"{n}8 €")] for n in (1, 2, 3)]
    found = " ".join(texts(read_pdf(printed(tmp_path / "forfaits.pdf", *pages))))
    assert all(f"{n}8 €" in found for n in (1, 2, 3))


@settings(max_examples=30, deadline=None)
@given(
    prices=st.lists(st.lists(st.integers(1, 999), min_size=1, max_size=4), min_size=1, max_size=5),
    unit=st.sampled_from(["€", "€ par jour", ""]),
)
def test_every_price_of_every_page_is_in_a_passage_with_its_label(
    tmp_path_factory: pytest.TempPathFactory, prices: list[list[int]], unit: str
):
    pages = [
        [text("Emplacement\tPrix"), *(text(f"Place {n} numéro {at}\t{p} {unit}") for at, p in enumerate(row))]
        for n, row in enumerate(prices)
    ]
    found = " \n ".join(texts(read_pdf(printed(tmp_path_factory.mktemp("p") / "droits.pdf", *pages))))
    assert all(f"Place {n} numéro {at} ; {p} {unit}".strip() in found for n, row in enumerate(prices) for at, p in enumerate(row))


def test_a_long_table_says_its_header_again(tmp_path: Path):
    rows = [text(f"Emplacement {n}\t{n} €") for n in range(1, 31)]
    found = texts(read_pdf(printed(tmp_path / "marche.pdf", [text("Place\tPrix par jour"), *rows])))
    assert len(found) == 3 and all(passage.startswith("Place ; Prix par jour\n") for passage in found)


def test_a_two_page_file_loses_its_running_header_and_keeps_what_only_looks_alike(tmp_path: Path):
    pages = [
        [
            text("Ville de Rochefeuille – guide"),
            text(f"Page {n} – 3 place du Marché"),
            text(body),
            text(f"Renseignements : 02 61 91 40 {n}0"),
        ]
        for n, body in ((1, "La crèche accueille les enfants dès dix semaines."), (2, "La ludothèque prête trois jeux à la fois."))
    ]
    found = texts(read_pdf(printed(tmp_path / "guide.pdf", *pages)))
    assert not any("Rochefeuille" in passage or "place du Marché" in passage for passage in found)
    assert [p for p in found if "Renseignements" in p] == ["Renseignements : 02 61 91 40 10", "Renseignements : 02 61 91 40 20"]


def test_a_sentence_or_a_label_that_both_pages_end_with_is_kept(tmp_path: Path):
    end = [text("Pièces à fournir pour toute demande :"), text("Gratuit pour les enfants de moins de trois ans.")]
    found = texts(read_pdf(printed(tmp_path / "deux.pdf", [text("Le bassin ouvre en mai, le solarium aussi."), *end], [*end])))
    assert any("Pièces à fournir" in passage and "moins de trois ans" in passage for passage in found)


def test_the_title_of_the_first_page_survives_the_header_that_repeats_it(tmp_path: Path):
    header = text("Règlement du marché de plein air")
    page = text("Les étals ferment à la sonnerie de treize heures, été comme hiver.")
    found = read_pdf(printed(tmp_path / "marche.pdf", [large("Règlement du marché de plein air"), page], [header, page], [header, page]))
    assert found.title == "Règlement du marché de plein air"
    assert set(texts(found)) == {page[0]}


def test_headings_of_a_pdf_hold_until_the_next_one_over_pages_too(tmp_path: Path):
    first = [large("Passeport"), bold("Retirer le titre"), text("Sans rendez-vous, du mardi au vendredi, au guichet de la mairie.")]
    found = read_pdf(printed(tmp_path / "passeport.pdf", first, [text("Le titre est détruit après trois mois passés au guichet.")]))
    assert [p.path for p in found.passages] == [("Retirer le titre", "Page 1"), ("Retirer le titre", "Page 2")]


def test_a_label_in_plain_letters_is_cited_with_its_text(tmp_path: Path):
    lines = ["Sans rendez-vous", "Du mardi au vendredi, de 9 h à 12 h.", "Uniquement sur rendez-vous", "Le samedi matin."]
    found = texts(read_pdf(printed(tmp_path / "retrait.pdf", [text(line) for line in lines])))
    assert found == ["Sans rendez-vous\nDu mardi au vendredi, de 9 h à 12 h.", "Uniquement sur rendez-vous\nLe samedi matin."]


def test_a_heading_above_nothing_is_itself_a_passage(tmp_path: Path):
    market = text("Les étals ouvrent à la même heure que tous les autres vendredis de l’année.")
    found = read_pdf(printed(tmp_path / "a.pdf", [large("Avis"), bold("Mairie close le premier mai"), bold("Marché maintenu"), market]))
    assert [(p.path, p.text) for p in found.passages] == [
        (("Mairie close le premier mai",), "Mairie close le premier mai"),
        (("Marché maintenu",), market[0]),
    ]


def test_words_in_bold_within_a_sentence_make_no_heading(tmp_path: Path):
    lines = [
        text("Le dossier se dépose au guichet, jamais par courrier, et"),
        bold("Seulement avant le premier juin"),
        text("de chaque année."),
    ]
    found = read_pdf(printed(tmp_path / "a.pdf", [text("Une phrase qui précède, écrite en lettres ordinaires et assez longue."), *lines]))
    assert all(p.path == () for p in found.passages) and any("premier juin de chaque année" in passage for passage in texts(found))


def test_a_pdf_that_does_not_tell_where_its_text_stands_is_read_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = printed(tmp_path / "a.pdf", [text("x")])
    monkeypatch.setattr(pypdf.PageObject, "extract_text", lambda *a, **k: "Badge\n10 €\nLa borne rend la monnaie.")
    assert texts(read_pdf(path)) == ["Badge 10 €\nLa borne rend la monnaie."]


TARIFF = [("Tranche", "Habitants", "Extérieurs"), ("A", "1,20 €", "4,80 €"), ("B", "2,40 €", "5,60 €")]
AS_ROWS = ["Tranche : A\nHabitants : 1,20 €\nExtérieurs : 4,80 €", "Tranche : B\nHabitants : 2,40 €\nExtérieurs : 5,60 €"]


@pytest.mark.parametrize("edge, under", [("", "--- | :-: | --:"), ("| ", "| --- | :-: | --:"), ("", "-|-|-")])
def test_a_markdown_table_is_one_with_or_without_its_outer_pipes(tmp_path: Path, edge: str, under: str):
    lines = [edge + " | ".join(row) for row in TARIFF]
    page = write(tmp_path / "cantine.md", "\n".join(["# Cantine", "", "Le repas :", lines[0], under, *lines[1:], ""]))
    assert texts(read_markdown(page)) == [f"Le repas :\n{row}" for row in AS_ROWS]


def test_a_line_with_a_pipe_and_no_dashes_under_it_is_text(tmp_path: Path):
    page = write(tmp_path / "p.md", "Mairie | annexe\nouvertes le lundi\n\nAccueil | standard\n---\nRépond le matin.")
    assert texts(read_markdown(page)) == ["Mairie | annexe ouvertes le lundi", "Accueil | standard", "Répond le matin."]


@pytest.mark.parametrize(
    "table, read",
    [
        ("|| Habitants | Autres |\n|-|-|-|\n| Carnot | 180 € | 320 € |", ["Carnot\nHabitants : 180 €\nAutres : 320 €"]),
        (
            "Salle | Prix | Caution\n-|-|-\nCarnot || 300 €\nVerdun | 90 €",
            ["Salle : Carnot\nCaution : 300 €", "Salle : Verdun\nPrix : 90 €"],
        ),
        ("Prix \\| jour | Prix\n---|---\n3 \\| 4 € | 5 €", ["Prix | jour : 3 | 4 €\nPrix : 5 €"]),
        (
            "Jour | Heures\n--|--\nSamedi | 9 h\n- | -\nLe parc ferme à la nuit.",
            ["Jour : Samedi\nHeures : 9 h", "Jour : -\nHeures : -", "Le parc ferme à la nuit."],
        ),
    ],
)
def test_cells_of_a_markdown_table_stay_under_their_own_header(tmp_path: Path, table: str, read: list[str]):
    assert texts(read_markdown(write(tmp_path / "t.md", table))) == read


def test_a_markdown_row_too_wide_for_its_header_names_no_cell(tmp_path: Path):
    found = texts(read_markdown(write(tmp_path / "t.md", "Salle | Prix\n--|--\nCarnot | 180 € | 390 €")))
    assert len(found) == 1 and "390 €" in found[0] and "Prix : 180 €" not in found[0]


WORD = (
    st.text(st.sampled_from("abcé €|\\"), min_size=1, max_size=6)
    .map(str.strip)
    .filter(lambda w: w and not w.endswith("\\") and "\\|" not in w)
)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(WORD, WORD), min_size=1, max_size=4))
def test_outer_pipes_change_nothing_to_a_markdown_table(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]):
    lines = ["Objet | Prix", "--- | ---", *(" | ".join(cell.replace("|", "\\|") for cell in row) for row in rows)]
    folder = tmp_path_factory.mktemp("m")
    bare = read_markdown(write(folder / "a.md", "\n".join(lines)))
    piped = read_markdown(write(folder / "b.md", "\n".join(f"| {line} |" for line in lines)))
    assert bare.passages == piped.passages


@pytest.mark.timeout(20)
@pytest.mark.parametrize("line, columns", [("- a", 2), ("a | b", 2), ("  a", 2), ("|", 2), ("|a", 3_000)])
def test_a_markdown_page_of_very_many_lines_is_read_in_time(tmp_path: Path, line: str, columns: int):
    header = " | ".join(["prix"] * columns) + "\n" + " | ".join(["---"] * columns)
    page = f"- début\n{header}\n{line}\n" + f"{line}\n" * 30_000
    assert read_markdown(write(tmp_path / "longue.md", page)).passages


def cell(words: str, more: str = "", heavy: bool = False) -> str:
    run = f"<w:r><w:rPr>{'<w:b/>' if heavy else ''}</w:rPr><w:t>{words}</w:t></w:r>" if words else ""
    return f"<w:tc><w:tcPr>{more}</w:tcPr><w:p>{run}</w:p></w:tc>"


def table(*rows: list[str], header: int = 0) -> str:
    marks = ["<w:trPr><w:tblHeader/></w:trPr>" if at < header else "" for at in range(len(rows))]
    return "<w:tbl>" + "".join(f"<w:tr>{mark}{''.join(row)}</w:tr>" for mark, row in zip(marks, rows, strict=True)) + "</w:tbl>"


TWO = '<w:gridSpan w:val="2"/>'
FROM, ON = '<w:vMerge w:val="restart"/>', "<w:vMerge/>"


@pytest.mark.parametrize("header", [0, 2])
def test_prices_of_a_docx_stand_under_their_own_merged_headers(tmp_path: Path, header: int):
    body = table(
        [cell("Salle", FROM), cell("Habitants", TWO), cell("Extérieurs", TWO)],
        [cell("", ON), cell("Journée"), cell("Week-end"), cell("Journée"), cell("Week-end")],
        [cell("Jaurès"), cell("150 €"), cell("310 €"), cell("280 €"), cell("540 €")],
        header=header,
    )
    assert texts(read_docx(docx(tmp_path / "salles.docx", body))) == [
        "Salle : Jaurès\nHabitants, Journée : 150 €\nHabitants, Week-end : 310 €\nExtérieurs, Journée : 280 €\nExtérieurs, Week-end : 540 €"
    ]


def test_a_cell_merged_downwards_in_a_docx_is_said_on_each_of_its_rows(tmp_path: Path):
    body = table(
        [cell("Activité"), cell("Public"), cell("Prix")],
        [cell("Judo", FROM), cell("Enfant"), cell("95 €")],
        [cell("", ON), cell("Adulte"), cell("150 €")],
    )
    found = texts(read_docx(docx(tmp_path / "sports.docx", body)))
    assert found == ["Activité : Judo\nPublic : Enfant\nPrix : 95 €", "Activité : Judo\nPublic : Adulte\nPrix : 150 €"]


@pytest.mark.parametrize("heavy", [False, True])
def test_a_docx_table_of_days_has_no_header(tmp_path: Path, heavy: bool):
    rows = [
        [cell(day, heavy=heavy), cell(hours)] for day, hours in (("Lundi", "fermé"), ("Mardi", "9 h - 12 h"), ("Mercredi", "14 h - 17 h"))
    ]
    found = texts(read_docx(docx(tmp_path / "horaires.docx", table(*rows))))
    assert found == ["Lundi : fermé", "Mardi : 9 h - 12 h", "Mercredi : 14 h - 17 h"]


def test_a_total_in_bold_names_no_price_below_it(tmp_path: Path):
    rows = [("Poste", "Montant", False), ("Location", "200 €", False), ("Total", "260 €", True), ("Caution", "500 €", False)]
    found = texts(read_docx(docx(tmp_path / "devis.docx", table(*([cell(a, heavy=b), cell(p, heavy=b)] for a, p, b in rows)))))
    assert found == ["Poste : Location\nMontant : 200 €", "Poste : Total\nMontant : 260 €", "Poste : Caution\nMontant : 500 €"]


def test_rows_of_a_docx_inside_content_controls_are_read(tmp_path: Path):
    wrapped = f"<w:sdt><w:sdtContent><w:tr>{cell('Badge')}{cell('8 €')}</w:tr></w:sdtContent></w:sdt>"
    body = table([cell("Objet"), cell("Prix")], header=1).replace("</w:tbl>", f"{wrapped}</w:tbl>")
    assert texts(read_docx(docx(tmp_path / "b.docx", body))) == ["Objet : Badge\nPrix : 8 €"]


def note(path: Path, keywords: str = "") -> Path:
    """A note in the format that ``path`` names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    said = "La prime de fin d’année est versée en novembre."
    if path.suffix == ".pdf":
        return printed(path, [text(said)], keywords=keywords)
    if path.suffix == ".docx":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("word/document.xml", f"<w:document {W}><w:body>{par(said)}</w:body></w:document>")
            core = f'<cp:coreProperties xmlns:cp="c"><cp:keywords>{keywords}</cp:keywords></cp:coreProperties>'
            archive.writestr("docProps/core.xml", core)
        return path
    return write(path, f"<main><p>{said}</p></main>" if path.suffix == ".html" else said)


@pytest.mark.parametrize("suffix", [".md", ".html", ".docx", ".pdf"])
@pytest.mark.parametrize(
    "folder, public",
    [
        ("rh", {Audience.STAFF}),
        ("RH/2026/primes", {Audience.STAFF}),
        ("services/rh", {Audience.STAFF}),
        ("Accueil", {Audience.COUNTER}),
        ("rh/accueil", {Audience.STAFF}),
        ("citoyens/rh", OPEN),
        ("rhododendrons", OPEN),
        ("", OPEN),
    ],
)
def test_the_folder_of_a_page_says_for_whom_it_is_in_every_format(tmp_path: Path, folder: str, public: set[Audience], suffix: str):
    note(tmp_path / "pages" / folder / f"note{suffix}")
    (found,) = read_source("pages", tmp_path / "pages").documents
    assert found.audiences == public


def test_a_folder_above_the_pages_says_nothing_of_them(tmp_path: Path):
    note(tmp_path / "rh" / "pages" / "note.md")
    (found,) = read_source("pages", tmp_path / "rh" / "pages").documents
    assert found.audiences == OPEN


def test_what_a_page_says_of_its_public_wins_over_its_folder(tmp_path: Path):
    page = write(tmp_path / "rh" / "concours.md", '+++\npublic = ["citoyens"]\n+++\nLe concours ouvre en mars.')
    assert read_markdown(page, tmp_path).audiences == {Audience.CITIZENS}


@pytest.mark.parametrize("suffix", [".docx", ".pdf"])
@pytest.mark.parametrize(
    "keywords, public",
    [
        ("public : rh", {Audience.STAFF}),
        ("primes ; Public: RH, carrière", {Audience.STAFF}),
        ("public : rh ; public : accueil", {Audience.STAFF, Audience.COUNTER}),
        ("grand public : tous, primes", OPEN),
        ("rh", OPEN),
    ],
)
def test_the_keywords_of_an_office_file_may_name_its_public(tmp_path: Path, suffix: str, keywords: str, public: set[Audience]):
    note(tmp_path / f"note{suffix}", keywords)
    (found,) = read_source("pages", tmp_path).documents
    assert found.audiences == public


def test_a_public_that_nobody_knows_keeps_the_file_out_and_says_what_was_expected(tmp_path: Path):
    with pytest.raises(UnreadableFile, match=r"agents.*citoyens, accueil, rh"):
        read_docx(note(tmp_path / "note.docx", "public : agents"))


def test_an_import_can_say_how_many_pages_go_to_whom(tmp_path: Path):
    for place in ("a.md", "b.md", "accueil/c.pdf", "rh/d.docx", "rh/e.html"):
        note(tmp_path / place)
    said = audiences_said(read_source("pages", tmp_path).documents)
    assert said == "2 pages pour les citoyens, 3 pour les agents d’accueil, 2 pour les agents (ressources humaines)."
    assert audiences_said([]) == ""
