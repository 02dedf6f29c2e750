"""Counterweights of the model's own: what it answered, before any tuning, to harmless probes that it refuses by now.

Nobody has written answers to the harmless seeds, and the tuned model refuses them; but the model as it was did answer.
Only answers that comply are learned. They stand in the curated rows, so that the loop takes them on request alone.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from shoal.progress import no_progress
from shoal.safety.generating import chat_prompt
from shoal.safety.probing.curating import CuratedRow
from shoal.serving import GenerationModel, GenerationSettings, generate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.progress import Progress
    from shoal.safety.head import RefusalHead
    from shoal.safety.probing.probes import Probe

_MAX_TOKENS = 90
"""Of an answer: some more than a training row has, so that it can be cut at the end of a sentence."""


def own_answer_rows(
    model: GenerationModel,
    refused: Sequence[Probe],
    head: RefusalHead,
    *,
    max_rows: int,
    round_number: int,
    draw_seed: int = 0,
    progress: Progress = no_progress,
) -> list[CuratedRow]:
    """Training rows of harmless probes that are refused, with the answers of the untuned model.

    Args:
        model: as it was before any tuning.
        refused: harmless probes that the tuned model refuses, of seeds that may be learned from.
        head: leaves out answers that refuse.
        max_rows: of more probes, some are drawn.
        round_number: of the rows.
        draw_seed: random seed of what is drawn.
        progress: called with (what, done, total).
    """
    chosen = list(refused)
    if len(chosen) > max_rows:
        chosen = random.Random(f"own answers {draw_seed} {round_number}").sample(chosen, max_rows)
    if not chosen:
        return []
    what = f"round {round_number - 1}: answers before tuning"
    found = generate(
        model,
        [chat_prompt(probe.prompt, plain=False) for probe in chosen],
        GenerationSettings(max_tokens=_MAX_TOKENS),
        progress=lambda _, done, total: progress(what, done, total),
    )
    texts = [text.text.strip() for text in found.texts]
    conducts = head([probe.prompt for probe in chosen], texts)
    return [
        CuratedRow(
            prompt=probe.prompt,
            completion=text,
            kind="counterweight",
            seed=probe.seed,
            mutation=probe.mutation,
            type=probe.type,
            cluster="",
            round=round_number,
            source="the model before tuning",
        )
        for probe, text, conduct in zip(chosen, texts, conducts, strict=True)
        # An answer that refuses, even in part, would teach the very thing that this row is to undo.
        if text and conduct == "compliance"
    ]
