"""Exact match and its fellows without `generate()`: one teacher-forced pass over prompt and target of each example.

Method: prompts and completions are encoded jointly, batched by length under a token budget, padded on the right (which
a causal model cannot see) and read by the body of the model once; the head looks at target positions only, block by
block. Cost: one forward pass over all tokens, the head on target tokens, and no logits in memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from shoal.errors import DataError, TooLongError
from shoal.evaluation.batches import Row
from shoal.evaluation.greedy import continue_wrong_items
from shoal.evaluation.scores import Divergence, ItemScore, Scores
from shoal.evaluation.scoring import Scorer, Stretch
from shoal.models.anatomy import Anatomy, split_model
from shoal.text.encoding import EncodedPair, decode_continuation, describe_policy, encode_pairs

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.tasks.example import Example

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""

_FIRST_WINDOW = 1
_GROWTH = 8


def evaluate(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    examples: Sequence[Example],
    *,
    token_budget: int = 4096,
    early_exit: bool = False,
    greedy_text: bool = True,
    progress: Progress | None = None,
) -> Scores:
    """Score a model on examples: exact match as one-at-a-time greedy decoding would find it, and what lies behind it.

    The numbers do not depend on the token budget, on the order of the examples or on padding, beyond the rounding of a
    matrix product; verdicts that hang on such rounding are decided in float64 (see `shoal.evaluation.nearties`).

    Args:
        model: a causal language model; it is put into evaluation mode and left as it was.
        tokenizer: its tokenizer.
        examples: what to score; none is allowed.
        token_budget: tokens of a batch, padding included; a longer example goes alone.
        early_exit: drop an example at its first wrong token. The verdict is the same; what needs the whole target
            (token accuracy, log-likelihood) is None for wrong examples.
        greedy_text: find what the model says instead of the target.
        progress: is told how far it is.

    Raises:
        TooLongError: an example is longer than the model's context.
        DataError: an example cannot be encoded, or the tokenizer is not the model's.
    """
    rows = encode_rows(model, tokenizer, examples)
    tell = progress or _silent
    with scoring_mode(model):
        anatomy = split_model(model)
        scorer = Scorer(anatomy, token_budget)
        stretches = _score_to_divergence(scorer, rows, tell) if early_exit else _score_whole(scorer, rows, tell)
        said = {}
        if greedy_text:
            said = continue_wrong_items(
                model,
                scorer,
                [stretch for stretch in stretches if stretch.wrong_at is not None],
                tokenizer.eos_token_id,
                lambda done, total: tell("greedy text", done, total),
            )
    items = tuple(
        _item_score(stretch, example, tokenizer, said, early_exit=early_exit, greedy_text=greedy_text)
        for stretch, example in zip(stretches, examples, strict=True)
    )
    settings = describe_settings(anatomy) | {"token_budget": token_budget, "early_exit": early_exit}
    return Scores(items=items, tokenizer_policy=describe_policy(tokenizer), settings=settings)


def encode_rows(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, examples: Sequence[Example]) -> list[Row]:
    """Examples as rows of ids that fit into the model.

    Raises:
        TooLongError: an example is longer than the model's context.
        DataError: an id lies outside the model's vocabulary.
    """
    pairs = encode_pairs(tokenizer, [(example.prompt, example.completion, example.ends) for example in examples])
    context = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    vocabulary = model.get_input_embeddings().weight.shape[0]
    for index, (pair, example) in enumerate(zip(pairs, examples, strict=True)):
        _check(pair, index, example, context, vocabulary)
    return [Row(index, pair.ids, pair.boundary, 0, len(pair.ids) - pair.boundary) for index, pair in enumerate(pairs)]


def _check(pair: EncodedPair, index: int, example: Example, context: int | None, vocabulary: int) -> None:
    if context is not None and len(pair.ids) - 1 > context:
        raise TooLongError(
            f"example {index} ({example.prompt[:40]!r}) takes {len(pair.ids)} tokens, its prompt {pair.boundary}, and "
            f"the model reads at most {context}; shorten it or take a model with a longer context"
        )
    if max(pair.ids) >= vocabulary:
        raise DataError(
            f"example {index} has the token id {max(pair.ids)}, and the model knows {vocabulary} tokens; "
            f"use the model's own tokenizer"
        )


@contextmanager
def scoring_mode(model: PreTrainedModel) -> Iterator[None]:
    """Evaluation mode without gradients; afterwards every module is in the mode that it was in."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for module in training:
            module.training = True


def describe_settings(anatomy: Anatomy) -> dict[str, str | int | float | bool]:
    """Where and how the numbers were made."""
    model = anatomy.model
    return {
        "device": str(model.device),
        "dtype": str(model.dtype).removeprefix("torch."),
        "attention": str(model.config._attn_implementation),
        "path": anatomy.path,
        "padding": anatomy.padding,
    }


def _score_whole(scorer: Scorer, rows: list[Row], tell: Progress) -> list[Stretch]:
    """Every target token of every row."""
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        tell("scoring", done, len(rows))

    return sorted(scorer.score(rows, count), key=lambda stretch: stretch.row.item)


def _score_to_divergence(scorer: Scorer, rows: list[Row], tell: Progress) -> list[Stretch]:
    """Each row up to its first wrong token, in windows that grow: reading anew costs little as the windows grow fast."""
    verdicts: dict[int, list[Stretch]] = {row.item: [] for row in rows}
    going, reach = rows, _FIRST_WINDOW
    while going:
        windows = [
            Row(row.item, row.ids, row.boundary, _scored(verdicts[row.item]), min(reach, row.stop)) for row in going
        ]
        for stretch in scorer.score(windows):
            verdicts[stretch.row.item].append(stretch)
        going = [row for row in going if _open(verdicts[row.item], row)]
        reach *= _GROWTH
        tell("scoring", len(rows) - len(going), len(rows))
    return [_joined(row, verdicts[row.item]) for row in rows]


def _scored(stretches: list[Stretch]) -> int:
    return stretches[-1].row.stop if stretches else 0


def _open(stretches: list[Stretch], row: Row) -> bool:
    return stretches[-1].wrong_at is None and stretches[-1].row.stop < row.stop


def _joined(row: Row, stretches: list[Stretch]) -> Stretch:
    """The windows of one row as one stretch."""
    last = stretches[-1]
    statuses = [stretch.status for stretch in stretches]
    return Stretch(
        row=row,
        margins=tuple(margin for stretch in stretches for margin in stretch.margins),
        right=sum(stretch.right for stretch in stretches),
        wrong_at=last.wrong_at,
        greedy_id=last.greedy_id,
        log_likelihood=sum(stretch.log_likelihood for stretch in stretches),
        status=next((status for status in ("nan", "tie", "near-tie") if status in statuses), "clear"),
    )


def _item_score(
    stretch: Stretch,
    example: Example,
    tokenizer: PreTrainedTokenizerFast,
    said: dict[int, tuple[int, ...]],
    *,
    early_exit: bool,
    greedy_text: bool,
) -> ItemScore:
    """A stretch over the whole target (or to its first wrong token) as the record of an item."""
    row, wrong_at = stretch.row, stretch.wrong_at
    prompt, target = row.ids[: row.boundary], row.ids[row.boundary :]
    cut = early_exit and wrong_at is not None
    decisive = stretch.margins[: None if wrong_at is None else wrong_at + 1]
    likelihood = None if cut else stretch.log_likelihood
    text, ends, string_match = None, None, None
    if greedy_text:
        ids = said.get(row.item, target)
        ends = tokenizer.eos_token_id in ids
        text = decode_continuation(tokenizer, prompt, ids)
        string_match = ends == example.ends and text == decode_continuation(tokenizer, prompt, target)
    return ItemScore(
        index=row.item,
        exact_match=wrong_at is None,
        string_match=string_match,
        first_divergence=wrong_at,
        divergence=divergence_kind(stretch.greedy_id, target, wrong_at, tokenizer.eos_token_id),
        margin=min(decisive, key=lambda margin: (not math.isnan(margin), margin)),
        token_margins=decisive if cut else stretch.margins,
        tokens=len(target),
        token_accuracy=None if cut else stretch.right / len(target),
        log_likelihood=likelihood,
        bits_per_byte=None if likelihood is None else bits_per_byte(likelihood, example),
        greedy_text=text,
        greedy_ends=ends,
        status=stretch.status,
    )


def divergence_kind(
    said: int | None, target: tuple[int, ...], wrong_at: int | None, end_id: int | None
) -> Divergence | None:
    """How the continuation left the target: it ended early, went on where the end was due, or said another token."""
    if wrong_at is None:
        return None
    if said is not None and said == end_id:
        return "ended-early"
    return "went-on" if target[wrong_at] == end_id else "other"


def bits_per_byte(log_likelihood: float, example: Example) -> float:
    """-log₂ p of a completion over its bytes in UTF-8, an end token counting as one byte."""
    return -log_likelihood / math.log(2) / (len(example.completion.encode()) + example.ends)


def _silent(what: str, done: int, total: int) -> None:
    """Nobody listens."""
