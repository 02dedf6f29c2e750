"""One run in one row: what the list of runs shows of it, read in a millisecond and without trust in its files."""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.experiments import is_locked
from shoal.studio.run_names import PLAN_KINDS, RESULT_FILES
from shoal.wording import in_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

STATES = ("finished", "running", "stopped", "damaged")
"""What a run can be: at its end, worked in at this moment, interrupted, or not readable."""

_STAMPED = (*PLAN_KINDS, *RESULT_FILES, "choices.json", "timings.jsonl", "metrics.jsonl")
_CLAIMS = ("hypotheses", "claims", "verdicts")
"""Where the results of crossed experiments, overfitting comparisons and safety tunings list their claims."""

# A folder of runs that turns out to be a whole disk must not be walked to its end.
_MAX_DEPTH = 4
_MAX_BYTES = 5_000_000
"""Of a plan or a result; a larger one is no file of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """What is shown of a run in a list."""

    name: str
    """Its path in the folder of runs."""

    kind: str
    state: str
    """One of `STATES`."""

    verdict: str | None = None
    """Of a run with several claims all of their verdicts, with a comma between two."""

    hypothesis: str = ""
    task: str = ""
    preset: str = ""
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    seeds: int | None = None
    modified: float = 0.0
    """Seconds since 1970 of the newest of its records."""

    error: str = ""
    """What is wrong with a damaged one."""


@dataclass(frozen=True, slots=True)
class FoundRun:
    """A run folder that a walk met."""

    name: str
    folder: Path
    plan: str
    stamp: str
    """Changes when one of its records does."""

    modified: float
    finished: bool


def find_runs(root: Path) -> Iterator[FoundRun]:
    """Every run folder below a folder, hidden folders and symbolic links left out.

    Args:
        root: the folder of runs.
    """
    yield from _walk(root, "", _MAX_DEPTH)


def read_summary(found: FoundRun) -> RunSummary:
    """The summary of a run; a file that cannot be read makes it a damaged one, and is no error."""
    kind = PLAN_KINDS[found.plan]
    state = "finished" if found.finished else "running" if is_locked(found.folder) else "stopped"
    try:
        text = _text(found.folder / found.plan)
        plan = json.loads(text) if found.plan.endswith(".json") else tomllib.loads(text)
        shown = _of_plan(plan) | _of_verdict(_result(found.folder, "verdict.json"))
        if "verdict" not in shown:
            shown["verdict"] = _verdicts_of_claims(_result(found.folder, "result.json"))
        return RunSummary(name=found.name, kind=kind, state=state, modified=found.modified, **shown)
    # Files of other versions, or by hand: one damaged run must not end the walk over all others.
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        error = in_one_line(fault, limit=160)
        return RunSummary(name=found.name, kind=kind, state="damaged", modified=found.modified, error=error)


def _walk(folder: Path, name: str, depth: int) -> Iterator[FoundRun]:
    try:
        with os.scandir(folder) as entries:
            found = {entry.name: entry for entry in entries if not entry.is_symlink()}
    except OSError:
        # It was removed in this moment, or may not be read: there is nothing to show.
        return
    plan = next((plan for plan in PLAN_KINDS if plan in found), None)
    if plan is not None and name:
        # What lies within a run (arms, checkpoints, trials) is not searched for further runs.
        yield _found(folder, name, plan, found)
        return
    for entry in sorted(found.values(), key=lambda entry: entry.name) if depth else ():
        if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
            yield from _walk(folder / entry.name, f"{name}/{entry.name}".lstrip("/"), depth - 1)


def _found(folder: Path, name: str, plan: str, entries: Mapping[str, os.DirEntry[str]]) -> FoundRun:
    changed = []
    for file in _STAMPED:
        if file in entries:
            try:
                status = entries[file].stat(follow_symlinks=False)
            except OSError:
                continue
            changed.append((file, status.st_mtime_ns, status.st_size))
    newest = max((moment for _, moment, _ in changed), default=0)
    stamp = ";".join(f"{file}:{moment}:{size}" for file, moment, size in changed)
    finished = any(file in entries for file in RESULT_FILES)
    return FoundRun(name=name, folder=folder, plan=plan, stamp=stamp, modified=newest / 1e9, finished=finished)


def _text(path: Path) -> str:
    if path.stat().st_size > _MAX_BYTES:
        raise ValueError(f"{path.name} has more than {_MAX_BYTES:,} bytes")
    return path.read_text(encoding="utf-8")


def _result(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    found = json.loads(_text(path)) if path.is_file() else {}
    if not isinstance(found, dict):
        raise TypeError(f"{name} holds a {type(found).__name__} and no object")
    return found


def _of_plan(plan: Mapping[str, Any]) -> dict[str, Any]:
    task = plan.get("task")
    seeds = plan.get("seeds")
    return {
        "hypothesis": _hypothesis(plan),
        "task": str(task.get("name", "")) if isinstance(task, dict) else "",
        "preset": str(plan.get("preset", "")),
        "seeds": len(seeds) if isinstance(seeds, list) else seeds if isinstance(seeds, int) else None,
    }


def _hypothesis(plan: Mapping[str, Any]) -> str:
    """The hypothesis or question of a plan; of an overfitting comparison, which has neither, its claims."""
    # In a plan with a question, "hypothesis" is a list of tables.
    for key in ("hypothesis", "question"):
        if key in plan and not isinstance(plan[key], list):
            return str(plan[key])
    overfit = plan.get("overfit")
    claims = overfit.get("claims", ()) if isinstance(overfit, dict) else ()
    return " ".join(str(claim["claim"]) for claim in claims)


def _of_verdict(verdict: Mapping[str, Any]) -> dict[str, Any]:
    if not verdict:
        return {}
    effect = verdict["effect"]
    numbers = {key: None if effect[key] is None else float(effect[key]) for key in ("estimate", "low", "high")}
    return {
        "verdict": str(verdict["verdict"]),
        "effect": numbers["estimate"],
        "low": numbers["low"],
        "high": numbers["high"],
    }


def _verdicts_of_claims(result: Mapping[str, Any]) -> str | None:
    return ", ".join(str(claim["verdict"]) for key in _CLAIMS for claim in result.get(key, ())) or None
