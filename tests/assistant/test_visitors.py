"""A town’s own questions, measured as its visitors ask them: its pages and the national sheets, right, wrong, refused."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from bocage.assistant import library, visitors
from bocage.assistant.documents import Audience, Document, Origin, Passage
from bocage.assistant.finding import Found, Match
from bocage.cli.assistant import assistant_command
from bocage.contract.errors import BocageError
from bocage.organisations.services import ensure_organisation

TODAY = date(2026, 11, 23)
PAGES = {
    "dechets/Encombrants.md": "# Les encombrants\n\nLe camion passe le premier mardi du mois, sur appel au 02 61 91 40 20.\n",
    "rh/primes.md": "# La prime de naissance des agents\n\nLa prime de naissance est de 180 € par enfant.\n",
    "Tarifs 2025.md": "# Tarifs de la piscine 2025\n\nL’entrée de la piscine coûte 3 €.\n",
    "Tarifs 2026.md": "# Tarifs de la piscine 2026\n\nL’entrée de la piscine coûte 4 €.\n",
}
DIRECTORY = (
    '[[service]]\nid = "bains"\nnom = "Bains-douches"\nadresse = "3 rue du Four"\n[service.horaires]\nsemaine = { samedi = "9h-12h" }\n'
)


@pytest.fixture
def town(served, settings, tmp_path) -> library.Library:
    """What the people of Pays de Brenoux search."""
    settings.HOME = tmp_path / "home"
    for name, text in PAGES.items():
        page = tmp_path / "sources" / "pages" / name
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text, encoding="utf-8")
    (tmp_path / "sources" / "annuaire.toml").write_text(DIRECTORY, encoding="utf-8")
    library.import_local(served, tmp_path / "sources")
    return library.library_of(served)


def asked(folder: Path, *questions: tuple[str, list[str]], name: str = "q.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps({"q": q, "gold": gold}) + "\n" for q, gold in questions), encoding="utf-8")
    return path


@pytest.mark.django_db
def test_own_pages_are_the_right_answers_by_file_by_service_or_by_id(town, tmp_path):
    questions = asked(
        tmp_path,
        ("quand passe le camion des encombrants ?", ["pages/dechets/Encombrants.md"]),
        ("les bains-douches sont ouverts samedi ?", ["annuaire: Bains-douches"]),
        ("adresse des bains-douches", ["annuaire:bains"]),
        ("combien coûte l’entrée de la piscine ?", ["pages/dechets/Encombrants.md"]),
    )
    refuse = asked(tmp_path, ("quelle est la capitale de la Mongolie ?", []), name="hors.jsonl")
    found = visitors.measure(town, questions, refuse, Audience.CITIZENS, TODAY)
    assert (found["questions"], found["right_pct"], found["wrong_pct"], found["refused_pct"]) == (4, 75, 25, 0)
    assert found["recall_at_1"] == 0.75 and found["refused_out_of_scope_pct"] == 100 and found["refusal_auc"] == 1


@pytest.mark.django_db
def test_a_question_is_answered_for_its_audience_and_from_the_edition_in_force(town, tmp_path):
    bonus = asked(tmp_path, ("montant de la prime de naissance des agents", ["pages/rh/primes.md"]))
    assert visitors.measure(town, bonus, None, Audience.STAFF, TODAY)["right_pct"] == 100
    assert visitors.measure(town, bonus, None, Audience.CITIZENS, TODAY)["right_pct"] == 0
    pool = asked(tmp_path, ("combien coûte l’entrée de la piscine ?", ["local:tarifs-2026"]))
    shares = [visitors.measure(town, pool, None, Audience.CITIZENS, day)["right_pct"] for day in (TODAY, date(2025, 11, 23))]
    assert shares == [100, 0]


@pytest.mark.django_db
def test_questions_in_place_of_whose_answer_numbers_are_shown_are_counted(town, tmp_path):
    questions = asked(
        tmp_path,
        ("je veux mourir, quand passe le camion des encombrants ?", ["pages/dechets/Encombrants.md"]),
        ("quand passe le camion des encombrants ?", ["pages/dechets/Encombrants.md"]),
    )
    assert visitors.measure(town, questions, None, Audience.CITIZENS, TODAY)["screened"] == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("gold", "said"), [(["pages/encombrant.md"], "(pages/encombrant.md)"), (["F1"], "(F1)"), ([], "--refuse")])
def test_a_right_answer_that_does_not_exist_is_named_not_counted_as_a_failure(town, tmp_path, gold, said):
    with pytest.raises(BocageError) as refused:
        visitors.measure(town, asked(tmp_path, ("quand passe le camion ?", gold)), None, Audience.CITIZENS, TODAY)
    assert said in refused.value.message and "quand passe le camion" in refused.value.message


def test_two_questions_seen_in_one_and_another_first_page_are_wrong_answers_and_no_answer_is_neither():
    first, second = (Match(Document(name, name, Origin.LOCAL, (Passage("p"),)), 1.0, 0.9) for name in ("a", "b"))
    assert visitors.outcome(Found((first, second), True), {"a"}) == "right"
    assert visitors.outcome(Found((first, second), True), {"b"}) == "wrong"
    assert visitors.outcome(Found((first, second), True, (("a ?", (first,)), ("b ?", (second,)))), {"a"}) == "wrong"
    assert visitors.outcome(Found((first,), False), {"a"}) == "refused"


def command(*arguments: str) -> str:
    done = CliRunner().invoke(assistant_command, list(arguments))
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.stdout or done.stderr


@pytest.mark.django_db
def test_the_command_says_what_visitors_of_this_organisation_get_and_of_no_other(town, served, tmp_path, settings):
    settings.ASSISTANT_ANSWERER = "bocage.assistant.answers.answer"
    given = json.loads(command("ask", "les bains-douches sont ouverts samedi ?", "--organisation", served.slug, "--json"))
    assert given["answer"]["notice"].startswith("Samedi") and given["hits"][0]["document"] == "annuaire:bains"
    questions = asked(tmp_path, ("quand passe le camion des encombrants ?", ["pages/dechets/Encombrants.md"]))
    figures = json.loads(command("eval", "--questions", str(questions), "--organisation", served.slug, "--json"))
    assert figures["right_pct"] == 100
    ensure_organisation("Marsanne")
    with pytest.raises(BocageError) as refused:
        command("ask", "les bains-douches sont ouverts samedi ?", "--organisation", "marsanne")
    assert "bocage assistant import --pages" in refused.value.message
    assert "neither --index nor --archive" in command("ask", "prix", "--organisation", served.slug, "--index", str(tmp_path))
