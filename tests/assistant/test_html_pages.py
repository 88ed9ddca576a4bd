"""HTML pages of real sites: each price under its own header, no part of the page lost, no label parted from what it announces."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bocage.assistant.sources.grid import Cell, table_texts
from bocage.assistant.sources.html import read_html
from bocage.contract.errors import UnreadableFile

Read = list[tuple[tuple[str, ...], str]]


@pytest.fixture
def read(tmp_path: Path):
    """The passages of a page with this body: headings, text."""

    def passages(body: str) -> Read:
        path = tmp_path / "page.html"
        path.write_text(f"<html><head><title>Page</title></head><body>{body}</body></html>", encoding="utf-8")
        return [(passage.path, passage.text) for passage in read_html(path).passages]

    return passages


def table(rows: str) -> str:
    return f"<main><h1>Tarifs</h1><table>{rows}</table></main>"


def test_stacked_headers_name_each_price(read):
    rows = (
        "<tr><th></th><th colspan='2'>Habitants</th><th colspan='2'>Extérieurs</th></tr>"
        "<tr><th>Salle</th><th>Journée</th><th>Week-end</th><th>Journée</th><th>Week-end</th></tr>"
        "<tr><td>Marcel-Pagnol</td><td>110 €</td><td>240 €</td><td>200 €</td><td>430 €</td></tr>"
    )
    said = "Salle : Marcel-Pagnol\nHabitants, Journée : 110 €\nHabitants, Week-end : 240 €\n"
    assert read(table(rows)) == [((), said + "Extérieurs, Journée : 200 €\nExtérieurs, Week-end : 430 €")]


def test_a_header_over_two_columns_names_both_and_a_shared_price_has_both_headers(read):
    rows = (
        "<tr><th rowspan=2>Public<th colspan=2>Entrée<th>Carte<tr><th>Habitants<th>Autres<th>Dix entrées"
        "<tr><td>Adulte<td>3 €<td>5 €<td>28 €<tr><td>Bébé<td colspan=2>gratuit<td>"
    )
    assert [text for _, text in read(table(rows))] == [
        "Public : Adulte\nEntrée, Habitants : 3 €\nEntrée, Autres : 5 €\nCarte, Dix entrées : 28 €",
        "Public : Bébé\nEntrée, Habitants, Autres : gratuit",
    ]


def test_a_cell_over_two_rows_stands_in_both(read):
    rows = "<tr><th>Cours<th>Public<th>Prix<tr><td rowspan=2>Judo<td>Enfant<td>90 €<tr><td>Adulte<td>140 €"
    assert [text for _, text in read(table(rows))] == [
        "Cours : Judo\nPublic : Enfant\nPrix : 90 €",
        "Cours : Judo\nPublic : Adulte\nPrix : 140 €",
    ]


@pytest.mark.parametrize("cell", ["<th>{}</th>", "<td>{}</td>", "<td><strong>{}</strong></td>", "<td><p>{}</p></td>"])
@pytest.mark.parametrize("monday", ["fermé", "9h-12h"])
def test_a_day_is_never_the_header_of_another_day(read, cell: str, monday: str):
    rows = f"<tr>{cell.format('Lundi')}<td>{monday}</td></tr><tr>{cell.format('Mardi')}<td>14h-17h</td></tr>"
    assert [text for _, text in read(table(rows))] == [f"Lundi : {monday}", "Mardi : 14h-17h"]


def test_a_table_whose_cells_are_all_headers_has_none(read):
    rows = "<tr><th>Lundi<th>fermé<tr><th>Mardi<th>14h-17h"
    assert [text for _, text in read(table(rows))] == ["Lundi : fermé", "Mardi : 14h-17h"]


@pytest.mark.parametrize(
    "head",
    [
        "<tr><td>Salle</td><td>Journée</td><td>Week-end</td></tr>",
        "<tr><td><b>Salle</b></td><td><b>Journée</b></td><td><b>Week-end</b></td></tr>",
        "<thead><tr><td>Salle</td><td>Journée</td><td>Week-end</td></tr></thead>",
    ],
)
def test_a_header_row_without_th_is_found_when_it_is_beyond_doubt(read, head: str):
    assert (
        read(table(head + "<tr><td>Carnot</td><td>180 €</td><td>390 €</td></tr>"))[0][1]
        == "Salle : Carnot\nJournée : 180 €\nWeek-end : 390 €"
    )


def test_a_row_of_another_width_than_its_headers_names_no_price(read):
    rows = "<tr><th>Salle<th>Habitants<th>Extérieurs<tr><td>Carnot<td>180 €<tr><td>Épinay<td>70 €<td>130 €"
    assert [text for _, text in read(table(rows))] == ["Carnot : 180 €", "Salle : Épinay\nHabitants : 70 €\nExtérieurs : 130 €"]


def test_a_line_across_is_the_title_of_the_rows_below_and_a_note_is_a_row(read):
    rows = (
        "<tr><th>Salle<th>Prix<tr><th colspan=2>Semaine<tr><td>Carnot<td>180 €<tr><td colspan=2>Week-end<tr><td>Carnot<td>390 €"
        "<tr><td colspan=2>Gratuit en août<tr><td>Épinay<td>150 €"
    )
    assert [text for _, text in read(table(rows))] == [
        "Semaine\nSalle : Carnot\nPrix : 180 €",
        "Week-end\nSalle : Carnot\nPrix : 390 €",
        "Gratuit en août",
        "Week-end\nSalle : Épinay\nPrix : 150 €",
    ]


def test_a_total_in_bold_headers_is_a_row_and_names_nothing(read):
    rows = "<tr><th>Poste<th>2025<th>2026<tr><td>Gaz<td>7 €<td>16 €<tr><th>Total<th>10 €<th>20 €<tr><td>Eau<td>3 €<td>4 €"
    assert [text for _, text in read(table(rows))][1:] == [
        "Poste : Total\n2025 : 10 €\n2026 : 20 €",
        "Poste : Eau\n2025 : 3 €\n2026 : 4 €",
    ]


def test_the_caption_is_a_heading_of_its_table_alone(read):
    body = table("<caption>Tarifs 2026</caption><tr><th>Carte<th>Prix<tr><td>Dix<td>35 €") + "<p>Fermé en août.</p>"
    assert read(body.replace("</main>", "") + "</main>") == [(("Tarifs 2026",), "Carte : Dix\nPrix : 35 €"), ((), "Fermé en août.")]


def test_a_table_for_the_layout_is_ordinary_text_and_the_one_inside_keeps_its_headers(read):
    rows = (
        "<tr><td><h2>Tarifs</h2><table><tr><th>Carte<th>Prix<tr><td>Dix<td>35 €</table></td>"
        "<td><h2>Règles</h2><p>Bonnet obligatoire.</p><p>Short interdit.</p></td></tr>"
    )
    assert read(table(rows)) == [
        (("Tarifs",), "Carte : Dix\nPrix : 35 €"),
        (("Règles",), "Bonnet obligatoire."),
        (("Règles",), "Short interdit."),
    ]
    assert [text for _, text in read(table("<tr><td>Une colonne.<tr><td>Deux lignes."))] == ["Une colonne.", "Deux lignes."]


def test_a_label_before_a_table_goes_with_each_row(read):
    body = "<main><p><strong>Habitants</strong></p><table><tr><td>Lundi<td>9h<tr><td>Mardi<td>10h</table></main>"
    assert [text for _, text in read(body)] == ["Habitants :\nLundi : 9h", "Habitants :\nMardi : 10h"]


cells = st.builds(
    Cell,
    st.sampled_from(["", "Salle", "Lundi", "fermé", "18 €", "Week-end", "Un long texte, qui se termine par un point."]),
    st.booleans(),
    st.integers(1, 4),
    st.integers(1, 4),
)


@settings(max_examples=300, deadline=None)
@given(rows=st.lists(st.lists(cells, max_size=5), max_size=6))
@example(rows=[[Cell("Lundi"), Cell("Salle", heading=True, columns=2)], [Cell(""), Cell("Salle")]])
@example(rows=[[Cell("Salle"), Cell("Lundi"), Cell("Week-end")], [Cell("18 €"), Cell("fermé"), Cell("")]])
def test_no_value_of_a_table_is_lost_whatever_it_merges(rows: list[list[Cell]]):
    said = "\n".join(table_texts(rows))
    assert all(cell.text in said for row in rows for cell in row if not cell.heading)


@pytest.mark.parametrize("style", ["font-size:0.95em", "font-size: 0.875rem", "opacity:0.9", "font-size:.9em"])
def test_small_print_is_read(read, style: str):
    assert read(f"<main><div style='{style}'><p>L’inscription est gratuite.</p></div></main>") == [((), "L’inscription est gratuite.")]


@pytest.mark.parametrize("style", ["font-size:0", "font-size:0px", "opacity:0", "opacity: 0.0", "display:none", "visibility: hidden"])
def test_what_the_eye_never_sees_is_not_read(read, style: str):
    assert read(f"<main><p>Ouvert à tous.</p><p style='{style}'>Tout est gratuit.</p></main>") == [((), "Ouvert à tous.")]


def test_a_teaser_beside_the_text_does_not_replace_the_page(read):
    body = (
        "<div class='entry'><h1>Neige</h1><p>Chaque riverain dégage le trottoir devant chez lui.</p></div>"
        "<div><article><h3>Vœux</h3><p>Le 9 janvier.</p></article></div>"
    )
    assert ((), "Chaque riverain dégage le trottoir devant chez lui.") in read(body)


def test_an_article_that_holds_most_of_the_page_is_the_page(read):
    body = "<p>Abonnez-vous !</p><article><p>Chaque riverain dégage le trottoir devant chez lui, sur un mètre cinquante.</p></article>"
    assert [text for _, text in read(body)] == ["Chaque riverain dégage le trottoir devant chez lui, sur un mètre cinquante."]


ACCORDIONS = {
    "dsfr": "<section class='fr-accordion'><h3 class='fr-accordion__title'>"
    "<button class='fr-accordion__btn' aria-controls='a1'>Décès</button></h3>"
    "<div class='fr-collapse' id='a1'><p>Dans les 24 heures.</p></div></section>",
    "bootstrap": "<div class='accordion-item'><h2 class='accordion-header'>"
    "<button class='accordion-button' data-bs-target='#c1'>Décès</button></h2>"
    "<div id='c1' class='accordion-collapse collapse'><div class='accordion-body'>Dans les 24 heures.</div></div></div>",
    "elementor": "<div class='elementor-tab-title' role='button' aria-controls='c9'><a>Décès</a></div>"
    "<div id='c9' role='tabpanel' style='display:none'><p>Dans les 24 heures.</p></div>",
    "bare": "<button class='accordion'>Décès</button><div class='panel'><p>Dans les 24 heures.</p></div>",
    "titled": "<div class='faq-question'>Décès</div><div class='faq-answer'><p>Dans les 24 heures.</p></div>",
    "tabs": "<ul class='tabs'><li><a href='#t1'>Décès</a></li></ul><div id='t1' style='display:none'><p>Dans les 24 heures.</p></div>",
    "details": "<details><summary><span>Décès</span></summary><p>Dans les 24 heures.</p></details>",
}


@pytest.mark.parametrize("accordion", ACCORDIONS.values(), ids=ACCORDIONS)
def test_the_title_of_a_panel_leads_to_its_text_and_to_nothing_else(read, accordion: str):
    found = read(f"<main><h1>État civil</h1><p>Au rez-de-chaussée.</p>{accordion}<p>Fermé le jeudi.</p></main>")
    assert found == [((), "Au rez-de-chaussée."), (("Décès",), "Dans les 24 heures."), ((), "Fermé le jeudi.")]


def test_a_panel_keeps_its_own_headings_and_a_heading_said_twice_is_said_once(read):
    body = (
        "<main><h2>Travaux</h2><div role=tablist><button role=tab aria-controls=p1>Permis</button>"
        "<button role=tab aria-controls=p2>Clôture</button></div>"
        "<div role=tabpanel id=p1><h3>Permis</h3><p>Deux mois.</p><h3>Affichage</h3><p>Sur le terrain.</p></div>"
        "<div role=tabpanel id=p2 hidden><p>Un mois.</p></div><p>Au service Urbanisme.</p></main>"
    )
    assert read(body) == [
        (("Travaux", "Permis"), "Deux mois."),
        (("Travaux", "Permis", "Affichage"), "Sur le terrain."),
        (("Travaux", "Clôture"), "Un mois."),
        (("Travaux",), "Au service Urbanisme."),
    ]


def test_a_folded_menu_and_a_dialogue_box_stay_out(read):
    body = (
        "<button aria-controls='m'>Menu</button><div id='m' class='collapse' hidden><a href='/a'>Accueil</a> <a href='/b'>Contact</a></div>"
        "<button data-target='#d'>Lettre</button><div id='d' class='modal' style='display:none'><p>Abonnez-vous à la lettre.</p></div>"
        "<p>Bonjour.</p>"
    )
    assert read(body) == [((), "Bonjour.")]


@pytest.mark.parametrize("name", ["menu-semaine", "menus-cantine", "jardins-partages"])
def test_a_part_whose_name_only_looks_like_navigation_is_read(read, name: str):
    part = f"<div class='{name}'><p>Lundi, des lentilles et une pomme.</p></div>"
    body = f"<div><h1>Cantine</h1>{part}<p>Les menus sont votés en commission, avec les parents.</p></div>"
    assert ((), "Lundi, des lentilles et une pomme.") in read(body)


def test_navigation_stays_out_whatever_its_element(read):
    links = "<a href='/a'>Accueil</a> <a href='/b'>Mairie</a>"
    body = (
        f"<div class='main-menu'>{links}</div><div class='breadcrumb'>Vous êtes ici, {links}</div>"
        "<div class='cookie-banner'><p>Des cookies.</p></div>"
        "<p>Le marché a lieu le samedi matin, place de la halle, toute l’année.</p><div class='share'>Partager</div>"
    )
    assert read(body) == [((), "Le marché a lieu le samedi matin, place de la halle, toute l’année.")]


def test_a_page_whose_wrapper_mentions_a_sidebar_is_read_without_its_sidebar(read):
    text = "<p>Le marché a lieu le samedi matin, place de la halle.</p>"
    body = f"<div class='has-sidebar'>{text}<div class='sidebar'><p>Archives.</p></div></div>"
    assert read(body) == [((), "Le marché a lieu le samedi matin, place de la halle.")]


def test_a_page_inside_a_form_is_read_without_its_fields(read):
    body = (
        "<form id='aspnetForm'><input type='hidden' value='xx'><div><h1>Crèche</h1><p>Quarante-cinq places.</p>"
        "<label>Votre nom</label><input><select><option>Oui</option></select><button>Envoyer</button></div></form>"
    )
    assert read(body) == [((), "Quarante-cinq places.")]


def test_a_page_without_body_nor_end_of_head_is_read(read, tmp_path: Path):
    path = tmp_path / "nue.html"
    path.write_text("<head><title>Marché</title><h1>Marché</h1><p><b>Samedi<p>De 8 h à 13 h.", encoding="utf-8")
    assert [passage.text for passage in read_html(path).passages] == ["Samedi : De 8 h à 13 h."]


def test_a_term_with_its_explanation_is_one_text_and_with_several_a_heading(read):
    body = (
        "<main><dl><dt>Ligne A</dt><dd>Toutes les trente minutes.</dd><dt>Faut-il réserver ?</dt><dd>Non.</dd>"
        "<dt>Ligne B</dt><dt>Ligne C</dt><dd><p>Le matin.</p><p>Pas en été.</p></dd></dl><p>Gratuit.</p></main>"
    )
    assert read(body) == [
        ((), "Ligne A : Toutes les trente minutes."),
        ((), "Faut-il réserver ? Non."),
        (("Ligne B, Ligne C",), "Le matin."),
        (("Ligne B, Ligne C",), "Pas en été."),
        ((), "Gratuit."),
    ]


@pytest.mark.parametrize(
    "label, said",
    [
        ("<p><strong>Retirer le passeport</strong></p>", "Retirer le passeport : Sans rendez-vous, le mardi."),
        ("<p>Retirer le passeport&nbsp;:</p>", "Retirer le passeport : Sans rendez-vous, le mardi."),
        ("<p><b>Et pour le retirer ?</b></p>", "Et pour le retirer ? Sans rendez-vous, le mardi."),
    ],
)
def test_a_label_alone_goes_with_what_follows(read, label: str, said: str):
    body = f"<main><p>Uniquement sur rendez-vous.</p>{label}<p>Sans rendez-vous, le mardi.</p><p>Merci.</p></main>"
    assert [text for _, text in read(body)] == ["Uniquement sur rendez-vous.", said, "Merci."]


@pytest.mark.parametrize("bold", ["Fermé au public.", "Mardi : 14h-17h"])
def test_a_bold_sentence_is_no_label(read, bold: str):
    assert [text for _, text in read(f"<main><p><strong>{bold}</strong></p><p>Merci.</p></main>")] == [bold, "Merci."]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece",
    [
        "<tr><td rowspan=50 colspan=50>x",
        "<table><tr><td>x",
        "<tr><th>a<tr><td>b",
        "<dt>a<dd>b",
        "<h2><div></div>",
        "<div class='accordion-title'>a</div>",
        "<details><summary>a</summary></details>",
        "<a role=tab aria-controls=p>a</a>",
        "<div hidden id=p><a href=#p>",
        "</div><p><b>a",
    ],
)
def test_elements_heaped_up_to_be_slow_are_read_or_refused_in_time(tmp_path: Path, piece: str):
    path = tmp_path / "lente.html"
    path.write_text("<table><dl>" + piece * (300_000 // len(piece)), encoding="utf-8")
    try:
        assert read_html(path).passages
    except UnreadableFile as error:
        assert error.message


TABLES = ["<table>", "</table>", "<tr>", "<td>", "<td>a</td>", "<th>b", "<th colspan=2>c", "<caption>d"]
TEXTS = ["<h1>e", "<h2>f</h2>", "<p>g", "</p>", "<b>", "</b>", "<br>", "<dl>", "<dt>h", "<dd>i", "<ul>", "<li>j", "</ul>", "o"]
PANELS = ["<details>", "<summary>k", "</details>", "<button class=accordion>l</button>", "<a href=#z>m</a>", "<div id=z hidden>n", "</div>"]
PARTS = ["<form>", "</form>", "<main>", "</main>", "<article>"]


@settings(max_examples=300, deadline=None)
@given(body=st.lists(st.sampled_from([*TABLES, *TEXTS, *PANELS, *PARTS]), max_size=25))
def test_any_heap_of_elements_is_a_page_or_a_refusal(tmp_path_factory: pytest.TempPathFactory, body: list[str]):
    path = tmp_path_factory.mktemp("p") / "page.html"
    path.write_text("".join(body), encoding="utf-8")
    try:
        assert all(passage.text.strip() for passage in read_html(path).passages)
    except UnreadableFile as error:
        assert error.message
