"""Exact match and its fellows without `generate()`: one teacher-forced pass over prompt and target of each example.

Method: prompts and completions are encoded jointly, batched by length under a token budget, padded on the right (which
a causal model cannot see) and read by the body of the model once; the head looks at target positions only, block by
block. Cost: one forward pass over all tokens, the head on target tokens, and no logits in memory.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from shoal.errors import UsageError
from shoal.evaluation.batching import encode_rows
from shoal.evaluation.greedy import continue_wrong_items
from shoal.evaluation.results import Scores, item_score
from shoal.evaluation.scoring import Scorer, score_to_divergence, score_whole
from shoal.models import FactoredModel, factor_model
from shoal.models.fast import FastModel
from shoal.progress import no_progress
from shoal.text import describe_policy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.progress import Progress
    from shoal.tasks import Example
    from shoal.text import PlainTokenizer


def evaluate(
    model: PreTrainedModel | FastModel,
    tokenizer: PreTrainedTokenizerFast | PlainTokenizer,
    examples: Sequence[Example],
    *,
    token_budget: int = 4096,
    early_exit: bool = False,
    greedy_text: bool = True,
    progress: Progress | None = None,
) -> Scores:
    """Score a model on examples: exact match as one-at-a-time greedy decoding would find it, and what lies behind it.

    The numbers do not depend on the token budget, on the order of the examples or on padding, beyond the rounding of a
    matrix product; verdicts that depend on such rounding are decided in float64 (`shoal.evaluation.float64_rescoring`).

    Args:
        model: a causal language model; it is put into evaluation mode for the time; or what `load_for_scoring` gives.
        tokenizer: its tokenizer.
        examples: what to score; none is allowed.
        token_budget: tokens of a batch, padding included; a longer example goes alone.
        early_exit: drop an example at its first wrong token. The verdict is the same; what needs the whole target
            (token accuracy, log-likelihood) is None for wrong examples.
        greedy_text: find what the model generates instead of the target.
        progress: called with (what, done, total).

    Raises:
        TooLongError: an example is longer than the model's context.
        DataError: an example cannot be encoded, or the tokenizer is not the model's.
        UsageError: the token budget is not positive.
    """
    if token_budget < 1:
        raise UsageError(f"the token budget is {token_budget}; give the tokens of a batch, at least 1")
    rows = encode_rows(model, tokenizer, examples)
    report = progress or no_progress
    continuations: dict[int, tuple[int, ...]] = {}
    with scoring_mode(model):
        factored = factor_model(model, max_length=max((row.fed for row in rows), default=0))
        scorer = Scorer(factored, token_budget)
        spans = (score_to_divergence if early_exit else score_whole)(scorer, rows, report)
        if greedy_text:
            wrong = [span for span in spans if span.wrong_at is not None]
            # A right item generates its target, by the meaning of the verdict; only wrong ones are decoded.
            continuations = {row.item: row.ids[row.boundary :] for row in rows}
            continuations |= continue_wrong_items(
                factored, scorer, wrong, tokenizer.eos_token_id, lambda done, total: report("greedy text", done, total)
            )
    items = tuple(
        item_score(span, example, tokenizer, continuations.get(span.row.item), early_exit=early_exit)
        for span, example in zip(spans, examples, strict=True)
    )
    settings = describe_settings(factored) | {"token_budget": token_budget, "early_exit": early_exit}
    return Scores(items=items, tokenizer_policy=describe_policy(tokenizer), settings=settings)


@contextmanager
def scoring_mode(model: PreTrainedModel | FastModel) -> Iterator[None]:
    """Evaluation mode without gradients; afterwards every module is in the mode that it was in."""
    if isinstance(model, FastModel):
        with torch.inference_mode():
            yield
        return
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for module in training:
            # Not `model.train()`, which would also switch modules that the caller keeps in evaluation mode.
            module.training = True


def describe_settings(factored: FactoredModel) -> dict[str, str | int | float | bool]:
    """Device, dtype, attention kernel and path: where and how the numbers were made."""
    model: Any = factored.model
    lengths = {} if factored.lengths.all_agree else {"lengths": factored.lengths.describe()}
    return {
        "device": str(model.device),
        "dtype": str(model.dtype).removeprefix("torch."),
        "attention": "own" if factored.fast is not None else str(model.config._attn_implementation),
        "path": factored.path,
        "padding": factored.padding,
        **lengths,
    }
