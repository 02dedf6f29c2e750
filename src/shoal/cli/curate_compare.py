"""``shoal curate compare``: corpora, or the parts that filters make, compared by small models trained on each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from shoal.cli.options import Column, Flag, Json, Numbers, Texts, Workers
from shoal.cli.terminal import display, print_forecast, print_json, progress_bars

if TYPE_CHECKING:
    from shoal.cli.terminal import Display
    from shoal.experiments.corpus_comparison import ComparedTrainingRecord, CorpusComparisonPlan

_Sources = Annotated[
    list[str],
    Parameter(
        help="Corpora as SOURCE or NAME=SOURCE: a .txt, .jsonl or .parquet file, a folder of them, or "
        "hub:org/name[@revision][:split]; or one TOML file of a comparison, such as examples/compare_tiny.toml."
    ),
]
_HeldOut = Annotated[
    list[str] | None,
    Parameter(
        negative="",
        consume_multiple=False,
        help="Text on which the models are measured, as SOURCE or NAME=SOURCE; none of the corpora. Repeatable.",
    ),
]
_Filters = Annotated[
    str | None,
    Parameter(help="Filters, as shoal curate takes them: then what they keep, what they remove and both are compared."),
]


def compare(
    sources: _Sources,
    /,
    *,
    held_out_text: _HeldOut = None,
    filters: _Filters = None,
    unique: int | None = None,
    tokens: int | None = None,
    parameters: Numbers = None,
    seeds: int | None = None,
    whole: Flag = False,
    column: Column = "text",
    set_: Annotated[Texts, Parameter(name="--set")] = None,
    corpora: Path | None = None,
    out: Path | None = None,
    workers: Workers = None,
    dry_run: Flag = False,
    as_json: Json = False,
) -> None:
    """Compare corpora, or the parts that filters make of one, by small models trained on each.

    All models have one tokenizer and as many training tokens, from as many unique tokens of each corpus; documents that
    share words with a held-out text are left out. With several sizes it shows how often small models rank two corpora
    as the largest do. The same command resumes a comparison that was interrupted or killed.

    Parameters
    ----------
    unique
        Unique tokens of each corpus. Default: 500,000.
    tokens
        Tokens that each model is trained on. Default: as many as are unique.
    parameters
        Sizes of the models, as in --parameters 300000 2000000. Default: 300,000.
    seeds
        Models of each corpus and size; intervals are over them. Default: 3.
    whole
        Train models also on all unique tokens that each corpus has, with as many training tokens.
    set_
        Another key of the comparison as KEY=VALUE (vocabulary=2048, training.learning_rate=1e-3). Repeatable.
    corpora
        Folder in which the sources of a TOML file lie. Default: the folder of the file.
    out
        Folder of the comparison. Default: runs/NAME.
    dry_run
        Read the corpora, print how many trainings there are and how long they will take, and train nothing.
    """
    from shoal.experiments.corpus_comparison import compare_corpora
    from shoal.experiments.pretraining import parse_setting
    from shoal.reports import write_report

    values: dict[str, Any] = dict(map(parse_setting, set_ or []))
    given = {"filters": filters, "unique": unique, "tokens": tokens, "parameters": parameters, "seeds": seeds}
    values |= {key: value for key, value in given.items() if value is not None}
    if whole:
        values["designs"] = ["equal", "whole"]
    plan = _plan(sources, held_out_text or [], column, corpora, values)
    folder = out or Path("runs") / plan.name
    if dry_run:
        _print_forecast(plan, folder, workers, as_json=as_json)
        return
    with display() as shown:
        result = compare_corpora(plan, folder, workers=workers, progress=shown.progress, on_training=_Notes(shown))
    report = write_report(folder)
    if as_json:
        print_json(result.to_dict() | {"folder": str(folder), "report": str(report)})
        return
    print(f"{result}\n\nfolder  {folder}\nreport  {report}")


def _plan(
    sources: list[str], held_out: list[str], column: str, corpora: Path | None, values: dict[str, Any]
) -> CorpusComparisonPlan:
    """The comparison of a file, or of the command line."""
    from shoal.errors import UsageError
    from shoal.experiments.corpus_comparison import corpus_comparison_from, load_corpus_comparison

    texts = [_source(one, column) for one in held_out]
    files = [one for one in sources if one.endswith(".toml")]
    if files and len(sources) > 1:
        raise UsageError(f"{files[0]} is a whole comparison; give it alone, or corpora without it")
    if files:
        if texts:
            values["held_out"] = texts
        elif column != "text":
            raise UsageError(f"the columns of the corpora stand in {files[0]}; leave out --column")
        return load_corpus_comparison(files[0], data=corpora, values=values)
    if not texts:
        raise UsageError("there is no text to measure the models on; give one with --held-out-text FILE, or several")
    table = {"corpus": [_source(one, column) for one in sources], "held_out": texts}
    return corpus_comparison_from(table, "the command line", data=corpora or Path(), values=values)


def _source(given: str, column: str) -> dict[str, str]:
    """A corpus with its name: the one before the equals sign, or the one that its file has."""
    # At the first sign: a source may hold more of them, as in stories=data/year=2020.
    name, sign, source = given.partition("=")
    if not sign:
        source = given
        name = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in Path(given).stem)
    return {"name": name, "source": source, "column": column}


class _Notes:
    """Progress notes after each training."""

    def __init__(self, shown: Display) -> None:
        self._shown = shown

    def __call__(self, record: ComparedTrainingRecord) -> None:
        bits = ", ".join(f"{name} {value:.4f}" for name, value in record.bits_per_byte.items())
        self._shown.note(f"last: {record.corpus}, {record.parameters:,} parameters, seed {record.seed}: {bits}")


def _print_forecast(plan: CorpusComparisonPlan, folder: Path, workers: int | None, *, as_json: bool) -> None:
    """Measure a few steps, and print how long the comparison will take."""
    from shoal.experiments.corpus_comparison import forecast_corpus_comparison

    with progress_bars() as progress:
        measured = forecast_corpus_comparison(plan, folder, progress=progress)
    print_forecast(measured, workers, threads=plan.threads, device=plan.device, as_json=as_json)
