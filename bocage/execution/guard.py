"""Closes the worker's doors: limits, file walls, no network. Standard library only; called before anything heavy is imported."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bocage.contract import machine_files
from bocage.execution import landlock, seccomp, warden

REFUSED = "Bocage : un moteur n’a pas accès au réseau ; donnez-lui ses données par ses fichiers d’entrée."
_AF_UNIX = 1
_CAPABILITY_VERSION_3 = 0x20080522
_NETWORK_EVENTS = frozenset(
    {
        "socket.connect",
        "socket.bind",
        "socket.sendto",
        "socket.sendmsg",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.gethostbyaddr",
        "socket.getnameinfo",
        "socket.sethostname",
        "urllib.Request",
        "http.client.connect",
        "ftplib.connect",
        "smtplib.connect",
        "poplib.connect",
        "imaplib.open",
        "telnetlib.Telnet.open",
    }
)


@dataclass(frozen=True, slots=True)
class Walls:
    """What ``close`` put up."""

    sandbox: Literal["seccomp", "hook"]
    landlock: int


def die_with(parent: int) -> None:
    """Ask the kernel to kill this process when ``parent`` ends; end at once if it already has."""
    warden.prctl(warden.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def hook() -> None:
    """Turn each use of the network that Python sees into a clear error, in French."""

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _NETWORK_EVENTS or (event == "socket.__new__" and len(arguments) > 1 and arguments[1] != _AF_UNIX):
            raise PermissionError(REFUSED)

    sys.addaudithook(refuse)


def drop_privileges() -> None:
    """Give up every capability for good: a server started as root must not lend its powers to an engine. Linux; elsewhere nothing."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(seccomp.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if hasattr(libc, "capset"):
        libc.capset(struct.pack("=Ii", _CAPABILITY_VERSION_3, 0), bytes(24))


def limits(memory_mb: int) -> None:
    """Second lock on memory (the parent's monitor is the first), no core file, no huge file."""
    with contextlib.suppress(OSError):  # where memory runs out, the kernel should take the engine, not the server nor the warden
        Path("/proc/self/oom_score_adj").write_text("800")
    room = max(4 * memory_mb, memory_mb + 8192) * 1024 * 1024
    for name, value in (("RLIMIT_AS", room), ("RLIMIT_CORE", 0), ("RLIMIT_FSIZE", memory_mb * 1024 * 1024), ("RLIMIT_NOFILE", 1024)):
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(kind, (value, value))
        except (OSError, ValueError):  # macOS refuses RLIMIT_AS
            continue


def close(memory_mb: int, read: Sequence[str], write: Sequence[str]) -> Walls:
    """Put up every wall that this machine offers. ``read`` and ``write`` are folders beyond the system's own."""
    hook()
    limits(memory_mb)
    drop_privileges()
    readable = [Path(text) for text in (*machine_files.READ, sys.prefix, sys.base_prefix, os.path.realpath(sys.base_prefix), *read)]
    version = landlock.install(readable, [Path(text) for text in (*machine_files.WRITTEN, *write)])
    return Walls("seccomp" if seccomp.install() else "hook", version)
