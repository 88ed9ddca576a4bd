"""What a run gives and keeps: progress, records, hashes, energy, pools, Dask."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import shutil
import time
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from bocage.contract import discovery
from bocage.contract.errors import BocageError, EngineFault, InvalidParams, UnknownUseCase
from bocage.contract.outcome import Outcome, Recommendation
from bocage.execution import RunRecord, RunRequest, evaluate, execute, explain, fingerprint, params
from bocage.execution.channel import ProtocolError, Reader, encode
from bocage.execution.energy import Meter, from_cpu
from bocage.execution.workspace import Workspace

TABLE = "jour;secteur;volume\n2026-01-01;Nord;100,5\n2026-01-02;Nord;110,5\n2026-01-01;Sud;20\n2026-01-02;Sud;30\n2026-01-03;Sud;beaucoup\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "volumes du mois.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def test_a_table_from_file_to_proposals(lab: Any, table: Path) -> None:
    record = execute(RunRequest("essai_tableau", {"volumes": table}, {"coefficient": "1.5"}, seconds=20))
    assert record.error_code == "", record.error_message
    assert record.params == {"coefficient": 1.5}
    report = json.dumps(record.reports["volumes"], ensure_ascii=False)
    assert "beaucoup" in report
    role = lab.engine(record)
    assert role.outcome is not None and [rec.value for rec in role.outcome.recommendations] == [158.25, 37.5]
    baseline = record.role("baseline")
    assert baseline is not None and baseline.outcome is not None
    assert evaluate("essai_tableau", role.outcome, {"mesures": table}) == {"ecart": pytest.approx(32.625)}
    assert RunRecord.from_dict(json.loads(json.dumps(record.to_dict()))) == record


def test_a_run_starts_in_a_server_that_holds_thousands_of_files(lab: Any, table: Path) -> None:
    with contextlib.ExitStack() as held:
        for _ in range(1200):
            held.enter_context(Path(os.devnull).open("rb"))
        record = execute(RunRequest("essai_tableau", {"volumes": table}, {}, seconds=20))
    assert record.error_code == "", record.error_message


def test_an_engine_reads_a_deposit_under_the_name_that_people_gave_it(lab: Any, tmp_path: Path) -> None:
    stored = tmp_path / ("f" * 64 + ".txt")
    stored.write_text("x")
    with Workspace() as workspace:
        paths, hashes = workspace.take({"fichier": stored}, {"fichier": "../Relevés d’octobre.zip"})
        assert Path(paths["fichier"]).name == "Relevés d’octobre.txt", "its own kind, and no way out of the folder"
        assert Path(paths["fichier"]).parent.name == "fichier" and hashes == {"fichier": hashlib.sha256(b"x").hexdigest()}


def test_the_same_request_twice(lab: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("x")
    first, second = (lab.run("rien", inputs={"fichier": file}, seed=7) for _ in range(2))
    assert (first.engine_version, first.input_hash) == (second.engine_version, second.input_hash)
    assert [role.outcome for role in first.roles] == [role.outcome for role in second.roles]
    assert lab.evidence(first)["graine"] == 7 and lab.evidence(first)["entrees"] == ["fichier"]
    assert first.input_hash == fingerprint.input_hash({"fichier": hashlib.sha256(b"x").hexdigest()})
    assert first.input_hash != fingerprint.input_hash({"fichier": hashlib.sha256(b"y").hexdigest()})
    assert first.started_at.tzinfo is not None


def test_progress_goes_forward_at_ten_a_second(lab: Any) -> None:
    heard: list[tuple[float, float]] = []
    record = lab.run("avance", role="both", progress=lambda fraction, message: heard.append((time.monotonic(), fraction)))
    assert lab.engine(record).error_code == ""
    fractions = [fraction for _, fraction in heard]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0 and len(fractions) >= 3
    assert all(later[0] - sooner[0] >= 0.099 for sooner, later in itertools.pairwise(heard[:-1]))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"geste": "rien", "nombre": 99}, ["nombre", "99", "50 au plus"]),
        ({"nombre": "trois"}, ["nombre", "trois", "un nombre entier"]),
        ({"inconnu": 1}, ["inconnu", "geste, nombre"]),
    ],
)
def test_wrong_params_teach(lab: Any, given: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(InvalidParams) as caught:
        params.validated(discovery.load_engine("essai_moteur").params, given)
    assert all(word in caught.value.message for word in words), caught.value.message


def test_wrong_params_start_nothing(lab: Any) -> None:
    record = execute(RunRequest("essai_moteur", {}, {"inconnu": 1}))
    assert record.error_code == "parametres-invalides" and "inconnu" in record.error_message and not record.roles


def test_wrong_files_teach(lab: Any, tmp_path: Path, temporary: Path) -> None:
    (tmp_path / "a.pdf").write_text("x")
    cases = {
        "entree-manquante": [{"autre": tmp_path / "a.pdf"}, {"fichier": tmp_path / "absent.txt"}, {"../x": tmp_path / "a.pdf"}],
        "fichier-illisible": [{"fichier": tmp_path / "a.pdf"}],
    }
    for code, inputs in cases.items():
        for files in inputs:
            record = execute(RunRequest("essai_moteur", files))
            assert (record.error_code, record.roles) == (code, ()), record.error_message
    assert execute(RunRequest("essai_tableau", {})).error_code == "entree-manquante"
    assert not list(temporary.iterdir())


def test_requests_that_make_no_sense(lab: Any) -> None:
    with pytest.raises(UnknownUseCase):
        execute(RunRequest("essai_absent", {}))
    for wrong in ({"seconds": 0}, {"memory_mb": 1}, {"workers": 0}, {"dask": "http://x"}, {"role": "autre"}):
        with pytest.raises(InvalidParams):
            execute(RunRequest("essai_moteur", {}, **wrong))  # type: ignore[arg-type]


def test_an_engine_that_does_not_import(lab: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "cas" / "essai_moteur"
    shutil.copytree(Path(__file__).parent / "usecases" / "essai_moteur", folder)
    (folder / "engine.py").write_text("1 / 0\n")
    monkeypatch.setenv("BOCAGE_USECASES_PATH", str(folder.parent))
    discovery.clear()
    record = execute(RunRequest("essai_moteur", {}))
    assert record.error_code == "cas-invalide" and "ZeroDivisionError" in record.error_message


def test_engine_version_follows_code_and_nothing_else(lab: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "cas" / "essai_moteur"
    shutil.copytree(Path(__file__).parent / "usecases" / "essai_moteur", folder)
    monkeypatch.setenv("BOCAGE_USECASES_PATH", str(folder.parent))
    discovery.clear()
    before = fingerprint.engine_version("essai_moteur")
    engine = folder / "engine.py"
    engine.write_bytes(engine.read_bytes().replace(b"\n", b"\r\n"))
    for name in ("data/a.csv", "tests/test_a.py", "__pycache__/a.pyc", "README.md", ".cache"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x")
    assert fingerprint.engine_version("essai_moteur") == before
    (folder / "poids.txt").write_text("1")
    assert fingerprint.engine_version("essai_moteur") != before


def test_explain_and_evaluate(lab: Any) -> None:
    recommendations = [Recommendation("a", "agir"), Recommendation("b", "attendre")]
    sentences = explain("essai_moteur", recommendations)
    assert sentences == ["Pour a, il est proposé de agir.", "Pour b, il est proposé de attendre."]
    assert explain("essai_moteur", []) == []
    assert evaluate("essai_moteur", Outcome(recommendations), {}) == {"ecart": 2.0}
    for ask in (lambda bad: explain("essai_moteur", bad), lambda bad: evaluate("essai_moteur", Outcome(bad), {})):
        with pytest.raises(EngineFault):
            ask([Recommendation("a", "rater")])


# Energy


def test_energy_counts_children(lab: Any) -> None:
    still = lab.engine(lab.run("rien", workers=2)).energy
    alone = lab.engine(lab.run("brule")).energy
    pooled = lab.engine(lab.run("brule", workers=2)).energy
    assert alone.cpu_seconds > still.cpu_seconds + 0.5 and pooled.cpu_seconds > still.cpu_seconds + 0.7
    for energy in (still, alone, pooled):
        assert 0 < energy.low < energy.joules < energy.high or energy.method == "rapl"


def test_energy_by_counters(tmp_path: Path) -> None:
    """Counters as the kernel shows them: a wrap is followed, parts of a package are not counted twice, memory is added."""
    zones = {"intel-rapl:0": ("package-0", 900), "intel-rapl:0:0": ("core", 5), "intel-rapl:0:1": ("dram", 10), "intel-rapl:1": ("psys", 7)}
    for folder, (name, energy) in zones.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "name").write_text(f"{name}\n")
        (tmp_path / folder / "max_energy_range_uj").write_text(str(10**9))
        (tmp_path / folder / "energy_uj").write_text(str(energy * 10**6))
    meter = Meter(tmp_path)
    for folder, energy in (("intel-rapl:0", 20), ("intel-rapl:0:0", 500), ("intel-rapl:0:1", 30), ("intel-rapl:1", 900)):
        (tmp_path / folder / "energy_uj").write_text(str(energy * 10**6))
    energy = meter.read(0.01, 2.0)
    remote = from_cpu(2.0)
    assert energy.method == "rapl" and energy.high == pytest.approx(140 + remote.high)
    assert remote.low <= energy.low <= energy.joules <= energy.high
    assert Meter(tmp_path / "absent").read(1.0).method == "cpu-model"


# Pools


def test_processes_and_none_give_the_same(lab: Any) -> None:
    others = set(Path("/dev/shm").glob("sem.bocage-run-*"))
    alone, pooled = (lab.engine(lab.run("carres", number=9, workers=workers)).outcome for workers in (1, 2))
    assert alone.to_json() == pooled.to_json()
    assert "ValueError tâche 0" in lab.evidence(lab.run("tache_ratee", workers=2))["dit"]
    # Tests that run beside this one hold semaphores for a while; ours are gone, so none is new for long.
    assert lab.eventually(lambda: set(Path("/dev/shm").glob("sem.bocage-run-*")) <= others)


def test_dask_gives_the_same_bytes(lab: Any, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1") as cluster:
        address = cluster.scheduler_address
        here, there = (
            lab.engine(execute(RunRequest("essai_tableau", {"volumes": table}, role="engine", **where)))
            for where in ({"workers": 2}, {"dask": address})
        )
        assert here.outcome is not None and there.outcome is not None, there.error_message + there.output
        assert here.outcome.to_json() == there.outcome.to_json()
        failed = lab.run("tache_ratee", dask=address)
        assert "ValueError tâche 0" in lab.evidence(failed)["dit"]
        burnt = lab.engine(lab.run("brule", dask=address)).energy
        assert burnt.cpu_seconds > 0.8
    monkeypatch.setattr("bocage.execution.relay.CONNECT_SECONDS", 1)
    assert execute(RunRequest("essai_moteur", {}, dask="tcp://127.0.0.1:9")).error_code == "reglage-invalide"


# Channel


def test_messages_are_cut_and_bounded() -> None:
    data = encode({"t": "a"}, b"12345") + encode({"t": "b"})
    reader = Reader()
    heard = [message for place in range(len(data)) for message in reader.feed(data[place : place + 1])]
    assert heard == [({"t": "a", "blob": 5}, b"12345"), ({"t": "b", "blob": 0}, b"")]
    for bad in (b"x" * 70_000, b"[]\n", b'{"t":"a","blob":-1}\n', b'{"t":"a","blob":1e12}\n', b'{"t":"a","blob":99999999999}\n', b"\xff\n"):
        with pytest.raises(ProtocolError):
            list(Reader().feed(bad))


def test_every_fault_of_a_parameter_is_french(lab: Any) -> None:
    model = discovery.load_engine("essai_moteur").params
    with pytest.raises(BocageError) as caught:
        params.validated(model, {"nombre": None, "geste": 3})
    assert "« nombre »" in caught.value.message and "un texte" in caught.value.message


class Choices(BaseModel):
    """Parameters of every kind that a use case may declare."""

    model_config = ConfigDict(extra="forbid", regex_engine="python-re")

    jours: int = Field(3, ge=1, le=9)
    part: float = Field(0.5, ge=0, lt=2.5)
    zone: Literal["A", "B", "d’une autre"] = "A"
    etages: Literal[1, 2, 3] = 1
    seuil: float | None = 10.0
    debut: date = date(2021, 1, 1)
    territoire: str = Field("FR", pattern="^[A-Z]{2}$", description="Jours fériés : FR, FR-57…")
    code: str = Field("a", pattern="^(?=a)a")
    poids: dict[str, float] = {}
    lieux: list[str] = Field([], max_length=2)
    prix: Decimal = Decimal(1)


SCHEMA = Choices.model_json_schema()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("jours", 12, "lu « 12 », attendu 9 au plus"),
        ("part", -0.5, "lu « −0,5 », attendu 0 ou plus"),
        ("part", "NaN", "lu « NaN », attendu un nombre fini"),
        ("zone", "Z", "lu « Z », attendu une de ces valeurs : « A », « B » ou « d’une autre »"),
        ("etages", "3", "lu « 3 », attendu une de ces valeurs : 1, 2 ou 3"),
        ("seuil", "haut", "lu « haut », attendu un nombre"),
        ("debut", "2021-13-01", "lu « 2021-13-01 », attendu une date (AAAA-MM-JJ)"),
        ("territoire", "Bretagne", "lu « Bretagne », attendu un texte comme le dit sa description : « Jours fériés : FR, FR-57… »"),
        ("lieux", ["a", "b", "c"], "lu « a ; b ; c », attendu au plus 2 valeurs"),
        ("poids", {"Nord": "lourd"}, "lu « lourd », attendu un nombre"),
        ("jours", None, "lu rien, attendu un nombre entier"),
    ],
)
def test_a_parameter_is_refused_before_the_run_in_words_without_regular_expression(name: str, value: Any, said: str) -> None:
    assert params.faults(SCHEMA, {name: value}) == {name: said}
    with pytest.raises(InvalidParams, match=f"Paramètre « {name}"):
        params.check(SCHEMA, {name: value})


def test_an_unknown_parameter_is_told_with_those_that_exist() -> None:
    with pytest.raises(InvalidParams, match="code, debut, etages"):
        params.check(SCHEMA, {"etage": 2})


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 12),
    st.floats(-5, 12),
    st.sampled_from(["A", "a", "FR", " FR ", "2", "2021-05-01", "12:00", ""]),
)


@given(st.dictionaries(st.sampled_from(list(Choices.model_fields)), VALUES | st.lists(VALUES, max_size=3)))
def test_what_the_use_case_takes_is_never_refused_before_it(asked: dict[str, Any]) -> None:
    """The check before the run may let pass what the worker refuses; the contrary would forbid what is right."""
    try:
        params.validated(Choices, asked)
    except InvalidParams:
        return
    params.check(SCHEMA, asked)


def test_a_schema_that_names_itself_or_says_nothing_known_takes_everything() -> None:
    tree = {"properties": {"a": {"$ref": "#/$defs/T"}, "b": {"not": {}}}, "$defs": {"T": {"anyOf": [{"$ref": "#/$defs/T"}]}}}
    params.check(tree, {"a": {"b": [1]}, "b": "x"})
