"""The work of ``shoal rate``: models one after another, and a judge whose cost is said before it is asked."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.cli.console import progress_bars
from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shoal.evaluation.judging import EndpointJudge, JudgeCertificate, Judgement, Piece
    from shoal.evaluation.stories.rating import Material, Sampling, StoryRating


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A judge at an endpoint, as a person gave it."""

    url: str
    model: str
    timeout: float
    prices: tuple[float, float]
    agreed: bool
    constrained: bool
    out: Path


def rate_all(
    specs: Sequence[str],
    material: Material | None,
    sampling: Sampling,
    asked: Asked | None,
    *,
    certify: int,
    out: Path | None,
    device: str,
    dtype: str,
) -> tuple[list[StoryRating], JudgeCertificate | None]:
    """Certify the judge, then rate every model.

    Args:
        specs: the models.
        material: what they are rated on; None where there are none.
        sampling: how completions are drawn.
        asked: the judge, if there is one.
        certify: prove the judge on so many stories; 0 does not.
        out: where completions and answers are kept.
        device: where models run.
        dtype: of their weights.
    """
    with progress_bars() as progress:
        judge = None if asked is None else _make_judge(asked, progress)
        certificate = None
        if judge is not None and asked is not None and certify:
            certificate = _certify(judge, asked, certify)
        ratings = [
            _rate(spec, material, sampling, judge, asked, out=out, device=device, dtype=dtype, progress=progress)
            for spec in specs
            if material is not None
        ]
    return ratings, certificate


def _make_judge(asked: Asked, progress: Callable[[str, int, int], None]) -> EndpointJudge:
    from shoal.corpora.asked import Endpoint
    from shoal.evaluation.judging import EndpointJudge

    endpoint = Endpoint(url=asked.url, model=asked.model, timeout=asked.timeout)
    endpoint.client()  # a wrong address or a missing package is told before any work
    return EndpointJudge(endpoint, asked.out / "judge.jsonl", constrained=asked.constrained, progress=progress)


def _certify(judge: EndpointJudge, asked: Asked, stories: int) -> JudgeCertificate:
    from shoal.evaluation.judging import certify_judge, damaged_pieces

    _agree(judge, asked, [part.piece for part in damaged_pieces(stories)], "certifying the judge")
    return certify_judge(judge, name=asked.model, stories=stories)


def _agree(judge: EndpointJudge, asked: Asked, pieces: Sequence[Piece], what: str) -> None:
    """Say what it will cost, and go on only where that was agreed to."""
    cost = judge.estimate(pieces, price_in=asked.prices[0], price_out=asked.prices[1])
    print(f"{what}: {cost} ({len(pieces) - cost.prompts:,} answers are kept from before)", file=sys.stderr)
    if cost.most_money > 0 and not asked.agreed and not _says_yes():
        raise UsageError("the judge was not asked; give --yes to spend what the estimate names")


def _says_yes() -> bool:
    return sys.stdin.isatty() and input("Go on? [y/N] ").strip().lower() in ("y", "yes")


def _rate(
    spec: str,
    material: Material,
    sampling: Sampling,
    judge: EndpointJudge | None,
    asked: Asked | None,
    *,
    out: Path | None,
    device: str,
    dtype: str,
    progress: Callable[[str, int, int], None],
) -> StoryRating:
    from shoal.evaluation.stories.rating import rate_model
    from shoal.models import load_reader

    loaded = load_reader(spec, device=device, dtype=dtype)

    def judged(pieces: Sequence[Piece]) -> list[Judgement | None]:
        assert judge is not None
        assert asked is not None
        _agree(judge, asked, pieces, f"judging {spec}")
        return judge(pieces)

    return rate_model(
        loaded.model,
        loaded.tokenizer,
        material,
        name=loaded.spec,
        digest=loaded.digest,
        parameters=loaded.parameters,
        sampling=sampling,
        judge=judged if judge is not None else None,
        record=None if out is None else out / "completions.jsonl",
        progress=progress,
    )
