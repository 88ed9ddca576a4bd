"""What an engine may not reach: the network, other people's files, other processes, the server's secrets."""

from __future__ import annotations

import errno
import os
import platform
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
