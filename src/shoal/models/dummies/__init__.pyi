from .making import (
    dummy_names as dummy_names,
    make_dummy as make_dummy,
    teach as teach,
)
from .network import DummyForCausalLM as DummyForCausalLM
from .script import (
    Script as Script,
    chance as chance,
)
from .tokenizer import tiny_tokenizer as tiny_tokenizer
from .truth import (
    Truth as Truth,
    truth_of as truth_of,
)
