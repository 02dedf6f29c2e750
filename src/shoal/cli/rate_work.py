"""The work of ``shoal rate``: models one after another, and a judge whose cost is agreed to first."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from shoal.cli.terminal import confirmed, print_notice, progress_bars
from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from shoal.cli.rate_options import JudgeOptions
    from shoal.evaluation.judging import JudgeCertificate, Judgement, Submission
    from shoal.evaluation.stories import Material, Sampling, StoryRating
    from shoal.progress import Progress


def rate_all(
    specs: Sequence[str],
    material: Material | None,
    sampling: Sampling,
    judging: JudgeOptions,
    *,
    out: Path | None,
    device: str,
    dtype: str,
) -> tuple[list[StoryRating], JudgeCertificate | None]:
    """Certify the judge, then rate every model.

    Args:
        specs: the models.
        material: what they are rated on; None where there are none.
        sampling: how completions are sampled.
        judging: the judge, if there is one.
        out: folder for completions and answers.
        device: where models run.
        dtype: number format of their weights.
    """
    with progress_bars() as progress:
        agreed = None if judging.judge is None or out is None else PaidJudge(judging, out, progress)
        # Before any model is rated: the marks of a judge that fails its certificate are not worth paying for.
        certificate = agreed.certificate() if agreed is not None and judging.certify_judge else None
        ratings = [
            _rate(spec, material, sampling, agreed, out=out, device=device, dtype=dtype, progress=progress)
            for spec in specs
            if material is not None
        ]
    return ratings, certificate


class PaidJudge:
    """A judge at an endpoint that is called only where its cost was agreed to."""

    def __init__(self, options: JudgeOptions, out: Path, progress: Progress) -> None:
        from shoal.corpora.llm import Endpoint
        from shoal.evaluation.judging import EndpointJudge

        self._options = options
        endpoint = Endpoint(url=options.judge or "", model=options.judge_model or "", timeout=options.timeout)
        endpoint.client()  # a wrong address or a missing package is an error before any work
        self._judge = EndpointJudge(endpoint, out / "judge.jsonl", constrained=options.constrained, progress=progress)

    def certificate(self) -> JudgeCertificate:
        """Certify the judge."""
        from shoal.evaluation.judging import certify_judge, make_perturbed_stories

        stories = self._options.certificate_stories
        self._agree([story.submission for story in make_perturbed_stories(stories)], "certifying the judge")
        return certify_judge(self._judge, name=self._options.judge_model or "", stories=stories)

    def judge(self, submissions: Sequence[Submission], what: str) -> list[Judgement | None]:
        """The judgements of submissions."""
        self._agree(submissions, what)
        return self._judge(submissions)

    def _agree(self, submissions: Sequence[Submission], what: str) -> None:
        """Print the cost, and stop where it is not agreed to."""
        cost = self._judge.estimate(submissions, price_in=self._options.price_in, price_out=self._options.price_out)
        print_notice(f"{what}: {cost} ({len(submissions) - cost.prompts:,} answers are there already)")
        # Prices of 0 are those of a local server, which needs no consent.
        if cost.max_money > 0 and not self._options.yes and not confirmed():
            raise UsageError("the judge was not called; give --yes to spend what the estimate names")


def _rate(
    spec: str,
    material: Material,
    sampling: Sampling,
    agreed: PaidJudge | None,
    *,
    out: Path | None,
    device: str,
    dtype: str,
    progress: Progress,
) -> StoryRating:
    from shoal.evaluation.stories import rate_model
    from shoal.models import load_for_scoring

    loaded = load_for_scoring(spec, device=device, dtype=dtype)
    return rate_model(
        loaded,
        material,
        sampling=sampling,
        judge=None if agreed is None else partial(agreed.judge, what=f"judging {spec}"),
        record=None if out is None else out / "completions.jsonl",
        progress=progress,
    )
