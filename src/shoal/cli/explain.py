"""``shoal explain``: which explanation fits what a model says."""

from __future__ import annotations

from pathlib import Path

from shoal.cli.options import Device, Dtype, Flag, Json, MaybeRows, Part, Plot, Seed, Texts
from shoal.cli.terminal import check_target, refuse_options
from shoal.errors import UsageError


def explain(
    run: Path | None = None,
    /,
    *,
    model: str | None = None,
    task: str | None = None,
    option: Texts = None,
    split: str | None = None,
    data: MaybeRows = None,
    rule: str | None = None,
    shortcut: Texts = None,
    part: Part = "held_out",
    discriminating: Flag = False,
    max_items: int = 300,
    confidence: float = 0.95,
    leave_out: str | None = None,
    arm: str | None = None,
    search: Flag = False,
    out: Path | None = None,
    plot: Plot = None,
    token_budget: int = 4096,
    seed: Seed = 0,
    device: Device = "auto",
    dtype: Dtype = "float32",
    as_json: Json = False,
) -> None:
    """Find out whether a model follows the rule of a task or a shortcut.

    Give the folder of a run, whose trained models have been asked already; or a model and a task.

    Parameters
    ----------
    run
        Folder of a finished run.
    model
        Model spec of a model to ask.
    task
        Name of the task; of rows given by --data, any name.
    option
        Option of the task as KEY=VALUE. Repeatable: --option examples=300.
    split
        Items that the model was not trained on. Default: the task's own; of rows, the column part or random(share=0.3).
    rule
        Rule of the rows as FILE.py:FUNCTION: from a prompt to its completion.
    shortcut
        Shortcut of your own as NAME=FILE.py:FUNCTION, or as a table: --shortcut 'last={ word = -1 }'. Repeatable.
    discriminating
        Ask new items on which the explanations disagree most, until one explanation is left.
    max_items
        Largest number of items to ask; of more, an even sample; of discriminating ones, the budget.
    confidence
        Confidence of the verdict and of the intervals.
    leave_out
        Train an arm of the run again without each group of its training examples: tag:NAME, shortcut:NAME or length.
    arm
        Arm of the run to train again. Default: the treatment.
    search
        Also search for an unnamed shortcut: thousands of programs over the prompt and the training examples.
    out
        File to write the explanation of each item to, one JSON line per item.
    token_budget
        Largest number of tokens per batch, padding included.
    """
    from shoal.cli.explain_work import ModelQuery, explain_run, leave_out_groups, search_run

    if (run is None) == (model is None):
        raise UsageError("give either the folder of a run or --model with --task or --data")
    # At its default an option changes nothing, so that it may stand there.
    asked = {"--part": part != "held_out", "--max-items": max_items != 300}
    if run is not None:
        refuse_options(
            {
                "--task": task, "--option": option, "--split": split, "--data": data, "--rule": rule,
                "--shortcut": shortcut, "--discriminating": discriminating, "--out": out, "--plot": plot, **asked,
                "--confidence": confidence != 0.95, "--token-budget": token_budget != 4096, "--seed": seed != 0,
                "--device": device != "auto", "--dtype": dtype != "float32",
            },
            "the answers of a run are explained as they were given",
        )  # fmt: skip
        if leave_out is None:
            refuse_options({"--arm": arm}, "all arms of a run are explained; one is trained again by --leave-out")
        else:
            refuse_options({"--search": search}, "--leave-out trains again and searches nothing")
        if leave_out is not None:
            leave_out_groups(run, leave_out, arm, as_json=as_json)
        elif search:
            search_run(run, as_json=as_json)
        else:
            explain_run(run, as_json=as_json)
        return
    if leave_out is not None:
        raise UsageError("--leave-out trains an arm of a run again; give the folder of the run instead of --model")
    refuse_options({"--arm": arm}, "a model has no arms")
    assert model is not None
    if task is None and data is None:
        raise UsageError(f"nothing is known of what {model} should do; give --task NAME, or --data FILE with rows")
    from shoal.cli.task import chosen_task

    for target in filter(None, (out, plot)):
        check_target(target)
    query = ModelQuery(
        model=model,
        task=chosen_task(task or "rows", option or [], split, data, rule=rule, shortcuts=shortcut or []),
        confidence=confidence,
        token_budget=token_budget,
        seed=seed,
        device=device,
        dtype=dtype,
    )
    if not discriminating:
        query.explain(part, max_items, search=search, out=out, plot=plot, as_json=as_json)
        return
    if search or plot is not None:
        raise UsageError(
            "--discriminating asks until one explanation is left, and has neither a page nor a search; leave out "
            "--plot and --search, or --discriminating"
        )
    refuse_options({"--part": part != "held_out"}, "--discriminating makes items of its own")
    query.discriminate(max_items, out=out, as_json=as_json)
