"""The day that a page says is its date; sharing links, banners and footers are no answer; what may be one is never taken for debris."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocage.assistant.documents import Document
from bocage.assistant.hours_notation import MONTHS
from bocage.assistant.sources import read_source
from bocage.assistant.sources.debris import debris
from bocage.assistant.sources.html import read_html

AID = "<p>La ville verse 250 € pour un vélo électrique.</p>"


@pytest.fixture
def read(tmp_path: Path):
    def page(body: str, head: str = "") -> Document:
        path = tmp_path / "velo.html"
        path.write_text(
            f"<html><head><title>Aide vélo</title>{head}</head><body><main><h1>Aide vélo</h1>{body}</main></body></html>", "utf-8"
        )
        return read_html(path)

    return page


@pytest.mark.parametrize(
    "said",
    [
        "Mis à jour le 3 mars 2019",
        "Dernière mise à jour : 03/03/2019",
        "Modifié le dimanche 3 mars 2019 à 10 h 30",
        "(MAJ 03.03.2019)",
        "Publié le 3 mars 2019 par le service communication",
        "Publié le 1er février 2018 – Mis à jour le 3 mars 2019",
    ],
)
def test_the_day_that_a_paragraph_says_is_the_date_of_the_page_and_no_passage(read, said):
    page = read(f"{AID}<p>{said}</p>")
    assert page.updated_on == date(2019, 3, 3) and [passage.text for passage in page.passages] == [
        "La ville verse 250 € pour un vélo électrique."
    ]


@pytest.mark.parametrize(
    "head",
    [
        '<meta property="article:modified_time" content="2019-03-03T10:00:00+01:00">',
        '<meta name="DCTERMS.modified" content="2019-03-03">',
        '<script type="application/ld+json">{"@type": "WebPage", "dateModified": "2019-03-03T10:00:00Z"}</script>',
    ],
)
def test_the_head_of_a_page_gives_its_date_before_a_day_of_its_text(read, head):
    assert read(f"<p>Réunion le <time datetime='2026-12-12'>12 décembre</time>.</p>{AID}", head).updated_on == date(2019, 3, 3)


def test_a_day_said_in_words_wins_over_the_day_of_an_event(read):
    page = read(f"<p>Réunion le <time datetime='2026-12-12'>12 décembre</time>.</p>{AID}<p>Mis à jour le 3 mars 2019</p>")
    assert page.updated_on == date(2019, 3, 3)


def test_the_days_of_the_news_that_a_page_lists_are_not_its_date(read):
    assert read(f"{AID}<p>Publié le 3 mars 2019</p><p>Le marché revient.</p><p>Publié le 4 mai 2020</p>").updated_on is None


def test_links_for_sharing_are_no_passage(read):
    links = "<p>Partager sur Facebook</p><ul><li>Imprimer</li><li>Envoyer par courriel</li></ul><p>Retour en haut de page</p>"
    assert len(read(AID + links).passages) == 1


@pytest.mark.parametrize(
    "said",
    [
        "Retour des livres : à la médiathèque.",
        "Mis à jour le 3 mars 2019, ce tarif s’applique à tous.",
        "Partager son logement",
        "02 61 91 40 20",
        "Envoyer par mail à mairie@brenoux.example",
        "Publié le 31/02/2019",
        "Imprimer le formulaire et le signer.",
        "Page 3 : les tarifs",
        "–",
    ],
)
def test_what_says_something_else_is_kept(said):
    assert debris(said) is None


def test_the_steps_of_a_list_are_kept(read):
    assert "Imprimer\nSigner\nEnvoyer" in [p.text for p in read("<ul><li>Imprimer</li><li>Signer</li><li>Envoyer</li></ul>").passages]


@given(
    st.dates(date(1990, 1, 1), date(2099, 12, 31)),
    st.sampled_from(["Mis à jour le {}", "Dernière modification : {}", "Page mise à jour le {}."]),
)
def test_a_day_comes_back_whole_however_it_is_written(day: date, phrase: str):
    written = (
        f"{day.day}{'er' if day.day == 1 else ''} {MONTHS[day.month - 1]} {day.year}",
        f"{day:%d/%m/%Y}",
        f"{day:%d.%m.%Y}",
        day.isoformat(),
    )
    assert [found and found.last for found in (debris(phrase.format(text)) for text in written)] == [day] * 4


@given(st.text(alphabet="partgesufcbokimlvx0123456789/:. ", max_size=300))
def test_any_text_is_read(text: str):
    debris(text)


def test_a_line_that_comes_back_on_most_pages_is_left_out_in_every_format_but_not_a_telephone_number(tmp_path: Path):
    for n, (name, text) in enumerate(
        {"velo": "250 € pour un vélo.", "eau": "La facture arrive en mai.", "bois": "Le bois se commande en août."}.items()
    ):
        body = ["Brenoux, la vie au vert", text, "Accueil : 02 61 91 40 20", "Ville de Brenoux, tous droits réservés"]
        if n:
            (tmp_path / f"{name}.md").write_text(f"# {name}\n\n" + "\n\n".join(body), "utf-8")
        else:
            (tmp_path / f"{name}.html").write_text(f"<main><h1>{name}</h1>{''.join(f'<p>{line}</p>' for line in body)}</main>", "utf-8")
    for page in read_source("pages", tmp_path).documents:
        assert len(page.passages) == 2 and page.passages[1].text == "Accueil : 02 61 91 40 20"


def test_two_pages_alike_are_left_as_they_are(tmp_path: Path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.md").write_text(f"# {name}\n\nPrenez rendez-vous en mairie.\n\nTexte de {name}.", "utf-8")
    assert all(len(page.passages) == 2 for page in read_source("pages", tmp_path).documents)
