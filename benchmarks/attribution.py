"""What `explain` finds in models whose mechanism is known, beside plain agreement.

    python -m benchmarks.attribution [DIR] [--out FILE] [--search] [--adaptive]

DIR holds planted models, as ``python recipes/planted.py DIR --seed 1`` trains them; without one, they are trained here
(some ten minutes on two cores), into bench-out/planted. Those that did not learn what was planted are listed and left
out. ``--search`` takes the planted shortcut out of the list and searches for it, and searches in the rule-learners,
which have none; ``--adaptive`` counts the items that settle the question, chosen by disagreement and at random.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.attribution_figures import print_figures
from shoal.attribution import (
    NOISE,
    RULE,
    ask_model,
    candidates_of,
    discriminate,
    explain_answers,
    model_answers,
    pool_of,
)
from shoal.attribution.planted import plant_models, planted_models, planted_task, read_planted
from shoal.attribution.planted.examples import draw_examples
from shoal.attribution.programs import search_programs
from shoal.models import load_model
from shoal.tasks import Example

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.attribution import CandidateTable, Explanation, ItemAnswer
    from shoal.attribution.planted import PlantedCard
    from shoal.models import LoadedModel
    from shoal.tasks import Task

EQUAL = 0.9
"""Of the items on which the planted shortcut is not the rule: how many a program must answer like it to be it."""

FOLDER = Path("bench-out") / "planted"
SEED = 1
"""Of models that were not used in building: those had the seed 0."""


def main() -> int:
    """Explain every model, print the figures, and write the records."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--search", action="store_true")
    parser.add_argument("--adaptive", action="store_true")
    given = parser.parse_args()
    cards = read_planted(given.folder) if given.folder else plant_models(planted_models(seed=SEED), FOLDER)
    for card in cards:
        if not card.learned:
            print(f"did not learn what was planted: {card}")
    learned, records = [card for card in cards if card.learned], []
    for number, card in enumerate(learned, start=1):
        started = time.process_time()
        records.append(measure(card, search=given.search, adaptive=given.adaptive))
        records[-1]["cpu_seconds"] = round(time.process_time() - started, 2)
        print(f"{number} of {len(learned)}: {card.planted.name}: {records[-1]['sentence']}", flush=True)
        if given.out:
            given.out.write_text(json.dumps(records, indent=1), encoding="utf-8")
    print_figures(records)
    return 0


def measure(card: PlantedCard, *, search: bool, adaptive: bool) -> dict[str, Any]:
    """Everything that is compared with the truth, of one model."""
    task, loaded = planted_task(card.planted), load_model(card.folder, device="cpu")
    table = candidates_of(task)
    answers = ask_model(loaded.model, loaded.tokenizer, table)
    found = explain_answers(table, answers, task.seen, task=task.name)
    planted = card.planted
    record: dict[str, Any] = {
        "name": planted.name,
        "kind": planted.kind,
        "task": planted.task,
        "shortcut": planted.shortcut,
        "share": planted.share,
        "noise": planted.noise,
        "measured_share": card.check.shortcut_share,
        "items": len(answers),
        "verdict": found.verdict,
        "names": list(found.names),
        "sentence": found.sentence,
        "equals": _equals(table, planted.shortcut),
        "rule_equals": _equals(table, RULE),
        "shares": {each.name: each.share for each in found.shares},
        "lows": {each.name: each.low for each in found.shares},
        "highs": {each.name: each.high for each in found.shares},
        "leads": {each.name: each.leads for each in found.shares},
        "item_calibration": _item_calibration(found, table, card),
        "baseline": _baseline(found),
    }
    if search and planted.kind in ("pure", "mixed", "rule"):
        record["search"] = _search(task, answers, table, planted.shortcut if planted.kind != "rule" else None)
    if adaptive and planted.kind in ("pure", "rule"):
        record["adaptive"] = _adaptive(task, loaded, card)
    return record


def _equals(table: CandidateTable, name: str) -> list[str]:
    """The explanations that no item separates from one, itself among them."""
    return next((list(group) for group in table.classes() if name in group), [name])


def _item_calibration(found: Explanation, table: CandidateTable, card: PlantedCard) -> list[tuple[float, bool]]:
    """Of each item whose source is known: the probability of its best explanation, and whether that is the source.

    The source is known where one planted program alone gives the answer, or none does.
    """
    planted = card.planted
    programs = {name for name in planted.truth if name != NOISE}
    if planted.kind == "cannot tell":
        return []
    equals = {name: set(_equals(table, name)) for name in programs}
    pairs = []
    for item in found.items:
        sources = [name for name in programs if name in item.given_by]
        if len(sources) > 1:
            continue
        source = equals[sources[0]] if sources else {NOISE}
        probability: dict[bool, float] = {True: 0.0, False: 0.0}
        for name, share in item.probabilities.items():
            probability[name in source] += share
        best_is_source = item.best in source
        # The class of the source counts as one explanation, any other by itself.
        confidence = probability[True] if best_is_source else item.probabilities[item.best]
        pairs.append((min(1.0, confidence), best_is_source))
    return pairs


def _baseline(found: Explanation) -> dict[str, Any]:
    """What plain agreement says: the explanations that give the most answers, and how many."""
    counts = {each.name: each.agreement.agrees for each in found.shares if each.agreement}
    most = max(counts.values())
    return {"names": sorted(name for name, count in counts.items() if count == most), "share": most / len(found.items)}


def _search(task: Task, answers: Sequence[ItemAnswer], table: CandidateTable, shortcut: str | None) -> dict[str, Any]:
    """Search with the planted shortcut and its equals taken out; or with all of them there, where there is none."""
    if shortcut is None:
        result = search_programs(task, answers, table=table)
        return {"invented": bool(result.found), "program": result.found[0].notation if result.found else ""}
    gone = set(_equals(table, shortcut))
    column, rule = table.column(shortcut), table.column(RULE)
    differing = [place for place, right in enumerate(rule) if column[place] not in (None, right)]
    result = search_programs(task, answers, table=table.of([name for name in table.names if name not in gone]))
    best, notation = 0.0, ""
    for program in result.found:
        own = [program.shortcut(table.prompts[place], task.seen) or None for place in differing]
        equal = sum(a == column[place] for a, place in zip(own, differing, strict=True)) / len(differing)
        if equal > best:
            best, notation = equal, program.notation
    return {"found": best >= EQUAL, "equality": best, "program": notation}


def _adaptive(task: Task, loaded: LoadedModel, card: PlantedCard) -> dict[str, Any]:
    """The items until one hypothesis is left, chosen and at random, of fresh prompts."""
    planted = card.planted
    items = [Example(prompt=item.prompt, completion=item.rule) for item in draw_examples(planted).fresh]
    pool = pool_of(candidates_of(task, items), task=task.name)
    ask = model_answers(loaded.model, loaded.tokenizer, pool)
    wanted = RULE if planted.kind == "rule" else planted.shortcut
    record: dict[str, Any] = {}
    for order in ("discriminating", "random"):
        result = discriminate(ask, pool, budget=len(items), order=order)
        record[order] = {
            "items": len(result.items),
            "verdict": result.verdict,
            "right": result.verdict == planted.kind.replace("pure", "shortcut") and wanted in result.names,
            "rejected": wanted not in result.names,
        }
    return record


if __name__ == "__main__":
    sys.exit(main())
