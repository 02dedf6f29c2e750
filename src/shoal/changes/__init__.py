"""Change points: where the law of an ordered stream of numbers, vectors or symbols changes.

Needs NumPy alone; importing it does not import torch.
"""

from shoal.changes.points import change_points
from shoal.changes.result import Change, Changes, Moved

__all__ = ["Change", "Changes", "Moved", "change_points"]
