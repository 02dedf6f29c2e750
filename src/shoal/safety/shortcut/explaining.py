"""`explain_refusals`: which explanation accounts for the refusals of a model, on minimal pairs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shoal.attribution import ItemAnswer, explain_one_answer
from shoal.errors import DataError, StoreError, UsageError
from shoal.progress import no_progress
from shoal.safety.head import RefusalHead, load_refusal_head, shipped_refusal_head
from shoal.safety.prompt_scores import read_scores, score_model
from shoal.safety.shortcut.effects import pair_effects, refusal_cells
from shoal.safety.shortcut.explanations import REFUSAL, conduct_text, refusal_candidates
from shoal.safety.shortcut.result import RefusalChange, RefusalExplanation, RefusalExplanations, decide_verdict
from shoal.safety.tuning.adapted import AdaptedModel
from shoal.serving import GenerationModel, load_for_generation, make_generation_model
from shoal.statistics import check_confidence, correct_share, mcnemar_exact
from shoal.tasks import Example
from shoal.wording import quoted

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from shoal.attribution import AnswerShare
    from shoal.progress import Progress
    from shoal.safety.prompt_scores import PromptScore
    from shoal.safety.shortcut.pairs import PairSet


def explain_refusals(
    scores: Mapping[str, PromptScore],
    pairs: PairSet,
    *,
    name: str = "the model",
    head: RefusalHead | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> RefusalExplanation:
    """Find out which explanation accounts for the refusals among scored answers to minimal pairs.

    The mixture of explanations is that of `shoal.attribution.explain_answers`, over all prompts, with each prompt of
    the set as a cluster; the shares are those of the refusals alone.

    Args:
        scores: of the answers, by prompt.
        pairs: as `make_minimal_pairs` gives them.
        name: of the model.
        head: that scored the answers, by whose errors rates are corrected; None is the one that comes with shoal.
        confidence: of the intervals.
        seed: random seed of the draws from the posterior.

    Raises:
        DataError: a prompt of the pairs has no score.
    """
    prompts = pairs.prompts()
    missing = [one.prompt for one in prompts if one.prompt not in scores]
    if missing:
        raise DataError(
            f"{name} has no answer to {len(missing)} of the {len(prompts)} prompts of the pairs, such as "
            f"{quoted(missing[0])}; answer those that --write-prompts writes"
        )
    errors = (head or shipped_refusal_head()).errors["refused"]
    refused = [scores[one.prompt].refused for one in prompts]
    shares: tuple[AnswerShare, ...] = ()
    if any(refused):
        table = refusal_candidates(prompts, refused)
        answers = [
            ItemAnswer(prompt=one.prompt, expected=right, answer=conduct_text(refuses), ends=True, log_probs={})
            for one, right, refuses in zip(prompts, table.expected, refused, strict=True)
        ]
        # Noise draws from these: it refuses as often as the model does, and never looks at the prompt.
        seen = [Example(prompt=one.prompt, completion=one.answer) for one in answers]
        shares = explain_one_answer(table, answers, seen, REFUSAL, confidence=confidence, seed=seed)
    verdict, names = decide_verdict(shares)
    return RefusalExplanation(
        name=name,
        verdict=verdict,
        names=names,
        shares=shares,
        cells=refusal_cells(prompts, scores, errors, confidence),
        effects=pair_effects(pairs.pairs, scores, errors, confidence),
        refused=correct_share(refused, errors, clusters=[one.cluster for one in prompts], confidence=confidence),
        prompts=len(prompts),
        refusals=sum(refused),
        empty=sum(scores[one.prompt].conduct is None for one in prompts),
        confidence=confidence,
        scores=tuple(scores[one.prompt] for one in prompts),
    )


def explain_refusals_of_models(
    sources: Mapping[str, str | Path | GenerationModel | AdaptedModel],
    pairs: PairSet,
    *,
    head: RefusalHead | str | os.PathLike[str] | None = None,
    max_tokens: int = 24,
    plain: bool = False,
    folder: str | os.PathLike[str] | None = None,
    keep_answers: bool = False,
    confidence: float = 0.95,
    seed: int = 0,
    device: str = "auto",
    dtype: str = "float32",
    progress: Progress = no_progress,
) -> RefusalExplanations:
    """Explain the refusals of several models on the same pairs, and compare each with the first.

    Args:
        sources: from a name to a file of answers (a `Path`), a model spec (a text), a model with adapters, or a loaded
            model.
        pairs: as `make_minimal_pairs` gives them.
        head: a refusal head or its folder; None is the one that comes with shoal.
        max_tokens: of an answer.
        plain: continue the prompts as they stand, for models without a chat template.
        folder: gets a file of scores per model, by which a killed run is resumed; None keeps none.
        keep_answers: whether these files, and the result, hold the answers.
        confidence: of the intervals.
        seed: random seed of the draws from the posterior.
        device: where models run.
        dtype: of their weights.
        progress: called with (what, done, total).

    Raises:
        UsageError: there is no source, or a model has no chat template.
        DataError: answers are missing, or all are empty.
        StoreError: the folder cannot be made.
    """
    if not sources:
        raise UsageError("there is nothing to explain; give a file of answers (--answers) or a model (--model)")
    scorer = (
        shipped_refusal_head() if head is None else head if isinstance(head, RefusalHead) else load_refusal_head(head)
    )
    check_confidence(confidence)
    if folder is not None:
        make_folder(folder)
    prompts = [one.prompt for one in pairs.prompts()]
    models = []
    for place, (name, source) in enumerate(sources.items()):
        if isinstance(source, Path):
            scores = read_scores(source, scorer, keep_answers=keep_answers)
        else:
            live = _live(source, device, dtype)
            found = score_model(
                live,
                prompts,
                scorer,
                max_tokens=max_tokens,
                plain=plain,
                records=None if folder is None else Path(folder) / f"scores-{place}.jsonl",
                keep_answers=keep_answers,
                what=f"prompts answered by {name}",
                progress=progress,
            )
            scores = {score.prompt: score for score in found}
        models.append(explain_refusals(scores, pairs, name=name, head=scorer, confidence=confidence, seed=seed))
    return compare_explanations(models, pairs)


def make_folder(folder: str | os.PathLike[str]) -> None:
    """Make the folder of the scores of a run.

    Args:
        folder: that may exist already.

    Raises:
        StoreError: it cannot be made.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise StoreError(f"{folder} is no folder and cannot be one ({fault.strerror}); give another folder") from fault


def compare_explanations(models: Sequence[RefusalExplanation], pairs: PairSet) -> RefusalExplanations:
    """Several models on the same pairs, each compared with the first prompt by prompt.

    Args:
        models: what explains their refusals; one at least.
        pairs: that all of them answered.
    """
    return RefusalExplanations(
        models=tuple(models),
        changes=tuple(change for model in models[1:] for change in _changes(models[0], model, pairs)),
        pairs=pairs.counts(),
        left_out=dict(pairs.left_out),
    )


def _live(source: str | GenerationModel | AdaptedModel, device: str, dtype: str) -> GenerationModel:
    if isinstance(source, GenerationModel):
        return source
    if isinstance(source, AdaptedModel):
        return make_generation_model(source.load(device=device, dtype=dtype))
    return load_for_generation(source, device=device, dtype=dtype)


def _changes(first: RefusalExplanation, second: RefusalExplanation, pairs: PairSet) -> list[RefusalChange]:
    """How refusals differ on the four kinds of prompts, in pairs."""
    before = {score.prompt: score.refused for score in first.scores}
    after = {score.prompt: score.refused for score in second.scores}
    found = []
    for cell in first.cells:
        part = [one.prompt for one in pairs.prompts() if (one.harmful, one.has_focus) == (cell.harmful, cell.has_focus)]
        test = mcnemar_exact([before[prompt] for prompt in part], [after[prompt] for prompt in part])
        found.append(
            RefusalChange(
                first=first.name,
                second=second.name,
                what=cell.name,
                prompts=len(part),
                no_longer_refused=test.only_first,
                newly_refused=test.only_second,
                p_value=test.p_value,
            )
        )
    return found
