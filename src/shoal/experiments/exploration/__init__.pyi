from .change import (
    ChangeableKey as ChangeableKey,
    change_one as change_one,
    changeable_keys as changeable_keys,
)
from .folder import (
    Exploration as Exploration,
    open_exploration as open_exploration,
    write_exploration as write_exploration,
)
from .outcome import (
    PredictionOutcome as PredictionOutcome,
    judge_prediction as judge_prediction,
)
from .prediction import (
    ChangePrediction as ChangePrediction,
    read_prediction as read_prediction,
    state_prediction as state_prediction,
)
