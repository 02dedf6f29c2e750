"""Neurons over a corpus: the most activating examples of every one, and what the most selective ones fire on.

A first pass over the texts keeps the strongest examples of all neurons and their sums by token, a second the
activations of the chosen neurons alone. A neuron is called selective where its separation is one that neurons of
shuffled models do not reach: with random weights, too, every neuron likes some tokens better than others.

Shapes: L positions, F neurons a block, C neurons of all blocks.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch

from shoal.errors import DataError, ModelError, UsageError
from shoal.insight.hooks.parts import find_parts
from shoal.insight.neurons.examples import NeuronExample
from shoal.insight.neurons.passes import (
    activations_of_chosen,
    encode_texts,
    null_separations,
    strongest_and_separation,
)
from shoal.insight.neurons.selective import Selectivity, selectivity
from shoal.statistics import check_alpha

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.insight.hooks.parts import Parts
    from shoal.insight.neurons.examples import Strongest
    from shoal.progress import Progress

_CONTEXT = 8
"""Tokens told on either side of an example."""

_TOKENS_OF_A_CLASS = 12
_LEAST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuronReport:
    """One neuron."""

    block: int
    neuron: int
    examples: tuple[NeuronExample, ...]
    """The strongest first."""

    tokens: tuple[str, ...]
    """Those on which it fires most on average, found on half of the texts."""

    token_ids: tuple[int, ...]
    token_means: tuple[float, ...]
    auc: float
    """How well its activation tells them from all others on the other half; 0.5 is chance."""

    auc_p_value: float
    """Of that (Mann and Whitney), one-sided."""

    separation: float
    """How far they stand apart, in standard deviations; see `shoal.insight.neurons.separation`."""

    p_value: float
    """How often a neuron of a shuffled model is as far apart."""

    selective: bool
    """Whether both p-values are at most the level."""

    @property
    def examples_agree(self) -> bool:
        """Whether at least half of the strongest examples are at the tokens on which it fires most on average."""
        return 2 * sum(example.token in self.tokens for example in self.examples) >= max(1, len(self.examples))

    @property
    def strongest_tokens(self) -> tuple[str, ...]:
        """The tokens of the strongest examples, the most frequent first."""
        return tuple(token for token, _ in Counter(example.token for example in self.examples).most_common(3))

    def fires_on(self) -> str:
        """What it fires on, in words; the mean and the strongest examples apart where they do not agree."""
        tokens = " ".join(map(repr, self.tokens))
        if self.examples_agree or not self.tokens:
            return tokens
        return f"on average most at {tokens}, but strongest at {' '.join(map(repr, self.strongest_tokens))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuronReports:
    """What `watch_neurons` returns."""

    neurons: tuple[NeuronReport, ...]
    """The chosen ones, the most selective first."""

    texts: int
    tokens: int
    """How much was read."""

    alpha: float

    selective: int
    """How many of all neurons are at least as far apart as the level asks for."""

    all_neurons: int
    null_neurons: int
    """How many neurons of shuffled models they were compared with."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def watch_neurons(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    texts: Sequence[str],
    *,
    neurons: Sequence[tuple[int, int]] | None = None,
    most: int = 20,
    examples: int = 8,
    tokens: int = 256,
    alpha: float = 0.01,
    shuffles: int = 4,
    seed: int = 0,
    progress: Progress | None = None,
) -> NeuronReports:
    """Find what neurons fire on.

    Args:
        model: in evaluation mode.
        tokenizer: its tokenizer.
        texts: the corpus; of each the beginning is read.
        neurons: (block, neuron) of those to report; None takes the most selective ones.
        most: how many to report then.
        examples: kept for each neuron.
        tokens: the most that are read of one text.
        alpha: of the p-values, and the share of the neurons of a random model that may be called selective.
        shuffles: how many shuffled models give the null.
        seed: of the shuffles.
        progress: called with (what, done, total).

    Raises:
        ModelError: the MLPs could not be taken apart.
        DataError: fewer than two texts hold tokens.
        UsageError: a neuron that the model does not have.
    """
    check_alpha(alpha)
    parts = find_parts(model)
    if not parts.neurons:
        raise ModelError(f"the MLPs of {parts.name} could not be taken apart, so there are no neurons to show")
    rows = encode_texts(parts, tokenizer, texts, tokens)
    if len(rows) < 2:
        raise DataError(
            f"what a neuron fires on is found on one half of the texts and confirmed on the other; give two texts with "
            f"tokens at least, not {len(rows)}"
        )
    _check(parts, neurons)
    strongest, separation_C = strongest_and_separation(parts, rows, examples, progress)
    null_X = null_separations(parts, rows, shuffles, seed, progress)
    p_C = (1 + len(null_X) - torch.searchsorted(null_X, separation_C)) / (1 + len(null_X))
    chosen = [block * parts.neurons + neuron for block, neuron in neurons or ()]
    if neurons is None:
        chosen = separation_C.topk(min(most, len(separation_C))).indices.tolist()
    activation_NC, ids_N, half_N = activations_of_chosen(parts, rows, chosen, progress)
    offsets = [0, *itertools.accumulate(map(len, rows))]
    reports = []
    for column, place in enumerate(chosen):
        found = selectivity(activation_NC[:, column], ids_N, half_N, tokens=_TOKENS_OF_A_CLASS, least=_LEAST)
        told = _examples(strongest, place, rows, offsets, tokenizer)
        numbers = float(separation_C[place]), float(p_C[place])
        reports.append(_report(divmod(place, parts.neurons), told, found, numbers, alpha, tokenizer))
    reports.sort(key=lambda report: (not report.selective, -report.separation))
    return NeuronReports(
        neurons=tuple(reports),
        texts=len(rows),
        tokens=offsets[-1],
        alpha=alpha,
        selective=int((p_C <= alpha).sum()),
        all_neurons=len(p_C),
        null_neurons=len(null_X),
    )


def activations_of(
    parts: Parts,
    tokenizer: PreTrainedTokenizerFast,
    texts: Sequence[str],
    places: Sequence[tuple[int, int]],
    *,
    tokens: int = 256,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Activations of some neurons over a corpus.

    Args:
        parts: of the model.
        tokenizer: its tokenizer.
        texts: the corpus.
        places: (block, neuron) of each.
        tokens: the most that are read of one text.

    Returns:
        The activations (positions × neurons), the token ids, and which positions belong to the half on which classes
        are found.
    """
    rows = encode_texts(parts, tokenizer, texts, tokens)
    return activations_of_chosen(parts, rows, [block * parts.neurons + neuron for block, neuron in places], None)


def _report(
    place: tuple[int, int],
    examples: tuple[NeuronExample, ...],
    found: Selectivity | None,
    numbers: tuple[float, float],
    alpha: float,
    tokenizer: PreTrainedTokenizerFast,
) -> NeuronReport:
    """One neuron's record; ``numbers`` are its separation and the p-value of that."""
    separation, p_value = numbers
    return NeuronReport(
        block=place[0],
        neuron=place[1],
        examples=examples,
        tokens=() if found is None else tuple(tokenizer.decode([id_]) for id_ in found.ids),
        token_ids=() if found is None else found.ids,
        token_means=() if found is None else found.means,
        auc=math.nan if found is None else found.auc,
        auc_p_value=1.0 if found is None else found.p_value,
        separation=separation,
        p_value=p_value,
        selective=found is not None and max(p_value, found.p_value) <= alpha,
    )


def _check(parts: Parts, neurons: Sequence[tuple[int, int]] | None) -> None:
    for block, neuron in neurons or ():
        if not (0 <= block < len(parts.blocks) and 0 <= neuron < parts.neurons):
            raise UsageError(
                f"there is no neuron {neuron} in block {block}: {parts.name} has blocks 0 to {len(parts.blocks) - 1} "
                f"with neurons 0 to {parts.neurons - 1}"
            )


def _examples(
    strongest: Strongest,
    place: int,
    rows: Sequence[list[int]],
    offsets: list[int],
    tokenizer: PreTrainedTokenizerFast,
) -> tuple[NeuronExample, ...]:
    """The strongest examples of one neuron with their surroundings."""
    found = []
    pairs = zip(strongest.value_CT[place].tolist(), strongest.place_CT[place].tolist(), strict=True)
    for activation, where in pairs:
        if where < 0:
            continue
        text = bisect.bisect_right(offsets, where) - 1
        position = where - offsets[text]
        ids = rows[text]
        found.append(
            NeuronExample(
                activation=activation,
                text=text,
                position=position,
                token=tokenizer.decode([ids[position]]),
                before=tokenizer.decode(ids[max(0, position - _CONTEXT) : position]),
                after=tokenizer.decode(ids[position + 1 : position + 1 + _CONTEXT]),
            )
        )
    return tuple(found)
