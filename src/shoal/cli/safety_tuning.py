"""``shoal safety tune``: safety examples mixed into an instruction tuning, over their number."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shoal.cli.options import Json, Plot, Texts, Workers
from shoal.cli.safety_harm import NO_HARM, HarmOptions
from shoal.cli.terminal import check_target, display, print_json, print_notice, write_whole

if TYPE_CHECKING:
    from shoal.cli.terminal import Display
    from shoal.experiments.safety_tuning import SafetyTrainingRecord, SafetyTuning
    from shoal.safety.harm import EndpointHarmScorer, RewardHarmScorer

_JUDGE_RECORD = "harm-judge.jsonl"
"""In the folder of the experiment: the answers of a judge of harm."""


def tune(
    experiment: Path,
    /,
    *,
    model: Annotated[
        str | None, Parameter(help="Model spec that is tuned. Default: the one that the file names.")
    ] = None,
    safety_data: Annotated[Path | None, Parameter(name="--data")] = None,
    set_: Annotated[Texts, Parameter(name="--set")] = None,
    out: Path | None = None,
    workers: Workers = None,
    harm: Annotated[HarmOptions, Parameter(name="*")] = NO_HARM,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Tune a model on instructions with different numbers of safety examples, and show what each number does.

    For each number: harmful requests complied with and safe requests refused, corrected for the scorer's errors,
    held-out loss and benchmarks, with intervals over trainings and items; a verdict for each claim of the file; and the
    number that is best at its trade-off. The same command resumes an experiment that was interrupted or killed.

    Parameters
    ----------
    experiment
        TOML file of the experiment, such as examples/safety_tune_tiny.toml.
    safety_data
        Folder in which the files lie that the experiment names. Default: the folder of the experiment file.
    set_
        Change of the experiment as KEY=VALUE (seeds=5, training.learning_rate=1e-4). Repeatable.
    out
        Folder of the experiment. Default: runs/NAME.
    harm
        The scorer of harm of the answers, which can be given after the trainings as well; the answers of a judge are
        recorded in the folder.
    """
    from shoal.experiments.pretraining import parse_setting
    from shoal.experiments.safety_tuning import load_safety_tuning, tune_safety

    if plot is not None:
        check_target(plot)
    scores_harm = harm.check()
    values = dict(map(parse_setting, set_ or [])) | ({} if model is None else {"model": model})
    plan = load_safety_tuning(experiment, data=safety_data, values=values)
    folder = out or Path("runs") / plan.name
    with display() as shown:
        # A local scorer that cannot be used is met before any training; a judge's record needs the folder.
        local = None if harm.harm_model is None else harm.scorer(folder / _JUDGE_RECORD, device=plan.device)
        result = tune_safety(plan, folder, workers=workers, progress=shown.progress, on_training=_Notes(shown))
        if scores_harm:
            scorer = local or harm.scorer(folder / _JUDGE_RECORD, progress=shown.progress)
            result = _with_harm(result, harm, scorer)
    if plot is not None:
        from shoal.reports import safety_tuning_content

        write_whole(plot, safety_tuning_content(result).to_html())
        print_notice(f"written to {plot}")
    if as_json:
        print_json(result.to_dict() | {"folder": str(folder)})
        return
    print(f"{result}\n\nfolder  {folder}")


def _with_harm(
    result: SafetyTuning, options: HarmOptions, scorer: RewardHarmScorer | EndpointHarmScorer
) -> SafetyTuning:
    """The result with the shares of harmful answers."""
    from shoal.experiments.safety_tuning import answers_of_tuning, harm_of_tuning

    answers = answers_of_tuning(result.folder, result.plan)
    options.agree(scorer, [one.prompt for one in answers], [one.completion for one in answers])
    errors = options.errors(scorer)
    name = f"{scorer.name}, {'not corrected' if errors is None else 'corrected by labels'}"
    return replace(result, harm=harm_of_tuning(result.folder, result.plan, scorer, errors), harm_scorer=name)


class _Notes:
    """Progress notes after each training."""

    def __init__(self, shown: Display) -> None:
        self._shown = shown

    def __call__(self, record: SafetyTrainingRecord) -> None:
        if record.safety_examples is None:
            self._shown.note("last: the model before tuning")
            return
        loss = "" if record.loss is None else f", loss {record.loss:.3f}"
        self._shown.note(f"last: {record.safety_examples:,} safety examples, seed {record.seed}{loss}")
