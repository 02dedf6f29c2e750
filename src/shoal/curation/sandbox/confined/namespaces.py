"""Linux namespaces: no network, no other processes, and a root folder that holds the standard library alone.

Where the kernel refuses a part of it (user namespaces may be switched off, or a container may forbid them), the part is
reported as missing, and others may give the same protection: see `start`.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress

from .system import call

NOBODY = 65534
"""The user and group that a program runs as, where the kernel lets it: the kernel's own number for nobody."""

_NEW_NAMESPACES = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x20000000 | 0x40000000
"""Mounts, control groups, host name, System V IPC, processes, network (clone(2))."""
_NEW_USER = 0x10000000

_PRIVATE, _RECURSIVE = 1 << 18, 1 << 14
_DETACH = 2
_CLONE_TREE, _CLOSE_ON_EXEC, _AT_RECURSIVE, _AT_EMPTY_PATH, _AT_FDCWD = 1, 0o2000000, 0x8000, 0x1000, -100
_MOVE_FROM_EMPTY_PATH = 4
_READ_ONLY, _NO_SETUID, _NO_DEVICES, _NO_EXEC = 1, 2, 4, 8
_STAGING = "/tmp"


class _MountAttributes(ctypes.Structure):
    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("user_namespace", ctypes.c_uint64),
    )


def enter() -> None:
    """Leave the machine's namespaces for new ones; processes that are forked from here on are in the new one.

    Raises:
        OSError: the kernel refuses it.
    """
    if os.geteuid() == 0:
        # Root of the machine needs no user namespace, and can become nobody afterwards; root of a container may need
        # one after all.
        with suppress(OSError):
            call("unshare", _NEW_NAMESPACES)
            return
    user, group = os.geteuid(), os.getegid()
    call("unshare", _NEW_NAMESPACES | _NEW_USER)
    # The kernel lets groups be mapped only after they can no more be dropped.
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{NOBODY} {user} 1")
    _write("/proc/self/gid_map", f"{NOBODY} {group} 1")


def empty_root(readable: list[str], hidden: list[str]) -> None:
    """Make an empty, read-only root folder of which some folders of the machine can be read; all else is gone.

    Args:
        readable: absolute paths of folders; they appear under the same paths.
        hidden: folders inside of those that appear empty.

    Raises:
        OSError: the kernel refuses it.
    """
    # Private first: on most systems mounts are shared, and what is mounted below would appear on the machine.
    call("mount", b"none", b"/", None, _RECURSIVE | _PRIVATE, None)
    # Taken before the new root is mounted, which may lie over them.
    trees = [(path, _detached(path)) for path in readable]
    _mount_empty(_STAGING)
    for path, tree in trees:
        target = _STAGING + path
        os.makedirs(target, exist_ok=True)  # noqa: PTH103 - pathlib takes long to import
        call("move_mount", tree, b"", _AT_FDCWD, os.fsencode(target), _MOVE_FROM_EMPTY_PATH)
        os.close(tree)
    for path in hidden:
        if os.path.isdir(_STAGING + path):  # noqa: PTH112 - as above
            _mount_empty(_STAGING + path)
            _restrict(os.fsencode(_STAGING + path), _READ_ONLY | _NO_EXEC)
    os.chdir(_STAGING)
    # Both arguments may be one folder: the old root is then mounted over the new one (pivot_root(2)), and taken off.
    call("pivot_root", b".", b".")
    call("umount2", b".", _DETACH)
    os.chdir("/")
    _restrict(b"/", _READ_ONLY | _NO_EXEC)


def become_nobody(must_read: str) -> None:
    """Give up the rights of root, where they are held and the standard library stays readable without them.

    Args:
        must_read: a folder that must stay readable; where it would not, the process stays root without capabilities.
    """
    if os.geteuid() != 0:
        return
    with suppress(OSError):
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        # The effective user alone, so that it can be taken back where the library turns out to be unreadable.
        os.seteuid(NOBODY)
        if os.access(must_read, os.R_OK | os.X_OK, effective_ids=True):
            os.seteuid(0)
            os.setresuid(NOBODY, NOBODY, NOBODY)
        else:
            os.seteuid(0)


def drop_capabilities() -> None:
    """Give up every capability, also those that a user namespace gives.

    Raises:
        OSError: the kernel refuses it.
    """
    version_3 = 0x20080522
    header = ctypes.create_string_buffer(version_3.to_bytes(4, "little") + bytes(4), 8)
    call("capset", header, ctypes.create_string_buffer(bytes(24), 24))


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib takes long to import
        file.write(text)


def _detached(path: str) -> int:
    """A read-only copy of the mounts under a folder, which is attached nowhere yet."""
    tree = call("open_tree", _AT_FDCWD, os.fsencode(path), _CLONE_TREE | _CLOSE_ON_EXEC | _AT_RECURSIVE)
    attributes = _MountAttributes(set=_READ_ONLY | _NO_SETUID | _NO_DEVICES)
    size = ctypes.sizeof(attributes)
    call("mount_setattr", tree, b"", _AT_EMPTY_PATH | _AT_RECURSIVE, attributes, size)
    return tree


def _mount_empty(path: str) -> None:
    # 64 kB: it holds mount points and nothing else, and is made read-only afterwards.
    call("mount", b"none", os.fsencode(path), b"tmpfs", 0, b"size=64k,mode=755")


def _restrict(path: bytes, attributes: int) -> None:
    wanted = _MountAttributes(set=attributes | _NO_SETUID | _NO_DEVICES)
    call("mount_setattr", _AT_FDCWD, path, 0, wanted, ctypes.sizeof(wanted))
