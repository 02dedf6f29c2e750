"""What is checked of a path before it is read: that it is there, is no pickle, and needs no code of its own."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from shoal.errors import ModelError, UnsafeModelError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PICKLE_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")

_ADVICE = "use one with safetensors, or, where you trust it, convert it with transformers' save_pretrained"


def refuse_pickle(path: Path) -> None:
    """Raise where a file is a pickle or an archive that may hold one, whatever its name is.

    Raises:
        UnsafeModelError: with what to do.
    """
    with path.open("rb") as file:
        # A tar archive has its mark at byte 257.
        head = file.read(512)
    # torch.save writes a zip today, and wrote a tar or a bare pickle before.
    is_archive = head.startswith(b"PK\x03\x04") or head[257:262] == b"ustar"
    if is_archive or _starts_like_pickle(head):
        raise UnsafeModelError(f"{path} is a pickle, which can run any code when it is opened; {_ADVICE}")


def refuse_pickled_weights(folder: Path, pickles: Sequence[Path]) -> None:
    """Raise for a folder whose only weights are pickles.

    Args:
        folder: named in the error message.
        pickles: the files, of which three are named.

    Raises:
        UnsafeModelError: with what to do.
    """
    names = ", ".join(sorted(path.name for path in pickles)[:3])
    raise UnsafeModelError(f"{folder} has its weights only as pickles ({names}), which can run any code; {_ADVICE}")


def refuse_own_code(path: Path) -> None:
    """Raise for a configuration whose class is Python code that lies beside it.

    Raises:
        UnsafeModelError: with what to do.
    """
    raise UnsafeModelError(
        f"{path} needs Python code of the model's own (auto_map), which shoal never runs; "
        "use a model whose architecture transformers brings"
    )


def _starts_like_pickle(head: bytes) -> bool:
    """Whether a pickle of protocol 2 or later begins here: 0x80, the protocol, an opcode.

    The length that opens a safetensors file may begin so as well, but its ninth byte is a brace; a llama2.c header
    may, but its third byte is zero.
    """
    return len(head) > 2 and head[0] == 0x80 and 2 <= head[1] <= 5 and head[2] != 0 and head[8:9] != b"{"


def check_file(path: Path) -> None:
    """Raise where a path is no file, or a pickle.

    Raises:
        ModelError: there is no such file; the message names the nearest.
        UnsafeModelError: it is a pickle, whatever its name is.
    """
    if not path.is_file():
        raise ModelError(f"there is no file {path}; {nearest_path(path)}")
    refuse_pickle(path)


def nearest_path(path: Path) -> str:
    """A hint for a path that does not exist: the nearest name beside it."""
    parent = path.parent
    while not parent.is_dir():
        path, parent = parent, parent.parent
    names = sorted(entry.name for entry in parent.iterdir())
    near = difflib.get_close_matches(path.name, names, n=1, cutoff=0.5)
    return f"did you mean {parent / near[0]}?" if near else f"nothing in {parent} has a name like {path.name!r}"
