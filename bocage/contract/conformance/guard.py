"""Watches what an engine reaches for while it runs in this process: sockets, other processes, files opened for writing.

An audit hook sees these whatever the library that asks, and cannot be removed: it is installed once and watches only inside ``watch()``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_NETWORK = ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname")
_PROCESSES = ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn")
_FILES = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.truncate", "shutil.rmtree", "tempfile.mkstemp", "tempfile.mkdtemp")
_WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC


@dataclass(slots=True)
class Attempts:
    """What was tried during a watch, and blocked: short descriptions."""

    network: list[str] = field(default_factory=list)
    writing: list[str] = field(default_factory=list)


class Blocked(OSError):
    """Raised in the engine in place of what it tried."""


_watching: list[Attempts] = []
_installed: list[bool] = []


@contextmanager
def watch() -> Iterator[Attempts]:
    """Block and record network, processes and written files until the end of the block."""
    if not _installed:
        sys.addaudithook(_hook)
        _installed.append(True)
    attempts = Attempts()
    _watching.append(attempts)
    try:
        yield attempts
    finally:
        _watching.remove(attempts)


def _hook(event: str, args: tuple[object, ...]) -> None:
    if not _watching:
        return
    if event in _NETWORK:
        target = next((a for a in args if isinstance(a, (tuple, str))), "")
        _watching[-1].network.append(f"{event} {target}")
        raise Blocked(f"réseau coupé pendant le calcul ({event})")
    if event in _PROCESSES or event in _FILES or (event == "open" and _writes(args)):
        if _importing():
            return
        _watching[-1].writing.append(f"{event} {args[0] if args else ''}")
        raise Blocked(f"ni fichier écrit ni processus lancé pendant le calcul ({event})")


def _writes(args: tuple[object, ...]) -> bool:
    path, mode, flags = (*args, None, None, None)[:3]
    if str(path) == os.devnull or isinstance(path, int):
        return False
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & _WRITE_FLAGS)


def _importing() -> bool:
    """Whether the import system asks: it writes bytecode, and some packages look for their libraries."""
    frame = sys._getframe()
    while (back := frame.f_back) is not None:
        if back.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = back
    return False
