"""Ask a model, and explain what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.attribution.answers import ask_model
from shoal.attribution.candidates import candidates_of
from shoal.attribution.posterior import explain_answers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.attribution.explanation import Explanation
    from shoal.models.fast import FastModel
    from shoal.progress import Progress
    from shoal.tasks import Example, Shortcut, Task
    from shoal.text import PlainTokenizer


def explain(
    model: PreTrainedModel | FastModel,
    tokenizer: PreTrainedTokenizerFast | PlainTokenizer,
    task: Task,
    *,
    items: Sequence[Example] | None = None,
    shortcuts: Mapping[str, Shortcut] | None = None,
    confidence: float = 0.95,
    token_budget: int = 4096,
    seed: int = 0,
    progress: Progress | None = None,
) -> Explanation:
    """Find out whether a model follows the rule of a task or a shortcut.

    Args:
        model: a causal language model, or what `load_for_scoring` gives.
        tokenizer: its tokenizer.
        task: whose seen examples the model was trained on, as far as is known; shortcuts look at them.
        items: what to ask; the task's held-out examples by default.
        shortcuts: further shortcuts by name.
        confidence: of the verdict and of the intervals.
        token_budget: tokens of a batch, padding included.
        seed: random seed of the draws from the posterior.
        progress: called with (what, done, total).

    Raises:
        UsageError: there are no items, or a name or the confidence cannot be used.
        DataError: the rule disagrees with an item, or a program fails on one.
        TooLongError: a prompt leaves no room in the model's context.
    """
    table = candidates_of(task, items, shortcuts=shortcuts, progress=progress)
    answers = ask_model(model, tokenizer, table, token_budget=token_budget, progress=progress)
    return explain_answers(table, answers, task.seen, task=task.name, confidence=confidence, seed=seed)
