from .gathering import (
    read_safety_tuning as read_safety_tuning,
)
from .harm import (
    answers_of_tuning as answers_of_tuning,
    harm_of_tuning as harm_of_tuning,
)
from .plan import (
    COMPLIED as COMPLIED,
    LOSS as LOSS,
    REFUSED as REFUSED,
    SafetyTuningPlan as SafetyTuningPlan,
    TuningHypothesis as TuningHypothesis,
    load_safety_tuning as load_safety_tuning,
)
from .refusals import explain_safety_tuning as explain_safety_tuning
from .result import (
    LABELS as LABELS,
    BestNumber as BestNumber,
    SafetyTuning as SafetyTuning,
    TuningEstimate as TuningEstimate,
    TuningVerdict as TuningVerdict,
    TypeRefusals as TypeRefusals,
    measure_label as measure_label,
)
from .runner import tune_safety as tune_safety
from .trainings import (
    MeasuredTraining as MeasuredTraining,
    SafetyTraining as SafetyTraining,
    SafetyTrainingRecord as SafetyTrainingRecord,
    planned_safety_trainings as planned_safety_trainings,
    read_measured as read_measured,
)
