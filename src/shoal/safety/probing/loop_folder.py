"""The folder of a loop: it belongs to one model, one set of seeds and one choice of settings, and to one process."""

from __future__ import annotations

import hashlib
import json
import math
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from shoal.errors import DataError, StoreError, TrainingError
from shoal.files import atomic_file
from shoal.safety.probing.claims import ProbeClaim
from shoal.safety.probing.clusters import ProbeCluster
from shoal.safety.probing.comparing import LossComparison, ProbeComparison
from shoal.safety.probing.result import ProbedModel, ProbeGroup, ProbeReport
from shoal.statistics import Control, CorrectedShare, SignFlip

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

    from shoal.safety.probing.probes import ProbeSeed
    from shoal.safety.probing.settings import ProbeSettings
    from shoal.safety.tuning import InstructionPair

PLAN, SEEDS, REPORT, LOCK = "probing.json", "seeds.jsonl", "report.json", ".lock"
"""The files of a loop: what it depends on, its seeds, what it found, and what its process holds locked."""


def claim_folder(
    folder: Path,
    model: str,
    seeds: Sequence[ProbeSeed],
    settings: ProbeSettings,
    instructions: Sequence[InstructionPair] = (),
) -> None:
    """Write what the folder's loop depends on, or check that it is the same.

    Args:
        folder: made where it does not exist.
        model: the spec of the model that is probed.
        seeds: that probes are made of.
        settings: how.
        instructions: that are learned from and held out.

    Raises:
        StoreError: it is not, or cannot be written.
        DataError: there are no seeds of either part.
    """
    if settings.rounds and {seed.part for seed in seeds if seed.harmful} != {"train", "test"}:
        raise DataError("harmful seeds of both parts are needed, train and test; give more seeds")
    stated: dict[str, Any] = {
        "model": model,
        # As digests: the file is shown whole, and thousands of texts would make megabytes of it.
        "seeds": _digest(seeds),
        "settings": asdict(settings),
        "instructions": _digest(instructions) if instructions else None,
    }
    # Compared as text: whatever changes in the settings, a new field included, makes it another loop.
    text = json.dumps(stated, indent=1, ensure_ascii=False, default=list) + "\n"
    path = folder / PLAN
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if path.exists():
            if path.read_text(encoding="utf-8") != text:
                raise StoreError(
                    f"{folder} holds the probes of another model, or of other seeds, settings or instructions; give "
                    "another folder, or the same command again to resume"
                )
            return
        write_lines(folder / SEEDS, [asdict(seed) for seed in seeds])
        with atomic_file(path) as whole:
            whole.write_text(text, encoding="utf-8")
    except OSError as fault:
        raise StoreError(f"{folder} cannot be written: {fault.strerror or fault}; give another folder") from fault


def forget_unused(folder: Path) -> None:
    """Give a folder free in which nothing was answered yet: what is wrong is corrected, and the folder used again.

    Args:
        folder: of the loop.
    """
    if not any(folder.glob("scores-*.jsonl")):
        for name in (PLAN, SEEDS):
            (folder / name).unlink(missing_ok=True)


@contextmanager
def held_folder(folder: Path) -> Iterator[None]:
    """Keep every other process out of the folder of a loop.

    Args:
        folder: of the loop.

    Raises:
        StoreError: another process works in it.
    """
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise StoreError(f"another process probes a model in {folder}; wait for it, or give another folder") from None
    try:
        yield
    finally:
        lock.release()


def read_probe_report(folder: str | os.PathLike[str]) -> ProbeReport:
    """What a loop found that has come to its end.

    Args:
        folder: as `run_probes` writes it.

    Raises:
        TrainingError: it has not come to its end.
        StoreError: its report is damaged.
    """
    path = Path(folder) / REPORT
    if not path.is_file():
        raise TrainingError(f"the red-team loop in {folder} has no report yet; give its command again to go on")
    try:
        return _report(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as fault:
        raise StoreError(
            f"{path} is no report of a red-team loop ({fault}); delete it and give the command of the loop again"
        ) from fault


def write_lines(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as JSON lines, the whole file or none of it.

    Args:
        path: in the folder.
        rows: plain values.
    """
    with atomic_file(path) as whole:
        whole.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def _digest(values: Sequence[object]) -> str:
    return hashlib.sha256(repr(list(values)).encode()).hexdigest()


def _report(row: dict[str, Any]) -> ProbeReport:
    """The report that `ProbeReport.to_dict` wrote."""
    return ProbeReport(
        **{
            **row,
            "models": tuple(map(_model, row["models"])),
            "comparisons": tuple(ProbeComparison(**_without_direction(one)) for one in row["comparisons"]),
            "claims": tuple(map(_claim, row["claims"])),
            "losses": tuple(map(_losses, row["losses"])),
            "mutations": tuple(row["mutations"]),
            "notes": tuple(row["notes"]),
        }
    )


def _model(row: dict[str, Any]) -> ProbedModel:
    clusters = (ProbeCluster(**{**one, "failed": _share(one["failed"])}) for one in row["clusters"])
    groups = {part: tuple(map(_group, row[part])) for part in ("test", "train")}
    return ProbedModel(**{**row, **groups, "clusters": tuple(clusters)})


def _group(row: dict[str, Any]) -> ProbeGroup:
    return ProbeGroup(**{**row, "failed": _share(row["failed"]), "harm": _share(row.get("harm"))})


def _share(row: dict[str, Any] | None) -> CorrectedShare | None:
    return None if row is None else CorrectedShare(**row)


def _claim(row: dict[str, Any]) -> ProbeClaim:
    # JSON has no infinity: a bound that is absent does not bound.
    ends = {name: end if row[name] is None else row[name] for name, end in (("low", -math.inf), ("high", math.inf))}
    return ProbeClaim(**{**row, **ends, "controls": tuple(Control(**one) for one in row["controls"])})


def _losses(row: dict[str, Any]) -> LossComparison:
    return LossComparison(**{**_without_direction(row), "difference": SignFlip(**row["difference"])})


def _without_direction(row: Mapping[str, Any]) -> dict[str, Any]:
    """A comparison without what follows from its other numbers."""
    return {name: value for name, value in row.items() if name != "direction"}
