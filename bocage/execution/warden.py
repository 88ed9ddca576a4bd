"""The worker's warden: a small process that runs no engine code, and makes sure that nothing of a worker outlives it.

Run by path (``python -I -S warden.py LIFE STATUS CHANNEL ROOT -- COMMAND…``), standard library only, so that it starts in some 20 ms.
It adopts every orphan below it (Linux: PR_SET_CHILD_SUBREAPER), kills the whole tree when its worker ends, when the parent asks or when
the parent dies, and counts the CPU time of all of them. On the pipe LIFE it reads ``T`` (ask the worker to stop) and ``K`` (kill); an end
of file without ``K`` means that the parent is dead: the run's folder ROOT is then removed as well.
On STATUS it writes JSON lines: ``{"pid": …}`` at the start, ``{"exit": …, "cpu": seconds, "maxrss_mb": …}`` at the end.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import sys
import time

LINUX = sys.platform == "linux"
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def prctl(option: int, value: int) -> bool:
    """Call prctl(2) with one argument; False where there is none."""
    if not LINUX:
        return False
    import ctypes

    return bool(ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) == 0)


def waiting(seconds: float, *ends: int) -> set[int]:
    """Those of ``ends`` on which something waits, or that were closed. Not select(2): a server that holds many files hands over numbers
    beyond the 1,024 that it knows."""
    watched = select.poll()
    for end in ends:
        watched.register(end, select.POLLIN)
    return {end for end, _ in watched.poll(1000 * seconds)}


def remove_tree(root: str) -> None:
    """Remove ``root`` even when an engine took the rights of its folders away. Nothing above ``root`` is touched, be it there or not."""
    import shutil

    def unlock(function: object, path: str, error: object) -> None:
        with contextlib.suppress(OSError):
            if path != root:
                os.chmod(os.path.dirname(path), 0o700)  # noqa: PTH101, PTH120 (no pathlib: its import doubles the start)
            if os.path.isdir(path) and not os.path.islink(path):  # noqa: PTH112, PTH114
                os.chmod(path, 0o700)  # noqa: PTH101
                shutil.rmtree(path, ignore_errors=True)
            else:
                os.unlink(path)  # noqa: PTH108

    shutil.rmtree(root, onerror=unlock)
    shutil.rmtree(root, ignore_errors=True)


def descendants(root: int) -> list[int]:
    """Every process below ``root``, from /proc."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208
        if name.isdecimal():
            with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                parent = int(file.read().rpartition(b")")[2].split()[1])
                children.setdefault(parent, []).append(int(name))
    found: list[int] = []
    queue = [root]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


class Warden:
    """Keeps one worker."""

    def __init__(self, life: int, status: int, channel: int, root: str, command: list[str]) -> None:
        self.life, self.status, self.root = life, status, root
        self.cpu = 0.0
        self.maxrss = 0
        self.exit: int | None = None
        self.abandoned = self.dismissed = False
        self.childless = False
        for fd in (life, status):
            os.set_inheritable(fd, False)
        self.worker = os.posix_spawn(command[0], command, dict(os.environ), setpgroup=0)
        nothing = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2, channel):
            os.dup2(nothing, fd)
        self.tell({"pid": self.worker})

    def tell(self, message: dict[str, float | int | None]) -> None:
        """One line to the parent, if it still lives."""
        with contextlib.suppress(OSError):
            os.write(self.status, json.dumps(message).encode() + b"\n")

    def reap(self) -> None:
        """Collect every dead child and what it cost."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                self.childless = True
                return
            if pid == 0:
                return
            self.cpu += usage.ru_utime + usage.ru_stime
            self.maxrss = max(self.maxrss, usage.ru_maxrss)
            if pid == self.worker:
                self.exit = os.waitstatus_to_exitcode(status)

    def heed(self) -> bool:
        """Read what the parent says; True when all must end."""
        word = os.read(self.life, 1)
        if word == b"T":
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.worker, signal.SIGTERM)
            return False
        self.abandoned, self.dismissed = not word, bool(word)
        return True

    def orphaned(self) -> bool:
        """Whether the parent is dead: its end of the pipe is closed without a word."""
        return bool(waiting(0, self.life)) and os.read(self.life, 1) == b""

    def slay(self) -> None:
        """Kill everything below until nothing is left (ten seconds at most: the kernel may hold one)."""
        deadline = time.monotonic() + 10
        while not self.childless and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                os.killpg(self.worker, signal.SIGKILL)
            for pid in descendants(os.getpid()) if LINUX else ():
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            self.reap()
            if not self.childless:
                time.sleep(0.002)

    def keep(self, bell: int) -> None:
        """Wait for the worker's end or the parent's word, then leave nothing behind."""
        while self.exit is None:
            ready = waiting(1.0, self.life, bell)
            if bell in ready and signal.SIGTERM in os.read(bell, 256):
                self.abandoned = True
                break
            self.reap()
            if self.life in ready and self.heed():
                break
        self.slay()
        # The worker may have seen its parent die first, and ended of it.
        self.abandoned = self.abandoned or (not self.dismissed and self.orphaned())
        own = resource.getrusage(resource.RUSAGE_SELF)
        unit = 1024 if LINUX else 1024 * 1024
        cpu = self.cpu + own.ru_utime + own.ru_stime
        self.tell({"exit": self.exit, "cpu": cpu, "maxrss_mb": self.maxrss / unit})
        if self.abandoned:
            remove_tree(self.root)


def main(arguments: list[str]) -> None:
    """Keep the worker whose command follows ``--``."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    bell, rope = os.pipe()
    os.set_blocking(rope, False)
    signal.set_wakeup_fd(rope, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    life, status, channel = (int(text) for text in arguments[:3])
    Warden(life, status, channel, arguments[3], arguments[5:]).keep(bell)


if __name__ == "__main__":
    main(sys.argv[1:])
