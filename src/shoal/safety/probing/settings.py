"""What may be chosen of the red-team loop."""

from __future__ import annotations

from dataclasses import dataclass, field

from shoal.errors import UsageError
from shoal.statistics import check_confidence
from shoal.training import TrainSettings


def default_training() -> TrainSettings:
    """A short tuning by adapters: enough to learn a conduct, and little to forget by."""
    # Small batches: a round has some 80 to 200 short rows, and batches of usual size would leave a dozen steps.
    return TrainSettings(learning_rate=3e-4, epochs=2.0, batch_tokens=1024, lora_rank=8, schedule="linear", warmup=0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSettings:
    """What the results of a loop depend on, besides the model and its seeds.

    Raises:
        UsageError: a number is too small, or prompts are to be plain and the model is to be tuned.
    """

    rounds: int = 0
    """Tunings; 0 only probes."""

    mutations: tuple[str, ...] = ()
    """Names or families; empty takes all."""

    mutations_per_seed: int = 3
    # Refusals show themselves in their first words, and an answer to every probe of every round is most of the cost.
    max_tokens: int = 24
    """Of an answer."""

    max_rows: int = 200
    """Rows that a round adds to the training data, refusals and counterweights together."""

    vectors: str = ""
    """Of seeds, for the clusters: a spec of `shoal.curation.classifier`; empty takes the states of the model."""

    plain: bool = False
    keep_answers: bool = False
    own_answers: bool = False
    """Learn the untuned model's own answers to harmless probes that it refuses by now; they stand in the curated
    rows."""

    confidence: float = 0.95
    seed: int = 0
    training: TrainSettings = field(default_factory=default_training)

    def __post_init__(self) -> None:
        for name, low in (("rounds", 0), ("mutations_per_seed", 0), ("max_tokens", 1), ("max_rows", 2)):
            if getattr(self, name) < low:
                raise UsageError(f"{name} is {getattr(self, name)}; give a whole number of at least {low}")
        check_confidence(self.confidence)
        if self.plain and self.rounds:
            raise UsageError("a model is tuned in its chat template; leave out plain, or the rounds")
