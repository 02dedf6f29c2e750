"""``shoal safety explain``: whether refusals follow harm or a shortcut by the surface of the prompt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from shoal.cli.options import Device, Dtype, Files, Flag, Json, MaxTokens, Plot, Seed, Texts
from shoal.cli.terminal import check_target, print_notice, progress_bars, show_result
from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.safety.shortcut import PairSet, RefusalCurve, RefusalExplanations
    from shoal.safety.tuning import AdaptedModel

    Source = str | Path | AdaptedModel

ADAPTER_CONFIG = "adapter_config.json"
"""The file of peft by which a folder of adapters is known."""

KeepAnswers = Annotated[
    bool, Parameter(negative="", help="Store the answers themselves, too. Default: only what they do is stored.")
]


def explain(
    *,
    prompts: Path,
    model: Texts = None,
    adapters: Files = None,
    seeds: int | None = None,
    answers: Files = None,
    label: Texts = None,
    write_prompts: Path | None = None,
    max_pairs: int | None = None,
    out: Path | None = None,
    keep_answers: KeepAnswers = False,
    max_tokens: MaxTokens = 24,
    plain: Flag = False,
    head: Path | None = None,
    confidence: float = 0.95,
    plot: Plot = None,
    seed: Seed = 0,
    device: Device = "auto",
    dtype: Dtype = "float32",
    as_json: Json = False,
) -> None:
    """Find out whether refusals follow harm, or a focus word, the opening or the form of the question.

    Minimal pairs are made of the prompts, with the focus word deleted, exchanged, or moved into a safe or an unsafe
    frame, and each is checked. Several models, or files of answers, are set beside one another, each against the first.
    With the folder of shoal safety tune, shares of the refusals are given by the number of safety examples, before and
    after tuning.

    Parameters
    ----------
    prompts
        Rows with the columns prompt, label (safe or unsafe) and focus, as XSTest's file (.csv, .jsonl, .parquet); a
        column swap has the prompt with its focus word exchanged.
    model
        Model spec that answers the pairs. Repeatable.
    adapters
        Folder of LoRA adapters of the model, which answers with them as well (repeatable); or the folder of an
        experiment of shoal safety tune, whose models are explained by number and seed.
    seeds
        Trainings of each number that are explained, of the folder of an experiment. Default: all.
    answers
        File of answers to the prompts of the pairs, with the columns prompt and completion. Repeatable.
    label
        What a model or a file is called: those of --model first, then --adapters, then --answers. Repeatable.
    write_prompts
        Write the prompts of the pairs to this file (.jsonl), to be answered elsewhere.
    max_pairs
        Minimal pairs, about; of more, those of an even sample of the focus words.
    out
        Folder for the scores of each model's answers; the same command resumes there.
    plain
        Continue the prompts as they stand, for a model without a chat template.
    head
        Folder of a refusal head. Default: the one that comes with shoal.
    confidence
        Confidence of the intervals.
    """
    from shoal import reports
    from shoal.safety.shortcut import explain_refusals_of_models, make_minimal_pairs, read_pair_rows

    if not model and not adapters and not answers and write_prompts is None:
        raise UsageError("give a model (--model SPEC) or answers (--answers FILE), or --write-prompts FILE alone")
    experiment = _experiment(model or [], adapters or [], answers or [], label or [], plain=plain)
    if seeds is not None and experiment is None:
        raise UsageError("--seeds chooses among the trainings of an experiment; give its folder with --adapters")
    for target in filter(None, (plot, write_prompts)):
        check_target(target)
    pairs = make_minimal_pairs(read_pair_rows(prompts))
    if max_pairs is not None:
        if max_pairs < 1:
            raise UsageError(f"--max-pairs is {max_pairs}; give a whole number of at least 1")
        pairs = pairs.sample(max_pairs)
    if write_prompts is not None:
        from shoal.corpora import write_documents

        write_documents(pairs.rows(), write_prompts)
        print_notice(f"{len(pairs.prompts()):,} prompts are written to {write_prompts}")
        if not model and not adapters and not answers:
            return
    common: dict[str, Any] = {
        "max_tokens": max_tokens, "keep_answers": keep_answers, "confidence": confidence, "seed": seed,
        "device": device, "dtype": dtype,
    }  # fmt: skip
    found: RefusalExplanations | RefusalCurve
    with progress_bars() as progress:
        common["progress"] = progress
        if experiment is not None:
            found = _explained_experiment(experiment, pairs, model, seeds, head, common | {"out": out})
        else:
            sources = _sources(model or [], adapters or [], answers or [])
            labelled = dict(zip(_labels(sources, label or []), sources, strict=True))
            found = explain_refusals_of_models(labelled, pairs, head=head, plain=plain, folder=out, **common)
    show_result(found, as_json=as_json, plot=plot, page=lambda: reports.refusal_shortcuts_page(found))


def _experiment(
    models: Sequence[str], adapters: Sequence[Path], answers: Sequence[Path], labels: Sequence[str], *, plain: bool
) -> Path | None:
    """The folder of an experiment among the adapters; None where there is none.

    Raises:
        UsageError: adapters have no model, or an experiment is given together with what it cannot be set beside.
    """
    from shoal.experiments.safety_tuning import SafetyTuningPlan

    runs = [folder for folder in adapters if (folder / SafetyTuningPlan.plan_file).is_file()]
    if runs and (len(adapters) > 1 or len(models) > 1 or answers or labels or plain):
        raise UsageError(
            f"{runs[0]} is an experiment of shoal safety tune, which is explained by itself; leave out other adapters, "
            "models, answers, labels and --plain"
        )
    if adapters and not runs and len(models) != 1:
        raise UsageError(
            f"{len(adapters)} adapters are given with {len(models)} models; give the one model that they belong to "
            "(--model SPEC), or the folder of an experiment of shoal safety tune"
        )
    absent = next((folder for folder in adapters if not runs and not (folder / ADAPTER_CONFIG).is_file()), None)
    if absent is not None:
        raise UsageError(
            f"{absent} has no {ADAPTER_CONFIG}; give a folder of LoRA adapters, or that of an experiment of shoal "
            "safety tune"
        )
    return runs[0] if runs else None


def _explained_experiment(
    experiment: Path,
    pairs: PairSet,
    models: Sequence[str] | None,
    seeds: int | None,
    head: Path | None,
    common: dict[str, Any],
) -> RefusalCurve:
    from shoal.experiments.safety_tuning import explain_safety_tuning
    from shoal.safety import load_refusal_head

    scorer = None if head is None else load_refusal_head(head)
    return explain_safety_tuning(
        experiment, pairs, model=models[0] if models else None, seeds=seeds, head=scorer, **common
    )


def _sources(models: Sequence[str], adapters: Sequence[Path], answers: Sequence[Path]) -> list[Source]:
    from shoal.safety.tuning import AdaptedModel

    return [*models, *(AdaptedModel(model=models[0], adapters=folder) for folder in adapters), *answers]


def _labels(sources: Sequence[Source], given: Sequence[str]) -> list[str]:
    """What each model and file is called, all different.

    Raises:
        UsageError: there are labels, and not one for each; or two are equal.
    """
    if given and len(given) != len(sources):
        raise UsageError(
            f"{len(given)} labels are given for {len(sources)} models and files; give --label for each, or none"
        )
    from shoal.safety.tuning import AdaptedModel

    names = list(given) or [str(source.adapters if isinstance(source, AdaptedModel) else source) for source in sources]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"two of the models and files are called {twice}; give each another --label")
    return names
