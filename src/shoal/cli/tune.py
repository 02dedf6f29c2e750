"""``shoal tune``: a model fine-tuned on rows of prompts and completions."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shoal.errors import UsageError
from shoal.training.settings import TrainSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from shoal.cli.console import Progress
    from shoal.evaluation import Scores
    from shoal.models import LoadedModel
    from shoal.training.settings import CurvePoint


def tune(
    *,
    model: str,
    data: Path,
    out: Path,
    held_out: Path | None = None,
    end_token: str | None = None,
    device: str = "auto",
    settings: Annotated[TrainSettings, Parameter(name="*")] = TrainSettings(),
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Fine-tune a model on rows of prompts and completions; the loss is on the completions only.

    The folder OUT gets the model with its tokenizer, which transformers loads, and curve.jsonl. A training that was
    interrupted goes on bit for bit where it was when the same command is given again.

    Parameters
    ----------
    model
        A model spec: a hub id, a folder, gguf:FILE, a llama2.c .bin, bundled:stories, random:SPEC.
    data
        Rows with the columns prompt and completion: .jsonl or .parquet.
    out
        The folder of the tuned model.
    held_out
        Rows that are scored before and after, and never trained on.
    end_token
        The text that ends the completions of the rows; by default the tokenizer's end token.
    device
        auto, cpu or cuda.
    settings
        How to train.
    as_json
        Print the summary as JSON on standard output.
    """
    from shoal.cli.console import print_json, progress_bars
    from shoal.evaluation import evaluate
    from shoal.models import load_model, save_model
    from shoal.tasks import read_rows
    from shoal.training import train

    if (out / "config.json").exists():
        raise UsageError(f"{out} already holds a model; give another folder, or remove it to train again")
    loaded = load_model(model, device=device, seed=settings.seed)
    end = end_token or loaded.tokenizer.eos_token
    examples = read_rows(data, end_token=end)
    kept_out = read_rows(held_out, end_token=end) if held_out else []
    before = evaluate(loaded.model, loaded.tokenizer, kept_out, greedy_text=False)
    checkpoints = out.with_name(out.name + ".checkpoint")
    with progress_bars() as progress:
        result = train(
            loaded.model,
            loaded.tokenizer,
            examples,
            settings,
            folder=checkpoints,
            on_step=_show_steps(progress, loaded, examples, settings),
        )
    after = evaluate(loaded.model, loaded.tokenizer, kept_out, greedy_text=False)
    save_model(loaded.model, loaded.tokenizer, out)
    summary = {
        "model": str(out),
        "steps": result.steps,
        "precision": result.precision,
        "seconds": round(result.seconds, 2),
        "loss": result.curve[-1].loss,
        "bits a token": result.curve[-1].loss / math.log(2),
    } | _held_out(before, after)
    if as_json:
        print_json(summary)
    else:
        for name, value in summary.items():
            print(f"{name:20} {value}")
