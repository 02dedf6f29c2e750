"""``shoal chat``: a conversation with an instruct model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.cli.options import Context, Device, Dtype, Json, MaxTokens, Model, Seed, Stop, Temperature, TopK, TopP
from shoal.cli.terminal import check_target, print_json, print_notice, write_whole
from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.serving import ChatAnswer, GenerationModel, GenerationSettings


def chat(
    *,
    model: Model,
    prompt: str | None = None,
    system: str | None = None,
    history: Path | None = None,
    max_tokens: MaxTokens = 256,
    temperature: Temperature = 0.0,
    top_p: TopP = 1.0,
    top_k: TopK = None,
    seed: Seed = 0,
    stop: Stop = None,
    context: Context = None,
    device: Device = "auto",
    dtype: Dtype = "float32",
    as_json: Json = False,
) -> None:
    """Talk to an instruct model by its chat template; the answer appears as it is generated.

    At a terminal, each line is a message; an empty line or Ctrl-D ends the conversation.

    Parameters
    ----------
    prompt
        One message to answer. Default: lines typed at a terminal, or all of standard input.
    system
        Instructions that stand before the conversation.
    history
        JSON file of messages (a list of role and content) that the conversation continues; it is written again with
        what was added.
    """
    from shoal.cli.generation_work import load_with_estimate, settings_from
    from shoal.textfiles import decode_text, read_standard_input

    if history is not None:
        check_target(history)
    messages = _read_history(history)
    settings = settings_from(
        max_tokens=max_tokens, temperature=temperature, top_p=top_p, top_k=top_k, seed=seed, stop=stop
    )
    typed = prompt is None and sys.stdin is not None and sys.stdin.isatty()
    if typed and as_json:
        raise UsageError("--json is for one answer; give --prompt TEXT, or the message on standard input")
    # Read before the model is loaded: an empty message is then refused at once.
    message = prompt
    if prompt is None and not typed:
        message = decode_text(read_standard_input(), "standard input").strip()
    if message is not None and not message.strip():
        raise UsageError("the message is empty; give --prompt TEXT, or a text on standard input")
    live = load_with_estimate(model, device=device, dtype=dtype, rows=1, context=context)
    if message is None:
        _converse(live, settings, system, messages, history)
        return
    answer = _answer(live, message, settings, system, messages, shown=not as_json)
    _write_history(history, answer)
    if as_json:
        print_json(answer.to_dict())


def _converse(
    live: GenerationModel,
    settings: GenerationSettings,
    system: str | None,
    messages: list[Mapping[str, Any]],
    history: Path | None,
) -> None:
    """Answer line after line of a person at a terminal."""
    while True:
        try:
            line = input("> ").strip()
        except EOFError:
            print()
            return
        if not line:
            return
        answer = _answer(live, line, settings, system, messages, shown=True)
        messages = list(answer.messages)
        _write_history(history, answer)


def _answer(
    live: GenerationModel,
    message: str,
    settings: GenerationSettings,
    system: str | None,
    messages: list[Mapping[str, Any]],
    *,
    shown: bool,
) -> ChatAnswer:
    from shoal.serving import chat as answer_message

    def show(text: str) -> None:
        print(text, end="", flush=True)

    answer = answer_message(live, message, settings, system=system, history=messages, on_text=show if shown else None)
    if shown:
        print()
        print_notice(f"{len(answer.generated.ids):,} tokens, {answer.tokens_per_second:.1f} per second")
    return answer


def _read_history(path: Path | None) -> list[Mapping[str, Any]]:
    """The messages of a file; none where it does not exist yet."""
    import json

    if path is None or not path.exists():
        return []
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} cannot be read as JSON: {error}; expected a list of messages") from error
    if not isinstance(found, list) or not all(isinstance(message, dict) for message in found):
        raise UsageError(f"{path} holds no list of messages; expected [{{'role': ..., 'content': ...}}, ...]")
    return found


def _write_history(path: Path | None, answer: ChatAnswer) -> None:
    import json

    if path is not None:
        write_whole(path, json.dumps(list(answer.messages), ensure_ascii=False, indent=2) + "\n")
