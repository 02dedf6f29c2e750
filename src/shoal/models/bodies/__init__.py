"""Forward passes of shoal's own, for scoring: the same functions as those of `transformers`, in fewer operations.

They read config.json and the weights by name, so that scoring a plain model imports no model class of `transformers`.
What they do not know, they leave to it. They read and are never trained.
"""

from shoal.models.bodies.adopt import adopt
from shoal.models.bodies.body import Body
from shoal.models.bodies.past import Memory, Opening, Past
from shoal.models.bodies.registry import body_class

__all__ = ["Body", "Memory", "Opening", "Past", "adopt", "body_class"]
