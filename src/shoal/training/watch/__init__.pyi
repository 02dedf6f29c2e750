from .batch_content import batch_content as batch_content
from .events import (
    BatchContent as BatchContent,
    BatchDocument as BatchDocument,
    EventKind as EventKind,
    RepeatedNgram as RepeatedNgram,
    WatchEvent as WatchEvent,
    batch_content_from as batch_content_from,
    event_from as event_from,
)
from .log_files import find_training_logs as find_training_logs
from .logs import (
    LogEvents as LogEvents,
    watch_log as watch_log,
)
from .schedule import (
    ChangesSchedule as ChangesSchedule,
    RateDecision as RateDecision,
)
from .torch_scheduler import ChangesLR as ChangesLR
from .trainer_callback import WatchCallback as WatchCallback
from .watch import Watch as Watch
