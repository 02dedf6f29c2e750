"""Options that several verbs share: one name, one type and one help text for one thing.

A number of several values is given after its flag (``--dimensions 25 50``); a text or a file is given by repeating the
flag (``--model A --model B``), since a text of the next argument would be taken for one more value otherwise.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from shoal.errors import UsageError


def _is_no_option(_kind: object, source: str) -> None:
    """Refuse a word that looks like an option and is no file, where a lone "-" is allowed."""
    if source.startswith("--") and not Path(source).exists():
        raise UsageError(f"unknown option {source!r}; --help lists the options")


def _is_seed(_kind: object, seed: int) -> None:
    """Refuse a seed that not all generators take, at the door and not where one of them is made."""
    if not 0 <= seed < 2**32:
        raise UsageError(f"--seed is {seed}; give a whole number from 0 to {2**32 - 1}")


Source = Annotated[str, Parameter(allow_leading_hyphen=True, validator=_is_no_option)]
"""A file, or "-" for standard input."""
# No --no-FLAG: what is off unless given needs no second word.
Flag = Annotated[bool, Parameter(negative="")]
Texts = Annotated[list[str] | None, Parameter(negative="", consume_multiple=False)]
Files = Annotated[list[Path] | None, Parameter(negative="", consume_multiple=False)]
Numbers = Annotated[list[int] | None, Parameter(negative="", consume_multiple=True)]

Augment = Annotated[
    list[str] | None,
    Parameter(
        negative="",
        consume_multiple=False,
        help="Method of augmentation: spelling-noise, synonyms, reordering, templates(wordings=(...)), "
        "counterfactuals or back-translation(...); parameters stand in brackets, as in spelling-noise(rate=0.2). "
        "Repeatable.",
    ),
]
MinCount = Annotated[int, Parameter(help="Words that are rarer in the corpus get no vector.")]
Copies = Annotated[int, Parameter(help="Texts that each method of augmentation makes of each text.")]
Json = Annotated[bool, Parameter(name="--json", negative="", help="Print the result as JSON on standard output.")]
Seed = Annotated[int, Parameter(help="Random seed.", validator=_is_seed)]
Device = Annotated[str, Parameter(help="Where the model runs: auto, cpu or cuda.")]
Dtype = Annotated[str, Parameter(help="Number format of the weights: float32, bfloat16, float16 or float64.")]
Plot = Annotated[Path | None, Parameter(help="Write the result as one HTML page to this file; it needs no network.")]
Yes = Annotated[bool, Parameter(negative="", help="Spend what the estimate names without asking first.")]
Timeout = Annotated[float, Parameter(help="Seconds to wait for an answer of the endpoint.")]
PriceIn = Annotated[float, Parameter(help="Price of a million prompt tokens at the endpoint.")]
PriceOut = Annotated[float, Parameter(help="Price of a million answer tokens at the endpoint.")]
Column = Annotated[str, Parameter(help="Column of the rows that holds the text.")]
EndToken = Annotated[
    str | None,
    Parameter(
        help="Text that ends the completions of the rows. Default: the tokenizer's end token, or <|endoftext|> where "
        "the completions have it."
    ),
]
Model = Annotated[
    str,
    Parameter(
        help="Model spec: a hub id, a folder, gguf:FILE, a llama2.c .bin file, bundled:stories, or random:SPEC (the "
        "same architecture with fresh weights)."
    ),
]
Rows = Annotated[
    Path, Parameter(name="--data", help="Rows with the columns prompt and completion (.jsonl or .parquet).")
]
MaybeRows = Annotated[
    Path | None, Parameter(name="--data", help="Rows with the columns prompt and completion (.jsonl or .parquet).")
]
PartChoice = Literal["all", "seen", "held_out"]
Part = Annotated[
    PartChoice,
    Parameter(help="Rows to use of a file with a column part, as shoal task writes it: all, seen or held_out."),
]
MaxTokens = Annotated[int, Parameter(help="Tokens to generate at most.")]
Temperature = Annotated[
    float, Parameter(help="Temperature of the sampling; 0 takes the most likely token (greedy decoding).")
]
TopP = Annotated[float, Parameter(help="Sample among the most likely tokens that have this probability together.")]
TopK = Annotated[int | None, Parameter(help="Sample among this many of the most likely tokens.")]
Stop = Annotated[
    list[str] | None,
    Parameter(negative="", consume_multiple=False, help="String before which a text ends. Repeatable."),
]
Context = Annotated[
    int | None,
    Parameter(help="Tokens of a prompt and its continuation together, at most. Default: as many as the model has."),
]
Workers = Annotated[
    int | None, Parameter(help="Worker processes. Default: one per core; 0 runs everything in this process.")
]
CorpusSource = Annotated[
    str,
    Parameter(help="A .txt, .jsonl or .parquet file, a folder of them, or hub:org/name[@revision][:split]."),
]
Vectors = Annotated[
    str,
    Parameter(
        help="Vectors of documents: hashed (words and pairs of words), words:FILE (word vectors), hidden:MODEL (states "
        "of a causal language model), or encoder:MODEL (a sentence encoder)."
    ),
]
