"""The API: the same services and sentences as the portal, for one organisation at a time, and never a decision."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from bocage.api.models import Scope
from bocage.api.tokens import InvalidToken, make_token, revoke_token
from bocage.contract import discovery
from bocage.contract.outcome import Recommendation
from bocage.decisions.decide import decide
from bocage.decisions.models import Run
from bocage.deposits.models import Deposit
from bocage.journal.models import Entry
from bocage.organisations.services import ensure_organisation
from bocage.organisations.tenancy import organisation_context
from tests.decisions.lists import finished_run, person

pytestmark = pytest.mark.django_db


def client_of(organisation, *scopes: str) -> Client:
    with organisation_context(organisation):
        _, secret = make_token("essais", scopes or Scope.values)
    return Client(headers={"authorization": f"Bearer {secret}"})


@pytest.fixture
def api(brenoux) -> Client:
    return client_of(brenoux)


@pytest.fixture
def slug() -> str:
    return "eau_demande"


def drop(client: Client, slug: str, content: bytes = b"a;b\n1;2\n", name: str = "débits.csv"):
    return client.post("/api/v1/deposits", {"usecase": slug, "input_name": "debits", "file": SimpleUploadedFile(name, content)})


def test_without_a_token_every_operation_answers_401_with_a_sentence(db):
    for path in ("/api/v1/usecases", "/api/v1/runs", "/api/v1/deposits"):
        answer = Client().get(path)
        assert answer.status_code == 401
        assert "Bearer" in answer.json()["error"]["message"]


@pytest.mark.parametrize("secret", ["", "bocage_", "bocage_" + "x" * 43, "x" * 500, "bocage_é"])
def test_a_wrong_token_opens_nothing(db, secret):
    assert Client(headers={"authorization": f"Bearer {secret}"}).get("/api/v1/runs").status_code == 401


def test_a_revoked_or_expired_token_opens_nothing(brenoux):
    with organisation_context(brenoux):
        token, secret = make_token("ancien", [Scope.READ])
        _, late = make_token("échu", [Scope.READ], expires_at=timezone.now())
    client = Client(headers={"authorization": f"Bearer {secret}"})
    assert client.get("/api/v1/runs").status_code == 200
    with organisation_context(brenoux):
        revoke_token(token)
    assert client.get("/api/v1/runs").status_code == 401
    assert Client(headers={"authorization": f"Bearer {late}"}).get("/api/v1/runs").status_code == 401


def test_only_a_hash_of_the_secret_is_kept(brenoux):
    with organisation_context(brenoux):
        token, secret = make_token("essais", [Scope.READ])
        assert secret not in "".join(Entry.objects.values_list("content", flat=True))
    assert secret not in token.digest and len(token.digest) == 64


def test_a_scope_must_exist(brenoux):
    with organisation_context(brenoux), pytest.raises(InvalidToken, match="lire"):
        make_token("essais", ["tout"])


def test_a_token_does_only_what_its_scopes_say(brenoux, slug):
    reader = client_of(brenoux, Scope.READ)
    answer = drop(reader, slug)
    assert answer.status_code == 403
    assert "deposer" in answer.json()["error"]["message"]


def test_fiches_are_served_as_they_are(api, slug):
    assert api.get(f"/api/v1/usecases/{slug}").json() == discovery.load_fiche(slug).model_dump(mode="json")


def test_an_unknown_use_case_is_404_with_the_same_sentence_as_elsewhere(api):
    error = api.get("/api/v1/usecases/rien_du_tout").json()["error"]
    assert error["code"] == "cas-inconnu"


def test_a_deposit_is_idempotent(api, brenoux, slug):
    first, second = drop(api, slug), drop(api, slug)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    with organisation_context(brenoux):
        assert Deposit.objects.count() == 1


@pytest.mark.parametrize("name", ["../../etc/passwd", "...", "a/b\\c.csv", "é" * 300 + ".csv", "x\x01y.csv"])
def test_a_file_name_is_only_a_name(api, brenoux, slug, name, settings):
    answer = drop(api, slug, name=name)
    assert answer.status_code in (201, 422)
    if answer.status_code == 201:
        with organisation_context(brenoux):
            path = Deposit.objects.get().path.resolve()
        assert path.is_relative_to(settings.MEDIA_ROOT) and path.exists()


def test_a_run_is_asked_on_deposits(api, brenoux, slug):
    deposit = drop(api, slug).json()["id"]
    answer = api.post(f"/api/v1/usecases/{slug}/runs", {"deposits": {"debits": deposit}, "seed": 3}, content_type="application/json")
    assert answer.status_code == 201, answer.content
    assert answer.json()["state"] == "attente"
    assert api.get(f"/api/v1/runs/{answer.json()['id']}").json()["seed"] == 3


def ask(api: Client, slug: str, body: str):
    """The answer to a run asked with this very JSON, « DEPOSIT » standing for a deposit of flows."""
    body = body.replace("DEPOSIT", str(drop(api, slug).json()["id"]))
    return api.post(f"/api/v1/usecases/{slug}/runs", body, content_type="application/json")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ('{"deposits": {"debits": DEPOSIT}, "param": {"seuil_alerte": 2}}', "param"),
        ('{"deposits": {"debits": DEPOSIT}, "parametres": {}}', "parametres"),
        ('{"deposits": {}}', "debits"),
        ('{"deposits": {"debit": DEPOSIT}}', "« debit »"),
        ('{"deposits": {"debits": true}}', "deposits.debits"),
        ('{"deposits": {"debits": DEPOSIT}, "params": {"seuil": 2}}', "« seuil »"),
        ('{"deposits": {"debits": DEPOSIT}, "params": {"seuil_alerte": 99}}', "3 au plus"),
        ('{"deposits": {"debits": DEPOSIT}, "params": {"zone_scolaire": "D"}}', "« A », « B », « C » ou « autre »"),
        ('{"deposits": {"debits": DEPOSIT}, "params": {"territoire": "Bretagne"}}', "FR-57 ou FR-6AE"),
        ('{"deposits": {"debits": DEPOSIT}, "params": {"territoire": "\\ud800"}}', "params.territoire"),
        ('{"deposits": {"debits": DEPOSIT}, "params": {"territoire": "\\u0000"}}', "params.territoire"),
        ('{"deposits": {"debits": DEPOSIT}, "params": {"seuil_alerte": NaN}}', "un nombre fini"),
        ('{"deposits": {"debits": DEPOSIT}, "params": {"seuil_alerte": 1e999}}', "un nombre fini"),
        ('{"deposits": {"debits": DEPOSIT}, "params": {"seuil_alerte": "Infinity"}}', "un nombre fini"),
        ('{"deposits": {"debits": DEPOSIT}, "seed": -1}', "seed"),
        ('{"deposits": {"debits": DEPOSIT}, "seed": true}', "seed"),
    ],
)
def test_a_request_that_could_only_fail_starts_nothing_and_names_the_fault(api, brenoux, slug, body, named):
    answer = ask(api, slug, body)
    assert answer.status_code == 422, answer.content
    error = answer.json()["error"]
    assert named in " ".join([error["message"], *error["details"]]) and "^[A-Z]" not in error["message"]
    with organisation_context(brenoux):
        assert not Run.objects.exists()


def test_a_use_case_says_what_it_takes(api, slug):
    said = api.get(f"/api/v1/usecases/{slug}/description").json()
    assert [(entry["name"], entry["required"]) for entry in said["inputs"]] == [("debits", True), ("meteo", False)]
    assert said["params"]["properties"]["seuil_alerte"]["maximum"] == 3.0
    assert api.get("/api/v1/usecases/rien_du_tout/description").status_code == 404


def test_a_deposit_for_an_input_that_does_not_exist_is_refused_with_those_that_do(api, brenoux, slug):
    answer = api.post("/api/v1/deposits", {"usecase": slug, "input_name": "debit", "file": SimpleUploadedFile("d.csv", b"a;b\n")})
    assert answer.status_code == 422 and "debits, meteo" in answer.json()["error"]["message"]
    with organisation_context(brenoux):
        assert not Deposit.objects.exists()


def test_every_refusal_is_declared(api):
    for path, operations in api.get("/api/v1/openapi.json").json()["paths"].items():
        for operation in operations.values():
            assert set(operation["responses"]) >= {"400", "405", "422", "500"}, path


def test_a_missing_deposit_is_named(api, slug):
    answer = api.post(f"/api/v1/usecases/{slug}/runs", {"deposits": {"debits": 999}}, content_type="application/json")
    assert answer.status_code == 404
    assert "999" in answer.json()["error"]["message"]


def test_a_wrong_body_is_422_and_names_the_field(api, slug):
    answer = api.post(f"/api/v1/usecases/{slug}/runs", {"deposits": "tout"}, content_type="application/json")
    assert answer.status_code == 422
    assert any("deposits" in line for line in answer.json()["error"]["details"])


def test_one_organisation_never_reaches_the_other(api, brenoux, slug):
    other = client_of(ensure_organisation("Marsanne"))
    deposit = drop(api, slug).json()["id"]
    with organisation_context(brenoux):
        run = Run(usecase=slug)
        run.save()
    assert other.get("/api/v1/deposits").json()["items"] == []
    assert other.get("/api/v1/runs").json()["items"] == []
    for path in ("", "/proposals", "/decisions"):
        assert other.get(f"/api/v1/runs/{run.pk}{path}").status_code == 404
    assert other.post(f"/api/v1/runs/{run.pk}/restart").status_code == 404
    answer = other.post(f"/api/v1/usecases/{slug}/runs", {"deposits": {"debits": deposit}}, content_type="application/json")
    assert answer.status_code == 404


def test_the_decided_list_says_which_day_or_which_month(api, brenoux):
    with organisation_context(brenoux):
        said = ({"jour": "2026-11-23"}, {"periode": "mars 2026"}, {})
        run = finished_run([Recommendation(f"Lieu {i}", "prévoir", 10.0 + i, score=-i, evidence=e) for i, e in enumerate(said)])
        decider = person("Nadia Le Goff", "decideur")
        for proposal in run.proposals.all():
            decide(proposal, decider, "acceptee")
    assert [line["when"] for line in api.get(f"/api/v1/runs/{run.pk}/decisions").json()] == ["2026-11-23", "mars 2026", ""]


def test_no_operation_decides(api):
    """Rule 5: a decision has a person, and a token is none."""
    paths = api.get("/api/v1/openapi.json").json()["paths"]
    assert not [p for p, operations in paths.items() if "decision" in p and set(operations) - {"get"}]


def test_the_openapi_has_one_run_operation_per_use_case(api):
    paths = api.get("/api/v1/openapi.json").json()["paths"]
    for slug in discovery.slugs():
        if discovery.origin(slug) == "built in":
            assert f"/api/v1/usecases/{slug}/runs" in paths


def test_a_number_too_large_for_the_database_is_a_sentence(api, slug):
    huge = 10**25
    answers = [
        api.get(f"/api/v1/runs?page={huge}"),
        api.post(f"/api/v1/usecases/{slug}/runs", {"deposits": {"debits": -huge}}, content_type="application/json"),
        api.get(f"/api/v1/runs/{huge}"),
    ]
    assert all(answer.status_code in (404, 422) for answer in answers), [answer.status_code for answer in answers]
