from .context_tree import (
    ContextTree as ContextTree,
    GroundTruth as GroundTruth,
    greedy_continuation as greedy_continuation,
    ground_truth as ground_truth,
    hash_uniform as hash_uniform,
)
from .factory import (
    dummy_names as dummy_names,
    make_dummy as make_dummy,
    set_answers as set_answers,
    tiny_tokenizer as tiny_tokenizer,
)
from .network import DummyForCausalLM as DummyForCausalLM
