"""``shoal tune``: a model fine-tuned on rows of prompts and completions."""

from __future__ import annotations

import json
import math
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shoal.cli.options import Device, EndToken, Flag, Json, Model, Rows
from shoal.cli.rows import exact_share, print_numbers, read_model_rows
from shoal.cli.terminal import TrainingNotes, display, write_whole
from shoal.errors import DataError, UsageError
from shoal.training import TrainSettings

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

    from shoal.models import LoadedModel
    from shoal.tasks import Example
    from shoal.training import TrainResult
    from shoal.training.watch import Watch

DEFAULTS = TrainSettings()
_SCORED = 500
"""Rows that were trained on and are scored in the end, about."""


def tune(
    *,
    model: Model,
    data: Rows,
    out: Path,
    held_out: Path | None = None,
    end_token: EndToken = None,
    device: Device = "auto",
    settings: Annotated[TrainSettings, Parameter(name="*")] = DEFAULTS,
    merge: Flag = False,
    as_json: Json = False,
) -> None:
    """Fine-tune a model on rows of prompts and completions; the loss is on the completions only.

    The folder OUT gets the model with its tokenizer, which transformers loads, and curve.jsonl. The same command
    resumes an interrupted training, bit for bit. Of rows with a column part, as shoal task writes it, those seen are
    trained on, and those held out are scored before and after. Where some are held out, some 200 of them and of the
    rows trained on are also scored on the way: curve.html has both losses, their gap, and whether the model overfits.

    Parameters
    ----------
    out
        Folder of the tuned model; it must not exist yet.
    held_out
        Rows to score before and after, and never to train on; of rows with a column part, those held out.
    settings
        Training settings.
    merge
        Add LoRA adapters to the model, and save it whole; otherwise OUT gets the adapters alone, as peft has them.
    """
    from shoal.evaluation import evaluate
    from shoal.models import check_saving, load_model
    from shoal.reports import write_tuning_report
    from shoal.training import plan_training

    if merge and not settings.lora_rank:
        raise UsageError("--merge is for adapters; give --lora-rank, or leave it out")
    if out.exists():
        raise UsageError(f"{out} exists already; give another folder, or remove it to train again")
    loaded = load_model(model, device=device, seed=settings.seed)
    # Before the training: a model that cannot be written would otherwise be trained for nothing.
    check_saving(loaded.model, loaded.tokenizer, out)
    examples, left_out = _to_train_on(data, loaded.tokenizer, end_token)
    kept_out = _to_score(held_out, loaded.tokenizer, end_token) if held_out else left_out
    plan = plan_training(loaded.model, loaded.tokenizer, examples, settings)
    print(plan.line(), file=sys.stderr)
    before = evaluate(loaded.model, loaded.tokenizer, kept_out, greedy_text=False)
    # Beside the folder, which does not exist until the model is whole.
    checkpoints = out.with_name(out.name + ".checkpoint")
    result, watch = _trained(loaded, examples, kept_out, settings, checkpoints)
    after = evaluate(loaded.model, loaded.tokenizer, kept_out, greedy_text=False)
    own = evaluate(loaded.model, loaded.tokenizer, _spread(examples), greedy_text=False)
    print(f"{result.parameters}; gradient: {result.gradient}", file=sys.stderr)
    _save(loaded, out, model, adapters=bool(settings.lora_rank), merge=merge)
    _write_curve(result, out / "curve.jsonl")
    _write_events(watch, result, out / "events.jsonl")
    for decision in result.decisions:
        print(decision, file=sys.stderr)
    if result.held_out is not None:
        write_tuning_report(result, out, events=watch.events)
        print(result.held_out, file=sys.stderr)
    # Last: until the model is written, a killed command resumes from them.
    shutil.rmtree(checkpoints, ignore_errors=True)
    summary = {"model": str(out), "rows trained on": len(examples), "rows left out": len(left_out)} | _training(result)
    if kept_out:
        summary |= {"held out before": exact_share(before), "held out after": exact_share(after)}
    summary["rows trained on, after"] = exact_share(own)
    if as_json:
        summary["plan"] = plan.to_dict()
        if result.held_out is not None:
            summary["held-out curve"] = result.held_out.to_dict()
    print_numbers(summary, as_json=as_json)


def _trained(
    loaded: LoadedModel, examples: list[Example], kept_out: list[Example], settings: TrainSettings, checkpoints: Path
) -> tuple[TrainResult, Watch]:
    """Train in place, with what happens shown as it does."""
    from shoal.experiments import monitor_examples
    from shoal.training import train
    from shoal.training.watch import Watch

    monitoring = monitor_examples(loaded.model, loaded.tokenizer, kept_out, examples) if kept_out else None
    with display() as shown:
        notes = TrainingNotes(shown)
        watch = Watch(decode=loaded.tokenizer.decode, on_event=notes.take_event)
        result = train(
            loaded.model,
            loaded.tokenizer,
            examples,
            settings,
            folder=checkpoints,
            on_step=notes,
            progress=shown.progress,
            monitoring=monitoring,
            on_evaluation=notes.take_evaluation,
            watch=watch,
        )
    return result, watch


def _save(loaded: LoadedModel, out: Path, spec: str, *, adapters: bool, merge: bool) -> None:
    """Write the adapters alone, or the model whole."""
    from shoal.models import save_model
    from shoal.training import merge_adapters, save_adapters

    if adapters and not merge:
        save_adapters(loaded.model, out, base=_base_of(spec))
        loaded.tokenizer.save_pretrained(out)
        return
    if adapters:
        merge_adapters(loaded.model)
    save_model(loaded.model, loaded.tokenizer, out)


def _to_train_on(
    data: Path, tokenizer: PreTrainedTokenizerFast, end_token: str | None
) -> tuple[list[Example], list[Example]]:
    """The rows to train on, and those of the file that are held out.

    Raises:
        DataError: all rows are held out, or a row is of an unknown part.
    """
    from shoal.tasks import rows_by_part

    rows = read_model_rows(data, tokenizer, end_token)
    parts = rows_by_part(rows)
    if not parts:
        return rows, []
    if not parts["seen"]:
        raise DataError(f"all {len(rows)} rows of {data} are of the part held_out; give rows that may be trained on")
    return parts["seen"], parts["held_out"]


def _spread(examples: list[Example]) -> list[Example]:
    """Rows spread evenly over the file, so that scoring a large one takes no longer than training on it."""
    return examples[:: max(1, len(examples) // _SCORED)]


def _to_score(held_out: Path, tokenizer: PreTrainedTokenizerFast, end_token: str | None) -> list[Example]:
    """The rows that are scored and not trained on: of rows with a part, those held out."""
    from shoal.tasks import rows_by_part, rows_of_part

    rows = read_model_rows(held_out, tokenizer, end_token)
    return rows_of_part(rows, "held_out") if rows_by_part(rows) else rows


def _base_of(spec: str) -> str:
    """What the file of adapters calls their model: the folder, where the spec is one, else the spec."""
    return str(Path(spec).resolve()) if Path(spec).is_dir() else spec


def _training(result: TrainResult) -> dict[str, object]:
    """The training in numbers."""
    loss = result.curve[-1].loss
    return {
        "steps": result.steps,
        "precision": result.precision,
        "seconds": round(result.seconds, 2),
        "loss of the last step, nats per token": loss,
        "loss of the last step, bits per token": loss / math.log(2),
    }


def _write_curve(result: TrainResult, path: Path) -> None:
    from shoal.textfiles import finite

    write_whole(path, "".join(json.dumps(finite(asdict(point))) + "\n" for point in result.curve))


def _write_events(watch: Watch, result: TrainResult, path: Path) -> None:
    """What the watch has seen and what the schedule has done, in the order of the steps."""
    rows = [event.to_dict() for event in watch.events] + [one.to_dict() for one in result.decisions]
    ordered = sorted(rows, key=lambda row: int(row["step"]))
    write_whole(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ordered))
