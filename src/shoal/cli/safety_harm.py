"""The options of a scorer of harm, which ``shoal safety rate``, ``tune`` and ``probe`` share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.cli.options import Flag, PriceIn, PriceOut, Timeout, Yes
from shoal.cli.terminal import confirmed, print_notice
from shoal.errors import CertificationError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.progress import Progress
    from shoal.safety.harm import EndpointHarmScorer, RewardHarmScorer
    from shoal.statistics import ErrorRates


@dataclass(frozen=True, kw_only=True)
class HarmOptions:
    """The scorer of harm: a local model, or a judge at an endpoint."""

    harm_model: str | None = None
    """Folder or hub id of a local sequence-classification model: a reward model (one output), or a classifier (two)."""

    harm_judge: str | None = None
    """OpenAI-compatible endpoint of a judge of harm, such as http://localhost:8080/v1; OPENAI_API_KEY holds its key."""

    harm_judge_model: str | None = None
    """Name of the judge's model at the endpoint."""

    harm_labels: Path | None = None
    """Labelled answers (prompt, completion, harm: harmful or harmless), by which the scorer's errors are corrected."""

    certify_harm: Flag = False
    """First certify the scorer of harm on answers of known harm; one that fails is not used."""

    constrained: Flag = False
    """Constrain the judge's answers to a JSON schema, where its endpoint can (llama.cpp, vLLM, OpenAI)."""

    price_in: PriceIn = 0.0
    price_out: PriceOut = 0.0
    timeout: Timeout = 60.0
    yes: Yes = False

    def check(self) -> bool:
        """Whether there is a scorer; raise a UsageError where options contradict each other."""
        if self.harm_model is not None and self.harm_judge is not None:
            raise UsageError("--harm-model and --harm-judge are mutually exclusive; give one of them")
        if (self.harm_judge is None) != (self.harm_judge_model is None):
            raise UsageError("a judge of harm needs both --harm-judge URL and --harm-judge-model NAME")
        given = self.harm_model is not None or self.harm_judge is not None
        if not given and (self.harm_labels is not None or self.certify_harm):
            raise UsageError(
                "--harm-labels and --certify-harm are for a scorer of harm: give --harm-model, or --harm-judge"
            )
        if self.constrained and self.harm_judge is None:
            raise UsageError("--constrained is for a judge: give --harm-judge URL and --harm-judge-model NAME")
        return given

    def scorer(
        self, record: Path, *, device: str = "auto", progress: Progress | None = None
    ) -> RewardHarmScorer | EndpointHarmScorer:
        """The scorer, certified where that is wanted.

        Args:
            record: file of a judge's answers.
            device: where a local model runs.
            progress: called with (what, done, total).

        Raises:
            CertificationError: it fails its certificate.
        """
        from shoal.safety.harm import EndpointHarmScorer, HarmJudge, certify_harm_scorer, harm_cases, load_harm_model

        found: RewardHarmScorer | EndpointHarmScorer
        if self.harm_judge is not None and self.harm_judge_model is not None:
            from shoal.corpora.llm import Endpoint

            endpoint = Endpoint(url=self.harm_judge, model=self.harm_judge_model, timeout=self.timeout)
            found = EndpointHarmScorer(HarmJudge(endpoint, record, constrained=self.constrained, progress=progress))
        else:
            assert self.harm_model is not None
            found = load_harm_model(self.harm_model, device=device)
        if self.certify_harm:
            cases = harm_cases()
            self.agree(found, [one.prompt for one in cases], [one.completion for one in cases])
            certificate = certify_harm_scorer(found, name=found.name)
            print_notice(str(certificate))
            if not certificate.passed:
                raise CertificationError(
                    f"the scorer of harm ({found.name}) fails its certificate, so that its scores are not used; give "
                    "another one, or leave out --certify-harm"
                )
        return found

    def agree(
        self, scorer: RewardHarmScorer | EndpointHarmScorer, prompts: Sequence[str], completions: Sequence[str]
    ) -> None:
        """Print what a judge will cost, and get the consent of whoever pays.

        Args:
            scorer: as `scorer` gives it.
            prompts: what was requested.
            completions: the answers that would be judged.

        Raises:
            UsageError: there is no consent.
        """
        from shoal.safety.harm import EndpointHarmScorer, JudgedPair

        if not isinstance(scorer, EndpointHarmScorer):
            return
        pairs = [JudgedPair(*pair) for pair in zip(prompts, completions, strict=True)]
        cost = scorer.judge.estimate(pairs, price_in=self.price_in, price_out=self.price_out)
        print_notice(f"harm: {cost}")
        # Prices of 0 are those of a local server, which needs no consent.
        if cost.max_money > 0 and not self.yes and not confirmed():
            raise UsageError("the judge was not called; give --yes to spend what the estimate names")

    def agree_blindly(self) -> None:
        """Get the consent of whoever pays, where nobody knows yet which answers will be judged.

        Raises:
            UsageError: there is a price, and no consent.
        """
        if self.harm_judge is not None and (self.price_in or self.price_out) and not self.yes:
            raise UsageError("what the judge will cost depends on the answers; give --yes to pay for every answer")

    def errors(self, scorer: RewardHarmScorer | EndpointHarmScorer) -> ErrorRates | None:
        """The errors of the scorer on the labels that are given; None without labels.

        Args:
            scorer: as `scorer` gives it.
        """
        from shoal.safety.harm import measure_harm_errors

        return None if self.harm_labels is None else measure_harm_errors(self.harm_labels, scorer)


NO_HARM = HarmOptions()
"""Without a scorer of harm."""
