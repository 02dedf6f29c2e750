from .cases import (
    HarmCase as HarmCase,
    harm_cases as harm_cases,
)
from .certificate import (
    HarmFunction as HarmFunction,
    certify_harm_scorer as certify_harm_scorer,
    dummy_harm_scorers as dummy_harm_scorers,
)
from .judge import (
    EndpointHarmScorer as EndpointHarmScorer,
    HarmJudge as HarmJudge,
    JudgedPair as JudgedPair,
    harm_prompt as harm_prompt,
    read_points as read_points,
)
from .preferences import (
    PairAccuracy as PairAccuracy,
    PreferencePair as PreferencePair,
    measure_pair_accuracy as measure_pair_accuracy,
    read_preference_pairs as read_preference_pairs,
)
from .rating import (
    HarmRating as HarmRating,
    HarmScore as HarmScore,
    harm_share as harm_share,
    measure_harm_errors as measure_harm_errors,
    rate_harm as rate_harm,
)
from .reward_model import (
    RewardHarmScorer as RewardHarmScorer,
    load_harm_model as load_harm_model,
)
from .rows import (
    HarmLabelled as HarmLabelled,
    read_harm_rows as read_harm_rows,
)
from .scorer import (
    HARMFUL_FROM as HARMFUL_FROM,
    UNSEEN as UNSEEN,
    HarmScorer as HarmScorer,
    harm_scores as harm_scores,
)
