from .ablation import (
    Ablation as Ablation,
    Ablations as Ablations,
    ablate as ablate,
)
from .effects import (
    ComponentEffect as ComponentEffect,
)
from .patching import (
    PatchEffect as PatchEffect,
    PatchEffects as PatchEffects,
    patch_effects as patch_effects,
    run_patched as run_patched,
)
from .prompt_pairs import (
    PromptPair as PromptPair,
    read_prompt_pairs as read_prompt_pairs,
)
