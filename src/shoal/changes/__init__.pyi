from .detector import ChangePointDetector as ChangePointDetector
from .khaleghi_ryabko import (
    distance as distance,
    list_estimator as list_estimator,
)
from .metrics import (
    covering as covering,
    f1_with_margin as f1_with_margin,
    mean_error as mean_error,
)
from .online_detector import Alarm as Alarm, OnlineDetector as OnlineDetector
from .points import (
    change_points as change_points,
    known_number as known_number,
    single_change_point as single_change_point,
)
from .preprocessing import (
    deseasonalize as deseasonalize,
    difference as difference,
    preprocess as preprocess,
    robust_ranks as robust_ranks,
)
from .progress_detector import ProgressDetector as ProgressDetector, ProgressEnd as ProgressEnd
from .render import (
    changes_table as changes_table,
    changes_text as changes_text,
    describe_change as describe_change,
    describe_pieces as describe_pieces,
    headline as headline,
    pieces_table as pieces_table,
    plot_changes as plot_changes,
    step_label as step_label,
)
from .result import (
    Change as Change,
    ChangedFeature as ChangedFeature,
    Changes as Changes,
)
from .shift_detector import Shift as Shift, ShiftDetector as ShiftDetector, ShiftKind as ShiftKind
from .stream import Stream as Stream, joined as joined
from .validation import (
    DIFFERENT as DIFFERENT,
    as_stream as as_stream,
    check_settings as check_settings,
)
