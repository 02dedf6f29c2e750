"""The passes over a corpus in which neurons are watched, texts of one length together.

The texts alternate between the half on which a neuron's class of tokens is found and the half on which it is confirmed.

Shapes: L positions of a text, N positions of all texts, C neurons of all blocks, X neurons of shuffled models.
"""

from __future__ import annotations

import copy
import itertools
import math
from typing import TYPE_CHECKING

import torch

from shoal.insight.hooks.capture import capture
from shoal.insight.hooks.parts import find_parts
from shoal.insight.neurons.examples import Strongest
from shoal.insight.neurons.separation import TokenSums
from shoal.insight.roles.null import shuffle_weights
from shoal.text import check_coverage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from transformers import PreTrainedTokenizerFast

    from shoal.insight.hooks.parts import Parts
    from shoal.progress import Progress

MOST_TOKENS = 100_000
"""What is read of a corpus: six passes over it are needed, and more hardly changes what is found."""

_BATCH_TOKENS = 2048
_BATCH_VALUES = 2**25


def encode_texts(
    parts: Parts, tokenizer: PreTrainedTokenizerFast, texts: Sequence[str], tokens: int
) -> list[list[int]]:
    """The ids of the beginning of each text that has any; of a large corpus evenly spread texts, 100,000 tokens."""
    most = min(tokens, parts.context or tokens)
    check_coverage(tokenizer, texts)
    rows = [ids for text in texts if (ids := tokenizer(text, verbose=False)["input_ids"][:most])]
    return rows[:: max(1, math.ceil(sum(map(len, rows)) / MOST_TOKENS))]


def strongest_and_separation(
    parts: Parts, rows: Sequence[list[int]], examples: int, progress: Progress | None
) -> tuple[Strongest, torch.Tensor]:
    """The strongest examples of all neurons, and their separations."""
    count = len(parts.blocks) * parts.neurons
    strongest, sums = Strongest(count, examples), TokenSums(count, _vocabulary(parts))
    offsets = [0, *itertools.accumulate(map(len, rows))]
    for done, (number, activation_LC) in enumerate(_activations(parts, rows), start=1):
        strongest.add(activation_LC, torch.arange(offsets[number], offsets[number + 1]))
        sums.add(activation_LC.cpu(), torch.tensor(rows[number]), number % 2)
        if progress is not None:
            progress("neurons", done, len(rows))
    return strongest, sums.separation()


def null_separations(
    parts: Parts,
    rows: Sequence[list[int]],
    shuffles: int,
    seed: int,
    progress: Progress | None,
) -> torch.Tensor:
    """The separations of all neurons of shuffled models, sorted."""
    draws = torch.Generator().manual_seed(seed)
    shuffled = find_parts(copy.deepcopy(parts.model))
    found = []
    for done in range(shuffles):
        shuffle_weights(shuffled.model, draws)
        sums = TokenSums(len(parts.blocks) * parts.neurons, _vocabulary(parts))
        for number, activation_LC in _activations(shuffled, rows):
            sums.add(activation_LC.cpu(), torch.tensor(rows[number]), number % 2)
        found.append(sums.separation())
        if progress is not None:
            progress("neurons of shuffled models", done + 1, shuffles)
    return torch.cat(found).sort().values


def activations_of_chosen(
    parts: Parts, rows: Sequence[list[int]], chosen: list[int], progress: Progress | None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Activations of the chosen neurons (N × chosen), the ids, and which positions belong to the finding half."""
    kept: list[torch.Tensor] = [torch.empty(0)] * len(rows)
    for done, (number, activation_LC) in enumerate(_activations(parts, rows), start=1):
        kept[number] = activation_LC[:, chosen].cpu()
        if progress is not None:
            progress("what they fire on", done, len(rows))
    halves = [number % 2 == 0 for number, row in enumerate(rows) for _ in row]
    return torch.cat(kept), torch.tensor([id_ for row in rows for id_ in row]), torch.tensor(halves)


@torch.inference_mode()
def _activations(parts: Parts, rows: Sequence[list[int]]) -> Iterator[tuple[int, torch.Tensor]]:
    """The number of each text and the activations of all neurons on it (L × C), short texts first.

    Texts of one length are read together; nothing is padded, so that none changes what is seen of another.
    """
    by_length = sorted(range(len(rows)), key=lambda number: len(rows[number]))
    most = max(1, min(_BATCH_TOKENS, _BATCH_VALUES // (len(parts.blocks) * parts.neurons)))
    for length, group in itertools.groupby(by_length, key=lambda number: len(rows[number])):
        same, size = list(group), max(1, most // length)
        for first in range(0, len(same), size):
            numbers = same[first : first + size]
            with capture(parts.model, ["blocks.*.mlp.neurons"]) as seen:
                batch = torch.tensor([rows[number] for number in numbers], device=parts.model.device)
                parts.model(batch, use_cache=False)
            yield from zip(numbers, torch.cat([value.float() for value in seen.values()], dim=-1), strict=True)


def _vocabulary(parts: Parts) -> int:
    return int(parts.model.get_input_embeddings().weight.shape[0])
