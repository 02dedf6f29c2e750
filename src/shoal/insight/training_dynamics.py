"""Training dynamics: the step at which each head takes its type, and each neuron its class of tokens.

A head is followed by its score at every checkpoint. A neuron is followed by the distance between its class and all
other tokens, in standard deviations (`shoal.insight.neurons.selectivity`): the class is the one found at the last
checkpoint, on one half of the texts, and the distance is measured on the other half, at every checkpoint alike. That a
neuron is selective at the last checkpoint is judged against shuffled models; the threshold is half of its last score.

Shapes: C checkpoints, N blocks, H heads, R head types, X neurons that are followed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from shoal.insight.checkpoints import Rise, checkpoint_folders, find_rise
from shoal.insight.head_scores import HEAD_TYPES, head_type_scores, scored_rows
from shoal.insight.head_types import find_head_types
from shoal.insight.hooks import component_name, find_parts
from shoal.insight.neurons import NeuronSettings, class_separation, find_selective_neurons, neuron_activations
from shoal.insight.neurons.activations import corpus_rows
from shoal.insight.options import DEFAULTS
from shoal.models import load_model

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas

    from shoal.insight.head_types import HeadType, HeadTypes
    from shoal.insight.neurons import NeuronReport
    from shoal.insight.options import AnalysisOptions

    Scores = npt.NDArray[np.floating[Any]]

_FOLLOWED = NeuronSettings(count=12)
_SHOWN_TOKENS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadMoment:
    """The steps at which one head took one type."""

    block: int
    head: int
    role: str
    """The head type."""

    seen_on: Literal["random tokens", "text"]
    """What the score is computed on: repeated random tokens, or text where only that shows the type."""

    scores: tuple[float, ...]
    """At each checkpoint."""

    threshold: float
    """What a head had to reach there at the last checkpoint."""

    rise: Rise

    @property
    def name(self) -> str:
        """The name of the head."""
        return component_name(self.block, "head", self.head)


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuronMoment:
    """The steps at which one neuron came to fire on its class."""

    block: int
    neuron: int
    tokens: tuple[str, ...]
    """Its class at the last checkpoint, the highest mean activation first."""

    scores: tuple[float, ...]
    """At each checkpoint, the distance between class and other tokens in standard deviations."""

    threshold: float
    """Half of the last score."""

    rise: Rise

    @property
    def name(self) -> str:
        """The name of the neuron."""
        return component_name(self.block, "neuron", self.neuron)


@dataclass(frozen=True, slots=True, kw_only=True)
class _History:
    """What a head's and a neuron's history share."""

    steps: tuple[int, ...]
    moments: tuple[HeadMoment, ...] | tuple[NeuronMoment, ...]

    def to_frame(self) -> pandas.DataFrame:
        """A row per moment and checkpoint: its name, a head's type, the step, and the score there."""
        import pandas

        rows = [
            {
                "name": each.name,
                **({"type": each.role} if isinstance(each, HeadMoment) else {}),
                "step": step,
                "score": score,
                "above_threshold": score >= each.threshold,
            }
            for each in self.moments
            for step, score in zip(self.steps, each.scores, strict=True)
        ]
        return pandas.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadHistory(_History):
    """What `head_types_over_training` returns."""

    moments: tuple[HeadMoment, ...]
    """Of the heads that have a type at the last checkpoint."""

    def __str__(self) -> str:
        title = f"over {len(self.steps)} checkpoints, from step {self.steps[0]} to {self.steps[-1]}"
        rows = [
            f"  {each.name}  {each.role} on {each.seen_on}: {each.rise.describe(each.threshold)}"
            for each in self.moments
        ]
        return "\n".join([title, *rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuronHistory(_History):
    """What `neurons_over_training` returns."""

    moments: tuple[NeuronMoment, ...]
    """Of the most selective neurons of the last checkpoint."""

    def __str__(self) -> str:
        title = f"{len(self.moments)} selective neurons over {len(self.steps)} checkpoints"
        rows = [
            f"  {each.name}  {' '.join(map(repr, each.tokens[:_SHOWN_TOKENS]))}: {each.rise.describe(each.threshold)}"
            for each in self.moments
        ]
        return "\n".join([title, *rows])


def head_types_over_training(
    run: str | os.PathLike[str],
    texts: Sequence[str] = (),
    *,
    last: HeadTypes | None = None,
    device: str = "auto",
    options: AnalysisOptions = DEFAULTS,
) -> HeadHistory:
    """Follow the heads that have a type at the end of a training back to the step at which they took it.

    Args:
        run: a folder of checkpoints (see `checkpoint_folders`).
        texts: real texts, on which types of position are judged too.
        last: the head types at the last checkpoint with these texts and options, where they are known already.
        device: where the models are loaded.
        options: seed of the random tokens, which are the same at every checkpoint; progress callback.

    Raises:
        DataError: there are fewer than two checkpoints.
        ModelError: a checkpoint cannot be used.
    """
    folders = checkpoint_folders(run)
    scores: list[list[Scores]] = []
    for done, (_, folder) in enumerate(folders, 1):
        loaded = load_model(str(folder), device=device)
        # Drawn again for each, by the same seed: a tokenizer may differ in its beginning token.
        rows = scored_rows(find_parts(loaded.model), loaded.tokenizer, texts, options.seed)
        scores.append([head_type_scores(loaded.model, ids, lengths).numpy() for ids, lengths in rows])
        options.progress("checkpoints", done, len(folders))
    # By far the longest part: it reads the rows with hundreds of shuffled models.
    last = last or find_head_types(loaded.model, loaded.tokenizer, texts, options=options)
    on_repeats, *on_text = (np.stack(each) for each in zip(*scores, strict=True))
    return head_history([step for step, _ in folders], on_repeats, last, on_text[0] if on_text else None)


def head_history(
    steps: Sequence[int], scores_CNHR: Scores, last: HeadTypes, text_scores_CNHR: Scores | None = None
) -> HeadHistory:
    """Find when the heads that have a type at the last checkpoint took it, from the scores at all checkpoints.

    Args:
        steps: the steps of the checkpoints, in order.
        scores_CNHR: the scores on repeated random tokens.
        last: the head types at the last checkpoint.
        text_scores_CNHR: the scores on text, where types were judged on text too.
    """
    moments = [
        _head_moment(steps, scores_CNHR, text_scores_CNHR, head, role, last)
        for head in last.typed
        for role in head.roles
    ]
    return HeadHistory(steps=tuple(steps), moments=tuple(moments))


def _head_moment(
    steps: Sequence[int],
    scores_CNHR: Scores,
    text_scores_CNHR: Scores | None,
    head: HeadType,
    role: str,
    last: HeadTypes,
) -> HeadMoment:
    """One head in one type, followed on random tokens where these show it, and on text otherwise."""
    on_random = text_scores_CNHR is None or head.scores[role] >= last.thresholds[role]
    series_CNHR = scores_CNHR if on_random or text_scores_CNHR is None else text_scores_CNHR
    score_C = series_CNHR[:, head.block, head.head, HEAD_TYPES.index(role)]
    threshold = (last.thresholds if on_random else last.text_thresholds)[role]
    return HeadMoment(
        block=head.block,
        head=head.head,
        role=role,
        seen_on="random tokens" if on_random else "text",
        scores=tuple(score_C.tolist()),
        threshold=threshold,
        rise=find_rise(steps, score_C, threshold),
    )


def neurons_over_training(
    run: str | os.PathLike[str],
    texts: Sequence[str],
    *,
    settings: NeuronSettings = _FOLLOWED,
    device: str = "auto",
    options: AnalysisOptions = DEFAULTS,
) -> NeuronHistory:
    """Follow the neurons that are selective at the end of a training back to the step at which they became so.

    Args:
        run: a folder of checkpoints (see `checkpoint_folders`), all with one tokenizer.
        texts: a corpus; the beginning of each text is read.
        settings: how many neurons are followed, and how much is read.
        device: where the models are loaded.
        options: seed of the shuffled models that neurons are compared with; progress callback.

    Raises:
        DataError: there are fewer than two checkpoints, or two texts.
        ModelError: a checkpoint cannot be used.
    """
    folders = checkpoint_folders(run)
    loaded = load_model(str(folders[-1][1]), device=device)
    last = find_selective_neurons(loaded.model, loaded.tokenizer, texts, settings=settings, options=options)
    chosen = [report for report in last.neurons if report.selective]
    # Weights are loaded twice, since the neurons to follow are known only after the last checkpoint.
    score_CX = np.zeros((len(folders), len(chosen)))
    for number, (_, folder) in enumerate(folders):
        loaded = load_model(str(folder), device=device)
        parts = find_parts(loaded.model)
        rows = corpus_rows(parts, loaded.tokenizer, texts, settings.max_tokens)
        columns = [report.block * parts.neurons + report.neuron for report in chosen]
        activation_NX, ids_N, finding_N = neuron_activations(parts, rows, columns, DEFAULTS)
        for column, report in enumerate(chosen):
            inside_N = torch.isin(ids_N, torch.tensor(report.token_ids))
            # On the other half alone: on its own half any class stands apart, since it was chosen for that.
            score_CX[number, column] = class_separation(activation_NX[~finding_N, column], inside_N[~finding_N])
        options.progress("neurons at checkpoints", number + 1, len(folders))
    steps = [step for step, _ in folders]
    moments = (_neuron_moment(steps, report, score_C) for report, score_C in zip(chosen, score_CX.T, strict=True))
    return NeuronHistory(steps=tuple(steps), moments=tuple(moments))


def _neuron_moment(steps: Sequence[int], report: NeuronReport, score_C: Scores) -> NeuronMoment:
    """One neuron, from its scores at all checkpoints."""
    threshold = float(score_C[-1]) / 2
    return NeuronMoment(
        block=report.block,
        neuron=report.neuron,
        tokens=report.tokens,
        scores=tuple(score_C.tolist()),
        threshold=threshold,
        rise=find_rise(steps, score_C, threshold),
    )
