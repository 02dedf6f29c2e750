"""``shoal generate``: continuations of many prompts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.cli.options import (
    Context,
    Device,
    Dtype,
    Flag,
    Json,
    MaxTokens,
    Model,
    Seed,
    Stop,
    Temperature,
    Texts,
    TopK,
    TopP,
)
from shoal.cli.terminal import check_target, print_json, progress_bars
from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.serving import FileGenerations, Generations


def generate(
    *,
    model: Model,
    prompt: Texts = None,
    data: Path | None = None,
    column: str = "prompt",
    chat: Flag = False,
    system: str | None = None,
    out: Path | None = None,
    samples: int = 1,
    batch: int = 16,
    max_tokens: MaxTokens = 256,
    temperature: Temperature = 0.0,
    top_p: TopP = 1.0,
    top_k: TopK = None,
    seed: Seed = 0,
    stop: Stop = None,
    logprobs: int | None = None,
    context: Context = None,
    device: Device = "auto",
    dtype: Dtype = "float32",
    as_json: Json = False,
) -> None:
    """Continue prompts with a model. A text depends on its prompt and the settings alone, not on the other prompts.

    Parameters
    ----------
    prompt
        Text to continue. Repeatable: --prompt A --prompt B.
    data
        Rows with the prompts (.jsonl, .parquet; a .txt file has one prompt per line).
    column
        Column of the rows that holds the prompts: texts, or lists of messages.
    chat
        Put each text as a user's message into the model's chat template.
    system
        Instructions that stand before each message, with --chat.
    out
        File to write (.jsonl), a record for each text; the same command resumes where it was interrupted.
    samples
        Texts per prompt.
    batch
        Prompts that are continued at a time; it changes the speed and no text.
    logprobs
        Record the log-probabilities of the tokens and of this many alternatives.
    """
    from shoal.cli.generation_work import load_with_estimate, settings_from

    prompts = _prompts(prompt, data, column)
    if system is not None and not chat:
        raise UsageError("--system needs --chat, which puts each prompt into the model's chat template")
    if batch < 1:
        raise UsageError(f"--batch is {batch}; give a whole number of at least 1")
    if out is not None:
        check_target(out)
    settings = settings_from(
        max_tokens=max_tokens, temperature=temperature, top_p=top_p, top_k=top_k, seed=seed, stop=stop,
        logprobs=logprobs,
    )  # fmt: skip
    given = [_as_messages(text, system) if chat else text for text in prompts]
    live = load_with_estimate(model, device=device, dtype=dtype, rows=batch, context=context)
    with progress_bars() as progress:
        from shoal.serving import generate as continue_prompts, generate_to_file

        found: Generations | FileGenerations
        if out is None:
            found = continue_prompts(live, given, settings, samples=samples, progress=progress)
        else:
            found = generate_to_file(live, given, out, settings, samples=samples, progress=progress)
    if as_json:
        print_json(found.to_dict())
    else:
        print(found)


def _prompts(texts: Sequence[str] | None, data: Path | None, column: str) -> list[Any]:
    """The prompts of the options, else of standard input.

    Raises:
        UsageError: there are none, or they come from two places.
        DataError: a row has none.
    """
    if texts and data is not None:
        raise UsageError("give prompts by --prompt or by --data, not by both")
    if texts:
        return list(texts)
    if data is not None:
        from shoal.serving import read_prompts

        return list(read_prompts(data, column=column))
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("give prompts: --prompt TEXT, --data FILE, or a text on standard input")
    from shoal.textfiles import decode_text, read_standard_input

    text = decode_text(read_standard_input(), "standard input")
    if not text.strip():
        raise UsageError("standard input is empty; give prompts: --prompt TEXT or --data FILE")
    # The line end is the shell's (echo) and not the prompt's; a model continues another text behind it.
    return [text.removesuffix("\n")]


def _as_messages(text: Any, system: str | None) -> Any:
    """A text as the message of a user, or the messages that a row holds, behind the system message.

    Raises:
        UsageError: messages with another system message of their own.
    """
    from shoal.serving import open_conversation

    return open_conversation([{"role": "user", "content": text}] if isinstance(text, str) else text, system)
