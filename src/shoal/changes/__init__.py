"""Change points: where the law of an ordered stream of numbers, vectors or symbols changes.

Needs NumPy alone; importing it imports neither torch nor pandas. Each name is imported when it is first used,
since a search is over in less time than the imports of all that stands here take.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
