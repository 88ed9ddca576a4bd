"""The journal cannot be changed without being seen."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import ProtectedError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bocage.journal.models import Anchor, Entry, Head
from bocage.journal.services import GENESIS, entry_hash, publish_anchor, publish_due_anchors, record, verify
from bocage.organisations.services import ensure_organisation
from bocage.organisations.tenancy import organisation_context

COLUMNS = ("time", "actor_name", "event", "content", "previous_hash", "hash")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
each_example_in_one_database = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_an_untouched_journal_is_sound(journal):
    found = verify()
    assert found.sound and found.entries == 6 and found.head == journal[-1].hash


def test_an_empty_journal_is_sound(in_brenoux):
    assert verify().sound and verify().head == GENESIS


@given(facts=st.dictionaries(st.text(), JSON, max_size=4))
@each_example_in_one_database
def test_the_hash_is_recomputed_from_what_the_database_gives_back(in_brenoux, facts):
    with transaction.atomic():
        record("essai.fait", faits=facts)
    entry = Entry.objects.last()
    assert entry_hash(entry) == entry.hash


def test_facts_without_json_are_refused_before_anything_is_written(in_brenoux):
    for wrong in (float("nan"), object()):
        with pytest.raises((ValueError, TypeError)), transaction.atomic():
            record("essai.fait", valeur=wrong)
    assert not Entry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_fact_is_recorded_in_its_own_transaction_only(in_brenoux):
    with pytest.raises(RuntimeError):
        record("essai.fait")


@given(
    where=st.integers(0, 5),
    column=st.sampled_from(COLUMNS),
    place=st.integers(0, 500),
    letter=st.characters(exclude_characters="\x00", codec="utf-8"),
)
@each_example_in_one_database
def test_changing_any_letter_of_any_entry_is_seen(attacker, journal, where, column, place, letter):
    text = getattr(journal[where], column)
    place %= len(text)
    changed = text[:place] + letter + text[place + 1 :]
    if changed == text:
        return
    with transaction.atomic():
        if column == "time" and len(changed) > 32:
            return
        attacker.set(where + 1, column, changed)
        found = verify()
        assert not found.sound
        assert any(f"entrée {n}" in said or "entrées" in said for said in found.breaks for n in (where + 1, where + 2))
        attacker.set(where + 1, column, text)
    assert verify().sound


def test_changing_the_author_is_seen(attacker, journal, nadia):
    from bocage.organisations.people import create_person

    attacker.set(2, "actor_id", create_person("hugo@brenoux.example", "Hugo Marchand").pk)
    assert verify().breaks == ("L’entrée 2 a été modifiée : son empreinte ne correspond plus à son contenu.",)


def test_changing_the_owner_is_seen_by_both(attacker, journal, brenoux):
    other = ensure_organisation("Saint-Aubin")
    attacker.set(6, "organisation_id", other.pk)
    assert not verify().sound
    with organisation_context(other):
        assert not verify().sound


@pytest.mark.parametrize("gone", range(1, 7))
def test_deleting_any_entry_is_seen(attacker, gone):
    attacker.sql("DELETE FROM journal_entry WHERE sequence = %s", gone)
    said = " ".join(verify().breaks)
    assert said and (f"L’entrée {gone} manque" in said or (gone == 6 and "va jusqu’à l’entrée 5" in said))


def test_an_entry_is_not_rewritten_by_replace(journal, in_brenoux):
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite has REPLACE")
    said = Entry.objects.get(sequence=2)
    columns = "hash, organisation_id, sequence, time, actor_name, event, content, previous_hash"
    values = [said.hash, said.organisation_id, 2, said.time, "Personne", said.event, said.content, said.previous_hash]
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"REPLACE INTO journal_entry ({columns}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", values)
    assert verify().sound


def test_deleting_several_entries_says_which(attacker):
    attacker.sql("DELETE FROM journal_entry WHERE sequence IN (2, 3)")
    assert verify().breaks[0] == "Les entrées 2 à 3 manquent : la suivante porte le numéro 4."


def test_swapping_two_entries_is_seen(attacker):
    for here, there in ((3, 100), (4, 3), (100, 4)):
        attacker.set(here, "sequence", there)
    assert not verify().sound


def test_inserting_an_entry_is_seen(attacker, journal, brenoux):
    forged = Entry(
        organisation=brenoux,
        sequence=7,
        time=journal[5].time,
        actor_name="Bocage",
        event="essai.fait",
        content="{}",
        previous_hash=journal[5].hash,
    )
    forged.hash = entry_hash(forged)
    forged.save(force_insert=True)
    assert "l’entrée 7" in verify().breaks[0]


def test_moving_the_head_is_seen(attacker, journal):
    Head.objects.update(sequence=5, hash=journal[4].hash)
    assert not verify().sound
    Head.objects.all().delete()
    assert not verify().sound


def rewrite(attacker, brenoux):
    """Empty the journal and write another one, consistent from its first entry to its head."""
    attacker.sql("DELETE FROM journal_entry")
    Head.objects.all().delete()
    with transaction.atomic():
        for number in range(8):
            record("essai.autre", numero=number)


def test_a_journal_rewritten_as_a_whole_is_caught_by_the_published_anchor(attacker, journal, brenoux):
    publish_anchor()
    rewrite(attacker, brenoux)
    assert verify().breaks == ("L’ancre publiée à l’entrée 6 ne se retrouve pas dans le journal : il a été réécrit depuis sa publication.",)


def test_and_by_an_anchor_kept_elsewhere_when_ours_was_erased(attacker, journal, brenoux):
    kept = [{"sequence": a.sequence, "hash": a.hash} for a in [publish_anchor()]]
    rewrite(attacker, brenoux)
    Anchor.objects.all().delete()
    assert verify().sound
    assert not verify(kept).sound


def test_an_emptied_journal_is_seen(attacker):
    publish_anchor()
    attacker.sql("DELETE FROM journal_entry")
    assert not verify().sound
    Head.objects.all().delete()
    assert not verify().sound


def test_many_breaks_are_said_briefly(in_brenoux):
    from django.db import connection

    from bocage.journal.triggers import drop_statements

    with transaction.atomic():
        for number in range(70):
            record("essai.fait", numero=number)
    with connection.cursor() as cursor:
        for statement in drop_statements(connection.vendor):
            cursor.execute(statement)
        cursor.execute("UPDATE journal_entry SET content = '{}'")
    assert len(verify().breaks) == 51 and verify().breaks[-1] == "Et 20 autres ruptures."


@pytest.mark.parametrize(
    "statement", ["UPDATE journal_entry SET event = 'autre'", "DELETE FROM journal_entry", "DELETE FROM journal_entry WHERE sequence = 6"]
)
def test_the_database_refuses_changes(journal, statement):
    from django.db import connection

    with pytest.raises(DatabaseError, match="Le journal ne se modifie pas"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert verify().sound


def test_the_database_refuses_to_truncate(journal):
    from django.db import connection

    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no TRUNCATE; its DELETE is refused above")
    with pytest.raises(DatabaseError, match="Le journal ne se modifie pas"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE journal_entry")


def test_an_author_is_never_deleted(journal, nadia):
    with pytest.raises(ProtectedError):
        nadia.delete()


@pytest.mark.django_db(transaction=True)
def test_nor_by_the_database(journal, nadia):
    from django.db import connection

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM organisations_user WHERE id = %s", [nadia.pk])


def test_an_anchor_is_published_once_per_head(journal):
    assert publish_anchor() == publish_anchor()
    assert Anchor.objects.count() == 1


def test_nothing_is_anchored_while_nothing_happened(in_brenoux):
    assert publish_anchor() is None and publish_due_anchors() == 0


def test_anchors_are_due_when_the_head_moved_an_hour_after_the_last(journal):
    from datetime import timedelta

    assert publish_due_anchors() == 1
    assert publish_due_anchors() == 0
    with transaction.atomic():
        record("essai.fait")
    assert publish_due_anchors() == 0, "less than an hour ago"
    Anchor.objects.update(published_at=Anchor.objects.get().published_at - timedelta(hours=1, minutes=1))
    assert publish_due_anchors() == 1
    assert Anchor.objects.last().sequence == 7
