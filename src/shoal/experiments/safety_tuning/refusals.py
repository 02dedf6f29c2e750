"""What the refusals of the models of an experiment on safety tuning come from, by number of safety examples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shoal.errors import TrainingError, UsageError
from shoal.experiments.safety_tuning.plan import SafetyTuningPlan
from shoal.experiments.safety_tuning.trainings import ADAPTERS, planned_safety_trainings, read_safety_record
from shoal.progress import no_progress
from shoal.safety import score_model, shipped_refusal_head
from shoal.safety.shortcut import compare_explanations, explain_refusals, make_folder, make_refusal_curve
from shoal.safety.tuning import ChatFormat, merged_copy
from shoal.statistics import check_confidence

if TYPE_CHECKING:
    import os

    from shoal.experiments.safety_tuning.trainings import SafetyTraining
    from shoal.models import LoadedModel
    from shoal.progress import Progress
    from shoal.safety import PromptScore, RefusalHead
    from shoal.safety.shortcut import PairSet, RefusalCurve, RefusalExplanation


def explain_safety_tuning(
    folder: str | os.PathLike[str],
    pairs: PairSet,
    *,
    model: str | None = None,
    seeds: int | None = None,
    head: RefusalHead | None = None,
    max_tokens: int = 24,
    out: str | os.PathLike[str] | None = None,
    keep_answers: bool = False,
    confidence: float = 0.95,
    seed: int = 0,
    device: str = "auto",
    dtype: str = "float32",
    progress: Progress = no_progress,
) -> RefusalCurve:
    """Explain the refusals of every model of an experiment: before tuning, and of each number and seed.

    Requests stand before the models as they did in the experiment (its layout and system message).

    Args:
        folder: as `tune_safety` leaves it; trainings that are not done yet are left out.
        pairs: as `make_minimal_pairs` gives them.
        model: spec of the model that was tuned; None takes the one that the experiment names.
        seeds: trainings of each number that are explained, the first ones; None takes all.
        head: scores refusals; None is the one that comes with shoal.
        max_tokens: of an answer.
        out: gets a file of scores per training, by which a killed run is resumed; None keeps none.
        keep_answers: whether these files, and the result, hold the answers.
        confidence: of the intervals.
        seed: random seed of the draws from the posterior.
        device: where models run.
        dtype: of their weights.
        progress: called with (what, done, total).

    Raises:
        StoreError: the folder holds no such experiment, or a file of it is damaged.
        TrainingError: no training is done, or it left no adapters.
        UsageError: seeds is below 1, or adapters do not belong to the model.
        DataError: a model gives empty answers alone.
    """
    from shoal.models import load_model

    if seeds is not None and seeds < 1:
        raise UsageError(f"seeds is {seeds}; give a whole number of at least 1")
    folder, scorer = Path(folder), head or shipped_refusal_head()
    plan = SafetyTuningPlan.read(folder)
    chosen = _chosen(folder, plan, seeds)
    check_confidence(confidence)
    if out is not None:
        make_folder(out)
    base = load_model(model or plan.model, device=device, dtype=dtype)
    chat = ChatFormat(tokenizer=base.tokenizer, layout=plan.layout, system=plan.system)
    prompts = [one.prompt for one in pairs.prompts()]
    found: dict[int | None, list[RefusalExplanation]] = {}
    for training in chosen:
        name = Path(training.place).name
        live = base if training.safety_examples is None else merged_copy(base, folder / training.place / ADAPTERS)
        scores = _scores(
            live, chat, prompts, scorer, max_tokens, None if out is None else Path(out) / f"scores-{name}.jsonl",
            keep_answers, f"prompts answered, {training.title}", progress,
        )  # fmt: skip
        explained = explain_refusals(scores, pairs, name=name, head=scorer, confidence=confidence, seed=seed)
        found.setdefault(training.safety_examples, []).append(explained)
    every = compare_explanations([one for models in found.values() for one in models], pairs)
    return make_refusal_curve(found, pairs, every, scorer.errors["refused"], confidence=confidence)


def _chosen(folder: Path, plan: SafetyTuningPlan, seeds: int | None) -> list[SafetyTraining]:
    """The untuned model, and the trainings that are done, number by number."""
    planned = [one for one in planned_safety_trainings(plan) if seeds is None or one.seed < seeds]
    done = [one for one in planned if one.safety_examples is None or read_safety_record(folder, one) is not None]
    # The untuned model needs no training, and is always among them.
    if len(done) == 1:
        raise TrainingError(f"no training in {folder} is done; give it to shoal safety tune first")
    for one in done[1:]:
        if not (folder / one.place / ADAPTERS).is_dir():
            raise TrainingError(
                f"{folder / one.place} has no {ADAPTERS}: an experiment with lora_rank = 0 leaves no models; tune with "
                "a rank above 0"
            )
    order = {number: place for place, number in enumerate((None, *plan.safety_examples))}
    return sorted(done, key=lambda one: (order[one.safety_examples], one.seed))


def _scores(
    live: LoadedModel,
    chat: ChatFormat,
    prompts: list[str],
    head: RefusalHead,
    max_tokens: int,
    records: Path | None,
    keep_answers: bool,
    what: str,
    progress: Progress,
) -> dict[str, PromptScore]:
    from shoal.serving import make_generation_model

    scores = score_model(
        make_generation_model(live), prompts, head, max_tokens=max_tokens, chat=chat, records=records,
        keep_answers=keep_answers, what=what, progress=progress,
    )  # fmt: skip
    return {score.prompt: score for score in scores}
