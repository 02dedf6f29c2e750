from .stop_strings import (
    StopMatcher as StopMatcher,
    check_stop_strings as check_stop_strings,
)
