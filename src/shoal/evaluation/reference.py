"""The reference: greedy decoding by `generate()`, one example at a time.

It shares nothing with `shoal.evaluation.evaluator` but the encoding of examples and the record it returns, and is slow:
one forward pass per token. It exists to be compared with.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList

from shoal.errors import TooLongError
from shoal.evaluation.results import ItemScore, Scores, Status
from shoal.models import context_of, factor_model
from shoal.text import EncodedPair, decode_continuation, describe_policy, encode_pairs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.progress import Progress
    from shoal.tasks import Divergence, Example


def evaluate_by_generation(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    examples: Sequence[Example],
    *,
    progress: Progress | None = None,
) -> Scores:
    """Score a model by letting it generate: greedy, one example at a time, at most as many tokens as the target has.

    The model's own generation settings (sampling, penalties, lengths) are left aside. What decoding does
    not show (token accuracy and likelihood behind the first divergence) is None for wrong examples.

    Args:
        model: a causal language model; it is put into evaluation mode and left as it was.
        tokenizer: its tokenizer.
        examples: what to score.
        progress: called with (what, done, total).

    Raises:
        TooLongError: an example is longer than the model's context.
    """
    pairs = encode_pairs(tokenizer, [(example.prompt, example.completion, example.ends) for example in examples])
    own_settings = model.generation_config
    in_training = [module for module in model.modules() if module.training]
    model.eval()
    # `generate` fills what its own argument leaves open from the model's settings.
    model.generation_config = GenerationConfig()
    items = []
    try:
        for index, (pair, example) in enumerate(zip(pairs, examples, strict=True)):
            items.append(_generate(model, tokenizer, pair, example, index))
            if progress is not None:
                progress("generating", index + 1, len(pairs))
    finally:
        for module in in_training:
            module.training = True
        model.generation_config = own_settings
    settings: dict[str, str | int | float | bool] = {
        "device": str(model.device),
        "dtype": str(model.dtype).removeprefix("torch."),
        "path": "generate",
    }
    return Scores(items=tuple(items), tokenizer_policy=describe_policy(tokenizer), settings=settings)


class _TargetLogits(LogitsProcessor):
    """Records margin and likelihood of each target token as it is decoded, and changes nothing."""

    def __init__(self, target: Sequence[int]) -> None:
        self.target = target
        self.margins: list[float] = []
        self.likelihoods: list[float] = []

    def __call__(self, _: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        target_id = self.target[len(self.margins)]
        logits = scores[0].double()
        own, rest = logits[target_id], torch.cat([logits[:target_id], logits[target_id + 1 :]])
        self.margins.append(float(own - rest.max()))
        self.likelihoods.append(float(own - logits.logsumexp(0)))
        return scores


def _generate(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, pair: EncodedPair, example: Example, index: int
) -> ItemScore:
    """One example."""
    context, factored = context_of(model), factor_model(model, max_length=len(pair.ids))
    if context is not None and len(pair.ids) - 1 > context:
        raise TooLongError(f"example {index} takes {len(pair.ids)} tokens and the model reads at most {context}")
    target, end = list(pair.target), tokenizer.eos_token_id
    noted = _TargetLogits(target)
    prompt = torch.tensor([pair.prompt], device=model.device)
    # `generate` warns where no token pads; a single row never needs one.
    settings: dict[str, Any] = {} if end is None else {"eos_token_id": end, "pad_token_id": end}
    factored.forget()
    output = model.generate(
        prompt,
        attention_mask=torch.ones_like(prompt),
        generation_config=GenerationConfig(
            do_sample=False,
            max_new_tokens=len(target),
            # Keys that were made for a shorter text are not those that reading all again would give.
            use_cache=factored.lengths.all_agree,
            **settings,
        ),
        logits_processor=LogitsProcessorList([noted]),
    )
    generated = output[0, len(pair.prompt) :].tolist()
    shared = 0
    # The argmax of logits that are not numbers may be the target by chance.
    while shared < len(generated) and generated[shared] == target[shared] and math.isfinite(noted.margins[shared]):
        shared += 1
    exact = shared == len(target)
    margins = tuple(noted.margins[: len(target) if exact else shared + 1])
    broken = not all(math.isfinite(margin) for margin in margins)
    likelihood = math.fsum(noted.likelihoods) if exact else None
    text = decode_continuation(tokenizer, pair.prompt, generated[:shared] if broken else generated)
    size_bytes = len(example.completion.encode()) + example.ends
    return ItemScore(
        index=index,
        target_ids=tuple(target),
        exact_match=exact,
        string_match=text == decode_continuation(tokenizer, pair.prompt, target) and (end in generated) == example.ends,
        first_divergence=None if exact else shared,
        divergence=None if exact else _divergence(generated[shared], target[shared], end),
        margin=math.nan if broken else min(margins),
        token_margins=margins,
        tokens=len(target),
        token_accuracy=1.0 if exact else None,
        log_likelihood=likelihood,
        bits_per_byte=None if likelihood is None else -likelihood / math.log(2) / size_bytes,
        greedy_text=text,
        greedy_ends=not broken and end in generated,
        status=_status(margins, broken=broken),
    )


def _divergence(generated: int, target: int, end: int | None) -> Divergence:
    if generated == end:
        return "ended-early"
    return "went-on" if target == end else "other"


def _status(margins: tuple[float, ...], *, broken: bool) -> Status:
    if broken:
        return "nan"
    return "tie" if 0.0 in margins else "clear"
