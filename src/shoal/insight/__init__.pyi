from .checkpoints import (
    Rise as Rise,
    checkpoint_folders as checkpoint_folders,
    find_rise as find_rise,
)
from .head_scores import (
    HEAD_TYPES as HEAD_TYPES,
    head_type_scores as head_type_scores,
)
from .head_types import (
    HeadType as HeadType,
    HeadTypes as HeadTypes,
    find_head_types as find_head_types,
)
from .hooks import (
    ActivationCache as ActivationCache,
    ModelBlock as ModelBlock,
    Parts as Parts,
    activation_names as activation_names,
    capture as capture,
    component_name as component_name,
    edit as edit,
    find_parts as find_parts,
    parse_components as parse_components,
    read_activations as read_activations,
)
from .inspection import (
    Findings as Findings,
    Inspection as Inspection,
    TextQuery as TextQuery,
    check_text as check_text,
    inspect_text as inspect_text,
)
from .interventions import (
    Ablation as Ablation,
    Ablations as Ablations,
    PatchEffect as PatchEffect,
    PatchEffects as PatchEffects,
    PromptPair as PromptPair,
    ablate as ablate,
    patch_effects as patch_effects,
    read_prompt_pairs as read_prompt_pairs,
    run_patched as run_patched,
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
    NeuronSettings as NeuronSettings,
    find_selective_neurons as find_selective_neurons,
)
from .options import AnalysisOptions as AnalysisOptions
from .tokens import (
    TokenCounts as TokenCounts,
    TokenizationDiff as TokenizationDiff,
    TokenPiece as TokenPiece,
    TokenReading as TokenReading,
    compare_tokenizations as compare_tokenizations,
    count_tokens as count_tokens,
    read_tokens as read_tokens,
)
from .training_dynamics import (
    HeadHistory as HeadHistory,
    HeadMoment as HeadMoment,
    NeuronHistory as NeuronHistory,
    NeuronMoment as NeuronMoment,
    head_history as head_history,
    head_types_over_training as head_types_over_training,
    neurons_over_training as neurons_over_training,
)
