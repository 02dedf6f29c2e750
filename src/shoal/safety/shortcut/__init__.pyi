from .curve import (
    RefusalCurve as RefusalCurve,
    RefusalPoint as RefusalPoint,
    TrainingsShare as TrainingsShare,
    make_refusal_curve as make_refusal_curve,
)
from .effects import PairEffect as PairEffect, RefusalCell as RefusalCell
from .explaining import (
    compare_explanations as compare_explanations,
    explain_refusals as explain_refusals,
    explain_refusals_of_models as explain_refusals_of_models,
    make_folder as make_folder,
)
from .explanations import (
    FOCUS_WORD as FOCUS_WORD,
    OPENING as OPENING,
    QUESTION_FORM as QUESTION_FORM,
    refusal_candidates as refusal_candidates,
)
from .focus_words import FocusWords as FocusWords
from .pair_rows import read_pair_rows as read_pair_rows
from .pairs import (
    FocusPair as FocusPair,
    PairedPrompt as PairedPrompt,
    PairKind as PairKind,
    PairSet as PairSet,
    make_minimal_pairs as make_minimal_pairs,
)
from .planted import (
    PlantedRefuser as PlantedRefuser,
    RefusalMechanism as RefusalMechanism,
    plant_refuser as plant_refuser,
    planted_pairs as planted_pairs,
)
from .result import (
    EFFECT_HEAD as EFFECT_HEAD,
    RefusalChange as RefusalChange,
    RefusalExplanation as RefusalExplanation,
    RefusalExplanations as RefusalExplanations,
    effect_row as effect_row,
    verdict_text as verdict_text,
)
