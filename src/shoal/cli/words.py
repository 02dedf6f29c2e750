"""``shoal words``: the words of a text side by side with their tokens, stems, lemmas and parts of speech."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from shoal.cli.options import Column, Json, Plot, Texts
from shoal.cli.terminal import check_target, print_json, print_notice, progress_bars, write_whole
from shoal.errors import UsageError


def words(
    text: str = "-",
    /,
    *,
    model: Texts = None,
    language: str = "en",
    parts_of_speech: Annotated[bool, Parameter(help="Tag parts of speech, which lemmas depend on.")] = True,
    rows: int = 60,
    top: int = 12,
    column: Column = "text",
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Show tokens, stems, lemmas and parts of speech of a text word by word, and how often words occur.

    Parameters
    ----------
    text
        A text, or a file or folder of documents (.txt, .md, .jsonl, .parquet; .gz). Default: standard input ("-").
    model
        Model spec, of which the tokenizer alone is read: a column of tokens. Repeatable.
    language
        Language as an ISO 639-1 code (en, de, fr, ...), or auto to find it by the text.
    rows
        Number of words to list.
    top
        Number of the most frequent lemmas to list.
    """
    from shoal.cli.texts import read_texts
    from shoal.insight import AnalysisOptions
    from shoal.insight.words import words as read_words
    from shoal.models import load_tokenizer

    if min(rows, top) < 0:
        raise UsageError(f"--rows and --top are {rows} and {top}; give 0 or more")
    if plot is not None:
        check_target(plot)
    texts = read_texts(text, column=column)
    tokenizers = {spec: load_tokenizer(spec) for spec in dict.fromkeys(model or ())}
    with progress_bars() as progress:
        found = read_words(
            texts,
            language=language,
            tokenizers=tokenizers,
            tagger="auto" if parts_of_speech else "none",
            options=AnalysisOptions(progress=progress),
        )
    if plot is not None:
        from shoal.reports import words_page

        write_whole(plot, words_page(found))
        print_notice(f"written to {plot}")
    if as_json:
        print_json(found.to_dict())
        return
    print(found.to_text(words=rows, lemmas=top))
