"""A deposit is the file as received: complete, hashed, once."""

from __future__ import annotations

import hashlib
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bocage.contract.errors import UnreadableFile
from bocage.deposits.models import Deposit
from bocage.deposits.services import deposit_file, keep_reports


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


def test_a_nul_in_a_report_is_shown_by_its_sign_on_every_database(in_brenoux, tmp_path):
    source = tmp_path / "a.csv"
    source.write_text("x")
    deposit = deposit_file(source, "eau_demande", "debits")
    keep_reports({deposit: {"file": "a", "errors": [{"read": "1\x002"}], "details": {"kinds": [], "cells": [[1, 0, "\x00"]]}}})
    deposit.refresh_from_db()
    assert deposit.report["errors"][0]["read"] == "1␀2" and deposit.details["cells"][0][2] == "␀"


def test_what_a_killed_deposit_left_is_swept_and_what_is_under_way_is_not(in_brenoux, tmp_path, settings):
    source = tmp_path / "a.csv"
    source.write_text("x")
    folder = deposit_file(source, "eau_demande", "debits").path.parent
    old, new = folder / ".part-old", folder / ".part-new"
    for part in (old, new):
        part.write_text("x")
    os.utime(old, (0, 0))
    deposit_file(source, "eau_demande", "meteo")
    assert not old.exists() and new.exists()
