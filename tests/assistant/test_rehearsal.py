"""Search learns from questions asked of indexes that do not hold them, laid out as communes' are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from bocage.assistant import rehearsal
from bocage.assistant.bank import held_out
from bocage.assistant.rehearsal import Asked, Layout, Material, Place, Stranger, ask, gather, off_topic_lines
from bocage.assistant.towns import BrokenTown, towns
from bocage.methods.retrieval import features
from tests.assistant.test_embedding_server import hashed, national_sheets


class Hashed:
    """The tests' vectors, as an embedder."""

    name = "hachage"

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors (n, 96)."""
        return hashed(texts).astype(np.float32)


@pytest.fixture(scope="module")
def material() -> Material:
    """Sixty sheets and all their questions."""
    return gather(national_sheets(), Hashed(), None, lambda line: None)


@pytest.fixture(scope="module")
def asked(material: Material) -> tuple[Asked, list[Stranger]]:
    """Everything asked of them, and some of the off-topic lines."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rehearsal, "off_topic_lines", lambda: off_topic_lines()[::20])
        return ask(material, 40, Hashed(), lambda line: None)


def column(a: Asked, name: str) -> np.ndarray:
    """A feature of the sheet that answers each question; NaN where it was not among the candidates."""
    values = np.full(len(a.subject), np.nan)
    for n in range(len(a.subject)):
        some = slice(a.rows[n], a.rows[n + 1])
        if a.right[some].any():
            values[n] = a.table[some, features.NAMES.index(name)][a.right[some]][0]
    return values


def test_every_place_is_rehearsed_and_each_question_has_at_most_one_right_sheet(asked):
    a, _ = asked
    assert set(a.place.tolist()) == set(Place)
    assert len(a.rows) == len(a.subject) + 1 == len(a.vector) + 1 and a.rows[-1] == len(a.table) == len(a.right)
    sheets = np.flatnonzero(a.place <= Place.ALONE)
    assert max(a.right[a.rows[n] : a.rows[n + 1]].sum() for n in sheets) == 1


def test_a_sheet_has_the_questions_that_its_place_says(asked):
    a, _ = asked
    questions = column(a, "bank_size")
    for place in (Place.BARE, Place.LOCAL, Place.ALONE):
        here = (a.place == place) & ~np.isnan(questions)
        assert here.any() and not questions[here].any()
    known = (a.place == Place.KNOWN) & ~np.isnan(questions)
    assert np.mean(questions[known] > 0) > 0.9


def test_the_held_out_tenth_never_has_a_question(asked, material):
    a, _ = asked
    tenth = np.array([held_out(d.id) for d in material.documents])
    assert (material.tenth == tenth).all()
    sheets = a.subject < len(tenth)
    questions = column(a, "bank_size")[sheets][tenth[a.subject[sheets]]]
    assert not np.nan_to_num(questions).any()


def test_no_index_holds_a_question_while_it_is_asked(material, monkeypatch):
    inside: dict[Layout, set[str]] = {}
    current: list[set[str]] = []
    found: list[bool] = []
    add, speller, read = Layout.add_sheets, Layout.speller, rehearsal.read_question

    def noting_add(layout, sheets, keep):
        here = np.flatnonzero(np.isin(material.sheet, sheets) & keep)
        inside.setdefault(layout, set()).update(material.questions[n] for n in here)
        add(layout, sheets, keep)

    def noting_speller(layout):
        current.append(inside[layout])
        return speller(layout)

    def noting_read(text, *more):
        found.append(text in current[-1])
        return read(text, *more)

    monkeypatch.setattr(Layout, "add_sheets", noting_add)
    monkeypatch.setattr(Layout, "speller", noting_speller)
    monkeypatch.setattr(rehearsal, "read_question", noting_read)
    monkeypatch.setattr(rehearsal, "off_topic_lines", lambda: off_topic_lines()[::20])
    ask(material, 40, Hashed(), lambda line: None)
    assert len(found) > 500
    assert not any(found)


def test_what_a_town_s_people_ask_is_answered_by_its_own_pages_or_services(asked, material):
    a, outside = asked
    here = a.place == Place.TOWN
    found = column(a, "local")[here]
    assert np.nanmin(found) == 1 and np.mean(~np.isnan(found)) > 0.9
    assert set((a.subject[here] - len(material.documents)).tolist()) == set(range(len(towns())))
    elsewhere = np.flatnonzero(a.place == Place.ELSEWHERE)
    assert len(elsewhere) and not any(a.right[a.rows[n] : a.rows[n + 1]].any() for n in elsewhere)
    assert sum(s.town for s in outside) == sum(len(town.off_topic) for town in towns())


def test_off_topic_lines_are_asked_once_in_each_layout_of_the_national_sheets(asked):
    _, outside = asked
    lines = np.bincount([s.line for s in outside if not s.town], minlength=len(off_topic_lines()[::20]))
    assert (lines == 2).all()


def test_a_question_whose_answer_does_not_exist_is_refused_by_name(tmp_path):
    town = tmp_path / "ville"
    (town / "pages").mkdir(parents=True)
    (town / "pages" / "eau.md").write_text("# Eau\n\nLa régie répond le matin.\n", encoding="utf-8")
    (town / "annuaire.toml").write_text('[[service]]\nnom = "Mairie"\ntelephone = "04 00 00 00 00"\n', encoding="utf-8")
    for name in ("national.txt", "off.txt"):
        (town / name).write_text("", encoding="utf-8")
    asked = town / "questions.jsonl"
    asked.write_text('{"q": "numéro ?", "gold": ["annuaire: Mairie", "pages/eau.md"]}', encoding="utf-8")
    (read,) = towns(tmp_path)
    assert [sorted(right) for _, right in read.questions] == [[0, 1]]
    asked.write_text('{"q": "numéro ?", "gold": ["pages/gaz.md"]}', encoding="utf-8")
    with pytest.raises(BrokenTown, match=r"numéro.*gaz"):
        towns(tmp_path)
    asked.write_text('{"q": "numéro ?"}', encoding="utf-8")
    with pytest.raises(BrokenTown, match=r"questions\.jsonl"):
        towns(tmp_path)
