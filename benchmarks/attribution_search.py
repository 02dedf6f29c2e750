"""How often the search finds a shortcut that was taken out of the list, and invents one for a model with none.

    python -m benchmarks.attribution_search [--out FILE] [--items 300] [--examples N] [--tasks NAME ...] [--seed 0]

Answers are simulated: a shortcut of the task (alone, or for half of the items the rule), with slips; or the rule with
errors of several kinds. The shortcut is taken out of the named explanations, with all that is as good as it by the
measure: it counts as found if a program found gives its answers to at least 90% of the items where it is not the rule,
and of the others. The tasks `fresh-...` of `search_tasks.py` were written after the grammar: add `--splits default`.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.search_tasks import FRESH
from shoal.attribution import RULE, CandidateTable, ItemAnswer, candidates_of
from shoal.attribution.programs import ProgramLibrary, SearchResult, build_library, search_programs
from shoal.errors import MissingExtraError
from shoal.tasks import Example, Task, known_tasks, make_task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SLIPS = (0.0, 0.1, 0.3)
MIXTURES = (1.0, 0.5)
ERROR_RATES = (0.0, 0.1, 0.2, 0.4)
EQUAL = 0.9
MIN_DIFFERING = 20
"""Of a shortcut that differs from the rule on fewer items (or applies to fewer) nothing is asked."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A task with the items, the candidates and the programs, which all simulated models share."""

    task: Task
    items: tuple[Example, ...]
    table: CandidateTable
    library: ProgramLibrary
    seed: int


def main() -> int:
    """Print a row a task, and write the records."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path)
    parser.add_argument("--items", type=int, default=300)
    parser.add_argument("--tasks", nargs="*", default=[])
    parser.add_argument("--examples", type=int)
    parser.add_argument("--splits", nargs="*", default=["default", "structural"])
    parser.add_argument("--seed", type=int, default=0, help="of the tasks, the items and the answers")
    given = parser.parse_args()
    records: list[dict[str, object]] = []
    for name in given.tasks or known_tasks():
        for split in given.splits:
            started = time.process_time()
            try:
                setting = _setting(name, split, given.items, given.examples, given.seed)
            except MissingExtraError as error:
                print(f"| {name}, {split} | not run: {error}", flush=True)
                continue
            spent = time.process_time() - started
            own = [*_planted(setting), *_controls(setting)]
            records += [{"task": name, "split": split, "library_seconds": spent, **record} for record in own]
            print(_row(f"{name}, {split}", own), f"{spent:.0f} s", flush=True)
            if given.out:
                given.out.write_text(json.dumps(records, indent=1), encoding="utf-8")
    print(_row("all", records))
    _print_conditions(records)
    return 0


def _setting(name: str, split: str, size: int, examples: int | None = None, seed: int = 0) -> Setting:
    task = FRESH[name](seed) if name in FRESH else _known_task(name, split, examples, seed)
    draw = random.Random(f"{name} {split} {seed}")
    held, seen = list(task.held_out), list(task.seen)
    draw.shuffle(held)
    draw.shuffle(seen)
    items = (*held[: size * 2 // 3], *seen[: size // 3])
    table = candidates_of(task, items)
    library = build_library(task.seen, task.rule, table.prompts, table.expected)
    return Setting(task, items, table, library, seed)


def _known_task(name: str, split: str, examples: int | None, seed: int) -> Task:
    options: dict[str, object] = {} if split == "default" else {"split": known_tasks()[name].structural_split}
    if examples and "examples" in known_tasks()[name].options:
        options["examples"] = examples
    if "seed" in known_tasks()[name].options:
        options["seed"] = seed
    return make_task(name, **options)


def _planted(setting: Setting) -> Iterator[dict[str, object]]:
    """A record for each shortcut, mixture and slip."""
    table = setting.table
    rule = table.column(RULE)
    for group in table.classes():
        column = table.column(group[0])
        differing = [row for row, (own, right) in enumerate(zip(column, rule, strict=True)) if own != right]
        applies = [row for row in differing if column[row] is not None]
        if RULE in group or len(differing) < MIN_DIFFERING or (len(applies) < MIN_DIFFERING and "look-up" not in group):
            continue
        # What is as good as it by the measure below would be no miss.
        known = table.of(
            [
                name
                for name in table.names
                if name == RULE or (name not in group and _alike(table.column(name), column, differing) < EQUAL)
            ]
        )
        for mixture in MIXTURES:
            for slip in SLIPS:
                draw = random.Random(f"{setting.task.name} {group[0]} {mixture} {slip} {setting.seed}")

                def answer(row: int, mixture: float = mixture, slip: float = slip, draw: random.Random = draw) -> str:
                    wanted = column[row] if draw.random() < mixture else rule[row]  # noqa: B023
                    if wanted is None or draw.random() < slip:
                        return _error(setting, row, draw)
                    return wanted

                result, spent = _search(setting, known, answer)
                best, equal = _equality(setting, result, column, differing)
                yield {
                    "kind": "planted",
                    "shortcut": group[0],
                    "mixture": mixture,
                    "slip": slip,
                    "found": equal >= EQUAL,
                    "equality": equal,
                    "any": bool(result.found),
                    "program": best or (result.programs[0].notation if result.programs else ""),
                    "seconds": spent,
                }


def _controls(setting: Setting) -> Iterator[dict[str, object]]:
    """A record for each kind and rate of errors of a model that follows the rule."""
    lengths = sorted(range(len(setting.items)), key=lambda row: len(setting.items[row].completion))
    longest = {row: rank / len(lengths) for rank, row in enumerate(lengths)}
    kinds: dict[str, Callable[[int, random.Random], str]] = {
        "any": lambda row, draw: _error(setting, row, draw),
        "seen completions": lambda _, draw: draw.choice(setting.library.context.completions),
        "near misses": lambda row, draw: _near_miss(setting.items[row].completion, draw),
        "long ones": lambda row, draw: _near_miss(setting.items[row].completion, draw),
    }
    for kind, error in kinds.items():
        for rate in ERROR_RATES:
            for seed in range(2):
                draw = random.Random(f"{setting.task.name} {kind} {rate} {seed} {setting.seed}")

                def answer(row: int, kind: str = kind, rate: float = rate, draw: random.Random = draw) -> str:
                    wrong = longest[row] > 1 - rate if kind == "long ones" else draw.random() < rate
                    return error(row, draw) if wrong else setting.items[row].completion  # noqa: B023

                result, spent = _search(setting, setting.table, answer)
                yield {
                    "kind": "control",
                    "errors": kind,
                    "rate": rate,
                    "any": bool(result.found),
                    "program": result.found[0].notation if result.found else "",
                    "share": result.found[0].share if result.found else 0,
                    "saved": result.programs[0].bits_saved if result.programs else 0,
                    "seconds": spent,
                }


def _search(setting: Setting, known: CandidateTable, answer: Callable[[int], str]) -> tuple[SearchResult, float]:
    answers = [
        ItemAnswer(prompt=item.prompt, expected=item.completion, answer=answer(row), ends=True, log_probs={})
        for row, item in enumerate(setting.items)
    ]
    started = time.process_time()
    result = search_programs(setting.task, answers, table=known, library=setting.library)
    return result, time.process_time() - started


def _equality(
    setting: Setting, result: SearchResult, column: Sequence[str | None], differing: Sequence[int]
) -> tuple[str, float]:
    """The program found that is most like the shortcut, and how much."""
    best, most = "", 0.0
    for program in result.found:
        equal = _alike(program.shortcut.program.answers(setting.library.batch), column, differing)
        if equal > most:
            best, most = program.notation, equal
    return best, most


def _alike(answers: Sequence[str | None], column: Sequence[str | None], differing: Sequence[int]) -> float:
    """On how many items one gives the answers of the other: the lesser of the shares where it is the rule, and not."""
    others = set(range(len(column))) - set(differing)
    shares = [sum(answers[row] == column[row] for row in rows) / len(rows) for rows in (differing, others) if rows]
    return min(shares)


def _error(setting: Setting, row: int, draw: random.Random) -> str:
    """Another prompt's completion, or the right one with a small change."""
    if draw.random() < 0.5:
        return draw.choice(setting.library.context.completions)
    return _near_miss(setting.items[row].completion, draw)


def _near_miss(text: str, draw: random.Random) -> str:
    """The completion with a number off by a little, or a character dropped, doubled or replaced by another of it."""
    body = text.strip()
    if body.isdigit() and draw.random() < 0.6:
        return f" {max(0, int(body) + draw.choice([-3, -2, -1, 1, 2, 3]))}"
    place = draw.randrange(len(body))
    kind = draw.choice(["drop", "double", "replace"])
    if kind == "drop" and len(body) > 1:
        return f" {body[:place]}{body[place + 1 :]}".rstrip()
    if kind == "double":
        return f" {body[:place]}{body[place]}{body[place:]}"
    return f" {body[:place]}{draw.choice(body + '01')}{body[place + 1 :]}".rstrip()


def _row(name: str, records: Sequence[dict[str, object]]) -> str:
    planted = [record for record in records if record["kind"] == "planted"]
    controls = [record for record in records if record["kind"] == "control"]
    found, invented = sum(bool(each["found"]) for each in planted), sum(bool(each["any"]) for each in controls)
    missed = sorted({str(each["shortcut"]) for each in planted if not each["found"] and not each["slip"]})
    return f"| {name} | {found} of {len(planted)} | {invented} of {len(controls)} | {', '.join(missed)} |"


def _print_conditions(records: Sequence[dict[str, object]]) -> None:
    for mixture in MIXTURES:
        for slip in SLIPS:
            own = [each for each in records if each.get("mixture") == mixture and each.get("slip") == slip]
            if own:
                found = sum(bool(each["found"]) for each in own)
                print(f"mixture {mixture}, slip {slip}: found {found} of {len(own)}, {found / len(own):.1%}")
    for rate in ERROR_RATES:
        own = [each for each in records if each.get("rate") == rate]
        if own:
            print(f"errors {rate}: invented {sum(bool(each['any']) for each in own)} of {len(own)}")


if __name__ == "__main__":
    sys.exit(main())
