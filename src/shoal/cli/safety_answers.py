"""``shoal safety answers``: safe answers to red-team requests, to tune a model on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shoal.cli.options import Device, Files, Json, MaxTokens, PriceIn, PriceOut, Seed, Timeout, Yes
from shoal.cli.terminal import check_target, confirmed, print_json, print_notice, progress_bars
from shoal.errors import UsageError

if TYPE_CHECKING:
    from shoal.corpora.llm import Endpoint
    from shoal.safety.tuning import SafeAnswerRequest, SafeAnswers


def answers(
    requests: Annotated[list[Path] | None, Parameter(negative="")] = None,
    /,
    *,
    harmful: Annotated[
        Files,
        Parameter(negative="", consume_multiple=False, help="Requests all of which are harmful. Repeatable."),
    ] = None,
    out: Path,
    sample: int = 2000,
    endpoint: str | None = None,
    endpoint_model: str | None = None,
    model: str | None = None,
    max_tokens: MaxTokens = 160,
    workers: int = 4,
    price_in: PriceIn = 0.0,
    price_out: PriceOut = 0.0,
    timeout: Timeout = 60.0,
    yes: Yes = False,
    seed: Seed = 0,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Write safe answers to a sample of red-team requests: checked, deduplicated, each with who wrote it.

    Without a model they are those that come with shoal, written by hand. The same command resumes what was interrupted
    or killed.

    Parameters
    ----------
    requests
        Requests whose rows state whether they are harmful (label safe or unsafe, or XSTest's type).
    out
        File of the answers, with the columns prompt and completion (.jsonl); raw answers lie next to it.
    sample
        Requests to answer, drawn at random; near duplicates are left out.
    endpoint
        OpenAI-compatible endpoint of a model that writes the answers, such as http://localhost:8080/v1; its key is read
        from OPENAI_API_KEY.
    endpoint_model
        Name of the model at the endpoint.
    model
        Model spec of a local model that writes the answers, in its chat template.
    workers
        Requests under way at the endpoint at the same time.
    """
    from shoal.corpora import write_documents
    from shoal.safety.tuning import seed_safe_answers

    check_target(out)
    files = [*(requests or []), *(harmful or [])]
    if endpoint is not None and model is not None:
        raise UsageError("--endpoint and --model are mutually exclusive; give one of them")
    if (endpoint is None) != (endpoint_model is None):
        raise UsageError("--endpoint and --endpoint-model belong together; give both")
    if endpoint is None and model is None:
        if files:
            raise UsageError(
                "requests need a writer: --endpoint URL with --endpoint-model NAME, or --model SPEC; without requests "
                "the answers that come with shoal are written"
            )
        found = seed_safe_answers()
    else:
        if not files:
            raise UsageError("there are no requests to answer; give a file of them, or --harmful FILE")
        drawn = _drawn(requests or [], harmful or [], sample, seed)
        # Beside the result: answers cost money or hours, and an interrupted command takes them up from there.
        record = out.with_name(out.name + ".answers.jsonl")
        if endpoint is not None and endpoint_model is not None:
            from shoal.corpora.llm import Endpoint

            writer = Endpoint(url=endpoint, model=endpoint_model, timeout=timeout, max_tokens=max_tokens)
            _agree(drawn, record, writer, prices=(price_in, price_out), agreed=yes)
            found = _written(drawn, writer, record, workers, max_tokens)
        else:
            assert model is not None
            found = _written_locally(drawn, model, record, max_tokens, device)
    write_documents([one.to_dict() for one in found.answers], out)
    if as_json:
        print_json(found.to_dict() | {"file": str(out)})
    else:
        print(f"{found}\nwritten to {out}")


def _drawn(requests: list[Path], harmful: list[Path], sample: int, seed: int) -> list[SafeAnswerRequest]:
    from shoal.safety.tuning import read_safety_requests, sample_requests

    if sample < 1:
        raise UsageError(f"--sample is {sample}; give 1 or more")
    read = [one for file in requests for one in read_safety_requests(file)]
    read += [one for file in harmful for one in read_safety_requests(file, harmful=True)]
    return sample_requests(read, sample, seed=seed)


def _agree(
    drawn: list[SafeAnswerRequest], record: Path, writer: Endpoint, *, prices: tuple[float, float], agreed: bool
) -> None:
    """Print what the requests will cost, and get the consent of whoever pays."""
    from shoal.corpora.llm import estimate_cost, read_record

    known = read_record(record, writer.model)
    todo = [request.text for request in drawn if request.key not in known]
    cost = estimate_cost(todo, price_in=prices[0], price_out=prices[1], max_tokens=writer.max_tokens, typical_tokens=70)
    print_notice(f"{cost} ({len(drawn) - len(todo):,} answers are there already)")
    if cost.max_money > 0 and not agreed and not confirmed():
        raise UsageError("no request was sent; give --yes to spend what the estimate names")


def _written(
    drawn: list[SafeAnswerRequest], writer: Endpoint, record: Path, workers: int, max_tokens: int
) -> SafeAnswers:
    from shoal.safety.tuning import write_safe_answers

    with progress_bars() as progress:
        return write_safe_answers(drawn, writer, record, workers=workers, max_tokens=max_tokens, progress=progress)


def _written_locally(
    drawn: list[SafeAnswerRequest], model: str, record: Path, max_tokens: int, device: str
) -> SafeAnswers:
    from shoal.safety.tuning import write_safe_answers
    from shoal.serving import load_for_generation

    with progress_bars() as progress:
        writer = load_for_generation(model, device=device)
        return write_safe_answers(drawn, writer, record, max_tokens=max_tokens, progress=progress)
