"""The passes over a corpus in which neurons are watched, one text at a time.

The texts alternate between the half on which a neuron's class of tokens is found and the half on which it is confirmed.

Shapes: L positions of a text, N positions of all texts, C neurons of all blocks, X neurons of shuffled models.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch

from shoal.insight.hooks.capture import capture
from shoal.insight.hooks.parts import find_parts
from shoal.insight.neurons.examples import Strongest
from shoal.insight.neurons.separation import TokenSums
from shoal.insight.roles.null import shuffle_weights
from shoal.text.coverage import check_coverage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from transformers import PreTrainedTokenizerFast

    from shoal.insight.hooks.parts import Parts

    Progress = Callable[[str, int, int], None]


def encode_texts(
    parts: Parts, tokenizer: PreTrainedTokenizerFast, texts: Sequence[str], tokens: int
) -> list[list[int]]:
    """The ids of the beginning of each text that has any."""
    most = min(tokens, parts.context or tokens)
    check_coverage(tokenizer, texts)
    return [ids for text in texts if (ids := tokenizer(text, verbose=False)["input_ids"][:most])]


def strongest_and_separation(
    parts: Parts, rows: Sequence[list[int]], examples: int, progress: Progress | None
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
        for number, activation_LC in enumerate(_activations(shuffled, rows)):
            sums.add(activation_LC.cpu(), torch.tensor(rows[number]), number % 2)
        found.append(sums.separation())
        if progress is not None:
            progress("neurons of shuffled models", done + 1, shuffles)
    return torch.cat(found).sort().values


def activations_of_chosen(
    parts: Parts, rows: Sequence[list[int]], chosen: list[int], progress: Progress | None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Activations of the chosen neurons (N × chosen), the ids, and which positions belong to the finding half."""
    kept, halves = [], []
    for number, activation_LC in enumerate(_activations(parts, rows)):
        kept.append(activation_LC[:, chosen].cpu())
        halves.append(torch.full((len(activation_LC),), number % 2 == 0))
        if progress is not None:
            progress("what they fire on", number + 1, len(rows))
    return torch.cat(kept), torch.tensor([id_ for row in rows for id_ in row]), torch.cat(halves)


@torch.inference_mode()
def _activations(parts: Parts, rows: Sequence[list[int]]) -> Iterator[torch.Tensor]:
    """The activations of all neurons (L × C) of each text in turn."""
    for ids in rows:
        with capture(parts.model, ["blocks.*.mlp.neurons"]) as seen:
            parts.model(torch.tensor([ids], device=parts.model.device), use_cache=False)
        yield torch.cat([value[0].float() for value in seen.values()], dim=-1)


def _vocabulary(parts: Parts) -> int:
    return int(parts.model.get_input_embeddings().weight.shape[0])
