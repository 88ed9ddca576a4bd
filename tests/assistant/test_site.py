"""Pages as sites and offices give them: under their own title, without the site’s name, trail, banner or footer, and nothing lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas

from bocage.assistant.documents import Document
from bocage.assistant.sources import read_source
from tests.assistant.test_pages import docx

SUBJECTS = {
    "eau": ("La régie de l’eau", "Le mètre cube coûte 2,14 €."),
    "bois": ("L’affouage", "Le stère coûte 6 €."),
    "ecole": ("L’école", "La classe finit à 16 h 30."),
    "fete": ("La salle des fêtes", "La salle coûte 90 €."),
    "peche": ("L’étang", "La carte coûte 7 € par jour."),
    "index": ("Accueil", "Bienvenue à Brenoux."),
}
FOOT = "<p>1 place du Puits<br>Tél. : 02 61 91 40 20</p><p>Site réalisé par Untel © 2026</p>"


def read(folder: Path) -> dict[str, Document]:
    return {page.id: page for page in read_source("pages", folder).documents}


def said(page: Document) -> list[str]:
    return [passage.text for passage in page.passages]


def site(folder: Path, **pages: tuple[str, str]) -> dict[str, Document]:
    """Pages of a site without ``<main>``, whose only « h1 » is the name of the town."""
    for name, (title, text) in pages.items():
        (folder / f"{name}.html").write_text(
            f"<html><head><title>Accueil - Brenoux</title></head><body><div id='haut'><h1>Brenoux</h1></div>"
            f"<div class='ou'>Accueil &gt; Vie pratique &gt; {title}</div><div id='texte'><h2>{title}</h2>"
            f"<p>mercredi 12 août 2026, par Secrétariat</p><p>{text}</p><h3>Renseignements</h3><p>Demandez {name} en mairie.</p></div>"
            f"<div id='bas'>{FOOT}</div></body></html>",
            "utf-8",
        )
    return read(folder)


def test_a_page_that_bears_the_name_of_the_site_takes_its_first_heading_for_title(tmp_path: Path):
    pages = site(tmp_path, **SUBJECTS)
    assert {name: page.title for name, page in pages.items()} == {name: title for name, (title, _) in SUBJECTS.items()}
    assert [p.path for p in pages["eau"].passages] == [(), ("Renseignements",)]
    assert pages["eau"].updated_on is not None and pages["eau"].updated_on.isoformat() == "2026-08-12"


def test_trail_and_footer_answer_nothing_and_the_town_halls_number_stays_on_the_home_page(tmp_path: Path):
    pages = site(tmp_path, **SUBJECTS)
    assert said(pages["eau"]) == ["Le mètre cube coûte 2,14 €.", "Demandez eau en mairie."]
    assert "02 61 91 40 20" in " ".join(said(pages["index"]))


def test_pages_of_one_series_keep_their_common_title(tmp_path: Path):
    for n in range(6):
        (tmp_path / f"seance-{n}.md").write_text(f"# Conseil municipal\n\n## Ordre du jour\n\nPoint {n}.\n\n## Votes\n\nVote {n}.", "utf-8")
    assert {page.title for page in read(tmp_path).values()} == {"Conseil municipal"}


def test_a_number_under_most_pages_that_is_no_footer_stays_under_each(tmp_path: Path):
    for name, (title, text) in SUBJECTS.items():
        (tmp_path / f"{name}.md").write_text(f"# {title}\n\n{text}\n\nRenseignements : 02 61 91 40 20", "utf-8")
    assert all(said(page)[-1] == "Renseignements : 02 61 91 40 20" for page in read(tmp_path).values())


def test_sharing_and_other_articles_within_the_content_are_left_out(tmp_path: Path):
    body = (
        "<main><article><h1>Brocante</h1><p>L’emplacement coûte 2 € le mètre, à régler au comité des fêtes.</p>"
        "<h2>Partager</h2><ul><li>Facebook</li><li>Twitter</li></ul>"
        "<div class='jp-relatedposts'><h3>Articles similaires</h3><p>Vœux du maire</p></div></article></main>"
    )
    (tmp_path / "brocante.html").write_text(f"<html><body>{body}</body></html>", "utf-8")
    assert said(read(tmp_path)["brocante"]) == ["L’emplacement coûte 2 € le mètre, à régler au comité des fêtes."]


def test_a_footer_named_in_french_is_left_out(tmp_path: Path):
    body = "<h1>Eau</h1><p>Le mètre cube coûte 2,14 €, abonnement non compris.</p><div id='pied_de_page'><p>Place du Puits</p></div>"
    (tmp_path / "eau.html").write_text(f"<html><body>{body}</body></html>", "utf-8")
    assert said(read(tmp_path)["eau"]) == ["Le mètre cube coûte 2,14 €, abonnement non compris."]


def run(text: str, bold: bool = False) -> str:
    return f"<w:p><w:r>{'<w:rPr><w:b/></w:rPr>' if bold else ''}<w:t>{text}</w:t></w:r></w:p>"


def test_a_docx_without_styles_has_its_bold_lines_for_title_and_headings(tmp_path: Path):
    body = [run("Signaler un trou", True), run("Écrivez à la voirie."), run("Occuper la rue", True), run("La benne coûte 8 € par jour.")]
    page = read_docx_page(tmp_path, body)
    assert page.title == "Signaler un trou"
    assert [(p.path, p.text) for p in page.passages] == [
        ((), "Écrivez à la voirie."),
        (("Occuper la rue",), "La benne coûte 8 € par jour."),
    ]


@pytest.mark.parametrize("bold", ["Tarif : 12 €", "Fermé le lundi.", "Appelez le 02 61 91 40 20", "Fermé le lundi"])
def test_what_a_docx_says_in_bold_is_never_lost(tmp_path: Path, bold: str):
    page = read_docx_page(tmp_path, [run("La piscine", True), run("Le bonnet est obligatoire."), run(bold, True)])
    assert said(page) == ["Le bonnet est obligatoire.", bold]


def read_docx_page(folder: Path, body: list[str]) -> Document:
    docx(folder / "page.docx", "".join(body))
    return read(folder)["page"]


def test_a_footer_written_first_in_a_pdf_of_one_page_is_no_row_of_its_table(tmp_path: Path):
    for name, price in (("eau", "2,14 €"), ("bois", "6 €"), ("peche", "7 €")):
        canvas = Canvas(str(tmp_path / f"{name}.pdf"))
        canvas.setFont("Helvetica", 8)
        canvas.drawString(60, 25, "1 place du Puits – 02 61 91 40 20 – www.brenoux.example")
        canvas.setFont("Helvetica-Bold", 18)
        canvas.drawString(60, 780, f"Le tarif : {name}")
        canvas.setFont("Helvetica", 10)
        for n, row in enumerate([("Durée", "Prix"), ("Un jour", price), ("Un an", "45 €")]):
            for cell, x in zip(row, (60, 300), strict=True):
                canvas.drawString(x, 740 - 20 * n, cell)
        canvas.save()
    assert said(read(tmp_path)["eau"])[0] == "Durée ; Prix\nUn jour ; 2,14 €\nUn an ; 45 €"
    assert [page.id for page in read(tmp_path).values() if "place du Puits" in " ".join(said(page))] == ["bois"], "kept once"
