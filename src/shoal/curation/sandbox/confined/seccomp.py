"""The seccomp filter: a program in classic BPF that the kernel runs at each system call (seccomp(2)).

It cannot be taken off again, and a process that it ends dies by SIGSYS, which no handler catches.
"""

from __future__ import annotations

import ctypes
import errno
import struct

from . import syscalls
from .system import NUMBERS, call

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
"""BPF_LD|BPF_W|BPF_ABS, BPF_JMP with BPF_JEQ, BPF_JGE, BPF_JSET and a constant, BPF_RET|BPF_K."""

_ALLOW, _KILL_PROCESS, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
"""Offsets in struct seccomp_data."""

_AUDIT_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT = 0x40000000
"""A second table of calls of x86_64, which the numbers here are not of."""

_SET_MODE_FILTER = 1

Instruction = tuple[int, int, int, int]
"""Code, jump if true, jump if false, operand."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def install(instructions: list[Instruction]) -> None:
    """Put a filter on this process and all that it starts, for good; it needs ``no_new_privs``.

    Args:
        instructions: of the filter.

    Raises:
        OSError: the kernel refuses it.
    """
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
    call("seccomp", _SET_MODE_FILTER, 0, _Program(length=len(instructions), filter=code))


def computing_only(name: str) -> list[Instruction]:
    """The filter that lets a process compute, and no more.

    Args:
        name: of the machine, ``x86_64`` or ``aarch64``.
    """
    column = NUMBERS[name]
    program: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        # First of all the architecture: a 32-bit call on a 64-bit machine has other numbers for the same deeds.
        (_EQUAL, 1, 0, _AUDIT_ARCHITECTURE[name]),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32_BIT),
        (_RETURN, 0, 0, _KILL_PROCESS),
    ]
    for numbers in syscalls.ALLOWED.values():
        program += _when(numbers[column], [(_RETURN, 0, 0, _ALLOW)])
    for numbers, argument in syscalls.READ_ONLY.values():
        program += _when(numbers[column], _unless_any_bit(argument, syscalls.WRITING_FLAGS))
    program += _when(syscalls.FCNTL[column], _if_one_of(1, syscalls.HARMLESS_FCNTL))
    program += _when(syscalls.PRLIMIT[column], _if_null(2))
    # What is no terminal answers so, and nothing in the sandbox is one.
    program += _when(syscalls.IOCTL[column], [(_RETURN, 0, 0, _FAIL | errno.ENOTTY)])
    for numbers in syscalls.FORBIDDEN.values():
        program += _when(numbers[column], [(_RETURN, 0, 0, _KILL_PROCESS)])
    # Unknown calls fail and do not kill: libc tries newer calls first, and falls back to older ones.
    return [*program, (_RETURN, 0, 0, _FAIL | errno.ENOSYS)]


def _when(number: int | None, block: list[Instruction]) -> list[Instruction]:
    """The block, which must return, where the call has this number."""
    return [] if number is None else [(_EQUAL, 0, len(block), number), *block]


def _low(argument: int) -> Instruction:
    """Load the lower half of an argument; both machines are little-endian."""
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * argument)


def _unless_any_bit(argument: int, bits: int) -> list[Instruction]:
    return [_low(argument), (_ANY_BIT, 0, 1, bits), (_RETURN, 0, 0, _KILL_PROCESS), (_RETURN, 0, 0, _ALLOW)]


def _if_one_of(argument: int, values: tuple[int, ...]) -> list[Instruction]:
    tests: list[Instruction] = [(_EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
    return [_low(argument), *tests, (_RETURN, 0, 0, _FAIL | errno.EPERM), (_RETURN, 0, 0, _ALLOW)]


def _if_null(argument: int) -> list[Instruction]:
    """Allow the call where all 64 bits of the argument are zero."""
    low = _low(argument)
    high = (low[0], 0, 0, low[3] + 4)
    return [
        low,
        (_EQUAL, 0, 2, 0),
        high,
        (_EQUAL, 1, 0, 0),
        (_RETURN, 0, 0, _FAIL | errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]
