"""The passes over a corpus that collect activations of neurons, texts of one length together.

The texts alternate between the half on which a neuron's class of tokens is found and the half on which it is confirmed.

Shapes: L positions of a text, N positions of a batch or of all texts, C neurons of all blocks side by side, T top
activations per neuron, X neurons of shuffled models.
"""

from __future__ import annotations

import copy
import itertools
import math
from typing import TYPE_CHECKING

import torch

from shoal.insight.hooks import find_parts, read_activations
from shoal.insight.neurons.selectivity import TokenSums
from shoal.insight.tokens.reading import encode_texts
from shoal.models import shuffle_weights

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from transformers import PreTrainedTokenizerFast

    from shoal.insight.hooks import Parts
    from shoal.insight.options import AnalysisOptions

MAX_CORPUS = 100_000
"""Tokens read of a corpus: six passes over it are needed, and more tokens hardly change what is found."""

_BATCH_TOKENS = 2048
# 128 MiB in float32.
_BATCH_VALUES = 2**25
"""Tokens, and activations, of one pass at most."""


class TopActivations:
    """The T strongest activations of each neuron so far; memory does not grow with the corpus.

    Args:
        neurons: C.
        count: T.
    """

    def __init__(self, neurons: int, count: int) -> None:
        self.value_CT = torch.full((neurons, count), -torch.inf)
        self.place_CT = torch.full((neurons, count), -1, dtype=torch.long)

    def add(self, activation_NC: torch.Tensor, place_N: torch.Tensor) -> None:
        """Add the activations of some positions; of equal ones the earlier stays.

        Args:
            activation_NC: the activations.
            place_N: where each position is in the corpus.
        """
        count = self.value_CT.shape[1]
        fresh_CT, which_CT = activation_NC.float().T.topk(min(count, len(place_N)), dim=1)
        value = torch.cat([self.value_CT, fresh_CT.cpu()], dim=1)
        place = torch.cat([self.place_CT, place_N[which_CT.cpu()]], dim=1)
        # A stable sort of all candidates: of equal activations the earlier place wins, whatever the batches.
        order_CT = value.sort(dim=1, descending=True, stable=True).indices[:, :count]
        self.value_CT, self.place_CT = value.gather(1, order_CT), place.gather(1, order_CT)


def corpus_rows(
    parts: Parts, tokenizer: PreTrainedTokenizerFast, texts: Sequence[str], max_tokens: int
) -> list[list[int]]:
    """Encode the beginning of each text that has tokens; of a large corpus evenly spread texts, 100,000 tokens.

    Args:
        parts: the parts of the model.
        tokenizer: its tokenizer.
        texts: the corpus.
        max_tokens: maximum number of tokens of one text.
    """
    max_tokens = min(max_tokens, parts.context or max_tokens)
    rows = [ids for ids in encode_texts(tokenizer, texts, max_tokens=max_tokens) if ids]
    # Evenly spread and not the first ones: a corpus is often sorted.
    return rows[:: max(1, math.ceil(sum(map(len, rows)) / MAX_CORPUS))]


def top_activations(
    parts: Parts, rows: Sequence[list[int]], count: int, options: AnalysisOptions
) -> tuple[TopActivations, torch.Tensor]:
    """Collect the strongest activations of all neurons, and their separations (C).

    Args:
        parts: the parts of the model.
        rows: the texts, encoded.
        count: number of activations per neuron.
        options: progress callback.
    """
    neurons = len(parts.blocks) * parts.neurons
    top, sums = TopActivations(neurons, count), TokenSums(neurons, _vocabulary(parts))
    offsets = [0, *itertools.accumulate(map(len, rows))]
    for done, (number, activation_LC) in enumerate(_activations(parts, rows), start=1):
        top.add(activation_LC, torch.arange(offsets[number], offsets[number + 1]))
        sums.add(activation_LC.cpu(), torch.tensor(rows[number]), number % 2)
        options.progress("neurons", done, len(rows))
    return top, sums.separation()


def null_separations(parts: Parts, rows: Sequence[list[int]], shuffles: int, options: AnalysisOptions) -> torch.Tensor:
    """The separations (X) of all neurons of shuffled models, in ascending order.

    Args:
        parts: the parts of the model.
        rows: the texts, encoded.
        shuffles: number of shuffled models.
        options: seed of the shuffles, and progress callback.
    """
    draws = torch.Generator().manual_seed(options.seed)
    shuffled = find_parts(copy.deepcopy(parts.model))
    found = []
    for done in range(shuffles):
        shuffle_weights(shuffled.model, draws)
        sums = TokenSums(len(parts.blocks) * parts.neurons, _vocabulary(parts))
        for number, activation_LC in _activations(shuffled, rows):
            sums.add(activation_LC.cpu(), torch.tensor(rows[number]), number % 2)
        found.append(sums.separation())
        options.progress("neurons of shuffled models", done + 1, shuffles)
    return torch.cat(found).sort().values


def neuron_activations(
    parts: Parts, rows: Sequence[list[int]], columns: Sequence[int], options: AnalysisOptions
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Collect the activations of some neurons over a corpus.

    Args:
        parts: the parts of the model.
        rows: the texts, encoded.
        columns: number of each neuron among those of all blocks: block · neurons per block + neuron.
        options: progress callback.

    Returns:
        The activations (N × neurons), the token ids (N), and which positions belong to the half on which classes are
        found (N).
    """
    collected: list[torch.Tensor] = [torch.empty(0)] * len(rows)
    for done, (number, activation_LC) in enumerate(_activations(parts, rows), start=1):
        collected[number] = activation_LC[:, list(columns)].cpu()
        options.progress("activations of neurons", done, len(rows))
    halves = [number % 2 == 0 for number, row in enumerate(rows) for _ in row]
    return torch.cat(collected), torch.tensor([id_ for row in rows for id_ in row]), torch.tensor(halves)


def _activations(parts: Parts, rows: Sequence[list[int]]) -> Iterator[tuple[int, torch.Tensor]]:
    """The number of each text and the activations of all neurons on it (L × C), short texts first.

    Texts of one length are read together. None is padded, so that no text changes the numbers of another.
    """
    by_length = sorted(range(len(rows)), key=lambda number: len(rows[number]))
    # The activations of all blocks are held at once, side by side.
    most = max(1, min(_BATCH_TOKENS, _BATCH_VALUES // (len(parts.blocks) * parts.neurons)))
    for length, group in itertools.groupby(by_length, key=lambda number: len(rows[number])):
        same, size = list(group), max(1, most // length)
        for first in range(0, len(same), size):
            numbers = same[first : first + size]
            batch = torch.tensor([rows[number] for number in numbers], device=parts.model.device)
            seen = read_activations(parts.model, batch, ["blocks.*.mlp.neurons"])
            yield from zip(numbers, torch.cat([value.float() for value in seen.values()], dim=-1), strict=True)


def _vocabulary(parts: Parts) -> int:
    return int(parts.model.get_input_embeddings().weight.shape[0])
