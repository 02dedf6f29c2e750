"""What is measured of a model on the way and at the end: bits a byte of held-out documents, samples, memorised text.

Shapes: D documents.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.experiments.pretraining.result import HeldOutScore, Memorised

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.evaluation.batches import Row
    from shoal.experiments.pretraining.heldout import Mask
    from shoal.experiments.pretraining.recipe import Recipe
    from shoal.experiments.pretraining.tokens import TokenizedCorpus

    Rows = Sequence[Row]

_DRAWS = 2000
_SEED_OF_INTERVALS = 0


@dataclass(frozen=True, slots=True)
class HeldOutSet:
    """Held-out documents of one corpus as rows to be scored."""

    rows: tuple[Row, ...]
    document_R: tuple[int, ...]
    """The document of each row."""

    sizes: tuple[int, ...]
    """Bytes of each document."""

    def score(self, model: PreTrainedModel) -> HeldOutScore:
        """Bits a byte, with a bootstrap interval over documents."""
        from shoal.evaluation.likelihoods import log_likelihoods

        nats_R = log_likelihoods(model, self.rows)
        bits_D = np.bincount(self.document_R, weights=-np.asarray(nats_R) / math.log(2), minlength=len(self.sizes))
        bytes_D = np.asarray(self.sizes, dtype=np.float64)
        weights = np.random.default_rng(_SEED_OF_INTERVALS).multinomial(
            len(bytes_D), np.full(len(bytes_D), 1 / len(bytes_D)), size=_DRAWS
        )
        low, high = np.quantile((weights @ bits_D) / (weights @ bytes_D), [0.025, 0.975])
        return HeldOutScore(
            bits_per_byte=float(bits_D.sum() / bytes_D.sum()),
            low=float(low),
            high=float(high),
            documents=len(bytes_D),
            size=int(bytes_D.sum()),
        )


def held_out_set(corpus: TokenizedCorpus, held_out_D: Mask, *, most: int, context: int) -> HeldOutSet | None:
    """The held-out documents with the lowest ids, at most so many; None where none is held out.

    A document that is longer than the context is read in windows that move on by half of it, so that every token but
    those of the beginning is predicted from at least half a context. The end token counts.
    """
    from shoal.evaluation.batches import Row

    places = np.flatnonzero(held_out_D)
    places = places[np.argsort(corpus.ids_D[places], kind="stable")][:most]
    rows: list[Row] = []
    documents: list[int] = []
    for document, place in enumerate(places.tolist()):
        ids = corpus.file.document(place).tolist()
        for start, boundary, stop in _windows(len(ids), corpus.opening, context):
            rows.append(Row(len(rows), tuple(ids[start:stop]), boundary - start, 0, stop - boundary))
            documents.append(document)
    if not len(places):
        return None
    return HeldOutSet(tuple(rows), tuple(documents), tuple(corpus.sizes_D[places].tolist()))


def _windows(length: int, opening: int, context: int) -> list[tuple[int, int, int]]:
    """(start, first scored, stop) of each window over a document; a window's last token is not read."""
    windows = [(0, opening, min(length, context + 1))]
    step = max(1, context // 2)
    while windows[-1][2] < length:
        scored = windows[-1][2]
        stop = min(length, scored + step)
        windows.append((stop - context - 1, scored, stop))
    return windows


def sample_texts(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, recipe: Recipe, *, seed: int
) -> dict[str, str]:
    """What the model says after each prompt of the recipe; equal seeds give equal samples."""
    import torch

    from shoal.models.transformers_io import quiet

    said: dict[str, str] = {}
    table = recipe.evaluation
    how: dict[str, Any] = {"do_sample": False}
    if table.temperature > 0:
        how = {"do_sample": True, "temperature": table.temperature, "top_k": 0}
    cuda = [model.device] if model.device.type == "cuda" else []
    with torch.inference_mode(), torch.random.fork_rng(devices=cuda), quiet():
        torch.manual_seed(seed)
        for prompt in table.prompts:
            ids = tokenizer(prompt, return_tensors="pt")["input_ids"].to(model.device)
            room = recipe.model.context - ids.shape[1]
            out = model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=max(1, min(table.sample_tokens, room)),
                pad_token_id=tokenizer.eos_token_id,
                eos_token_id=tokenizer.eos_token_id,
                **how,
            )
            said[prompt] = tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True)
    return said


def count_memorised(
    model: PreTrainedModel,
    corpora: Mapping[str, TokenizedCorpus],
    seen: Mapping[str, Mask],
    held_out: Mapping[str, Mask],
    recipe: Recipe,
) -> Memorised | None:
    """Count the prefixes of training and of held-out documents that the model continues with the text's own tokens.

    As many prefixes of each side are drawn over all corpora, at random places of documents that are long enough. A
    continuation is memorised where all its tokens are what greedy decoding says; one pass over prefix and continuation
    shows that. Held-out texts are the base rate: what is said often is continued rightly without having been seen.
    """
    from shoal.evaluation.evaluator import scoring_mode
    from shoal.evaluation.scoring import Scorer
    from shoal.evaluation.windows import score_to_divergence
    from shoal.models.anatomy import split_model

    table = recipe.evaluation
    if not table.memorised:
        return None
    counts = []
    with scoring_mode(model):
        scorer = Scorer(split_model(model), 4096)
        for number, masks in enumerate((seen, held_out)):
            rows = _prefixes(corpora, masks, recipe, np.random.default_rng([recipe.seed, 4, number]))
            verdicts = score_to_divergence(scorer, rows, lambda *_: None) if rows else []
            counts += [sum(verdict.wrong_at is None for verdict in verdicts), len(rows)]
    return Memorised(
        training=counts[0],
        training_prefixes=counts[1],
        held_out=counts[2],
        held_out_prefixes=counts[3],
        prefix_tokens=table.prefix_tokens,
        tokens=table.memorised_tokens,
    )


def _prefixes(
    corpora: Mapping[str, TokenizedCorpus], masks: Mapping[str, Mask], recipe: Recipe, draws: np.random.Generator
) -> list[Row]:
    from shoal.evaluation.batches import Row

    table = recipe.evaluation
    whole = table.prefix_tokens + table.memorised_tokens
    fits = {
        name: np.flatnonzero(masks[name] & (corpus.file.lengths > whole + corpus.opening))
        for name, corpus in corpora.items()
    }
    places = [(name, place) for name, found in fits.items() for place in found.tolist()]
    count = table.memorised if places and whole <= recipe.model.context else 0
    rounds = [draws.permutation(len(places)) for _ in range(-(-count // max(1, len(places))))]
    rows = []
    for item, number in enumerate(np.concatenate(rounds)[:count].tolist() if rounds else ()):
        name, place = places[number]
        ids = corpora[name].file.document(place).tolist()[corpora[name].opening : -1]
        start = int(draws.integers(0, len(ids) - whole + 1))
        rows.append(Row(item, tuple(ids[start : start + whole]), table.prefix_tokens, 0, table.memorised_tokens))
    return rows
