"""Change points of a stream while it comes in."""

from shoal.changes.online.alarm import Alarm
from shoal.changes.online.watch import Watch

__all__ = ["Alarm", "Watch"]
