"""An evaluator of your own, as short as it can be: one pass an item, nothing batched, nothing padded.

shoal certify examples/my_eval.py:evaluate
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.tasks import Example


def evaluate(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, examples: Sequence[Example]
) -> list[dict[str, bool]]:
    """Say of each example, in order, whether the model's greedy answer is the completion, end token included."""
    return [{"exact_match": _is_right(model, tokenizer, example)} for example in examples]


def _is_right(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, example: Example) -> bool:
    whole = tokenizer(example.prompt + example.completion, return_offsets_mapping=True)
    ends = [end for _, end in whole["offset_mapping"]]
    last = max((place for place, end in enumerate(ends) if end), default=-1)  # a closing token of the tokenizer's goes
    ids = whole["input_ids"][: last + 1]
    # The target begins with the first token that reaches beyond the prompt.
    first = next((place for place in range(last + 1) if ends[place] > len(example.prompt)), last + 1)
    if example.ends:
        ids.append(tokenizer.eos_token_id)
    with torch.inference_mode():
        logits_LV = model(torch.tensor([ids])).logits[0, first - 1 : -1]
    return not logits_LV.isnan().any() and logits_LV.argmax(-1).tolist() == ids[first:]
