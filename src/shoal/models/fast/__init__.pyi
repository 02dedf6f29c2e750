from .adopt import adopt as adopt
from .body import FastModel as FastModel
from .decoding import continue_greedily as continue_greedily
from .past import (
    Memory as Memory,
    Opening as Opening,
    Past as Past,
)
from .registry import body_class as body_class
