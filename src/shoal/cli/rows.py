"""Rows as a verb takes them, closed by the model's end token or by that of ``shoal task``; and their scores."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from shoal.cli.terminal import print_json, print_summary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from transformers import PreTrainedTokenizerFast

    from shoal.cli.options import PartChoice
    from shoal.evaluation import Scores
    from shoal.models import ScoringModel
    from shoal.tasks import Example


def read_model_rows(path: Path, tokenizer: PreTrainedTokenizerFast, end_token: str | None = None) -> list[Example]:
    """The rows of a file for a model.

    The end token is the one given, else the tokenizer's where a completion has it, else ``<|endoftext|>``, which
    ``shoal task`` writes for every model: without that, a model with another end token would learn it as text.

    Args:
        path: the file of the rows.
        tokenizer: of the model.
        end_token: text that ends completions; None finds it.

    Raises:
        DataError: the file cannot be read, or a row cannot be used.
    """
    rows = _read(path, tokenizer, end_token)
    _name_control_tokens(rows, tokenizer, path)
    return rows


def _read(path: Path, tokenizer: PreTrainedTokenizerFast, end_token: str | None) -> list[Example]:
    from shoal.tasks import END_TOKEN, read_rows

    if end_token is not None:
        return read_rows(path, end_token=end_token)
    rows = read_rows(path)
    # The model's own first: a file that was written for another model has shoal's.
    for text in filter(None, (tokenizer.eos_token, END_TOKEN)):
        if any(row.completion.endswith(text) for row in rows):
            return read_rows(path, end_token=text)
    return rows


def _name_control_tokens(rows: list[Example], tokenizer: PreTrainedTokenizerFast, path: Path) -> None:
    """Print a notice where rows mention control tokens: a chat template and a text about tokens look alike."""
    import sys

    from shoal.text import control_tokens

    # One text, so that each of some hundred tokens is searched for once and not in every row.
    whole = "\n".join(text for row in rows for text in (row.prompt, row.completion))
    found = {}
    for token in control_tokens(tokenizer):
        if token not in whole:  # looked at first: a tokenizer may have hundreds of control tokens
            continue
        ends = token == tokenizer.eos_token  # in a completion it is refused, and no template
        found[token] = sum(token in row.prompt or (not ends and token in row.completion) for row in rows)
    if any(found.values()):
        counts = ", ".join(f"{token} in {count:,}" for token, count in found.items() if count)
        print(
            f"of the {len(rows):,} rows of {path} some hold control tokens ({counts}); the model is given the tokens "
            "themselves, as templates of chats mean them, and not their letters",
            file=sys.stderr,
        )


def choose_part(rows: list[Example], part: PartChoice) -> list[Example]:
    """All rows, or those of one part.

    Args:
        rows: all rows of a file.
        part: all, seen or held_out.

    Raises:
        UsageError: a part is requested, and the rows have no column ``part``.
        DataError: none is of that part.
    """
    from shoal.tasks import rows_of_part

    return rows if part == "all" else rows_of_part(rows, part)


def set_dummy_answers(loaded: ScoringModel, rows: Sequence[Example]) -> None:
    """Give a dummy the answers, of which it gives a set share wrong; another model is left as it is.

    Args:
        loaded: a model or a dummy.
        rows: what it will be asked.
    """
    from shoal.models import parse_spec

    if parse_spec(loaded.spec).kind != "dummy":
        return
    from shoal.models.dummies import set_answers

    dummy: Any = loaded.model
    set_answers(dummy, loaded.tokenizer, [(row.prompt, row.completion, row.ends) for row in rows])


def exact_share(scores: Scores) -> dict[str, float]:
    """Exact matches: their count, the rows, the share, and the ends of Wilson's interval with its confidence."""
    from shoal.statistics import wilson_interval

    interval = wilson_interval(scores.exact_matches, len(scores.items))
    return {
        "count": scores.exact_matches,
        "rows": len(scores.items),
        "share": scores.accuracy,
        "low": interval.low,
        "high": interval.high,
        "confidence": interval.confidence,
    }


def print_numbers(summary: Mapping[str, object], *, as_json: bool) -> None:
    """Print a summary whose values are numbers, names, or what `exact_share` gives.

    Args:
        summary: values by name.
        as_json: print one JSON object, with null in place of NaN.
    """
    if as_json:
        print_json(dict(summary))
    else:
        print_summary({name: _in_words(value) for name, value in summary.items()})


def _in_words(value: object) -> object:
    if isinstance(value, dict):
        return (
            f"{value['count']} of {value['rows']} = {value['share']:.3f}, {100 * value['confidence']:g}% Wilson "
            f"interval [{value['low']:.3f}, {value['high']:.3f}]"
        )
    if isinstance(value, float):
        return "not defined" if math.isnan(value) else f"{value:.4f}"
    return value
