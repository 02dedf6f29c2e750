"""What is measured of a model on the way and at the end: bits per byte of held-out documents, samples, memorised text.

Shapes: D documents.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shoal.experiments.pretraining.records import HeldOutScore, Memorised
from shoal.statistics import percentile_ends, resampled_ratios

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.evaluation import ScoringRow
    from shoal.experiments.pretraining.data import Prepared
    from shoal.experiments.pretraining.monitored import MeasuredOnce
    from shoal.experiments.pretraining.recipe import Recipe
    from shoal.experiments.pretraining.split import Mask
    from shoal.experiments.pretraining.tokens import TokenizedCorpus

    Rows = Sequence[ScoringRow]

# One seed for all intervals: two evaluations of equal scores then have equal intervals.
_SEED_OF_INTERVALS = 0


@dataclass(frozen=True, slots=True)
class HeldOutSet:
    """Held-out documents of one corpus as rows to be scored."""

    rows: tuple[ScoringRow, ...]
    document_R: tuple[int, ...]
    """The document of each row."""

    sizes: tuple[int, ...]
    """Bytes of each document."""

    def score(self, model: PreTrainedModel) -> HeldOutScore:
        """Bits per byte, with a bootstrap interval over documents."""
        return self.score_of(self.nats(model))

    def nats(self, model: PreTrainedModel) -> list[float]:
        """The log-likelihood of each row, in nats."""
        from shoal.evaluation import log_likelihoods

        return log_likelihoods(model, self.rows)

    @property
    def tokens(self) -> list[int]:
        """The scored tokens of each document."""
        counts = [row.stop - row.start for row in self.rows]
        return [int(one) for one in np.bincount(self.document_R, weights=counts, minlength=len(self.sizes))]

    def losses_of(self, nats_R: Sequence[float]) -> npt.NDArray[np.float64]:
        """The loss of each document in nats.

        Args:
            nats_R: what `nats` gave.
        """
        losses_D = np.bincount(self.document_R, weights=-np.asarray(nats_R), minlength=len(self.sizes))
        return np.asarray(losses_D, dtype=np.float64)

    def score_of(self, nats_R: Sequence[float]) -> HeldOutScore:
        """What `score` gives.

        Args:
            nats_R: what `nats` gave.
        """
        bits_D = np.bincount(self.document_R, weights=-np.asarray(nats_R) / math.log(2), minlength=len(self.sizes))
        bytes_D = np.asarray(self.sizes, dtype=np.float64)
        drawn_D = resampled_ratios(bits_D, bytes_D, seed=_SEED_OF_INTERVALS)
        low, high = percentile_ends(drawn_D, units=len(bytes_D), confidence=0.95)
        return HeldOutScore(
            bits_per_byte=float(bits_D.sum() / bytes_D.sum()),
            low=low,
            high=high,
            documents=len(bytes_D),
            size=int(bytes_D.sum()),
        )


def held_out_sets(prepared: Prepared, recipe: Recipe) -> dict[str, HeldOutSet]:
    """The held-out documents of each corpus that has any, as rows to be scored.

    Args:
        prepared: the data of the training.
        recipe: says how many documents are scored, and the context.
    """
    context = recipe.training.context or recipe.model.context
    found = {
        name: held_out_set(
            corpus, prepared.split.held_out[name], max_documents=recipe.evaluation.documents, context=context
        )
        for name, corpus in prepared.corpora.items()
    }
    return {name: one for name, one in found.items() if one is not None}


def score_all(held_out: Mapping[str, HeldOutSet | MeasuredOnce], model: PreTrainedModel) -> dict[str, HeldOutScore]:
    """Held-out bits per byte by corpus.

    Args:
        held_out: as `held_out_sets` gives it.
        model: is scored in its present mode and dtype.
    """
    return {name: one.score(model) for name, one in held_out.items()}


def held_out_set(corpus: TokenizedCorpus, held_out_D: Mask, max_documents: int, context: int) -> HeldOutSet | None:
    """The chosen documents with the lowest ids, at most ``max_documents``; None where none is chosen.

    A document that is longer than the context is read in windows that move on by half of it, so that every token but
    those of the beginning is predicted from at least half a context. The end token counts.

    Args:
        corpus: its tokens.
        held_out_D: which documents are chosen.
        max_documents: how many are scored, at most.
        context: what the model reads at most.
    """
    from shoal.evaluation import ScoringRow

    places = np.flatnonzero(held_out_D)
    # Ids are digests, so that the lowest are a random sample, and the same one in every run.
    places = places[np.argsort(corpus.ids_D[places], kind="stable")][:max_documents]
    rows: list[ScoringRow] = []
    documents: list[int] = []
    for document, place in enumerate(places.tolist()):
        ids = corpus.file.document(place).tolist()
        for start, boundary, stop in scoring_windows(len(ids), corpus.opening, context):
            rows.append(ScoringRow(len(rows), tuple(ids[start:stop]), boundary - start, 0, stop - boundary))
            documents.append(document)
    if not len(places):
        return None
    return HeldOutSet(tuple(rows), tuple(documents), tuple(corpus.sizes_D[places].tolist()))


def scoring_windows(length: int, opening: int, context: int) -> list[tuple[int, int, int]]:
    """(start, first scored, stop) of each window over a document; a window's last token is not read.

    Args:
        length: tokens of the document, what stands before its text included.
        opening: how many tokens stand before its text; they are not scored.
        context: what the model reads at most.
    """
    windows = [(0, opening, min(length, context + 1))]
    # By half a context, so that each token of a later window is predicted from at least half of one.
    step = max(1, context // 2)
    while windows[-1][2] < length:
        scored = windows[-1][2]
        stop = min(length, scored + step)
        windows.append((stop - context - 1, scored, stop))
    return windows


def sample_texts(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, recipe: Recipe, *, seed: int
) -> dict[str, str]:
    """A sampled continuation of each prompt of the recipe; an empty prompt is the beginning of a text.

    Args:
        model: its mode is restored.
        tokenizer: of the model.
        recipe: has the prompts, the temperature and the number of tokens.
        seed: equal seeds give equal samples.
    """
    from shoal.evaluation import document_opening, scoring_mode
    from shoal.models import sample_continuations

    table = recipe.evaluation
    prefixes = [tokenizer(prompt)["input_ids"] or list(document_opening(tokenizer)) for prompt in table.prompts]
    with scoring_mode(model):
        sampled = sample_continuations(
            model,
            prefixes,
            # By seed + place, step 1 would sample its prompt 2 as step 2 its prompt 1.
            [1000 * seed + place for place in range(len(prefixes))],
            [min(table.sample_tokens, recipe.model.context - len(prefix)) for prefix in prefixes],
            temperature=table.temperature,
            end_id=tokenizer.eos_token_id,
        )
    texts = (tokenizer.decode(ids, skip_special_tokens=True) for ids in sampled)
    return dict(zip(table.prompts, texts, strict=True))


def count_memorised(
    model: PreTrainedModel,
    corpora: Mapping[str, TokenizedCorpus],
    seen: Mapping[str, Mask],
    held_out: Mapping[str, Mask],
    recipe: Recipe,
    *,
    read: Mapping[str, npt.NDArray[np.int64]] | None = None,
) -> Memorised | None:
    """Count the prefixes of training and of held-out documents that the model continues with the text's own tokens.

    Of each side the same number of prefixes is drawn over all corpora, each the beginning of a document or of a piece
    of one. A continuation is memorised where all its tokens are those of greedy decoding; one pass over prefix and
    continuation shows that. Held-out texts are the base rate: frequent phrases are continued rightly without having
    been seen. Source: extractable memorisation, Carlini et al. 2023 (arXiv:2202.07646), section 3.1.

    Args:
        model: its mode is restored.
        corpora: the tokens of each corpus.
        seen: which documents may be trained on, by corpus.
        held_out: which were held out.
        recipe: says how many prefixes, and how long they and their continuations are.
        read: where the pieces begin that were trained on, by corpus; None where all of them were.
    """
    from shoal.evaluation import Scorer, score_to_divergence, scoring_mode
    from shoal.models import factor_model

    table = recipe.evaluation
    if not table.memorised:
        return None
    counts = []
    with scoring_mode(model):
        scorer = Scorer(factor_model(model), 4096)
        for number, masks in enumerate((seen, held_out)):
            draws = np.random.default_rng([recipe.seed, 4, number])
            # A training of less than a pass has read some of what it might have read.
            rows = _prefixes(corpora, masks, recipe, draws, read=read if masks is seen else None)
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
    corpora: Mapping[str, TokenizedCorpus],
    masks: Mapping[str, Mask],
    recipe: Recipe,
    draws: np.random.Generator,
    *,
    read: Mapping[str, npt.NDArray[np.int64]] | None,
) -> list[ScoringRow]:
    """Rows of prefix and continuation, each from where a training begins to read.

    A model that knows a text by heart knows it from there on.
    """
    from shoal.evaluation import ScoringRow
    from shoal.training import cut_pieces

    table = recipe.evaluation
    whole = table.prefix_tokens + table.memorised_tokens
    # As the training cuts pieces, so that each prefix begins where a piece began.
    longest = min(recipe.training.context or recipe.model.context, recipe.training.batch_tokens)
    places: list[tuple[str, int]] = []
    for name, corpus in corpora.items():
        pieces = cut_pieces(corpus.file, masks[name], longest)
        # The last token that is predicted may be the end of the document, which is no text.
        starts_P = pieces.starts_P[pieces.lengths_P > whole]
        if read is not None:
            starts_P = starts_P[np.isin(starts_P, read[name])]
        places += [(name, start) for start in starts_P.tolist()]
    rows = []
    for item, number in enumerate(draws.permutation(len(places))[: table.memorised].tolist()):
        name, start = places[number]
        ids = corpora[name].file.tokens[start : start + whole].tolist()
        rows.append(ScoringRow(item, tuple(ids), table.prefix_tokens, 0, table.memorised_tokens))
    return rows
