"""``shoal stories``: a corpus in a young child's words, from the grammar or from a model at an endpoint."""

from __future__ import annotations

import json
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

COUNT_ON_SCREEN = 3


def stories(
    *,
    count: int | None = None,
    size: Annotated[int | None, Parameter(name="--bytes")] = None,
    seed: int = 0,
    features: str = "",
    words: str = "",
    instruct: Annotated[bool, Parameter(negative="")] = False,
    facts: Annotated[bool, Parameter(negative="")] = False,
    out: Path | None = None,
    endpoint: str | None = None,
    model: str | None = None,
    price_in: float = 0.0,
    price_out: float = 0.0,
    timeout: float = 60.0,
    yes: Annotated[bool, Parameter(negative="")] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Tell stories whose words, features and plot facts are known.

    Parameters
    ----------
    count
        How many stories; a few on the screen where neither this nor --bytes is given.
    size
        Stop once the texts hold this many bytes.
    seed
        Equal seeds give equal stories.
    features
        What every story must have, as in "dialogue,twist": dialogue, bad ending, twist, moral, foreshadowing, conflict.
    words
        A noun, a verb and an adjective at most, as in "ball,jump,red", that every story must hold.
    instruct
        Put what is asked for before each story, as TinyStories-Instruct does.
    facts
        Add the plot facts, and questions with answers, to each row (.jsonl or .parquet).
    out
        Write here (.txt, .jsonl or .parquet); without it the texts go to standard output.
    endpoint
        Ask a model at this OpenAI-compatible address instead, as in http://localhost:8080/v1; the key is read from
        OPENAI_API_KEY. The answers are kept beside --out, so that a broken run goes on where it was.
    model
        The name of the model at the endpoint.
    price_in
        Money for a million tokens of prompt.
    price_out
        Money for a million tokens of answer.
    timeout
        Seconds that an answer may take.
    yes
        Spend the money that the estimate names without asking again.
    as_json
        Print each story as a row of JSON, with --facts its facts too; with --out what was written, as JSON.
    """
    asked = [name.strip().replace("_", " ").lower() for name in features.split(",") if name.strip()]
    given = [word.strip().lower() for word in words.split(",") if word.strip()]
    _check(count, size, out, facts=facts, as_json=as_json)
    if endpoint is not None:
        from shoal.cli.stories_asked import ask_stories

        ask_stories(
            endpoint, model, count=count, seed=seed, features=asked, words=given, out=out,
            prices=(price_in, price_out), timeout=timeout, agreed=yes, as_json=as_json,
        )  # fmt: skip
        return
    from shoal.corpora import write_documents, write_lines, write_text
    from shoal.corpora.grammar import row_schema, story_row, tell_stories

    told = tell_stories(seed=seed, features=asked, words=given)
    rows = (story_row(story, instructed=instruct, facts=facts) for story in told)
    if out is None:
        shown = _first(rows, count if count or size else COUNT_ON_SCREEN, size)
        if as_json:
            write_lines(shown, sys.stdout)
        else:
            write_text(shown, sys.stdout)
        return
    schema = row_schema(facts=facts) if out.suffix == ".parquet" else None
    written = write_documents(_first(rows, count, size), out, schema=schema)
    if as_json:
        print(json.dumps({"stories": written, "seed": seed, "file": str(out)}))
    else:
        print(f"{written:,} stories of seed {seed} written to {out}")


def _check(count: int | None, size: int | None, out: Path | None, *, facts: bool, as_json: bool) -> None:
    for name, value in (("--count", count), ("--bytes", size)):
        if value is not None and value < 1:
            raise UsageError(f"{name} is {value}; give a whole number above 0")
    if out is not None and count is None and size is None:
        raise UsageError(f"say how much to write to {out}: --count STORIES or --bytes SIZE")
    if facts and (out.suffix == ".txt" if out is not None else not as_json):
        raise UsageError("--facts needs rows: give --out FILE.jsonl, --out FILE.parquet or --json")


def _first(rows: Iterable[Mapping[str, Any]], count: int | None, size: int | None) -> Iterator[Mapping[str, Any]]:
    """The first rows: so many, or until the texts hold so many bytes."""
    held = 0
    for row in islice(rows, count):
        yield row
        held += len(row["text"].encode())
        if size is not None and held >= size:
            return
