"""``shoal score``: a model's scores on rows of prompts and completions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.cli.console import exact_share, print_numbers
from shoal.cli.options import Device, Dtype, EndToken, Flag, Json, Model, Part, Rows
from shoal.cli.rows import choose_part, read_model_rows, set_dummy_answers

if TYPE_CHECKING:
    from shoal.evaluation import Scores
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
    """
    from shoal.cli.console import check_target, progress_bars
    from shoal.evaluation import evaluate
    from shoal.models import load_for_scoring

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
    try:  # the file first: the reader of what is printed may go early
        if out is not None:
            _write_items(scores, examples, out)
    finally:  # a full disk must not keep the summary from being printed
        print_numbers(_summary(loaded, scores, examples) | _parts(examples), as_json=as_json)


def _summary(loaded: ScoringModel, scores: Scores, examples: list[Example]) -> dict[str, object]:
    """The scores in numbers: never an accuracy without its count and interval."""
    from shoal.evaluation import bleu, chrf

    summary: dict[str, object] = {
        "model": loaded.spec,
        "weights": loaded.digest[:16],
        "exact match": exact_share(scores),
        "ended early": sum(item.divergence == "ended-early" for item in scores.items),
        "went on": sum(item.divergence == "went-on" for item in scores.items),
        "other divergence": sum(item.divergence == "other" for item in scores.items),
        "ties and near-ties": sum(item.status in {"tie", "near-tie"} for item in scores.items),
    }
    texts = [item.greedy_text for item in scores.items]
    if all(item.log_likelihood is not None for item in scores.items):
        summary["perplexity per token"] = scores.perplexity
    if all(text is not None for text in texts):
        summary["string match"] = sum(bool(item.string_match) for item in scores.items)
        answers, references = [text or "" for text in texts], [row.completion for row in examples]
        summary |= {"BLEU": bleu(answers, references), "chrF": chrf(answers, references)}
    return summary


def _parts(examples: list[Example]) -> dict[str, object]:
    """How many rows are of which part, where the rows say."""
    from shoal.tasks import rows_by_part

    return {f"rows of the part {part}": len(rows) for part, rows in rows_by_part(examples).items()}


def _write_items(scores: Scores, examples: list[Example], out: Path) -> None:
    from shoal.cli.console import write_whole
    from shoal.experiments import finite

    lines = [
        json.dumps(
            finite({"prompt": example.prompt, "completion": example.completion, **item.to_dict()}),
            ensure_ascii=False,
            allow_nan=False,
        )
        for example, item in zip(examples, scores.items, strict=True)
    ]
    write_whole(out, "\n".join(lines) + "\n")
