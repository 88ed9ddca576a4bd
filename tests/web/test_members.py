"""The members page and the settings page, as an administrator uses them without JavaScript."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from bocage.api.models import ApiToken
from bocage.journal.models import Entry
from bocage.organisations import people
from bocage.organisations.membership import Membership, Role
from bocage.organisations.models import User
from bocage.organisations.services import create_organisation
from bocage.organisations.tenancy import organisation_context

pytestmark = pytest.mark.django_db
HOME = "/pays-de-brenoux"


@pytest.fixture
def nadia(brenoux) -> User:
    with organisation_context(brenoux):
        person = people.create_person("nadia@brenoux.example", "Nadia Le Goff")
        people.grant(person, Role.ADMINISTRATEUR, "secrétaire générale")
    return person


@pytest.fixture
def admin(client: Client, nadia) -> Client:
    client.force_login(nadia)
    return client


def text(response) -> str:
    return re.sub("[\u202f\u00a0]", " ", response.content.decode())


def give(client: Client, **fields: str):
    return client.post(
        f"{HOME}/membres/", {"email": "hugo@brenoux.example", "name": "Hugo Marchand", "role": "agent", "title": "agent", **fields}
    )


def test_a_new_person_gets_a_password_shown_once_that_opens_the_portal(admin, brenoux):
    shown = give(admin)
    password = re.search(r"<code[^>]*>([a-z0-9-]{19})</code>", shown.content.decode()).group(1)
    assert shown.status_code == 200 and "no-store" in shown["Cache-Control"]
    assert password not in admin.get(f"{HOME}/membres/").content.decode()
    other = Client()
    assert other.post("/connexion/", {"email": "hugo@brenoux.example", "password": password}).url == f"{HOME}/cas-d-usage/"
    with organisation_context(brenoux):
        assert not Entry.objects.filter(content__contains=password).exists()


def test_a_known_person_gets_one_more_role(admin, brenoux):
    give(admin)
    assert give(admin, role="decideur", title="chef du service Eau").status_code == 302
    page = text(admin.get(f"{HOME}/membres/"))
    assert "Hugo Marchand a le rôle décideur." in page and "chef du service Eau" in page


def test_what_is_wrong_is_said_beside_the_form_with_what_was_typed(admin):
    refused = give(admin, email="hugo")
    assert refused.status_code == 422
    assert "n’est pas une adresse électronique" in text(refused)
    assert 'value="Hugo Marchand"' in refused.content.decode()


def test_a_function_is_changed_and_a_role_taken_away(admin, brenoux, nadia):
    give(admin)
    with organisation_context(brenoux):
        held = Membership.objects.get(role=Role.AGENT)
    admin.post(f"{HOME}/membres/{held.pk}/", {"action": "fonction", "title": "cheffe du réseau"})
    assert "cheffe du réseau" in text(admin.get(f"{HOME}/membres/"))
    admin.post(f"{HOME}/membres/{held.pk}/", {"action": "retirer"})
    with organisation_context(brenoux):
        assert list(Membership.objects.values_list("user_id", flat=True)) == [nadia.pk]


def test_the_last_administrator_cannot_leave(admin, nadia):
    refused = admin.post(f"{HOME}/membres/personnes/{nadia.pk}/", {"action": "retirer"})
    assert refused.status_code == 422
    assert "est seul administrateur" in text(refused)


def test_one_whose_roles_are_all_taken_away_is_signed_out_at_once(admin):
    password = re.search(r"<code[^>]*>([a-z0-9-]{19})</code>", give(admin).content.decode()).group(1)
    hugo = Client()
    hugo.post("/connexion/", {"email": "hugo@brenoux.example", "password": password})
    assert hugo.get(f"{HOME}/cas-d-usage/").url == "/mot-de-passe/"
    admin.post(f"{HOME}/membres/personnes/{User.objects.get(email='hugo@brenoux.example').pk}/", {"action": "retirer"})
    assert hugo.get(f"{HOME}/cas-d-usage/").status_code == 302


def test_one_whose_last_role_is_taken_away_is_signed_out_at_once_and_it_is_said(admin, brenoux):
    password = re.search(r"<code[^>]*>([a-z0-9-]{19})</code>", give(admin).content.decode()).group(1)
    give(admin, role="lecteur")
    hugo = Client()
    hugo.post("/connexion/", {"email": "hugo@brenoux.example", "password": password})
    with organisation_context(brenoux):
        first, last = (held.pk for held in Membership.objects.filter(user__email="hugo@brenoux.example").order_by("pk"))
    told = admin.post(f"{HOME}/membres/{first}/", {"action": "retirer"}, follow=True)
    assert "n’a plus le rôle agent." in text(told) and "compte est fermé." not in text(told)
    assert hugo.get("/mot-de-passe/").status_code == 200
    told = admin.post(f"{HOME}/membres/{last}/", {"action": "retirer"}, follow=True)
    assert "n’a plus le rôle lecteur. C’était son dernier rôle : son compte est fermé." in text(told)
    assert hugo.get("/mot-de-passe/").status_code == 302
    hugo.post("/connexion/", {"email": "hugo@brenoux.example", "password": password})
    assert hugo.get("/mot-de-passe/").status_code == 302


@pytest.mark.parametrize("sent", [{}, {"action": ""}, {"action": "zzz"}, {"action": "Retirer", "title": "x"}])
def test_an_action_that_nobody_wrote_changes_nothing(admin, brenoux, sent):
    give(admin)
    hugo = User.objects.get(email="hugo@brenoux.example")
    with organisation_context(brenoux):
        held, entries = Membership.objects.get(user=hugo), Entry.objects.count()
    for path in (f"membres/{held.pk}/", f"membres/personnes/{hugo.pk}/"):
        refused = admin.post(f"{HOME}/{path}", sent)
        assert refused.status_code == 422 and "Cette action n’existe pas" in text(refused)
    with organisation_context(brenoux):
        assert (Membership.objects.get(user=hugo).title, Entry.objects.count()) == (held.title, entries)
    assert User.objects.get(pk=hugo.pk).is_active


def test_a_renewed_password_ends_the_sessions_of_the_old_one(admin):
    old = re.search(r"<code[^>]*>([a-z0-9-]{19})</code>", give(admin).content.decode()).group(1)
    hugo = Client()
    hugo.post("/connexion/", {"email": "hugo@brenoux.example", "password": old})
    url = f"{HOME}/membres/personnes/{User.objects.get(email='hugo@brenoux.example').pk}/"
    new = re.search(r"<code[^>]*>([a-z0-9-]{19})</code>", admin.post(url, {"action": "mot-de-passe"}).content.decode()).group(1)
    assert new != old
    assert hugo.get(f"{HOME}/cas-d-usage/").status_code == 302


def test_a_syndicat_manages_a_commune_it_does_not_read(admin, brenoux):
    commune = create_organisation("Saint-Aubin", "commune", "Europe/Paris", "", brenoux.slug)
    assert "Membres de Saint-Aubin" in text(admin.get(f"{HOME}/communes/"))
    page = admin.get(f"/{commune.slug}/membres/")
    assert page.status_code == 200
    assert "ne vous sont pas ouverts" in text(page) and "Donner un nouveau mot de passe" not in text(page)
    assert f"/{commune.slug}/executions/" not in page.content.decode()
    assert admin.get(f"/{commune.slug}/cas-d-usage/").status_code == 403


def test_the_page_of_communes_teaches_when_there_is_none(admin):
    assert "--administered-by" in text(admin.get(f"{HOME}/communes/"))


def change(client: Client, form: str, **fields: object):
    return client.post(f"{HOME}/reglages/", {"form": form, **fields})


def test_the_name_the_siren_and_an_overseas_time_zone_are_kept(admin, brenoux):
    values = {"name": "Le Diamant", "contact": "05 96 00 00 00", "siren": "732 829 320", "time_zone": "America/Martinique"}
    assert change(admin, "identite", **values).status_code == 302
    brenoux.refresh_from_db()
    assert (brenoux.name, brenoux.siren, brenoux.time_zone, brenoux.slug) == (
        "Le Diamant",
        "732829320",
        "America/Martinique",
        "pays-de-brenoux",
    )
    with organisation_context(brenoux):
        assert Entry.objects.get(event="organisation.reglages").data["avant"]["name"] == "Pays de Brenoux"


def test_a_wrong_siren_is_refused_and_nothing_is_kept(admin, brenoux):
    refused = change(admin, "identite", name="Le Diamant", siren="123456789")
    assert refused.status_code == 422 and "clé de contrôle" in text(refused)
    brenoux.refresh_from_db()
    assert brenoux.name == "Pays de Brenoux"


def test_an_accent_of_the_look_brings_its_night_twin(admin, brenoux):
    assert change(admin, "couleur", choice="Eau").status_code == 302
    brenoux.refresh_from_db()
    assert (brenoux.accent, brenoux.accent_night) == ("#0f5a66", "#86cbd6")
    assert "#0f5a66" in admin.get("/marque/pays-de-brenoux.css").content.decode()


def test_a_pale_colour_is_refused_with_its_ratio_and_the_nearest_that_passes(admin, brenoux):
    refused = change(admin, "couleur", choice="autre", accent="#7fbf3f", accent_night="")
    page = text(refused)
    assert refused.status_code == 422
    near = re.search(r"La plus proche qui convient : (#[0-9a-f]{6})", page).group(1)
    assert re.search(r"contraste \d,\d\d, il faut 4,5 au moins", page)
    assert f'name="accent" value="{near}"' in refused.content.decode()
    assert change(admin, "couleur", choice="autre", accent=near).status_code == 302
    brenoux.refresh_from_db()
    assert brenoux.accent == near


@pytest.mark.parametrize("accent", ["", "vert", "#12", "#2b5b3f; } body { display: none", "url(x)"])
def test_what_is_not_a_colour_never_reaches_the_stylesheet(admin, accent):
    assert change(admin, "couleur", choice="autre", accent=accent).status_code == 422
    assert "--accent: #2b5b3f;" in admin.get("/marque/pays-de-brenoux.css").content.decode()


def test_a_logo_is_served_as_a_small_png_and_can_be_taken_away(admin):
    out = BytesIO()
    Image.new("RGB", (600, 300), "#0f5a66").save(out, "JPEG")
    assert change(admin, "logo", logo=SimpleUploadedFile("logo.jpg", out.getvalue())).status_code == 302
    served = admin.get("/marque/pays-de-brenoux.png")
    assert served["Content-Type"] == "image/png"
    assert Image.open(BytesIO(served.content)).size == (176, 88)
    change(admin, "sans-logo")
    assert admin.get("/marque/pays-de-brenoux.png").status_code == 404


def test_an_svg_logo_is_refused_with_a_sentence(admin):
    refused = change(admin, "logo", logo=SimpleUploadedFile("logo.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"))
    assert refused.status_code == 422 and "Le SVG n’est pas accepté" in text(refused)


@pytest.mark.parametrize("path", ["membres/", "reglages/", "communes/"])
def test_only_administrators_enter(client, nadia, brenoux, path):
    with organisation_context(brenoux):
        reader = people.create_person("paul@brenoux.example", "Paul Rey")
        people.grant(reader, Role.LECTEUR)
    client.force_login(reader)
    refused = client.get(f"{HOME}/{path}")
    assert refused.status_code == 403
    assert "Demandez l’accès à Nadia Le Goff" in text(refused)


def test_a_provisional_password_opens_nothing_before_it_is_changed(admin, brenoux):
    password = re.search(r"<code[^>]*>([a-z0-9-]{19})</code>", give(admin).content.decode()).group(1)
    hugo = Client()
    hugo.post("/connexion/", {"email": "hugo@brenoux.example", "password": password})
    assert hugo.get(f"{HOME}/depots/").url == "/mot-de-passe/"
    assert "choisissez le vôtre" in text(hugo.get("/mot-de-passe/"))
    hugo.post("/mot-de-passe/", {"current": password, "new": "trois haies et un talus"})
    assert hugo.get(f"{HOME}/depots/").status_code == 200


def new_token(client: Client, **fields: object):
    return client.post(f"{HOME}/jetons/", {"name": "supervision", "scopes": ["lire", "deposer"], "lifetime": "365", **fields})


def test_a_token_is_shown_once_and_opens_the_api_until_it_is_revoked(admin, brenoux):
    shown = new_token(admin)
    secret = re.search(r"<code[^>]*>(bocage_[\w-]{43})</code>", shown.content.decode()).group(1)
    assert "no-store" in shown["Cache-Control"]
    page = admin.get(f"{HOME}/jetons/").content.decode()
    assert "supervision" in page and secret not in page
    robot = Client(headers={"authorization": f"Bearer {secret}"})
    assert robot.get("/api/v1/runs").status_code == 200
    with organisation_context(brenoux):
        token = ApiToken.objects.get()
    assert 364 <= (token.expires_at - timezone.now()).days <= 365
    admin.post(f"{HOME}/jetons/{token.pk}/revoquer/")
    assert robot.get("/api/v1/runs").status_code == 401
    assert "Révoqué" in text(admin.get(f"{HOME}/jetons/"))


def test_a_token_without_rights_is_refused_with_what_was_typed(admin):
    refused = new_token(admin, scopes=[], name="entrepôt de données")
    assert refused.status_code == 422
    assert "au moins un droit" in text(refused) and 'value="entrepôt de données"' in text(refused)


def test_whoever_administers_from_outside_makes_no_token(admin, brenoux):
    """A token reads contents, which the syndicat that administers must not."""
    syndicat = create_organisation("Syndicat", "syndicat")
    commune = create_organisation("Marsanne", "commune", administered_by=syndicat.slug)
    person = people.create_person("agnes@syndicat.example", "Agnès Roy")
    with organisation_context(syndicat):
        people.grant(person, Role.ADMINISTRATEUR)
    outside = Client()
    outside.force_login(person)
    assert outside.get(f"/{commune.slug}/reglages/").status_code == 200
    assert "jetons/" not in outside.get(f"/{commune.slug}/reglages/").content.decode()
    refused = outside.post(f"/{commune.slug}/jetons/", {"name": "espion", "scopes": ["lire"]})
    assert refused.status_code == 403 and "propres administrateurs" in text(refused)
    with organisation_context(commune):
        assert not ApiToken.objects.exists()
