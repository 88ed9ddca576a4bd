"""From a file to a decision to take: start, follow, stop, start again, read."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from bocage.decisions.models import Run
from bocage.decisions.services import perform_run
from bocage.journal.models import Entry
from bocage.organisations.tenancy import organisation_context
from bocage.web.param_form import fields_of, given
from bocage.web.templatetags.bocage import cellule, parametre
from tests.web import portal
from tests.web.portal import HOME, PAGE, RIGHT, WRONG, client_of

pytestmark = pytest.mark.django_db
agent, trial_usecases = portal.agent, portal.trial_usecases


def start(client, text: str = RIGHT, **params: str):
    """What a person clicks: choose the file, « Déposer et vérifier », « Lancer le calcul »."""
    page = client.post(PAGE, {"fichier-volumes": SimpleUploadedFile("volumes.csv", text.encode())}, follow=True).content.decode()
    deposits = re.findall(r'name="depot" value="(\d+)"', page)
    assert deposits
    return client.post(f"{PAGE}calculer/", {"depot": deposits, **params})


def the_run(brenoux) -> Run:
    with organisation_context(brenoux):
        return Run.objects.get()


def test_the_usecase_page_says_everything_before_anything_is_dropped(agent):
    page = agent.get(PAGE).content.decode()
    for words in (
        "Déposer",
        "Calculer",
        "Décider",
        "Ne doit pas servir à",
        "Limites",
        "Alternatives",
        "Sources",
        "Volumes par jour",
        "120,5",
    ):
        assert words in page, words
    assert "style=" not in page and "<script" not in page
    assert agent.get(f"{HOME}/cas-d-usage/cas_absent/").status_code == 404


def test_from_file_to_proposals(agent, brenoux):
    answer = start(agent, WRONG)
    assert (answer.status_code, answer["Location"]) == (302, f"{HOME}/executions/{the_run(brenoux).pk}/")
    waiting = agent.get(answer["Location"]).content.decode()
    assert "<progress" in waiting and "Actualiser" in waiting and "Arrêter le calcul" in waiting and 'hx-trigger="every 2s"' in waiting
    done_run = perform_run(brenoux, the_run(brenoux).pk)
    assert done_run.state == Run.State.DONE, done_run.error_message
    done = agent.get(answer["Location"]).content.decode()
    assert "1 proposition" in done.replace("\xa0", " ") and f"{HOME}/executions/{the_run(brenoux).pk}/propositions/" in done
    assert the_run(brenoux).engine_version in done and the_run(brenoux).input_hash in done
    assert "Méthode habituelle" in done and "<script" not in done
    assert the_run(brenoux).requested_by.name == "Hugo Marchand"
    assert "0 sur 1" in agent.get(f"{HOME}/executions/?etat=terminee").content.decode()
    assert "0 sur 1" in agent.get(PAGE).content.decode()


def test_progress_is_asked_again_until_the_run_ends(agent, brenoux):
    start(agent)
    address = f"{HOME}/executions/{the_run(brenoux).pk}/progression/"
    with organisation_context(brenoux):
        Run.objects.update(state="en_cours", progress=0.4, progress_message="moyennes faites")
    asked = agent.get(address)
    assert "40\xa0% du calcul" in asked.content.decode() and "moyennes faites" in asked.content.decode()
    assert "HX-Refresh" not in asked and asked["Cache-Control"] == "no-store"
    with organisation_context(brenoux):
        Run.objects.update(state="terminee")
    assert agent.get(address)["HX-Refresh"] == "true"


def test_each_new_step_is_said_aloud_once(agent, brenoux):
    start(agent)
    page = f"{HOME}/executions/{the_run(brenoux).pk}/"
    assert '<p class="hidden" id="annonce" role="status"></p>' in agent.get(page).content.decode()
    with organisation_context(brenoux):
        Run.objects.update(state="en_cours", progress=0.85)
    said = '<p id="annonce" hx-swap-oob="innerHTML">Calculer la méthode habituelle'
    first = agent.get(f"{page}progression/?etape=1").content.decode()
    assert said in first and "?etape=2" in first, "the next question tells which step was said"
    assert "hx-swap-oob" not in agent.get(f"{page}progression/?etape=2").content.decode()


def test_stopping_and_starting_again_are_journalled_with_the_person(agent, brenoux):
    start(agent)
    address = f"{HOME}/executions/{the_run(brenoux).pk}/"
    assert agent.post(f"{address}arreter/").status_code == 302
    stopped = agent.get(address).content.decode()
    assert "arrêté par Hugo Marchand" in stopped and "Relancer" in stopped
    assert agent.post(f"{address}arreter/").status_code == 422
    assert agent.post(f"{address}relancer/").status_code == 302
    assert the_run(brenoux).state == Run.State.WAITING
    with organisation_context(brenoux):
        last = list(Entry.objects.order_by("-sequence").values_list("event", "actor_name")[:2])
    assert last == [("execution.relancee", "Hugo Marchand"), ("execution.interrompue", "Hugo Marchand")]


def test_a_file_with_no_right_line_starts_nothing(agent, brenoux):
    page = agent.post(PAGE, {"fichier-volumes": SimpleUploadedFile("v.csv", b"jour;secteur;volume\nhier;Nord;x\n")}, follow=True)
    assert 'action="/pays-de-brenoux/cas-d-usage/essai_tableau/calculer/"' not in page.content.decode()
    assert agent.post(f"{PAGE}calculer/", {"depot": "999"}).status_code == 422
    assert agent.post(f"{PAGE}calculer/", {}).status_code == 422
    with organisation_context(brenoux):
        assert not Run.objects.exists()


def test_parameters_are_those_of_the_usecase_and_only_changes_are_sent(agent, brenoux):
    assert 'name="p-coefficient" value="1"' in start_page(agent)
    start(agent, **{"p-coefficient": "1,5"})
    assert the_run(brenoux).params == {"coefficient": 1.5}


def start_page(client) -> str:
    return client.post(PAGE, {"fichier-volumes": SimpleUploadedFile("volumes.csv", RIGHT.encode())}, follow=True).content.decode()


def test_a_reader_may_follow_but_not_act(agent, brenoux):
    start(agent)
    reader = client_of(brenoux, "lecteur", "lea@brenoux.example", "Léa")
    address = f"{HOME}/executions/{the_run(brenoux).pk}/"
    assert "Arrêter le calcul" not in reader.get(address).content.decode()
    assert [reader.post(address + action).status_code for action in ("arreter/", "relancer/")] == [403, 403]


def test_empty_lists_teach(agent):
    assert "Choisir un cas d’usage" in agent.get(f"{HOME}/executions/").content.decode()
    assert "Rien trouvé" in agent.get(f"{HOME}/executions/?etat=echouee").content.decode()


def test_fields_follow_the_schema():
    schema = {
        "$defs": {"Mode": {"enum": ["a", "b"], "type": "string"}},
        "properties": {
            "n": {"type": "integer", "default": 3, "minimum": 1, "maximum": 9},
            "m": {"$ref": "#/$defs/Mode", "default": "a"},
            "v": {"anyOf": [{"type": "number"}, {"type": "null"}], "default": None},
            "b": {"type": "boolean", "default": True},
            "l": {"type": "array", "items": {"type": "string"}, "default": []},
        },
    }
    assert [(f.name, f.kind, f.choices) for f in fields_of(schema)] == [
        ("n", "integer", ()),
        ("m", "choice", ("a", "b")),
        ("v", "number", ()),
        ("b", "boolean", ()),
    ]
    assert given(schema, {"p-n": "3", "p-m": "a", "p-v": "", "p-b-present": "1", "p-b": "on"}) == {}
    assert given(schema, {"p-n": "1 000", "p-m": "b", "p-v": "2,5", "p-b-present": "1"}) == {"n": 1000, "m": "b", "v": 2.5, "b": False}
    assert given(schema, {"p-n": "trois"}) == {"n": "trois"}


def test_what_is_typed_becomes_the_value_that_the_schema_names():
    schema = {
        "properties": {
            "etages": {"enum": [1, 2, 3], "type": "integer", "default": 1},
            "seuil": {"anyOf": [{"type": "number"}, {"type": "null"}], "default": 10.0},
            "mode": {"anyOf": [{"enum": ["vite", "bien"], "type": "string"}, {"type": "null"}], "default": "vite"},
            "debut": {"type": "string", "format": "date", "default": "2021-01-01"},
            "part": {"type": "number", "default": 0.5},
        },
    }
    assert [field.shown for field in fields_of(schema)] == ["1", "10", "vite", "2021-01-01", "0,5"]
    as_shown = {f"p-{field.name}": field.shown for field in fields_of(schema)}
    assert given(schema, as_shown) == given(schema, {}) == {}
    assert given(schema, {"p-etages": "3"}) == {"etages": 3}
    assert given(schema, {"p-seuil": "", "p-mode": ""}) == {"seuil": None, "mode": None}
    assert given(schema, {"p-debut": "31/12/2021"}) == {"debut": "2021-12-31"}
    assert given(schema, {"p-debut": "31/02/2021", "p-part": "− 1 000,5"}) == {"debut": "31/02/2021", "part": -1000.5}
    assert given(schema, {"p-part": ""}) == {"part": ""}


def test_a_wrong_parameter_starts_nothing_is_said_beside_its_field_and_keeps_what_was_typed(agent, brenoux):
    answer = start(agent, **{"p-coefficient": "12,5"})
    page = answer.content.decode().replace("\xa0", " ").replace("\u202f", " ")
    assert answer.status_code == 422 and "Coefficient : lu « 12,5 », attendu 2 au plus." in page
    assert 'name="p-coefficient" value="12,5"' in page and 'aria-invalid="true"' in page and "<details open>" in page
    with organisation_context(brenoux):
        assert not Run.objects.exists()


def test_a_run_that_would_be_refused_again_is_not_offered_again(agent, brenoux):
    start(agent)
    address = f"{HOME}/executions/{the_run(brenoux).pk}/"
    with organisation_context(brenoux):
        Run.objects.update(params={"coefficient": 12})
    perform_run(brenoux, the_run(brenoux).pk)
    page = agent.get(address).content.decode()
    assert "2 au plus" in page and "s’arrêterait de la même façon" in page and f"{address}relancer/" not in page


def test_who_waits_behind_others_is_not_sent_to_the_operator(agent, brenoux):
    start(agent)
    address = f"{HOME}/executions/{the_run(brenoux).pk}/progression/"
    with organisation_context(brenoux):
        Run.objects.update(requested_at=timezone.now() - timedelta(minutes=2))
        assert "bocage worker" in agent.get(address).content.decode()
        Run(usecase="essai_tableau", state=Run.State.RUNNING, lease_until=timezone.now() + timedelta(seconds=20)).save()
    page = agent.get(address).content.decode()
    assert "dès qu’un processus sera libre" in page and "bocage worker" not in page


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (True, "oui"),
        ("2024-12-02", "02/12/2024"),
        ("2024-12-02T08:05:00+01:00", "02/12/2024, 8 h 05"),
        ("2024-13-02", "2024-13-02"),
        ("ref. 2024-12-02", "ref. 2024-12-02"),
        (1240.5, "1 240"),
        (["A", "B"], "A ; B"),
        (None, "–"),
    ],
)
def test_a_value_of_a_result_reads_in_french(value, read):
    assert cellule(value) == read


def test_a_parameter_is_shown_with_every_digit():
    assert [parametre(value) for value in (47.2184, True, 1200, "2024-12-02")] == ["47,2184", "oui", "1 200", "02/12/2024"]


def test_numbers_of_a_result_stand_one_under_the_other_and_the_choice_comes_first(agent, brenoux):
    """Units under units; and another table is chosen above a long one, not after it."""
    start(agent)
    run = perform_run(brenoux, the_run(brenoux).pk)
    with organisation_context(brenoux):
        result = run.results.get(role="engine")
        columns = [{"name": n, "title": n.title(), "unit": ""} for n in ("site", "repas", "suivi", "annee_reference")]
        table = {
            "kind": "table",
            "name": "t",
            "title": "Repas",
            "columns": columns,
            "rows": [["Nord", 12, True, 2019], ["Sud", 1200, None, 2020]],
        }
        result.outcome = {**result.outcome, "artifacts": [table, {**table, "title": "Autre"}]}
        result.save()
    page = agent.get(f"{HOME}/executions/{run.pk}/").content.decode()
    assert '<th scope="col" class="n">Repas</th>' in page and '<td class="n">12</td>' in page
    assert "<td>Nord</td>" in page and "<td>oui</td>" in page
    assert ">2019</td>" in page and ">1\u202f200</td>" in page, "a year is no number to be cut in thousands"
    assert page.index('name="objet"') < page.index("<td>Nord</td>")
