"""``shoal stories``: stories for young children, from the grammar or from a model at an endpoint."""

from __future__ import annotations

import json
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from shoal.cli.options import Flag, Json, PriceIn, PriceOut, Seed, Texts, Timeout, Yes
from shoal.cli.terminal import confirmed, print_notice, progress_bars
from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

COUNT_ON_SCREEN = 3


def stories(
    *,
    count: int | None = None,
    size: Annotated[int | None, Parameter(name="--bytes")] = None,
    seed: Seed = 0,
    feature: Texts = None,
    word: Texts = None,
    instruct: Flag = False,
    facts: Flag = False,
    out: Path | None = None,
    endpoint: str | None = None,
    endpoint_model: str | None = None,
    price_in: PriceIn = 0.0,
    price_out: PriceOut = 0.0,
    timeout: Timeout = 60.0,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Generate stories whose words, features and plot facts are known.

    Parameters
    ----------
    count
        Number of stories. Default: three on the screen, where --bytes is not given either.
    size
        Total size of the texts in bytes.
    feature
        Feature of every story: dialogue, bad ending, twist, moral, foreshadowing or conflict. Repeatable.
    word
        Word of every story; at most a noun, a verb and an adjective. Repeatable: --word ball --word jump --word red.
    instruct
        Put the instructions (words and features) before each story, as TinyStories-Instruct does.
    facts
        Add the plot facts, and questions with answers, to each row (.jsonl or .parquet).
    out
        File to write (.txt, .jsonl or .parquet). Default: standard output.
    endpoint
        OpenAI-compatible endpoint of a model that writes the stories, such as http://localhost:8080/v1; its key is read
        from OPENAI_API_KEY. Answers are saved beside --out, so that the same command resumes.
    endpoint_model
        Name of the model at the endpoint.
    as_json
        Print each story as a row of JSON, with --facts its facts too; with --out print a summary as JSON.
    """
    # bad_ending needs no quotes in a shell.
    features = [name.strip().replace("_", " ").lower() for name in feature or []]
    words = [text.strip().lower() for text in word or []]
    _check(count, size, out, facts=facts, as_json=as_json)
    if endpoint is not None:
        if instruct or facts or size is not None:
            raise UsageError(
                "a model at an endpoint writes --count stories whose facts are not known; leave out --instruct, "
                "--facts and --bytes"
            )
        _generate_with_llm(
            endpoint, endpoint_model, count=count, seed=seed, features=features, words=words, out=out,
            prices=(price_in, price_out), timeout=timeout, agreed=yes, as_json=as_json,
        )  # fmt: skip
        return
    from shoal.corpora import write_documents, write_lines, write_text
    from shoal.corpora.grammar import row_schema, story_row, tell_stories

    stories = tell_stories(seed=seed, features=features, words=words)
    rows = (story_row(story, instructed=instruct, facts=facts) for story in stories)
    if out is None:
        shown = _first(rows, count if count or size else COUNT_ON_SCREEN, size)
        if as_json:
            write_lines(shown, sys.stdout)
        else:
            write_text(shown, sys.stdout)
        return
    # Parquet fixes its columns with the first rows, where lists that happen to be empty have no type.
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
    """The first ``count`` rows, or those until the texts hold ``size`` bytes."""
    held = 0
    for row in islice(rows, count):
        yield row
        # Counted behind the yield: the story that reaches the size is written whole.
        held += len(row["text"].encode())
        if size is not None and held >= size:
            return


def _generate_with_llm(
    url: str,
    model: str | None,
    *,
    count: int | None,
    seed: int,
    features: Sequence[str],
    words: Sequence[str],
    out: Path | None,
    prices: tuple[float, float],
    timeout: float,
    agreed: bool,
    as_json: bool,
) -> None:
    """Print the cost, generate, and write the stories.

    Raises:
        UsageError: an option is missing, or the cost was not agreed to.
        EndpointError: the endpoint failed after all retries.
    """
    from shoal.corpora import check_documents_file, write_documents
    from shoal.corpora.llm import Endpoint, estimate_cost, generate_all, make_prompts, read_record

    if model is None or count is None or out is None:
        raise UsageError("--endpoint needs --endpoint-model NAME, --count STORIES and --out FILE")
    # Before anything is paid for.
    check_documents_file(out)
    endpoint = Endpoint(url=url, model=model, timeout=timeout)
    prompts = make_prompts(count, seed=seed, features=features, words=words)
    record = out.with_name(out.name + ".answers.jsonl")
    # Read before the estimate, which is of what is still to be requested.
    known = read_record(record, model)
    todo = [prompt.text for prompt in prompts if prompt.key not in known]
    cost = estimate_cost(todo, price_in=prices[0], price_out=prices[1], max_tokens=endpoint.max_tokens)
    print_notice(f"{cost} ({count - len(todo):,} answers are there already)")
    if cost.max_money > 0 and not agreed and not confirmed():
        raise UsageError("no request was sent; give --yes to spend what the estimate names")
    with progress_bars() as progress:
        rows, doubles = generate_all(prompts, endpoint, record, progress=progress)
    written = write_documents(rows, out)
    if as_json:
        print(json.dumps({"stories": written, "duplicates": doubles, "file": str(out), "answers": str(record)}))
    else:
        print(f"{written:,} stories written to {out}, {doubles:,} duplicates dropped; the answers are in {record}")
