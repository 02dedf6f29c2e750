"""``shoal crossvalidate``: a fine-tuning scored on folds that share no group, template or prompt with its training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from shoal.cli.options import Device, EndToken, Flag, Json, Model, Rows, Workers
from shoal.cli.terminal import print_json, progress_bars
from shoal.errors import UsageError
from shoal.training import TrainSettings

DEFAULTS = TrainSettings()


def crossvalidate(
    *,
    model: Model,
    data: Rows,
    out: Path,
    folds: int = 5,
    leave_one_group_out: Flag = False,
    group_by: str | None = None,
    stratify: str | None = None,
    rate: Annotated[list[float] | None, Parameter(name="--rate", negative="", consume_multiple=False)] = None,
    inner_folds: int = 3,
    score: str = "exact_match",
    end_token: EndToken = None,
    device: Device = "auto",
    workers: Workers = None,
    settings: Annotated[TrainSettings, Parameter(name="*")] = DEFAULTS,
    as_json: Json = False,
) -> None:
    """Fine-tune a model once per fold and score it on the rows left out, without leakage between groups.

    Rows of one group, template or prompt are never on both sides of a fold. The interval is corrected for the rows that
    the trainings share. The same command resumes a cross-validation that was interrupted or killed.

    Parameters
    ----------
    out
        Folder of the run.
    folds
        Number of folds.
    leave_one_group_out
        Make one fold per group instead.
    group_by
        Tag of the rows whose values are groups. Default: group or template where the rows have it, else prompts that
        nearly repeat each other.
    stratify
        Tag whose values all folds get in equal shares, or completion.
    rate
        Learning rate that an inner cross-validation may choose. Repeatable; several make it nested.
    inner_folds
        Number of folds of the inner cross-validation.
    score
        Measure of the score, such as exact_match, agreed_prefix or bits_per_byte.
    settings
        Training settings.
    """
    from shoal.cli.rows import read_model_rows
    from shoal.experiments import FoldChoices, cross_validate_tuning
    from shoal.models import load_tokenizer

    for given in rate or []:
        if not 0 < given < float("inf"):
            raise UsageError(f"--rate is {given}; a learning rate is a number above 0")
    examples = read_model_rows(data, load_tokenizer(model), end_token)
    choices = FoldChoices(
        folds=None if leave_one_group_out else folds,
        by=group_by,
        stratify=stratify,
        learning_rates=tuple(rate or ()),
        inner_folds=inner_folds,
        score=score,
        seed=settings.seed,
    )
    with progress_bars() as progress:
        result = cross_validate_tuning(
            model, examples, settings, out, choices=choices, device=device, workers=workers, progress=progress
        )
    print_json(result.to_dict() | {"score": score}) if as_json else print(f"{score}\n{result}")
