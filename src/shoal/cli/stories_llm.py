"""Stories of ``shoal stories`` from a model at an endpoint; its cost is agreed to before the first request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.cli.terminal import say
from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def generate_with_llm(
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
    from shoal.cli.console import confirmed, progress_bars
    from shoal.corpora import write_documents
    from shoal.corpora.llm import Endpoint, estimate_cost, generate_all, make_prompts, read_record

    if model is None or count is None or out is None:
        raise UsageError("--endpoint needs --endpoint-model NAME, --count STORIES and --out FILE")
    endpoint = Endpoint(url=url, model=model, timeout=timeout)
    prompts = make_prompts(count, seed=seed, features=features, words=words)
    record = out.with_name(out.name + ".answers.jsonl")
    known = read_record(record)
    todo = [prompt.text for prompt in prompts if prompt.key not in known]
    cost = estimate_cost(todo, price_in=prices[0], price_out=prices[1], max_tokens=endpoint.max_tokens)
    say(f"{cost} ({count - len(todo):,} answers are there already)")
    if cost.max_money > 0 and not agreed and not confirmed():
        raise UsageError("no request was sent; give --yes to spend what the estimate names")
    with progress_bars() as progress:
        rows, doubles = generate_all(prompts, endpoint, record, progress=progress)
    written = write_documents(rows, out)
    if as_json:
        print(json.dumps({"stories": written, "duplicates": doubles, "file": str(out), "answers": str(record)}))
    else:
        print(f"{written:,} stories written to {out}, {doubles:,} duplicates dropped; the answers are in {record}")
