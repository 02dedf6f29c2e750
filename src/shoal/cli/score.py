"""``shoal score``: a model's scores on rows of prompts and completions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.cli.options import Device, Dtype, EndToken, Flag, Json, Model, Part, Rows
from shoal.cli.rows import choose_part, exact_share, print_numbers, read_model_rows, set_dummy_answers
from shoal.cli.terminal import check_target, progress_bars, write_whole
from shoal.errors import UsageError

if TYPE_CHECKING:
    from shoal.evaluation import Scores, TextScores
    from shoal.models import ScoringModel
    from shoal.tasks import Example


def score(
    *,
    model: Model,
    data: Rows,
    part: Part = "all",
    out: Path | None = None,
    end_token: EndToken = None,
    early_exit: Flag = False,
    greedy_text: bool = True,
    token_budget: int = 4096,
    write_plan: Path | None = None,
    device: Device = "auto",
    dtype: Dtype = "float32",
    as_json: Json = False,
) -> None:
    """Evaluate a model on rows of prompts and completions, without generate().

    Parameters
    ----------
    out
        File to write the scores of each item to, one JSON line per item.
    early_exit
        Stop an item at its first wrong token: faster, but without likelihoods.
    greedy_text
        Also decode what the model answers where it is wrong.
    token_budget
        Largest number of tokens per batch, padding included.
    write_plan
        Write a plan to this file and stop; its shards are run with shoal eval --plan, and merged with shoal merge.
    """
    from shoal.evaluation import evaluate
    from shoal.models import load_for_scoring

    if write_plan is not None:
        if part != "all" or early_exit or not greedy_text or out is not None:
            raise UsageError(
                "--write-plan plans all rows, scored whole; leave out --part, --early-exit, --no-greedy-text and --out"
            )
        _write_plan(write_plan, model, data, as_json=as_json, end_token=end_token, token_budget=token_budget,
                    device=device, dtype=dtype)  # fmt: skip
        return
    if out is not None:
        check_target(out)
    loaded = load_for_scoring(model, device=device, dtype=dtype)
    examples = choose_part(read_model_rows(data, loaded.tokenizer, end_token), part)
    set_dummy_answers(loaded, examples)
    with progress_bars() as progress:
        scores = evaluate(
            loaded.model,
            loaded.tokenizer,
            examples,
            token_budget=token_budget,
            early_exit=early_exit,
            greedy_text=greedy_text,
            progress=progress,
        )
    texts = _text_scores(scores, examples)
    try:  # the file first: the reader of what is printed may go early
        if out is not None:
            _write_items(scores, texts, examples, out)
    finally:  # a full disk must not keep the summary from being printed
        summary = _summary(loaded, scores) | _in_numbers(texts, as_json=as_json) | _parts(examples)
        print_numbers(summary, as_json=as_json)


def _write_plan(path: Path, model: str, data: Path, *, as_json: bool, **options: Any) -> None:
    from shoal.cli.eval_shards import print_plan
    from shoal.evaluation.sharding import plan_rows

    check_target(path)
    with progress_bars() as progress:
        plan = plan_rows(model, data, path, progress=progress, **options)
    print_plan(plan, as_json=as_json)


def _text_scores(scores: Scores, examples: list[Example]) -> TextScores | None:
    """The greedy texts against the completions; None where texts were left out, or there are no rows."""
    from shoal.evaluation import score_texts

    answers = [item.greedy_text for item in scores.items if item.greedy_text is not None]
    if not answers or len(answers) < len(examples):
        return None
    return score_texts(answers, [row.completion for row in examples])


def _in_numbers(texts: TextScores | None, *, as_json: bool) -> dict[str, object]:
    """The text metrics: a number and an interval each in JSON, a line each for a person."""
    if texts is None:
        return {}
    if not as_json:
        return {score.name: str(score) for score in texts.scores}
    values: dict[str, object] = {score.name: score.value for score in texts.scores}
    return values | {"text metrics": [score.to_dict() for score in texts.scores]}


def _summary(loaded: ScoringModel, scores: Scores) -> dict[str, object]:
    """The scores in numbers: never an accuracy without its count and interval."""
    summary: dict[str, object] = {
        "model": loaded.spec,
        "digest": loaded.digest[:16],
        "exact match": exact_share(scores),
        "ended early": sum(item.divergence == "ended-early" for item in scores.items),
        "went on": sum(item.divergence == "went-on" for item in scores.items),
        "other divergence": sum(item.divergence == "other" for item in scores.items),
        "ties and near-ties": sum(item.status in {"tie", "near-tie"} for item in scores.items),
    }
    if all(item.log_likelihood is not None for item in scores.items):
        summary["perplexity per token"] = scores.perplexity
    if all(item.greedy_text is not None for item in scores.items):
        summary["string match"] = sum(bool(item.string_match) for item in scores.items)
    return summary


def _parts(examples: list[Example]) -> dict[str, object]:
    """How many rows are of which part, where the rows say."""
    from shoal.tasks import rows_by_part

    return {f"rows of the part {part}": len(rows) for part, rows in rows_by_part(examples).items()}


def _write_items(scores: Scores, texts: TextScores | None, examples: list[Example], out: Path) -> None:
    """One line per item; its text metrics by name, where there are texts."""
    from shoal.textfiles import finite

    rows = [
        {"prompt": example.prompt, "completion": example.completion, **item.to_dict()}
        for example, item in zip(examples, scores.items, strict=True)
    ]
    for name, values in texts.items.items() if texts is not None else ():
        for row, value in zip(rows, values, strict=True):
            row.setdefault("text_metrics", {})[name] = value
    lines = [json.dumps(finite(row), ensure_ascii=False, allow_nan=False) for row in rows]
    write_whole(out, "\n".join(lines) + "\n")
