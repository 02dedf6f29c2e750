from .causes import (
    Ablation as Ablation,
)
from .causes import (
    Ablations as Ablations,
)
from .causes import (
    PatchEffect as PatchEffect,
)
from .causes import (
    PatchEffects as PatchEffects,
)
from .causes import (
    PromptPair as PromptPair,
)
from .causes import (
    ablate as ablate,
)
from .causes import (
    patch_effects as patch_effects,
)
from .causes import (
    read_pairs as read_pairs,
)
from .causes import (
    read_places as read_places,
)
from .causes import (
    run_patched as run_patched,
)
from .hooks import (
    Block as Block,
)
from .hooks import (
    Parts as Parts,
)
from .hooks import (
    Seen as Seen,
)
from .hooks import (
    activation_names as activation_names,
)
from .hooks import (
    capture as capture,
)
from .hooks import (
    edit as edit,
)
from .hooks import (
    find_parts as find_parts,
)
from .inspection import (
    Findings as Findings,
)
from .inspection import (
    Inspection as Inspection,
)
from .inspection import (
    check_text as check_text,
)
from .inspection import (
    inspect_text as inspect_text,
)
from .inspection import (
    inspection_page as inspection_page,
)
from .logits import (
    Attribution as Attribution,
)
from .logits import (
    LensReading as LensReading,
)
from .logits import (
    TunedLens as TunedLens,
)
from .logits import (
    direct_attribution as direct_attribution,
)
from .logits import (
    lens_readings as lens_readings,
)
from .logits import (
    surprisal as surprisal,
)
from .logits import (
    train_tuned_lens as train_tuned_lens,
)
from .neurons import (
    NeuronExample as NeuronExample,
)
from .neurons import (
    NeuronReport as NeuronReport,
)
from .neurons import (
    NeuronReports as NeuronReports,
)
from .neurons import (
    watch_neurons as watch_neurons,
)
from .over_training import (
    NeuronHistory as NeuronHistory,
)
from .over_training import (
    NeuronMoment as NeuronMoment,
)
from .over_training import (
    RoleHistory as RoleHistory,
)
from .over_training import (
    RoleMoment as RoleMoment,
)
from .over_training import (
    checkpoint_folders as checkpoint_folders,
)
from .over_training import (
    neurons_over_training as neurons_over_training,
)
from .over_training import (
    role_moments as role_moments,
)
from .over_training import (
    roles_over_training as roles_over_training,
)
from .roles import (
    ROLES as ROLES,
)
from .roles import (
    HeadRole as HeadRole,
)
from .roles import (
    HeadRoles as HeadRoles,
)
from .roles import (
    head_roles as head_roles,
)
from .roles import (
    role_scores as role_scores,
)
from .tokens import (
    Parting as Parting,
)
from .tokens import (
    TokenCounts as TokenCounts,
)
from .tokens import (
    TokenPiece as TokenPiece,
)
from .tokens import (
    TokenReading as TokenReading,
)
from .tokens import (
    count_tokens as count_tokens,
)
from .tokens import (
    read_tokens as read_tokens,
)
from .tokens import (
    where_they_part as where_they_part,
)
