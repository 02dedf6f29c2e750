"""The part of ``shoal stories`` that asks a model: the cost is said and agreed to before the first question."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.cli.terminal import say
from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def ask_stories(
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
    """Say the cost, ask, and write the stories.

    Raises:
        UsageError: something that is needed was not given, or the cost was not agreed to.
        EndpointError: the endpoint failed for good.
    """
    from shoal.cli.console import progress_bars
    from shoal.corpora import write_documents
    from shoal.corpora.asked import Endpoint, ask_all, estimate_cost, make_prompts, read_record

    if model is None or count is None or out is None:
        raise UsageError("asking an endpoint needs --model NAME, --count STORIES and --out FILE")
    endpoint = Endpoint(url=url, model=model, timeout=timeout)
    prompts = make_prompts(count, seed=seed, features=features, words=words)
    record = out.with_name(out.name + ".answers.jsonl")
    known = read_record(record)
    todo = [prompt.text for prompt in prompts if prompt.key not in known]
    cost = estimate_cost(todo, price_in=prices[0], price_out=prices[1], longest=endpoint.longest)
    say(f"{cost} ({count - len(todo):,} answers are kept from before)")
    if cost.most_money > 0 and not agreed and not _agrees():
        raise UsageError("nothing was asked; give --yes to spend what the estimate names")
    with progress_bars() as progress:
        rows, doubles = ask_all(prompts, endpoint, record, progress=progress)
    written = write_documents(rows, out)
    if as_json:
        print(json.dumps({"stories": written, "duplicates": doubles, "file": str(out), "answers": str(record)}))
    else:
        print(f"{written:,} stories written to {out}, {doubles:,} duplicates dropped; the answers are kept in {record}")


def _agrees() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and input("Go on? [y/N] ").strip().lower() in ("y", "yes")
