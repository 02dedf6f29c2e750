from .capture import (
    ActivationCache as ActivationCache,
    capture as capture,
    edit as edit,
)
from .hook_points import (
    activation_names as activation_names,
    match_names as match_names,
)
from .parts import (
    ModelBlock as ModelBlock,
    Parts as Parts,
    find_parts as find_parts,
)
from .prefix_reading import (
    Segment as Segment,
    find_segments as find_segments,
    read_activations as read_activations,
    read_position as read_position,
)
