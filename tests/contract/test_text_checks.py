"""What no database keeps is found wherever it stands, and everything else goes through unchanged."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocage.contract.errors import InvalidParams
from bocage.contract.text_checks import DEEPEST, is_storable, refuse_unstorable, storable

KEPT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | KEPT,
    lambda inner: st.lists(inner) | st.dictionaries(KEPT, inner),
    max_leaves=12,
)


@given(VALUES)
def test_what_can_be_kept_is_given_back_as_it_is(value):
    assert refuse_unstorable(value) is value


@given(st.text())
def test_what_is_made_storable_is_utf8_without_nul_and_loses_nothing_else(text):
    kept = storable(text)
    assert is_storable(kept) and "\x00" not in kept and kept.encode().decode() == kept
    assert kept == "".join(character for character in text if is_storable(character))


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({"lieux": ["Nord", {"nom": "S\x00ud"}]}, "params.lieux.1.nom"),
        ({"a\ud800": 1}, "params"),
        ("\udc00", "params"),
        (["a", ("b", "\x00")], "params.1.1"),
    ],
)
def test_the_place_of_what_cannot_be_kept_is_named(value, where):
    with pytest.raises(InvalidParams, match=f"« {where} »"):
        refuse_unstorable(value, "params")


@pytest.mark.parametrize("levels", [DEEPEST + 1, 900, 100_000])
def test_what_is_nested_too_deep_is_a_sentence_and_not_a_crash(levels):
    value: object = 1
    for _ in range(levels):
        value = [value]
    with pytest.raises(InvalidParams, match=f"{DEEPEST} niveaux"):
        refuse_unstorable({"zones": value}, "params")


def test_the_deepest_that_is_taken_can_be_written_as_json():
    value: object = "fond"
    for _ in range(DEEPEST):
        value = [value]
    assert json.loads(json.dumps(refuse_unstorable(value))) == value
