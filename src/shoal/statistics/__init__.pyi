from .agreement import (
    Confusion as Confusion,
    accuracy as accuracy,
    calibration_error as calibration_error,
    class_f1 as class_f1,
    cluster_places as cluster_places,
    cohen_kappa as cohen_kappa,
    resample_confusion as resample_confusion,
    weighted_kappa as weighted_kappa,
)
from .blocked import (
    BlockedPermutation as BlockedPermutation,
    BlockedTest as BlockedTest,
    blocked_test as blocked_test,
)
from .clustered import (
    StudentTest as StudentTest,
    cluster_robust_se as cluster_robust_se,
    two_way_se as two_way_se,
)
from .corrected_share import (
    CorrectedShare as CorrectedShare,
    correct_share as correct_share,
    effective_size as effective_size,
    measure_error_rates as measure_error_rates,
    prediction_powered_share as prediction_powered_share,
    share_by_labels as share_by_labels,
)
from .correction import holm as holm
from .cross_validation import (
    Candidates as Candidates,
    CrossValidation as CrossValidation,
    FoldScore as FoldScore,
    corrected_interval as corrected_interval,
    corrected_test as corrected_test,
    cross_validate as cross_validate,
    nested_cross_validate as nested_cross_validate,
    out_of_fold as out_of_fold,
    summarize_folds as summarize_folds,
)
from .crossed_mean import (
    CrossedMean as CrossedMean,
    crossed_difference as crossed_difference,
    crossed_mean as crossed_mean,
)
from .decisions import (
    DecisionAccuracy as DecisionAccuracy,
    decision_accuracy as decision_accuracy,
)
from .error_rates import (
    ErrorRates as ErrorRates,
    largest_likely_share as largest_likely_share,
)
from .estimates import (
    Estimate as Estimate,
    percentile_ends as percentile_ends,
)
from .few_units import (
    mean_estimate as mean_estimate,
    student_bootstrap as student_bootstrap,
)
from .floors import (
    FloorFits as FloorFits,
    fit_floors as fit_floors,
)
from .folds import (
    Fold as Fold,
    group_folds as group_folds,
    leave_one_group_out as leave_one_group_out,
)
from .growth import (
    Exponent as Exponent,
    fit_exponent as fit_exponent,
    fit_lines as fit_lines,
)
from .intervals import (
    DRAWS as DRAWS,
    Interval as Interval,
    check_alpha as check_alpha,
    check_confidence as check_confidence,
    clopper_pearson_interval as clopper_pearson_interval,
    crossed_bootstrap as crossed_bootstrap,
    enough_units as enough_units,
    even_sample as even_sample,
    percentile_interval as percentile_interval,
    resampled_places as resampled_places,
    resampled_ratios as resampled_ratios,
    wilson_interval as wilson_interval,
)
from .mixtures import (
    MixtureWeights as MixtureWeights,
    checked_weights as checked_weights,
    fit_mixture as fit_mixture,
    mixture_log_likelihoods as mixture_log_likelihoods,
)
from .paired import (
    McNemar as McNemar,
    SignFlip as SignFlip,
    mcnemar_exact as mcnemar_exact,
    sign_flip as sign_flip,
    sign_flip_interval as sign_flip_interval,
    sign_flip_p_value as sign_flip_p_value,
)
from .planning import (
    PowerPlan as PowerPlan,
    plan_power as plan_power,
)
from .sample_size import (
    detectable_difference as detectable_difference,
    detectable_shift as detectable_shift,
    fewest_seeds as fewest_seeds,
    power as power,
    seeds_needed as seeds_needed,
    smallest_detectable_effect as smallest_detectable_effect,
)
from .sequential_share import (
    log_e_share_above as log_e_share_above,
    log_e_share_below as log_e_share_below,
    share_confidence_sequence as share_confidence_sequence,
)
from .softmax_regression import fit_softmax as fit_softmax
from .verdict_rule import (
    Control as Control,
    Word as Word,
    decide as decide,
)
