"""What happens inside a forward pass, seen or changed by names that do not depend on the architecture."""

from shoal.insight.hooks.capture import Seen, capture
from shoal.insight.hooks.edit import edit
from shoal.insight.hooks.names import activation_names
from shoal.insight.hooks.parts import Block, Parts, find_parts

__all__ = ["Block", "Parts", "Seen", "activation_names", "capture", "edit", "find_parts"]
