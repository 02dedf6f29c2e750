"""Exact match and its fellows without `generate()`: one teacher-forced pass over prompt and target of each example.

Method: prompts and completions are encoded jointly, batched by length under a token budget, padded on the right (which
a causal model cannot see) and read by the body of the model once; the head looks at target positions only, block by
block. Cost: one forward pass over all tokens, the head on target tokens, and no logits in memory.

Of an item whose target the model does not emit, the greedy continuation is proved token by token. Up to the first
divergence the greedy text is the target; at it, scoring has found the argmax. From there a draft is made (with a
key-value cache, or from the rest of the target where the model has no cache) and scored by the very pass that judges
targets. What the pass confirms stays; where the draft leaves the argmax, the argmax replaces it and the rest is drafted
again. So the text is the greedy one whatever the draft was, and a bad draft costs time only (the verification step of
speculative decoding, Leviathan et al. 2023, at temperature 0).
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from shoal.errors import UsageError
from shoal.evaluation.batching import ScoringRow, encode_rows
from shoal.evaluation.results import Scores, item_score
from shoal.evaluation.scoring import Scorer, score_to_divergence, score_whole
from shoal.models import FactoredModel, can_continue, decode_greedily, factor_model
from shoal.models.fast import FastModel
from shoal.progress import no_progress
from shoal.text import describe_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.evaluation.scoring import SpanScore
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
    matrix product; verdicts that depend on such rounding are decided in float64 (`shoal.evaluation.head`).

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


_LARGEST_KEPT = 28 * 2**20
"""Bytes, below the 32 MiB from which on glibc takes every block from the system."""


@contextmanager
def scoring_mode(model: PreTrainedModel | FastModel) -> Iterator[None]:
    """Evaluation mode without gradients; afterwards every module is in the mode that it was in."""
    _keep_freed_memory()
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


def _keep_freed_memory() -> None:
    """Let the C library keep the memory of activations that are freed, for those of the next layer.

    glibc gives the end of its heap back to the system and takes it again, page by page, as each batch allocates and
    frees some MiB: a tenth of the time of a small model. The largest block that it ever took from the system by itself
    and got back sets how large blocks of the heap are, and twice its size what is kept (mallopt(3),
    M_MMAP_THRESHOLD). This one is never written to, so that it takes no memory.
    """
    torch.empty(_LARGEST_KEPT, dtype=torch.uint8)


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


Draft = tuple[int, ...]


@dataclass(slots=True)
class _Continuation:
    """The greedy continuation of one item, as far as it is proved."""

    item: int
    prompt: tuple[int, ...]
    target: tuple[int, ...]
    emitted: tuple[int, ...]
    broken: bool = False
    """A logit was not a number, so that the continuation stops here."""

    def done(self, end_id: int | None) -> bool:
        return self.broken or self.emitted[-1:] == (end_id,) or len(self.emitted) >= len(self.target)


def continue_wrong_items(
    factored: FactoredModel,
    scorer: Scorer,
    wrong: Sequence[SpanScore],
    end_id: int | None,
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[int, tuple[int, ...]]:
    """The greedy continuation of every wrong item: up to its end token, at most as many tokens as its target has.

    Where a logit is not a number, the continuation stops before it.

    Args:
        factored: of the model, which is in evaluation mode.
        scorer: scores drafts.
        wrong: the span of each wrong item that ends with its first wrong token or later.
        end_id: the token that ends a continuation, if there is one.
        on_progress: called with the number of finished items and of all.
    """
    items = [_start(span) for span in wrong]
    going = [item for item in items if not item.done(end_id)]
    cached, may_pad = bool(going) and can_continue(factored), True
    while going:
        drafts = (
            _drafts(factored, going, end_id, may_pad=may_pad) if cached else [_rest_of_target(item) for item in going]
        )
        rows = [
            ScoringRow(
                place, (*item.prompt, *item.emitted, *draft), len(item.prompt) + len(item.emitted), 0, len(draft)
            )
            for place, (item, draft) in enumerate(zip(going, drafts, strict=True))
        ]
        for verdict in scorer.score(rows):
            _extend(going[verdict.row.item], verdict)
        going = [item for item in going if not item.done(end_id)]
        # A draft that failed may have failed for its padding: from now on numbers as near to the verdict as can be.
        may_pad = False
        if on_progress is not None:
            on_progress(len(items) - len(going), len(items))
    return {item.item: item.emitted for item in items}


def _start(span: SpanScore) -> _Continuation:
    row = span.row
    target = row.ids[row.boundary :]
    # Scoring has proved these tokens and the argmax behind them, so that drafting starts one token later.
    emitted = target[: span.wrong_at]
    if span.greedy_id is not None:
        emitted = (*emitted, span.greedy_id)
    return _Continuation(row.item, row.ids[: row.boundary], target, emitted, broken=span.greedy_id is None)


def _drafts(factored: FactoredModel, items: list[_Continuation], end_id: int | None, *, may_pad: bool) -> list[Draft]:
    prefixes = [(*item.prompt, *item.emitted) for item in items]
    limits = [len(item.target) - len(item.emitted) for item in items]
    drafts = decode_greedily(factored, prefixes, limits, end_id, may_pad=may_pad)
    return [tuple(draft) for draft in drafts]


def _rest_of_target(item: _Continuation) -> Draft:
    # The draft that costs nothing: a model that slipped at one token often continues as the target does.
    return item.target[len(item.emitted) :]


def _extend(item: _Continuation, verdict: SpanScore) -> None:
    """Append what is confirmed and, behind it, the argmax that the draft missed."""
    draft = verdict.row.ids[verdict.row.boundary :]
    item.emitted = (*item.emitted, *draft[: verdict.wrong_at])
    if verdict.wrong_at is not None:
        if verdict.greedy_id is None:
            item.broken = True
        else:
            item.emitted = (*item.emitted, verdict.greedy_id)
