"""The pages where a named person decides: by link, form and keyboard alone, without JavaScript."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from django.urls import reverse

from bocage.contract.outcome import Recommendation
from bocage.decisions.decide import current_decision, decide
from bocage.decisions.models import Decision, Displayed
from bocage.journal.models import Entry
from bocage.organisations.services import ensure_organisation
from bocage.organisations.tenancy import organisation_context
from tests.decisions.lists import finished_run, first_of, person, proposals_of

REASON = "Vidange du réservoir mardi matin."


@pytest.fixture
def nadia(in_brenoux):
    return person("Nadia Le Goff", "decideur", title="cheffe du service Eau")


@pytest.fixture
def hugo(in_brenoux):
    return person("Hugo Marchand", "decideur")


@pytest.fixture
def run(nadia):
    return finished_run()


@pytest.fixture
def portal(client, nadia):
    client.force_login(nadia)
    return client


def url(name: str, **where: object) -> str:
    return reverse(f"web:{name}", kwargs={"organisation": "pays-de-brenoux", **where})


def text_of(response) -> str:
    """What a person reads: no tags, plain spaces."""
    words = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", words.replace("\u202f", " ").replace("\u00a0", " "))


class Fields(HTMLParser):
    """The decision form as a browser would send it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action, self.values, self.checked, self._inside = "", {}, [], False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        found = dict(attrs)
        if tag == "form":
            self._inside = found.get("class") == "decide" or found.get("id") == "lot"
            self.action = found["action"] if self._inside else self.action
        elif tag == "input" and self._inside and found.get("type") == "hidden":
            self.values[found["name"]] = found.get("value", "")
        if tag == "input" and "checked" in found:
            self.checked.append(found)


def fill(portal, page: str, **answers: object):
    """Open ``page``, answer its form, send it."""
    form = Fields(portal.get(page).content.decode())
    return portal.post(form.action.split("#")[0], {**form.values, **answers})


# --- What waits -------------------------------------------------------------------------------------------------------------------------


def test_nothing_to_decide_teaches_what_will_come(portal):
    page = text_of(portal.get(url("to_decide")))
    assert "Rien n’attend votre décision" in page and "Choisir un cas d’usage" in page


def test_runs_that_wait_are_listed_the_oldest_first_with_who_decides(portal, run):
    newer = finished_run()
    page = portal.get(url("to_decide"))
    assert "6 propositions attendent une décision" in text_of(page) and "Nadia Le Goff" in text_of(page)
    html = page.content.decode()
    assert html.index(url("proposals", run_id=run.pk)) < html.index(url("proposals", run_id=newer.pk))


# --- The list ---------------------------------------------------------------------------------------------------------------------------


def test_the_list_opens_the_first_undecided_with_its_chart_and_chooses_nothing(portal, nadia):
    run = finished_run(chart_of="Bourg")
    decide(first_of(run), nadia, "acceptee")
    page = portal.get(url("proposals", run_id=run.pk))
    html = page.content.decode()
    assert page.context["open"]["line"].proposal.rank == 2
    assert 'figure class="chart"' in html and Fields(html).checked == []
    assert "Accepter 1 241,5 m³" in text_of(page) and "Refuser et garder l’habituel, 1 085 m³" in text_of(page)


def test_the_chart_is_that_of_the_subject_or_there_is_none(portal):
    run = finished_run(chart_of="Bourg")
    assert 'figure class="chart"' not in portal.get(url("proposal", run_id=run.pk, rank=1)).content.decode()


def test_showing_the_list_keeps_which_lines_were_shown(portal, nadia):
    run = finished_run(proposals_of(30))
    page = portal.get(url("proposals", run_id=run.pk))
    assert Displayed.objects.filter(person=nadia).count() == 25
    assert "Afficher les 5 suivantes" in text_of(page)
    second = portal.get(url("proposals", run_id=run.pk) + page.context["next_query"])
    assert [line.proposal.rank for line in second.context["lines"]] == [26, 27, 28, 29, 30]
    assert Displayed.objects.filter(person=nadia).count() == 30


@pytest.mark.parametrize(
    ("query", "ranks"),
    [
        ("q=bourg", [2]),
        ("q=PREVOIR+moulin", [3]),
        ("q=lune", []),
        ("etat=a_decider", [2, 3]),
        ("etat=decidees", [1]),
        ("etat=acceptee", [1]),
        ("etat=refusee", []),
        ("tri=ecart", [3, 2, 1]),
        ("tri=valeur", [3, 2, 1]),
        ("tri=sujet", [2, 3, 1]),
        ("etat=inconnu&tri=inconnu&page=99&page=x", [1, 2, 3]),
        ("page=99999999999", [1, 2, 3]),
    ],
)
def test_filters_and_order(portal, nadia, run, query, ranks):
    decide(first_of(run), nadia, "acceptee")
    page = portal.get(f"{url('proposals', run_id=run.pk)}?{query}")
    assert page.status_code == 200
    assert [line.proposal.rank for line in page.context["lines"]] == ranks


def test_what_a_file_says_is_never_markup(portal):
    run = finished_run([Recommendation("<b>Nord</b>", "<script>x</script>", "<i>", evidence={"clé": ["<u>"]})])
    html = portal.get(url("proposals", run_id=run.pk)).content.decode()
    assert "<script>x" not in html and "<b>Nord" not in html and "<u>" not in html


def test_a_run_without_proposals_says_so(portal):
    assert "n’a rien à proposer" in text_of(portal.get(url("proposals", run_id=finished_run([]).pk)))


# --- Deciding ---------------------------------------------------------------------------------------------------------------------------


def test_a_decision_leads_to_the_next_undecided_with_its_confirmation(portal, run, nadia):
    answer = fill(portal, url("proposals", run_id=run.pk), verdict="acceptee")
    assert (answer.status_code, answer.url) == (302, url("proposal", run_id=run.pk, rank=2) + "#proposition-2")
    assert current_decision(first_of(run)).person == nadia
    page = text_of(portal.get(answer.url))
    assert "Décision enregistrée. Saint-Aubin, samedi 21 novembre : acceptée, 1 240,5 m³." in page


def test_a_decision_is_confirmed_once_and_in_sight(portal, run):
    """A browser keeps the fragment of the form it sent: without another, the end of a long list would be scrolled past its confirmation."""
    for _ in range(2):
        answer = fill(portal, url("proposals", run_id=run.pk), verdict="acceptee")
        assert text_of(portal.get(answer["Location"])).count("Décision enregistrée.") == 1
    while "#proposition-" in answer["Location"]:
        answer = fill(portal, url("proposals", run_id=run.pk), verdict="acceptee")
    assert answer["Location"].endswith("/propositions/#contenu")
    assert text_of(portal.get(answer["Location"])).count("Décision enregistrée.") == 1


@pytest.mark.parametrize("typed", ["1 240", "1\u202f240", "1240", " 1240 m³ ", "1\u00a0240,0"])
def test_french_numbers_are_read(portal, run, typed):
    assert fill(portal, url("proposals", run_id=run.pk), verdict="modifiee", valeur=typed, motif=REASON).status_code == 302
    assert current_decision(first_of(run)).value == 1240


@pytest.mark.parametrize(("typed", "kept"), [("−1 240,75", -1240.75), ("95.", 95), ("0.125", 0.125), ("1240.5", 1240.5)])
def test_decimals_and_minus_are_read(portal, typed, kept):
    run = finished_run([Recommendation("Saint-Aubin", "échanger", 1000.0, "m³", (-900.0, 1300.0))])
    fill(portal, url("proposals", run_id=run.pk), verdict="modifiee", valeur=typed, motif=REASON)
    assert current_decision(first_of(run)).value == kept


def test_a_figure_far_beyond_what_was_proposed_is_confirmed_in_one_step(portal, run):
    here = url("proposals", run_id=run.pk)
    asked = fill(portal, here, verdict="modifiee", valeur="124000", motif=REASON)
    assert asked.status_code == 422 and "plus de dix fois ce qui est attendu ici (au plus 1 340 m³)" in text_of(asked)
    form = Fields(asked.content.decode())
    other = portal.post(form.action.split("#")[0], {**form.values, "verdict": "modifiee", "valeur": "999999", "motif": REASON})
    assert other.status_code == 422, "another figure is asked anew"
    sent = portal.post(form.action.split("#")[0], {**form.values, "verdict": "modifiee", "valeur": "124000", "motif": REASON})
    assert sent.status_code == 302 and current_decision(first_of(run)).value == 124000


def test_a_month_is_in_the_title_the_form_and_the_confirmation(portal):
    months = [
        Recommendation("Médiathèque", "prévoir l’accueil de la période", 900.0 + i, "personnes", None, 1 - i / 10, {"periode": period})
        for i, period in enumerate(("janvier 2026", "février 2026"))
    ]
    here = url("proposals", run_id=finished_run(months).pk)
    said = text_of(portal.get(here))
    assert "Médiathèque, janvier 2026 : prévoir l’accueil" in said and "Votre décision pour Médiathèque, janvier 2026" in said
    assert "Médiathèque, février 2026 : prévoir l’accueil" in said
    assert "Médiathèque, janvier 2026 : acceptée, 900 personnes." in text_of(portal.get(fill(portal, here, verdict="acceptee").url))


def test_a_total_that_a_decision_leaves_behind_is_told_at_once(portal):
    monday = {"jour": "2026-11-23", "reference": 200}
    run = finished_run(
        [
            Recommendation("2026-11-23", "commander pour toute la ville", 606.0, "repas", None, 1.0, monday),
            Recommendation("Jules Ferry 1", "commander pour le site", 256.0, "repas", None, 0.9, monday),
            Recommendation("Louise Michel", "commander pour le site", 350.0, "repas", None, 0.8, monday),
        ]
    )
    agreed = text_of(portal.get(fill(portal, url("proposals", run_id=run.pk), verdict="acceptee").url))
    assert "lundi 23 novembre : acceptée, 606 repas." in agreed and "dont c’était le total" not in agreed
    answer = fill(portal, url("proposal", run_id=run.pk, rank=2), verdict="modifiee", valeur="296", motif=REASON)
    told = text_of(portal.get(answer.url))
    assert "606 repas, alors que les 2 lignes dont c’était le total font 646 repas (1 ligne sans décision, comptée comme proposée)" in told


def test_the_figures_are_named_with_their_accents_and_units(portal):
    evidence = {"jour": "2026-11-23", "reference": 200, "reference_agents": False, "greve": True, "niveau_pct": 90, "derive_eur_mois": 12}
    evidence |= {"prix_eur_kwh": 0.21, "facteurs": [{"facteur": "le menu", "effet_pct": 0.9}]}
    run = finished_run([Recommendation("Jules Ferry 1", "commander", 256.0, "repas", evidence=evidence)])
    said = text_of(portal.get(url("proposals", run_id=run.pk)))
    assert all(name in said for name in ("Référence agents non", "Grève oui", "Niveau (%) 90", "Dérive (€/mois) 12"))
    assert "Prix (€/kWh) 0,21" in said and "Facteurs facteur : le menu, effet (%) : 0,9" in said


def test_a_refusal_without_a_usual_value_says_that_none_is_kept(portal):
    run = finished_run([Recommendation("Bourg", "prévoir", 256.0, "m³")])
    assert "Refuser ; sans valeur habituelle connue, aucune valeur n’est retenue" in text_of(portal.get(url("proposals", run_id=run.pk)))


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({}, "Aucune réponse n’est choisie"),
        ({"verdict": "modifiee", "motif": REASON}, "La valeur modifiée manque"),
        ({"verdict": "modifiee", "valeur": "1.240,5", "motif": REASON}, "n’est pas un nombre"),
        ({"verdict": "modifiee", "valeur": "1.240", "motif": REASON}, "« 1.240 » se lit de deux façons. Écrivez 1 240, ou 1,240."),
        ({"verdict": "modifiee", "valeur": "9" * 400, "motif": REASON}, "n’est pas un nombre"),
        ({"verdict": "modifiee", "valeur": "1e999", "motif": REASON}, "n’est pas un nombre"),
        ({"verdict": "refusee", "valeur": "12"}, "Le motif manque"),
        ({"verdict": "acceptee", "vu": "abc"}, "Le formulaire est abîmé"),
    ],
)
def test_an_incomplete_answer_is_told_beside_the_form_and_keeps_what_was_typed(portal, run, answers, said):
    page = fill(portal, url("proposals", run_id=run.pk), **answers)
    assert page.status_code == 422 and said in text_of(page)
    html = page.content.decode()
    assert 'role="alert"' in html and not Decision.objects.exists()
    for name in ("valeur", "motif"):
        assert answers.get(name, "") in html
    assert [box["value"] for box in Fields(html).checked] == [v for k, v in answers.items() if k == "verdict"]


def test_who_comes_second_sees_whose_and_what_and_keeps_their_text(portal, run, hugo):
    form = Fields(portal.get(url("proposals", run_id=run.pk)).content.decode())
    decide(first_of(run), hugo, "modifiee", 1100, "Marché annulé.")
    page = portal.post(form.action.split("#")[0], {**form.values, "verdict": "refusee", "motif": REASON})
    assert page.status_code == 422
    said = text_of(page)
    assert "Hugo Marchand a décidé entre-temps : modifiée" in said and "Modifiée : 1 100 m³" in said and "Marché annulé." in said
    assert REASON in page.content.decode() and Decision.objects.count() == 1
    again = Fields(page.content.decode())
    assert portal.post(again.action.split("#")[0], {**again.values, "verdict": "refusee", "motif": REASON}).status_code == 302
    assert current_decision(first_of(run)).replaces.person == hugo


def test_a_decided_proposal_tells_who_when_and_why_and_opens_again_on_demand(portal, run, nadia, hugo):
    first = decide(first_of(run), hugo, "refusee", reason=REASON)
    here = url("proposal", run_id=run.pk, rank=1)
    page = portal.get(here)
    assert "Hugo Marchand" in text_of(page) and REASON in text_of(page) and 'class="decide"' not in page.content.decode()
    assert fill(portal, f"{here}?revenir=1", verdict="acceptee").status_code == 302
    assert current_decision(first_of(run)).replaces == first
    said = text_of(portal.get(here))
    assert "Les décisions, la dernière d’abord" in said and "Remplacée depuis." in said


def test_the_filter_follows_the_reader_from_decision_to_decision(portal, run):
    answer = fill(portal, f"{url('proposals', run_id=run.pk)}?tri=valeur&etat=a_decider", verdict="acceptee")
    assert answer.url.startswith(url("proposal", run_id=run.pk, rank=2)) and "tri=valeur" in answer.url


def test_after_the_last_decision_the_list_says_that_all_is_decided(portal, nadia):
    run = finished_run(proposals_of(1))
    answer = fill(portal, url("proposals", run_id=run.pk), verdict="acceptee")
    assert answer.url == url("proposals", run_id=run.pk) + "#contenu"
    assert "La proposition est décidée" in text_of(portal.get(answer.url))


@pytest.mark.parametrize("role", ["lecteur", "agent", "dpo", "administrateur"])
def test_others_read_everything_but_the_form_and_are_told_who_decides(client, run, role):
    client.force_login(person("Léa Petit", role))
    page = client.get(url("proposals", run_id=run.pk))
    assert page.status_code == 200 and 'class="decide"' not in page.content.decode()
    assert "La décision revient à Nadia Le Goff" in text_of(page)
    assert client.post(url("proposal", run_id=run.pk, rank=1), {"verdict": "acceptee"}).status_code == 403
    assert client.post(url("decide_batch", run_id=run.pk), {"verdict": "acceptee", "rang": "1"}).status_code == 403
    assert not Decision.objects.exists()


def test_another_organisation_s_run_does_not_exist_here(portal, nadia, run):
    with organisation_context(ensure_organisation("Marsanne")):
        theirs = finished_run()
    for address in (
        url("proposals", run_id=theirs.pk),
        url("proposal", run_id=theirs.pk, rank=1),
        url("decisions_export", run_id=theirs.pk, kind="csv"),
        url("proposal", run_id=run.pk, rank=99),
    ):
        assert portal.get(address).status_code == 404
    assert portal.post(url("proposal", run_id=theirs.pk, rank=1), {"verdict": "acceptee"}).status_code == 404


def test_a_visitor_signs_in_first(client, run):
    assert "/connexion/" in client.get(url("proposals", run_id=run.pk)).url


def test_people_who_read_the_same_list_see_each_other(client, run, nadia, hugo):
    client.force_login(hugo)
    client.get(url("proposal", run_id=run.pk, rank=2))
    client.force_login(nadia)
    assert "Hugo Marchand lit aussi cette page : proposition 2 ouverte à" in text_of(client.get(url("proposals", run_id=run.pk)))


# --- Several lines at once --------------------------------------------------------------------------------------------------------------


def test_several_lines_that_were_shown_are_decided_together(portal, run):
    page = f"{url('proposals', run_id=run.pk)}?lot=1"
    html = portal.get(page).content.decode()
    assert html.count('type="checkbox"') == 3 and Fields(html).checked == []
    assert fill(portal, page, verdict="refusee", motif=REASON, rang=["1", "3"]).status_code == 302
    assert [d.proposal.rank for d in Decision.objects.select_related("proposal")] == [1, 3]
    assert "2 propositions refusées" in text_of(portal.get(url("proposals", run_id=run.pk)))


def test_lines_never_shown_are_refused_and_the_boxes_stay_ticked(portal, nadia):
    run = finished_run(proposals_of(30))
    page = fill(portal, f"{url('proposals', run_id=run.pk)}?lot=1", verdict="acceptee", rang=["1", "30"])
    assert page.status_code == 422 and "30 ne vous ont pas encore été montrées" in text_of(page)
    assert {"1", "acceptee"} <= {box["value"] for box in Fields(page.content.decode()).checked}
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    "answers", [{}, {"verdict": "acceptee"}, {"verdict": "refusee", "rang": "1"}, {"verdict": "acceptee", "rang": "x"}]
)
def test_an_incomplete_batch_is_told_and_writes_nothing(portal, run, answers):
    assert fill(portal, f"{url('proposals', run_id=run.pk)}?lot=1", **answers).status_code == 422
    assert not Decision.objects.exists()


# --- Taking away ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "start"), [("csv", b"\xef\xbb\xbfrang;sujet"), ("ods", b"PK"), ("pdf", b"%PDF")])
def test_the_decided_list_is_taken_away_and_the_journal_says_so(portal, run, nadia, kind, start):
    decide(first_of(run), nadia, "acceptee")
    answer = portal.get(url("decisions_export", run_id=run.pk, kind=kind))
    assert answer.content.startswith(start)
    assert answer["Content-Disposition"] == f'attachment; filename="decisions-execution-{run.pk}-1-sur-3.{kind}"'
    assert Entry.objects.filter(event="decision.exportee").count() == 1


def test_nothing_decided_is_nothing_to_take_away(portal, run):
    where = url("decisions_export", run_id=run.pk, kind="csv")
    assert where not in portal.get(url("proposals", run_id=run.pk)).content.decode()
    answer = portal.get(where, follow=True)
    assert "Rien n’est encore décidé" in text_of(answer)
    assert portal.get(url("decisions_export", run_id=run.pk, kind="exe")).status_code == 404


def test_the_page_prints_the_decided_lines_only(portal, run, nadia):
    decide(first_of(run), nadia, "acceptee")
    html = portal.get(url("proposals", run_id=run.pk)).content.decode()
    printed = re.findall(r'<li class="prop([^"]*)"', html)
    assert ["noprint" in css for css in printed] == [False, True, True]


def test_the_page_asks_for_a_bounded_number_of_queries(portal, django_assert_max_num_queries):
    run = finished_run(proposals_of(60))
    portal.get(url("proposals", run_id=run.pk))
    with django_assert_max_num_queries(30):
        portal.get(url("proposals", run_id=run.pk))
