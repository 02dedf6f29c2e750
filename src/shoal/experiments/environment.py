"""What a run ran on, so that a stranger can repeat it and a resumed run does not mix two sets of versions."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.experiments.store import RunStore

FILE = "environment.json"

# Those that decide the numbers; the others read, draw and serve.
_PACKAGES = ("torch", "transformers", "tokenizers", "safetensors", "numpy", "scipy")
# The processor is not among them: records of two machines of equal versions are comparable, if not bit for bit.
_MUST_STAY = ("shoal", "python", "machine", "packages")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What a run was begun on."""

    shoal: str
    commit: str | None
    """Of shoal's source, where it is a checkout."""

    python: str
    packages: Mapping[str, str]
    """Versions of the packages that can change numbers."""

    system: str = ""
    machine: str = ""
    processor: str = "unknown"
    cores: int | None = None
    command: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Environment:
        """The environment that `to_dict` gave."""
        return cls(**{**record, "command": tuple(record.get("command", ()))})


def describe_environment() -> Environment:
    """Versions, processor, cores and the commit of shoal's source, where it is a checkout."""
    return Environment(
        shoal=metadata.version("shoal"),
        commit=_commit(),
        python=platform.python_version(),
        packages={name: metadata.version(name) for name in _PACKAGES},
        system=platform.platform(),
        machine=platform.machine(),
        processor=_processor(),
        cores=available_cores(),
        command=(Path(sys.argv[0]).name, *sys.argv[1:]),
    )


def available_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def has_gpu() -> bool:
    """Whether the machine has an NVIDIA device, which is cheaper to see than to import torch for."""
    # The second is what a GPU is seen by under WSL.
    return any(Path(node).exists() for node in ("/dev/nvidiactl", "/dev/dxg"))


def check_same_environment(held: Environment, now: Environment) -> None:
    """Refuse to resume a run that other versions began, since its records would not be of one kind.

    Args:
        held: what the run was begun on.
        now: what it would be resumed on.

    Raises:
        StoreError: a version that can change numbers is another one.
    """
    for key in _MUST_STAY:
        before, after = getattr(held, key), getattr(now, key)
        if before == after:
            continue
        if key == "packages":
            key, before, after = next(
                (name, before.get(name), version) for name, version in after.items() if before.get(name) != version
            )
        raise StoreError(
            f"the run was begun with {key} {before} and this is {key} {after}; its records would not be comparable: "
            "start again in another folder with --out"
        )


def keep_environment(store: RunStore) -> Environment:
    """Write down what a new run runs on; of one that is resumed, see that it is the same.

    Raises:
        StoreError: a version that can change numbers is another one.
    """
    held = store.read(FILE)
    now = describe_environment()
    if held is None:
        store.write(FILE, now.to_dict())
        return now
    begun = Environment.from_dict(held)
    check_same_environment(begun, now)
    return begun


def _commit() -> str | None:
    # src/shoal/experiments: of an installed package there is no checkout at that place.
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


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """Measures what a job costs, from when it is made."""

    wall: float = field(default_factory=time.perf_counter)
    cpu: float = field(default_factory=time.process_time)

    def cost(self) -> dict[str, float]:
        """Wall-clock and CPU seconds since then, and the most megabytes that this process has used."""
        return {
            "wall_seconds": round(time.perf_counter() - self.wall, 3),
            # Of the whole process, all threads included.
            "cpu_seconds": round(time.process_time() - self.cpu, 3),
            "peak_megabytes": round(_peak_bytes() / 1e6, 1),
        }


def set_threads(threads: int) -> None:
    """Set how many threads torch uses."""
    import torch

    torch.set_num_threads(threads)


def _peak_bytes() -> int:
    """The most memory that this process has used; macOS counts it in bytes and Linux in kibibytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
