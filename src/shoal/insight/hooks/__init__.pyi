from .capture import (
    ActivationCache as ActivationCache,
    Segment as Segment,
    capture as capture,
    edit as edit,
    find_segments as find_segments,
    read_activations as read_activations,
    read_position as read_position,
)
from .hook_points import (
    activation_names as activation_names,
    match_names as match_names,
)
from .parts import (
    ModelBlock as ModelBlock,
    Parts as Parts,
    component_name as component_name,
    find_parts as find_parts,
    parse_components as parse_components,
)
