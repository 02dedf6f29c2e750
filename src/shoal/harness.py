"""``python -m shoal.harness ...``: lm-evaluation-harness's own command, with shoal's models among its own.

Its release has no plug-ins, so that this module registers a model class and then calls its command:

    python -m shoal.harness run --model shoal --model_args pretrained=bundled:stories --tasks lambada_openai

``pretrained`` is a model spec of shoal; ``dtype``, ``device``, ``max_length`` and ``token_budget`` may follow. Tasks,
prompts, filters and figures are lm-evaluation-harness's; log-likelihoods and texts are shoal's, with tokens that
several requests begin with computed once.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from shoal.errors import ShoalError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "shoal"
"""What ``--model`` names."""

_NOT_INSTALLED = (
    "shoal.harness needs lm-evaluation-harness, which is not installed; install it with: pip install lm-eval==0.4.13"
)


class _Answers:
    """What lm-evaluation-harness calls of a model; its own base class is known only where it is installed."""

    def __init__(
        self,
        pretrained: str,
        dtype: str = "float32",
        device: str | None = None,
        max_length: int | None = None,
        token_budget: int | None = None,
        batch_size: Any = None,
        max_batch_size: Any = None,
    ) -> None:
        super().__init__()
        # Batches follow from the token budget; lm-evaluation-harness passes these two to every model.
        del batch_size, max_batch_size
        from shoal.evaluation.benchmarks import RequestAnswerer
        from shoal.models import load_for_scoring

        self._loaded = load_for_scoring(str(pretrained), device=device or "auto", dtype=dtype)
        settings = {"token_budget": int(token_budget)} if token_budget else {}
        length = None if max_length is None else int(max_length)
        self._answerer = RequestAnswerer(self._loaded, max_length=length, **settings)

    def loglikelihood(self, requests: list[Any], disable_tqdm: bool = False) -> list[tuple[float, bool]]:  # noqa: ARG002
        """Log-likelihood and greedy verdict of each (context, continuation)."""
        found = self._answerer.log_likelihoods([request.args for request in requests])
        return [(score.log_likelihood, score.greedy) for score in found]

    def loglikelihood_rolling(self, requests: list[Any], disable_tqdm: bool = False) -> list[float]:  # noqa: ARG002
        """Log-likelihood of each text."""
        return self._answerer.rolling_log_likelihoods([request.args[0] for request in requests])

    def generate_until(self, requests: list[Any], disable_tqdm: bool = False) -> list[str]:  # noqa: ARG002
        """The text that continues each prompt."""
        groups: dict[str, list[int]] = {}
        for place, request in enumerate(requests):
            groups.setdefault(repr(request.args[1]), []).append(place)
        found: dict[int, str] = {}
        for places in groups.values():
            settings: Mapping[str, Any] = requests[places[0]].args[1]
            texts = self._answerer.generate([requests[place].args[0] for place in places], settings)
            found |= dict(zip(places, texts, strict=True))
        return [found[place] for place in range(len(requests))]

    @property
    def tokenizer_name(self) -> str:
        """Names the tokenizer in lm-evaluation-harness's cache of requests."""
        return str(self._loaded.spec).replace("/", "__")

    def get_model_info(self) -> dict[str, Any]:
        """What lm-evaluation-harness writes into its results."""
        return {
            "model_num_parameters": self._loaded.parameters,
            "model_dtype": str(self._loaded.model.dtype),
            "model_sha": self._loaded.digest,
        }


def harness_model() -> type[Any]:
    """The model class for lm-evaluation-harness, registered there under the name ``shoal``.

    Raises:
        UsageError: lm-evaluation-harness is not installed.
    """
    try:
        from lm_eval.api.model import LM
        from lm_eval.api.registry import model_registry, register_model
    except ImportError as error:
        raise UsageError(_NOT_INSTALLED) from error
    if NAME in model_registry:
        return model_registry.get(NAME)  # type: ignore[no-any-return]

    class ShoalLM(_Answers, LM):
        """A model of shoal as lm-evaluation-harness calls it."""

    register_model(NAME)(ShoalLM)
    return ShoalLM


def main() -> None:
    """Register the model and run the command of lm-evaluation-harness; a fault is one line and exit code 2."""
    try:
        harness_model()
        from lm_eval.__main__ import cli_evaluate

        cli_evaluate()
    except ShoalError as fault:
        print(f"shoal: {' '.join(str(fault).split())}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
