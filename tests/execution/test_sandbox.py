"""What an engine may not reach: the network, other people's files, other processes, the server's secrets."""

from __future__ import annotations

import errno
import os
import platform
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bocage.execution import seccomp

linux = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"), reason="the kernel's walls are those of Linux"
)


def test_a_socket_in_an_engine_is_a_clear_error(lab: Any) -> None:
    role = lab.engine(lab.run("prise"))
    assert role.error_code == "erreur-moteur"
    assert "réseau" in role.error_message and "engine.py, ligne" in role.error_message
    assert "Traceback" not in role.error_message and "Traceback" in role.output


@linux
def test_no_way_to_the_network(lab: Any) -> None:
    """Python, urllib, the C library, io_uring, curl and a child interpreter are all refused, by the kernel."""
    record = lab.run("reseau")
    seen = lab.evidence(record)
    assert record.sandbox == "seccomp"
    assert "réseau" in seen["python"] and "réseau" in seen["urllib"]
    assert {seen[name] for name in ("inet", "inet6", "netlink", "unix", "io_uring")} == {errno.EPERM}
    assert not seen["curl"].startswith("0 ")
    assert seen["enfant"].startswith(f"{errno.EPERM} ")


@linux
def test_pool_processes_have_no_network_either(lab: Any) -> None:
    seen = lab.evidence(lab.run("prise_enfant", workers=2))
    assert "réseau" in seen["dit"][0] and seen["brut"] == [errno.EPERM]


@linux
def test_no_other_process_is_touched_and_nothing_is_left_that_none_holds(lab: Any) -> None:
    """Limits and turns of others, memory and messages that outlive the run, namespaces in which one would be root."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        before = resource.prlimit(other.pid, resource.RLIMIT_CPU)
        seen = lab.evidence(lab.run("autres", target=str(other.pid)))
        assert resource.prlimit(other.pid, resource.RLIMIT_CPU) == before
        other.communicate(b"\n")
    assert {name: code for name, code in seen.items() if code != errno.EPERM} == {}
    assert other.returncode == 0


@linux
def test_what_ordinary_libraries_do_on_themselves_goes_on(lab: Any) -> None:
    seen = lab.evidence(lab.run("siens"))
    assert seen == {"limite": "fait", "limites": "fait", "coeurs": "fait", "priorite": "fait", "fourche": 0, "enfant": seen["enfant"]}
    assert seen["enfant"].startswith("0 ")


@linux
def test_files_and_processes_of_others(lab: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOCAGE_SECRET_KEY_OF_TEST", "secret")
    (tmp_path / "secret").write_text("à un autre")
    given = tmp_path / "dépôt n° 1.txt"
    given.write_text("contenu")
    record = lab.run("fichiers", target=str(tmp_path), inputs={"fichier": given})
    seen = lab.evidence(record)
    assert seen["ecrire_chez_soi"] == "fait" and seen["lire_entree"] == "fait"
    assert given.read_text() == "contenu"
    assert not any("SECRET" in name or "DJANGO" in name for name in seen["environnement"])
    if record.landlock:
        for act in ("ecrire_dehors", "ecrire_entree", "lire_dehors", "lire_parent"):
            assert seen[act].startswith("PermissionError"), act
    if record.landlock >= 6:
        assert seen["tuer_parent"].startswith("PermissionError")


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_is_well_formed(machine: str) -> None:
    """Jumps stay inside, the architecture is checked first, and the last word is a refusal."""
    lines = seccomp.program(machine)
    assert lines[0][3] == 4 and lines[-1][0] == 0x06
    for place, (code, if_true, if_false, _) in enumerate(lines):
        if code & 0x07 == 0x05:
            assert place + 1 + max(if_true, if_false) < len(lines)


def verdict(machine: str, number: int, first: int = 0, second: int = 0) -> str:
    """What the filter says of a call, read as the kernel reads it."""
    architecture = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}[machine]
    data = {0: number, 4: architecture, 16: first & 0xFFFFFFFF, 24: second & 0xFFFFFFFF}
    lines, at, held = seccomp.program(machine), 0, 0
    while True:
        code, if_true, if_false, operand = lines[at]
        at += 1
        match code:
            case 0x06:
                return {0x7FFF0000: "allowed", 0x00050001: "refused", 0x00050026: "absent", 0x80000000: "killed"}[operand]
            case 0x20:
                held = data[operand]
            case 0x54:
                held &= operand
            case 0x15:
                at += if_true if held == operand else if_false
            case 0x35:
                at += if_true if held >= operand else if_false


@pytest.mark.parametrize(("machine", "prlimit", "setpriority", "clone"), [("x86_64", 302, 141, 56), ("aarch64", 261, 140, 220)])
def test_one_may_change_oneself_and_nobody_else(machine: str, prlimit: int, setpriority: int, clone: int) -> None:
    assert [verdict(machine, prlimit, pid) for pid in (0, 1, os.getpid(), -1)] == ["allowed", "refused", "refused", "refused"]
    assert [verdict(machine, setpriority, *who) for who in ((0, 0), (0, 7), (2, 0))] == ["allowed", "refused", "refused"]
    assert verdict(machine, clone, 0x11) == "allowed", "a process"
    assert verdict(machine, clone, 0x3D0F00) == "allowed", "a thread"
    assert {verdict(machine, clone, 1 << bit | 0x11) for bit in (17, 25, 26, 27, 28, 29, 30)} == {"refused"}, "a namespace"
    assert verdict(machine, 435) == "absent"


def test_nothing_is_left_of_a_locked_folder(lab: Any, temporary: Path) -> None:
    lab.evidence(lab.run("verrouille"))
    assert not list(temporary.iterdir())


def test_the_parent_keeps_its_own_rights(lab: Any) -> None:
    """The walls are the worker's, not ours."""
    lab.run("rien")
    reader, writer = os.pipe()
    os.close(reader)
    os.close(writer)
    import socket

    socket.socket(socket.AF_INET).close()
