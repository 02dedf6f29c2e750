"""What a model predicts, from which layer on, and which parts made it so."""

from shoal.insight.logits.attribution import Attribution, direct_attribution
from shoal.insight.logits.lens import LensReading, lens_readings
from shoal.insight.logits.surprise import surprisal
from shoal.insight.logits.tuned import TunedLens, train_tuned_lens

__all__ = [
    "Attribution",
    "LensReading",
    "TunedLens",
    "direct_attribution",
    "lens_readings",
    "surprisal",
    "train_tuned_lens",
]
