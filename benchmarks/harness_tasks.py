"""Task files of lm-evaluation-harness beside lm-evaluation-harness: do all parse, and are prompts and targets its own?

Every task file of the peer's folder that needs no Python is parsed. Then a sample of them, one per data set, is given
documents that are made up to fit its templates (the columns that the templates name, with texts of many kinds), and the
peer's ``ConfigurableTask`` and shoal each write their requests, without and with examples; the two are compared byte
by byte. No network is needed.

    python -m benchmarks.harness_tasks [--tasks 200] [--documents 4]

Figures go to bench-out/harness_tasks.json.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from benchmarks.processes import OUT, PEERS_PYTHON, ROOT, run_side, write_result
from shoal.errors import ShoalError
from shoal.evaluation.benchmarks import (
    DataFolders,
    PythonTaskError,
    TaskFile,
    build_items,
    parse_task,
    read_task_yaml,
    task_paths,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

SIDE = ROOT / "benchmarks" / "sides" / "harness_tasks_side.py"
TEXTS = (
    "The fish swims.", "a", "two\nlines ", "  spaces before", "Ärger über Öl: “quoted”", "日本語の文", "tab\there",
    "it's {{ not }} a template", "1,234.50", "ends with colon:", "x = [1, 2]",
)  # fmt: skip
WAYS = ("text", "letter", "place", "flag")
"""How the values of columns that a target names are made up."""


def main() -> None:
    """Parse all, compare a sample, print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--documents", type=int, default=4)
    options = parser.parse_args()
    folder = peer_folder()
    started = time.process_time()
    counts, parsed = parse_all(folder)
    print(f"parsed {counts['parsed']} of {counts['parsed'] + counts['refused']} task files without Python", end=" ")
    print(
        f"({counts['python']} need Python, {counts['group']} are groups) in {time.process_time() - started:.1f} CPU-s"
    )
    cases = list(make_cases(parsed, options.tasks, options.documents))
    print(f"{len(cases)} task files got documents that fit their templates")
    found = compare(cases)
    print(
        f"{found['equal']} of {found['compared']} task files have equal requests, {found['requests']} requests in all"
    )
    for line in found["different"][:20]:
        print("DIFFERENT", line)
    for line in found["peer failed"][:10]:
        print("PEER FAILED", line)
    print(f"written to {write_result('harness_tasks', {'counts': dict(counts)} | found)}")


def peer_folder() -> Path:
    """The task folder of the peer."""
    command = "import importlib.util as u; print(list(u.find_spec('lm_eval').submodule_search_locations)[0])"
    return Path(run_side([PEERS_PYTHON, "-c", command]).output.strip()) / "tasks"


def parse_all(folder: Path) -> tuple[Counter[str], list[tuple[Path, TaskFile]]]:
    """Parse every task file; those that are groups, have no task or need Python are counted apart."""
    counts: Counter[str] = Counter()
    parsed = []
    for path in task_paths(folder):
        keys = read_task_yaml(path)
        if "group" in keys or not isinstance(keys.get("task"), str):
            counts["group" if "group" in keys else "no task"] += 1
            continue
        try:
            parsed.append((path, parse_task(keys, path)))
            counts["parsed"] += 1
        except PythonTaskError:
            counts["python"] += 1
        except ShoalError as error:
            counts["refused"] += 1
            print("REFUSED", error)
    return counts, parsed


def make_cases(parsed: list[tuple[Path, TaskFile]], tasks: int, documents: int) -> Iterator[dict[str, Any]]:
    """Task files of different data sets with documents of their own, which shoal can write requests for."""
    seen: set[str] = set()
    made = 0
    for path, task in parsed:
        # Files of one folder and data set differ in the name of a language alone.
        key = f"{path.parent}:{task.dataset_path}"
        if key in seen or made >= tasks:
            continue
        case = fitting_case(path, task, documents)
        if case is not None:
            seen.add(key)
            made += 1
            yield case


def fitting_case(path: Path, task: TaskFile, documents: int) -> dict[str, Any] | None:
    """Documents that the task's templates take, and the requests that shoal makes; None where none was found."""
    splits = {
        split for split in (task.training_split, task.validation_split, task.test_split, task.fewshot.split) if split
    }
    for way in WAYS:
        rows = {
            split: [document_of(task, way, random.Random(f"{path.name}{split}{place}")) for place in range(documents)]
            for split in sorted(splits)
        }
        try:
            requests = {shots: requests_of(task, rows, shots) for shots in (0, 2)}
        except ShoalError:
            continue
        return {"path": str(path), "rows": rows, "requests": requests}
    return None


def requests_of(task: TaskFile, rows: dict[str, list[dict[str, Any]]], shots: int) -> list[Any]:
    """What shoal asks of a model, document by document."""
    import dataclasses

    place = OUT / "harness_tasks"
    place.mkdir(parents=True, exist_ok=True)
    for split, documents in rows.items():
        (place / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in documents), encoding="utf-8")
    files = {split: f"{split}.jsonl" for split in rows}
    local = dataclasses.replace(task, dataset_path="json", dataset_kwargs={"data_files": files})
    items = build_items(local, DataFolders(place), shots=shots)
    if items.kind == "generation":
        return [[item.requests[0][0]] for item in items.items]
    if items.kind == "rolling":
        return [[item.requests[0][1]] for item in items.items]
    return [[list(pair) for pair in item.requests] for item in items.items]


def compare(cases: list[dict[str, Any]]) -> dict[str, Any]:
    """The requests of the peer's ConfigurableTask on the same documents, compared byte by byte."""
    file = OUT / "harness_tasks.jsonl"
    with file.open("w", encoding="utf-8") as handle:
        handle.writelines(json.dumps({"path": case["path"], "rows": case["rows"]}) + "\n" for case in cases)
    output = run_side([PEERS_PYTHON, SIDE, file]).output
    answers = [json.loads(line.removeprefix("CASE ")) for line in output.splitlines() if line.startswith("CASE ")]
    different, failed, equal, requests = [], [], 0, 0
    for case, answer in zip(cases, answers, strict=True):
        if "error" in answer:
            failed.append(f"{case['path']}: {answer['error']}")
            continue
        ours = {str(shots): found for shots, found in case["requests"].items()}
        requests += sum(len(each) for found in ours.values() for each in found)
        if ours == answer["requests"]:
            equal += 1
        else:
            different.append(f"{case['path']}: {first_difference(ours, answer['requests'])}")
    return {
        "compared": len(cases) - len(failed),
        "equal": equal,
        "requests": requests,
        "different": different,
        "peer failed": failed,
    }


def first_difference(ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    """The first request that differs."""
    for shots, found in ours.items():
        for place, (one, other) in enumerate(zip(found, theirs[shots], strict=False)):
            if one != other:
                return f"{shots} shots, document {place}: {str(one)[:300]!r} against {str(other)[:300]!r}"
    return "their number"


def document_of(task: TaskFile, way: str, drawn: random.Random) -> dict[str, Any]:
    """A document with every column that the task's templates name."""
    document: dict[str, Any] = {}
    templates = [task.doc_to_text, task.description, task.gen_prefix, task.doc_to_choice]
    for template in [*templates, task.doc_to_target]:
        for text in template if isinstance(template, list) else [template]:
            if isinstance(text, str):
                names = columns_of(text)
                # A bare word is the name of a column.
                if not names and "{" not in text and text.isidentifier():
                    names = {text: "list" if template is task.doc_to_choice else "text"}
                for name, kind in names.items():
                    target = template is task.doc_to_target and template is not task.doc_to_choice
                    document.setdefault(name, value_of(kind, way if target else "text", drawn))
    return document


def columns_of(template: str) -> dict[str, Any]:
    """The columns that a template reads, each with how it is used: text, list, or a mapping of keys to uses."""
    try:
        tree = ImmutableSandboxedEnvironment().parse(template)
    except TemplateSyntaxError:  # a description may hold braces that are no template
        return {}
    found: dict[str, Any] = {}
    bound = {each.name for each in tree.find_all(nodes.Name) if each.ctx == "store"}
    for access in [*tree.find_all(nodes.Getattr), *tree.find_all(nodes.Getitem)]:
        if isinstance(access.node, nodes.Name) and access.node.name not in bound:
            key = access.attr if isinstance(access, nodes.Getattr) else getattr(access.arg, "value", None)
            if isinstance(key, str) and key not in dir(str):
                known = found.setdefault(access.node.name, {})
                if isinstance(known, dict):
                    known[key] = "list" if key in ("text", "label", "choices", "labels") else "text"
            elif not isinstance(key, str):
                found[access.node.name] = "list"
    for loop in tree.find_all(nodes.For):
        if isinstance(loop.iter, nodes.Name):
            found[loop.iter.name] = "list"
    for name in tree.find_all(nodes.Name):
        if name.ctx == "load" and name.name not in bound and name.name not in ("range", "namespace", "loop"):
            found.setdefault(name.name, "list" if name.name in ("choices", "options") else "text")
    return found


def value_of(kind: Any, way: str, drawn: random.Random) -> Any:
    """A value for a column."""
    if isinstance(kind, dict):
        return {key: value_of(inner, way, drawn) for key, inner in kind.items()}
    if kind == "list":
        return [f"{drawn.choice(TEXTS)}{place}" for place in range(4)]
    made = {"letter": "ABCD"[drawn.randrange(2)], "place": drawn.randrange(2), "flag": bool(drawn.randrange(2))}
    return made.get(way, f"{drawn.choice(TEXTS)}{drawn.randrange(100)}")


if __name__ == "__main__":
    main()
