"""When each neuron comes to fire on its class of tokens: how far they stand apart at every checkpoint.

The class is the one found at the last checkpoint, on one half of the texts; how far it stands apart, in standard
deviations (`shoal.insight.neurons.separation`), is measured on the other half, at every checkpoint alike. That a neuron
is selective at the last is judged against shuffled models; the threshold of when is half of what it ends at.

Shapes: C checkpoints, X neurons that are followed, N positions.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from shoal.insight.hooks.parts import find_parts
from shoal.insight.neurons.watched import activations_of, watch_neurons
from shoal.insight.over_training.checkpoints import checkpoint_folders
from shoal.insight.over_training.rise import Rise, find_rise, told

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from shoal.insight.neurons.watched import NeuronReport
    from shoal.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuronMoment:
    """When one neuron came to fire on its class."""

    block: int
    neuron: int
    tokens: tuple[str, ...]
    """Its class at the last checkpoint, the strongest first."""

    scores: tuple[float, ...]
    """At each checkpoint, how far the class stands apart, in standard deviations."""

    threshold: float
    """Half of the last score."""

    rise: Rise


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuronHistory:
    """What `neurons_over_training` returns."""

    steps: tuple[int, ...]
    moments: tuple[NeuronMoment, ...]
    """Of the selective neurons of the last checkpoint that stand furthest apart."""

    def lines(self) -> list[str]:
        """The moments in words."""
        return [f"{len(self.moments)} selective neurons over {len(self.steps)} checkpoints"] + [
            f"  block {each.block} neuron {each.neuron}  {' '.join(map(repr, each.tokens[:5]))}: "
            f"{told(each.rise, each.threshold)}"
            for each in self.moments
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def neurons_over_training(
    run: str | Path,
    texts: Sequence[str],
    *,
    most: int = 12,
    tokens: int = 256,
    device: str = "auto",
    seed: int = 0,
    progress: Progress | None = None,
) -> NeuronHistory:
    """Follow the neurons that are selective at the end of a training back to where they became so.

    Args:
        run: a folder of checkpoints (see `checkpoint_folders`), all with one tokenizer.
        texts: a corpus; of each text the beginning is read.
        most: how many neurons are followed.
        tokens: the most that are read of one text.
        device: where the models are put.
        seed: of the shuffled models that neurons are compared with.
        progress: called with (what, done, total).

    Raises:
        DataError: there are fewer than two checkpoints, or two texts.
        ModelError: a checkpoint cannot be used.
    """
    from shoal.models import load_model

    folders = checkpoint_folders(run)
    loaded = load_model(str(folders[-1][1]), device=device)
    last = watch_neurons(loaded.model, loaded.tokenizer, texts, most=most, tokens=tokens, seed=seed, progress=progress)
    chosen = [report for report in last.neurons if report.selective]
    scores = []
    for number, (_, folder) in enumerate(folders):
        loaded = load_model(str(folder), device=device)
        places = [(report.block, report.neuron) for report in chosen]
        found = activations_of(find_parts(loaded.model), loaded.tokenizer, texts, places, tokens=tokens)
        scores.append([_apart(found[0][:, place], *found[1:], report) for place, report in enumerate(chosen)])
        if progress is not None:
            progress("neurons at checkpoints", number + 1, len(folders))
    steps = [step for step, _ in folders]
    score_CX = np.array(scores, dtype=np.float64).reshape(len(folders), len(chosen))
    moments = []
    for report, score_C in zip(chosen, score_CX.T, strict=True):
        threshold = float(score_C[-1]) / 2
        moments.append(
            NeuronMoment(
                block=report.block,
                neuron=report.neuron,
                tokens=report.tokens,
                scores=tuple(score_C.tolist()),
                threshold=threshold,
                rise=find_rise(steps, score_C, threshold),
            )
        )
    return NeuronHistory(steps=tuple(steps), moments=tuple(moments))


def _apart(activation_N: torch.Tensor, ids_N: torch.Tensor, found_on_N: torch.Tensor, report: NeuronReport) -> float:
    """How far the neuron's class stands above all other tokens, on the half on which it was not found."""
    inside_N = torch.isin(ids_N, torch.tensor(report.token_ids))
    inside, outside = (activation_N[part & ~found_on_N].double() for part in (inside_N, ~inside_N))
    if not len(inside) or not len(outside):
        return 0.0
    spread = ((inside.var(correction=0) + outside.var(correction=0)) / 2).clamp_min(1e-12).sqrt()
    return float((inside.mean() - outside.mean()) / spread)
