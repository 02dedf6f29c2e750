"""Discriminating items beside random ones: how many items find what a simulated model does, and how often wrongly.

    python -m benchmarks.attribution_adaptive                # all tasks: some six minutes on one free core
    python -m benchmarks.attribution_adaptive addition sort  # some of them
    python -m benchmarks.attribution_adaptive --table        # the tables of what was run

Each simulated model follows one explanation of a task (the rule or a shortcut), with slips: half of them answers of
another explanation, half answers of none. Both ways of asking stop by the same rule, ask one item at a time where they
are random, and know the same explanations. Random items come from two sources:

- **task**: what `Task.draw` gives, wider ranges than the examples' included (both ways of asking have them);
- **data 95%**: the same, but the rule and one shortcut agree on 95% of the items, as in a data set with a spurious
  correlation of that strength (95% is that of Waterbirds: Sagawa et al. 2020, arXiv:1911.08731). The model follows one
  of the two.

Mixtures of rule and shortcut, and models whose answers do not hang on the prompt, follow in tables of their own. The
tables are printed; the records are added to ``bench-out/attribution_adaptive.jsonl``, task by task.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.processes import append_part, read_parts
from shoal.attribution import Discrimination, ItemPool, discriminate, item_pool, pool_of
from shoal.statistics import clopper_pearson_interval, percentile_interval, resampled_places
from shoal.tasks import Task, make_task

TASKS: Mapping[str, Mapping[str, Any]] = {
    "addition": {},
    "agreement": {},
    "article": {},
    "comparison": {},
    "copy": {},
    "counting": {"largest": 60},
    "duplicate": {},
    "dyck": {},
    "majority": {},
    "missing-duplicate": {},
    "modular-arithmetic": {},
    "parity": {},
    "reverse": {},
    "sort": {},
    "word-classes": {},
}
SLIPS = (0.0, 0.1, 0.2)
CHOSEN_FROM, DRAWN = 800, 1500
"""Items in the pool that is chosen from, and in that of random items."""

BUDGET = 1000
AGREEMENT = 0.95
MIXTURES = (0.5, 0.7, 0.85)
"""The rule's share; a shortcut has the rest."""

Model = Callable[[Sequence[str]], list[str]]
Record = dict[str, Any]


def main() -> None:
    """Print the tables, task by task and in all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", choices=[*TASKS, []])
    parser.add_argument("--repeats", type=int, default=3, help="simulated models per explanation and rate of slips")
    parser.add_argument("--table", action="store_true", help="only print the tables of the records that are there")
    given = parser.parse_args()
    for name in () if given.table else given.tasks or TASKS:
        task = make_task(name, **TASKS[name])
        chosen = item_pool(task, size=CHOSEN_FROM, extrapolate=True)
        drawn = item_pool(task, size=DRAWN, variants=False, extrapolate=True, seed=1)
        single = single_records(chosen, drawn, given.repeats)
        records = [*single, *mixture_records(chosen), *noise_records(task, chosen, given.repeats)]
        append_part("attribution_adaptive", {"task": name, "records": records})
        print(f"{name}: {len(chosen)} items to choose from, {len(drawn)} drawn, {len(chosen.classes)} explanations")
        print_tables(records)
    # Of a task that was run more than once, the last run counts.
    parts = {part["task"]: part["records"] for part in read_parts("attribution_adaptive")}
    print(f"{len(parts)} tasks: {', '.join(parts)}")
    print_tables([record for records in parts.values() for record in records])


def single_records(chosen: ItemPool, drawn: ItemPool, repeats: int) -> Iterator[Record]:
    """Models that follow one explanation."""
    for group in chosen.classes:
        for slip in SLIPS:
            for seed in range(repeats):
                adaptive = asked(chosen, group[0], slip, seed)
                rival = asked(shuffled(drawn, seed), group[0], slip, seed, "random")
                yield compared("task", group[0], slip, adaptive, rival)
                for shortcut in correlated(drawn, group[0]) if seed == 0 else ():
                    data = spurious(drawn, shortcut, seed)
                    yield compared("data 95%", group[0], slip, adaptive, asked(data, group[0], slip, seed, "random"))


Asked = tuple[Discrimination, str]


def asked(pool: ItemPool, name: str, slip: float, seed: int, order: Any = "discriminating") -> Asked:
    """What is found about a model that follows an explanation, and the outcome in a word."""
    options = {"batch": 1} if order == "random" else {}
    found = discriminate(follows(pool, {name: 1.0}, slip, seed), pool, order=order, budget=BUDGET, seed=seed, **options)
    return found, outcome(found, name)


def outcome(found: Discrimination, truth: str) -> str:
    """Right, wrong (the truth was rejected) or undecided."""
    if truth not in found.names:
        return "wrong"
    return "undecided" if found.verdict == "cannot tell" else "right"


def compared(source: str, truth: str, slip: float, adaptive: Asked, other: Asked) -> Record:
    return {
        "kind": source,
        "truth": truth,
        "slip": slip,
        "items": len(adaptive[0].items),
        "batches": adaptive[0].batches,
        "outcome": adaptive[1],
        "random items": len(other[0].items),
        "random outcome": other[1],
    }


def shuffled(pool: ItemPool, seed: int) -> ItemPool:
    """The pool in another random order."""
    places = random.Random(f"order {seed}").sample(range(len(pool)), len(pool))
    return pool_of(pool.table.rows(places), task=pool.task)


def correlated(pool: ItemPool, truth: str) -> list[str]:
    """The shortcuts that a data set may hide behind the rule: those that agree with it on enough of the items drawn."""
    others = [group[0] for group in pool.classes if group[0] != "rule"]
    enough = [name for name in others if agreeing(pool, name).mean() >= 0.1]
    return [name for name in enough if truth in ("rule", name)]


def agreeing(pool: ItemPool, shortcut: str) -> np.ndarray[Any, Any]:
    return np.array([a == b for a, b in zip(pool.table.column("rule"), pool.table.column(shortcut), strict=True)])


def spurious(pool: ItemPool, shortcut: str, seed: int) -> ItemPool:
    """Items of which rule and shortcut agree on 95%, in random order; as many as the pool has."""
    generator = random.Random(f"spurious {shortcut} {seed}")
    agrees = agreeing(pool, shortcut)
    sides = [list(np.flatnonzero(~agrees)), list(np.flatnonzero(agrees))]
    for side in sides:
        generator.shuffle(side)
    places: list[int] = []
    while True:
        side = sides[generator.random() < AGREEMENT]
        if not side:
            return pool_of(pool.table.rows(places), task=pool.task)
        places.append(int(side.pop()))


def follows(pool: ItemPool, shares: Mapping[str, float], slip: float, seed: int) -> Model:
    """A model that answers each item by one of the explanations, always the same one, and slips."""
    rows = dict(zip(pool.table.prompts, pool.table.answers, strict=True))
    columns = {name: pool.table.names.index(name) for name in shares}

    def answer(prompt: str) -> str:
        # Another draw for every model, so that their slips fall on different items.
        generator = random.Random(f"{seed} {sorted(shares)} {slip} {prompt}")
        if generator.random() < slip:
            return generator.choice([" (slip)", generator.choice(rows[prompt]) or " (slip)"])
        (name,) = generator.choices(list(shares), list(shares.values()))
        return rows[prompt][columns[name]] or " (slip)"

    return lambda prompts: [answer(prompt) for prompt in prompts]


def mixture_records(pool: ItemPool) -> Iterator[Record]:
    """Models that mix rule and shortcut: is the larger part named, are both left, or is something else named?"""
    for group in pool.classes:
        for share in MIXTURES if "rule" not in group else ():
            found = discriminate(follows(pool, {"rule": share, group[0]: 1 - share}, 0.0, 0), pool)
            parts = {"rule", group[0]}
            if found.verdict == "cannot tell":
                result = "both are left" if parts <= set(found.names) else "undecided, a part is rejected"
            elif found.verdict == "none":
                result = "none"
            else:
                result = "rule" if "rule" in found.names else "shortcut" if group[0] in found.names else "another"
            yield {"kind": "mixture", "share": share, "truth": group[0], "result": result, "items": len(found.items)}


def noise_records(task: Task, pool: ItemPool, repeats: int) -> Iterator[Record]:
    """Models whose answers do not hang on the prompt."""
    completions = [example.completion for example in task.seen]
    for seed in range(3 * repeats):
        found = discriminate(lambda prompts: [random.Random(f"{seed} {p}").choice(completions) for p in prompts], pool)  # noqa: B023
        result = {"rule": "named", "shortcut": "named"}.get(found.verdict, found.verdict)
        yield {"kind": "noise", "result": result, "items": len(found.items)}


def print_tables(records: Sequence[Record]) -> None:
    for kind in ("task", "data 95%"):
        for slip in (*SLIPS, None):
            own = [each for each in records if each["kind"] == kind and slip in (each["slip"], None)]
            if own:
                print(f"| {kind} | {'all' if slip is None else slip} | {comparison(own)} |")
    for share in MIXTURES:
        print_counts(f"mixture {share}", [each for each in records if each.get("share") == share])
    print_counts("noise", [each for each in records if each["kind"] == "noise"])


def comparison(own: Sequence[Record]) -> str:
    """Medians, the median ratio with a bootstrap interval over models, and the exact intervals of the error rates."""
    ratios = np.array([each["items"] / each["random items"] for each in own])
    low, high = percentile_interval(np.median(ratios[resampled_places(len(own))], axis=1), 0.95)
    cells = [
        str(len(own)),
        f"{statistics.median(each['items'] for each in own):g}",
        f"{statistics.median(each['random items'] for each in own):g}",
        f"{np.median(ratios):.3f} [{low:.3f}, {high:.3f}]",
        *(rates([each[key] for each in own]) for key in ("outcome", "random outcome")),
    ]
    return " | ".join(cells)


def rates(outcomes: Sequence[str]) -> str:
    wrong = outcomes.count("wrong")
    interval = clopper_pearson_interval(wrong, len(outcomes))
    undecided = outcomes.count("undecided")
    return f"{wrong / len(outcomes):.3f} [{interval.low:.3f}, {interval.high:.3f}], undecided {undecided}"


def print_counts(title: str, own: Sequence[Record]) -> None:
    if own:
        results = [each["result"] for each in own]
        counts = {result: results.count(result) for result in sorted(set(results))}
        print(
            f"{title}: {len(own)} models, {counts}, median items {statistics.median(each['items'] for each in own):g}"
        )


if __name__ == "__main__":
    main()
