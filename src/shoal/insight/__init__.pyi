from .causes import (
    Ablation as Ablation,
    Ablations as Ablations,
    PatchEffect as PatchEffect,
    PatchEffects as PatchEffects,
    PromptPair as PromptPair,
    ablate as ablate,
    patch_effects as patch_effects,
    read_pairs as read_pairs,
    read_places as read_places,
    run_patched as run_patched,
    said_of_intervals as said_of_intervals,
)
from .hooks import (
    Block as Block,
    Parts as Parts,
    Seen as Seen,
    activation_names as activation_names,
    capture as capture,
    edit as edit,
    find_parts as find_parts,
)
from .inspection import (
    Findings as Findings,
    Inspection as Inspection,
    check_text as check_text,
    inspect_text as inspect_text,
)
from .logits import (
    Attribution as Attribution,
    LensReading as LensReading,
    TunedLens as TunedLens,
    direct_attribution as direct_attribution,
    lens_readings as lens_readings,
    surprisal as surprisal,
    train_tuned_lens as train_tuned_lens,
)
from .neurons import (
    NeuronExample as NeuronExample,
    NeuronReport as NeuronReport,
    NeuronReports as NeuronReports,
    watch_neurons as watch_neurons,
)
from .over_training import (
    NeuronHistory as NeuronHistory,
    NeuronMoment as NeuronMoment,
    Rise as Rise,
    RoleHistory as RoleHistory,
    RoleMoment as RoleMoment,
    checkpoint_folders as checkpoint_folders,
    neurons_over_training as neurons_over_training,
    role_moments as role_moments,
    roles_over_training as roles_over_training,
)
from .roles import (
    ROLES as ROLES,
    HeadRole as HeadRole,
    HeadRoles as HeadRoles,
    head_roles as head_roles,
    role_scores as role_scores,
)
from .tokens import (
    Parting as Parting,
    TokenCounts as TokenCounts,
    TokenPiece as TokenPiece,
    TokenReading as TokenReading,
    count_tokens as count_tokens,
    read_tokens as read_tokens,
    where_they_part as where_they_part,
)
