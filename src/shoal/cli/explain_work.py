"""The work of ``shoal explain``: explanations of a run's trainings, and those of a model that is queried for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.cli.rows import set_dummy_answers
from shoal.cli.terminal import print_json, progress_bars, write_whole
from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from shoal.attribution import Explanation
    from shoal.attribution.programs import SearchResult
    from shoal.cli.options import PartChoice
    from shoal.models import ScoringModel
    from shoal.tasks import Example, Task


def explain_run(folder: Path, *, as_json: bool) -> None:
    """Print what explains each arm of a run, or each cell of a crossed experiment."""
    from shoal.attribution import explain_trainings
    from shoal.experiments import open_run
    from shoal.experiments.crossed import PLAN, open_crossed

    run = open_crossed(folder) if (folder / PLAN).is_file() else open_run(folder)
    if not run.explanations:
        raise UsageError(
            f"{folder} holds no explanations: the run has not come to its end, or is of an earlier version; give "
            "shoal run once more, into a new folder if it was finished"
        )
    confidence = run.experiment.measure.confidence
    arms = {arm: explain_trainings(seeds, confidence=confidence) for arm, seeds in run.explanations.items()}
    if as_json:
        print_json({arm: trainings.to_dict() for arm, trainings in arms.items()})
        return
    for place, (arm, trainings) in enumerate(arms.items()):
        if place:
            print()
        print(f"{arm}: {trainings}")


def search_run(folder: Path, *, as_json: bool) -> None:
    """Print programs that nobody named, for every training of a run."""
    from shoal.experiments import search_run as search

    with progress_bars() as progress:
        found = search(folder, progress=progress)
    if as_json:
        print_json({arm: {seed: one.to_dict() for seed, one in seeds.items()} for arm, seeds in found.items()})
        return
    for arm, seeds in found.items():
        for seed, result in seeds.items():
            print(f"{arm}, seed {seed}: {result}\n")


def leave_out_groups(folder: Path, by: str, arm: str | None, *, as_json: bool) -> None:
    """Print which training examples teach what.

    Args:
        folder: of the run.
        by: how the training examples are grouped.
        arm: which is trained again; None for the treatment.
        as_json: print one JSON object.
    """
    from shoal.experiments import leave_out_of_run

    with progress_bars() as progress:
        found = leave_out_of_run(folder, by, arm=arm, progress=progress)
    if as_json:
        print_json(found.to_dict())
    else:
        print(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelQuery:
    """A model and the task by which it is explained."""

    model: str
    """Its spec."""

    task: Task
    confidence: float
    token_budget: int
    seed: int
    device: str
    dtype: str

    def explain(
        self, part: PartChoice, max_items: int, *, search: bool, out: Path | None, plot: Path | None, as_json: bool
    ) -> None:
        """Print what explains the model's answers.

        Args:
            part: of the task, whose items it answers.
            max_items: items at most.
            search: search for an unnamed shortcut too.
            out: file for the explanation of each item.
            plot: file for the page.
            as_json: print one JSON object.
        """
        found, programs = self._explained(self._items(part, max_items), search=search)
        # Files first: the reader of what is printed may go early.
        if out is not None:
            _write_items(out, found.items)
        if plot is not None:
            from shoal.reports import explanation_page

            write_whole(plot, explanation_page(found, model=self.model, search=programs))
        if as_json:
            print_json(found.to_dict() | ({"search": programs.to_dict()} if programs else {}))
            return
        print(found)
        if programs:
            print(f"\n{programs}")

    def discriminate(self, budget: int, *, out: Path | None, as_json: bool) -> None:
        """Print which explanation is left after items on which the explanations disagree.

        Args:
            budget: items at most.
            out: file for the answer to each item.
            as_json: print one JSON object.
        """
        from shoal.attribution import discriminate, item_pool, model_answers
        from shoal.statistics import check_confidence

        check_confidence(self.confidence)
        _check_budget(budget)
        loaded = self._loaded()
        with progress_bars() as progress:
            pool = item_pool(self.task, seed=self.seed, progress=progress)
            ask = model_answers(loaded.model, loaded.tokenizer, pool, token_budget=self.token_budget)
            found = discriminate(ask, pool, alpha=1 - self.confidence, budget=budget, seed=self.seed, progress=progress)
        if out is not None:
            _write_items(out, found.items)
        if as_json:
            print_json(found.to_dict())
        else:
            print(found)

    def _explained(self, items: tuple[Example, ...], *, search: bool) -> tuple[Explanation, SearchResult | None]:
        from shoal.attribution import ask_model, candidates_of, explain_answers
        from shoal.attribution.programs import search_programs

        loaded, task = self._loaded(), self.task
        with progress_bars() as progress:
            # Before the model is asked: a task whose candidates cannot be made should fail before the long part.
            table = candidates_of(task, items, progress=progress)
            answers = ask_model(
                loaded.model, loaded.tokenizer, table, token_budget=self.token_budget, progress=progress
            )
            found = explain_answers(
                table, answers, task.seen, task=task.name, confidence=self.confidence, seed=self.seed
            )
            programs = search_programs(task, answers, table=table, progress=progress) if search else None
        return found, programs

    def _items(self, part: PartChoice, max_items: int) -> tuple[Example, ...]:
        """The items to answer: an even sample of many."""
        from shoal.statistics import even_sample

        _check_budget(max_items)
        task = self.task
        chosen = {"held_out": task.held_out, "seen": task.seen, "all": task.examples}[part]
        return tuple(even_sample(chosen, max_items))

    def _loaded(self) -> ScoringModel:
        from shoal.models import load_for_scoring

        loaded = load_for_scoring(self.model, device=self.device, dtype=self.dtype, seed=self.seed)
        # All examples and not the items alone, so that a dummy gives one answer to an item whatever part is asked for.
        set_dummy_answers(loaded, self.task.examples)
        return loaded


def _check_budget(max_items: int) -> None:
    if max_items < 1:
        raise UsageError(f"--max-items is {max_items}; give the number of items to ask, at least 1")


def _write_items(out: Path, items: Iterable[Any]) -> None:
    """One JSON line for each item."""
    import json
    from dataclasses import asdict

    from shoal.textfiles import finite

    write_whole(out, "".join(json.dumps(finite(asdict(item)), ensure_ascii=False) + "\n" for item in items))
