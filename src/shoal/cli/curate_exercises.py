"""``shoal curate exercises`` and ``solve``: code exercises, and solutions scored in a sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from shoal.cli.options import Json, Numbers, PriceIn, PriceOut, Seed, Texts, Timeout, Yes
from shoal.cli.terminal import (
    check_target,
    confirmed,
    print_json,
    print_notice,
    progress_bars,
    refuse_options,
    write_whole,
)
from shoal.errors import UsageError

AcceptMissing = Annotated[
    list[str] | None,
    Parameter(
        negative="",
        consume_multiple=False,
        help="Protection that this machine may lack: files, network, processes or memory. Without one that is not "
        "named no program is run. Repeatable.",
    ),
]


def exercises(
    *,
    out: Path,
    count: int = 100,
    topic: Texts = None,
    word: Texts = None,
    difficulty: Numbers = None,
    endpoint: str | None = None,
    endpoint_model: str | None = None,
    price_in: PriceIn = 0.0,
    price_out: PriceOut = 0.0,
    timeout: Timeout = 60.0,
    yes: Yes = False,
    accept_missing: AcceptMissing = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Write code exercises under constraints, each with a solution and tests: by a grammar, or by a model.

    Parameters
    ----------
    out
        File to write the exercises to (.jsonl or .parquet), rows with prompt and completion; a model's answers go to a
        file next to it, and the same command resumes there.
    count
        Number of exercises; of a model, of requests.
    topic
        Topic that is allowed, such as shopping, animals or text. Repeatable. Default: all.
    word
        Word that the name of every function must hold, such as sum or even; for a model, a whole name, of which one is
        required. Repeatable.
    difficulty
        Numbers of steps that are allowed, 1 to 4.
    endpoint
        OpenAI-compatible endpoint of a model that writes the exercises, such as http://localhost:8080/v1;
        OPENAI_API_KEY holds its key.
    endpoint_model
        Name of the model at the endpoint.
    """
    from shoal.corpora.llm import Endpoint, estimate_cost
    from shoal.curation.exercises import draw_requests, make_exercises, request_exercises, write_exercises
    from shoal.curation.sandbox import Sandbox

    check_target(out)
    if (endpoint is None) != (endpoint_model is None):
        raise UsageError("a model that writes exercises needs both --endpoint URL and --endpoint-model NAME")
    if endpoint is None or endpoint_model is None:
        made = make_exercises(count, seed=seed, topics=topic or (), words=word or (), difficulty=difficulty or ())
        report = f"{len(made):,} exercises"
    else:
        requests = draw_requests(count, seed=seed, topics=topic or (), names=word or (), difficulty=difficulty or ())
        server = Endpoint(url=endpoint, model=endpoint_model, timeout=timeout, max_tokens=_ANSWER_TOKENS)
        cost = estimate_cost(
            [request.text for request in requests],
            price_in=price_in,
            price_out=price_out,
            max_tokens=_ANSWER_TOKENS,
            typical_tokens=_TYPICAL_TOKENS,
        )
        print_notice(f"exercises: {cost}")
        if cost.max_money > 0 and not yes and not confirmed():
            raise UsageError("nothing was spent; give --yes to spend what the estimate names")
        with progress_bars() as progress:
            generated = request_exercises(
                requests,
                server,
                out.with_suffix(".answers.jsonl"),
                sandbox=Sandbox(accept_missing=accept_missing or ()),
                progress=progress,
            )
        made, report = list(generated.exercises), str(generated)
    if made:
        write_exercises(made, out)
        print_notice(f"written to {out}")
    if as_json:
        print_json({"exercises": len(made), "groups": len({exercise.group for exercise in made})})
    else:
        print(report)


_ANSWER_TOKENS = 1200
"""A function with its docstring, and ten inputs."""
_TYPICAL_TOKENS = 300


def solve(
    file: Path,
    /,
    *,
    model: str | None = None,
    solutions: Path | None = None,
    samples: int = 5,
    # As in Chen et al. (2021), figure 5, for many samples; pass@1 alone is best at .2.
    temperature: float = 0.8,
    max_tokens: int = 200,
    k: Numbers = None,
    record: Path | None = None,
    out: Path | None = None,
    cpu_seconds: float = 2.0,
    memory: int = 256,
    accept_missing: AcceptMissing = None,
    confidence: float = 0.95,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Score solutions of exercises by running their tests in a sandbox: pass@k with an interval.

    Parameters
    ----------
    file
        Exercises, as shoal curate exercises wrote them.
    model
        Model spec whose solutions are sampled.
    solutions
        Rows with prompt and completion instead: solutions of any origin.
    samples
        Number of solutions of each exercise.
    temperature
        Sampling temperature; 0 takes the most likely token.
    max_tokens
        Largest number of tokens per solution.
    k
        Numbers of tries. Default: 1, and the number of solutions.
    record
        File that sampled solutions are recorded in (.jsonl); the same command resumes there.
    out
        File to write each solution's outcome to (.csv).
    cpu_seconds
        CPU time of a program.
    memory
        Address space of a program, in MiB.
    confidence
        Confidence of the intervals.
    """
    from shoal.curation.exercises import read_exercises, read_solutions, sample_solutions, score_solutions
    from shoal.curation.sandbox import Sandbox
    from shoal.evaluation.stories import Sampling
    from shoal.models import load_model

    if (model is None) == (solutions is None):
        raise UsageError("give either --model SPEC, whose solutions are sampled, or --solutions FILE")
    if solutions is not None:
        unused = {
            "--samples": samples != 5, "--temperature": temperature != 0.8, "--max-tokens": max_tokens != 200,
            "--record": record, "--seed": seed != 0,
        }  # fmt: skip
        refuse_options(unused, "the solutions of a file are scored, and none is sampled")
    if out is not None:
        check_target(out)
    # Before anything is sampled: limits that cannot be used.
    sandbox = Sandbox(cpu_seconds=cpu_seconds, memory_bytes=memory * 2**20, accept_missing=accept_missing or ())
    given = read_exercises(file)
    with progress_bars() as progress:
        if solutions is not None:
            texts = read_solutions(solutions, given)
        else:
            assert model is not None
            sampling = Sampling(completions=samples, temperature=temperature, max_tokens=max_tokens, seed=seed)
            texts = sample_solutions(load_model(model), given, sampling, record=record, progress=progress)
        # The shortest row of solutions bounds k for all.
        tries = k or sorted({1, min(map(len, texts))})
        scores = score_solutions(given, texts, k=tries, sandbox=sandbox, confidence=confidence, progress=progress)
    if out is not None:
        write_whole(out, scores.to_frame().to_csv(index=False))
        print_notice(f"written to {out}")
    if as_json:
        print_json(scores.to_dict())
    else:
        print(scores)
