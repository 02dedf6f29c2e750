from .batch_content import batch_content as batch_content
from .events import (
    BatchContent as BatchContent,
    BatchDocument as BatchDocument,
    EventKind as EventKind,
    RepeatedNgram as RepeatedNgram,
    WatchEvent as WatchEvent,
    event_from as event_from,
)
from .logs import watch_log as watch_log
from .schedule import (
    ChangesSchedule as ChangesSchedule,
    RateDecision as RateDecision,
)
from .torch_scheduler import ChangesLR as ChangesLR
from .trainer_callback import WatchCallback as WatchCallback
from .watch import Watch as Watch
