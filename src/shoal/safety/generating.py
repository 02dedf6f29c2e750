"""Answers of a model to prompts, decoded greedily, as rows that `rate_refusals` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.errors import UsageError
from shoal.progress import no_progress
from shoal.serving import GenerationModel, GenerationSettings, generate, load_for_generation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shoal.progress import Progress


def generate_answers(
    model: str | GenerationModel,
    prompts: Sequence[Mapping[str, Any]],
    *,
    max_tokens: int = 256,
    plain: bool = False,
    device: str = "auto",
    dtype: str = "float32",
    progress: Progress = no_progress,
) -> list[dict[str, Any]]:
    """The rows with the model's greedy answer as their completion.

    Args:
        model: a spec, or a model that is loaded.
        prompts: rows with the column prompt; other columns stay.
        max_tokens: of an answer.
        plain: continue the prompts as they stand, without a chat template.
        device: where the model runs.
        dtype: of its weights.
        progress: called with (what, done, total).

    Raises:
        UsageError: there are no prompts, one is no text, or the model has no chat template and plain is not set.
        ShoalError: the model cannot be loaded.
    """
    texts = [row.get("prompt") for row in prompts]
    wrong = [place for place, text in enumerate(texts, start=1) if not isinstance(text, str) or not text.strip()]
    if not texts or wrong:
        what = f"row {wrong[0]} has no prompt" if wrong else "there are no prompts"
        raise UsageError(f"{what}; give rows whose column prompt holds a text")
    live = load_for_generation(model, device=device, dtype=dtype) if isinstance(model, str) else model
    check_can_answer(live, plain=plain)
    given = [chat_prompt(str(text), plain=plain) for text in texts]
    found = generate(live, given, GenerationSettings(max_tokens=max_tokens), progress=progress)
    return [{**row, "completion": text.text} for row, text in zip(prompts, found.texts, strict=True)]


def check_can_answer(model: GenerationModel, *, plain: bool) -> None:
    """Raise where a model does not know that it is asked something.

    Args:
        model: that should answer.
        plain: whether prompts are continued as they stand.

    Raises:
        UsageError: it has no chat template, and plain is not set.
    """
    if not plain and not model.can_chat:
        raise UsageError(
            f"{model.loaded.spec} has no chat template, so that it does not know that it is asked something; "
            "give a model that was tuned on instructions, or continue the prompts as plain text (--plain)"
        )


def chat_prompt(text: str, *, plain: bool) -> str | list[dict[str, str]]:
    """A prompt as `shoal.serving.generate` takes it.

    Args:
        text: what is requested.
        plain: as a text to continue, not as a message.
    """
    return text if plain else [{"role": "user", "content": text}]
