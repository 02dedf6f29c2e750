"""The rating of a model that writes stories: its measures, with intervals over prompts, stories and documents."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from shoal.corpora import words_of
from shoal.evaluation.judging.certificate import judged_by
from shoal.evaluation.judging.llm_judge import AGES, DIMENSIONS, Judgement, Submission
from shoal.evaluation.stories.bits_per_byte import held_out_bits
from shoal.evaluation.stories.instruction_following import measure_following
from shoal.evaluation.stories.measures import StoryMeasure, clustered_mean
from shoal.evaluation.stories.minimal_pairs import PairScores, score_minimal_pairs
from shoal.evaluation.stories.plot_qa import FactQuestion, FactScores, score_facts
from shoal.evaluation.stories.sampling import Completion, Sampling, complete_prompts
from shoal.evaluation.stories.variety import distinct, self_overlap

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    import pandas

    from shoal.evaluation.stories.memorization import CopyFinder
    from shoal.evaluation.stories.minimal_pairs import MinimalPair
    from shoal.evaluation.stories.prompts import StoryPrompt
    from shoal.models import LoadedModel, ScoringModel
    from shoal.progress import Progress

    Judge = Callable[[Sequence[Submission]], Sequence[Judgement | None]]

_SIZES = (1, 3)
"""Of the n-grams that are counted for variety."""
_SAMPLING = Sampling()


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What models are rated on; what is empty is not measured."""

    prompts: tuple[StoryPrompt, ...] = ()
    pairs: Mapping[str, Sequence[MinimalPair]] = field(default_factory=dict)
    """Sets of minimal pairs by name."""

    questions: tuple[FactQuestion, ...] = ()
    held_out: tuple[str, ...] = ()
    """Documents that no model was trained on."""

    copies: CopyFinder | None = None
    """Finds runs of words of the text that the models learnt from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryRating:
    """The rating of one model."""

    model: str
    digest: str
    parameters: int
    measures: tuple[StoryMeasure, ...]
    pairs: Mapping[str, PairScores]
    completions: tuple[Completion, ...]
    judgements: tuple[Judgement | None, ...]
    """One a completion, None where the judge gave none; empty where there was no judge."""

    def to_dict(self) -> dict[str, Any]:
        """All but the texts, as plain values."""
        return {
            "model": self.model,
            "digest": self.digest,
            "parameters": self.parameters,
            "measures": [asdict(one) for one in self.measures],
            "paradigms": {
                name: [{**asdict(part), "accuracy": part.accuracy} for part in scores.paradigms]
                for name, scores in self.pairs.items()
            },
        }

    def to_frame(self) -> pandas.DataFrame:
        """One row per measure."""
        import pandas

        return pandas.DataFrame([asdict(one) for one in self.measures])

    def __str__(self) -> str:
        """The measures as lines of text."""
        title = f"{self.model}  ({self.parameters:,} parameters, digest {self.digest[:16]})"
        return "\n".join([title, *map(_line, self.measures)])


def _line(one: StoryMeasure) -> str:
    interval = "[{:.4f}, {:.4f}]".format(*one.interval) if one.interval else "too few or too alike for an interval;"
    return f"  {one.name:24} {one.value:8.4f}  {interval}  {one.note}"


def rate_model(
    loaded: ScoringModel | LoadedModel,
    material: Material,
    *,
    sampling: Sampling = _SAMPLING,
    judge: Judge | None = None,
    record: str | os.PathLike[str] | None = None,
    token_budget: int = 4096,
    progress: Progress | None = None,
) -> StoryRating:
    """Rate a model by program, and by a judge where there is one.

    Args:
        loaded: what `load_for_scoring` or `load_model` gives: the model, its tokenizer, name and digest.
        material: what it is rated on.
        sampling: how completions are sampled.
        judge: takes submissions and gives a judgement of each, or None where it gives none.
        record: the JSONL file of completions; it is made, or continued.
        token_budget: tokens of a batch, padding included.
        progress: called with (what, done, total).

    Raises:
        UsageError: the judge does not give a judgement, or None, of each completion.
        ShoalError: as `complete_prompts`, `score_minimal_pairs`, `score_facts` and `held_out_bits` do.
    """
    model, tokenizer = loaded.model, loaded.tokenizer
    completions: list[Completion] = []
    if material.prompts:
        completions = complete_prompts(
            model, tokenizer, material.prompts, sampling, digest=loaded.digest, record=record, progress=progress
        )
    measures = _of_completions(completions, material)
    pairs = {
        title: score_minimal_pairs(model, tokenizer, of_one, token_budget=token_budget, progress=progress)
        for title, of_one in material.pairs.items()
    }
    measures += [_of_pairs(title, scores) for title, scores in pairs.items()]
    if material.questions:
        measures += _of_facts(
            score_facts(model, tokenizer, material.questions, token_budget=token_budget, progress=progress)
        )
    if material.held_out:
        measures.append(
            held_out_bits(model, tokenizer, material.held_out, token_budget=token_budget, progress=progress)
        )
    judgements = tuple(judged_by(judge, submissions(completions))) if judge is not None and completions else ()
    return StoryRating(
        model=loaded.spec,
        digest=loaded.digest,
        parameters=loaded.parameters,
        measures=(*judge_measures(completions, judgements), *measures),
        pairs=pairs,
        completions=tuple(completions),
        judgements=judgements,
    )


def submissions(completions: Sequence[Completion]) -> list[Submission]:
    """What a judge reads of completions."""
    return [
        Submission(
            instruction=one.prompt.text if one.story == one.text.strip() else _GO_ON + one.prompt.text, story=one.story
        )
        for one in completions
    ]


# The judge's prompt; other words would make answers that are recorded already worthless.
_GO_ON = "Go on with a story that begins so: "


def judge_measures(completions: Sequence[Completion], judgements: Sequence[Judgement | None]) -> list[StoryMeasure]:
    """The mean mark of each dimension and the mean group of age, over completions that were judged.

    Args:
        completions: what the judge was given.
        judgements: one for each, None where the judge gave none; empty where there was no judge.
    """
    judged = [(done.prompt.key, one) for done, one in zip(completions, judgements, strict=False) if one is not None]
    if not judged:
        return []
    clusters = [key for key, _ in judged]
    left = len(judgements) - len(judged)
    note = f"mark of 1 to 10 by the judge; {left} of {len(judgements)} completions without a usable answer"
    ages = ", ".join(f"{place + 1}: {group}" for place, group in enumerate(AGES.values()))
    return [
        *(
            clustered_mean(f"judge: {name}", [one.mark(name) for _, one in judged], clusters, better="more", note=note)
            for name in DIMENSIONS
        ),
        clustered_mean("judge: age group", [list(AGES).index(one.age) + 1 for _, one in judged], clusters, note=ages),
    ]


def _of_completions(completions: Sequence[Completion], material: Material) -> list[StoryMeasure]:
    if not completions:
        return []
    found = [*measure_following(completions), *(distinct(completions, size) for size in _SIZES)]
    # A single completion of each prompt has nothing to share with, which would seem the best that there is.
    if any(one.number for one in completions):
        found.append(self_overlap(completions))
    if material.copies is not None:
        found += _copied(completions, material, material.copies)
    return found


def _copied(completions: Sequence[Completion], material: Material, copies: CopyFinder) -> list[StoryMeasure]:
    """The longest copied run of each completion as a share of its words, and of people's texts of the same length."""
    lengths = [len(words_of(one.text)) for one in completions]
    runs = copies.longest_runs([one.text for one in completions])
    rows = [
        (one.prompt.key, run / length) for one, run, length in zip(completions, runs, lengths, strict=True) if length
    ]
    note = f"words of the longest run that stands in the training text, of all words; the longest has {max(runs)} words"
    found = [
        clustered_mean("copied", [share for _, share in rows] or [0.0], [key for key, _ in rows] or [""], better="less",
                note=note)
    ]  # fmt: skip
    if material.held_out:
        # At the completions' length: the longer a text, the smaller the share that its longest copied run can have.
        usual = max(1, sorted(lengths)[len(lengths) // 2])
        texts = [" ".join(words_of(document)[:usual]) for document in material.held_out]
        shares = [run / max(1, len(text.split())) for run, text in zip(copies.longest_runs(texts), texts, strict=True)]
        note = f"the same for the first {usual} words of the held-out documents: what anybody's text has in common"
        found.append(clustered_mean("copied, held-out text", shares, range(len(shares)), note=note))
    return found


def _of_pairs(title: str, scores: PairScores) -> StoryMeasure:
    interval, count = scores.interval, sum(part.pairs for part in scores.paradigms)
    ties = sum(part.ties for part in scores.paradigms)
    return StoryMeasure(
        name=title,
        value=scores.accuracy,
        low=interval.low,
        high=interval.high,
        count=count,
        clusters=len(scores.paradigms),
        better="more",
        note=f"good sentences found likelier, mean over {len(scores.paradigms)} paradigms, chance .5; {ties} ties",
    )


def _of_facts(scores: FactScores) -> list[StoryMeasure]:
    return [scores.accuracy(), *(scores.accuracy(kind) for kind in scores.kinds)]
