"""The truth arrives by the API too: the same measure as on the portal, once."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from bocage.api.models import Scope
from bocage.contract import discovery
from bocage.journal.models import Entry
from bocage.organisations.services import ensure_organisation
from bocage.organisations.tenancy import organisation_context
from tests.api.test_api import client_of, drop
from tests.register.material import done_run
from tests.servers import USECASES

pytestmark = pytest.mark.django_db
TRUTH = b"jour;secteur;volume\n2026-01-05;Nord;100\n2026-01-06;Nord;110\n2026-01-05;Sud;50\n"


@pytest.fixture
def run_id(brenoux, monkeypatch):
    monkeypatch.setenv("BOCAGE_USECASES_PATH", str(USECASES))
    discovery.clear()
    with organisation_context(brenoux):
        yield done_run({"Nord": 104.0, "Sud": 50.0}, {"Nord": 115.0, "Sud": 52.0}).pk
    discovery.clear()


def bring(client: Client, run_id: int, content: bytes = TRUTH, names: tuple[str, ...] = ("mesures",)):
    files = [SimpleUploadedFile("réalité.csv", content)]
    return client.post(f"/api/v1/runs/{run_id}/evaluations", {"names": list(names), "files": files})


def test_the_truth_is_measured_once_and_read_again(brenoux, run_id):
    client = client_of(brenoux)
    first, second = bring(client, run_id), bring(client, run_id)
    assert (first.status_code, second.status_code) == (201, 200), first.content
    assert first.json() == second.json()
    assert (first.json()["engine"], first.json()["baseline"]) == ({"ecart": 0.5}, {"ecart": 6.0})
    assert client.get(f"/api/v1/runs/{run_id}/evaluations").json() == [first.json()]
    with organisation_context(brenoux):
        assert Entry.objects.filter(event="evaluation.enregistree").count() == 1


def test_the_last_truth_brought_is_listed_first_with_what_was_read(brenoux, run_id):
    client = client_of(brenoux)
    other = TRUTH.replace(b";110", b";cent dix")
    right, wrong, again = (bring(client, run_id, content) for content in (TRUTH, other, TRUTH))
    assert [each.status_code for each in (right, wrong, again)] == [201, 201, 201], again.content
    listed = client.get(f"/api/v1/runs/{run_id}/evaluations").json()
    assert [each["id"] for each in listed] == [each.json()["id"] for each in (again, wrong, right)]
    (reading,) = wrong.json()["reading"]
    assert (reading["file"], reading["lines"], reading["kept"]) == ("réalité.csv", 3, 2) and reading["errors"][0]["read"] == "cent dix"


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"autre;chose\n1;2\n", ("mesures",)),
        (b"", ("mesures",)),
        (TRUTH, ("inconnu",)),
        (TRUTH, ("mesures", "mesures")),
        (TRUTH.replace(b"Nord", b"Nrod").replace(b"Sud", b"Sdu"), ("mesures",)),
    ],
    ids=["columns", "empty", "unknown name", "more names than files", "other sectors"],
)
def test_what_cannot_be_measured_is_422_with_a_sentence(brenoux, run_id, content, names):
    client = client_of(brenoux)
    refused = bring(client, run_id, content, names)
    assert refused.status_code == 422 and len(refused.json()["error"]["message"]) > 20
    assert client.get(f"/api/v1/runs/{run_id}/evaluations").json() == []


def test_the_truth_needs_the_right_to_deposit_and_the_run_of_the_organisation(brenoux, run_id):
    assert bring(client_of(brenoux, Scope.READ), run_id).status_code == 403
    assert bring(client_of(ensure_organisation("Marsanne")), run_id).status_code == 404


def test_a_file_above_the_limit_is_413_with_the_limit(brenoux, settings):
    settings.UPLOAD_MB = 1
    refused = drop(client_of(brenoux), discovery.slugs()[0], b"x" * 1_100_000)
    assert refused.status_code == 413
    assert refused.json()["error"]["code"] == "fichier-trop-lourd" and "1 Mo" in refused.json()["error"]["message"]
