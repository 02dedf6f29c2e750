from .change import (
    ChangeableKey as ChangeableKey,
    change_one as change_one,
    changeable_keys as changeable_keys,
)
from .lesson import (
    Lesson as Lesson,
    open_lesson as open_lesson,
    write_lesson as write_lesson,
)
from .outcome import (
    PredictionOutcome as PredictionOutcome,
    judge_prediction as judge_prediction,
)
from .prediction import (
    Prediction as Prediction,
    read_prediction as read_prediction,
    state_prediction as state_prediction,
)
