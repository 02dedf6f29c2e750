"""One tuning of the loop: a model on curated rows in its chat template, in a folder that the next round loads."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from shoal.errors import DataError
from shoal.models import load_model, save_model
from shoal.progress import no_progress
from shoal.safety.tuning import ChatFormat
from shoal.training import merge_adapters, train

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from shoal.progress import Progress
    from shoal.safety.probing.curating import CuratedRow
    from shoal.training import TrainSettings

MAX_PROMPT_TOKENS = 160
MAX_ANSWER_TOKENS = 60
"""Of a training row: longer answers are cut at the end of a sentence."""


def tune_on_rows(
    model: str,
    rows: Sequence[CuratedRow],
    folder: Path,
    settings: TrainSettings,
    *,
    device: str = "auto",
    what: str = "tuning",
    progress: Progress = no_progress,
) -> None:
    """Train a model on rows and save it whole; a folder that is there already is the result of an earlier call.

    Args:
        model: its spec.
        rows: what to learn.
        folder: gets the model; its checkpoint lies next to it until then.
        settings: how to train; adapters are merged in the end.
        device: where it is trained.
        what: the name of the work, for the progress.
        progress: called with (what, done, total).

    Raises:
        DataError: no row fits.
        UsageError: the model has no chat template.
    """
    # Models are saved by an atomic rename of the folder, so that a folder with a configuration is whole.
    if (folder / "config.json").exists():
        return
    loaded = load_model(model, device=device, seed=settings.seed)
    chat = ChatFormat(tokenizer=loaded.tokenizer)
    examples = chat.fit(
        [row.pair() for row in rows], max_prompt_tokens=MAX_PROMPT_TOKENS, max_answer_tokens=MAX_ANSWER_TOKENS
    )
    if not examples:
        raise DataError(
            f"none of the {len(rows)} curated rows fits into {MAX_PROMPT_TOKENS} tokens of prompt; give shorter seeds"
        )
    # Next to the folder and not in it, whose existence means that the tuning is finished.
    checkpoint = folder.with_name(f"{folder.name}.checkpoint")
    train(
        loaded.model,
        loaded.tokenizer,
        examples,
        settings,
        folder=checkpoint,
        progress=lambda _, done, total: progress(what, done, total),
    )
    if settings.lora_rank:
        merge_adapters(loaded.model)
    save_model(loaded.model.eval(), loaded.tokenizer, folder)
    # Last: a kill before this leaves the model and a checkpoint too many, which harms nothing.
    shutil.rmtree(checkpoint, ignore_errors=True)
