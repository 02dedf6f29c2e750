"""``shoal safety explain``: whether refusals follow harm or a shortcut by the surface of the prompt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shoal.cli.options import Device, Dtype, Files, Flag, Json, MaxTokens, Plot, Seed, Texts
from shoal.cli.terminal import print_notice
from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

KeepAnswers = Annotated[
    bool, Parameter(negative="", help="Store the answers themselves, too. Default: only what they do is stored.")
]


def explain(
    *,
    prompts: Path,
    model: Texts = None,
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

    Parameters
    ----------
    prompts
        Rows with the columns prompt, label (safe or unsafe) and focus, as XSTest's file (.csv, .jsonl, .parquet); a
        column swap has the prompt with its focus word exchanged.
    model
        Model spec that answers the pairs. Repeatable.
    answers
        File of answers to the prompts of the pairs, with the columns prompt and completion. Repeatable.
    label
        What a model or a file is called, those of --model first. Repeatable.
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
    from shoal.cli.console import check_target, progress_bars, show_result
    from shoal.safety.shortcut import explain_refusals_of_models, make_minimal_pairs, read_pair_rows

    if not model and not answers and write_prompts is None:
        raise UsageError("give a model (--model SPEC) or answers (--answers FILE), or --write-prompts FILE alone")
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
        if not model and not answers:
            return
    sources: list[str | Path] = [*(model or []), *(answers or [])]
    with progress_bars() as progress:
        found = explain_refusals_of_models(
            dict(zip(_labels(sources, label or []), sources, strict=True)),
            pairs,
            head=head,
            max_tokens=max_tokens,
            plain=plain,
            folder=out,
            keep_answers=keep_answers,
            confidence=confidence,
            seed=seed,
            device=device,
            dtype=dtype,
            progress=progress,
        )
    show_result(found, as_json=as_json, plot=plot, page=lambda: reports.refusal_shortcuts_page(found))


def _labels(sources: Sequence[str | Path], given: Sequence[str]) -> list[str]:
    """What each model and file is called, all different.

    Raises:
        UsageError: there are labels, and not one for each; or two are equal.
    """
    if given and len(given) != len(sources):
        raise UsageError(
            f"{len(given)} labels are given for {len(sources)} models and files; give --label for each, or none"
        )
    names = list(given) or [str(source) for source in sources]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"two of the models and files are called {twice}; give each another --label")
    return names
