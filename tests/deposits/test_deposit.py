"""A deposit is the file as received: complete, hashed, once."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bocage.contract.errors import UnreadableFile
from bocage.deposits.models import Deposit
from bocage.deposits.services import deposit_file


@given(content=st.binary(max_size=5000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
def test_the_bytes_are_kept_as_received(in_brenoux, tmp_path, content):
    source = tmp_path / "débits.CSV"
    source.write_bytes(content)
    deposit = deposit_file(source, "eau_demande", "debits")
    assert deposit.path.read_bytes() == content
    assert deposit.sha256 == hashlib.sha256(content).hexdigest()
    assert deposit.size == len(content)


def test_the_same_file_twice_is_one_deposit(in_brenoux, tmp_path):
    source = tmp_path / "a.csv"
    source.write_text("x")
    assert deposit_file(source, "eau_demande", "debits") == deposit_file(source, "eau_demande", "debits")
    assert Deposit.objects.count() == 1


def test_a_missing_file_is_said_in_a_sentence_and_leaves_nothing(in_brenoux, tmp_path, settings):
    with pytest.raises(UnreadableFile, match=r"absent\.csv"):
        deposit_file(tmp_path / "absent.csv", "eau_demande", "debits")
    assert Deposit.objects.count() == 0
    assert not [p for p in (tmp_path / "deposits").rglob("*") if p.is_file()]
