"""What is inside a model: its tokens, its attention and activations.

What needs torch is imported when it is first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from shoal.insight.tokens import (
    Parting,
    TokenCounts,
    TokenPiece,
    TokenReading,
    count_tokens,
    read_tokens,
    where_they_part,
)

if TYPE_CHECKING:
    from shoal.insight.causes import (
        Ablation,
        Ablations,
        PatchEffect,
        PatchEffects,
        PromptPair,
        ablate,
        patch_effects,
        read_pairs,
        read_places,
        run_patched,
    )
    from shoal.insight.hooks import Block, Parts, Seen, activation_names, capture, edit, find_parts
    from shoal.insight.inspection import Inspection, check_text, inspect_text, inspection_page
    from shoal.insight.logits import (
        Attribution,
        LensReading,
        TunedLens,
        direct_attribution,
        lens_readings,
        surprisal,
        train_tuned_lens,
    )
    from shoal.insight.neurons import NeuronExample, NeuronReport, NeuronReports, watch_neurons
    from shoal.insight.over_training import (
        NeuronHistory,
        NeuronMoment,
        RoleHistory,
        RoleMoment,
        checkpoint_folders,
        neurons_over_training,
        role_moments,
        roles_over_training,
    )
    from shoal.insight.roles import ROLES, HeadRole, HeadRoles, head_roles, role_scores

_HOMES = {
    "over_training": (
        "NeuronHistory",
        "NeuronMoment",
        "RoleHistory",
        "RoleMoment",
        "checkpoint_folders",
        "neurons_over_training",
        "role_moments",
        "roles_over_training",
    ),
    "inspection": ("Findings", "Inspection", "check_text", "inspect_text", "inspection_page"),
    "causes": (
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
    ),
    "neurons": ("NeuronExample", "NeuronReport", "NeuronReports", "watch_neurons"),
    "logits": (
        "Attribution",
        "LensReading",
        "TunedLens",
        "direct_attribution",
        "lens_readings",
        "surprisal",
        "train_tuned_lens",
    ),
    "roles": ("ROLES", "HeadRole", "HeadRoles", "head_roles", "role_scores"),
    "hooks": ("Block", "Parts", "Seen", "activation_names", "capture", "edit", "find_parts"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ROLES",
    "Ablation",
    "Ablations",
    "Attribution",
    "Block",
    "Findings",
    "HeadRole",
    "HeadRoles",
    "Inspection",
    "LensReading",
    "NeuronExample",
    "NeuronHistory",
    "NeuronMoment",
    "NeuronReport",
    "NeuronReports",
    "Parting",
    "Parts",
    "PatchEffect",
    "PatchEffects",
    "PromptPair",
    "RoleHistory",
    "RoleMoment",
    "Seen",
    "TokenCounts",
    "TokenPiece",
    "TokenReading",
    "TunedLens",
    "ablate",
    "activation_names",
    "capture",
    "check_text",
    "checkpoint_folders",
    "count_tokens",
    "direct_attribution",
    "edit",
    "find_parts",
    "head_roles",
    "inspect_text",
    "inspection_page",
    "lens_readings",
    "neurons_over_training",
    "patch_effects",
    "read_pairs",
    "read_places",
    "read_tokens",
    "role_moments",
    "role_scores",
    "roles_over_training",
    "run_patched",
    "surprisal",
    "train_tuned_lens",
    "watch_neurons",
    "where_they_part",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its room when it is first asked for."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value
