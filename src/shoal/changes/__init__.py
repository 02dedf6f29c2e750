"""Change points: where the law of an ordered stream of numbers, vectors or symbols changes.

Needs NumPy alone; importing it does not import torch.
"""

from shoal.changes.listing import distance, list_estimator
from shoal.changes.points import change_points, known_number, single_change_point
from shoal.changes.result import Change, Changes, Moved

__all__ = [
    "Change",
    "Changes",
    "Moved",
    "change_points",
    "distance",
    "known_number",
    "list_estimator",
    "single_change_point",
]
