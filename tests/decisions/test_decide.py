"""A decision has a person, exactly one holds per proposal, nothing is overwritten, and the journal says the same."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bocage.contract.outcome import Outcome, Recommendation
from bocage.decisions.decide import (
    AlreadyDecided,
    DecisionRefused,
    NotADecider,
    ToConfirm,
    _check,
    current_decision,
    decide,
    decide_batch,
    mark_displayed,
    others_present,
)
from bocage.decisions.models import Decision, Displayed, Presence, Proposal
from bocage.decisions.proposals import history, usual_values
from bocage.journal.models import Entry
from bocage.organisations.services import ensure_organisation
from bocage.organisations.tenancy import OtherOrganisation, organisation_context
from tests.decisions.lists import finished_run, first_of, person
from tests.servers import Server, server, wait_until

pytestmark = pytest.mark.django_db

ACCEPT, AMEND, REFUSE = Decision.Verdict.values
REASON = "Vidange du réservoir mardi matin."


@pytest.fixture
def nadia(in_brenoux):
    return person("Nadia Le Goff", "decideur", title="cheffe du service Eau")


@pytest.fixture
def hugo(in_brenoux):
    return person("Hugo Marchand", "decideur")


def test_accepting_keeps_the_proposed_value_the_person_and_their_function(nadia):
    decision = decide(first_of(finished_run()), nadia, ACCEPT)
    assert (decision.value, decision.person, decision.person_title, decision.reason) == (1240.5, nadia, "cheffe du service Eau", "")


def test_amending_keeps_the_person_s_value_and_refusing_the_usual_one(nadia):
    one, two, _ = finished_run().proposals.order_by("rank")
    assert decide(one, nadia, AMEND, 1200, REASON).value == 1200
    assert decide(two, nadia, REFUSE, reason=REASON).value == 1085.0


def test_the_journal_tells_the_whole_decision(nadia):
    proposal = first_of(finished_run())
    decision = decide(proposal, nadia, AMEND, 1200, REASON)
    entry = Entry.objects.get(event="decision.enregistree")
    assert entry.actor == nadia
    told = ("decision", "proposition", "propose", "habituel", "decide", "motif", "verdict", "remplace")
    assert [entry.data[key] for key in told] == [decision.pk, proposal.pk, 1240.5, 1085.0, 1200, REASON, AMEND, None]


@pytest.mark.parametrize(
    ("verdict", "value", "reason", "field"),
    [
        ("", None, "", "verdict"),
        ("peut-être", None, "", "verdict"),
        (AMEND, None, REASON, "valeur"),
        (AMEND, "", REASON, "valeur"),
        (AMEND, "beaucoup", REASON, "valeur"),
        (AMEND, math.nan, REASON, "valeur"),
        (AMEND, math.inf, REASON, "valeur"),
        (AMEND, True, REASON, "valeur"),
        (AMEND, 1240.5, REASON, "valeur"),
        (AMEND, 1200, "  ", "motif"),
        (REFUSE, None, "", "motif"),
        (REFUSE, None, "x" * 2001, "motif"),
    ],
)
def test_what_is_not_a_decision_is_refused_in_a_sentence_and_writes_nothing(nadia, verdict, value, reason, field):
    with pytest.raises(DecisionRefused) as refused:
        decide(first_of(finished_run()), nadia, verdict, value, reason)
    assert refused.value.field == field and refused.value.message.endswith(".")
    assert not Decision.objects.exists() and not Entry.objects.filter(event="decision.enregistree").exists()


@pytest.mark.parametrize(("value", "said"), [(-3, "négative"), (12.5, "Écrivez 12 ou 13")])
def test_meals_are_neither_negative_nor_halved(nadia, value, said):
    meals = Recommendation("Jules Ferry 1", "commander pour le site", 256.0, "repas", (240.0, 275.0))
    with pytest.raises(DecisionRefused, match=said) as refused:
        decide(first_of(finished_run([meals])), nadia, AMEND, value, REASON, sure=True)
    assert refused.value.field == "valeur"


def test_what_may_be_negative_stays_so(nadia):
    gain = Recommendation("Mairie", "revoir le contrat", 40.0, "€/mois", (-15.0, 90.0))
    assert decide(first_of(finished_run([gain])), nadia, AMEND, -12.5, REASON).value == -12.5


@given(value=st.integers(0, 10**15))
@settings(max_examples=40, deadline=None)
def test_only_what_goes_beyond_ten_times_all_that_was_proposed_is_asked_again(value):
    proposal = Proposal(value=256.0, low=240.0, high=275.0, reference=300.0, unit="repas")
    asked = False
    try:
        _check(proposal, AMEND, value, REASON, sure=False)
    except ToConfirm as error:
        asked = True
        assert error.field == "confirmer" and "plus de dix fois" in error.message
    except DecisionRefused:
        assert value == 256
    assert asked == (value > 3000)
    if asked:
        _check(proposal, AMEND, value, REASON, sure=True)


@pytest.mark.parametrize(
    "roles", [(), ("lecteur",), ("agent",), ("dpo",), ("administrateur",), ("lecteur", "agent", "dpo", "administrateur")]
)
def test_nobody_but_a_decider_decides(in_brenoux, roles):
    run = finished_run()
    someone = person("Léa Petit", *roles)
    mark_displayed(run.proposals.all(), someone)
    with pytest.raises(NotADecider):
        decide(first_of(run), someone, ACCEPT)
    with pytest.raises(NotADecider):
        decide_batch(run.proposals.all(), someone, ACCEPT)
    assert not Decision.objects.exists()


def test_a_decider_elsewhere_does_not_decide_here(nadia):
    proposal = first_of(finished_run())
    with organisation_context(ensure_organisation("Marsanne")):
        stranger = person("Zoé Martin", "decideur")
        with pytest.raises(OtherOrganisation):
            decide(proposal, stranger, ACCEPT)
    with pytest.raises(NotADecider):
        decide(proposal, stranger, ACCEPT)


def test_who_left_no_longer_decides(nadia):
    nadia.is_active = False
    with pytest.raises(NotADecider):
        decide(first_of(finished_run()), nadia, ACCEPT)


def test_of_two_people_the_second_sees_the_first_and_overwrites_nothing(nadia, hugo):
    proposal = first_of(finished_run())
    decide(proposal, nadia, ACCEPT)
    with pytest.raises(AlreadyDecided, match="Nadia Le Goff a décidé entre-temps : acceptée"):
        decide(proposal, hugo, REFUSE, reason=REASON)
    assert current_decision(proposal).person == nadia


def test_a_later_decision_replaces_the_one_that_was_seen_and_both_stay(nadia, hugo):
    proposal = first_of(finished_run())
    first = decide(proposal, nadia, ACCEPT)
    second = decide(proposal, hugo, REFUSE, reason=REASON, seen=first.pk)
    assert current_decision(proposal) == second and history(proposal) == [second, first]
    with pytest.raises(AlreadyDecided, match="Hugo Marchand"):
        decide(proposal, nadia, AMEND, 1200, REASON, seen=first.pk)


def test_the_database_itself_refuses_two_first_decisions_and_a_refusal_without_reason(nadia):
    proposal = first_of(finished_run())
    decide(proposal, nadia, ACCEPT)
    for wrong in ({"verdict": ACCEPT}, {"verdict": REFUSE, "reason": "", "replaces": current_decision(proposal)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Decision(proposal=proposal, person=nadia, **wrong).save()


STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),  # which proposal
        st.integers(0, 3),  # who: two deciders, an agent, the DPO
        st.sampled_from([ACCEPT, AMEND, REFUSE, ""]),
        st.sampled_from([None, 1200, 0, -3.5, "texte"]),
        st.sampled_from(["", "ab", REASON]),
        st.sampled_from(["none", "standing", "stale"]),
    ),
    max_size=12,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS)
def test_whatever_people_do_the_decisions_and_the_journal_agree(in_brenoux, steps):
    people = [person("Nadia", "decideur"), person("Hugo", "decideur"), person("Agent", "agent"), person("DPO", "dpo")]
    run = finished_run()
    proposals = list(run.proposals.order_by("rank"))
    written: dict[int, list[tuple]] = {p.pk: [] for p in proposals}
    for which, who, verdict, value, reason, knowing in steps:
        proposal, past = proposals[which], written[proposals[which].pk]
        standing = past[-1][0] if past else None
        seen = {"none": None, "standing": standing, "stale": past[0][0] if len(past) > 1 else 10**9}[knowing]
        try:
            decision = decide(proposal, people[who], verdict, value, reason, seen)
        except (DecisionRefused, AlreadyDecided, NotADecider):
            continue
        assert who < 2, "only deciders decide"
        assert seen == standing, "a stale view is refused"
        past.append((decision.pk, decision.person_id, decision.verdict, decision.value, decision.reason))
    for proposal in proposals:
        kept = list(Decision.objects.filter(proposal=proposal).order_by("pk").values_list("pk", "person_id", "verdict", "value", "reason"))
        assert kept == written[proposal.pk], "nothing was overwritten"
        holding = Decision.objects.filter(proposal=proposal, replaced_by__isnull=True).count()
        assert holding == (1 if kept else 0)
    told = [entry.data for entry in Entry.objects.filter(event="decision.enregistree")]
    journalled = sorted(data["decision"] for data in told if data["execution"] == run.pk)
    assert journalled == sorted(pk for past in written.values() for pk, *_ in past)


def test_a_batch_covers_only_lines_that_this_person_was_shown(nadia, hugo):
    run = finished_run()
    shown, hidden = list(run.proposals.order_by("rank"))[:2], run.proposals.get(rank=3)
    mark_displayed(shown, nadia)
    mark_displayed([hidden], hugo)
    with pytest.raises(DecisionRefused, match="3 ne vous ont pas encore été montrées"):
        decide_batch([*shown, hidden], nadia, ACCEPT)
    assert not Decision.objects.exists()
    assert len(decide_batch(shown, nadia, ACCEPT)) == 2


def test_a_batch_is_written_whole_or_not_at_all(nadia, hugo):
    run = finished_run()
    mark_displayed(run.proposals.all(), nadia)
    decide(run.proposals.get(rank=3), hugo, ACCEPT)
    with pytest.raises(AlreadyDecided, match="Hugo Marchand"):
        decide_batch(run.proposals.order_by("rank"), nadia, REFUSE, REASON)
    assert Decision.objects.count() == 1 and Entry.objects.filter(event="decision.enregistree").count() == 1


def test_a_batch_needs_lines_never_amends_and_gives_its_reason(nadia):
    run = finished_run()
    mark_displayed(run.proposals.all(), nadia)
    for chosen, verdict, reason in (([], ACCEPT, ""), (run.proposals.all(), AMEND, REASON), (run.proposals.all(), REFUSE, "")):
        with pytest.raises(DecisionRefused):
            decide_batch(chosen, nadia, verdict, reason)


def test_showing_a_line_twice_keeps_one_mark(nadia):
    run = finished_run()
    for _ in range(2):
        mark_displayed(run.proposals.all(), nadia)
    assert Displayed.objects.count() == 3


def test_people_reading_the_same_run_see_each_other_for_a_while(nadia, hugo):
    run = finished_run()
    assert others_present(run, hugo, run.proposals.get(rank=2)) == []
    [seen] = others_present(run, nadia)
    assert (seen.person, seen.proposal.rank) == (hugo, 2)
    Presence.objects.filter(person=hugo).update(seen_at=timezone.now() - timedelta(minutes=6))
    assert others_present(run, nadia) == []


def test_a_usual_value_that_several_lines_share_is_claimed_by_none():
    once, twice = Recommendation("Nord", "prévoir", 5.0), Recommendation("Sud", "prévoir", 6.0)
    assert usual_values(Outcome([once, twice, twice])) == {("Nord", "prévoir"): 5.0}
    assert usual_values(None) == {}


# --- Real processes on a database of their own ------------------------------------------------------------------------------------------

SETUP = """
import json
from bocage.organisations.services import ensure_organisation
from bocage.organisations.tenancy import organisation_context
from tests.decisions.lists import finished_run, person, proposals_of
brenoux = ensure_organisation("Pays de Brenoux", "epci")
with organisation_context(brenoux):
    people = [person("Nadia", "decideur").pk, person("Hugo", "decideur").pk]
    print(json.dumps([people, finished_run(proposals_of(%d)).pk]))
"""
DECIDE = """
import sys, time
from bocage.decisions.decide import AlreadyDecided, decide
from bocage.decisions.models import Proposal
from bocage.organisations.models import User
from bocage.organisations.services import get_organisation
from bocage.organisations.tenancy import organisation_context
with organisation_context(get_organisation("pays-de-brenoux")):
    person = User.objects.get(pk=%d)
    proposals = list(Proposal.objects.filter(run_id=%d).select_related("run").order_by("rank"))
    open(%r, "w").close()
    while time.time() < %f:
        pass
    won = 0
    for proposal in proposals:
        try:
            decide(proposal, person, "acceptee")
            won += 1
        except AlreadyDecided:
            pass
print(won)
"""
COUNT = """
import json
from bocage.decisions.models import Decision
from bocage.journal.models import Entry
from bocage.journal.services import verify
from bocage.organisations.services import get_organisation
from bocage.organisations.tenancy import organisation_context
with organisation_context(get_organisation("pays-de-brenoux")):
    decided = list(Decision.objects.order_by("pk").values_list("pk", flat=True))
    told = [e.data["decision"] for e in Entry.objects.filter(event="decision.enregistree").order_by("sequence")]
    found = verify()
    print(json.dumps([decided, told, list(found.breaks), Decision.objects.values("proposal").distinct().count()]))
"""


def _launch(own: Server, code: str) -> subprocess.Popen[str]:
    prelude = "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'bocage.settings'; import django; django.setup()\n"
    return subprocess.Popen(
        [sys.executable, "-c", prelude + code], env=own.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.slow
def test_two_processes_deciding_the_same_proposals_at_once_never_both_win(tmp_path: Path):
    with server(tmp_path) as own:
        own.bocage("migrate", check=True)
        people, run = json.loads(own.python(SETUP % 40))
        start = time.time() + 12
        racers = [_launch(own, DECIDE % (who, run, str(tmp_path / f"ready{who}"), start)) for who in people]
        outcomes = [racer.communicate(timeout=100) for racer in racers]
        assert [racer.returncode for racer in racers] == [0, 0], outcomes
        assert sum(int(out) for out, _ in outcomes) == 40
        decided, told, breaks, proposals = json.loads(own.python(COUNT))
        assert len(decided) == proposals == 40 and sorted(told) == decided and breaks == []


@pytest.mark.slow
def test_a_process_killed_while_deciding_leaves_decision_and_journal_entry_or_neither(tmp_path: Path):
    with server(tmp_path) as own:
        own.bocage("migrate", check=True)
        people, run = json.loads(own.python(SETUP % 2000))
        for who in people:
            ready = tmp_path / f"ready{who}"
            decider = _launch(own, DECIDE % (who, run, str(ready), 0.0))
            wait_until(ready.exists, "the process that decides")
            time.sleep(0.4)
            os.kill(decider.pid, signal.SIGKILL)
            decider.communicate(timeout=30)
            assert decider.returncode == -signal.SIGKILL, "it was killed in the middle, not at its end"
            decided, told, breaks, proposals = json.loads(own.python(COUNT))
            assert 0 < len(decided) < 2000
            assert sorted(told) == decided and len(decided) == proposals and breaks == []
