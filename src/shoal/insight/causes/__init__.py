"""What parts of a model do to its behaviour: parts taken from another run, or taken away."""

from shoal.insight.causes.ablation import Ablation, Ablations, ablate
from shoal.insight.causes.intervals import said_of_intervals
from shoal.insight.causes.pairs import PromptPair, read_pairs
from shoal.insight.causes.patching import PatchEffect, PatchEffects, patch_effects, run_patched
from shoal.insight.causes.places import read_places

__all__ = [
    "Ablation",
    "Ablations",
    "PatchEffect",
    "PatchEffects",
    "PromptPair",
    "ablate",
    "patch_effects",
    "read_pairs",
    "read_places",
    "run_patched",
    "said_of_intervals",
]
