"""``shoal safety direction``: the direction of the residual stream on which a model's refusals hang."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shoal.cli.options import Device, Files, Flag, Json, MaxTokens, Model, Plot, Texts
from shoal.cli.terminal import check_target, progress_bars, show_result
from shoal.errors import UsageError

if TYPE_CHECKING:
    from shoal.safety.tuning import ChatFormat, SafetyRequest
    from shoal.tasks import Example

_Requests = Annotated[
    Files,
    Parameter(
        negative="",
        consume_multiple=False,
        help="Prompts of which each row states whether it is harmful (label safe or unsafe, or XSTest's type). "
        "Repeatable.",
    ),
]
_Harmful = Annotated[Files, Parameter(negative="", consume_multiple=False, help="Harmful prompts. Repeatable.")]
_Harmless = Annotated[Files, Parameter(negative="", consume_multiple=False, help="Harmless prompts. Repeatable.")]
# Enough for a request and a paragraph; the loss on them is a cost that is measured on the side.
_HELD_OUT_TOKENS = 128


def direction(
    model: Model,
    /,
    *,
    requests: _Requests = None,
    harmful: _Harmful = None,
    harmless: _Harmless = None,
    adapters: Path | None = None,
    plain: Flag = False,
    system: str | None = None,
    tune: int = 16,
    test: int = 40,
    stride: int = 1,
    max_divergence: float = 0.1,
    max_tokens: MaxTokens = 64,
    instructions: Path | None = None,
    max_held_out: int = 50,
    benchmarks: Annotated[Texts, Parameter(name="--benchmark", negative="", consume_multiple=False)] = None,
    limit: int | None = 100,
    confidence: float = 0.95,
    plot: Plot = None,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Find the refusal direction of a model, ablate it, add it, and show what changes.

    Harmful and harmless prompts are split into three parts: the difference of means is taken on one, the block is
    chosen on the second, and refusal rates before and after are reported on the third, with what the change costs in
    held-out loss and benchmarks.

    Parameters
    ----------
    adapters
        Folder of LoRA adapters of this model (as shoal safety tune and shoal tune write them), merged before.
    plain
        Put prompts as Request: ... Answer:, for a model without a chat template.
    system
        System message. Default: the template's own.
    tune
        Prompts of each kind on which the block is chosen.
    test
        Prompts of each kind on which rates are reported.
    stride
        Distance between the blocks that are tried: 2 tries every second one.
    max_divergence
        Nats by which ablation may change the first token of harmless answers.
    instructions
        Instructions with answers, whose loss shows what the change costs.
    max_held_out
        Instructions of that file at most.
    benchmarks
        Benchmark of shoal whose accuracy shows what the change costs. Repeatable.
    limit
        Items of each benchmark at most, spread evenly over it.
    confidence
        Confidence of the intervals.
    """
    from shoal import reports
    from shoal.models import load_model
    from shoal.safety.tuning import ChatFormat, measure_direction, merge_into, read_benchmarks, split_prompts

    if plot is not None:
        check_target(plot)
    # Everything is read and checked before the model is loaded.
    parts = split_prompts(_prompts(requests or [], harmful or [], harmless or []), tune=tune, test=test)
    items = read_benchmarks(benchmarks or [], limit=limit)
    with progress_bars() as progress:
        loaded = load_model(model, device=device)
        if adapters is not None:
            loaded = merge_into(loaded, adapters)
        chat = ChatFormat(tokenizer=loaded.tokenizer, layout="plain" if plain else "chat", system=system)
        found = measure_direction(
            loaded,
            chat,
            parts,
            held_out=_held_out(chat, instructions, max_held_out),
            benchmarks=items,
            max_tokens=max_tokens,
            stride=stride,
            max_divergence=max_divergence,
            confidence=confidence,
            progress=progress,
        )
    show_result(found, as_json=as_json, plot=plot, page=lambda: reports.refusal_direction_page(found))


def _prompts(requests: list[Path], harmful: list[Path], harmless: list[Path]) -> list[SafetyRequest]:
    from shoal.safety.tuning import check_both_kinds, distinct_requests, read_safety_requests

    # Each prompt once: one that stood in two parts would be measured on what the direction was made of.
    found = distinct_requests(
        one
        for files, kind in ((requests, None), (harmful, True), (harmless, False))
        for file in files
        for one in read_safety_requests(file, harmful=kind)
    )
    if not found:
        raise UsageError("there are no prompts; give --requests FILE, or --harmful FILE and --harmless FILE")
    check_both_kinds(found)
    return found


def _held_out(chat: ChatFormat, file: Path | None, max_examples: int) -> list[Example]:
    from shoal.safety.tuning import read_instruction_pairs
    from shoal.statistics import even_sample

    if file is None:
        return []
    pairs = read_instruction_pairs(file)
    fitted = chat.fit(pairs, max_prompt_tokens=_HELD_OUT_TOKENS, max_answer_tokens=_HELD_OUT_TOKENS)
    return even_sample(fitted, max_examples)
