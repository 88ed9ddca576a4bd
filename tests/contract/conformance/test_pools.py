"""An engine that sends its work to ``res.pool`` answers alike here, on processes and on a real Dask cluster; one that does not is caught.

The functions sent live in a private use case: workers import them by the name that BOCAGE_USECASES_PATH gives them.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path

import pytest

from bocage.contract import conformance, discovery
from bocage.contract.conformance import spread
from bocage.contract.scaffold import new_use_case

LINE = "        weeks = cast({name}Params, params).semaines\n"
POOLED = "        if res.pool is not None:\n            assert list(res.pool.map(halved, [2, 4])) == [1.0, 2.0]\n"
HALVED = '''def halved(number: float) -> float:
    """Half of ``number``: what is sent to the pool."""
    return half_of(number)


# 4. The method'''


def write(parent: Path, slug: str, *edits: tuple[str, str]) -> str:
    """A use case whose engine sends a function, which calls a sibling module, to the pool; then ``edits`` of its engine.py."""
    folder = new_use_case(slug, parent)
    (folder / "halves.py").write_text('"""Halves."""\n\n\ndef half_of(x: float) -> float:\n    """Half of x."""\n    return x / 2\n')
    text = (folder / "engine.py").read_text(encoding="utf-8")
    line = LINE.format(name=discovery.camel(slug))
    first = "from bocage.contract.usecase import Inputs, Resources, Truth\n"
    for old, new in ((line, line + POOLED), ("# 4. The method", HALVED), (first, f"{first}\nfrom .halves import half_of\n"), *edits):
        assert old in text
        text = text.replace(old, new)
    (folder / "engine.py").write_text(text, encoding="utf-8")
    discovery.clear()
    return slug


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A private folder with a faithful use case and one that answers otherwise on Dask."""
    parent = tmp_path_factory.mktemp("cas")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BOCAGE_USECASES_PATH", str(parent))
        patch.setattr(spread, "_WORKERS", 1)  # one process is another process; two cost twice the imports
        discovery.clear()
        write(parent, "pool_fidele")
        dask = '"distributed" in type(getattr(res.pool, "inner", None)).__module__'
        write(parent, "pool_infidele", ("same_days.tail(weeks)", f"same_days.tail(1 if {dask} else weeks)"))
        yield parent
        discovery.clear()


@pytest.fixture(scope="module")
def cluster(folder: Path) -> Iterator[Executor]:
    """The suite's own cluster, started once for this module."""
    pytest.importorskip("distributed")
    with spread._cluster() as executor:
        yield executor


@pytest.fixture
def on_cluster(cluster: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite uses the cluster that is already there."""

    @contextmanager
    def already() -> Iterator[Executor]:
        yield cluster

    monkeypatch.setattr(spread, "_cluster", already)


@pytest.mark.usefixtures("on_cluster")
def test_a_faithful_engine_answers_alike_on_dask_and_processes() -> None:
    report = conformance.check("pool_fidele", only=["processes", "dask", "imports", "docstrings"])
    assert [result.state for result in report.results] == ["tenu"] * 4, report.to_text()
    assert "1 envoi " in report["dask"].sentence and "1 envoi " in report["processes"].sentence


@pytest.mark.usefixtures("on_cluster")
def test_an_engine_that_answers_otherwise_on_dask_is_caught() -> None:
    result = conformance.check("pool_infidele", only=["dask"])["dask"]
    assert result.state == "rompu" and "le résultat change" in result.sentence


def test_dask_is_beside_the_point_where_it_is_not_installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread.importlib.util, "find_spec", lambda name: None)
    result = conformance.check("pool_fidele", only=["dask"])["dask"]
    assert result.state == "sans objet" and "bocage[dask]" in result.sentence
