"""File walls held by the kernel (Landlock, Linux 5.13 and later): which folders a worker may read, and the only one it may write.

With version 4 it also refuses TCP, with version 6 signals and abstract Unix sockets towards processes outside the sandbox; these cannot
be looked into through /proc either (their environment holds the server's secrets). Where the kernel has none, ``install`` returns 0.
Source: landlock(7) and « Documentation/userspace-api/landlock.rst » of Linux.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same numbers on x86_64 and aarch64
_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_TRUNCATE, _IOCTL = 1 << 14, 1 << 15
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}  # number of file rights known to each version; 16 from version 5
_FOR_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL
_TCP = 3
_SCOPES = 3
_NO_NEW_PRIVS = 38


def _version(libc: ctypes.CDLL) -> int:
    return max(0, int(libc.syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1))))


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, rights: int) -> None:
    """Grant ``rights`` beneath ``path``; a path that is not there needs none."""
    with contextlib.suppress(OSError):
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not stat.S_ISDIR(os.fstat(fd).st_mode):
                rights &= _FOR_FILES
            rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, fd), 12)
            libc.syscall(_ADD, ctypes.c_int(ruleset), ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint32(0))
        finally:
            os.close(fd)


def install(read: Iterable[Path], write: Iterable[Path]) -> int:
    """Wall this process and its children in; the version in force, or 0. Call before any thread starts: threads inherit it."""
    if sys.platform != "linux":
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    version = _version(libc)
    if version == 0:
        return 0
    every = (1 << _RIGHTS.get(version, 16)) - 1
    attributes = struct.pack("=Q", every)
    if version >= 4:
        attributes += struct.pack("=Q", _TCP)
    if version >= 6:
        attributes += struct.pack("=Q", _SCOPES)
    held = ctypes.create_string_buffer(attributes, len(attributes))
    ruleset = int(libc.syscall(_CREATE, held, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0)))
    if ruleset < 0:
        return 0
    try:
        for path in read:
            _allow(libc, ruleset, path, _READ)
        for path in write:
            _allow(libc, ruleset, path, every)
        libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
        done = libc.syscall(_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint32(0)) == 0
    finally:
        os.close(ruleset)
    return version if done else 0
