"""Landlock: of the file system the program can read some folders, and write nothing (landlock(7), Linux 5.13)."""

from __future__ import annotations

import ctypes
import os

from .system import call

_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
# A newer kernel than the last entry knows more kinds; those it permits, and the seccomp filter refuses.
_ACCESS_BITS = {1: 13, 2: 14, 3: 15, 5: 16}
"""From the version of the kernel's interface to the number of kinds of access that it knows."""

_VERSION_REQUEST = 1
_PATH_BENEATH = 1
_NETWORK_SINCE, _SCOPES_SINCE = 4, 6


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def restrict(readable: list[str]) -> None:
    """Let this process read these folders and no other file, for good; it needs ``no_new_privs``.

    Args:
        readable: absolute paths of folders.

    Raises:
        OSError: the kernel has no Landlock, or it is switched off.
    """
    version = call("landlock_create_ruleset", None, 0, _VERSION_REQUEST)
    known = max(bits for since, bits in _ACCESS_BITS.items() if since <= version)
    rules = _Ruleset(
        files=(1 << known) - 1,
        network=0b11 if version >= _NETWORK_SINCE else 0,  # binding and connecting
        scopes=0b11 if version >= _SCOPES_SINCE else 0,  # abstract sockets and signals of other processes
    )
    # An older kernel takes a structure that is longer than its own only where the rest is zero, which it is.
    ruleset = call("landlock_create_ruleset", rules, ctypes.sizeof(rules), 0)
    for path in readable:
        # O_PATH names the folder without a right to read it, which is all that a rule needs.
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = _PathRule(allowed=_READ_FILE | _READ_FOLDER, folder=folder)
        call("landlock_add_rule", ruleset, _PATH_BENEATH, rule, 0)
        os.close(folder)
    call("landlock_restrict_self", ruleset, 0)
    os.close(ruleset)
