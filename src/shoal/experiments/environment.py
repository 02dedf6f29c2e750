"""What a run ran on, so that a stranger can repeat it and a resumed run does not mix two sets of versions."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.experiments.store import RunStore

_PACKAGES = ("torch", "transformers", "tokenizers", "safetensors", "numpy", "scipy")
_MUST_STAY = ("shoal", "python", "machine", "packages")


def describe_environment() -> dict[str, Any]:
    """Versions, processor, cores and the commit of shoal's source, where it is a checkout."""
    return {
        "shoal": metadata.version("shoal"),
        "commit": _commit(),
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in _PACKAGES},
        "system": platform.platform(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": available_cores(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
    }


def available_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def has_gpu() -> bool:
    """Whether the machine has an NVIDIA device, which is cheaper to see than to import torch for."""
    return any(Path(node).exists() for node in ("/dev/nvidiactl", "/dev/dxg"))


def check_same_environment(held: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to go on with a run that other versions began, since its records would not be of one kind.

    Raises:
        StoreError: a version that can change numbers is another one.
    """
    for key in _MUST_STAY:
        before, after = held.get(key), now[key]
        if before == after:
            continue
        if isinstance(before, dict):
            key, before, after = next(
                (name, before.get(name), after[name]) for name in after if before.get(name) != after[name]
            )
        raise StoreError(
            f"the run was begun with {key} {before} and this is {key} {after}; its records would not be comparable: "
            "start anew in another folder with --out"
        )


def keep_environment(store: RunStore) -> None:
    """Write down what a new run runs on; of one that goes on, see that it is the same.

    Raises:
        StoreError: a version that can change numbers is another one.
    """
    held = store.read("environment.json")
    now = describe_environment()
    if held is None:
        store.write("environment.json", now)
    else:
        check_same_environment(held, now)


def _commit() -> str | None:
    root = Path(__file__).resolve().parents[3]
    if not (root / ".git").exists():
        return None
    answer = subprocess.run(
        ["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, check=False, timeout=10
    )
    return answer.stdout.strip() or None


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
