"""``shoal tokenizer train``: a tokenizer learned on a corpus, of a given size or of the best one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from shoal.errors import UsageError

if TYPE_CHECKING:
    from shoal.text import VocabularyChoice

DOCUMENTS_FOR_CHOICE = 20_000


def tokenizer(
    action: Literal["train"],  # noqa: ARG001 - the one thing to be done so far
    corpus: str,
    /,
    *,
    out: Path,
    kind: Literal["bpe", "unigram", "sentencepiece-bpe"] = "bpe",
    size: str = "auto",
    sizes: str = "512,1024,2048,4096,8192",
    column: str = "text",
    context: int = 2048,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Learn a tokenizer on a corpus and write it as AutoTokenizer reads it.

    Parameters
    ----------
    action
        train.
    corpus
        A .txt, .jsonl or .parquet file, a folder of them, or hub:org/name[@revision][:split].
    out
        The folder to write.
    kind
        bpe (byte-level), unigram or sentencepiece-bpe.
    size
        How many tokens; auto tries --sizes and takes the best by bits a byte of held-out documents.
    sizes
        What auto tries.
    column
        The column of the rows that holds the text.
    context
        The longest text in tokens of the model that it is for.
    as_json
        Print the scores of the sizes as JSON on standard output.
    """
    from itertools import islice

    from shoal.cli.console import print_json, progress_bars
    from shoal.corpora import read_documents
    from shoal.text import choose_vocabulary, save_tokenizer, train_tokenizer

    choice = None
    if size == "auto":
        candidates = [_number(part, "--sizes") for part in sizes.split(",")]
        documents = list(islice(read_documents(corpus, column=column), DOCUMENTS_FOR_CHOICE))
        with progress_bars() as progress:
            choice = choose_vocabulary(documents, kind=kind, sizes=candidates, progress=progress)
    vocabulary = _number(size, "--size") if choice is None else choice.size
    made = train_tokenizer(read_documents(corpus, column=column), kind=kind, vocabulary=vocabulary, context=context)
    save_tokenizer(made, out)
    if as_json:
        print_json({"out": str(out), "size": len(made), "choice": choice.to_dict() if choice else None})
        return
    if choice is not None:
        _print_choice(choice)
    print(f"{kind} tokenizer of {len(made)} tokens written to {out}")


def _number(text: str, name: str) -> int:
    if not text.strip().isdecimal():
        raise UsageError(f"{name} is {text.strip()!r}; give a whole number" + (" or auto" if name == "--size" else "s"))
    return int(text)


def _print_choice(choice: VocabularyChoice) -> None:
    print(
        f"{choice.held_out_documents} held-out documents, {choice.held_out_bytes:,} bytes, "
        f"{choice.confidence:.0%} bootstrap intervals over documents"
    )
    print(
        f"{'size':>7}{'bits a byte':>13}{'':17}{'above the best':>16}{'':17}{'bytes a token':>15}{'bits a token':>14}"
    )
    for row in choice.scores:
        print(
            f"{row.size:7}{row.bits_a_byte:13.4f}  [{row.low:.4f}, {row.high:.4f}]{row.worse_by:14.4f}  "
            f"[{row.worse_low:+.4f}, {row.worse_high:+.4f}]{row.bytes_a_token:13.2f}{row.bits_a_token:14.2f}"
        )
    print(f"chosen: {choice.size}, the smallest that cannot be told from the best")
