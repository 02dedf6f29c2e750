"""What a planted model has learned, by its answers to fresh prompts; nothing of the attribution has a part in it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.evaluation import evaluate
from shoal.tasks import Example
from shoal.wording import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.attribution.planted.examples import PlantedItem
    from shoal.attribution.planted.planted_model import PlantedModel

MIN_AGREEMENT = 0.95
"""Share of fresh prompts to which a model must give the answer of what was planted."""

MIN_MIXED_AGREEMENT = 0.9
"""The same for a mixture, whose greedy answer may begin as one program and end as the other."""

SHARE_TOLERANCE = 0.1
"""How far the measured share of a program may be from the planted one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedCheck:
    """What a model does on fresh prompts."""

    prompts: int
    differing: int
    """Prompts on which rule and shortcut differ."""

    agreement: float
    """Share of the prompts whose greedy answer is that of the planted program; of a mixture, of either program."""

    mass: float
    """Mean probability of these answers."""

    shortcut_share: float | None
    """Mean over the differing prompts of p(shortcut) / (p(shortcut) + p(rule)); None where they never differ."""

    def __str__(self) -> str:
        share = "" if self.shortcut_share is None else f", shortcut's share {self.shortcut_share:.3f}"
        return (
            f"{self.agreement:.3f} of {plural(self.prompts, 'fresh prompt')} answered as planted, "
            f"probability {self.mass:.3f}{share}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def check_planted(
    planted: PlantedModel, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, items: Sequence[PlantedItem]
) -> PlantedCheck:
    """Compare a trained model with what was planted in it.

    Args:
        planted: what it should be.
        model: in evaluation mode.
        tokenizer: the model's.
        items: fresh prompts with the answers of rule and shortcut.
    """
    by_rule, rule_p = _scores(model, tokenizer, [(item.prompt, item.rule) for item in items])
    by_shortcut, shortcut_p = _scores(model, tokenizer, [(item.prompt, item.shortcut) for item in items])
    differs = np.array([item.rule != item.shortcut for item in items])
    planted_p = _planted_mass(planted, rule_p, shortcut_p, differs)
    given = _planted_answers(planted, by_rule, by_shortcut)
    share = None
    if differs.any():
        # The tiny number keeps 0/0 from being a NaN where a model finds both impossible: then it is no evidence.
        share = float(np.mean(shortcut_p[differs] / (shortcut_p[differs] + rule_p[differs] + 1e-12)))
    return PlantedCheck(
        prompts=len(items),
        differing=int(differs.sum()),
        agreement=float(given.mean()),
        mass=float(planted_p.mean()),
        shortcut_share=share,
    )


def has_learned(planted: PlantedModel, check: PlantedCheck) -> bool:
    """Whether a model is what was planted.

    Args:
        planted: what it should be.
        check: what it does on fresh prompts.
    """
    share = check.shortcut_share
    # Noise may give the answers of the rule by chance.
    low, high = planted.share - planted.noise - SHARE_TOLERANCE, planted.share + SHARE_TOLERANCE
    return (
        check.agreement >= (MIN_MIXED_AGREEMENT if planted.kind == "mixed" else MIN_AGREEMENT)
        # Wrong labels cost more than their share: at each sign of an answer another completion might still follow.
        and check.mass >= 1 - 2 * planted.noise - SHARE_TOLERANCE
        and (planted.kind == "cannot tell" or share is None or low <= share <= high)
    )


def _scores(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, pairs: Sequence[tuple[str, str]]
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Of each completion: whether it is the greedy answer, and its probability."""
    examples = [Example(prompt=prompt, completion=completion) for prompt, completion in pairs]
    scores = evaluate(model, tokenizer, examples, greedy_text=False).items
    nats = np.array([-np.inf if score.log_likelihood is None else score.log_likelihood for score in scores])
    return np.array([score.exact_match for score in scores]), np.exp(nats)


def _planted_answers(
    planted: PlantedModel, by_rule: NDArray[np.bool_], by_shortcut: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    if planted.kind == "mixed":
        return by_rule | by_shortcut
    return by_rule if planted.kind == "rule" else by_shortcut


def _planted_mass(
    planted: PlantedModel, rule_p: NDArray[np.float64], shortcut_p: NDArray[np.float64], differs: NDArray[np.bool_]
) -> NDArray[np.float64]:
    if planted.kind == "mixed":
        return np.where(differs, rule_p + shortcut_p, rule_p)
    return rule_p if planted.kind == "rule" else shortcut_p
