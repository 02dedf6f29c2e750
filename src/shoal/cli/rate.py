"""``shoal rate``: the score of models that tell stories, by program and by a certified judge."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shoal.errors import StoreError, UsageError

if TYPE_CHECKING:
    from shoal.evaluation.judging import JudgeCertificate
    from shoal.evaluation.stories import Material, StoryRating

_BEGINNINGS = 30


def rate(
    *,
    model: Annotated[list[str] | None, Parameter(negative="", consume_multiple=False)] = None,
    prompts: Path | None = None,
    beginnings: Path | None = None,
    completions: int = 5,
    temperature: float = 1.0,
    longest: int = 200,
    seed: int = 0,
    zorro: Path | None = None,
    blimp: Path | None = None,
    pairs: int = 100,
    questions: int = 40,
    held_out: Path | None = None,
    training_text: Path | None = None,
    judge: str | None = None,
    judge_model: str | None = None,
    constrained: Annotated[bool, Parameter(negative="")] = False,
    certify_judge: Annotated[bool, Parameter(negative="")] = False,
    certificate_stories: int = 12,
    price_in: float = 0.0,
    price_out: float = 0.0,
    timeout: float = 60.0,
    yes: Annotated[bool, Parameter(negative="")] = False,
    out: Path | None = None,
    device: str = "auto",
    dtype: str = "float32",
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Rate models that tell stories: by program, and by a judge whose sight can be certified.

    Parameters
    ----------
    model
        A model spec; several times to compare: --model A --model B.
    prompts
        Prompts of your own: .jsonl with the column prompt (and words, features), or text with a blank line between
        them. Without it thirty prompts that come with shoal.
    beginnings
        Take the beginnings of thirty documents of this text instead, which no model was trained on.
    completions
        Completions of each prompt; 0 draws none.
    temperature
        At which they are drawn; 0 takes the most likely token.
    longest
        The most tokens of a completion.
    seed
        Of the draws.
    zorro
        Minimal pairs of Zorro: the zip archive, the folder or a file.
    blimp
        Minimal pairs of BLiMP: the zip archive, the folder or a file.
    pairs
        Pairs of each paradigm; 0 takes all.
    questions
        Ask plot facts of so many stories of the grammar; 0 asks none.
    held_out
        Documents that no model was trained on, for bits per byte.
    training_text
        The text that the models learnt from, to find what is copied.
    judge
        The address of an OpenAI-compatible endpoint that judges, as in http://localhost:8080/v1; the key is read from
        OPENAI_API_KEY.
    judge_model
        The name of the model there.
    constrained
        Hold the judge's answers to a JSON schema; its endpoint must be able to (llama.cpp, vLLM, OpenAI).
    certify_judge
        First prove the judge on stories that are damaged by a known dose.
    certificate_stories
        How many stories; ten pieces of each are judged.
    price_in
        Money for a million tokens of prompt.
    price_out
        Money for a million tokens of answer.
    timeout
        Seconds that an answer of the judge may take.
    yes
        Spend the money that the estimate names without asking again.
    out
        The folder for completions, answers of the judge, rating.json and report.html; the same command goes on there.
    device
        auto, cpu or cuda.
    dtype
        float32, bfloat16, float16 or float64.
    as_json
        Print everything as JSON on standard output.
    """
    from shoal.cli.rate_work import Asked, rate_all
    from shoal.evaluation.judging.certify import check_stories
    from shoal.evaluation.stories.rating import Sampling

    specs = list(dict.fromkeys(model or []))
    _check(specs, judge, judge_model, out, certify=certify_judge, constrained=constrained)
    if certify_judge:
        check_stories(certificate_stories)
    for name, value in (("--pairs", pairs), ("--questions", questions), ("--completions", completions)):
        if value < 0:
            raise UsageError(f"{name} is {value}; give 0 or more")
    if prompts is not None and beginnings is not None:
        raise UsageError("--prompts and --beginnings both say what is gone on from; give one of them")
    sampling = Sampling(completions=completions, temperature=temperature, longest=longest, seed=seed)
    material = _material(prompts, beginnings, {"Zorro": zorro, "BLiMP": blimp}, pairs, questions, held_out,
                         training_text, drawn=completions > 0) if specs else None  # fmt: skip
    if out is not None:
        _make_folder(out)
    asked = None
    if judge is not None and judge_model is not None and out is not None:
        asked = Asked(
            url=judge,
            model=judge_model,
            timeout=timeout,
            prices=(price_in, price_out),
            agreed=yes,
            constrained=constrained,
            out=out,
        )
    ratings, certificate = rate_all(
        specs, material, sampling, asked, certify=certificate_stories if certify_judge else 0, out=out,
        device=device, dtype=dtype,
    )  # fmt: skip
    given = {
        "completions a prompt": completions, "temperature": temperature, "longest": longest, "seed": seed,
        "prompts": prompts or beginnings or "those of shoal", "pairs of each paradigm": pairs or "all",
        "stories with questions": questions, "held-out text": held_out or "none",
        "training text": training_text or "none", "judge": judge_model or "none", "dtype": dtype,
    }  # fmt: skip
    _tell(ratings, certificate, {name: str(value) for name, value in given.items()}, out, as_json=as_json)


def _check(
    specs: list[str],
    judge: str | None,
    judge_model: str | None,
    out: Path | None,
    *,
    certify: bool,
    constrained: bool,
) -> None:
    if not specs and not certify:
        raise UsageError("nothing to rate: give --model SPEC, or --certify-judge to prove a judge alone")
    if certify and judge is None:
        raise UsageError("--certify-judge needs the judge: give --judge URL and --judge-model NAME")
    if constrained and judge is None:
        raise UsageError("--constrained is for a judge: give --judge URL and --judge-model NAME")
    if judge is not None and (judge_model is None or out is None):
        raise UsageError("a judge needs --judge-model NAME, and --out FOLDER where its answers are kept")


def _material(
    prompts: Path | None,
    beginnings: Path | None,
    pairs: dict[str, Path | None],
    most: int,
    questions: int,
    held_out: Path | None,
    training_text: Path | None,
    *,
    drawn: bool,
) -> Material:
    """Everything that is read from files, before any model is loaded."""
    from shoal.corpora.loading import read_documents
    from shoal.evaluation.stories import (
        CopyFinder,
        default_prompts,
        make_questions,
        read_beginnings,
        read_pairs,
        read_prompts,
    )
    from shoal.evaluation.stories.rating import Material

    if beginnings is not None:
        chosen = read_beginnings(beginnings, _BEGINNINGS)
    else:
        chosen = default_prompts() if prompts is None else read_prompts(prompts)
    return Material(
        prompts=chosen if drawn else (),
        pairs={name: read_pairs(path, most=most or None) for name, path in pairs.items() if path is not None},
        questions=make_questions(questions) if questions else (),
        held_out=tuple(read_documents(held_out)) if held_out is not None else (),
        copies=CopyFinder(read_documents(training_text)) if training_text is not None else None,
    )


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise StoreError(f"{out} cannot be made a folder ({fault.strerror}); give another --out") from fault


def _tell(
    ratings: list[StoryRating],
    certificate: JudgeCertificate | None,
    settings: dict[str, str],
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    """Write the files, and print what was found."""
    from shoal.cli.console import print_json
    from shoal.cli.files import write_whole
    from shoal.evaluation.stories.page import rating_page

    whole = {
        "settings": settings,
        "models": [rating.to_dict() for rating in ratings],
        "certificate": None if certificate is None else certificate.to_dict(),
    }
    if out is not None:
        write_whole(out / "rating.json", json.dumps(whole, indent=2, ensure_ascii=False))
        write_whole(out / "report.html", rating_page(ratings, settings=settings, certificate=certificate))
    if as_json:
        print_json(whole)
        return
    for rating in ratings:
        print(f"{rating.model}  ({rating.parameters:,} parameters, weights {rating.digest[:16]})")
        for one in rating.measures:
            print(f"  {one.name:24} {one.value:8.4f}  [{one.low:.4f}, {one.high:.4f}]  {one.note}")
    if certificate is not None:
        print(certificate.to_text())
    if out is not None:
        print(f"written to {out / 'report.html'}", file=sys.stderr)
