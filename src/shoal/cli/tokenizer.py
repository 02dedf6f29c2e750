"""``shoal tokenizer``: a tokenizer trained on a corpus, of a given size or of the best one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from shoal.cli.main import VERBS
from shoal.cli.options import Column, Json, Numbers
from shoal.cli.terminal import print_json, progress_bars
from shoal.errors import UsageError

# The choice holds them and the n-grams of every size in memory; the tokenizer itself then reads the whole corpus.
DOCUMENTS_FOR_CHOICE = 20_000
SIZES = [512, 1024, 2048, 4096, 8192]

tokenizer = App(name="tokenizer", help=VERBS["tokenizer"])


@tokenizer.command
def train(
    corpus: str,
    /,
    *,
    out: Path,
    kind: Literal["bpe", "unigram", "sentencepiece-bpe"] = "bpe",
    size: Annotated[int | None, Parameter(negative="")] = None,
    sizes: Numbers = None,
    column: Column = "text",
    context: int = 2048,
    as_json: Json = False,
) -> None:
    """Train a tokenizer on a corpus and write it as AutoTokenizer reads it.

    Parameters
    ----------
    corpus
        A .txt, .jsonl or .parquet file, a folder of them, or hub:org/name[@revision][:split].
    out
        Folder to write.
    kind
        Algorithm: bpe (byte-level), unigram or sentencepiece-bpe.
    size
        Number of tokens. Default: the best of --sizes by bits per byte of held-out documents.
    sizes
        Sizes to compare, as in --sizes 512 1024 2048. Default: 512 1024 2048 4096 8192.
    context
        Longest text, in tokens, of the model that the tokenizer is for.
    """
    from itertools import islice

    from shoal.corpora import read_documents
    from shoal.text import choose_vocabulary, save_tokenizer, train_tokenizer

    if size is not None and sizes:
        raise UsageError("--size is the size, and --sizes are those to choose from; give one of them")
    choice = None
    if size is None:
        documents = list(islice(read_documents(corpus, column=column), DOCUMENTS_FOR_CHOICE))
        with progress_bars() as progress:
            choice = choose_vocabulary(documents, kind=kind, sizes=sizes or SIZES, progress=progress)
    vocabulary = choice.size if choice is not None else int(size or 0)
    made = train_tokenizer(read_documents(corpus, column=column), kind=kind, vocabulary=vocabulary, context=context)
    save_tokenizer(made, out)
    if as_json:
        print_json({"out": str(out), "size": len(made), "choice": choice.to_dict() if choice else None})
        return
    if choice is not None:
        print(choice)
    print(f"{kind} tokenizer of {len(made)} tokens written to {out}")
