"""Official sheets: every word citable, branches never flattened, the next step kept with the branch it holds for."""

from __future__ import annotations

from datetime import date

import pytest

from bocage.assistant.documents import Audience, Document, Origin, Passage, Step, StepKind
from bocage.assistant.sources.fiches_vdd import tree_of_json
from bocage.assistant.sources.nodes import BrokenFile
from bocage.assistant.sources.sheets import document_of
from bocage.assistant.sources.xmltree import parse_xml
from tests.assistant.sheets import as_json, sheet

OWNER, TENANT = ("Vous êtes propriétaire",), ("Vous êtes locataire",)


@pytest.fixture(scope="module")
def cabin() -> Document:
    return document_of(parse_xml(sheet()))


def small(body: str) -> Document:
    return document_of(parse_xml(sheet(7, body)))


def test_the_sheet_says_where_it_comes_from_and_when(cabin: Document):
    assert (cabin.id, cabin.title, cabin.origin) == ("F900", "Permis de cabane", Origin.NATIONAL)
    assert cabin.updated_on == date(2026, 3, 2)
    assert cabin.url == "https://www.service-public.fr/particuliers/vosdroits/F900"
    assert cabin.licence == "Licence Ouverte 2.0" and "DILA" in cabin.publisher
    assert cabin.theme == ("Logement", "Jardin")


def test_paragraphs_lists_with_their_lead_in_and_rows_with_their_headers(cabin: Document):
    texts = [p.text for p in cabin.passages]
    assert texts == [
        "Construire une cabane se déclare.",
        "Déclarez avant le 1er juin.",
        "Joignez :\nun plan,\nune photo.",
        "Rien d'autre à faire.",
        "Attendez un mois.",
        "près d'un monument, tout change.",
        "Demandez d'abord l'accord du propriétaire.",
        "Surface : 5 m²\nBois : 10 €\nPierre : 20 €",
        "Surface : 10 m²\nBois : 50 €",
    ]


def test_branches_stay_with_the_passages_that_depend_on_them(cabin: Document):
    found = {p.text: p for p in cabin.passages}
    assert found["Attendez un mois."] == Passage("Attendez un mois.", ("Démarche",), (*OWNER, "De 5 à 20 m²"))
    assert found["Rien d'autre à faire."].case == (*OWNER, "Moins de 5 m²")
    assert found["Demandez d'abord l'accord du propriétaire."].case == TENANT
    assert found["Construire une cabane se déclare."].case == ()
    assert found["près d'un monument, tout change."].path == ("Démarche", "Attention")
    assert found["Surface : 5 m²\nBois : 10 €\nPierre : 20 €"].path == ("Coût", "Taxe selon la surface")


def test_next_steps_keep_their_branch_and_unsafe_links_are_dropped(cabin: Document):
    assert cabin.steps == (
        Step(StepKind.FORM, "Déclaration préalable (cerfa n° 13703)", "https://exemple.fr/form.pdf", (*OWNER, "De 5 à 20 m²")),
        Step(StepKind.OFFICE, "Mairie", "https://exemple.fr/annuaire"),
        Step(StepKind.OFFICE, "Allô cabane"),
        Step(StepKind.PHONE, "Allô cabane", "0 809 401 401"),
        Step(StepKind.LETTER, "Lettre au propriétaire"),
        Step(StepKind.PAGE, "Le guide des cabanes", "https://exemple.fr/guide"),
    )


def test_every_line_but_table_rows_is_a_substring_of_the_sheet(cabin: Document):
    whole = parse_xml(sheet()).text()
    for passage in cabin.passages:
        if "Taxe selon la surface" in passage.path:
            assert all(part in whole for line in passage.text.split("\n") for part in line.split(" : "))
        else:
            assert all(line in whole for line in passage.text.split("\n"))


def test_json_and_xml_give_the_same_document(cabin: Document):
    assert document_of(tree_of_json(as_json(sheet()))) == cabin


def test_the_blank_that_json_lost_between_two_words_comes_back():
    xml = sheet(8, "<Texte><Paragraphe><Citation>Vendu</Citation> <MiseEnEvidence>et signé</MiseEnEvidence></Paragraphe></Texte>")
    assert document_of(tree_of_json(as_json(xml))).passages[0].text == "Vendu et signé"


def test_sibling_chapters_under_different_conditions_are_branches():
    chapter = (
        "<Chapitre><Condition><estVrai var='{0}'/></Condition>"
        "<Titre><Paragraphe>{1}</Paragraphe></Titre><Paragraphe>{2}</Paragraphe></Chapitre>"
    )
    document = small("<Texte>" + chapter.format("T1", "Fonctionnaire", "Oui.") + chapter.format("T2", "Contractuel", "Non.") + "</Texte>")
    assert [(p.text, p.path, p.case) for p in document.passages] == [
        ("Oui.", ("Fonctionnaire",), ("Fonctionnaire",)),
        ("Non.", ("Contractuel",), ("Contractuel",)),
    ]


def test_a_condition_of_the_questionnaire_becomes_a_branch_in_its_words():
    document = small(
        "<Questionnaire><Question><Choix><Titre>Locataire</Titre><IntituleSiSelectionne><Paragraphe>Vous êtes locataire</Paragraphe>"
        "</IntituleSiSelectionne><SiSelectionne><affecteVrai var='T9'/></SiSelectionne></Choix></Question></Questionnaire>"
        "<Texte><FragmentConditionne><Condition><estVrai var='T9'/></Condition><Paragraphe>Rendez les clés.</Paragraphe>"
        "</FragmentConditionne><Liste><Item><Paragraphe>l’eau</Paragraphe></Item>"
        "<Item><Condition><estVrai var='T9'/></Condition><Paragraphe>le bail</Paragraphe></Item></Liste></Texte>"
    )
    assert [(p.text, p.case) for p in document.passages] == [("Rendez les clés.", TENANT), ("l’eau", ()), ("le bail", TENANT)]


def test_a_guided_search_asks_its_questions_and_leads_to_sheets():
    document = small(
        "<Problematiques><Problematique><Titre>Vous déménagez</Titre>"
        "<Branche><Titre>En France</Titre><LienInterne LienPublication='F12'/></Branche>"
        "<Branche><Titre>À l’étranger</Titre><LienInterne LienPublication='F13'/></Branche></Problematique></Problematiques>"
    )
    assert document.passages == (Passage("Vous déménagez\nEn France\nÀ l’étranger"),)
    assert [(s.kind, s.label, s.target[-3:], s.case) for s in document.steps] == [
        (StepKind.PAGE, "En France", "F12", ("Vous déménagez", "En France")),
        (StepKind.PAGE, "À l’étranger", "F13", ("Vous déménagez", "À l’étranger")),
    ]


def test_a_merged_cell_is_carried_down_and_a_row_alone_across_is_said_once():
    row = "<Rangée type='{0}'>{1}</Rangée>"
    cell = "<Cellule {1}><Paragraphe>{0}</Paragraphe></Cellule>"
    document = small(
        "<Texte><Paragraphe>Barème :</Paragraphe><Tableau><Colonne/><Colonne/>"
        + row.format("header", cell.format("Âge", "") + cell.format("Prix", ""))
        + row.format("normal", cell.format("Adulte", "fusionVerticale='2'") + cell.format("3 €", ""))
        + row.format("normal", cell.format("2 € le lundi", ""))
        + row.format("normal", cell.format("Gratuit pour tous en août", "fusionHorizontale='2'"))
        + "</Tableau></Texte>"
    )
    assert [p.text for p in document.passages] == [
        "Barème :\nÂge : Adulte\nPrix : 3 €",
        "Barème :\nÂge : Adulte\nPrix : 2 € le lundi",
        "Barème :\nGratuit pour tous en août",
    ]


def test_sheets_on_the_civil_service_are_for_the_staff_too():
    text = "<Texte><Paragraphe>Oui.</Paragraphe></Texte>"
    trail = "<FilDAriane><Niveau>Accueil</Niveau><Niveau>Congés dans la fonction publique</Niveau></FilDAriane>"
    assert Audience.STAFF in small(trail + text).audiences
    assert Audience.STAFF not in small(text).audiences


@pytest.mark.parametrize(
    "xml, reason",
    [
        (b"<Publication ID='F1'>", "mal form"),
        (b"", "mal form"),
        (b"\x00\xff\xfe", "mal form"),
        (b"<?xml version='1.0' encoding='klingon'?><a/>", "mal form|encodage"),
        (b"<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", "DOCTYPE"),
        (b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "DOCTYPE"),
        (b"<a>" * 100 + b"</a>" * 100, "embo"),
        (b"<a>" + b"<b/>" * 300_000 + b"</a>", "éléments"),
    ],
)
def test_hostile_xml_is_refused_with_a_reason(xml: bytes, reason: str):
    with pytest.raises(BrokenFile, match=reason):
        parse_xml(xml)


@pytest.mark.parametrize("xml", [b"<html/>", b"<Publication ID='../../x'/>", b"<Publication ID='F1'/>", sheet(9, "<Texte/>")])
def test_what_is_no_sheet_is_refused(xml: bytes):
    with pytest.raises(BrokenFile):
        document_of(parse_xml(xml))


@pytest.mark.parametrize(
    "content", [b"", b"[", b"[" * 100_000, b"{}", b"[]", b'{"children": 3}', b'{"children": [{"type": "element", "name": 3}]}', b"\xff\xff"]
)
def test_hostile_json_is_refused(content: bytes):
    with pytest.raises(BrokenFile):
        tree_of_json(content)
