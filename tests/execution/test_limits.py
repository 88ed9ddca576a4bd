"""What an engine may not take: memory, time, processes, room; and nothing of it is left afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocage.contract.errors import EngineFault
from bocage.contract.outcome import Outcome, Recommendation
from bocage.execution import bounds


def alive(mark: str) -> list[int]:
    """Processes whose command line holds ``mark``."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "status"]):
        line = process.info["cmdline"] or []
        if process.pid != os.getpid() and any(mark in part for part in line) and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process.pid)
    return found


def no_child() -> bool:
    """No warden nor worker of ours is left. Other tests of this process may have children of their own (a Dask cluster's tracker)."""
    return not [child for child in psutil.Process().children(recursive=True) if "execution" in " ".join(_command(child))]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_memory(lab: Any, temporary: Path) -> None:
    role = lab.engine(lab.run("memoire", memory_mb=300))
    assert role.error_code == "memoire-depassee" and "300 Mo" in role.error_message
    assert 250 < role.peak_mb < 1500
    assert no_child() and not list(temporary.iterdir())


def test_time_even_when_the_engine_ignores_the_demand(lab: Any, temporary: Path) -> None:
    start = time.monotonic()
    role = lab.engine(lab.run("dort", seconds=0.5))
    assert role.error_code == "temps-depasse" and "0.5 s" in role.error_message
    assert time.monotonic() - start < 15
    assert no_child() and not list(temporary.iterdir())


def test_grandchildren_that_left_the_session_do_not_stay(lab: Any) -> None:
    mark = f"marque-{uuid.uuid4().hex}"
    lab.evidence(lab.run("famille", target=mark))
    assert not alive(mark)


@pytest.mark.parametrize(("gesture", "word"), [("suicide", "signal 9"), ("sortie", "code 7")])
def test_a_worker_that_dies(lab: Any, temporary: Path, gesture: str, word: str) -> None:
    role = lab.engine(lab.run(gesture))
    assert role.error_code == "calcul-interrompu" and word in role.error_message and "relancé" in role.error_message
    assert no_child() and not list(temporary.iterdir())


def test_a_worker_killed_from_outside(lab: Any, temporary: Path) -> None:
    def kill(fraction: float, message: str) -> None:
        for process in psutil.Process().children(recursive=True):
            line = process.cmdline()
            if "bocage.execution.worker" in line and "--" not in line:  # the warden's own line names the worker after « -- »
                process.send_signal(signal.SIGKILL)

    role = lab.engine(lab.run("dort", progress=kill))
    assert role.error_code == "calcul-interrompu" and "signal 9" in role.error_message
    assert no_child() and not list(temporary.iterdir())


def test_a_warden_killed_from_outside(lab: Any, temporary: Path) -> None:
    mark = f"marque-{uuid.uuid4().hex}"

    def kill() -> bool:
        """Asked after each look at the tree."""
        if len(alive(mark)) >= 2:
            for process in psutil.Process().children():
                process.send_signal(signal.SIGKILL)
        return False

    role = lab.engine(lab.run("famille", target=mark, number=50, cancelled=kill))
    assert role.error_code == "calcul-interrompu"
    assert lab.eventually(lambda: not alive(mark)) and no_child() and not list(temporary.iterdir())


def test_cancel(lab: Any, temporary: Path) -> None:
    asked: list[float] = []
    record = lab.run("dort", role="both", progress=lambda fraction, message: asked.append(fraction), cancelled=lambda: bool(asked))
    assert record.error_code == "calcul-interrompu" and "votre demande" in record.error_message
    assert [role.role for role in record.roles] == ["engine"]
    assert no_child() and not list(temporary.iterdir())


def test_a_parent_killed_leaves_no_orphan_and_no_folder(lab: Any, tmp_path: Path) -> None:
    mark = f"marque-{uuid.uuid4().hex}"
    script = (
        "import sys; from bocage.execution import execute, RunRequest\n"
        "p={'geste':'famille','cible':sys.argv[1],'nombre':50}\n"
        "execute(RunRequest('essai_moteur',{},p,role='engine',seconds=100),lambda f,m: print('va',flush=True))"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    parent = subprocess.Popen([sys.executable, "-c", script, mark], stdout=subprocess.PIPE, env=environment)
    assert parent.stdout is not None and parent.stdout.readline() == b"va\n"
    family = psutil.Process(parent.pid).children(recursive=True)
    assert len(family) >= 4  # warden, worker, two grandchildren adopted by the warden
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert lab.eventually(lambda: not alive(mark) and not any(process.is_running() for process in family))
    assert lab.eventually(lambda: not list(tmp_path.iterdir()))


def test_noise_is_kept_short(lab: Any) -> None:
    role = lab.engine(lab.run("bavard"))
    assert role.error_code == "" and role.output.endswith("fin du bavardage\n")
    assert len(role.output) <= 16 * 1024


DEFECTS = {
    "nan": "recommendations[0].value = nan",
    "type_faux": "recommendations.0.subject",
    "autre_objet": "dict",
    "nombreux": "100001",
    "profond": "niveaux",
    "enorme": "Mo",
}


def test_a_defect_is_told_and_the_baseline_still_runs(lab: Any) -> None:
    record = lab.run("leve", role="both")
    role, baseline = lab.engine(record), record.role("baseline")
    assert role.error_code == "erreur-moteur" and "ValueError (engine.py, ligne" in role.error_message
    assert baseline is not None and baseline.outcome is not None and baseline.error_code == ""


def test_answers_that_no_one_should_believe(lab: Any) -> None:
    """From several threads at once, as a server does."""
    with ThreadPoolExecutor(3) as threads:
        for word, record in zip(DEFECTS.values(), threads.map(lab.run, DEFECTS), strict=True):
            role = lab.engine(record)
            assert role.error_code == "erreur-moteur" and word in role.error_message and role.outcome is None
            assert len(role.error_message) < 1000


@given(st.sets(st.integers(-(10**6), 10**6), min_size=3, max_size=3))
def test_nobody_is_shown_a_value_outside_its_bounds(three: set[int]) -> None:
    low, value, high = sorted(three)

    def kept(middle: float, interval: tuple[float, float]) -> Outcome:
        return bounds.outcome(Outcome([Recommendation("Nord", "produire", value=middle, interval=interval)]).to_json())

    assert kept(value, (low, high)).recommendations[0].interval == (low, high)
    for middle, interval in ((value, (high, low)), (low, (value, high)), (high, (low, value))):
        with pytest.raises(EngineFault, match="« Nord »"):
            kept(middle, interval)


def test_garbage_on_every_descriptor(lab: Any) -> None:
    record = lab.run("faux_messages")
    assert lab.engine(record).error_code in ("erreur-moteur", "calcul-interrompu")


def test_an_engine_that_declines(lab: Any) -> None:
    role = lab.engine(lab.run("peu"))
    assert (role.error_code, role.error_message) == ("donnees-insuffisantes", "Il faut au moins deux ans d’historique.")
