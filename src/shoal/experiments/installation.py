"""What is installed and what the machine offers: the packages, the extras, threads, devices, precision and disk."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement

from shoal.experiments.environment import available_cores, describe_environment
from shoal.files import cache_folder
from shoal.wording import aligned_rows, joined, plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas

_EXTRA = re.compile(r"""extra\s*==\s*['"]([^'"]+)['"]""")
_DEVELOPMENT = frozenset({"dev", "docs"})
"""Extras for people who work on shoal itself; their absence means nothing to a user."""

MIN_FREE_BYTES = 1_000_000_000
"""A run of the shipped experiment with its checkpoints needs less than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageStatus:
    """A required package."""

    name: str
    requirement: str
    """What shoal needs: ``torch>=2.8``."""

    version: str | None
    """What is installed; None where it is not."""

    satisfied: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraStatus:
    """An optional part of shoal."""

    name: str
    missing: tuple[str, ...]
    """Its packages that are absent or too old."""

    command: str
    """What installs it."""

    @property
    def installed(self) -> bool:
        """Whether all of its packages are there."""
        return not self.missing


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeDevice:
    """What models can run on."""

    name: str
    """As ``--device`` takes it: ``cpu``, ``cuda:0``."""

    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskSpace:
    """The room in a folder."""

    purpose: str
    folder: str
    free_bytes: int | None
    """None where the folder cannot be looked at."""

    writable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What `inspect_installation` found."""

    shoal: str
    commit: str | None
    python: str
    system: str
    processor: str
    cores: int
    """That this process may use."""

    threads: int
    """That torch uses in one process."""

    omp_num_threads: str | None
    precision: str
    """What ``precision = "auto"`` chooses on this processor for a large matrix product."""

    devices: tuple[ComputeDevice, ...]
    packages: tuple[PackageStatus, ...]
    extras: tuple[ExtraStatus, ...]
    disk: tuple[DiskSpace, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """What keeps shoal from working, in sentences with the cure."""
        found = [
            f"{one.requirement} is required, and {one.version or 'no version'} is installed; run: pip install "
            f"'{one.requirement}'"
            for one in self.packages
            if not one.satisfied
        ]
        for room in self.disk:
            if not room.writable:
                found.append(f"{room.folder} cannot be written ({room.purpose}); choose another folder")
            elif room.free_bytes is not None and room.free_bytes < MIN_FREE_BYTES:
                found.append(f"only {room.free_bytes / 1e9:.1f} GB are free in {room.folder} ({room.purpose})")
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        extras = [asdict(extra) | {"installed": extra.installed} for extra in self.extras]
        return asdict(self) | {"extras": extras, "problems": list(self.problems)}

    def to_frame(self) -> pandas.DataFrame:
        """A row per required package."""
        import pandas

        return pandas.DataFrame([asdict(package) for package in self.packages])

    def __str__(self) -> str:
        threads = f"{plural(self.threads, 'thread')} per process"
        if self.omp_num_threads is not None:
            threads += f" (OMP_NUM_THREADS={self.omp_num_threads})"
        commit = f" at {self.commit[:12]}" if self.commit else ""
        lines = [
            f"shoal {self.shoal}{commit}, Python {self.python}, {self.system}",
            f"processor  {self.processor}, {plural(self.cores, 'core')}, {threads}",
            f'precision  {self.precision} is chosen by precision = "auto"',
            *(f"device     {device.name}: {device.description}" for device in self.devices),
            *(f"disk       {_disk_text(room)}" for room in self.disk),
            "",
            "required   " + joined([f"{one.name} {one.version or 'missing'}" for one in self.packages]),
            "",
            *aligned_rows([_extra_row(extra) for extra in self.extras]),
        ]
        return "\n".join([*lines, *(f"problem: {problem}" for problem in self.problems)])


def inspect_installation(folder: str | os.PathLike[str] = ".") -> Installation:
    """Look at what is installed and at the machine.

    Args:
        folder: where runs are to be written, whose disk is looked at.
    """
    import torch

    from shoal.training import measure_precision

    environment = describe_environment()
    return Installation(
        shoal=environment.shoal,
        commit=environment.commit,
        python=environment.python,
        system=environment.system,
        processor=environment.processor,
        cores=available_cores(),
        threads=torch.get_num_threads(),
        omp_num_threads=os.environ.get("OMP_NUM_THREADS"),
        precision=measure_precision(),
        devices=tuple(_devices()),
        packages=tuple(_status(requirement) for requirement in _requirements() if requirement.extra is None),
        extras=tuple(_extras()),
        disk=(_disk("run folders", Path(folder)), _disk("cache", cache_folder())),
    )


@dataclass(frozen=True, slots=True)
class _Needed:
    """A requirement and the extra that it belongs to."""

    requirement: Requirement
    extra: str | None


def _requirements() -> Iterator[_Needed]:
    for text in metadata.requires("shoal") or ():
        found = _EXTRA.search(text)
        yield _Needed(Requirement(text.partition(";")[0].strip()), found[1] if found else None)


def _status(needed: _Needed) -> PackageStatus:
    requirement = needed.requirement
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        version = None
    # A release candidate of a later version is one that a person has chosen on purpose.
    satisfied = version is not None and requirement.specifier.contains(version, prereleases=True)
    return PackageStatus(name=requirement.name, requirement=str(requirement), version=version, satisfied=satisfied)


def _extras() -> Iterator[ExtraStatus]:
    by_extra: dict[str, list[PackageStatus]] = {}
    for needed in _requirements():
        if needed.extra is not None and needed.extra not in _DEVELOPMENT:
            by_extra.setdefault(needed.extra, []).append(_status(needed))
    for name, packages in sorted(by_extra.items()):
        missing = tuple(package.requirement for package in packages if not package.satisfied)
        yield ExtraStatus(name=name, missing=missing, command=f"pip install 'shoal[{name}]'")


def _devices() -> Iterator[ComputeDevice]:
    import torch

    yield ComputeDevice(name="cpu", description=f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}")
    for place in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(place)
        yield ComputeDevice(
            name=f"cuda:{place}", description=f"{properties.name}, {properties.total_memory / 1e9:.0f} GB"
        )


def _disk(purpose: str, folder: Path) -> DiskSpace:
    """The room for a folder that need not exist yet: that of the nearest one above it."""
    there = next(path for path in (folder.resolve(), *folder.resolve().parents) if path.is_dir())
    try:
        free: int | None = shutil.disk_usage(there).free
    except OSError:
        free = None
    return DiskSpace(purpose=purpose, folder=str(folder), free_bytes=free, writable=os.access(there, os.W_OK))


def _disk_text(room: DiskSpace) -> str:
    free = "unknown" if room.free_bytes is None else f"{room.free_bytes / 1e9:.1f} GB free"
    return f"{free} for {room.purpose} in {room.folder}"


def _extra_row(extra: ExtraStatus) -> list[str]:
    what = "installed" if extra.installed else f"{extra.command}   (missing: {_names(extra.missing)})"
    return ["extra", extra.name, what]


def _names(requirements: Iterable[str]) -> str:
    return ", ".join(Requirement(text).name for text in requirements)
