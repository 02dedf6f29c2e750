"""``shoal rate``: scores of models that write stories, by program and by a certified judge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shoal.cli.options import Device, Dtype, Json, Texts
from shoal.cli.rate_options import JudgeOptions, MaterialOptions, SamplingOptions
from shoal.cli.terminal import print_json, print_notice, write_whole
from shoal.errors import StoreError, UsageError
from shoal.textfiles import finite

if TYPE_CHECKING:
    from shoal.evaluation.judging import JudgeCertificate
    from shoal.evaluation.stories import StoryRating

_MATERIAL, _SAMPLING, _JUDGE = MaterialOptions(), SamplingOptions(), JudgeOptions()


def rate(
    *,
    model: Texts = None,
    material: Annotated[MaterialOptions, Parameter(name="*")] = _MATERIAL,
    sampling: Annotated[SamplingOptions, Parameter(name="*")] = _SAMPLING,
    judging: Annotated[JudgeOptions, Parameter(name="*")] = _JUDGE,
    out: Path | None = None,
    device: Device = "auto",
    dtype: Dtype = "float32",
    as_json: Json = False,
) -> None:
    """Rate the stories of models: by program, and by a judge whose sensitivity can be certified.

    Parameters
    ----------
    model
        Model spec. Repeatable, to compare: --model A --model B.
    material
        Prompts and evaluation sets.
    sampling
        How completions are sampled.
    judging
        The judge and its price.
    out
        Folder for completions, the judge's answers, rating.json and report.html; the same command resumes there.
    """
    from shoal.cli.rate_work import rate_all

    # A model named twice would be sampled, and its judge paid for, twice.
    specs = list(dict.fromkeys(model or []))
    if not specs and not judging.certify_judge:
        raise UsageError("nothing to rate: give --model SPEC, or --certify-judge to certify a judge alone")
    # All options and files before any model, whose work takes hours.
    judging.check(out)
    material.check()
    sampling.check()
    read = material.read(sampled=sampling.completions > 0) if specs else None
    if out is not None:
        _make_folder(out)
    ratings, certificate = rate_all(specs, read, sampling.sampling(), judging, out=out, device=device, dtype=dtype)
    _report(ratings, certificate, _settings(material, sampling, judging) | {"dtype": dtype}, out, as_json=as_json)


def _settings(material: MaterialOptions, sampling: SamplingOptions, judging: JudgeOptions) -> dict[str, str]:
    """The settings as the page and the JSON show them."""
    given = {
        "completions per prompt": sampling.completions,
        "temperature": sampling.temperature,
        "tokens per completion, at most": sampling.max_tokens,
        "seed": sampling.seed,
        "prompts": material.prompts or material.beginnings or "shoal's own",
        "pairs per paradigm": material.pairs_per_paradigm or "all",
        "stories with questions": material.questions,
        "held-out text": material.held_out or "none",
        "training text": material.training_text or "none",
        "judge": judging.judge_model or "none",
    }
    return {name: str(value) for name, value in given.items()}


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise StoreError(f"{out} cannot be made a folder ({fault.strerror}); give another --out") from fault


def _report(
    ratings: list[StoryRating],
    certificate: JudgeCertificate | None,
    settings: dict[str, str],
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    """Write the files and print the scores."""
    from shoal.reports import rating_page

    whole = {
        "settings": settings,
        "models": [rating.to_dict() for rating in ratings],
        "certificate": None if certificate is None else certificate.to_dict(),
    }
    if out is not None:
        write_whole(out / "rating.json", json.dumps(finite(whole), indent=2, ensure_ascii=False))
        write_whole(out / "report.html", rating_page(ratings, settings=settings, certificate=certificate))
    if as_json:
        print_json(whole)
        return
    for rating in ratings:
        print(rating)
    if certificate is not None:
        print(certificate)
    if out is not None:
        print_notice(f"written to {out / 'report.html'}")
