"""System calls that Python has no function for, by `ctypes`, and what else is asked of the kernel."""

from __future__ import annotations

import ctypes
import errno
import os
import sys

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38

NUMBERS = {"x86_64": 0, "aarch64": 1}
"""Which column of a table of system calls is this machine's."""

_CALLS = {
    "capset": (126, 91),
    "landlock_create_ruleset": (444, 444),
    "landlock_add_rule": (445, 445),
    "landlock_restrict_self": (446, 446),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "pivot_root": (155, 41),
    "seccomp": (317, 277),
    "umount2": (166, 39),
    "unshare": (272, 97),
}
"""Numbers of the calls that are made here, for x86_64 and aarch64 (the kernel's unistd.h)."""


def machine() -> str:
    """The processor's name, of those whose system calls are known here.

    Raises:
        OSError: another operating system or processor.
    """
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, f"the system is {sys.platform} and not Linux")
    name = os.uname().machine
    # A 32-bit interpreter makes other calls than the kernel's machine suggests.
    if name not in NUMBERS or ctypes.sizeof(ctypes.c_void_p) != 8:
        raise OSError(errno.ENOSYS, f"the processor {name} is none of {', '.join(NUMBERS)}")
    return name


def call(name: str, *arguments: int | bytes | ctypes.Array[ctypes.c_char] | ctypes.Structure | None) -> int:
    """Make a system call.

    Args:
        name: one of `_CALLS`.
        arguments: integers, bytes that end in a zero byte by themselves, buffers, or structures.

    Raises:
        OSError: the kernel refuses it.
    """
    number = _CALLS[name][NUMBERS[machine()]]
    passed = [_argument(argument) for argument in arguments]
    found = int(_libc().syscall(ctypes.c_long(number), *passed))
    if found < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return found


def control_process(option: int, value: int) -> None:
    """``prctl`` with one value.

    Args:
        option: one of the constants ``PR_``.
        value: its argument.

    Raises:
        OSError: the kernel refuses it.
    """
    machine()
    if _libc().prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"prctl {option}: {os.strerror(code)}")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _argument(argument: object) -> object:
    if isinstance(argument, int):
        return ctypes.c_long(argument)
    if isinstance(argument, ctypes.Structure):
        return ctypes.byref(argument)
    return argument
