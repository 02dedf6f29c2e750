"""What a fine-tuning is going to do, in numbers, before it is done."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shoal.training.batches import PackedExamples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.tasks import Example
    from shoal.training.settings import TrainSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainPlan:
    """The size of a training on examples."""

    rows: int
    tokens: int
    """Of all rows, prompts and completions."""

    completion_tokens: int
    """Those that the loss is on."""

    epochs: float
    batch_tokens: int
    steps: int
    rows_per_step: float
    """On average; whole rows are packed into a step, at least one."""

    def line(self) -> str:
        """All of it in one line, with what to do where the steps are few."""
        said = (
            f"{self.rows:,} row{'' if self.rows == 1 else 's'} of {self.tokens:,} tokens ({self.completion_tokens:,} "
            f"in completions), {self.epochs:g} epochs: {self.steps:,} step{'' if self.steps == 1 else 's'} of up to "
            f"{self.batch_tokens:,} tokens, {self.rows_per_step:.1f} rows each"
        )
        if self.steps >= self.epochs:
            return said
        return f"{said}; an epoch is less than a step, a smaller --batch-tokens makes more steps"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def plan_training(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, examples: Sequence[Example], settings: TrainSettings
) -> TrainPlan:
    """What `shoal.training.train` would do with the same arguments.

    Raises:
        DataError: there are no examples, or one cannot be encoded.
        TooLongError: an example does not fit into the model's context.
        UsageError: a setting is out of range.
    """
    from shoal.text import encode_pairs
    from shoal.training.tuning import check_settings, longest_context

    check_settings(settings)
    pairs = encode_pairs(tokenizer, [(example.prompt, example.completion, example.ends) for example in examples])
    steps = PackedExamples(pairs, settings, context=longest_context(model)).steps
    return TrainPlan(
        rows=len(pairs),
        tokens=sum(len(pair.ids) for pair in pairs),
        completion_tokens=sum(len(pair.target) for pair in pairs),
        epochs=settings.epochs,
        batch_tokens=settings.batch_tokens,
        steps=steps,
        rows_per_step=settings.epochs * len(pairs) / steps,
    )
