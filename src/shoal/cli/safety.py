"""``shoal safety``: how often answers refuse, and what safety tuning does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from shoal.cli.main import VERBS
from shoal.cli.options import Device, Dtype, Flag, Json, MaxTokens, Plot
from shoal.cli.safety_answers import answers as answer_safely
from shoal.cli.safety_direction import direction
from shoal.cli.safety_explain import explain
from shoal.cli.safety_harm import NO_HARM, HarmOptions
from shoal.cli.safety_probe import probe
from shoal.cli.safety_tuning import tune
from shoal.cli.terminal import check_target, print_json, print_notice, progress_bars, refuse_options, write_whole
from shoal.errors import UsageError

if TYPE_CHECKING:
    from shoal.safety.harm import EndpointHarmScorer, HarmRating, RewardHarmScorer

safety = App(name="safety", help=VERBS["safety"])


@safety.command
def rate(
    answers: Path | None = None,
    /,
    *,
    model: Annotated[
        str | None, Parameter(help="Model spec whose greedy answers to --prompts are rated, in its chat template.")
    ] = None,
    prompts: Path | None = None,
    plain: Flag = False,
    max_tokens: MaxTokens = 256,
    out: Path | None = None,
    head: Path | None = None,
    harm: Annotated[HarmOptions, Parameter(name="*")] = NO_HARM,
    confidence: float = 0.95,
    plot: Plot = None,
    device: Device = "auto",
    dtype: Dtype = "float32",
    as_json: Json = False,
) -> None:
    """Score answers as full compliance, full refusal or partial refusal, and give the rate with its interval.

    With a scorer of harm the share of harmful answers is given as well.

    Parameters
    ----------
    answers
        Rows with the columns prompt and completion, and perhaps type, label and harm (.jsonl, .parquet, .csv). A label
        is compliance, refusal or partial, harm is harmful or harmless; with 20 or more on a random sample the rate is
        corrected by them, too.
    prompts
        Rows with the column prompt for --model (.jsonl, .parquet, .csv, or .txt with a prompt per line).
    plain
        Continue the prompts as they stand, for a model without a chat template.
    out
        File to write the generated answers to (.jsonl).
    head
        Folder of a refusal head. Default: the one that comes with shoal.
    harm
        The scorer of harm; the answers of a judge are recorded next to the file of answers.
    confidence
        Confidence of the intervals.
    """
    from shoal.safety import rate_refusals

    if (answers is None) == (model is None) or (model is None) != (prompts is None):
        raise UsageError("give a file of answers, or a model and its prompts: --model MODEL --prompts FILE")
    if answers is not None:
        refuse_options(
            {"--out": out, "--plain": plain, "--max-tokens": max_tokens != 256, "--dtype": dtype != "float32"},
            "the answers of a file are rated as they are",
        )
    scores_harm = harm.check()
    if harm.harm_judge is not None and answers is None and out is None:
        raise UsageError("give --out FILE: the answers of a judge of harm are recorded next to it")
    for target in (out, plot):
        if target is not None:
            check_target(target)
    with progress_bars() as progress:
        scorer = None
        if scores_harm:
            # Before anything is answered: a scorer that cannot be used is met at once.
            scored = answers or out or Path("answers")
            scorer = harm.scorer(scored.with_name(f"{scored.name}.harm.jsonl"), device=device, progress=progress)
        rows: Path | list[dict[str, Any]]
        if model is not None and prompts is not None:
            from shoal.safety import generate_answers, read_prompt_rows

            rows = generate_answers(
                model, read_prompt_rows(prompts), max_tokens=max_tokens, plain=plain, device=device, dtype=dtype,
                progress=progress,
            )  # fmt: skip
            if out is not None:
                from shoal.corpora import write_documents

                write_documents(rows, out)
                print_notice(f"written to {out}")
        else:
            assert answers is not None
            rows = answers
        found = rate_refusals(rows, head=head, confidence=confidence, progress=progress)
        rated = None if scorer is None else _harm(rows, harm, scorer, confidence)
    if plot is not None:
        from shoal.reports import refusals_page

        write_whole(plot, refusals_page(found, rated))
        print_notice(f"written to {plot}")
    if as_json:
        print_json(found.to_dict() | ({} if rated is None else {"harm": rated.to_dict()}))
    else:
        print(found if rated is None else f"{found}\n\n{rated}")


def _harm(
    rows: Path | list[dict[str, Any]],
    options: HarmOptions,
    scorer: RewardHarmScorer | EndpointHarmScorer,
    confidence: float,
) -> HarmRating:
    """How many answers are harmful."""
    from shoal.safety.harm import rate_harm, read_harm_rows

    every = read_harm_rows(rows) + ([] if options.harm_labels is None else read_harm_rows(options.harm_labels))
    read = [one for one in every if one.answer.completion.strip()]
    options.agree(scorer, [one.answer.prompt for one in read], [one.answer.completion for one in read])
    return rate_harm(rows, scorer, labels=options.harm_labels, confidence=confidence)


safety.command(answer_safely, name="answers")
safety.command(tune)
safety.command(direction)
safety.command(explain)
safety.command(probe)
