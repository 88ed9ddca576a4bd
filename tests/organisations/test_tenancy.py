"""Each organisation's rows are its own: nothing is read or written without saying whose."""

from __future__ import annotations

import pytest
from django.apps import apps

from bocage.decisions.models import Run
from bocage.organisations.models import Organisation, SignInAttempt, User
from bocage.organisations.services import OrganisationToChoose, UnknownOrganisation, choose_organisation, ensure_organisation
from bocage.organisations.tenancy import NoOrganisation, OtherOrganisation, TenantModel, organisation_context

pytestmark = pytest.mark.django_db


@pytest.fixture
def marsanne():
    return ensure_organisation("Marsanne")


def test_reading_without_an_organisation_raises():
    with pytest.raises(NoOrganisation):
        list(Run.objects.all())


def test_writing_without_an_organisation_raises():
    with pytest.raises(NoOrganisation):
        Run(usecase="eau_demande").save()


def test_an_organisation_sees_only_its_rows(brenoux, marsanne):
    with organisation_context(brenoux):
        run = Run(usecase="eau_demande")
        run.save()
    with organisation_context(marsanne):
        assert not Run.objects.filter(pk=run.pk).exists()
    with organisation_context(brenoux):
        assert Run.objects.get().pk == run.pk


def test_a_row_cannot_be_written_in_the_context_of_another(brenoux, marsanne):
    with organisation_context(brenoux):
        run = Run(usecase="eau_demande")
        run.save()
    with organisation_context(marsanne), pytest.raises(OtherOrganisation):
        run.save()


def test_the_context_ends_with_its_block_even_on_error(brenoux):
    with pytest.raises(ZeroDivisionError), organisation_context(brenoux):
        raise ZeroDivisionError
    with pytest.raises(NoOrganisation):
        Run.objects.count()


def test_every_model_of_bocage_belongs_to_an_organisation():
    """Organisations and people are what the rest belongs to; attempts to sign in are of nobody yet."""
    free = [m for m in apps.get_models() if m.__module__.startswith("bocage.") and not issubclass(m, TenantModel)]
    assert set(free) == {Organisation, User, SignInAttempt}
    for model in apps.get_models():
        if issubclass(model, TenantModel):
            assert model._meta.get_field("organisation").null is False
            assert model._default_manager.name == "objects"


def test_the_only_organisation_needs_no_name(brenoux):
    assert choose_organisation() == brenoux


def test_several_organisations_must_be_told_apart(brenoux, marsanne):
    with pytest.raises(OrganisationToChoose, match="marsanne, pays-de-brenoux"):
        choose_organisation()


def test_an_unknown_organisation_is_answered_with_the_known_ones(brenoux):
    with pytest.raises(UnknownOrganisation, match="pays-de-brenoux"):
        choose_organisation("brenou")


def test_asking_twice_for_an_organisation_makes_one():
    assert ensure_organisation("Saint-Aubin") == ensure_organisation("Saint-Aubin")
