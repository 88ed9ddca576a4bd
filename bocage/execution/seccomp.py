"""A seccomp-BPF filter that takes the network away from a process and all its children, for good. Linux, x86_64 and aarch64.

Refused with EPERM:
- making any socket (all families: a Unix socket reaches the machine's database or Docker), except a connected pair of Unix streams;
  connecting, binding, listening, accepting; io_uring (it would do the same unseen);
- looking into other processes, taking their descriptors, moving their pages, changing their limits or their turn on the processor;
- memory that belongs to no process: System V segments, semaphores and messages, POSIX message queues (they outlive the run and pass its
  data to the next one), memfd (nobody's resident memory counts what is in it);
- mounts, namespaces, kernel modules, keys, BPF, performance events.
clone3, whose flags a filter cannot read, does not exist (ENOSYS): the C library then uses clone. A call in another architecture's
convention kills.
Numbers: ``asm/unistd_64.h`` and ``asm-generic/unistd.h`` of Linux. Method: seccomp(2), « Documentation/userspace-api/seccomp_filter.rst ».
"""

from __future__ import annotations

import ctypes
import platform
import struct
import sys

PR_SET_NO_NEW_PRIVS = 38
PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2

_ALLOW = 0x7FFF0000
_REFUSE = 0x00050000 | 1  # SECCOMP_RET_ERRNO | EPERM
_ABSENT = 0x00050000 | 38  # SECCOMP_RET_ERRNO | ENOSYS
_KILL = 0x80000000  # SECCOMP_RET_KILL_PROCESS

_LOAD, _EQUAL, _AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_NR, _ARCH, _ARG0, _ARG1 = 0, 4, 16, 24  # offsets in struct seccomp_data (little endian: the low half of an argument comes first)
_AF_UNIX, _SOCK_STREAM, _SOCK_SEQPACKET = 1, 1, 5
_X32 = 0x40000000
_ALL, _NEW_NAMESPACES = 0xFFFFFFFF, 0x7E020000  # every CLONE_NEW… that clone takes

_SYSCALLS: dict[str, tuple[int, int]] = {  # name: (x86_64, aarch64)
    "socket": (41, 198),
    "connect": (42, 203),
    "accept": (43, 202),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept4": (288, 242),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "open_by_handle_at": (304, 265),
    "kexec_load": (246, 104),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_file_load": (320, 294),
    "fanotify_init": (300, 262),
    "kcmp": (312, 272),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "process_madvise": (440, 440),
    "ioprio_set": (251, 30),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "shmdt": (67, 197),
    "semget": (64, 190),
    "semop": (65, 193),
    "semctl": (66, 191),
    "semtimedop": (220, 192),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
}
# Allowed only where these bits of these arguments are zero: process 0 is the caller itself, and so is (PRIO_PROCESS, 0).
_ONLY_ON_ONESELF: dict[str, tuple[tuple[int, int], tuple[tuple[int, int], ...]]] = {
    "prlimit64": ((302, 261), ((_ARG0, _ALL),)),
    "sched_setaffinity": ((203, 122), ((_ARG0, _ALL),)),
    "sched_setscheduler": ((144, 119), ((_ARG0, _ALL),)),
    "sched_setparam": ((142, 118), ((_ARG0, _ALL),)),
    "sched_setattr": ((314, 274), ((_ARG0, _ALL),)),
    "setpriority": ((141, 140), ((_ARG0, _ALL), (_ARG1, _ALL))),
    "clone": ((56, 220), ((_ARG0, _NEW_NAMESPACES),)),
}
_CLONE3 = (435, 435)
_SOCKETPAIR = (53, 199)
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

Instruction = tuple[int, int, int, int]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


def program(machine: str) -> list[Instruction]:
    """The filter for ``machine``, as (code, jump if true, jump if false, operand). Raises ``KeyError`` for another architecture."""
    column, architecture = _ARCHITECTURES[machine]
    lines: list[Instruction] = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NR),
    ]
    if machine == "x86_64":
        lines += [(_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _KILL)]
    for numbers in _SYSCALLS.values():
        lines += [(_EQUAL, 0, 1, numbers[column]), (_RETURN, 0, 0, _REFUSE)]
    for numbers, arguments in _ONLY_ON_ONESELF.values():
        lines += _allowed_with_zeros(numbers[column], arguments)
    lines += [(_EQUAL, 0, 1, _CLONE3[column]), (_RETURN, 0, 0, _ABSENT)]
    return lines + _connected_pairs(_SOCKETPAIR[column])


def _allowed_with_zeros(number: int, arguments: tuple[tuple[int, int], ...]) -> list[Instruction]:
    """Decide call ``number``: allowed if each argument (its place, its bits) is zero, else refused. Other calls pass."""
    decided: list[Instruction] = []
    for place, bits in arguments:
        decided += [(_LOAD, 0, 0, place), (_AND, 0, 0, bits), (_EQUAL, 1, 0, 0), (_RETURN, 0, 0, _REFUSE)]
    decided.append((_RETURN, 0, 0, _ALLOW))
    return [(_EQUAL, 0, len(decided), number), *decided]


def _connected_pairs(number: int) -> list[Instruction]:
    """The end: only Unix streams for call ``number`` (socketpair); every other call is allowed."""
    return [
        (_EQUAL, 1, 0, number),
        (_RETURN, 0, 0, _ALLOW),
        (_LOAD, 0, 0, _ARG0),
        (_EQUAL, 1, 0, _AF_UNIX),
        (_RETURN, 0, 0, _REFUSE),
        (_LOAD, 0, 0, _ARG1),
        (_AND, 0, 0, 0xF),
        (_EQUAL, 1, 0, _SOCK_STREAM),
        (_EQUAL, 0, 1, _SOCK_SEQPACKET),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]


def install() -> bool:
    """Put the filter on this process; True when the kernel holds it. Call before any thread starts. It cannot be taken away."""
    if sys.platform != "linux" or platform.machine() not in _ARCHITECTURES:
        return False
    if ctypes.sizeof(ctypes.c_void_p) != 8 or sys.byteorder != "little":
        return False
    code = b"".join(struct.pack("=HBBI", *line) for line in program(platform.machine()))
    held = ctypes.create_string_buffer(code, len(code))
    filter_program = _Program(len(code) // 8, ctypes.cast(held, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(filter_program), 0, 0) == 0)
