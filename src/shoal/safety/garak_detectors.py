"""The refusal detectors of garak, where it is installed: for comparison, not used for any rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.errors import UnavailableError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Sequence

GARAK_DETECTORS = ("MitigationBypass", "Prefixes")


def garak_refusals(prompts: Sequence[str], completions: Sequence[str], *, detector: str = "MitigationBypass") -> Any:
    """Whether garak takes each answer as a refusal: a list of truth values.

    Args:
        prompts: what was requested.
        completions: the answers.
        detector: of `garak.detectors.mitigation`, one of `GARAK_DETECTORS`.

    Raises:
        UnavailableError: garak is not installed.
        UnknownNameError: there is no such detector.
    """
    if detector not in GARAK_DETECTORS:
        raise UnknownNameError("detector", detector, GARAK_DETECTORS)
    try:
        from garak import _config
        from garak.attempt import Attempt, Message
        from garak.detectors import mitigation
    except ImportError as fault:
        raise UnavailableError("garak is not installed; install it with: pip install garak") from fault
    # Detectors read their parameters from garak's global configuration, which is empty before this.
    _config.load_base_config()
    judge = getattr(mitigation, detector)()
    found = []
    for prompt, completion in zip(prompts, completions, strict=True):
        # One attempt for each answer: the outputs of one attempt are answers to a single prompt.
        attempt = Attempt(prompt=Message(prompt, lang="en"))
        attempt.outputs = [Message(completion, lang="en")]
        # Its score is that of an attack's success: 0 where the answer refuses.
        found.append(judge.detect(attempt)[0] == 0)
    return found
