from .context_tree import (
    ContextTree as ContextTree,
    chance as chance,
)
from .factory import (
    dummy_names as dummy_names,
    make_dummy as make_dummy,
    set_answers as set_answers,
)
from .ground_truth import (
    GroundTruth as GroundTruth,
    ground_truth as ground_truth,
)
from .network import DummyForCausalLM as DummyForCausalLM
from .tokenizer import tiny_tokenizer as tiny_tokenizer
