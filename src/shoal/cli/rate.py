"""``shoal rate``: the score of models that tell stories, by program and by a certified judge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shoal.cli.rate_options import DrawingOptions, JudgeOptions, MaterialOptions
from shoal.cli.terminal import say
from shoal.errors import StoreError, UsageError

if TYPE_CHECKING:
    from shoal.evaluation.judging import JudgeCertificate
    from shoal.evaluation.stories import StoryRating

_MATERIAL, _DRAWING, _JUDGE = MaterialOptions(), DrawingOptions(), JudgeOptions()


def rate(
    *,
    model: Annotated[list[str] | None, Parameter(negative="", consume_multiple=False)] = None,
    material: Annotated[MaterialOptions, Parameter(name="*")] = _MATERIAL,
    drawing: Annotated[DrawingOptions, Parameter(name="*")] = _DRAWING,
    judging: Annotated[JudgeOptions, Parameter(name="*")] = _JUDGE,
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
    material
        What models are rated on.
    drawing
        How completions are drawn.
    judging
        Who judges, and at what price.
    out
        The folder for completions, answers of the judge, rating.json and report.html; the same command goes on there.
    device
        auto, cpu or cuda.
    dtype
        float32, bfloat16, float16 or float64.
    as_json
        Print everything as JSON on standard output.
    """
    from shoal.cli.rate_work import rate_all

    specs = list(dict.fromkeys(model or []))
    if not specs and not judging.certify_judge:
        raise UsageError("nothing to rate: give --model SPEC, or --certify-judge to prove a judge alone")
    judging.check(out)
    material.check()
    drawing.check()
    read = material.read(drawn=drawing.completions > 0) if specs else None
    if out is not None:
        _make_folder(out)
    ratings, certificate = rate_all(specs, read, drawing.sampling(), judging, out=out, device=device, dtype=dtype)
    _tell(ratings, certificate, _settings(material, drawing, judging) | {"dtype": dtype}, out, as_json=as_json)


def _settings(material: MaterialOptions, drawing: DrawingOptions, judging: JudgeOptions) -> dict[str, str]:
    """What was chosen, as the page and the JSON say it."""
    given = {
        "completions a prompt": drawing.completions,
        "temperature": drawing.temperature,
        "longest": drawing.longest,
        "seed": drawing.seed,
        "prompts": material.prompts or material.beginnings or "those of shoal",
        "pairs of each paradigm": material.pairs or "all",
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
    from shoal.reports import rating_page

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
        say(f"written to {out / 'report.html'}")
