"""Neurons over a corpus: the most activating examples of every one, and what the most selective ones fire on.

A first pass over the texts keeps the strongest examples of all neurons and their sums by token, a second the
activations of the chosen neurons alone. A neuron is called selective where its separation is one that neurons of
shuffled models do not reach: with random weights, too, every neuron likes some tokens better than others.

Shapes: L positions, F neurons a block, C neurons of all blocks.
"""

from __future__ import annotations

import bisect
import copy
import itertools
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch

from shoal.errors import DataError, ModelError, UsageError
from shoal.insight.hooks.capture import capture
from shoal.insight.hooks.parts import find_parts
from shoal.insight.neurons.examples import NeuronExample, Strongest
from shoal.insight.neurons.selective import Selectivity, selectivity
from shoal.insight.neurons.separation import TokenSums
from shoal.insight.roles.null import shuffle_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.insight.hooks.parts import Parts

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


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuronReports:
    """What `watch_neurons` returns."""

    neurons: tuple[NeuronReport, ...]
    """The chosen ones, the most selective first."""

    texts: int
    tokens: int
    """How much was read."""

    level: float

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
    level: float = 0.01,
    shuffles: int = 4,
    seed: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
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
        level: of the p-values, and the share of the neurons of a random model that may be called selective.
        shuffles: how many shuffled models give the null.
        seed: of the shuffles.
        progress: called with (what, done, total).

    Raises:
        ModelError: the MLPs could not be taken apart.
        DataError: fewer than two texts hold tokens.
        UsageError: a neuron that the model does not have.
    """
    parts = find_parts(model)
    if not parts.neurons:
        raise ModelError(f"the MLPs of {parts.name} could not be taken apart, so there are no neurons to show")
    rows = _encode(parts, tokenizer, texts, tokens)
    if len(rows) < 2:
        raise DataError(
            f"what a neuron fires on is found on one half of the texts and confirmed on the other; give two texts with "
            f"tokens at least, not {len(rows)}"
        )
    _check(parts, neurons)
    strongest, separation_C = _stream(parts, rows, examples, progress)
    null_X = _null(parts, rows, shuffles, seed, progress)
    p_C = (1 + len(null_X) - torch.searchsorted(null_X, separation_C)) / (1 + len(null_X))
    chosen = [block * parts.neurons + neuron for block, neuron in neurons or ()]
    if neurons is None:
        chosen = separation_C.topk(min(most, len(separation_C))).indices.tolist()
    activation_NC, ids_N, half_N = _second_pass(parts, rows, chosen, progress)
    offsets = [0, *itertools.accumulate(map(len, rows))]
    reports = []
    for column, place in enumerate(chosen):
        found = selectivity(activation_NC[:, column], ids_N, half_N, tokens=_TOKENS_OF_A_CLASS, least=_LEAST)
        told = _examples(strongest, place, rows, offsets, tokenizer)
        numbers = float(separation_C[place]), float(p_C[place])
        reports.append(_report(divmod(place, parts.neurons), told, found, numbers, level, tokenizer))
    reports.sort(key=lambda report: (not report.selective, -report.separation))
    return NeuronReports(
        neurons=tuple(reports),
        texts=len(rows),
        tokens=offsets[-1],
        level=level,
        selective=int((p_C <= level).sum()),
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
    rows = _encode(parts, tokenizer, texts, tokens)
    return _second_pass(parts, rows, [block * parts.neurons + neuron for block, neuron in places], None)


def _report(
    place: tuple[int, int],
    examples: tuple[NeuronExample, ...],
    found: Selectivity | None,
    numbers: tuple[float, float],
    level: float,
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
        selective=found is not None and max(p_value, found.p_value) <= level,
    )


def _encode(parts: Parts, tokenizer: PreTrainedTokenizerFast, texts: Sequence[str], tokens: int) -> list[list[int]]:
    most = min(tokens, parts.context or tokens)
    return [ids for text in texts if (ids := tokenizer(text, verbose=False)["input_ids"][:most])]


def _check(parts: Parts, neurons: Sequence[tuple[int, int]] | None) -> None:
    for block, neuron in neurons or ():
        if not (0 <= block < len(parts.blocks) and 0 <= neuron < parts.neurons):
            raise UsageError(
                f"there is no neuron {neuron} in block {block}: {parts.name} has blocks 0 to {len(parts.blocks) - 1} "
                f"with neurons 0 to {parts.neurons - 1}"
            )


@torch.inference_mode()
def _activations(parts: Parts, rows: Sequence[list[int]]) -> Iterator[torch.Tensor]:
    """The activations of all neurons (L × C) of each text in turn."""
    for ids in rows:
        with capture(parts.model, ["blocks.*.mlp.neurons"]) as seen:
            parts.model(torch.tensor([ids], device=parts.model.device), use_cache=False)
        yield torch.cat([value[0].float() for value in seen.values()], dim=-1)


def _stream(
    parts: Parts, rows: Sequence[list[int]], examples: int, progress: Callable[[str, int, int], None] | None
) -> tuple[Strongest, torch.Tensor]:
    """The strongest examples of all neurons, and their separations."""
    count = len(parts.blocks) * parts.neurons
    strongest, sums, done = Strongest(count, examples), TokenSums(count, _vocabulary(parts)), 0
    for number, activation_LC in enumerate(_activations(parts, rows)):
        strongest.add(activation_LC, torch.arange(done, done + len(activation_LC)))
        sums.add(activation_LC.cpu(), torch.tensor(rows[number]), number % 2)
        done += len(activation_LC)
        if progress is not None:
            progress("neurons", number + 1, len(rows))
    return strongest, sums.separation()


def _null(
    parts: Parts,
    rows: Sequence[list[int]],
    shuffles: int,
    seed: int,
    progress: Callable[[str, int, int], None] | None,
) -> torch.Tensor:
    """The separations of all neurons of shuffled models, sorted."""
    draws = torch.Generator().manual_seed(seed)
    shuffled = find_parts(copy.deepcopy(parts.model))
    found = []
    for done in range(shuffles):
        shuffle_weights(shuffled.model, draws)
        sums = TokenSums(len(parts.blocks) * parts.neurons, _vocabulary(parts))
        for number, activation_LC in enumerate(_activations(shuffled, rows)):
            sums.add(activation_LC.cpu(), torch.tensor(rows[number]), number % 2)
        found.append(sums.separation())
        if progress is not None:
            progress("neurons of shuffled models", done + 1, shuffles)
    return torch.cat(found).sort().values


def _vocabulary(parts: Parts) -> int:
    return int(parts.model.get_input_embeddings().weight.shape[0])


def _second_pass(
    parts: Parts, rows: Sequence[list[int]], chosen: list[int], progress: Callable[[str, int, int], None] | None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Activations of the chosen neurons (N × chosen), the ids, and which positions belong to the finding half."""
    kept, halves = [], []
    for number, activation_LC in enumerate(_activations(parts, rows)):
        kept.append(activation_LC[:, chosen].cpu())
        halves.append(torch.full((len(activation_LC),), number % 2 == 0))
        if progress is not None:
            progress("what they fire on", number + 1, len(rows))
    return torch.cat(kept), torch.tensor([id_ for row in rows for id_ in row]), torch.cat(halves)


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
